"""Generators whose networks work at a smaller size than their images: the last layer enlarges, and has no weights."""

import numpy as np
import pytest
from run_states import assert_equal_states, state_of
from toys import TOY, toy_config

import fashion_gan
from fashion_gan.config import Config
from fashion_gan.datasets import IMAGE_SHAPE
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.metrics.checks import as_small
from fashion_gan.networks import build_discriminator, build_generator
from fashion_gan.rendering.resize import enlarge_images
from fashion_gan.saving.model_files import as_generator

SETTINGS = {**TOY, "steps": 3, "seed": 3, "deterministic": True}
LARGER = {"image_size": 40, "core_size": 16}


@pytest.fixture(scope="module")
def runs(toy_folder, tmp_path_factory):
    """Return a run whose networks work at 16 pixels and whose images have 40, and one without the enlargement."""
    out = tmp_path_factory.mktemp("runs")
    return [
        fashion_gan.train("fashion", data=toy_folder, out=out, **settings)
        for settings in ({**SETTINGS, **LARGER}, SETTINGS)
    ]


def test_the_last_layer_enlarges_as_training_enlarges_the_data():
    config = toy_config(image_size=40, core_size=16)
    large, small = build_generator(config), build_generator(config.core)
    small.set_weights(large.get_weights())
    inputs = [np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32), np.arange(4, dtype=np.int32) % 2]
    levels = np.asarray(small(inputs)) * 127.5 + 127.5
    expected = enlarge_images(np.rint(levels).astype(np.uint8), (40, 40, 1))
    drawn = np.rint(np.asarray(large(inputs)) * 127.5 + 127.5)
    assert np.abs(drawn - expected).max() <= 1  # The levels of the small images are rounded.
    assert [weight.shape for weight in large.weights] == [weight.shape for weight in small.weights]


def test_both_networks_train_at_the_smaller_size(runs):
    config = runs[0].config
    assert build_discriminator(config.core).inputs[0].shape[1:3] == (16, 16)
    assert fashion_gan.load_generator(runs[0].path).image_shape == (40, 40, 1)
    assert fashion_gan.load_generator(runs[0].path / "generator.keras").image_shape == (40, 40, 1)


def test_a_generator_is_enlarged_without_keras_as_by_its_last_layer(runs):
    large = fashion_gan.load_generator(runs[0].path)
    small = as_generator(build_with_weights_of(runs[0]), runs[0].config.core)
    images, enlarged = large.generate(6, seed=1), small.enlarged(40).generate(6, seed=1)
    assert images.shape == enlarged.shape == (6, 40, 40, 1)
    assert np.abs(images.astype(int) - enlarged).max() <= 1
    assert small.enlarged(None).generate(6, seed=1).shape == (6, 16, 16, 1)


def build_with_weights_of(run):
    """Build the small generator with a run's averaged weights."""
    small = build_generator(run.config.core)
    small.set_weights(run.load_generator_model().get_weights())
    return small


def test_a_resumed_run_equals_an_uninterrupted_one(toy_folder, runs, tmp_path):
    short = fashion_gan.train("fashion", data=toy_folder, out=tmp_path, **{**SETTINGS, **LARGER, "steps": 1})
    resumed = fashion_gan.resume(short.path, steps=3)
    assert_equal_states(state_of(resumed.path), state_of(runs[0].path))


def test_an_export_holds_the_enlargement(runs, tmp_path):
    path = tmp_path / "larger.onnx"
    fashion_gan.export_generator(runs[1].path, "onnx", path, size=40)
    exported = Generator.load(path)
    expected = fashion_gan.load_generator(runs[1].path).enlarged(40)
    assert np.abs(exported.generate(6, seed=2).astype(int) - expected.generate(6, seed=2)).max() <= 1
    with pytest.raises(InputError, match=r"size=40 is for Keras models"):
        fashion_gan.export_generator(path, "onnx", tmp_path / "again.onnx", size=40)
    for size in (12, 30, 300):
        with pytest.raises(InputError, match=rf"^size={size} must be a multiple of 4 from 16 to 256"):
            fashion_gan.export_generator(runs[1].path, "onnx", path, size=size)


def test_enlarged_clothes_are_scored_at_their_own_size():
    generator = Generator.from_pretrained()
    shrunk = as_small(generator.enlarged(64).generate(20))
    assert shrunk.shape[1:] == IMAGE_SHAPE
    assert np.abs(shrunk.astype(int) - generator.generate(20)).max() <= 2


@pytest.mark.parametrize("size", [64, 128])
def test_the_presets_for_larger_clothes_are_fashion_enlarged(size):
    config = Config.from_preset(f"fashion-{size}", class_names=("a", "b"))
    assert (config.image_size, config.core.image_size) == (size, 28)
    core, fashion = config.core.to_json(), Config.from_preset("fashion", class_names=("a", "b")).to_json()
    assert core.replace(f"fashion-{size}", "fashion") == fashion


def test_sizes_that_do_not_fit_are_refused_in_one_line():
    with pytest.raises(InputError, match=r"core_size=64 must be at most image_size=28"):
        Config.from_preset("fashion", core_size=64)
    with pytest.raises(InputError, match=r"size=20 is smaller than the images that the model draws, 28×28"):
        Generator.from_pretrained().enlarged(20).generate(1)
    with pytest.raises(InputError, match=r"size=5000 is out of range"):
        Generator.from_pretrained().enlarged(5000)
