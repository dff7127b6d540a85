"""Augmentation: its probability, its changes to the pixels, and its gradients."""

import numpy as np
import pytest
from keras import ops
from toys import toy_config

from fashion_gan.config import AUGMENTATIONS
from fashion_gan.errors import InputError
from fashion_gan.training.augment import CHANGES, Augmentation

COLOR_CHANGES = ("brightness", "saturation", "contrast")


def augment(images, probability, seed=0, changes=AUGMENTATIONS):
    augmentation = Augmentation(seed, changes)
    augmentation.probability.assign(probability)
    return ops.convert_to_numpy(augmentation(images))


def noise(count=400, size=16, channels=1):
    return np.random.default_rng(0).uniform(-0.9, 0.9, (count, size, size, channels)).astype("float32")


def is_changed(before, after):
    """Return which images have changed, (N,)."""
    return (np.abs(after - before) > 1e-6).any(axis=(1, 2, 3))


def test_every_setting_is_a_change():
    assert sorted(CHANGES) == sorted(AUGMENTATIONS)


@pytest.mark.parametrize("change", AUGMENTATIONS)
def test_images_are_unchanged_at_probability_zero(change):
    images = noise(channels=4)
    np.testing.assert_allclose(augment(images, 0.0, changes=[change]), images, atol=1e-6)


@pytest.mark.parametrize("change", AUGMENTATIONS)
def test_each_change_can_be_used_alone_and_selects_images_with_the_probability(change):
    images = noise(channels=3)
    changed = is_changed(images, augment(images, 0.5, changes=[change]))
    expected = {"mirror": 0.25, "shift": 0.5 * 24 / 25}.get(change, 0.5)
    assert changed.mean() == pytest.approx(expected, abs=0.07)


def test_no_image_changes_without_a_change():
    images = noise(channels=3)
    np.testing.assert_array_equal(augment(images, 1.0, changes=()), images)


@pytest.mark.parametrize("probability", [0.3, 1.0])
def test_the_probability_is_the_fraction_of_images_with_a_cutout(probability):
    images = noise()
    gray = (augment(images, probability, changes=["cutout"]) == 0).mean(axis=(1, 2, 3))
    assert (gray > 0).mean() == pytest.approx(probability, abs=0.07)
    assert gray.max() <= 0.25 + 1e-6  # A square of half the image's size.


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_shifts_are_up_to_an_eighth_with_black_margins_and_half_of_the_images_are_mirrored(channels):
    images = noise(channels=channels)
    shifts, mirrored = set(), 0
    for before, after in zip(images, augment(images, 1.0, changes=("mirror", "shift")), strict=True):
        framed = {flip: np.pad(before[:, ::flip], ((2, 2), (2, 2), (0, 0)), constant_values=-1.0) for flip in (1, -1)}
        matches = [
            (2 - top, 2 - left, flip)
            for flip, frame in framed.items()
            for top in range(5)
            for left in range(5)
            if np.allclose(frame[top : top + 16, left : left + 16], after, atol=1e-6)
        ]
        assert len(matches) == 1
        shifts.add(matches[0][:2])
        mirrored += matches[0][2] == -1
    assert len(shifts) == 25
    assert mirrored / 400 == pytest.approx(0.5, abs=0.1)


def test_brightness_adds_one_number_to_all_pixels():
    images = noise(channels=3)
    added = augment(images, 1.0, changes=["brightness"]) - images
    numbers = added.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(added, np.broadcast_to(numbers[:, None, None, None], added.shape), atol=1e-6)
    assert -0.5 <= numbers.min() < -0.45
    assert 0.45 < numbers.max() <= 0.5


def test_saturation_scales_the_distance_to_gray_by_up_to_two():
    images = noise(channels=3)
    changed = augment(images, 1.0, changes=["saturation"])
    gray = images.mean(axis=3, keepdims=True)
    np.testing.assert_allclose(changed.mean(axis=3, keepdims=True), gray, atol=1e-6)
    factors = (changed - gray).std(axis=(1, 2, 3)) / (images - gray).std(axis=(1, 2, 3))
    np.testing.assert_allclose(changed - gray, factors[:, None, None, None] * (images - gray), atol=1e-5)
    assert factors.min() < 0.05
    assert 1.95 < factors.max() <= 2.0


