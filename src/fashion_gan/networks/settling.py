"""Averaged weights -> the batch statistics that belong to them.

What batch norms note in training is how the weights as trained draw, which is noisier than how their average does; with
these notes, averaged as weights are, the average draws a little pale. So they are taken anew: Izmailov et al. 2018,
arXiv:1803.05407.
"""

import keras
import numpy as np
from keras import layers, ops

from fashion_gan.config import Config
from fashion_gan.latents import draw_inputs

PICTURES = 1024  # of 28×28; as many pixels of larger ones, for each pixel is counted by itself
FEWEST = 64
BATCH_SIZE = 256  # bounds the memory


def settle(generator: keras.Model, config: Config) -> None:
    """Give each batch norm the mean and the variance of what it sees when the generator draws, the first one first."""
    count = max(FEWEST, min(PICTURES, PICTURES * 28**2 // config.image_size**2))
    inputs = draw_inputs(count, config.latent_dim, len(config.class_names))
    for norm in generator.layers:
        if isinstance(norm, layers.BatchNormalization):
            mean, variance = _moments(keras.Model(generator.inputs, norm.input), inputs)
            norm.moving_mean.assign(mean)
            norm.moving_variance.assign(variance)


def _moments(probe: keras.Model, inputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Each channel's mean and variance, over all pictures and places."""
    channels = probe.outputs[0].shape[-1]
    sums, squares, count = np.zeros(channels), np.zeros(channels), 0
    for start in range(0, len(inputs[0]), BATCH_SIZE):
        part = [values[start : start + BATCH_SIZE] for values in inputs]
        seen = ops.convert_to_numpy(ops.cast(probe(part, training=False), "float32")).astype(np.float64)
        seen = seen.reshape(-1, channels)
        sums, squares, count = sums + seen.sum(axis=0), squares + np.square(seen).sum(axis=0), count + len(seen)
    mean = sums / count
    return mean, squares / count - np.square(mean)
