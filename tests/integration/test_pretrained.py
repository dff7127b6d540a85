"""Shipped models: the recipe makes a complete folder. Its files draw, train further, and are refused if damaged."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from make_pretrained import ACCELERATOR_DEPTH, RECIPES, main, target_row
from PIL import Image
from toys import TOY, score_fewer_images

import fashion_gan
from fashion_gan import cli, pretrained
from fashion_gan.api import train as api_train
from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.latents import draw_latents
from fashion_gan.metrics import features
from fashion_gan.metrics.metric_info import METRICS, MetricValue, read_metric_values
from fashion_gan.runs import Run
from fashion_gan.saving import export
from fashion_gan.saving.model_files import as_generator
from fashion_gan.training.batches import steps_in_epoch

TRAINED_IMAGES = 55_000  # 5,000 of the 60,000 training images are held out.
RECIPE = RECIPES["fashion"]
SMALL = {"base_channels": 2, "latent_dim": 8, "batch_size": 8}
EDITING = {"EDITING.md", "directions.json", "encoder.onnx"}  # tools/make_editing.py makes them.
FILES = {
    "README.md",
    "config.json",
    "discriminator.npz",
    "generator.h5",
    "generator.keras",
    "generator.onnx",
    "metrics.json",
    "samples.png",
    "trainings.json",
}


@pytest.fixture(scope="module")
def recipe_settings(full):
    """The settings of the recipe's trainings, with toy networks. `make test` has the last two trainings."""
    return tuple({**settings, **SMALL} for settings in (RECIPE if full else RECIPE[-2:]))


