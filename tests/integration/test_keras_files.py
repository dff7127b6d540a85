"""Files that Keras 2 (tf_keras) and Keras 3 wrote draw the same images after import. See fixtures/keras/make.py."""

import copy
import json
import random
import shutil
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from toys import toy_config

import fashion_gan
from fashion_gan.cli import main
from fashion_gan.errors import InputError
from fashion_gan.networks import build_generator
from fashion_gan.saving.keras2 import importer

FILES = Path(__file__).parents[1] / "fixtures" / "keras"
LATENT_DIM, CLASSES = 6, 3
ONE_HOT = ("one_hot", "joined")
WITH_CLASSES = ("cgan", "planes", "acgan", *ONE_HOT)
COMBINED = ("gan", "acgan")
MODELS = sorted(path.name for path in FILES.iterdir() if path.suffix in (".h5", ".keras") and "preset" not in path.name)


ODD_VALUES = (None, True, -1, 0, 2, 1.5, 10**400, "", "relu", "Sequential", "Concatenate", [], [[]], [1, 2, 3, 4], {})


def copy_here(source, target):
    """Copy a sound HDF5 file."""
    with h5py.File(source) as file:
        target.attrs.update(file.attrs)
        for name in file:
            file.copy(name, target)
    return []


def drawn(path):
    """The images of the fixed latents, and of the classes in turn."""
    latents = np.random.default_rng(1).normal(size=(6, LATENT_DIM)).astype(np.float32)
    generator = fashion_gan.Generator.load(path)
    return generator.decode(latents, np.arange(6) % CLASSES if generator.class_names else None, as_float=True)


def expected_images(name, pixel_range):
    library, _, maker = name.partition(".")[0].rpartition("keras_")
    images = np.load(FILES / f"expected_{library}keras.npz")[maker]
    lowest, highest = pixel_range
    images = (images - lowest) / (highest - lowest) * 2 - 1
    assert images.std() > 0.02
    return images


# `make test` has every form of both libraries as .h5, and of Keras 3 as .keras.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.full if name.startswith("tf_") and name.endswith(".keras") else [])
        for name in MODELS
    ],
)
def test_a_file_of_keras_draws_the_images_that_keras_drew(tmp_path, name):
    maker = name.partition(".")[0].rpartition("keras_")[2]
    imported = fashion_gan.import_generator(
        FILES / name, tmp_path / "new.onnx", classes=CLASSES if maker in ONE_HOT else None
    )
    assert imported.latent_dim == LATENT_DIM
    assert len(imported.class_names) == (CLASSES if maker in WITH_CLASSES else 0)
    assert bool(imported.part) == (maker in COMBINED)
    expected = expected_images(name, imported.pixel_range)
    # Keras computes a network of float16 in that precision, and the import in float32.
    np.testing.assert_allclose(drawn(tmp_path / "new.onnx"), expected, atol=0.02 if maker == "half" else 2e-5)


