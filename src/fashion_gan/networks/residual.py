"""Residual networks made for a CPU: all work at a quarter and a half of the size, pixel-shuffle to the whole.

A convolution at full size costs four times what it does at half size and adds little to a small picture, so both
networks fold 2×2 blocks of pixels into channels there (Shi et al. 2016, arXiv:1609.05158).
"""

from keras import initializers, layers, ops

from fashion_gan.config import Config
from fashion_gan.networks import conditioning as condition


def _modulated_norm(x, given, name: str):
    """Batch norm whose gains and shifts the latent and the class choose, at each layer anew.

    With the class alone it is de Vries et al. 2017, arXiv:1707.00683; with the latent, the self-modulation of Chen et
    al. 2019, arXiv:1810.01365. Without it the latent enters once, and what it says is forgotten on the way.
    """
    channels = x.shape[-1]
    x = layers.BatchNormalization(center=False, scale=False, name=name)(x)
    start = initializers.RandomNormal(stddev=0.02)
    gain = layers.Dense(channels, kernel_initializer=start, bias_initializer="ones", name=f"{name}_gain")(given)
    shift = layers.Dense(channels, kernel_initializer=start, name=f"{name}_shift")(given)
    x = layers.Multiply(name=f"{name}_scale")([x, layers.Reshape((1, 1, channels), name=f"{name}_gains")(gain)])
    return layers.Add(name=f"{name}_move")([x, layers.Reshape((1, 1, channels), name=f"{name}_shifts")(shift)])


