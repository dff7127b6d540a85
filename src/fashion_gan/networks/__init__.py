"""The families of networks; the file of each builds a generator and a discriminator from a ``Config``.

Every layer's name starts with its network's, so that variable paths are unique and tell the networks apart.
Dropout has a seed of its own: on PyTorch Keras draws an unseeded one outside of the model's state, where a resumed run
does not find it and the gradient penalty's two points get different units.
"""

import dataclasses

from fashion_gan.config import Config
from fashion_gan.networks import dcgan, residual, transposed, upsampling
from fashion_gan.networks.centring import centred
from fashion_gan.networks.conditioning import model

FAMILIES = {"transposed": transposed, "upsampling": upsampling, "dcgan": dcgan, "residual": residual}


def build_generator(config: Config, name: str = "generator"):
    """A Keras model: latents (N, latent_dim) [and labels (N,)] -> images (N, H, W, C), float32 in [-1, 1]."""
    widened = dataclasses.replace(config, width=config.width * config.generator_widening)
    network = FAMILIES[config.family].generator(widened, name)
    return model(network.inputs, centred(network.outputs[0], name), name) if config.centre else network


def build_discriminator(config: Config, name: str = "discriminator"):
    """A Keras model: images (N, H, W, C) in [-1, 1] [and labels (N,)] -> logits (N, 1) [and of classes], float32."""
    return FAMILIES[config.family].discriminator(config, name)
