"""Shipped models: the recipe makes a whole folder, and what is in it draws, trains on, and is refused when damaged."""

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import TOY
from make_pretrained import FOR_ACCELERATORS, RECIPES, target
from PIL import Image

import fashion_gan
from fashion_gan import export, launch, pretrained
from fashion_gan.batches import steps_in_epoch
from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.gan import GAN
from fashion_gan.generator import Generator
from fashion_gan.latents import draw_latents
from fashion_gan.metrics import features
from fashion_gan.metrics.figures import MEANINGS, Figure
from fashion_gan.model_files import as_generator, model_of_run
from fashion_gan.runs import Run

LEARNT_IMAGES = 55_000  # 5,000 of the training images are held out
ROOT = Path(__file__).parent.parent
RECIPE = RECIPES["fashion"]
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
WITHOUT_KERAS = """
import sys
sys.modules["keras"] = sys.modules["tensorflow"] = None  # importing them fails
import fashion_gan
print(fashion_gan.Generator.{how}.generate(20, seed=4).sum())
"""


# The recipe's trainings take minutes on a slow machine, and whichever test comes first waits for them.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """What ``tools/make_pretrained.py`` makes in three steps a training: the last run's folder, and the model's."""
    folder = tmp_path_factory.mktemp("recipe")
    arguments = ["--steps", "3", "--protocol", "ffd10k_test", "--runs", folder / "runs", "--out", folder / "fashion"]
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "make_pretrained.py", *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "runs" / f"{len(RECIPE):04}-fashion", folder / "fashion"


@pytest.fixture
def shipped_by_recipe(recipe, monkeypatch):
    """As if the short recipe's model were what comes with the package."""
    run, folder = recipe
    monkeypatch.setattr(pretrained, "_FOLDER", folder.parent)
    return run, folder


def test_the_recipe_leaves_the_weights_in_every_format_with_card_and_figures(recipe):
    _, folder = recipe
    assert {path.name for path in folder.iterdir()} == FILES
    metrics, card = json.loads((folder / "metrics.json").read_text()), (folder / "README.md").read_text()
    figure = metrics["figures"]["ffd10k_test"]
    assert figure["floor"] < 1 < figure["value"]
    assert f"| {figure['value']:.3f} |" in card
    assert "not reached" in card  # Nothing is, in so few steps.
    images = [3 * Config.from_preset("fashion", **settings).batch_size for settings in RECIPE]
    assert f"{sum(images):,} images" in card
    trainings = json.loads((folder / "trainings.json").read_text())
    assert [training["images"] for training in trainings] == images
    assert [training["kept_after_images"] for training in trainings] == images
    with Image.open(folder / "samples.png") as sheet:
        assert min(sheet.size) >= 280
    assert str(folder.parent) not in "".join(path.read_text() for path in folder.glob("*.[jm][sd]*"))


def test_the_shipped_model_had_the_trainings_of_its_recipe():
    trainings = json.loads((pretrained.folder("fashion") / "trainings.json").read_text())
    for settings, found in zip(RECIPE, trainings, strict=True):
        asked = dataclasses.asdict(Config.from_preset("fashion", **settings))
        common = asked.keys() & found.keys() - {"backend"}  # Which one is the machine's affair.
        assert {
            "learning_rate",
            "discriminator_learning_rate",
            "cooldown",
            "loss",
            "penalty",
            "augment",
            "classification",
            "discriminator_depth",
        } <= common
        assert {name: found[name] for name in common} == {name: asked[name] for name in common}
        steps = asked["steps"] or asked["epochs"] * steps_in_epoch(LEARNT_IMAGES, asked["batch_size"])
        assert found["images"] == steps * asked["batch_size"]


@pytest.mark.parametrize(
    ("value", "over_seeds", "verdict"),
    [
        (0.648, None, "reached"),
        (0.648, 0.649, "reached"),
        (0.648, 0.654, "reached with seed 0 alone"),
        (0.651, 0.649, "not reached"),
    ],
)
def test_a_card_says_what_was_reached_by_chance(value, over_seeds, verdict):
    mean = over_seeds and {"value": over_seeds}
    row = target("two_sample10k_test", "at most", lambda floor: 0.65, Figure(value, floor=0.493), mean)
    assert row["verdict"] == verdict
    assert (row["asked"], row["mean"]) == ("at most 65.0%", f"{over_seeds:.1%}" if over_seeds else "")


