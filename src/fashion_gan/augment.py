"""Differentiable augmentation of what the discriminator sees, as much of it as the discriminator overfits.

With few training images the discriminator learns them by heart, and its gradient says nothing any more. Shown real and
generated images flipped, moved and with a part cut out, it cannot (Zhao et al. 2020, arXiv:2006.10738); changed with a
probability below one, the generator does not learn the changes themselves (Karras et al. 2020, arXiv:2006.06676).
"""

import keras
from keras import ops

SHIFT_SHARE = 8  # images move by up to an eighth of their size
CUT_SHARE = 2  # the square that is cut out is half of their size
TARGET = 0.3  # of E[sign D(real)], which is 0 where real images are not known again, and 1 where all are
IMAGES_TO_FULL = 100_000  # seen while the probability goes from 0 to 1


class Augmentation(keras.layers.Layer):
    """Change images at random, with a probability that follows the discriminator's overfitting.

    Args:
        seed: of the changes.
    """

    def __init__(self, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.seeds = keras.random.SeedGenerator(seed)
        self.probability = self.add_weight(name="probability", shape=(), initializer="zeros", trainable=False)
        self.built = True  # It has no weights that wait for a shape.

    def call(self, images):
        """Images (N, H, W, C) in [-1, 1] -> as many, each change made to each with the present probability."""
        return self._cut(self._shift(self._flip(images)))

    def follow(self, real_logits):
        """Raise the probability where more than 65 % of the real images are taken for real, else lower it."""
        overfitting = ops.mean(ops.sign(real_logits))
        step = ops.sign(overfitting - TARGET) * ops.shape(real_logits)[0] / IMAGES_TO_FULL
        self.probability.assign(ops.clip(self.probability + step, 0.0, 1.0))

    def _chosen(self, count, share=1.0):
        """For each image 1 with the present probability, times ``share``, else 0: (N, 1)."""
        return ops.cast(keras.random.uniform((count, 1), seed=self.seeds) < share * self.probability, "float32")

    def _flip(self, images):
        flipped = self._chosen(ops.shape(images)[0], share=0.5)[:, :, None, None]
        return flipped * ops.flip(images, axis=2) + (1.0 - flipped) * images

    def _shift(self, images):
        count, (height, width) = ops.shape(images)[0], images.shape[1:3]
        chosen = self._chosen(count)
        for axis, size in ((1, height), (2, width)):
            most = size // SHIFT_SHARE
            # The nearest whole number: each shift is as likely.
            by = ops.round(keras.random.uniform((count, 1), -most - 0.499, most + 0.499, seed=self.seeds)) * chosen
            places = ops.arange(size, dtype="float32")[None] - by  # (N, size), where each row or column comes from
            inside = ops.cast((places >= 0) & (places < size), "float32")
            shape = (-1, size, 1, 1) if axis == 1 else (-1, 1, size, 1)
            places = ops.reshape(ops.cast(ops.clip(places, 0, size - 1), "int32"), shape)
            inside = ops.reshape(inside, shape)
            # Black comes in from outside.
            images = inside * (ops.take_along_axis(images, places, axis=axis) + 1.0) - 1.0
        return images

    def _cut(self, images):
        count, (height, width) = ops.shape(images)[0], images.shape[1:3]
        chosen = self._chosen(count)
        inside = []
        for size in (height, width):
            middle = keras.random.uniform((count, 1), 0, size, seed=self.seeds)
            distance = ops.abs(ops.arange(size, dtype="float32")[None] + 0.5 - middle)
            inside.append(ops.cast(distance < size / CUT_SHARE / 2, "float32"))
        hole = chosen[:, :, None, None] * inside[0][:, :, None, None] * inside[1][:, None, :, None]
        return images * (1.0 - hole)  # grey, the middle of the range
