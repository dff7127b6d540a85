"""Averaged weights get the batch statistics that are theirs: of what each batch norm sees when they draw."""

import keras
import numpy as np
import pytest
from conftest import TOY
from keras import layers

from fashion_gan import networks
from fashion_gan.config import Config
from fashion_gan.latents import draw_inputs
from fashion_gan.networks.settling import FEWEST, PICTURES, settle


def config_of(family, **settings):
    return Config.from_preset("fashion", family=family, class_names=("left", "right"), **{**TOY, **settings})


def unsettled(config):
    """A generator with the batch statistics of other weights."""
    generator, random = networks.build_generator(config), np.random.default_rng(0)
    for norm in batch_norms(generator):
        norm.moving_mean.assign(random.normal(0, 1, norm.moving_mean.shape))
        norm.moving_variance.assign(random.uniform(0.5, 2, norm.moving_variance.shape))
    return generator


def batch_norms(generator):
    return [layer for layer in generator.layers if isinstance(layer, layers.BatchNormalization)]


@pytest.mark.parametrize("family", networks.FAMILIES)
def test_each_batch_norm_knows_the_mean_and_variance_of_what_it_sees(family):
    config = config_of(family)
    generator = unsettled(config)
    settle(generator, config)
    norms = batch_norms(generator)
    assert norms
    probe = keras.Model(generator.inputs, [norm.input for norm in norms])
    drawn = probe(draw_inputs(PICTURES, config.latent_dim, 2), training=False)
    for norm, seen in zip(norms, drawn, strict=True):
        seen = keras.ops.convert_to_numpy(seen).astype(np.float64)
        places = tuple(range(seen.ndim - 1))
        np.testing.assert_allclose(norm.moving_mean, seen.mean(places), atol=1e-5)
        np.testing.assert_allclose(norm.moving_variance, seen.var(places), rtol=1e-4, atol=1e-9)


def test_nothing_but_the_statistics_is_changed():
    config = config_of("residual")
    generator = unsettled(config)
    before = {variable.path: np.array(variable) for variable in generator.weights}
    settle(generator, config)
    for variable in generator.weights:
        same = np.array_equal(variable, before[variable.path])
        assert same == ("moving" not in variable.path), variable.path


def test_of_larger_pictures_fewer_are_drawn(monkeypatch):
    counts = []

    def moments(probe, inputs):
        counts.append(len(inputs[0]))
        return np.zeros(probe.outputs[0].shape[-1]), np.ones(probe.outputs[0].shape[-1])

    monkeypatch.setattr("fashion_gan.networks.settling._moments", moments)
    for family, size in (("residual", 16), ("residual", 28), ("residual", 56), ("dcgan", 128)):
        config = config_of(family, image_size=size)
        settle(networks.build_generator(config), config)
    assert sorted(set(counts), reverse=True) == [PICTURES, PICTURES // 4, FEWEST]
