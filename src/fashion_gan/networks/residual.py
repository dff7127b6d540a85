"""Residual networks made for a CPU. They work in stages: at half of the image's size, at a quarter, and so on.

A convolution at full size costs four times as much as one at half size and adds little to a small image. So the
discriminator folds each 2×2 block of pixels into channels, and the generator does the inverse (pixel shuffle: Shi et
al. 2016, arXiv:1609.05158). Each stage has twice the channels of the next larger one, up to a limit.
"""

from collections.abc import Callable
from typing import Any

from keras import initializers, layers, ops

from fashion_gan.arrays import KerasModel, Tensor
from fashion_gan.config import Config
from fashion_gan.networks import heads

Shape = tuple[Any, ...]

STAGES = ("half", "quarter", "8th", "16th", "32nd", "64th")
"""The names of the stages, the largest first."""

MAX_CHANNEL_FACTOR = 4
"""The channels of the smallest stages, as a multiple of those at half of the image's size."""


def _modulated_norm(x: Tensor, condition: Tensor, name: str) -> Tensor:
    """Batch norm whose gains and shifts are computed from the latent and the class.

    With the class it is the conditional batch norm of de Vries et al. 2017, arXiv:1707.00683; with the latent, the
    self-modulation of Chen et al. 2019, arXiv:1810.01365. Without self-modulation the latent enters only at the first
    layer, and later layers lose it.
    """
    channels = x.shape[-1]
    x = layers.BatchNormalization(center=False, scale=False, name=name)(x)
    initializer = initializers.RandomNormal(stddev=0.02)
    gain_layer = layers.Dense(channels, kernel_initializer=initializer, bias_initializer="ones", name=f"{name}_gain")
    shift_layer = layers.Dense(channels, kernel_initializer=initializer, name=f"{name}_shift")
    gain, shift = gain_layer(condition), shift_layer(condition)
    x = layers.Multiply(name=f"{name}_scale")([x, layers.Reshape((1, 1, channels), name=f"{name}_gains")(gain)])
    return layers.Add(name=f"{name}_move")([x, layers.Reshape((1, 1, channels), name=f"{name}_shifts")(shift)])


def _generator_block(x: Tensor, condition: Tensor, name: str) -> Tensor:
    """x + conv(relu(norm(conv(relu(norm(x)))))), with half of the channels in the middle.

    Source: He et al. 2016, arXiv:1603.05027.
    """
    residual = x
    for half, channels in ((1, x.shape[-1] // 2), (2, x.shape[-1])):
        residual = _modulated_norm(residual, condition, f"{name}_norm_{half}")
        residual = layers.ReLU(name=f"{name}_relu_{half}")(residual)
        residual = layers.Conv2D(channels, 3, padding="same", use_bias=False, name=f"{name}_conv_{half}")(residual)
    return layers.Add(name=f"{name}_add")([x, residual])


def _discriminator_block(
    x: Tensor, name: str, hidden_channels: int, last_initializer: str = "glorot_uniform"
) -> Tensor:
    """x + conv(lrelu(conv(lrelu(x)))), without normalization."""
    residual = x
    convolutions = ((1, hidden_channels, "glorot_uniform"), (2, x.shape[-1], last_initializer))
    for half, channels, initializer in convolutions:
        residual = layers.LeakyReLU(0.2, name=f"{name}_relu_{half}")(residual)
        convolution = layers.Conv2D(
            channels, 3, padding="same", kernel_initializer=initializer, name=f"{name}_conv_{half}"
        )
        residual = convolution(residual)
    return layers.Add(name=f"{name}_add")([x, residual])


class MinibatchStdDev(layers.Layer):
    """Append a channel with the standard deviation of the features over a group of four images of the batch.

    It shows the discriminator when a generator repeats one image (Karras et al. 2018, arXiv:1710.10196). Outside of
    training each image is judged by itself, and the channel holds the moving average of the deviations in training.

    Attributes:
        place_groups: on several devices, what gives each of them whole groups; see ``training.device_layout``.
    """

    GROUP = 4
    place_groups: Callable[[Tensor], Tensor] | None = None

    def build(self, shape: Shape) -> None:
        self.usual = self.add_weight(name="usual", shape=(), initializer="zeros", trainable=False)

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        count, *size = ops.shape(x)
        if training:
            values = ops.cast(x, "float32")
            # Repeat the batch's first images if there are too few for the last group.
            values = ops.concatenate([values, values[: -count % self.GROUP]])
            groups = ops.reshape(values, (self.GROUP, -1, *size))
            if self.place_groups is not None:
                groups = self.place_groups(groups)
            deviation = ops.mean(ops.sqrt(ops.var(groups, axis=0) + 1e-8), axis=(1, 2, 3), keepdims=True)
            self.usual.assign(self.usual + 0.01 * (ops.mean(deviation) - self.usual))
            deviation = ops.tile(deviation, (self.GROUP, 1, 1, 1))[:count]
        else:
            deviation = ops.reshape(ops.cast(self.usual, "float32"), (1, 1, 1, 1))
        channel = ops.broadcast_to(deviation, (count, *size[:2], 1))
        return ops.concatenate([x, ops.cast(channel, x.dtype)], axis=-1)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], shape[-1] + 1)


