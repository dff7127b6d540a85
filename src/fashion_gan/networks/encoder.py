"""An encoder: images -> the latents, and the class, that a generator would draw them from."""

from keras import layers

from fashion_gan.arrays import KerasModel, Tensor
from fashion_gan.config import Config
from fashion_gan.networks.heads import build_model
from fashion_gan.networks.residual import pixels_to_channels

CHANNELS = 32  # at half of the image's size
MAX_CHANNELS = 96
SMALLEST_SIZE = 8  # pixels. Features are halved until they are no larger.
BLOCKS = 2  # at each size below half of the image's
FEATURES = 256


def build_encoder(config: Config, name: str = "encoder") -> KerasModel:
    """Build a Keras model: images (N, H, W, C) in [-1, 1] -> latents (N, latent_dim) [and class logits (N, classes)].

    Convolutions at half of the image's size and below, as in the residual discriminator, with batch norm.

    Args:
        config: the configuration of the generator whose latents it finds.
        name: the model's name.

    Source: Zhu et al. 2016, arXiv:1609.03552, sections 3.1 and 3.2, for an encoder that starts a search.
    """
    images = layers.Input((config.image_size, config.image_size, config.channels), name="images")
    x = pixels_to_channels(images, name)
    x = layers.Conv2D(CHANNELS, 3, padding="same", name=f"{name}_pixels")(x)
    x = _block(x, f"{name}_half")
    number = 0
    while x.shape[1] > SMALLEST_SIZE:
        number += 1
        channels = min(2 ** (number - 1) * 3 * CHANNELS, MAX_CHANNELS)
        x = layers.Conv2D(channels, 2, strides=2, padding="same", name=f"{name}_widen_{number}")(x)
        for block in range(BLOCKS):
            x = _block(x, f"{name}_stage_{number}_{block}")
    x = _activate(x, f"{name}_last")
    x = layers.Conv2D(CHANNELS, 1, use_bias=False, name=f"{name}_narrow")(x)
    x = layers.Flatten(name=f"{name}_flatten")(_activate(x, f"{name}_narrow"))
    x = layers.Dense(FEATURES, use_bias=False, name=f"{name}_features")(x)
    x = _activate(x, f"{name}_features")
    outputs = [layers.Dense(config.latent_dim, name="latents")(x)]
    if config.class_names:
        outputs.append(layers.Dense(len(config.class_names), name="class_logits")(x))
    return build_model([images], outputs if len(outputs) > 1 else outputs[0], name)


def _activate(x: Tensor, name: str) -> Tensor:
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _block(x: Tensor, name: str) -> Tensor:
    """x + conv(relu(norm(conv(relu(norm(x)))))), with half of the channels in the middle."""
    channels, residual = x.shape[-1], x
    for half, filters in ((1, channels // 2), (2, channels)):
        residual = _activate(residual, f"{name}_{half}")
        residual = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv_{half}")(residual)
    return layers.Add(name=f"{name}_add")([x, residual])