def test_going_on_with_a_model_that_had_its_whole_recipe_is_refused(tmp_path):
    command = [sys.executable, ROOT / "tools" / "make_pretrained.py", "--go-on", "--steps", "1"]
    command += ["--runs", tmp_path, "--out", tmp_path]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 2
    assert "nothing to go on with" in done.stderr


def test_all_formats_of_a_shipped_model_draw_the_same(recipe):
    run, folder = recipe
    expected = fashion_gan.load_generator(run).generate(30, seed=5).astype(int)
    for suffix in ("onnx", "keras", "h5"):
        drawn = fashion_gan.load_generator(folder / f"generator.{suffix}").generate(30, seed=5)
        assert np.abs(drawn - expected).max() <= 1, suffix


def test_a_shipped_model_draws_where_no_training_framework_is(recipe):
    _, folder = recipe
    code = WITHOUT_KERAS.format(how=f"load({str(folder / 'generator.onnx')!r})")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == fashion_gan.load_generator(folder / "generator.onnx").generate(20, seed=4).sum()


def test_a_shipped_model_draws_as_its_last_run_and_judges_as_the_last_one_for_a_cpu(shipped_by_recipe):
    run, _ = shipped_by_recipe
    light = sum(settings.get("discriminator_depth", 0) < FOR_ACCELERATORS for settings in RECIPE)
    shipped, trained, judge = (
        GAN.from_pretrained("fashion"),
        fashion_gan.load_gan(run),
        fashion_gan.load_gan(run.parent / f"{light:04}-fashion"),
    )
    images, labels = fashion_gan.load_generator(run).generate(20), np.arange(20) % 10
    np.testing.assert_allclose(shipped.realism(images, labels), judge.realism(images, labels), atol=1e-6)
    ours = [getattr(shipped, name).get_weights() for name in ("generator", "averaged_generator")]
    for *values, expected in zip(*ours, trained.averaged_generator.variables, strict=True):
        for value in values:
            assert_same_weights(expected.path, value, expected)


def drawing_weights(path):
    """What a run's pictures are drawn with, by the names of the averaged generator's variables."""
    return {variable.path: np.array(variable) for variable in model_of_run(Run.open(path)).variables}


def assert_same_weights(name, value, expected):
    """Bit for bit; but batch statistics, which are worked out at each reading, to rounding."""
    tolerance = 1e-6 if "moving" in name else 0.0
    np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance, err_msg=name)


def first_weights(run):
    """The averaged generator in a run's first checkpoint, by the names of its variables."""
    with np.load(run.path / "checkpoints" / "step-000000000.npz") as state:
        found = {name.split("|")[1]: state[name] for name in state if "|averaged_generator" in name}
    assert len(found) > 10
    return found


def steps_averaged(run):
    with np.load(run.path / "checkpoints" / "step-000000000.npz") as state:
        return next(int(state[name]) for name in state if name.endswith("|gan/step"))


def test_training_starts_from_a_shipped_models_weights(shipped_by_recipe, tmp_path):
    run, _ = shipped_by_recipe
    tuned = fashion_gan.train("fashion", start_from="fashion", steps=1, out=tmp_path)
    trained = drawing_weights(run)
    for name, value in first_weights(tuned).items():
        assert_same_weights(name, value, trained[name])
    assert tuned.config.start_from == "fashion"
    assert steps_averaged(tuned) >= 10 * 0.9995 / 0.0005  # As many as it takes to the preset's whole memory.


def test_other_classes_start_from_everything_but_what_was_learnt_of_each_class(toy_run, toy_folder, tmp_path):
    third = tmp_path / "pictures" / "third"
    third.mkdir(parents=True)
    for side in ("left", "right"):
        (third.parent / side).symlink_to(toy_folder / side)
        Image.open(toy_folder / side / "00.png").save(third / f"{side}.png")
    tuned = fashion_gan.train(
        "fashion", data=third.parent, start_from=toy_run.path, steps=1, out=tmp_path / "runs", **TOY
    )
    trained, begun = drawing_weights(toy_run.path), first_weights(tuned)
    assert steps_averaged(tuned) == 0
    other = [name for name in begun if begun[name].shape != trained[name].shape]
    assert other
    assert all("embedding" in name for name in other)
    for name in begun.keys() - set(other):
        assert_same_weights(name, begun[name], trained[name])


