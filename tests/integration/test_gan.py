"""The GAN: which network learns from which loss, with every architecture and image size."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops
from toys import toy_batch, toy_config

from fashion_gan import networks
from fashion_gan.config import ARCHITECTURES, Config
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.errors import InputError
from fashion_gan.networks import heads
from fashion_gan.training import losses
from fashion_gan.training.build import build_gan

# Every architecture and every loss once, since losses do not depend on the architecture. `make test` has half of them.
GAMES = [
    ("residual", "bce"),
    ("residual", "leaky-minimax"),
    ("residual", "relativistic"),
    ("transposed", "bce"),
    *(
        pytest.param(architecture, loss, marks=pytest.mark.full)
        for architecture, loss in (
            ("upsampling", "bce"),
            ("dcgan", "bce"),
            ("residual", "minimax"),
            ("residual", "hinge"),
            ("residual", "wasserstein"),
        )
    ),
]


def test_the_games_have_every_architecture_and_every_loss():
    games = [getattr(game, "values", game) for game in GAMES]
    assert {architecture for architecture, _ in games} == set(ARCHITECTURES)
    assert {loss for _, loss in games} == set(losses.LOSSES)


ZERO_SUM_LOSSES = [name for name, loss in losses.LOSSES.items() if loss.zero_sum]
QUICK_ZERO_SUM_GAMES = [*(("residual", loss) for loss in ZERO_SUM_LOSSES), ("transposed", "leaky-minimax")]


def weights_of(model):
    return [ops.convert_to_numpy(v) for v in model.trainable_variables]


def same(before, after):
    return [np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


def zero_loss(real, fake):
    return 0.0 * ops.mean(real) + 0.0 * ops.mean(fake)


@pytest.mark.parametrize(("architecture", "loss"), GAMES)
def test_the_generators_loss_does_not_change_the_discriminator(architecture, loss, monkeypatch):
    monkeypatch.setitem(losses.LOSSES, loss, losses.Loss(zero_loss, losses.LOSSES[loss].generator))
    gan = build_gan(toy_config(architecture, loss=loss))
    gan.run_eagerly = True
    before = weights_of(gan.discriminator), weights_of(gan.generator)
    gan.train_on_batch(toy_batch())
    assert all(same(before[0], weights_of(gan.discriminator)))
    assert not any(same(before[1], weights_of(gan.generator)))


@pytest.mark.parametrize(("architecture", "loss"), GAMES)
def test_the_discriminators_loss_does_not_change_the_generator(architecture, loss, monkeypatch):
    monkeypatch.setitem(losses.LOSSES, loss, losses.Loss(losses.LOSSES[loss].discriminator, zero_loss))
    gan = build_gan(toy_config(architecture, loss=loss, r1_weight=1.0, r2_weight=1.0))
    gan.run_eagerly = True
    before = weights_of(gan.discriminator), weights_of(gan.generator)
    gan.train_on_batch(toy_batch())
    # A loss of differences between logits does not depend on the bias of the last layer.
    changed = [not equal for equal in same(before[0], weights_of(gan.discriminator))]
    assert sum(changed) >= len(changed) - 1
    assert all(same(before[1], weights_of(gan.generator)))


# "transposed" has dropout and batch norms.
@pytest.mark.parametrize(
    ("architecture", "loss"),
    [
        pytest.param(architecture, loss, marks=[] if (architecture, loss) in QUICK_ZERO_SUM_GAMES else pytest.mark.full)
        for architecture in ("residual", "transposed")
        for loss in ZERO_SUM_LOSSES
    ],
)
def test_one_pass_of_a_zero_sum_loss_updates_both_networks_as_two_passes_do(architecture, loss, monkeypatch):
    def updates(zero_sum):
        gan = build_gan(toy_config(architecture, loss=loss, r1_weight=1.0, r2_weight=1.0))
        monkeypatch.setitem(losses.LOSSES, loss, losses.LOSSES[loss]._replace(zero_sum=zero_sum))
        assert gan.objective.shares_one_pass == zero_sum
        # Steps of plain gradient descent: Adam's depend little on the gradient's size.
        gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
        gan.run_eagerly = True
        before = weights_of(gan.generator), weights_of(gan.discriminator)
        gan.train_on_batch(toy_batch())
        after = weights_of(gan.generator), weights_of(gan.discriminator)
        return [
            np.concatenate([(b - a).ravel() for a, b in zip(*each, strict=True)])
            for each in zip(before, after, strict=True)
        ]

    for one, two in zip(updates(zero_sum=True), updates(zero_sum=False), strict=True):
        assert np.abs(two).max() > 1e-4
        assert one == pytest.approx(two, rel=1e-3, abs=1e-4 * float(np.abs(two).max()))


def test_the_penalties_on_real_and_on_generated_images_have_separate_weights():
    def d_loss(**settings):
        gan = build_gan(toy_config(**settings))
        gan.run_eagerly = True  # A single step takes less time than its compilation.
        return float(gan.train_on_batch(toy_batch(), return_dict=True)["d_loss"])

    # Noise is drawn only for penalized images, so each penalty has the same noise when it is the only one.
    none, real, fake = d_loss(), d_loss(r1_weight=1.0, r2_weight=0.0), d_loss(r1_weight=0.0, r2_weight=1.0)
    assert min(real, fake) > none + 1e-3
    assert real != pytest.approx(fake, rel=1e-4)
    assert d_loss(r1_weight=2.0, r2_weight=0.0) - none == pytest.approx(2 * (real - none), rel=1e-3)
    config = dataclasses.replace(toy_config(r1_weight=0.5), r2_weight=None)
    assert build_gan(config).objective.r2_weight == 0.5  # The default is the weight on real images.


def test_the_discriminator_learns_classes_only_from_real_images_and_the_generator_learns_them_too(monkeypatch):
    monkeypatch.setitem(losses.LOSSES, "leaky-minimax", losses.Loss(zero_loss, zero_loss))
    discriminators = []
    for scale in (1.0, 3.0):  # Another generator draws other images. The discriminator must learn the same.
        gan = build_gan(toy_config(classifier_weight=0.5))
        gan.run_eagerly = True
        for weight in gan.generator.trainable_variables:
            weight.assign(scale * weight)
        before = weights_of(gan.generator), weights_of(gan.discriminator)
        gan.train_on_batch(toy_batch())
        assert not all(same(before[0], weights_of(gan.generator)))
        assert not all(same(before[1], weights_of(gan.discriminator)))
        discriminators.append(weights_of(gan.discriminator))
    assert all(same(*discriminators))


def test_both_networks_change_in_each_of_twenty_steps():
    gan = build_gan(toy_config(conditional=False))
    for step in range(20):
        before = weights_of(gan.discriminator), weights_of(gan.generator)
        gan.train_on_batch(toy_batch(seed=step))
        assert not any(same(before[0], weights_of(gan.discriminator)))
        assert not any(same(before[1], weights_of(gan.generator)))


SIZES = (
    (16, 1, False),
    (20, 3, True),
    (28, 1, True),
    (28, 3, False),
    (36, 3, False),
    (64, 1, True),
    (64, 3, True),
    (100, 1, False),
    (128, 3, False),
    (128, 1, True),
)


# `make test` has each size once, and each architecture with both numbers of channels.
@pytest.mark.parametrize(
    ("architecture", "size", "channels", "conditional"),
    [
        pytest.param(architecture, *size, marks=[] if row % len(ARCHITECTURES) == column else pytest.mark.full)
        for column, architecture in enumerate(ARCHITECTURES)
        for row, size in enumerate(SIZES)
    ],
)
def test_every_size_and_number_of_channels_builds_and_trains(architecture, size, channels, conditional):
    config = toy_config(architecture, conditional, image_size=size, channels=channels, base_channels=2)
    gan = build_gan(config)
    gan.run_eagerly = True
    before = weights_of(gan.generator)
    gan.train_on_batch(toy_batch(4, size=28))  # The GAN resizes them.
    assert not any(same(before, weights_of(gan.generator)))
    fake = gan(toy_batch(4))
    assert fake.shape == (4, size, size, channels)
    assert float(ops.max(ops.abs(fake))) <= 1.0


@pytest.mark.parametrize(
    ("preset", "generator", "discriminator"),
    [
        # Kernels by hand. Dense 100·12544 + 2·12544; 5·5·256·128 + 2·128; 5·5·128·64 + 2·64; 5·5·64·1.
        ("transposed", 1_254_400 + 25_088 + 819_200 + 256 + 204_800 + 128 + 1_600, 1_664 + 204_928 + 6_273),
        # Dense 100·6272 + 6272; 3·3·128·128 + 2·128; 3·3·128·64 + 2·64; 3·3·64 + 1.
        (
            "upsampling",
            633_472 + 147_456 + 256 + 73_728 + 128 + 577,
            320 + 18_432 + 128 + 73_728 + 256 + 294_912 + 512 + 4_097,
        ),
        # Dense 100·8192 + 2·512; 4·4·512·256 + 2·256; 4·4·256·128 + 2·128; 4·4·128·64 + 2·64; 4·4·64 + 1.
        (
            "dcgan-64",
            820_224 + 2_097_664 + 524_544 + 131_200 + 1_025,
            1_088 + 131_200 + 524_544 + 2_097_664 + 8_193,
        ),
    ],
)
def test_presets_have_the_parameter_counts_of_the_published_architectures(preset, generator, discriminator):
    config = Config.from_preset(preset)
    count = lambda model: sum(int(np.prod(v.shape)) for v in model.trainable_variables)  # noqa: E731
    assert count(networks.build_generator(config)) == generator
    assert count(networks.build_discriminator(config)) == discriminator


def test_dcgan_128_is_one_stage_deeper_than_dcgan_64():
    stages = [
        sum("conv" in layer.name for layer in networks.build_generator(Config.from_preset(preset)).layers)
        for preset in ("dcgan-64", "dcgan-128")
    ]
    assert stages == [4, 5]


def test_probability_real_is_a_probability_that_training_changes():
    gan = build_gan(toy_config(conditional=False, learning_rate=2e-3))
    batch = toy_batch()
    for _ in range(30):
        gan.train_on_batch(batch)
    probability_real = gan.probability_real(batch["images"])
    assert probability_real.shape == (8,)
    assert ((probability_real >= 0) & (probability_real <= 1)).all()
    blank = np.zeros_like(batch["images"])
    assert probability_real.mean() > gan.probability_real(blank).mean() + 0.1


def test_a_conditional_discriminator_needs_labels():
    gan, batch = build_gan(toy_config()), toy_batch()
    assert gan.probability_real(batch["images"], batch["labels"]).shape == (8,)
    classifier = build_gan(toy_config(classifier_weight=0.5))
    assert classifier.probability_real(batch["images"], batch["labels"]).shape == (8,)
    with pytest.raises(InputError, match="labels=None"):
        gan.probability_real(batch["images"])


def test_pixels_are_scaled_to_minus_one_to_one_and_resized_to_the_networks_size():
    gan = build_gan(toy_config(image_size=20, channels=3))
    images = np.zeros((2, 28, 28, 1), np.uint8)
    images[1] = 255
    real = ops.convert_to_numpy(gan.preprocess(images))
    assert real.shape == (2, 20, 20, 3)
    assert real[0] == pytest.approx(-1)
    assert real[1] == pytest.approx(1)


@pytest.mark.parametrize("size", [16, 20, 28, 64])
def test_images_are_resized_as_keras_resizes_them(size):
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), np.uint8)
    real = ops.convert_to_numpy(build_gan(toy_config(image_size=size, base_channels=2)).preprocess(images))
    resized = ops.image.resize(images / np.float32(127.5) - 1.0, (size, size), antialias=True)
    assert real == pytest.approx(ops.convert_to_numpy(resized), abs=1e-4)


@pytest.mark.full
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX always compiles, PyTorch never does")
def test_xla_compiles_every_part_of_a_step():
    parts = {"image_size": 16, "augment": True, "loss": "bce", "r1_weight": 0.1, "penalty_every_steps": 2}
    plain, compiled = (build_gan(toy_config(jit_compile=jit_compile, **parts)) for jit_compile in (False, True))
    before = weights_of(compiled.generator)
    logs = compiled.train_on_batch(toy_batch(size=28), return_dict=True)
    # Only d_real is the same, since XLA draws other random numbers for the generated images.
    assert logs["d_real"] == pytest.approx(plain.train_on_batch(toy_batch(size=28), return_dict=True)["d_real"])
    assert not any(same(before, weights_of(compiled.generator)))


def test_the_averaged_generator_averages_every_weight_and_batch_statistic():
    gan = build_gan(toy_config(ema_decay=0.5))
    expected = [ops.convert_to_numpy(w) for w in gan.averaged_generator.weights]
    for step in range(1, 6):
        before = [ops.convert_to_numpy(w) for w in gan.generator.weights]
        gan.train_on_batch(toy_batch(seed=step))
        # The weights before the step, which drew its images, and the batch statistics after it.
        used = [
            old if w.trainable else ops.convert_to_numpy(w)
            for old, w in zip(before, gan.generator.weights, strict=True)
        ]
        decay = min(0.5, step / (step + 10))
        expected = [w + decay * (a - w) for a, w in zip(expected, used, strict=True)]
    for average, value in zip(gan.averaged_generator.weights, expected, strict=True):
        assert ops.convert_to_numpy(average) == pytest.approx(value, abs=1e-6)


def test_without_warmup_the_average_has_its_full_decay_from_the_first_step():
    gan = build_gan(toy_config(ema_decay=0.9))
    gan.skip_ema_warmup()
    pairs = [
        (average, weight)
        for average, weight in zip(gan.averaged_generator.weights, gan.generator.weights, strict=True)
        if weight.trainable
    ]
    expected = []
    for average, weight in pairs:
        weight.assign(weight + 1.0)
        expected.append(ops.convert_to_numpy(0.9 * average + 0.1 * weight))
    gan.train_on_batch(toy_batch())
    for (average, _), value in zip(pairs, expected, strict=True):
        assert ops.convert_to_numpy(average) == pytest.approx(value, abs=1e-6)


def test_the_penalty_uses_the_same_dropout_at_both_of_its_points(monkeypatch):
    normal = keras.random.normal
    # Latents stay random. The noise that moves images is zero.
    monkeypatch.setattr(keras.random, "normal", lambda shape, **kw: normal(shape, **kw) * (len(shape) == 2))
    # With no distance between the points, their logits can differ only by dropout.
    plain, penalized = (
        build_gan(toy_config("transposed", r1_weight=penalty, r2_weight=penalty)) for penalty in (0.0, 1000.0)
    )
    logs = [gan.train_on_batch(toy_batch(), return_dict=True)["d_loss"] for gan in (plain, penalized)]
    assert float(logs[0]) == pytest.approx(float(logs[1]), rel=1e-6)


def test_a_penalty_at_every_third_step_has_three_times_its_weight_there_and_none_between():
    def d_loss(gan):
        return float(gan.train_on_batch(toy_batch(), return_dict=True)["d_loss"])

    def d_loss_of_one_step(r1_weight):
        gan = build_gan(toy_config(r1_weight=r1_weight, penalty_every_steps=1))
        gan.run_eagerly = True
        return d_loss(gan)

    without, every_step = d_loss_of_one_step(0.0), d_loss_of_one_step(1.0)
    assert every_step > without + 1e-3
    # Compiled once, so that the step contains both cases.
    gan = build_gan(toy_config(r1_weight=1.0, penalty_every_steps=3))
    start, losses_of_steps = gan.state(), []
    for steps_before in range(3):
        gan.load_state(start)
        gan.step.assign(steps_before)
        losses_of_steps.append(d_loss(gan))
    assert losses_of_steps[:2] == pytest.approx([without] * 2, rel=1e-5)
    assert losses_of_steps[2] - without == pytest.approx(3 * (every_step - without), rel=1e-4)


@pytest.mark.parametrize("count", [2, 3, 7, 8])
def test_the_minibatch_deviation_is_zero_for_repeated_images_in_a_batch_of_any_size(count):
    layer = build_gan(toy_config()).discriminator.get_layer("discriminator_variety")
    varied = np.random.default_rng(0).normal(size=(count, *layer.input.shape[1:])).astype("float32")
    deviation, deviation_of_repeated = (
        ops.convert_to_numpy(layer(images, training=True))[..., -1] for images in (varied, 0 * varied + varied[0])
    )
    assert deviation.shape == varied.shape[:3]
    assert deviation.min() > 0.3  # The inputs have a deviation of 1.
    assert deviation_of_repeated == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.full)])
def test_training_on_two_modes_does_not_collapse_in_200_steps(seed):
    """The modes are bright left halves and bright right halves. After 200 steps the generator draws both."""
    config = toy_config(
        conditional=False, base_channels=16, batch_size=32, r1_weight=0.2, learning_rate=1e-3, seed=seed
    )
    gan, random = build_gan(config), np.random.default_rng(seed)
    modes = np.zeros((2, 16, 16, 1), np.uint8)
    modes[0, :, :8] = modes[1, :, 8:] = 255
    for _ in range(200):
        gan.train_on_batch({"images": modes[random.integers(0, 2, 32)], "labels": np.zeros(32, np.int32)})
    latents = random.normal(size=(200, config.latent_dim)).astype("float32")
    fake = ops.convert_to_numpy(gan.averaged_generator(latents, training=False))
    distances = np.abs(fake[:, None] - (modes / 127.5 - 1)).mean(axis=(2, 3, 4))
    shares = np.bincount(distances.argmin(axis=1), minlength=2) / 200
    assert shares.min() >= 0.2
    assert np.median(distances.min(axis=1)) <= 0.35


def test_a_state_is_restored_bit_for_bit_and_that_of_another_architecture_is_refused():
    config = toy_config("transposed")
    gan = build_gan(config)
    gan.train_on_batch(toy_batch())
    state = gan.state()
    gan.train_on_batch(toy_batch(seed=1))
    after = gan.state()
    assert any("seed" in name for name in state)
    other = build_gan(dataclasses.replace(config, seed=9))
    other.load_state(state)
    other.train_on_batch(toy_batch(seed=1))
    assert all(np.array_equal(after[name], value) for name, value in other.state().items())
    with pytest.raises(InputError, match="does not match the architecture"):
        build_gan(toy_config("residual")).load_state(state)


def test_mixed_precision_computes_in_bfloat16_with_logits_and_images_in_float32():
    gan = build_gan(toy_config(mixed_precision=True))
    assert gan.discriminator.get_layer("discriminator_pixels").compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32", "the user's policy is restored"
    logs = gan.train_on_batch(toy_batch(), return_dict=True)
    assert np.isfinite(float(logs["d_loss"]))
    assert keras.backend.standardize_dtype(gan(toy_batch()).dtype) == "float32"
    assert {value.dtype for name, value in gan.state().items() if "kernel" in name} == {np.dtype("float32")}
    # The averaged generator, which draws and is saved, has full precision. Plain Keras reads its file the same way.
    assert {layer.compute_dtype for layer in gan.averaged_generator.layers} == {"float32"}


@pytest.mark.parametrize(
    "architecture",
    [pytest.param(name, marks=[] if name == "residual" else pytest.mark.full) for name in ARCHITECTURES],
)
def test_mixed_precision_works_with_every_other_setting(architecture):
    settings = {"augment": True, "r1_weight": 0.1, "r2_weight": 0.1, "classifier_weight": 0.1}
    gan = build_gan(
        toy_config(architecture, mixed_precision=True, center_images=architecture == "residual", **settings)
    )
    gan.augmentation.probability.assign(0.5)
    before = weights_of(gan)
    logs = gan.train_on_batch(toy_batch(), return_dict=True)
    assert np.isfinite([float(logs["d_loss"]), float(logs["g_loss"])]).all()
    assert not any(same(before, weights_of(gan)))


def test_a_backend_that_keras_does_not_run_on_is_refused():
    with pytest.raises(InputError, match="KERAS_BACKEND=jax"):
        build_gan(toy_config(backend="jax"))


def test_a_generator_width_factor_widens_only_the_generator():
    def parameters(**settings):
        config = toy_config(**settings)
        return [build(config).count_params() for build in (networks.build_generator, networks.build_discriminator)]

    wider = parameters(base_channels=16, generator_width_factor=1)
    assert parameters(base_channels=8, generator_width_factor=2) == [
        wider[0],
        parameters(base_channels=8, generator_width_factor=1)[1],
    ]


def test_the_shipped_preset_has_at_most_five_million_parameters():
    config = Config.from_preset("fashion", class_names=CLASS_NAMES)
    assert networks.build_generator(config).count_params() <= 5_000_000


@pytest.mark.parametrize("level", [-0.99, -0.5, 0.0, 0.5])
def test_a_gain_brightens_light_pixels_and_not_dark_ones(level):
    inputs = keras.Input((2, 2, 1))
    model = heads.build_model([inputs], heads.to_pixels(inputs, "model", gain=1.1), "model")
    drawn = ops.convert_to_numpy(model(np.full((1, 2, 2, 1), np.arctanh(level), "float32")))
    np.testing.assert_allclose(drawn, level if level <= 0 else 1.1 * level, atol=1e-6)


def test_a_gain_reaches_white_and_clips_there():
    inputs = keras.Input((1, 1, 1))
    model = heads.build_model([inputs], heads.to_pixels(inputs, "model", gain=1.1), "model")
    drawn = ops.convert_to_numpy(model(np.array([1.4, 1.6, 30.0, -30.0], "float32").reshape(4, 1, 1, 1))).ravel()
    assert drawn[0] < 1
    assert drawn[1:].tolist() == [1, 1, -1]


def test_an_augmented_gan_trains_both_networks_and_stores_its_probability_in_the_state():
    gan = build_gan(toy_config(augment=True))
    gan.augmentation.probability.assign(0.5)
    before = weights_of(gan)
    gan.train_on_batch(toy_batch())
    assert not any(same(before, weights_of(gan)))
    other = build_gan(toy_config(augment=True))
    other.load_state(gan.state())
    assert float(other.augmentation.probability.numpy()) == float(gan.augmentation.probability.numpy()) > 0
