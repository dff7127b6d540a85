"""Values of the wrong kind: every public call takes a value, or refuses it in an InputError of one line."""

import copy
import inspect
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from toys import TOY

import fashion_gan
from fashion_gan import CLASS_NAMES, Config, Dataset, Generator, InputError, Run
from fashion_gan.api import train as api_train
from fashion_gan.api.evaluate import compare
from fashion_gan.datasets import load_pictures
from fashion_gan.metrics.metric_info import MetricValue

VALUES = {
    "None": None,
    "a word": "x",
    "no word": "",
    "a number as text": "3",
    "NUL": "a\0b",
    "minus one": -1,
    "three": 3,
    "a fraction": 2.5,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "a huge number": 10**5000,
    "True": True,
    "bytes": b"x",
    "complex": 3j,
    "no list": [],
    "a list of lists": [[1], [1, 2]],
    "a tuple": (28, 28),
    "a dictionary": {"a": 1},
    "a set": {1},
    "an iterator": iter(()),
    "an object": object(),
    "a function": len,
    "a folder": Path("nowhere"),
    "an array": np.zeros(3),
    "one-hot": np.eye(10),
    "an array of one": np.array([1]),
    "an array without axes": np.array(2),
    "an array of text": np.array(["a", "b"]),
    "an array of objects": np.array([None, {}], object),
    "float32": np.float32(0.5),
    "int64": np.int64(4),
    "complex array": np.zeros((2, 2), complex),
}


