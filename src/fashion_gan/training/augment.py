"""Differentiable augmentation of the images that the discriminator sees. It grows as the discriminator overfits.

With few training images the discriminator memorizes them, and its gradient stops being useful. It cannot memorize
images that are moved, recolored and partly cut out (Zhao et al. 2020, arXiv:2006.10738). While the probability of each
change stays clearly below one, the generator does not learn to draw the changes (Karras et al. 2020, arXiv:2006.06676).

Overfitting is measured in one of two ways, both from the second paper:

- r_v = (E[D(training)] - E[D(held out)]) / (E[D(training)] - E[D(generated)]), if some pictures are held out. It is 0
  if the discriminator rates held-out pictures like training pictures, and 1 if it rates them like generated ones.
- r_t = E[sign D(training)], if none are. It is 0 without overfitting, and 1 if every training picture is recognized.
"""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from fashion_gan.arrays import Tensor

MAX_SHIFT = 1 / 8  # of the image's size
CUTOUT_SIZE = 1 / 2  # of the image's size
MAX_BRIGHTNESS = 0.5  # added or subtracted, for pixels in [-1, 1]
SATURATION = (0.0, 2.0)  # factors of the distance to gray
CONTRAST = (0.5, 1.5)  # factors of the distance to the image's mean
TARGET_SIGN = 0.3  # of r_t
TARGET_HELD_OUT = 0.5  # of r_v: D rates held-out pictures halfway between training pictures and generated ones
IMAGES_TO_FULL_PROBABILITY = 100_000  # images seen while the probability rises from 0 to 1
MEASURE_EVERY_STEPS = 16  # steps between two batches of held-out pictures
MEAN_DECAY = 0.9  # per measurement, of the running means. They cover about ten measurements.