@pytest.fixture(scope="module")
def recipe(made_once, recipe_settings):
    """``tools/make_pretrained.py`` with three steps a training: the last run's folder, and the model's.

    The trainings are scored by 500 images instead of 5,000, and the model by 1,000 instead of 10,000.
    """

    def make(folder):
        arguments = ["--steps", 3, "--protocol", "ffd10k_test", "--runs", folder / "runs", "--out", folder / "fashion"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(RECIPES, "fashion", recipe_settings)
            score_fewer_images(patch)
            assert make_pretrained_model(*arguments) == 0

    folder = made_once("recipe", make)
    return folder / "runs" / f"{len(recipe_settings):04}-fashion", folder / "fashion"


def make_pretrained_model(*arguments) -> int:
    return cli.run(main, "make_pretrained.py", list(map(str, arguments)))


@pytest.fixture
def shipped_by_recipe(recipe, monkeypatch):
    """The short recipe's run and model, with this model in place of the one in the package."""
    run, folder = recipe
    monkeypatch.setattr(pretrained, "_FOLDER", folder.parent)
    return run, folder


def test_the_recipe_writes_every_format_a_card_and_metrics(recipe, recipe_settings):
    _, folder = recipe
    assert {path.name for path in folder.iterdir()} == FILES
    metrics, card = json.loads((folder / "metrics.json").read_text()), (folder / "README.md").read_text()
    metric = metrics["metrics"]["ffd10k_test"]
    assert metric["real_baseline"] < 1 < metric["value"]
    assert f"| {metric['value']:.3f} |" in card
    assert "not reached" in card  # Three steps reach no goal.
    images = [3 * Config.from_preset("fashion", **settings).batch_size for settings in recipe_settings]
    assert f"{sum(images):,} images" in card
    trainings = json.loads((folder / "trainings.json").read_text())
    assert [training["images"] for training in trainings] == images
    assert [training["kept_after_images"] for training in trainings] == images
    with Image.open(folder / "samples.png") as sheet:
        assert min(sheet.size) >= 280
    assert str(folder.parent) not in "".join(path.read_text() for path in folder.glob("*.[jm][sd]*"))


def test_the_card_can_be_written_without_training(recipe, tmp_path):
    folder = Path(shutil.copytree(recipe[1], tmp_path / "fashion"))
    (folder / "README.md").unlink()
    assert make_pretrained_model("--card-only", "--out", folder) == 0
    assert (folder / "README.md").read_text() == (recipe[1] / "README.md").read_text()


def test_the_shipped_model_had_the_trainings_of_its_recipe():
    trainings = json.loads((pretrained.folder("fashion") / "trainings.json").read_text())
    for settings, training in zip(RECIPE, trainings, strict=True):
        config = dataclasses.asdict(Config.from_preset("fashion", **settings))
        common = config.keys() & training.keys() - {"backend"}  # The backend depends on the machine.
        assert {
            "learning_rate",
            "discriminator_learning_rate",
            "decay_fraction",
            "loss",
            "r1_weight",
            "augment",
            "classifier_weight",
            "discriminator_depth",
        } <= common
        assert {name: training[name] for name in common} == {name: config[name] for name in common}
        steps = config["steps"] or config["epochs"] * steps_in_epoch(TRAINED_IMAGES, config["batch_size"])
        assert training["images"] == steps * config["batch_size"]


@pytest.mark.parametrize(
    ("value", "over_seeds", "verdict"),
    [
        (0.648, None, "reached"),
        (0.648, 0.649, "reached"),
        (0.648, 0.654, "reached with seed 0 only"),
        (0.651, 0.649, "not reached"),
    ],
)
def test_a_card_marks_goals_reached_by_chance(value, over_seeds, verdict):
    metric, mean = MetricValue(value, real_baseline=0.493), over_seeds and MetricValue(over_seeds)
    row = target_row("two_sample10k_test", "at most", lambda baseline: 0.65, metric, mean)
    assert row["verdict"] == verdict
    assert (row["goal"], row["mean"]) == ("at most 65.0%", f"{over_seeds:.1%}" if over_seeds else "")


def test_a_model_that_had_its_whole_recipe_is_refused_for_more_trainings(capsys, tmp_path):
    assert make_pretrained_model("--from-shipped", "--steps", 1, "--runs", tmp_path, "--out", tmp_path) == 2
    assert "no training is left" in capsys.readouterr().err


def test_all_formats_of_a_shipped_model_draw_the_same_images(recipe):
    run, folder = recipe
    expected = fashion_gan.load_generator(run).generate(30, seed=5).astype(int)
    for suffix in ("onnx", "keras", "h5"):
        images = fashion_gan.load_generator(folder / f"generator.{suffix}").generate(30, seed=5)
        assert np.abs(images - expected).max() <= 1, suffix


def test_a_shipped_model_has_the_last_generator_and_the_last_discriminator_for_a_cpu(
    shipped_by_recipe, recipe_settings
):
    run, _ = shipped_by_recipe
    light = sum(settings.get("discriminator_depth", 0) < ACCELERATOR_DEPTH for settings in recipe_settings)
    shipped, last = fashion_gan.load_gan("fashion"), fashion_gan.load_gan(run)
    last_light = fashion_gan.load_gan(run.parent / f"{light:04}-fashion")
    images, labels = fashion_gan.load_generator(run).generate(20), np.arange(20) % 10
    probabilities = shipped.probability_real(images, labels)
    np.testing.assert_allclose(probabilities, last_light.probability_real(images, labels), atol=1e-6)
    weights = [getattr(shipped, name).get_weights() for name in ("generator", "averaged_generator")]
    for *values, expected in zip(*weights, last.averaged_generator.variables, strict=True):
        for value in values:
            assert_same_weights(expected.path, value, expected)


def drawing_weights(path):
    """The weights that draw a run's pictures, by the names of the averaged generator's variables."""
    return {variable.path: np.array(variable) for variable in Run.open(path).load_generator_model().variables}


def assert_same_weights(name, value, expected):
    """Compare bit for bit. Batch statistics are computed at each load, so they may differ by rounding."""
    tolerance = 1e-6 if "moving" in name else 0.0
    np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance, err_msg=name)


def first_weights(run):
    """The averaged generator's weights in a run's first checkpoint, by the names of its variables."""
    with np.load(run.checkpoint_path(0)) as state:
        weights = {name.split("|")[1]: state[name] for name in state if "|averaged_generator" in name}
    assert len(weights) > 10
    return weights


def steps_averaged(run):
    """The step count in a run's first checkpoint, which the EMA warm-up depends on."""
    with np.load(run.checkpoint_path(0)) as state:
        return next(int(state[name]) for name in state if name.endswith("|gan/step"))


def test_training_starts_from_a_shipped_models_weights(shipped_by_recipe, tmp_path):
    run, _ = shipped_by_recipe
    tuned = fashion_gan.train("fashion", init_from="fashion", steps=1, out=tmp_path, **SMALL)
    trained = drawing_weights(run)
    for name, value in first_weights(tuned).items():
        assert_same_weights(name, value, trained[name])
    assert tuned.config.init_from == "fashion"
    assert steps_averaged(tuned) >= 10 * 0.9995 / 0.0005  # The EMA warm-up is over: the decay is the preset's.