@pytest.fixture(scope="module")
def calls(toy_run, toy_folder):
    """For each call: a function, and arguments with which it works, or fails in an InputError."""
    painter = Generator(lambda inputs: np.zeros((len(inputs[0]), 2, 2, 1)), 4, ("a", "b"))
    extras = {"callbacks": [], "tracker": "none"}
    drawn = {"count": 4, "labels": None, "seed": 0, "truncation": 1.0}
    latent, few = np.zeros(4), np.zeros((10, 28, 28), np.uint8)
    training = {
        "preset": "fashion",
        "data": toy_folder,
        "epochs": 1,
        "out": "runs",
        **extras,
        **TOY,
    }
    return {
        "Generator": (Generator, {"predict": len, "latent_dim": 3, "class_names": ("a",), "threads": 1}),
        "Generator.load": (Generator.load, {"path": "nowhere.onnx", "threads": 1}),
        "Generator.from_pretrained": (Generator.from_pretrained, {"name": "fashion", "revision": None, "threads": 1}),
        "generate": (painter.generate, {"count": 4, "labels": None, "seed": 0, "truncation": 1.0, "as_float": False}),
        "latents": (painter.latents, {"count": 4, "seed": 0, "truncation": 1.0}),
        "decode": (painter.decode, {"latents": np.zeros((2, 4)), "labels": [0, 1]}),
        "vary": (painter.vary, {"latent": latent, "strength": 0.3, "count": 2, "seed": 0}),
        "mix": (painter.mix, {"first": latent, "second": latent, "share": 0.5}),
        "interpolate": (painter.interpolate, {"first": 1, "second": latent, "frames": 3, "label": None}),
        "enlarged": (painter.enlarged, {"size": 64}),
        "as_torch_dataset": (painter.as_torch_dataset, {**drawn, "as_float": False}),
        "as_tf_dataset": (painter.as_tf_dataset, {**drawn, "as_float": False}),
        "as_hf_dataset": (painter.as_hf_dataset, drawn),
        "labels": (painter.labels, {"count": 2, "labels": [0, 1]}),
        "label_number": (painter.label_number, {"label": "a"}),
        "project": (painter.project, {"images": few[:1, :2, :2], "labels": "a", "steps": 1}),
        "edit": (painter.edit, {"latents": latent, "direction": latent + 1, "amount": 1.0}),
        "mix_depths": (painter.mix_depths, {"shape": latent, "texture": 3, "first": 1}),
        "film": (painter.film, {"keys": [1, latent], "labels": "a", "frames": 2, "closed": True}),
        "project pictures": (
            fashion_gan.project,
            {"model": "fashion", "pictures": ["nowhere.png"], "labels": None, "steps": 1, "method": "onnx"}
            | {"options": None, "invert": False, "training": None},
        ),
        "find_directions": (
            fashion_gan.find_directions,
            {"model": "nowhere", "count": 1, "out": "x.json", "force": False},
        ),
        "train_encoder": (
            fashion_gan.train_encoder,
            {"model": "nowhere", "steps": 1, "seed": 0, "data": None, "out": "x.onnx", "force": False},
        ),
        "load_generator": (fashion_gan.load_generator, {"model": "nowhere", "raw": False, "best": False}),
        "load_gan": (fashion_gan.load_gan, {"model": "nowhere", "best": False}),
        "export_generator": (
            fashion_gan.export_generator,
            {"model": "nowhere", "format": "h5", "out": "x.h5", "raw": False},
        ),
        "import_generator": (
            fashion_gan.import_generator,
            {"path": "nowhere.h5", "out": "x.onnx", "classes": None, "like": None},
        ),
        "evaluate": (
            fashion_gan.evaluate,
            {
                "source": few,
                "protocols": "standard",
                "labels": None,
                "seed": 0,
                "seeds": 1,
                "report": "r",
                "data": "nowhere",
            },
        ),
        "evaluate labels": (fashion_gan.evaluate, {"source": few, "labels": np.eye(10), "data": "nowhere"}),
        "compare": (compare, {"first": "nowhere", "second": "nowhere"}),
        "make_dataset": (
            fashion_gan.make_dataset,
            {"out": "set", "per_class": 1, "format": "npz", "model": "fashion", "seed": 0, "truncation": 1.0}
            | {"min_confidence": None, "least_difference": None, "force": True},
        ),
        "make_dataset data": (
            fashion_gan.make_dataset,
            {"out": "set", "per_class": 1, "format": "npz", "min_confidence": 0.5, "data": "nowhere"},
        ),
        "make_dataset count": (
            fashion_gan.make_dataset,
            {"out": "set", "count": 3, "shard": "1/2", "format": "npz", "seed": 0, "model": "nowhere"},
        ),
        "merge_dataset": (fashion_gan.merge_dataset, {"folder": "nowhere"}),
        "augment_test": (
            fashion_gan.augment_test,
            {"model": "fashion", "real_per_class": 10, "synthetic_per_class": 1, "seeds": 2, "steps": 1}
            | {"truncation": 1.0, "data": "nowhere", "out": "benefit", "force": False},
        ),
        "push": (fashion_gan.push, {"model": "nowhere", "repository": "a/b", "private": False, "best": False}),
        "train": (fashion_gan.train, {**training, **dict.fromkeys(WHERE)}),
        "train settings": (fashion_gan.train, {**training, **dict.fromkeys(fields())}),
        "resume": (
            fashion_gan.resume,
            {"path": toy_run.path, "data": toy_folder, **extras, **dict.fromkeys((*WHERE, *fields()))},
        ),
        "Config": (Config, {"preset": "transposed", "data": None, "class_names": (), **dict.fromkeys(fields())}),
        "from_preset": (Config.from_preset, {"preset": "fashion"}),
        "from_json": (Config.from_json, {"text": "{}", "source": "a test"}),
        "load_training_images": (
            fashion_gan.load_training_images,
            {"data": toy_folder, "image_size": 16, "channels": 1},
        ),
        "load_pictures": (load_pictures, {"place": toy_folder, "image_size": 16, "channels": 1}),
        "load_fashion_mnist": (fashion_gan.load_fashion_mnist, {"split": "test", "data": "nowhere"}),
        "Run.open": (Run.open, {"path": "nowhere"}),
        "Run.create": (Run.create, {"out": "runs", "config": Config(), "data_fingerprint": "x"}),
    }


WHERE = ("devices", "coordinator", "process", "processes")


def fields():
    return [
        name for name in Config.__dataclass_fields__ if name not in ("preset", "data", "class_names", "data_classes")
    ]


NAMES = [
    *("Generator", "Generator.load", "Generator.from_pretrained", "generate", "latents", "decode", "vary", "mix"),
    *(
        "interpolate",
        "enlarged",
        "as_torch_dataset",
        "as_tf_dataset",
        "as_hf_dataset",
        "labels",
        "label_number",
        "load_generator",
        "load_gan",
        "export_generator",
        "import_generator",
    ),
    *("evaluate", "evaluate labels", "compare", "make_dataset", "make_dataset data", "make_dataset count"),
    *("merge_dataset", "augment_test", "push", "train"),
    *("train settings", "resume", "project", "edit", "mix_depths", "film", "project pictures", "find_directions"),
    "train_encoder",
    *("Config", "from_preset", "from_json", "load_training_images", "load_pictures", "load_fashion_mnist", "Run.open"),
    "Run.create",
]


