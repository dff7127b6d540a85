"""Labeled images of which each depends on the seed and its number only, so that any part can be drawn by itself."""

from collections.abc import Iterator

import numpy as np

from fashion_gan.api.labeled_images import Filters, Probabilities, Tally, check_pass_rates
from fashion_gan.arrays import Array, Images, Indices, Labels, Mask
from fashion_gan.datasets.shards import labels_of
from fashion_gan.errors import InputError
from fashion_gan.generator import BATCH_SIZE, SLICE_SIZE, Generator
from fashion_gan.latents import numbered_latents
from fashion_gan.system import progress

DRAWN_TOGETHER = 16 * BATCH_SIZE
DRAWN_BYTES = 1 << 26  # of the images that are drawn at once, unless one batch has more


class NumberedImages:
    """Draws numbered images. The classes take turns: image i is of class i modulo the number of classes.

    With a confidence filter, image i is the first of its draws that passes. So it does not depend on other images.

    Args:
        generator: a generator with classes.
        seed: seed of the latents, at least 0.
        truncation: standard deviation of the latents, above 0 and at most 1.5.
        filters: which images are kept. Near-duplicates cannot be left out: that depends on all images before.
        probabilities: the classifier that the confidence filter asks. None without such a filter.
        classified_together: it gets a multiple of so many images, because other numbers may change the rounding.

    Attributes:
        tallies: the counts of each class's images so far.

    Raises:
        InputError: the generator has no classes, or near-duplicates would be left out.
    """

    def __init__(
        self,
        generator: Generator,
        seed: int,
        truncation: float,
        filters: Filters,
        probabilities: Probabilities | None = None,
        classified_together: int = 1,
    ) -> None:
        if not generator.class_names:
            raise InputError("labeled images need a model with classes: this one has none")
        if filters.least_difference is not None:
            raise InputError(
                f"least_difference={filters.least_difference:g} (--no-duplicates) does not go with count (--count): it "
                "compares an image with all images before it"
            )
        self._generator, self._seed, self._truncation = generator, seed, truncation
        self._filters, self._probabilities, self._classified_together = filters, probabilities, classified_together
        self.tallies = tuple(Tally(name) for name in generator.class_names)

    def draw(self, start: int, stop: int) -> Iterator[tuple[Images, Labels]]:
        """Draw the images from ``start`` up to ``stop``, in parts.

        Yields:
            uint8 (N, H, W, C), and int32 labels (N,).

        Raises:
            InputError: fewer than one in fifty images of a class pass the filter.
        """
        length = max(1, DRAWN_BYTES // int(np.prod(self._generator.image_shape)) // BATCH_SIZE) * BATCH_SIZE
        length = min(length, DRAWN_TOGETHER)
        per_class = -(-(stop - start) // len(self.tallies))
        with progress.bar(None, "drawing", "images", total=stop - start) as bar:
            for first in range(start, stop, length):
                numbers = np.arange(first, min(first + length, stop))
                yield self._draw_part(numbers, per_class), labels_of(numbers, len(self.tallies))
                bar.update(len(numbers))

    def _draw_part(self, numbers: Indices, per_class: int) -> Images:
        """Draw images again until each of them passes the filter."""
        images = np.empty((len(numbers), *self._generator.image_shape), np.uint8)
        missing, draws = np.arange(len(numbers)), 0
        while len(missing):
            drawn, labels = self._decode(numbers[missing], draws)
            passes = self._passes(drawn, labels)
            images[missing[passes]] = drawn[passes]
            for label, tally in enumerate(self.tallies):
                tally.drawn += int((labels == label).sum())
                tally.kept += int((labels[passes] == label).sum())
                tally.unsure = tally.drawn - tally.kept
            check_pass_rates(self.tallies, per_class, self._filters)
            missing, draws = missing[~passes], draws + 1
        return images

    def _decode(self, numbers: Indices, draws: int) -> tuple[Images, Labels]:
        """Draw images in full batches of one size, because other sizes may change the rounding."""
        size = SLICE_SIZE if self._generator.threads else BATCH_SIZE
        padded, own = _padded(numbers, size), self._generator
        labels = labels_of(padded, len(self.tallies))
        repeats = np.full(len(padded), draws)
        latents = numbered_latents(padded, own.latent_dim, self._seed, self._truncation, draws=repeats)
        # With more threads than batches, the batches would become smaller.
        threads = min(own.threads, len(padded) // size) if own.threads else None
        images = Generator(own.predict, own.latent_dim, own.class_names, threads=threads).decode(latents, labels)
        return images[: len(numbers)], labels[: len(numbers)]

    def _passes(self, images: Images, labels: Labels) -> Mask:
        """Which images pass the confidence filter: (N,)."""
        if self._probabilities is None or self._filters.min_confidence is None:
            return np.ones(len(images), bool)
        probabilities = self._probabilities(_padded(images, self._classified_together))
        passes: Mask = probabilities[np.arange(len(labels)), labels] >= self._filters.min_confidence
        return passes


def _padded(rows: Array, size: int) -> Array:
    """The rows, with the last one repeated until their number is a multiple of ``size``."""
    return np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % size, axis=0)])