def _channels_to_pixels(x: Tensor, name: str) -> Tensor:
    """(N, h, w, 4c) -> (N, 2h, 2w, c), in plain layers that every file format knows.

    The output is float32 even under mixed precision.
    """
    _, height, width, channels = x.shape
    x = layers.Reshape((height, width, 2, 2, channels // 4), dtype="float32", name=f"{name}_split")(x)
    x = layers.Permute((1, 3, 2, 4, 5), dtype="float32", name=f"{name}_interleave")(x)
    return layers.Reshape((2 * height, 2 * width, channels // 4), dtype="float32", name=f"{name}_unfold")(x)


def pixels_to_channels(x: Tensor, name: str) -> Tensor:
    """(N, 2h, 2w, c) -> (N, h, w, 4c): the inverse of ``_channels_to_pixels``."""
    _, height, width, channels = x.shape
    x = layers.Reshape((height // 2, 2, width // 2, 2, channels), name=f"{name}_split")(x)
    x = layers.Permute((1, 3, 2, 4, 5), name=f"{name}_gather")(x)
    return layers.Reshape((height // 2, width // 2, 4 * channels), name=f"{name}_fold")(x)


def _stages(config: Config) -> list[tuple[str, int, int]]:
    """The name, the size and the number of channels of each stage, the largest first."""
    return [
        (stage, size, config.base_channels * min(2**number, MAX_CHANNEL_FACTOR))
        for number, (stage, size) in enumerate(zip(STAGES, config.stage_sizes, strict=False))
    ]


def generator(config: Config, name: str) -> KerasModel:
    """Latents -> dense layer and a block at the smallest stage -> a block at each larger one -> tanh -> pixel shuffle.

    A transposed convolution enlarges the features. It reads each pixel once; upsampling followed by a convolution reads
    each four times.
    """
    inputs, condition = heads.latent_inputs(config, name)
    (stage, size, channels), *larger = reversed(_stages(config))

    x = layers.Dense(size * size * channels, name=f"{name}_dense")(condition)
    x = layers.Reshape((size, size, channels), name=f"{name}_reshape")(x)  # (N, 7, 7, 2c) for 28 pixels
    x = _generator_block(x, condition, f"{name}_{stage}")
    for stage, _, channels in larger:
        layer_name = f"{name}_enlarge" if stage == "half" else f"{name}_enlarge_{stage}"
        enlarge = layers.Conv2DTranspose(channels, 4, strides=2, padding="same", use_bias=False, name=layer_name)
        x = _generator_block(enlarge(x), condition, f"{name}_{stage}")  # (N, 14, 14, c) at the end, for 28 pixels
    x = _modulated_norm(x, condition, f"{name}_norm")
    x = layers.ReLU(name=f"{name}_relu")(x)
    x = layers.Conv2D(4 * config.channels, 3, padding="same", name=f"{name}_pixels")(x)
    # The tanh comes before the pixel shuffle: on tensors with one channel, ONNX Runtime is thirty times as slow.
    x = heads.to_pixels(x, name, gain=1.1)
    return heads.build_model(inputs, _channels_to_pixels(x, name), name)  # (N, 28, 28, 1)


def _full_size_branch(images: Tensor, channels: int, name: str) -> Tensor:
    """Images -> c channels at full size -> 2c at half -> 4c at a quarter -> 128 features, initially zero."""
    x = images
    convolutions = ((channels, 3, 1), (2 * channels, 4, 2), (4 * channels, 4, 2))
    for number, (filters, kernel_size, strides) in enumerate(convolutions):
        convolution = layers.Conv2D(filters, kernel_size, strides, padding="same", name=f"{name}_full_conv_{number}")
        x = layers.LeakyReLU(0.2, name=f"{name}_full_relu_{number}")(convolution(x))
    x = layers.Flatten(name=f"{name}_full_flatten")(x)
    x = layers.Dense(128, activation="leaky_relu", name=f"{name}_full_features")(x)
    return layers.Dense(128, use_bias=False, kernel_initializer="zeros", name=f"{name}_full_out")(x)


def discriminator(config: Config, name: str) -> KerasModel:
    """Pixels folded into channels -> convolutions at half of the size -> a block at each smaller stage -> one logit.

    A ``config.discriminator_depth`` of 1 adds a block at half of the size. A depth of 2, for accelerators, adds two
    wide blocks there, one more at a quarter, and a branch that sees single pixels, as does every other network that
    learns to separate generated images from real ones. The added parts output zero at the start, so that they can be
    added to a discriminator that was trained without them.
    """
    inputs, labels = heads.image_inputs(config)
    base_channels, depth = config.base_channels, config.discriminator_depth

    x = pixels_to_channels(inputs[0], name)  # (N, 14, 14, 4) for 28 pixels
    x = layers.Conv2D(3 * base_channels // 2, 3, padding="same", name=f"{name}_pixels")(x)
    if depth >= 1:
        x = _discriminator_block(x, f"{name}_half", x.shape[-1] // 2, last_initializer="zeros")
    if depth >= 2:
        x = _discriminator_block(x, f"{name}_half2", 3 * base_channels, last_initializer="zeros")
        x = _discriminator_block(x, f"{name}_half3", 3 * base_channels, last_initializer="zeros")
    for stage, _, channels in _stages(config)[1:]:
        suffix = "" if stage == "quarter" else f"_{stage}"
        x = layers.LeakyReLU(0.2, name=f"{name}_relu{suffix}")(x)
        x = layers.Conv2D(channels, 2, strides=2, padding="same", name=f"{name}_widen{suffix}")(x)  # (N, 7, 7, 2c)
        x = _discriminator_block(x, f"{name}_{stage}", channels // 2)
        if depth >= 2 and stage == "quarter":
            x = _discriminator_block(x, f"{name}_quarter2", 4 * base_channels, last_initializer="zeros")
    x = layers.LeakyReLU(0.2, name=f"{name}_features_relu")(x)
    x = MinibatchStdDev(name=f"{name}_variety")(x)
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(128, activation="leaky_relu", name=f"{name}_features")(x)
    if depth >= 2:
        x = layers.Add(name=f"{name}_full_add")([x, _full_size_branch(inputs[0], base_channels, name)])
    return heads.logit_model(config, inputs, x, labels, name)
