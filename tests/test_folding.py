"""The copy that is exported draws the same pictures, with fewer layers that do something."""

import numpy as np
import pytest
from conftest import TOY
from keras import layers

from fashion_gan import networks
from fashion_gan.config import Config
from fashion_gan.latents import draw_inputs
from fashion_gan.networks.folding import folded


def trained(family, **settings):
    """A generator with weights and batch statistics that are all its own."""
    config = Config.from_preset("fashion", family=family, class_names=("left", "right"), **{**TOY, **settings})
    generator, random = networks.build_generator(config), np.random.default_rng(0)
    for variable in generator.variables:
        low, high = (0.5, 2) if "variance" in variable.path else (-0.5, 0.5)
        variable.assign(random.uniform(low, high, variable.shape))
    return generator, draw_inputs(20, config.latent_dim, 2)


def batch_norms(generator):
    return sum(isinstance(layer, layers.BatchNormalization) for layer in generator.layers)


@pytest.mark.parametrize("centre", [False, True])
def test_a_generator_without_its_batch_norms_draws_the_same_pictures(centre):
    generator, inputs = trained("residual", centre=centre)
    assert batch_norms(generator) == 5
    before = [np.array(weights) for weights in generator.get_weights()]
    copy = folded(generator)
    assert batch_norms(copy) == 0
    np.testing.assert_allclose(copy(inputs, training=False), generator(inputs, training=False), atol=1e-4)
    for weights, unchanged in zip(generator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, unchanged)


@pytest.mark.parametrize("family", ["transposed", "upsampling", "dcgan"])
def test_batch_norms_with_gains_of_their_own_stay(family):
    generator, _ = trained(family)
    assert batch_norms(generator)
    assert folded(generator) is generator
