"""Everything that version 0.1.0 has written still loads, and draws the same images."""

import hashlib
import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from processes import command

import fashion_gan
from fashion_gan import pretrained
from fashion_gan.config import RENAMED_SETTINGS, Config
from fashion_gan.datasets import CLASS_NAMES, load_training_images
from fashion_gan.generator import Generator
from fashion_gan.runs import Run
from fashion_gan.saving import export
from fashion_gan.saving.formats import FORMATS

# fixtures/0.1.0/make.py made these files, with version 0.1.0.
OLD = Path(__file__).parents[1] / "fixtures" / "0.1.0"
RUN, FILES = OLD / "run", OLD / "formats"
OLD_CONFIG = json.loads((RUN / "config.json").read_text())
SHIPPED_SHA256 = {
    "discriminator.npz": "8eb93ba3666b5fb0a468129c27e7f63b930549872a85422abad369b0a0d023df",
    "generator.h5": "10dbe7c3bbf62de8a9da202ff8cdd9251ef3a1421556d0f512e0c4e9078536eb",
    "generator.keras": "582b788cbe453685151ab2572a9fffd0b9137fcc22f9f0b829e80634d21a524b",
}
# Of all weights in generator.onnx, in their order. Its names and texts are newer.
ONNX_WEIGHTS_SHA256 = "700b941170b9e224c0fe33251397351a80e8b53823d825798ebddd5fab046810"


@pytest.fixture(scope="module")
def expected():
    """The images that version 0.1.0 drew, and its discriminator's probabilities."""
    with np.load(OLD / "expected.npz") as arrays:
        return dict(arrays)


@pytest.fixture
def old_run(tmp_path):
    return Run.open(shutil.copytree(RUN, tmp_path / "0001-fashion"))


def draw(generator):
    return generator.generate(20, seed=3, as_float=True)


def assert_same_images(images, expected):
    """Check that images in [-1, 1] differ only by rounding, which depends on the processor."""
    np.testing.assert_allclose(images, expected, atol=1e-4)


def test_an_old_onnx_file_draws_the_same_images(expected):
    assert_same_images(draw(fashion_gan.load_generator(FILES / "generator.onnx")), expected["onnx_file"])
    assert_same_images(draw(Generator.load(FILES / "generator.onnx")), expected["onnx_file"])


@pytest.mark.parametrize("path", [FILES / "generator.safetensors", RUN / "generator.keras", RUN / "generator.h5"])
def test_an_old_weights_file_draws_the_same_images(expected, path):
    assert_same_images(draw(fashion_gan.load_generator(path)), expected["averaged"])


@pytest.mark.parametrize("format", FORMATS)
def test_an_old_file_of_each_format_draws_the_same_images_in_its_own_runtime(expected, format):
    if missing := [name for name in FORMATS[format].packages["tensorflow"] if not export._is_installed(name)]:
        pytest.skip(f"{' and '.join(missing)} not installed")
    folder = RUN if format in ("keras", "h5") else FILES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow announces another package for LiteRT.
        predict = FORMATS[format].read(folder / f"generator{FORMATS[format].suffix}")
    assert_same_images(draw(Generator(predict, OLD_CONFIG["latent_dim"], CLASS_NAMES)), expected["averaged"])


@pytest.mark.parametrize("weights", ["averaged", "raw", "best"])
def test_an_old_run_draws_the_same_images(expected, weights):
    options = {} if weights == "averaged" else {weights: True}
    assert_same_images(draw(fashion_gan.load_generator(RUN, **options)), expected[weights])


def test_an_old_discriminator_gives_the_same_probabilities(expected):
    images = fashion_gan.load_generator(FILES / "generator.onnx").generate(20, seed=3)
    probabilities = fashion_gan.load_gan(RUN).probability_real(images, np.arange(20) % 10)
    np.testing.assert_allclose(probabilities, expected["realism"], atol=1e-4)


def test_the_shipped_model_draws_the_same_images(expected):
    drawn = Generator.from_pretrained("fashion").generate(20, seed=3).astype(int)
    assert np.abs(drawn - expected["shipped"]).max() <= 1


