"""Gradient descent on latents: they are the weights of a network whose generator stays as it is."""

import keras
import numpy as np

from fashion_gan.arrays import Array, FloatImages, KerasModel, Labels, Latents, Shape, Tensor
from fashion_gan.networks.batch_norm_folding import fold_batch_norm
from fashion_gan.system.progress import bar
from fashion_gan.training.optimizers import Adam

LEARNING_RATE = 0.05
PICTURES_AT_ONCE = 64


class _LatentTable(keras.layers.Layer):
    """Latents as weights: positions (N,) -> the latents at these positions."""

    def __init__(self, latents: Latents) -> None:
        super().__init__(name="table")
        self._start = latents

    def build(self, shape: Shape) -> None:
        self.table = self.add_weight(name="table", shape=self._start.shape, initializer="zeros")
        self.table.assign(self._start)

    def call(self, positions: Tensor) -> Tensor:
        return keras.ops.take(self.table, positions, axis=0)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape, self._start.shape[1])


def descend(
    generator: KerasModel, targets: FloatImages, latents: Latents, labels: Labels | None, steps: int
) -> Latents:
    """Move latents by Adam, with a learning rate that falls to zero, so that the drawn pictures come nearer to targets.

    Args:
        generator: the Keras generator. Its weights stay as they are.
        targets: the pictures, (N, H, W, C) in [-1, 1].
        latents: where the descent starts, (N, latent_dim).
        labels: the class of each picture. None if the generator is unconditional.
        steps: number of steps, at least 1.

    Returns:
        float32 (N, latent_dim).

    Source: Creswell & Bharath 2018, arXiv:1611.05644.
    """
    generator = fold_batch_norm(generator)
    generator.trainable = False
    parts = []
    for start in range(0, len(latents), PICTURES_AT_ONCE):
        part = slice(start, start + PICTURES_AT_ONCE)
        parts.append(
            _descend_together(
                generator, targets[part], latents[part], labels if labels is None else labels[part], steps
            )
        )
    return np.concatenate(parts)


def _descend_together(
    generator: KerasModel, targets: FloatImages, latents: Latents, labels: Labels | None, steps: int
) -> Latents:
    positions: list[Array] = [np.arange(len(latents), dtype=np.int32)]
    inputs = [keras.Input((), dtype="int32", name="positions")]
    table = _LatentTable(latents)
    codes = table(inputs[0])
    if labels is not None:
        positions.append(labels)
        inputs.append(keras.Input((), dtype="int32", name="labels"))
        codes = [codes, inputs[1]]
    model = keras.Model(inputs, generator(codes))
    optimizer = Adam(LEARNING_RATE)
    model.compile(optimizer, loss="mean_squared_error")
    for step in bar(range(steps), "gradient descent", "steps"):
        optimizer.learning_rate = LEARNING_RATE * (1 - step / steps)
        model.train_on_batch(positions, targets)
    moved: Latents = keras.ops.convert_to_numpy(table.table)
    return moved