def test_a_discriminator_that_is_to_name_classes_starts_from_one_that_did_not(toy_run, toy_folder, tmp_path):
    settings = {"data": toy_folder, "start_from": toy_run.path, "classification": 0.1, **TOY}
    tuned = fashion_gan.train("fashion", steps=1, out=tmp_path, **settings)
    trained, begun = (
        {name.split("|")[1]: value for name, value in np.load(path).items() if "|discriminator" in name}
        for path in (toy_run.checkpoints()[-1], tuned.path / "checkpoints" / "step-000000000.npz")
    )
    added = {name for name in begun.keys() - trained.keys() if "adam" not in name}
    assert added == {"discriminator_classes/kernel", "discriminator_classes/bias"}
    weights = [name for name in trained if "adam" not in name]
    assert len(weights) > 10
    for name in weights:
        np.testing.assert_array_equal(begun[name], trained[name], err_msg=name)


@pytest.fixture(scope="module")
def deep_run(toy_run, toy_folder, tmp_path_factory):
    """A step from the toy run's weights, its discriminator made deep."""
    settings = {"data": toy_folder, "start_from": toy_run.path, "discriminator_depth": 2, **TOY}
    return fashion_gan.train("fashion", steps=1, out=tmp_path_factory.mktemp("deep"), **settings)


def test_a_discriminator_made_deep_starts_as_the_one_that_was_trained(toy_run, deep_run, tmp_path):
    assert deep_run.config.discriminator_depth == 2
    begun = Run.open(shutil.copytree(deep_run.path, tmp_path / "begun"))
    begun.checkpoints()[-1].unlink()  # What is left is what it started from.
    images, labels = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 1), np.uint8), np.arange(20) % 2
    started, trained = (fashion_gan.load_gan(path).realism(images, labels) for path in (begun.path, toy_run.path))
    np.testing.assert_allclose(started, trained, atol=1e-6)
    names = [weight.path for weight in fashion_gan.load_gan(begun.path).discriminator.weights]
    assert {"half_conv_2", "half3_conv_2", "quarter2_conv_2", "full_out"} <= {
        name.split("/")[0].removeprefix("discriminator_") for name in names
    }


def test_a_start_goes_on_with_the_discriminator_that_was_trained_unless_a_deeper_one_is_asked_for(
    toy_run, deep_run, toy_folder
):
    def depth(source, **asked):
        config, _ = launch.plan("fashion", data=toy_folder, start_from=source, **asked, **TOY)
        return config.discriminator_depth

    assert depth(toy_run.path) == 0
    assert depth(toy_run.path, discriminator_depth=1) == 1
    assert depth(deep_run.path) == 2
    with pytest.raises(InputError, match="has discriminator_depth=2, which cannot become 1"):
        depth(deep_run.path, discriminator_depth=1)


def test_a_run_cut_off_before_its_first_checkpoint_starts_from_those_weights_again(toy_run, toy_folder, tmp_path):
    tuned = fashion_gan.train("fashion", data=toy_folder, start_from=toy_run.path, steps=1, out=tmp_path, **TOY)
    expected = first_weights(tuned)
    for checkpoint in tuned.checkpoints():
        checkpoint.unlink()
    fashion_gan.resume(tuned.path)
    found = first_weights(tuned)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_a_start_from_other_networks_is_refused_before_anything_is_written(toy_run, toy_folder, tmp_path):
    settings = {**TOY, "width": 8}
    with pytest.raises(InputError, match="has width=4, and 8 was asked for"):
        fashion_gan.train("fashion", data=toy_folder, start_from=toy_run.path, steps=1, out=tmp_path, **settings)
    with pytest.raises(InputError, match="is not a run's folder"):
        fashion_gan.train("fashion", data=toy_folder, start_from=tmp_path / "no", steps=1, out=tmp_path, **TOY)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"ONNX or so", "cut"])