@pytest.mark.parametrize("name", SHIPPED_SHA256)
def test_the_shipped_weights_have_not_changed(name):
    content = (pretrained.folder("fashion") / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHIPPED_SHA256[name]


def test_the_weights_in_the_shipped_onnx_file_have_not_changed():
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    graph = onnx.load(pretrained.folder("fashion") / "generator.onnx").graph
    weights = b"".join(onnx.numpy_helper.to_array(values).tobytes() for values in graph.initializer)
    assert hashlib.sha256(weights).hexdigest() == ONNX_WEIGHTS_SHA256


@pytest.mark.parametrize("setting", OLD_CONFIG)
def test_every_setting_of_an_old_run_has_the_same_value_in_the_new_configuration(setting):
    value = getattr(Run.open(RUN).config, RENAMED_SETTINGS.get(setting, setting))
    assert value == (tuple(OLD_CONFIG[setting]) if setting == "class_names" else OLD_CONFIG[setting])


def test_no_old_setting_and_no_renamed_one_is_lost():
    assert OLD_CONFIG.keys() >= RENAMED_SETTINGS.keys()
    assert pretrained.config("fashion").r1_weight == 0.02
    text = json.dumps({**OLD_CONFIG, "start_from": "fashion"})
    assert Config.from_json(text, "a test").init_from == "fashion"


def test_an_old_run_resumes(old_run, fewer_scored_images):
    step, state = old_run.load_checkpoint()
    resumed = fashion_gan.resume(old_run.path, steps=step + 3)
    assert step == 120
    assert resumed.read_log()["step"][-1] == 123
    resumed_step, resumed_state = resumed.load_checkpoint()
    assert resumed_step == 123
    assert resumed_state.keys() == state.keys()
    assert [row["step"] for row in resumed.read_metrics()] == [110, 120, 123]


def test_the_checkpoint_of_a_resumed_old_run_is_complete(old_run):
    """Every array of the old checkpoint is restored: a state that is loaded and stored again is the same."""
    _, state = old_run.load_checkpoint()
    seconds = state.pop("seconds")
    gan = fashion_gan.load_gan(old_run.path)
    gan.load_state(state)
    assert float(seconds) > 0
    assert gan.state().keys() == state.keys()
    for name, value in gan.state().items():
        np.testing.assert_array_equal(value, state[name], err_msg=name)


def test_training_starts_from_an_old_run(tmp_path):
    networks = {"base_channels": 2, "generator_width_factor": 2, "latent_dim": 4, "conditional": True}
    run = fashion_gan.train("fashion", init_from=RUN, steps=1, batch_size=500, out=tmp_path, **networks)
    assert run.read_log()["step"][-1] == 1
    assert run.config.center_images
    assert run.config.discriminator_depth == 1


def test_training_reads_an_old_data_set():
    dataset = load_training_images(OLD / "dataset", 28, 1)
    assert dataset.images.shape == (20, 28, 28, 1)
    assert dataset.class_names == CLASS_NAMES
    assert np.bincount(dataset.labels).tolist() == [2] * 10


def test_a_new_data_set_has_the_images_of_the_old_one(tmp_path):
    done = command("dataset", "--model", RUN, "--per-class", "2", "--out", tmp_path / "dataset")
    assert done.returncode == 0, done.stderr
    new, old = (load_training_images(folder, 28, 1) for folder in (tmp_path / "dataset", OLD / "dataset"))
    assert np.abs(new.images.astype(int) - old.images).max() <= 1
    np.testing.assert_array_equal(new.labels, old.labels)


def test_compare_reads_an_old_evaluation():
    done = command("compare", OLD / "report", OLD / "report" / "metrics.json")
    assert done.returncode == 0, done.stderr
    assert "not distinguishable" in done.stdout


@pytest.mark.full
def test_an_evaluation_of_the_same_file_equals_the_old_one(tmp_path):
    old = json.loads((OLD / "report" / "metrics.json").read_text())
    done = command("evaluate", FILES / "generator.onnx", "--protocol", "classes10k", "--report", tmp_path / "report")
    assert done.returncode == 0, done.stderr
    new = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert new["fingerprint"] == old["fingerprint"]
    for name, metric in old["figures"].items():
        assert new["metrics"][name]["value"] == pytest.approx(metric["value"], abs=2e-3), name