class Augmentation(keras.layers.Layer):
    """Change images at random, each change with a probability that follows the discriminator's overfitting.

    The changes, in the order in which they are applied:

    - mirror: swap left and right. At probability 1, half of the images are mirrored.
    - brightness: add a number from -0.5 to 0.5 to all pixels.
    - saturation: scale the distance of each pixel's colors to their mean by a factor from 0 to 2.
    - contrast: scale the distance of all colors to the image's mean by a factor from 0.5 to 1.5.
    - shift: move the content by up to an eighth of the size. The border becomes black, and transparent.
    - cutout: cover a part with gray. It is half as high and half as wide as the image.

    Opacity, the fourth channel, is moved and cut like the colors. The changes of color leave it as it is.

    Args:
        seed: seed of the random changes.
        changes: the names of the changes to use.
        uses_held_out: measure overfitting by r_v, from held-out pictures, and not by r_t.

    Attributes:
        is_split: whether several devices have parts of the images, and gather rows only from their own.
    """

    is_split = False

    def __init__(
        self,
        seed: int = 0,
        changes: Sequence[str] = ("mirror", "shift", "cutout"),
        *,
        uses_held_out: bool = False,
        **options: object,
    ) -> None:
        super().__init__(**options)
        self.changes = tuple(changes)
        self.uses_held_out = uses_held_out
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.probability = self._add_number("probability")
        # Running means of the logits. They start at 0 and grow alike, which cancels out in r_v.
        names = ("mean_training", "mean_held_out", "mean_generated") if uses_held_out else ()
        self.means = [self._add_number(name) for name in names]
        self.built = True  # Its weights do not depend on an input shape.

    def _add_number(self, name: str) -> keras.Variable:
        return self.add_weight(name=name, shape=(), initializer="zeros", trainable=False)

    def call(self, images: Tensor) -> Tensor:
        """Apply each change to each image (N, H, W, C) in [-1, 1] with the current probability."""
        for name, change in CHANGES.items():
            if name in self.changes:
                images = change(self, images)
        return images

    # ---- The probability ----

    def update_probability(self, real_logits: Tensor) -> None:
        """Steer by r_t: raise the probability if over 65% of the training images have a logit above 0, or lower it."""
        self._move(ops.mean(ops.sign(real_logits)) - TARGET_SIGN, ops.shape(real_logits)[0])

    def update_means(self, is_due: Tensor, training: Tensor, generated: Tensor, held_out: Callable[[], Tensor]) -> None:
        """Steer by r_v: raise the probability if it is above 0.5, or lower it.

        Args:
            is_due: whether this step measures. At other steps the probability moves on in its direction.
            training, generated: logits (N, 1) of the step's training images and generated images.
            held_out: computes the logits (N, 1) of held-out images. It is called only if a measurement is due.
        """
        before = [ops.copy(mean) for mean in self.means]

        def measure() -> list[Tensor]:
            now = [ops.mean(logits) for logits in (training, held_out(), generated)]
            return [value + MEAN_DECAY * (mean - value) for mean, value in zip(before, now, strict=True)]

        means = ops.cond(is_due, measure, lambda: before)
        for variable, mean in zip(self.means, means, strict=True):
            variable.assign(mean)
        spread = means[0] - means[2]
        # Multiplied by the spread, so that there is no division by 0. D that rates generated images higher than
        # training images has not memorized those.
        excess = ops.where(spread > 0, (means[0] - means[1]) - TARGET_HELD_OUT * spread, -1.0)
        self._move(excess, ops.shape(training)[0])

    def _move(self, excess: Tensor, images: Tensor) -> None:
        """Raise the probability if the overfitting exceeds its target, or lower it, by a step for these images."""
        step = ops.sign(excess) * images / IMAGES_TO_FULL_PROBABILITY
        self.probability.assign(ops.clip(self.probability + step, 0.0, 1.0))

    # ---- The changes ----

    def _select(self, count: int, fraction: float = 1.0) -> Tensor:
        """Select images at random: a mask (N, 1), 1 with ``fraction`` times the current probability and otherwise 0."""
        return ops.cast(
            keras.random.uniform((count, 1), seed=self.seed_generator) < fraction * self.probability, "float32"
        )

    def _mirror(self, images: Tensor) -> Tensor:
        selected = self._select(ops.shape(images)[0], fraction=0.5)[:, :, None, None]
        return selected * ops.flip(images, axis=2) + (1.0 - selected) * images

    def _draw(self, count: int, lowest: float, highest: float, unchanged: float) -> Tensor:
        """A random number for each image (N, 1, 1, 1): from the range if it is selected, else ``unchanged``."""
        selected = self._select(count)
        numbers = keras.random.uniform((count, 1), lowest, highest, seed=self.seed_generator)
        return (unchanged + selected * (numbers - unchanged))[:, :, None, None]

    def _brighten(self, images: Tensor) -> Tensor:
        offset = self._draw(ops.shape(images)[0], -MAX_BRIGHTNESS, MAX_BRIGHTNESS, unchanged=0.0)
        return _on_colors(images, lambda colors: colors + offset)

    def _saturate(self, images: Tensor) -> Tensor:
        factor = self._draw(ops.shape(images)[0], *SATURATION, unchanged=1.0)
        return _on_colors(images, lambda colors: _scale(colors, ops.mean(colors, axis=3, keepdims=True), factor))

    def _scale_contrast(self, images: Tensor) -> Tensor:
        factor = self._draw(ops.shape(images)[0], *CONTRAST, unchanged=1.0)
        return _on_colors(
            images, lambda colors: _scale(colors, ops.mean(colors, axis=(1, 2, 3), keepdims=True), factor)
        )

    def _shift(self, images: Tensor) -> Tensor:
        selected = self._select(ops.shape(images)[0])
        images = self._shift_rows(images, selected)
        return ops.transpose(self._shift_rows(ops.transpose(images, (0, 2, 1, 3)), selected), (0, 2, 1, 3))

    def _shift_rows(self, images: Tensor, selected: Tensor) -> Tensor:
        """Move the selected images up or down. Rows from outside the image are black."""
        count, (height, width, channels) = ops.shape(images)[0], images.shape[1:]
        limit = int(height * MAX_SHIFT)
        # Rounded to whole pixels, so that each shift has the same probability.
        shift = ops.round(keras.random.uniform((count, 1), -limit - 0.499, limit + 0.499, seed=self.seed_generator))
        sources = ops.arange(height, dtype="float32")[None] - shift * selected  # of each row, (N, height)
        inside = ops.cast((sources >= 0) & (sources < height), "float32")[:, :, None, None]
        sources = ops.cast(ops.clip(sources, 0, height - 1), "int32")
        if self.is_split:
            rows = ops.take_along_axis(images, sources[:, :, None, None], axis=1)
        else:  # Whole rows are gathered. ops.take_along_axis takes ten times as long on TensorFlow.
            sources = sources + ops.arange(count, dtype="int32")[:, None] * height
            rows = ops.take(ops.reshape(images, (-1, width * channels)), ops.reshape(sources, (-1,)), axis=0)
        return inside * (ops.reshape(rows, (-1, height, width, channels)) + 1.0) - 1.0

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


def _scale(colors: Tensor, middle: Tensor, factor: Tensor) -> Tensor:
    """Scale the distance of colors to a middle. A factor of 1 leaves every bit as it is."""
    return colors + (factor - 1.0) * (colors - middle)


def _on_colors(images: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a change to the colors of images, and leave their opacity, the fourth channel, as it is."""
    if images.shape[-1] != 4:
        return change(images)
    return ops.concatenate([change(images[..., :3]), images[..., 3:]], axis=-1)


# In the order of their application. Colors change before the black border and the gray square, which keep their colors.
CHANGES: dict[str, Callable[[Augmentation, Tensor], Tensor]] = {
    "mirror": Augmentation._mirror,
    "brightness": Augmentation._brighten,
    "saturation": Augmentation._saturate,
    "contrast": Augmentation._scale_contrast,
    "shift": Augmentation._shift,
    "cutout": Augmentation._cut,
}