def _generator_block(x, given, name: str):
    """x + conv(relu(norm(conv(relu(norm(x)))))): He et al. 2016, arXiv:1603.05027; half of the channels in between."""
    residual = x
    for half, channels in ((1, x.shape[-1] // 2), (2, x.shape[-1])):
        residual = _modulated_norm(residual, given, f"{name}_norm_{half}")
        residual = layers.ReLU(name=f"{name}_relu_{half}")(residual)
        residual = layers.Conv2D(channels, 3, padding="same", use_bias=False, name=f"{name}_conv_{half}")(residual)
    return layers.Add(name=f"{name}_add")([x, residual])


def _discriminator_block(x, name: str, between: int, last_start: str = "glorot_uniform"):
    """x + conv(relu(conv(relu(x)))), without normalisation; so many channels in between."""
    residual = x
    for half, channels, start in ((1, between, "glorot_uniform"), (2, x.shape[-1], last_start)):
        residual = layers.LeakyReLU(0.2, name=f"{name}_relu_{half}")(residual)
        convolution = layers.Conv2D(channels, 3, padding="same", kernel_initializer=start, name=f"{name}_conv_{half}")
        residual = convolution(residual)
    return layers.Add(name=f"{name}_add")([x, residual])


class _Variety(layers.Layer):
    """Add a channel that says how much an image's features differ from those of three others of its batch.

    So that a generator which draws one thing over and over is found out by that: Karras et al. 2018, arXiv:1710.10196.
    Outside of training, where an image is judged alone, the channel holds what was usual in training.
    """

    GROUP = 4

    def build(self, shape):
        self.usual = self.add_weight(name="usual", shape=(), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        count, *size = ops.shape(x)
        if training:
            values = ops.cast(x, "float32")
            # The batch's first images again, where there are not enough for the last group.
            values = ops.concatenate([values, values[: -count % self.GROUP]])
            groups = ops.reshape(values, (self.GROUP, -1, *size))
            deviation = ops.mean(ops.sqrt(ops.var(groups, axis=0) + 1e-8), axis=(1, 2, 3), keepdims=True)
            self.usual.assign(self.usual + 0.01 * (ops.mean(deviation) - self.usual))
            deviation = ops.tile(deviation, (self.GROUP, 1, 1, 1))[:count]
        else:
            deviation = ops.reshape(ops.cast(self.usual, "float32"), (1, 1, 1, 1))
        channel = ops.broadcast_to(deviation, (count, *size[:2], 1))
        return ops.concatenate([x, ops.cast(channel, x.dtype)], axis=-1)

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] + 1)


def _unfold_pixels(x, name: str):
    """(N, h, w, 4c) -> (N, 2h, 2w, c): channels become pixels, in plain layers that every file format knows.

    In float32, as images are whatever the precision of the layers before.
    """
    _, height, width, channels = x.shape
    x = layers.Reshape((height, width, 2, 2, channels // 4), dtype="float32", name=f"{name}_split")(x)
    x = layers.Permute((1, 3, 2, 4, 5), dtype="float32", name=f"{name}_interleave")(x)
    return layers.Reshape((2 * height, 2 * width, channels // 4), dtype="float32", name=f"{name}_unfold")(x)


def _fold_pixels(x, name: str):
    """(N, 2h, 2w, c) -> (N, h, w, 4c): the way back."""
    _, height, width, channels = x.shape
    x = layers.Reshape((height // 2, 2, width // 2, 2, channels), name=f"{name}_split")(x)
    x = layers.Permute((1, 3, 2, 4, 5), name=f"{name}_gather")(x)
    return layers.Reshape((height // 2, width // 2, 4 * channels), name=f"{name}_fold")(x)


def generator(config: Config, name: str):
    """Latents -> Dense and a block at a quarter of the size -> a block at half -> pixel-shuffle -> stretched tanh.

    A transposed convolution enlarges: it takes each pixel once, where upsampling and a convolution take it four times.
    """
    base, width = config.image_size // 4, config.width
    inputs, given = condition.latent_inputs(config, name)

    x = layers.Dense(base * base * 2 * width, name=f"{name}_dense")(given)
    x = layers.Reshape((base, base, 2 * width), name=f"{name}_reshape")(x)  # (N, 7, 7, 2w)
    x = _generator_block(x, given, f"{name}_quarter")
    enlarge = layers.Conv2DTranspose(width, 4, strides=2, padding="same", use_bias=False, name=f"{name}_enlarge")
    x = _generator_block(enlarge(x), given, f"{name}_half")  # (N, 14, 14, w)
    x = _modulated_norm(x, given, f"{name}_norm")
    x = layers.ReLU(name=f"{name}_relu")(x)
    x = layers.Conv2D(4 * config.channels, 3, padding="same", name=f"{name}_pixels")(x)
    # While the channels are many: on channels of one, ONNX Runtime takes pixel by pixel, thirty times as slowly.
    x = condition.squashed(x, name, reach=1.1)
    return condition.model(inputs, _unfold_pixels(x, name), name)  # (N, 28, 28, 1)


def _full_size_branch(images, width: int, name: str):
    """Images -> w channels for each pixel -> 2w at half of the size -> 4w at a quarter -> 128 features, first 0."""
    x = images
    for number, (channels, kernel, stride) in enumerate(((width, 3, 1), (2 * width, 4, 2), (4 * width, 4, 2))):
        convolution = layers.Conv2D(channels, kernel, stride, padding="same", name=f"{name}_full_conv_{number}")
        x = layers.LeakyReLU(0.2, name=f"{name}_full_relu_{number}")(convolution(x))
    x = layers.Flatten(name=f"{name}_full_flatten")(x)
    x = layers.Dense(128, activation="leaky_relu", name=f"{name}_full_features")(x)
    return layers.Dense(128, use_bias=False, kernel_initializer="zeros", name=f"{name}_full_out")(x)


def discriminator(config: Config, name: str):
    """Pixels folded into channels -> many channels at half of the size -> a block at a quarter -> one logit.

    With a ``config.discriminator_depth`` of 1 a block at half of the size too. With 2, for accelerators, two wide ones
    and another at a quarter besides, and a branch that sees single pixels, as any other network sees them that learns
    to tell generated pictures from real ones. All these start as if they were not there, so that a discriminator
    trained without them can be given them.
    """
    inputs, labels = condition.image_inputs(config)
    width, depth = config.width, config.discriminator_depth

    x = _fold_pixels(inputs[0], name)  # (N, 14, 14, 4)
    x = layers.Conv2D(3 * width // 2, 3, padding="same", name=f"{name}_pixels")(x)
    if depth >= 1:
        x = _discriminator_block(x, f"{name}_half", x.shape[-1] // 2, last_start="zeros")
    if depth >= 2:
        x = _discriminator_block(x, f"{name}_half2", 3 * width, last_start="zeros")
        x = _discriminator_block(x, f"{name}_half3", 3 * width, last_start="zeros")
    x = layers.LeakyReLU(0.2, name=f"{name}_relu")(x)
    x = layers.Conv2D(2 * width, 2, strides=2, padding="same", name=f"{name}_widen")(x)  # (N, 7, 7, 2w)
    x = _discriminator_block(x, f"{name}_quarter", width)
    if depth >= 2:
        x = _discriminator_block(x, f"{name}_quarter2", 4 * width, last_start="zeros")
    x = layers.LeakyReLU(0.2, name=f"{name}_features_relu")(x)
    x = _Variety(name=f"{name}_variety")(x)
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(128, activation="leaky_relu", name=f"{name}_features")(x)
    if depth >= 2:
        x = layers.Add(name=f"{name}_full_add")([x, _full_size_branch(inputs[0], width, name)])
    return condition.logit_model(config, inputs, x, labels, name)
