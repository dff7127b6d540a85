"""The DCGAN of Radford et al. 2015, arXiv:1511.06434. Its depth follows from the image size.

Unlike in the paper, the discriminator has no batch norm.
"""

from keras import initializers, layers

from fashion_gan.arrays import KerasModel
from fashion_gan.config import Config
from fashion_gan.networks import heads


def _initializer() -> initializers.Initializer:
    return initializers.RandomNormal(stddev=0.02)


def generator(config: Config, name: str) -> KerasModel:
    """Latents -> dense layer at the smallest size -> 4×4 transposed convolutions, each doubling the size -> tanh."""
    stages = len(config.stage_sizes)
    base, channels = config.image_size >> stages, config.base_channels << (stages - 1)
    inputs, x = heads.latent_inputs(config, name)

    x = layers.Dense(base * base * channels, use_bias=False, kernel_initializer=_initializer(), name=f"{name}_dense")(x)
    x = layers.Reshape((base, base, channels), name=f"{name}_reshape")(x)  # (N, 4, 4, 512) for 64 pixels
    x = layers.BatchNormalization(name=f"{name}_norm_0")(x)
    x = layers.ReLU(name=f"{name}_relu_0")(x)
    for stage in range(1, stages):
        channels //= 2
        x = layers.Conv2DTranspose(
            channels,
            4,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=_initializer(),
            name=f"{name}_conv_{stage}",
        )(x)
        x = layers.BatchNormalization(name=f"{name}_norm_{stage}")(x)
        x = layers.ReLU(name=f"{name}_relu_{stage}")(x)
    x = layers.Conv2DTranspose(
        config.channels, 4, strides=2, padding="same", kernel_initializer=_initializer(), name=f"{name}_conv_{stages}"
    )(x)  # (N, 64, 64, 1)
    return heads.build_model(inputs, heads.to_pixels(x, name), name)


def discriminator(config: Config, name: str) -> KerasModel:
    """4×4 convolutions, each halving the size -> one logit."""
    inputs, labels = heads.image_inputs(config)
    x = inputs[0]
    for stage in range(1, len(config.stage_sizes) + 1):
        channels = config.base_channels << (stage - 1)
        x = layers.Conv2D(
            channels, 4, strides=2, padding="same", kernel_initializer=_initializer(), name=f"{name}_conv_{stage}"
        )(x)
        x = layers.LeakyReLU(0.2, name=f"{name}_relu_{stage}")(x)
    x = layers.Flatten(name=f"{name}_flatten")(x)  # (N, 4·4·512) for 64 pixels
    return heads.logit_model(config, inputs, x, labels, name)
