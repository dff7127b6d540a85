"""The generator without its batch norms draws the same pictures in fewer layers."""

import numpy as np
import pytest
from keras import layers
from toys import toy_config

from fashion_gan import networks
from fashion_gan.latents import draw_inputs
from fashion_gan.networks.batch_norm_folding import fold_batch_norm


def random_generator(architecture, **settings):
    """Return a generator with random weights and batch statistics, and inputs for 20 pictures."""
    config = toy_config(architecture, **settings)
    generator, random = networks.build_generator(config), np.random.default_rng(0)
    for variable in generator.variables:
        low, high = (0.5, 2) if "variance" in variable.path else (-0.5, 0.5)
        variable.assign(random.uniform(low, high, variable.shape))
    return generator, draw_inputs(20, config.latent_dim, 2)


def count_batch_norms(generator):
    return sum(isinstance(layer, layers.BatchNormalization) for layer in generator.layers)


@pytest.mark.parametrize("center_images", [False, True])
def test_a_folded_generator_draws_the_same_pictures_without_batch_norms(center_images):
    generator, inputs = random_generator("residual", center_images=center_images)
    assert count_batch_norms(generator) == 5
    before = [np.array(weights) for weights in generator.get_weights()]
    copy = fold_batch_norm(generator)
    assert count_batch_norms(copy) == 0
    np.testing.assert_allclose(copy(inputs, training=False), generator(inputs, training=False), atol=1e-4)
    for weights, unchanged in zip(generator.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, unchanged)


@pytest.mark.parametrize("architecture", ["transposed", "upsampling", "dcgan"])
def test_a_batch_norm_without_a_modulation_layer_stays(architecture):
    generator, _ = random_generator(architecture)
    assert count_batch_norms(generator)
    assert fold_batch_norm(generator) is generator