def places(value, place=()):
    """The place of every value in nested lists and dictionaries: the keys that lead to it."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*place, key)
        yield from places(value[key], (*place, key))


def altered(architecture, rng):
    """Return an architecture with one to three of its values replaced, deleted or exchanged for a copy of another."""
    architecture = copy.deepcopy(architecture)
    for _ in range(rng.choice([1, 1, 2, 3])):
        *path, key = rng.choice(list(places(architecture)))
        parent = architecture
        for part in path:
            parent = parent[part]
        kind = rng.randrange(3)
        if kind == 0:
            parent[key] = copy.deepcopy(rng.choice(ODD_VALUES))
        elif kind == 1:
            del parent[key]
        else:
            other = architecture
            for part in rng.choice(list(places(architecture))):
                other = other[part]
            parent[key] = copy.deepcopy(other)
    return architecture


def test_an_altered_architecture_is_imported_or_refused_in_one_line(tmp_path, monkeypatch, full):
    names = ("keras_twice.h5", "keras_cgan.h5", "keras_gan.h5", "tf_keras_many_layers.h5")
    monkeypatch.setattr(importer, "save", lambda *arguments: 0.0)
    # The files are sound but for their architectures, so no separate process needs to read them.
    rng, path, messages = random.Random(0), tmp_path / "altered.h5", []
    monkeypatch.setattr(importer, "copy_plain", copy_here)
    count = 600 if full else 60
    for number in range(count):
        shutil.copy(FILES / names[number % len(names)], path)
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = json.dumps(altered(json.loads(file.attrs["model_config"]), rng))
        try:
            fashion_gan.import_generator(path, tmp_path / "new.onnx")
        except InputError as error:
            messages.append(str(error))
    assert count / 3 < len(messages) < count
    assert "\n" not in "".join(messages)


@pytest.mark.parametrize("name", ["tf_keras_preset.h5", "keras_preset.weights.h5"])
def test_weights_alone_are_imported_like_a_preset(tmp_path, name):
    imported = fashion_gan.import_generator(FILES / name, tmp_path / "new.onnx", like="transposed")
    assert (imported.latent_dim, imported.image_shape) == (LATENT_DIM, (28, 28, 1))
    np.testing.assert_allclose(drawn(tmp_path / "new.onnx"), expected_images(name, (-1, 1)), atol=2e-5)


@pytest.mark.parametrize("channels", [1, pytest.param(3, marks=pytest.mark.full)])
def test_weights_of_a_conditional_preset_are_imported(tmp_path, channels):
    model = build_generator(toy_config(image_size=28, channels=channels))
    model.save_weights(tmp_path / "toy.weights.h5")
    path = tmp_path / "new.onnx"
    imported = fashion_gan.import_generator(tmp_path / "toy.weights.h5", path, like="fashion", classes=2)
    assert (imported.class_names, imported.image_shape) == (("0", "1"), (28, 28, channels))
    generator = fashion_gan.Generator.load(path)
    latents, labels = generator.latents(4), np.arange(4, dtype=np.int32) % 2
    images = keras.ops.convert_to_numpy(model([latents, labels], training=False))
    np.testing.assert_allclose(generator.decode(latents, labels, as_float=True), images, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("tf_keras_preset.h5", {}, "only weights: name their preset with like \\(--like\\)"),
        ("tf_keras_preset.h5", {"like": "upsampling"}, "do not fit the generator of preset upsampling"),
        ("tf_keras_preset.h5", {"like": "transposed", "classes": 3}, "do not fit the generator of preset transposed"),
        ("tf_keras_preset.h5", {"like": "transformer"}, "like='transformer' is unknown"),
        ("tf_keras_one_hot.h5", {}, "If the input of 3 numbers is a one-hot class, set classes \\(--classes 3\\)"),
        ("tf_keras_one_hot.h5", {"classes": 4}, "its inputs have shapes"),
        ("tf_keras_wrapped.h5", {"classes": 6}, "its input has 6 numbers, which leaves no latents before 6 classes"),
        ("tf_keras_wrapped.h5", {"classes": 1}, "classes=1 is out of range: it must be from 2 to 1,000"),
        ("tf_keras_wrapped.h5", {"classes": 2.5}, "classes=2.5 must be a whole number"),
    ],
)
def test_an_import_that_does_not_fit_the_file_is_refused(tmp_path, name, settings, words):
    with pytest.raises(InputError, match=words) as caught:
        fashion_gan.import_generator(FILES / name, tmp_path / "new.onnx", **settings)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "new.onnx").exists()


def test_the_command_takes_the_generator_of_a_combined_model_and_says_so(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(FILES / "tf_keras_gan.h5", "gan.h5")
    assert main(["import", "gan.h5"]) == 0
    assert "the generator is sequential; the discriminator after it is left out" in capsys.readouterr().out


def test_the_command_takes_the_number_of_classes(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(FILES / "tf_keras_joined.h5", "joined.h5")
    assert main(["import", "joined.h5", "--classes", "3"]) == 0
    assert "latents of 6 numbers and 3 classes" in capsys.readouterr().out
