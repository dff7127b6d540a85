"""Results under a user's unusual settings of Keras, NumPy and Pillow, bit for bit, and the settings afterwards."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageFile
from run_states import assert_equal_states, state_of
from toys import TOY

import fashion_gan
from fashion_gan.metrics.measures import load_classifiers

USERS = {"floatx": "float64", "epsilon": 1e-3, "image_data_format": "channels_first"}
USERS |= {"max_epochs": 1, "max_steps_per_epoch": 2}


def read_settings():
    config = {name: getattr(keras.config, name)() for name in USERS}
    generators = [random.getstate(), np.random.get_state()[1].tolist()]
    pillow = [Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES]
    eager = tf.config.functions_run_eagerly()
    return [config, keras.config.dtype_policy().name, np.geterr(), pillow, generators, eager]


@pytest.fixture
def unusual_settings(monkeypatch):
    """Settings of a user. A test that changes one of them fails."""
    before = {name: getattr(keras.config, name)() for name in USERS}
    policy = keras.config.dtype_policy()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)

    def apply():
        for name, value in USERS.items():
            getattr(keras.config, f"set_{name}")(value)
        keras.config.set_dtype_policy("mixed_float16")
        tf.config.run_functions_eagerly(True)
        random.seed(3)
        np.random.seed(4)

    with np.errstate(all="raise"):
        yield apply
    tf.config.run_functions_eagerly(False)
    for name, value in before.items():
        getattr(keras.config, f"set_{name}")(value)
    keras.config.set_dtype_policy(policy)


def train_toy(folder, out, **settings):
    options = {**TOY, "epochs": 2, "save_interval": 1, "deterministic": True, **settings}
    return fashion_gan.train("fashion", data=folder, out=out, **options)


@pytest.mark.parametrize("architecture", ["residual", pytest.param("upsampling", marks=pytest.mark.full)])
def test_training_gives_the_same_bits_and_leaves_the_settings(toy_folder, tmp_path, unusual_settings, architecture):
    options = {"architecture": architecture, "augment": True}
    expected = train_toy(toy_folder, tmp_path / "expected", **options)
    unusual_settings()
    before = read_settings()
    run = train_toy(toy_folder, tmp_path / "run", **options)
    assert_equal_states(state_of(run.path), state_of(expected.path))
    assert run.generator_path.exists()
    assert read_settings() == before


def test_loading_drawing_and_judging_give_the_same_bits_and_leave_the_settings(toy_run, unusual_settings):
    def results():
        generator = fashion_gan.load_generator(toy_run.path)
        images = generator.generate(8)
        judged = fashion_gan.load_gan(toy_run.path).probability_real(images, np.arange(8) % 2)
        from_file = fashion_gan.load_generator(toy_run.generator_path).generate(8, as_float=True)
        return [images, judged, from_file, generator.interpolate(0, 1, frames=3), np.asarray(generator.vary(0))]

    expected = results()
    loaded_before = fashion_gan.load_generator(toy_run.path)
    unusual_settings()
    before = read_settings()
    for result, value in zip(results(), expected, strict=True):
        np.testing.assert_array_equal(result, value)
    np.testing.assert_array_equal(loaded_before.generate(8), expected[0])
    assert read_settings() == before


def test_exports_succeed_and_leave_the_settings(toy_run, tmp_path, unusual_settings):
    unusual_settings()
    before = read_settings()
    for name in ("onnx", "keras", "h5", "safetensors"):
        assert fashion_gan.export_generator(toy_run.path, name, tmp_path / f"toy.{name}") < 1e-4
    assert read_settings() == before


def test_a_classifier_trains_to_the_same_bits(unusual_settings):
    images = np.random.default_rng(0).integers(0, 256, (128, 28, 28, 1), np.uint8)
    labels = np.arange(128, dtype=np.int32) % 2

    def train():
        classifier = load_classifiers().Classifier((28, 28, 1), 2, base_channels=4, steps=3)
        classifier.train(images, labels, 0, "test")
        return classifier.model.get_weights()

    from fashion_gan.system.library_settings import default_settings

    with default_settings():
        expected = train()
    unusual_settings()
    with default_settings():
        for weights, value in zip(train(), expected, strict=True):
            np.testing.assert_array_equal(weights, value)
