"""Exports draw the same images in their own runtime, are written atomically, and leave nothing after a failure."""

import dataclasses
import json

import keras
import numpy as np
import onnxruntime
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import fashion_gan
from fashion_gan.cli import main
from fashion_gan.errors import InputError
from fashion_gan.latents import draw_latents
from fashion_gan.networks import build_generator
from fashion_gan.saving import export
from fashion_gan.saving.formats import FORMATS
from fashion_gan.saving.model_files import load_model
from fashion_gan.system.telemetry import import_openvino

pytestmark = pytest.mark.filterwarnings(
    # TensorFlow's LiteRT interpreter is to move to another package, which would add 60 MB.
    "ignore:.*tf.lite.Interpreter is deprecated:UserWarning"
)


def skip_if_packages_are_missing(format_name):
    if missing := export.missing_packages(format_name, "tensorflow"):
        pytest.skip(f"{' and '.join(missing)} not installed")


@pytest.fixture(params=list(FORMATS))
def format_name(request):
    skip_if_packages_are_missing(request.param)
    return request.param


@pytest.fixture
def out(tmp_path, format_name):
    return tmp_path / f"toy{FORMATS[format_name].suffix}"


@pytest.mark.parametrize("conditional", [True, pytest.param(False, marks=pytest.mark.full)])
def test_each_format_draws_the_images_of_its_source_for_any_number_of_latents(toy_run, format_name, out, conditional):
    config = toy_run.config
    if not conditional:
        config = dataclasses.replace(config, conditional=False, class_names=())
    model = build_generator(config)
    assert export.save(model, config, format_name, out) < 1e-4
    predict = FORMATS[format_name].read(out)
    for count in (1, 3):
        latents, labels = draw_latents(count, config.latent_dim, 3), np.arange(count, dtype=np.int32) % 2
        inputs = [latents, labels] if conditional else latents
        images = np.asarray(predict(inputs))
        assert images.shape == (count, 16, 16, 1)
        np.testing.assert_allclose(images, model(inputs, training=False), atol=1e-4)


def onnx_texts(path):
    session = onnxruntime.InferenceSession(path)
    assert [value.name for value in session.get_outputs()] == ["images"]
    assert [value.shape[0] for value in (*session.get_inputs(), *session.get_outputs())] == ["batch"] * 3
    return session.get_modelmeta().custom_metadata_map


def openvino_texts(path):
    model = import_openvino().Core().read_model(path / "generator.xml")
    assert [sorted(value.names) for value in model.outputs] == [["images"]]
    return {name: model.get_rt_info(["values", name]).astype(str) for name in ("latents", "labels", "images")}


def safetensors_texts(path):
    with safe_open(path, framework="numpy") as file:
        return file.metadata()


@pytest.mark.parametrize(
    ("format_name", "read"), [("onnx", onnx_texts), ("openvino", openvino_texts), ("safetensors", safetensors_texts)]
)
def test_a_file_says_what_goes_in_and_what_comes_out(toy_run, tmp_path, format_name, read):
    skip_if_packages_are_missing(format_name)
    path = tmp_path / f"toy{FORMATS[format_name].suffix}"
    fashion_gan.export_generator(toy_run.path, format_name, path)
    texts = read(path)
    assert "standard normal" in texts["latents"]
    assert "the class of each image: 0 " in texts["labels"]
    assert "from -1 (black) to 1 (white)" in texts["images"]


@pytest.mark.parametrize("format_name", ["h5", "saved_model"])  # a file, a folder
def test_an_export_that_draws_other_images_is_refused_and_keeps_the_old_file(
    toy_run, tmp_path, monkeypatch, format_name
):
    model, config = load_model(toy_run.path / "generator.keras")
    out = tmp_path / f"toy{FORMATS[format_name].suffix}"
    export.save(model, config, format_name, out)
    before = contents(tmp_path)
    wrong = dataclasses.replace(FORMATS[format_name], read=lambda path: lambda inputs: np.ones((20, 16, 16, 1)))
    monkeypatch.setitem(FORMATS, format_name, wrong)
    with pytest.raises(InputError, match=f"the exported {format_name} draws different images"):
        export.save(model, config, format_name, out)
    assert contents(tmp_path) == before