@pytest.mark.parametrize("channels", [1, 3])
def test_contrast_scales_the_distance_to_the_mean_by_a_half_to_one_and_a_half(channels):
    images = noise(channels=channels)
    changed = augment(images, 1.0, changes=["contrast"])
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(changed.mean(axis=(1, 2, 3), keepdims=True), mean, atol=1e-6)
    factors = changed.std(axis=(1, 2, 3)) / images.std(axis=(1, 2, 3))
    np.testing.assert_allclose(changed - mean, factors[:, None, None, None] * (images - mean), atol=1e-5)
    assert 0.5 <= factors.min() < 0.55
    assert 1.45 < factors.max() <= 1.5


@pytest.mark.parametrize("change", COLOR_CHANGES)
def test_color_changes_leave_the_opacity_as_it_is(change):
    images = noise(channels=4)
    changed = augment(images, 1.0, changes=[change])
    np.testing.assert_array_equal(changed[..., 3], images[..., 3])
    np.testing.assert_allclose(changed[..., :3], augment(images[..., :3], 1.0, changes=[change]), atol=1e-6)


def test_shifts_and_cutouts_treat_the_opacity_as_a_color():
    images = np.repeat(noise(), 4, axis=3)
    changed = augment(images, 1.0, changes=("shift", "cutout"))
    np.testing.assert_array_equal(changed, np.repeat(changed[..., :1], 4, axis=3))
    assert (changed == -1.0).any()  # The border that a shift leaves is black and transparent.


@pytest.mark.parametrize("changes", [("mirror", "shift", "cutout"), COLOR_CHANGES])
def test_gradients_reach_the_pixels_that_stay_visible(changes):
    import tensorflow as tf

    images, augmentation = tf.constant(noise(8, channels=3)), Augmentation(0, changes)
    augmentation.probability.assign(1.0)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = ops.sum(ops.square(augmentation(images)))
    gradient = tape.gradient(total, images).numpy()
    assert 0.4 < (gradient != 0).mean() <= 1.0


def test_the_changes_of_earlier_versions_draw_the_same_random_numbers():
    """A run that version 0.1.0 or 0.2.0 started continues as it would have there."""
    changed = augment(noise(6), 0.7, seed=3, changes=("mirror", "shift", "cutout"))
    sums = changed.reshape(6, -1) @ np.linspace(0, 1, 256)
    assert sums == pytest.approx([-4.0407, -28.1918, -0.4558, -45.4498, -3.1398, -2.6306], abs=1e-3)  # of 0.2.0


def test_the_probability_rises_if_the_discriminator_recognizes_real_images_and_falls_otherwise():
    augmentation = Augmentation(0)
    for _ in range(3):
        augmentation.update_probability(np.ones((50, 1), "float32"))
    assert float(augmentation.probability.numpy()) == pytest.approx(150 / 100_000)
    half = np.concatenate([np.ones((25, 1)), -np.ones((25, 1))]).astype("float32")
    for _ in range(9):
        augmentation.update_probability(half)
    assert float(augmentation.probability.numpy()) == 0


def logits(mean):
    return np.full((50, 1), mean, "float32")


@pytest.mark.parametrize(
    ("training", "held_out", "generated", "rises"),
    [
        (1.0, 0.9, -1.0, False),  # r_v = 0.05
        (1.0, 0.1, -1.0, False),  # r_v = 0.45
        (1.0, -0.1, -1.0, True),  # r_v = 0.55
        (1.0, -2.0, -1.0, True),  # r_v = 1.5: held-out pictures look less real than generated ones
        (-3.0, -3.1, -5.0, False),  # Only differences count.
        (-1.0, -2.0, 1.0, False),  # The discriminator fails. It has not memorized anything.
    ],
)
def test_held_out_pictures_steer_the_probability(training, held_out, generated, rises):
    augmentation = Augmentation(0, uses_held_out=True)
    augmentation.probability.assign(0.5)
    augmentation.update_means(True, logits(training), logits(generated), lambda: logits(held_out))
    step = float(augmentation.probability.numpy()) - 0.5
    assert step == pytest.approx(50 / 100_000 if rises else -50 / 100_000, rel=1e-3)


def test_the_means_move_only_when_a_measurement_is_due():
    augmentation = Augmentation(0, uses_held_out=True)
    augmentation.update_means(True, logits(2.0), logits(-1.0), lambda: logits(1.0))
    augmentation.update_means(False, logits(7.0), logits(7.0), lambda: logits(7.0))
    means = [float(mean.numpy()) for mean in augmentation.means]
    assert means == pytest.approx([0.2, 0.1, -0.1])
    assert [variable.name for variable in Augmentation(0).weights] == ["probability"]  # As in earlier checkpoints.


def test_losses_whose_logits_have_no_zero_are_refused():
    with pytest.raises(InputError, match="augment=True cannot measure overfitting"):
        toy_config(augment=True, loss="relativistic")
