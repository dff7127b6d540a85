"""The network architectures. Each has a module that builds a generator and a discriminator from a ``Config``.

Every layer's name starts with the name of its network, so that variable paths are unique and tell the networks apart.
Every dropout layer has a seed. On PyTorch, Keras keeps the state of an unseeded one outside of the model, where a
resumed run cannot find it, and the two passes of the gradient penalty would drop different units.
"""

import dataclasses

from fashion_gan.arrays import KerasModel
from fashion_gan.config import Config
from fashion_gan.networks import dcgan, residual, transposed, upsampling
from fashion_gan.networks.centering import center_images
from fashion_gan.networks.enlarging import enlarged
from fashion_gan.networks.heads import build_model
from fashion_gan.system.backends import seeded

ARCHITECTURES = {"transposed": transposed, "upsampling": upsampling, "dcgan": dcgan, "residual": residual}


def build_generator(config: Config, name: str = "generator") -> KerasModel:
    """Build a Keras model: latents (N, latent_dim) [and labels (N,)] -> images (N, H, W, C), float32 in [-1, 1]."""
    widened = dataclasses.replace(
        config, base_channels=config.base_channels * config.generator_width_factor, generator_width_factor=1
    )
    network = ARCHITECTURES[config.architecture].generator(widened.core, name)
    if config.center_images:
        network = build_model(network.inputs, center_images(network.outputs[0], name), name)
    return enlarged(network, config.image_size)


@seeded(0)
def build_generator_for_weights(config: Config, name: str = "generator") -> KerasModel:
    """``build_generator``, for a caller that replaces all weights. Leaves Python's random numbers as they are."""
    return build_generator(config, name)


def build_discriminator(config: Config, name: str = "discriminator") -> KerasModel:
    """Build a Keras model: images (N, H, W, C) in [-1, 1] [and labels (N,)] -> logits (N, 1), float32.

    With ``config.classifier_weight`` the model has a second output, the logits of the classes (N, classes).
    """
    return ARCHITECTURES[config.architecture].discriminator(config, name)