def contents(folder):
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "format_name",
    [pytest.param(name, marks=[] if name in ("h5", "saved_model") else pytest.mark.full) for name in FORMATS],
    indirect=True,
)
def test_an_export_that_fails_leaves_nothing(toy_run, tmp_path, monkeypatch, format_name, out):
    def fail(model, config, path):
        (path / "half" if path.is_dir() else path).write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(FORMATS, format_name, dataclasses.replace(FORMATS[format_name], write=fail))
    assert main(["export", str(toy_run.path), "--format", format_name, "--out", str(out)]) == 2
    assert not list(tmp_path.iterdir())


def test_a_network_that_onnx_cannot_express_is_refused_in_one_line(toy_run, tmp_path, caplog):
    model = keras.Sequential([keras.Input((8,), name="latents"), keras.layers.Dense(9, activation="gelu")])
    config = dataclasses.replace(toy_run.config, conditional=False, class_names=())
    with pytest.raises(InputError, match="cannot be written as onnx, which has no operator Erfc"):
        export.save(model, config, "onnx", tmp_path / "toy.onnx")
    assert not caplog.records
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("format_name", "words"),
    [
        ("onnx", "pip install onnx tf2onnx"),
        ("openvino", "pip install openvino"),
        ("html", "pip install onnx mini-racer"),
        ("safetensors", "pip install safetensors"),
    ],
)
def test_an_error_names_missing_packages_and_how_to_install_them(toy_run, tmp_path, monkeypatch, format_name, words):
    monkeypatch.setattr(export, "_is_installed", lambda package: False)
    model, config = load_model(toy_run.path / "generator.keras")
    with pytest.raises(InputError, match=words):
        export.save(model, config, format_name, tmp_path / f"toy{FORMATS[format_name].suffix}")
    assert not list(tmp_path.iterdir())


def test_a_format_that_needs_another_backend_is_refused_with_the_backends_name(toy_run, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "default_backend", lambda: "jax")
    model, config = load_model(toy_run.path / "generator.keras")
    with pytest.raises(InputError, match="set KERAS_BACKEND=tensorflow"):
        export.save(model, config, "litert", tmp_path / "toy.tflite")


# ---- The command ----