def test_a_start_takes_the_weights_of_each_class_by_its_name(toy_run, toy_folder, tmp_path, capsys):
    for side, name in (("right", "a new class"), ("left", "b"), ("right", "RIGHT"), ("left", "left")):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        (tmp_path / "pictures" / name).symlink_to(toy_folder / side)
    settings = {"init_from": toy_run.path, "data": tmp_path / "pictures", "classifier_weight": 0.1, **TOY}
    first = fashion_gan.train("fashion", steps=1, out=tmp_path, **settings)
    assert first.config.class_names == ("RIGHT", "a new class", "b", "left")
    line = f"2 of 4 classes are known to {toy_run.path}; new: a new class, b"
    assert line in capsys.readouterr().out
    # Then from that run, whose discriminator has a classifier, with other classes in between.
    (tmp_path / "pictures" / "b").unlink()
    (tmp_path / "pictures" / "c").symlink_to(toy_folder / "left")
    second = fashion_gan.train("fashion", steps=1, out=tmp_path, **{**settings, "init_from": first.path, "seed": 1})
    for source, new, matches in ((toy_run, first, {0: 1, 3: 0}), (first, second, {0: 0, 1: 1, 3: 3})):
        trained, initial = all_weights(source.checkpoint_paths()[-1]), all_weights(new.checkpoint_path(0))
        pairs = {"averaged_generator_embedding/kernel": 0, "discriminator_embedding/kernel": 0}
        if source is first:
            pairs |= {"discriminator_classes/kernel": 1, "discriminator_classes/bias": 0}
        for name, axis in pairs.items():
            for number, match in matches.items():
                known, copied = trained[name].take(match, axis), initial[name].take(number, axis)
                np.testing.assert_array_equal(copied, known, err_msg=name)
            assert not np.isin(initial[name].take(2, axis), trained[name]).any() or "bias" in name


def all_weights(checkpoint):
    """The weights of both networks in a checkpoint, by the names of their variables."""
    with np.load(checkpoint) as state:
        return {name.split("|")[1]: state[name] for name in state if "|" in name and "adam" not in name}


def test_a_start_with_the_same_classes_in_another_order_is_a_start_with_the_same_classes(
    toy_run, toy_folder, tmp_path, capsys
):
    for side in ("left", "right"):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        (tmp_path / "pictures" / (side if side == "left" else "RIGHT")).symlink_to(toy_folder / side)
    settings = {"init_from": toy_run.path, "data": tmp_path / "pictures", **TOY}
    tuned = fashion_gan.train("fashion", steps=1, out=tmp_path, **settings)
    assert tuned.config.class_names == ("RIGHT", "left")
    assert steps_averaged(tuned) > 0  # The average goes on without a warm-up.
    assert "classes are known" not in capsys.readouterr().out
    name = "averaged_generator_embedding/kernel"
    trained, initial = all_weights(toy_run.checkpoint_paths()[-1])[name], all_weights(tuned.checkpoint_path(0))[name]
    np.testing.assert_array_equal(initial, trained[::-1])


def test_a_start_whose_classes_cannot_be_matched_is_refused(toy_run, toy_folder, tmp_path):
    for name in ("RIGHT", "Right"):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        (tmp_path / "pictures" / name).symlink_to(toy_folder / "right")
    with pytest.raises(InputError, match="'RIGHT', 'Right', 'right' cannot be matched"):
        fashion_gan.train(
            "fashion", init_from=toy_run.path, data=tmp_path / "pictures", steps=1, out=tmp_path / "runs", **TOY
        )
    assert not (tmp_path / "runs").exists()


def test_a_start_with_other_classes_takes_all_weights_except_those_of_classes(toy_run, toy_folder, tmp_path):
    third = tmp_path / "pictures" / "third"
    third.mkdir(parents=True)
    for side in ("left", "right"):
        (third.parent / side).symlink_to(toy_folder / side)
        Image.open(toy_folder / side / "00.png").save(third / f"{side}.png")
    tuned = fashion_gan.train(
        "fashion", data=third.parent, init_from=toy_run.path, steps=1, out=tmp_path / "runs", **TOY
    )
    trained, initial = drawing_weights(toy_run.path), first_weights(tuned)
    assert steps_averaged(tuned) == 0
    of_classes = [name for name in initial if initial[name].shape != trained[name].shape]
    assert of_classes
    assert all("embedding" in name for name in of_classes)
    for name in initial.keys() - set(of_classes):
        assert_same_weights(name, initial[name], trained[name])


