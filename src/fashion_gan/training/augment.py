"""Differentiable augmentation of the images that the discriminator sees. It grows as the discriminator overfits.

With few training images the discriminator memorizes them, and its gradient stops being useful. It cannot memorize
images that are flipped, shifted and partly cut out (Zhao et al. 2020, arXiv:2006.10738). While the probability of each
change stays clearly below one, the generator does not learn to draw the changes (Karras et al. 2020, arXiv:2006.06676).
"""

import keras
from keras import ops

from fashion_gan.arrays import Tensor

MAX_SHIFT = 1 / 8  # of the image's size
CUTOUT_SIZE = 1 / 2  # of the image's size
# The target of E[sign D(real)], which is 0 without overfitting, and 1 if D recognizes every real image.
TARGET_OVERFITTING = 0.3
IMAGES_TO_FULL_PROBABILITY = 100_000  # images seen while the probability rises from 0 to 1


class Augmentation(keras.layers.Layer):
    """Flip, shift and cut images at random, with a probability that follows the discriminator's overfitting.

    Args:
        seed: seed of the random changes.
    """

    def __init__(self, seed: int = 0, **options: object) -> None:
        super().__init__(**options)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.probability = self.add_weight(name="probability", shape=(), initializer="zeros", trainable=False)
        self.built = True  # Its only weight does not depend on an input shape.

    def call(self, images: Tensor) -> Tensor:
        """Apply each change to each image (N, H, W, C) in [-1, 1] with the current probability."""
        return self._cut(self._shift(self._flip(images)))

    def update_probability(self, real_logits: Tensor) -> None:
        """Raise the probability if more than 65% of the real images have a logit above 0; lower it otherwise."""
        overfitting = ops.mean(ops.sign(real_logits))
        step = ops.sign(overfitting - TARGET_OVERFITTING) * ops.shape(real_logits)[0] / IMAGES_TO_FULL_PROBABILITY
        self.probability.assign(ops.clip(self.probability + step, 0.0, 1.0))

    def _select(self, count: int, fraction: float = 1.0) -> Tensor:
        """Select images at random: a mask (N, 1), 1 with ``fraction`` times the current probability and otherwise 0."""
        return ops.cast(
            keras.random.uniform((count, 1), seed=self.seed_generator) < fraction * self.probability, "float32"
        )

    def _flip(self, images: Tensor) -> Tensor:
        selected = self._select(ops.shape(images)[0], fraction=0.5)[:, :, None, None]
        return selected * ops.flip(images, axis=2) + (1.0 - selected) * images

    def _shift(self, images: Tensor) -> Tensor:
        count, (height, width) = ops.shape(images)[0], images.shape[1:3]
        selected = self._select(count)
        for axis, size in ((1, height), (2, width)):
            limit = int(size * MAX_SHIFT)
            # Rounded to whole pixels, so that each shift has the same probability.
            shift = ops.round(keras.random.uniform((count, 1), -limit - 0.499, limit + 0.499, seed=self.seed_generator))
            # The source of each row or column, (N, size).
            sources = ops.arange(size, dtype="float32")[None] - shift * selected
            inside = ops.cast((sources >= 0) & (sources < size), "float32")
            shape = (-1, size, 1, 1) if axis == 1 else (-1, 1, size, 1)
            sources = ops.reshape(ops.cast(ops.clip(sources, 0, size - 1), "int32"), shape)
            inside = ops.reshape(inside, shape)
            # Pixels from outside the image are black.
            images = inside * (ops.take_along_axis(images, sources, axis=axis) + 1.0) - 1.0
        return images

    def _cut(self, images: Tensor) -> Tensor:
        count, (height, width) = ops.shape(images)[0], images.shape[1:3]
        selected = self._select(count)
        inside = []
        for size in (height, width):
            center = keras.random.uniform((count, 1), 0, size, seed=self.seed_generator)
            distance = ops.abs(ops.arange(size, dtype="float32")[None] + 0.5 - center)
            inside.append(ops.cast(distance < size * CUTOUT_SIZE / 2, "float32"))
        hole = selected[:, :, None, None] * inside[0][:, :, None, None] * inside[1][:, None, :, None]
        return images * (1.0 - hole)  # A cutout is gray, the middle of the range.