def stop(*_):
    raise InputError("the classifiers would be trained now")


def refusal(function, arguments, call):
    """The message of the InputError that a call raises; empty if it raises none. Other errors fail the test."""
    try:
        function(**arguments)
    except InputError as error:
        return str(error)
    except Exception as error:
        raise AssertionError(f"{call} raises {error!r}") from error
    return ""


TYPED = {"config", "data_fingerprint", "source of from_json"}  # Arguments of the package's own types.


@pytest.mark.parametrize("name", NAMES)
def test_a_value_of_any_kind_is_taken_or_refused_in_one_line(name, calls, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        api_train, "start_training", lambda config, dataset, out, extras, layout: Run.create(out, config, "x")
    )
    monkeypatch.setattr(api_train, "continue_training", lambda run, dataset, extras, layout: run)
    monkeypatch.setattr("fashion_gan.api.augment_test.accuracies_by_class", stop)
    function, arguments = calls[name]
    for argument in arguments:
        if argument in TYPED or f"{argument} of {name}" in TYPED:
            continue
        for kind, value in VALUES.items():
            given = {key: given for key, given in arguments.items() if given is not None} | {argument: value}
            message = refusal(function, given, f"{name}({argument}={kind})")
            assert "\n" not in message
            assert len(message) < 1000, message


def test_every_public_function_is_in_the_table():
    functions = {name for name in fashion_gan.__all__ if inspect.isfunction(getattr(fashion_gan, name))}
    methods = {name for name, _ in inspect.getmembers(Generator, inspect.isfunction) if not name.startswith("_")}
    assert functions | methods <= set(NAMES)


def test_a_tilde_is_the_home_folder_in_every_path(toy_run, tmp_path, monkeypatch):
    home, here = tmp_path / "home", tmp_path / "here"
    for folder in (home, here):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    shutil.copytree(toy_run.path, home / "run")
    fashion_gan.make_dataset("~/set", 1)
    fashion_gan.make_dataset(Path("~/of a run"), 1, model="~/run", format="npz")
    assert Run.create("~/runs", Config(), "x").path.parent == home / "runs"
    assert Run.open("~/run").path == home / "run"
    assert fashion_gan.load_training_images("~/set", 28, 1).images.shape == (10, 28, 28, 1)
    monkeypatch.setattr(api_train, "start_training", lambda config, dataset, out, extras, layout: config)
    config = fashion_gan.train("fashion", data="~/set", init_from="~/run", **TOY)
    assert (config.data, config.init_from) == (str(home / "set"), str(home / "run"))
    fashion_gan.export_generator("~/run", "keras", "~/exported.keras")
    assert fashion_gan.load_generator("~/exported.keras").latent_dim == TOY["latent_dim"]
    with pytest.raises(InputError, match=f"{home}/set/train-images-idx3-ubyte.gz cannot be read"):
        fashion_gan.evaluate("~/set/train-images-idx3-ubyte.gz", report="~/report")
    assert not list(here.iterdir())


# ---- Copies ----


def test_runs_configurations_data_sets_and_evaluations_can_be_copied(toy_run):
    run = pickle.loads(pickle.dumps(toy_run))
    assert (run.path, run.config) == (toy_run.path, toy_run.config)
    config = Config.from_preset("fashion", steps=3, class_names=("a", "b"))
    images = np.random.default_rng(0).integers(0, 256, (1000, 28, 28, 1), np.uint8)
    dataset = Dataset(images, np.arange(1000, dtype=np.int32) % 10, CLASS_NAMES, "here")
    metrics = {"ffd10k_test": MetricValue(1.0, 0.1, (0.8, 1.2))}
    evaluation = fashion_gan.Evaluation({"name": "a"}, {}, metrics, {}, {}, images, None)
    for copied in (copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))):
        assert copied(config) == config
        assert copied(dataset).fingerprint == dataset.fingerprint
        assert copied(evaluation).to_json() == evaluation.to_json()
