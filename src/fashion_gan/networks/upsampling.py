"""The GAN of many notebooks: nearest-neighbor upsampling and 3×3 convolutions (Odena et al. 2016).

A convolution before a batch norm has no bias, because the norm would cancel it.
"""

from keras import layers

from fashion_gan.arrays import KerasModel
from fashion_gan.config import Config
from fashion_gan.networks import heads


def generator(config: Config, name: str) -> KerasModel:
    """Latents -> dense layer at a quarter of the size -> twice (upsample, 3×3 convolution, norm) -> tanh."""
    base, width = config.image_size // 4, config.base_channels
    inputs, x = heads.latent_inputs(config, name)

    x = layers.Dense(base * base * 2 * width, activation="relu", name=f"{name}_dense")(x)
    x = layers.Reshape((base, base, 2 * width), name=f"{name}_reshape")(x)  # (N, 7, 7, 128)
    for stage, channels in enumerate((2 * width, width), start=1):  # (N, 28, 28, 64) at the end
        x = layers.UpSampling2D(name=f"{name}_upsample_{stage}")(x)
        x = layers.Conv2D(channels, 3, padding="same", use_bias=False, name=f"{name}_conv_{stage}")(x)
        x = layers.BatchNormalization(momentum=0.8, name=f"{name}_norm_{stage}")(x)
        x = layers.ReLU(name=f"{name}_relu_{stage}")(x)
    x = layers.Conv2D(config.channels, 3, padding="same", name=f"{name}_conv_3")(x)  # (N, 28, 28, 1)
    return heads.build_model(inputs, heads.to_pixels(x, name), name)


def discriminator(config: Config, name: str) -> KerasModel:
    """Four 3×3 convolutions, three of them strided, with batch norm and dropout -> one logit."""
    inputs, labels = heads.image_inputs(config)
    x, width = inputs[0], config.base_channels
    for stage, (channels, strides) in enumerate([(width // 2, 2), (width, 2), (2 * width, 2), (4 * width, 1)], start=1):
        normalized = stage > 1  # A batch norm in the first layer makes training unstable (Radford et al. 2015).
        x = layers.Conv2D(
            channels, 3, strides=strides, padding="same", use_bias=not normalized, name=f"{name}_conv_{stage}"
        )(x)
        if normalized:
            x = layers.BatchNormalization(momentum=0.8, name=f"{name}_norm_{stage}")(x)
        x = layers.LeakyReLU(0.2, name=f"{name}_relu_{stage}")(x)
        x = layers.Dropout(0.25, seed=config.seed + stage, name=f"{name}_dropout_{stage}")(x)
    x = layers.Flatten(name=f"{name}_flatten")(x)
    return heads.logit_model(config, inputs, x, labels, name)
