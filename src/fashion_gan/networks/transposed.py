"""The transposed-convolution DCGAN of the TensorFlow tutorial (Radford et al. 2015, arXiv:1511.06434)."""

from keras import layers

from fashion_gan.arrays import KerasModel
from fashion_gan.config import Config
from fashion_gan.networks import heads


def generator(config: Config, name: str) -> KerasModel:
    """Latents -> dense layer at a quarter of the size -> three 5×5 transposed convolutions -> tanh."""
    base, width = config.image_size // 4, config.base_channels
    inputs, x = heads.latent_inputs(config, name)

    x = layers.Dense(base * base * 4 * width, use_bias=False, name=f"{name}_dense")(x)
    x = layers.BatchNormalization(name=f"{name}_norm_0")(x)
    x = layers.LeakyReLU(0.3, name=f"{name}_relu_0")(x)
    x = layers.Reshape((base, base, 4 * width), name=f"{name}_reshape")(x)  # (N, 7, 7, 256)
    for stage, (channels, strides) in enumerate([(2 * width, 1), (width, 2)], start=1):  # (N, 14, 14, 64) at the end
        x = layers.Conv2DTranspose(
            channels, 5, strides=strides, padding="same", use_bias=False, name=f"{name}_conv_{stage}"
        )(x)
        x = layers.BatchNormalization(name=f"{name}_norm_{stage}")(x)
        x = layers.LeakyReLU(0.3, name=f"{name}_relu_{stage}")(x)
    x = layers.Conv2DTranspose(config.channels, 5, strides=2, padding="same", use_bias=False, name=f"{name}_conv_3")(
        x
    )  # (N, 28, 28, 1)
    return heads.build_model(inputs, heads.to_pixels(x, name), name)


def discriminator(config: Config, name: str) -> KerasModel:
    """Two strided 5×5 convolutions with dropout -> one logit."""
    inputs, labels = heads.image_inputs(config)
    x = inputs[0]
    for stage, channels in enumerate((config.base_channels, 2 * config.base_channels), start=1):
        x = layers.Conv2D(channels, 5, strides=2, padding="same", name=f"{name}_conv_{stage}")(x)
        x = layers.LeakyReLU(0.3, name=f"{name}_relu_{stage}")(x)
        x = layers.Dropout(0.3, seed=config.seed + stage, name=f"{name}_dropout_{stage}")(x)
    x = layers.Flatten(name=f"{name}_flatten")(x)
    return heads.logit_model(config, inputs, x, labels, name)