def test_a_discriminator_with_a_classifier_starts_from_one_without(toy_run, toy_folder, tmp_path):
    settings = {"data": toy_folder, "init_from": toy_run.path, "classifier_weight": 0.1, **TOY}
    tuned = fashion_gan.train("fashion", steps=1, out=tmp_path, **settings)
    trained, initial = (
        {name.split("|")[1]: value for name, value in np.load(path).items() if "|discriminator" in name}
        for path in (toy_run.checkpoint_paths()[-1], tuned.checkpoint_path(0))
    )
    added = {name for name in initial.keys() - trained.keys() if "adam" not in name}
    assert added == {"discriminator_classes/kernel", "discriminator_classes/bias"}
    weights = [name for name in trained if "adam" not in name]
    assert len(weights) > 10
    for name in weights:
        np.testing.assert_array_equal(initial[name], trained[name], err_msg=name)


@pytest.fixture(scope="module")
def deep_run(toy_run, toy_folder, tmp_path_factory):
    """A run of one step from the toy run's weights, with a deeper discriminator."""
    settings = {"data": toy_folder, "init_from": toy_run.path, "discriminator_depth": 2, **TOY}
    return fashion_gan.train("fashion", steps=1, out=tmp_path_factory.mktemp("deep"), **settings)


def test_a_deeper_discriminator_starts_with_the_outputs_of_the_trained_one(toy_run, deep_run, tmp_path):
    assert deep_run.config.discriminator_depth == 2
    initial = Run.open(shutil.copytree(deep_run.path, tmp_path / "initial"))
    initial.checkpoint_paths()[-1].unlink()  # Only the checkpoint before the first step remains.
    images, labels = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 1), np.uint8), np.arange(20) % 2
    started, trained = (
        fashion_gan.load_gan(path).probability_real(images, labels) for path in (initial.path, toy_run.path)
    )
    np.testing.assert_allclose(started, trained, atol=1e-6)
    names = [weight.path for weight in fashion_gan.load_gan(initial.path).discriminator.weights]
    assert {"half_conv_2", "half3_conv_2", "quarter2_conv_2", "full_out"} <= {
        name.split("/")[0].removeprefix("discriminator_") for name in names
    }


def test_a_start_keeps_the_depth_of_the_trained_discriminator_unless_a_deeper_one_is_requested(
    toy_run, deep_run, toy_folder
):
    def depth(source, **settings):
        config, _ = api_train.plan("fashion", data=toy_folder, init_from=source, **settings, **TOY)
        return config.discriminator_depth

    assert depth(toy_run.path) == 0
    assert depth(toy_run.path, discriminator_depth=1) == 1
    assert depth(deep_run.path) == 2
    with pytest.raises(InputError, match="has discriminator_depth=2, which cannot become 1"):
        depth(deep_run.path, discriminator_depth=1)


@pytest.mark.full
def test_a_run_interrupted_before_its_first_checkpoint_starts_from_the_same_weights(toy_run, toy_folder, tmp_path):
    tuned = fashion_gan.train("fashion", data=toy_folder, init_from=toy_run.path, steps=1, out=tmp_path, **TOY)
    expected = first_weights(tuned)
    for checkpoint in tuned.checkpoint_paths():
        checkpoint.unlink()
    fashion_gan.resume(tuned.path)
    weights = first_weights(tuned)
    for name, value in expected.items():
        np.testing.assert_array_equal(weights[name], value, err_msg=name)


def test_a_start_from_other_networks_is_refused_before_anything_is_written(toy_run, toy_folder, tmp_path):
    settings = {**TOY, "base_channels": 8}
    with pytest.raises(InputError, match="has base_channels=4, but 8 was requested"):
        fashion_gan.train("fashion", data=toy_folder, init_from=toy_run.path, steps=1, out=tmp_path, **settings)
    with pytest.raises(InputError, match="is not a run's folder"):
        fashion_gan.train("fashion", data=toy_folder, init_from=tmp_path / "no", steps=1, out=tmp_path, **TOY)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"ONNX or so", "cut"])