@pytest.mark.parametrize(
    ("source", "name"), [("fashion", "fashion.h5"), ("{run}", "{name}.h5"), ("{run}/generator.keras", "generator.h5")]
)
def test_an_export_is_named_after_its_source(toy_run, tmp_path, monkeypatch, source, name):
    monkeypatch.chdir(tmp_path)
    assert main(["export", source.format(run=toy_run.path), "--format", "h5"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [name.format(name=toy_run.path.name)]


def test_raw_weights_can_be_exported(toy_run, tmp_path):
    for flags, name in (([], "averaged.h5"), (["--raw"], "raw.h5")):
        assert main(["export", str(toy_run.path), "--format", "h5", "--out", str(tmp_path / name), *flags]) == 0
    averaged, raw = (fashion_gan.load_generator(tmp_path / name).generate(4) for name in ("averaged.h5", "raw.h5"))
    assert np.array_equal(raw, fashion_gan.load_generator(toy_run.path, raw=True).generate(4))
    assert not np.array_equal(raw, averaged)


def test_an_export_does_not_contain_the_path_of_the_training_data(toy_run, tmp_path):
    fashion_gan.export_generator(toy_run.path, "safetensors", tmp_path / "toy.safetensors")
    assert toy_run.config.data.encode() not in (tmp_path / "toy.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["absent", "--format", "h5"], "nothing of that name"),
        (["{run}", "--format", "pickle"], "one of onnx"),
        (["{run}"], "--format"),
        (["{run}", "--format", "h5", "--out", "toy.keras"], "must end in .h5"),
        (["{run}", "--format", "keras", "--out", "TOY.KERAS"], "must end in .keras"),
        (["{run}", "--format", "litert", "--out", "TOY.TFLITE"], "must end in .tflite"),
        (["{run}", "--format", "h5", "--out", "no/folder/toy.h5"], "no folder"),
        (["{run}", "--format", "saved_model", "--out", "we*ird_saved_model"], "cannot read a path with any of *?[]"),
        (["{run}", "--format", "saved_model", "--out", "[1]/toy_saved_model"], "cannot read a path with any of *?[]"),
        (["{run}", "--format", "html", "--out", "\udcff.html"], "is not UTF-8"),
        (["{run}", "--format", "saved_model", "--out", "\udcff"], "is not UTF-8"),
        (["{run}", "--format", "h5", "--out", "dangling.h5"], "--force"),
        (["{run}", "--format", "h5", "--best"], "no best checkpoint"),
        (["fashion", "--format", "h5", "--raw"], "only a run's folder"),
        (["{run}", "--format", "h5", "--out", "there.h5"], "--force"),
        (["there.onnx", "--format", "keras"], "only html and openvino can be made from one"),
        (["{run}", "--format", "saved_model", "--out", "mine", "--force"], "which fashion-gan did not write"),
        (["{run}", "--format", "saved_model", "--out", ".", "--force"], "is not the name of a file or a folder"),
    ],
)
def test_a_bad_request_to_export_is_one_line_and_changes_nothing(capsys, toy_run, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "[1]"):
        (tmp_path / name).mkdir()
    (tmp_path / "dangling.h5").symlink_to("elsewhere.h5")
    for name in ("there.h5", "there.onnx", "mine/work"):
        (tmp_path / name).write_text("mine")
    before = contents(tmp_path)
    assert main(["export", *(flag.format(run=toy_run.path) for flag in flags)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert contents(tmp_path) == before
    assert (tmp_path / "dangling.h5").is_symlink()


# ---- Reading safetensors ----


@pytest.fixture
def weights_file(toy_run, tmp_path):
    path = tmp_path / "toy.safetensors"
    fashion_gan.export_generator(toy_run.path, "safetensors", path)
    return path


def test_a_safetensors_file_draws_the_images_of_its_run(toy_run, weights_file):
    expected = fashion_gan.load_generator(toy_run.path).generate(20, seed=4)
    assert np.array_equal(fashion_gan.load_generator(weights_file).generate(20, seed=4), expected)


def test_a_truncated_safetensors_file_is_refused(weights_file):
    whole = weights_file.read_bytes()
    for length in (0, 5, 100, len(whole) - 1):
        weights_file.write_bytes(whole[:length])
        with pytest.raises(InputError, match="is damaged"):
            fashion_gan.load_generator(weights_file)


@pytest.mark.parametrize("damage", ["shape", "type", "missing", "config", "other"])
def test_safetensors_that_do_not_fit_their_network_are_refused(toy_run, weights_file, damage):
    weights, metadata = load_file(weights_file), {"fashion_gan": toy_run.config.to_json()}
    name = next(name for name in weights if name.endswith("kernel"))
    if damage == "shape":
        weights[name] = weights[name][:1].copy()
    elif damage == "type":
        weights[name] = weights[name].astype(np.float64)
    elif damage == "missing":
        del weights[name]
    elif damage == "config":
        metadata["fashion_gan"] = json.dumps({"base_channels": 10**9})
    else:
        metadata = {}
    save_file(weights, weights_file, metadata)
    words = {"config": "out of range", "other": "not written by fashion-gan"}.get(damage, "is damaged")
    with pytest.raises(InputError, match=words):
        fashion_gan.load_generator(weights_file)