def test_a_damaged_onnx_file_is_refused(recipe, tmp_path, content):
    whole = (recipe[1] / "generator.onnx").read_bytes()
    path = tmp_path / "generator.onnx"
    path.write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    with pytest.raises(InputError, match="cannot be read as ONNX"):
        fashion_gan.load_generator(path)


def test_an_onnx_file_that_is_no_generator_of_ours_is_refused():
    with pytest.raises(InputError, match="not a generator that fashion-gan wrote"):
        Generator.load(features.NETWORK)


def test_nothing_is_written_where_onnx_cannot_be_made(toy_run, tmp_path, monkeypatch):
    model = fashion_gan.load_gan(toy_run.path).averaged_generator
    path = tmp_path / "generator.onnx"
    with monkeypatch.context() as patched:
        patched.setattr(export, "_is_installed", lambda package: False)
        with pytest.raises(InputError, match="pip install onnx tf2onnx"):
            export.save(model, toy_run.config, "onnx", path)
    monkeypatch.setattr(export, "LARGEST_DIFFERENCE", -1.0)
    with pytest.raises(InputError, match="draws other images than its source"):
        export.save(model, toy_run.config, "onnx", path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("conditional", [True, False])
def test_an_onnx_file_draws_what_keras_draws(toy_run, tmp_path, conditional):
    from fashion_gan.networks import build_generator

    config = toy_run.config
    if not conditional:
        config = dataclasses.replace(config, conditional=False, class_names=())
    model, path = build_generator(config), tmp_path / "generator.onnx"
    difference = export.save(model, config, "onnx", path)
    assert difference < 1e-5
    ours = Generator.load(path)
    latents, labels = draw_latents(7, config.latent_dim, 3), ours.labels(7)
    expected = model(latents if labels is None else [latents, labels], training=False)
    np.testing.assert_allclose(ours.predict(latents if labels is None else [latents, labels]), expected, atol=1e-5)
    assert ours.class_names == config.class_names


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(InputError, match="model='fashon' is unknown"):
        Generator.from_pretrained("fashon")
    with pytest.raises(InputError, match="neither a shipped model"):
        launch.load_generator("fashon")


# ---- What is really shipped ----


@pytest.fixture(scope="module")
def shipped():
    return pretrained.folder("fashion")


def test_what_is_shipped_is_whole_small_and_as_its_card_says(shipped):
    assert {path.name for path in shipped.iterdir()} == FILES
    assert sum(path.stat().st_size for path in shipped.iterdir()) <= 25e6
    card = (shipped / "README.md").read_text()
    for name in FILES - {"README.md"}:
        assert f"| `{name}` |" in card
        assert hashlib.sha256((shipped / name).read_bytes()).hexdigest() in card, name
    values = json.loads((shipped / "metrics.json").read_text())
    for name, figure in values["figures"].items():
        assert f"(`{name}`) | {MEANINGS[name].show(figure['value'])} |" in card


def test_the_shipped_figures_are_of_the_shipped_weights_and_of_todays_evaluator(shipped):
    values = json.loads((shipped / "metrics.json").read_text())
    found, _ = fashion_gan.evaluate("fashion", protocols=["ffd10k_test"], seed=values["source"]["seeds"][0])
    assert found.fingerprint == values["fingerprint"]
    for name, figure in found.figures.items():
        assert figure.value == pytest.approx(values["figures"][name]["value"], rel=0.01, abs=1e-4), name


def test_the_shipped_generator_draws_where_no_training_framework_is():
    code = WITHOUT_KERAS.format(how="from_pretrained()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == fashion_gan.Generator.from_pretrained("fashion").generate(20, seed=4).sum()


def test_the_shipped_networks_train_on(shipped):
    gan = GAN.from_pretrained("fashion")
    labels = np.arange(1000) % 10
    drawn = Generator.load(shipped / "generator.onnx").generate(1000, seed=2)
    ours = as_generator(gan.averaged_generator, pretrained.config("fashion")).generate(1000, seed=2)
    assert np.abs(ours.astype(int) - drawn).max() <= 1
    test = fashion_gan.load_fashion_mnist("test")
    real, fake = gan.realism(test.images[:1000], test.labels[:1000]), gan.realism(drawn, labels)
    assert real.mean() > fake.mean() + 0.05  # 0.64 and 0.28; weights that were mixed up would know no difference