def test_a_damaged_onnx_file_is_refused(recipe, tmp_path, content):
    intact = (recipe[1] / "generator.onnx").read_bytes()
    path = tmp_path / "generator.onnx"
    path.write_bytes(intact[: len(intact) // 2] if content == "cut" else content)
    with pytest.raises(InputError, match="cannot be read as ONNX"):
        fashion_gan.load_generator(path)


def test_an_onnx_file_of_another_program_is_refused():
    with pytest.raises(InputError, match="not a generator that fashion-gan wrote"):
        Generator.load(features.NETWORK)


def test_a_failed_onnx_export_writes_nothing(toy_run, tmp_path, monkeypatch):
    model = fashion_gan.load_gan(toy_run.path).averaged_generator
    path = tmp_path / "generator.onnx"
    with monkeypatch.context() as patched:
        patched.setattr(export, "_is_installed", lambda package: False)
        with pytest.raises(InputError, match="pip install onnx tf2onnx"):
            export.save(model, toy_run.config, "onnx", path)
    monkeypatch.setattr(export, "MAX_DIFFERENCE", -1.0)
    with pytest.raises(InputError, match="draws different images from its source"):
        export.save(model, toy_run.config, "onnx", path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("conditional", [True, False])
def test_an_onnx_file_draws_the_same_images_as_keras(toy_run, tmp_path, conditional):
    from fashion_gan.networks import build_generator

    config = toy_run.config
    if not conditional:
        config = dataclasses.replace(config, conditional=False, class_names=())
    model, path = build_generator(config), tmp_path / "generator.onnx"
    difference = export.save(model, config, "onnx", path)
    assert difference < 1e-5
    generator = Generator.load(path)
    latents, labels = draw_latents(7, config.latent_dim, 3), generator.labels(7)
    inputs = latents if labels is None else [latents, labels]
    np.testing.assert_allclose(generator.predict(inputs), model(inputs, training=False), atol=1e-5)
    assert generator.class_names == config.class_names


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="model='fashon' is unknown"):
        Generator.from_pretrained("fashon")
    with pytest.raises(InputError, match="fashon is not a shipped model"):
        fashion_gan.load_generator("fashon")


# ---- The model in the package ----


@pytest.fixture(scope="module")
def shipped():
    return pretrained.folder("fashion")


def test_the_shipped_folder_is_complete_small_and_as_its_card_says(shipped):
    assert {path.name for path in shipped.iterdir()} == FILES | EDITING
    assert sum(path.stat().st_size for path in shipped.iterdir()) <= 25e6
    card = (shipped / "README.md").read_text()
    for name in FILES - {"README.md"}:
        assert f"| `{name}` |" in card
        assert hashlib.sha256((shipped / name).read_bytes()).hexdigest() in card, name
    metrics = read_metric_values(json.loads((shipped / "metrics.json").read_text()))
    assert metrics
    for name, metric in metrics.items():
        assert f"(`{name}`) | {METRICS[name].show(metric.value)} |" in card


def test_the_files_of_editing_are_small_and_as_their_card_says(shipped):
    card = (shipped / "EDITING.md").read_text()
    assert (shipped / "encoder.onnx").stat().st_size <= 3e6
    for name in EDITING - {"EDITING.md"}:
        assert hashlib.sha256((shipped / name).read_bytes()).hexdigest() in card, name
    for direction in fashion_gan.load_generator("fashion").directions:
        assert f"| {direction.name} |" in card


@pytest.mark.full
def test_todays_evaluator_gives_the_shipped_metrics_for_the_shipped_weights(shipped):
    values = json.loads((shipped / "metrics.json").read_text())
    evaluation = fashion_gan.evaluate("fashion", protocols=["ffd10k_test"], seed=values["source"]["seeds"][0])
    assert evaluation.fingerprint == values["fingerprint"]
    metrics = read_metric_values(values)
    for name, metric in evaluation.metrics.items():
        assert metric.value == pytest.approx(metrics[name].value, rel=0.01, abs=1e-4), name


def test_the_shipped_networks_match_and_separate_real_images_from_generated_ones(shipped):
    gan = fashion_gan.load_gan("fashion")
    labels = np.arange(1000) % 10
    images = Generator.load(shipped / "generator.onnx").generate(1000, seed=2)
    from_keras = as_generator(gan.averaged_generator, pretrained.config("fashion")).generate(1000, seed=2)
    assert np.abs(from_keras.astype(int) - images).max() <= 1
    test = fashion_gan.load_fashion_mnist("test")
    real = gan.probability_real(test.images[:1000], test.labels[:1000])
    fake = gan.probability_real(images, labels)
    assert real.mean() > fake.mean() + 0.05  # 0.64 and 0.28. Weights in the wrong layers give no difference.
