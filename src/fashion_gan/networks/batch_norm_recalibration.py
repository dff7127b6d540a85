"""Recompute the batch norm statistics of averaged weights (Izmailov et al. 2018, arXiv:1803.05407).

During training, batch norms record statistics of the trained weights. They do not fit the averaged weights, whose
images would look pale with them.
"""

import keras
import numpy as np
from keras import layers, ops

from fashion_gan.arrays import Array, Floats, KerasModel
from fashion_gan.config import Config
from fashion_gan.latents import draw_inputs

MAX_IMAGES = 1024  # For 28×28 pixels. Fewer images are enough if they are larger: every pixel counts as a sample.
MIN_IMAGES = 64
BATCH_SIZE = 256  # bounds the memory


def recalibration_inputs(config: Config) -> list[Array]:
    """The generator inputs for recalibration: latents and, if conditional, labels that cycle through the classes."""
    count = max(MIN_IMAGES, min(MAX_IMAGES, MAX_IMAGES * 28**2 // config.core.image_size**2))
    return draw_inputs(count, config.latent_dim, len(config.class_names))


def recalibrate_batch_norm(generator: KerasModel, inputs: list[Array]) -> None:
    """Set each batch norm's mean and variance to those of its own input, from the first norm to the last.

    Args:
        generator: the model whose statistics are replaced.
        inputs: the generator's inputs, see ``recalibration_inputs``.
    """
    for norm in generator.layers:
        if isinstance(norm, layers.BatchNormalization):
            mean, variance = _moments(keras.Model(generator.inputs, norm.input), inputs)
            norm.moving_mean.assign(mean)
            norm.moving_variance.assign(variance)


def _moments(network: KerasModel, inputs: list[Array]) -> tuple[Floats, Floats]:
    """The mean and variance of each channel of a network's output, over all images and positions."""
    channels = network.outputs[0].shape[-1]
    sums, squares, count = np.zeros(channels), np.zeros(channels), 0
    for start in range(0, len(inputs[0]), BATCH_SIZE):
        batch = [values[start : start + BATCH_SIZE] for values in inputs]
        outputs = ops.convert_to_numpy(ops.cast(network(batch, training=False), "float32")).astype(np.float64)
        outputs = outputs.reshape(-1, channels)
        sums, squares, count = (
            sums + outputs.sum(axis=0),
            squares + np.square(outputs).sum(axis=0),
            count + len(outputs),
        )
    mean = sums / count
    return mean, squares / count - np.square(mean)
