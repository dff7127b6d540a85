"""Networks with centered images: every file format centers as Keras does, and later trainings keep the setting."""

import keras
import numpy as np
import pytest
from toys import TOY, toy_config

import fashion_gan
from fashion_gan import networks
from fashion_gan.api import train as api_train
from fashion_gan.latents import draw_inputs
from fashion_gan.saving import export
from fashion_gan.saving.formats import FORMATS


def patchy_generator(config):
    """Build a generator whose pictures are black with some patches, like those of trained networks."""
    keras.utils.set_random_seed(0)
    generator = networks.build_generator(config)
    pixels = generator.get_layer("generator_pixels")
    pixels.kernel.assign(100 * pixels.kernel)
    pixels.bias.assign(pixels.bias - 40)
    return generator


# The others take long, and test_export.py tests all of them.
QUICK_FORMATS = ("onnx", "h5", "safetensors")


@pytest.mark.parametrize(
    "format", [pytest.param(name, marks=[] if name in QUICK_FORMATS else pytest.mark.full) for name in FORMATS]
)
def test_every_format_centers_pictures_as_keras_does(tmp_path, format):
    if missing := [name for name in FORMATS[format].packages["tensorflow"] if not export._is_installed(name)]:
        pytest.skip(f"{' and '.join(missing)} not installed")
    config = toy_config(center_images=True)
    generator, inputs = patchy_generator(config), draw_inputs(20, config.latent_dim, 2)
    uncentered = patchy_generator(toy_config())(inputs)  # The same weights, since the layers that center have none.
    assert np.mean(np.abs(generator(inputs) - uncentered).max(axis=(1, 2, 3)) > 0.1) > 0.25
    assert export.save(generator, config, format, tmp_path / f"toy{FORMATS[format].suffix}") < 1e-4


def test_training_from_trained_weights_keeps_centering_only_for_the_same_classes(toy_folder, tmp_path):
    def train(**settings):
        settings = {"data": toy_folder, "center_images": True, **settings, **TOY}
        return fashion_gan.train("fashion", steps=1, out=tmp_path / "runs", **settings).path

    def centers(source, data=toy_folder, **settings):
        return api_train.plan("fashion", data=data, init_from=source, **settings, **TOY)[0].center_images

    run = train()
    assert centers(run)
    assert not centers(run, center_images=False)
    other_classes = tmp_path / "other classes"
    other_classes.mkdir()
    for name, pictures in (("left", "left"), ("wrong", "right")):
        (other_classes / name).symlink_to(toy_folder / pictures)
    assert not centers(run, data=other_classes)
    assert not centers(train(conditional=False), data=other_classes, conditional=False)
