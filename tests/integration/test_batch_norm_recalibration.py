"""Recalibration gives each batch norm the mean and variance of its own input."""

import keras
import numpy as np
import pytest
from keras import layers
from toys import toy_config

from fashion_gan import networks
from fashion_gan.networks.batch_norm_recalibration import (
    MAX_IMAGES,
    MIN_IMAGES,
    recalibrate_batch_norm,
    recalibration_inputs,
)


def uncalibrated_generator(config):
    """Build a generator with random batch statistics."""
    generator, random = networks.build_generator(config), np.random.default_rng(0)
    for norm in batch_norms(generator):
        norm.moving_mean.assign(random.normal(0, 1, norm.moving_mean.shape))
        norm.moving_variance.assign(random.uniform(0.5, 2, norm.moving_variance.shape))
    return generator


def batch_norms(generator):
    return [layer for layer in generator.layers if isinstance(layer, layers.BatchNormalization)]


@pytest.mark.parametrize("architecture", networks.ARCHITECTURES)
def test_each_batch_norm_gets_the_mean_and_variance_of_its_input(architecture):
    config = toy_config(architecture)
    generator, inputs = uncalibrated_generator(config), recalibration_inputs(config)
    assert len(inputs[0]) == MAX_IMAGES
    recalibrate_batch_norm(generator, inputs)
    norms = batch_norms(generator)
    assert norms
    outputs = keras.Model(generator.inputs, [norm.input for norm in norms])(inputs, training=False)
    for norm, values in zip(norms, outputs, strict=True):
        values = keras.ops.convert_to_numpy(values).astype(np.float64)
        positions = tuple(range(values.ndim - 1))
        np.testing.assert_allclose(norm.moving_mean, values.mean(positions), atol=1e-5)
        np.testing.assert_allclose(norm.moving_variance, values.var(positions), rtol=1e-4, atol=1e-9)


def test_only_the_statistics_change():
    config = toy_config()
    generator = uncalibrated_generator(config)
    before = {variable.path: np.array(variable) for variable in generator.weights}
    recalibrate_batch_norm(generator, recalibration_inputs(config))
    for variable in generator.weights:
        same = np.array_equal(variable, before[variable.path])
        assert same == ("moving" not in variable.path), variable.path


def test_larger_images_need_fewer_samples():
    counts = [
        len(recalibration_inputs(toy_config(architecture, image_size=size))[0])
        for architecture, size in (("residual", 16), ("residual", 28), ("residual", 56), ("dcgan", 128))
    ]
    assert counts == [MAX_IMAGES, MAX_IMAGES, MAX_IMAGES // 4, MIN_IMAGES]
