"""A generator with classes -> an exact number of labeled images of each class, all of which pass the filters."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fashion_gan.arrays import Images, Labels, Mask, Vectors
from fashion_gan.datasets import IMAGE_SHAPE, fashion_mnist_labels
from fashion_gan.datasets.generated import MAX_BYTES
from fashion_gan.errors import InputError, check_range, check_whole_number
from fashion_gan.generator import BATCH_SIZE, Generator
from fashion_gan.latents import latent_stream
from fashion_gan.metrics import features
from fashion_gan.metrics.distances import squared_distances
from fashion_gan.system import progress

DRAWN_TOGETHER = 16 * BATCH_SIZE  # images that are drawn and filtered at once
COMPARED_TOGETHER = 1024  # kept images that new ones are compared with at once; limits the memory of large images

# After MIN_DRAWN images of a class, drawing fails if less than MIN_SHARE of them passed the filters.
MIN_DRAWN = 200
MIN_SHARE = 1 / 50

MAX_DIFFERENCE = 255

Probabilities = Callable[[Images], Vectors]
"""Images, uint8 (N, H, W, C) -> the probability of each of a generator's classes (N, classes)."""


@dataclasses.dataclass(frozen=True)
class Filters:
    """Which images are kept.

    Attributes:
        min_confidence: lowest probability, in [0, 1], that a classifier must give to an image's class. None keeps
            images at any probability.
        least_difference: lowest difference, above 0 and at most 255 gray levels, between an image and each image of its
            class that was kept before it. The difference is the root mean square difference of the pixels. A closer
            image is a near-duplicate and is not kept. None keeps near-duplicates.

    Raises:
        InputError: a number is out of range.
    """

    min_confidence: float | None = None
    least_difference: float | None = None

    def __post_init__(self) -> None:
        if self.min_confidence is not None:
            confidence = check_range("min_confidence", self.min_confidence, 0, 1)
            object.__setattr__(self, "min_confidence", confidence)
        if self.least_difference is not None:
            levels = check_range(
                "least_difference", self.least_difference, 0, MAX_DIFFERENCE, open_low=True, unit="gray levels"
            )
            object.__setattr__(self, "least_difference", levels)


@dataclasses.dataclass
class Tally:
    """Counts of the images of one class: drawn = kept + unsure + duplicates.

    Attributes:
        name: the class's name.
        drawn: images that were drawn.
        kept: images that passed the filters.
        unsure: images that the confidence filter refused.
        duplicates: near-duplicates that were refused.
    """

    name: str
    drawn: int = 0
    kept: int = 0
    unsure: int = 0
    duplicates: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class LabeledImages:
    """Images whose classes take turns.

    Attributes:
        images: uint8 (N, H, W, C).
        labels: int32 (N,): 0, 1, 2, … again and again.
        tallies: the counts of each class, in the order of the labels.
    """

    images: Images
    labels: Labels
    tallies: tuple[Tally, ...]


def draw_labeled(
    generator: Generator,
    per_class: int,
    *,
    seed: int = 0,
    truncation: float = 1.0,
    filters: Filters = Filters(),
    probabilities: Probabilities | None = None,
) -> LabeledImages:
    """Draw exactly ``per_class`` images of each class. The same seed gives the same images.

    For each image that a filter refuses, another one is drawn. Without filters, the images equal those of
    ``Generator.generate`` with the same seed.

    Args:
        generator: a generator with classes.
        per_class: images of each class, at least 1. All images together may take at most 4 GiB.
        seed: seed of the latents, at least 0.
        truncation: standard deviation of the latents, above 0 and at most 1.5.
        filters: which images are kept.
        probabilities: the classifier that the confidence filter asks. None: the evaluator's, which knows 28×28 gray
            images of Fashion-MNIST's classes.

    Raises:
        InputError: a number is out of range, the generator has no classes, a confidence is required but the evaluator's
            classifier does not know the classes or the image size, or fewer than one in fifty images pass the filters.

    Example:
        >>> draw_labeled(Generator.from_pretrained(), 100).images.shape
        (1000, 28, 28, 1)
    """
    next_latents = latent_stream(generator.latent_dim, seed, truncation)
    images = _empty_images(generator, per_class)
    if filters.min_confidence is not None and probabilities is None:
        probabilities = fashion_mnist_probabilities(generator, filters.min_confidence)
    per_class = len(images)
    tallies = tuple(Tally(name) for name in generator.class_names)
    with progress.bar(None, "drawing", "images", total=per_class * len(tallies)) as bar:
        for labels in _missing_labels(tallies, per_class):
            drawn = generator.decode(next_latents(len(labels)), labels)
            bar.update(_keep(drawn, labels, images, tallies, filters, probabilities))
            check_pass_rates(tallies, per_class, filters)
    labels = np.tile(np.arange(len(tallies), dtype=np.int32), per_class)
    return LabeledImages(images.reshape(-1, *images.shape[2:]), labels, tallies)


def is_known_to_evaluator(generator: Generator) -> bool:
    """Whether the evaluator's classifier knows these images: 28×28 gray ones of Fashion-MNIST's classes."""
    return generator.image_shape == IMAGE_SHAPE and fashion_mnist_labels(generator.class_names) is not None


def fashion_mnist_probabilities(generator: Generator, min_confidence: float) -> Probabilities:
    """The evaluator's classifier. Raises InputError if it does not know the generator's images."""
    labels = fashion_mnist_labels(generator.class_names)
    if labels is None or not is_known_to_evaluator(generator):
        raise InputError(
            f"min_confidence={min_confidence} needs 28×28 gray images of Fashion-MNIST's classes, or a classifier of "
            "others: this model draws others"
        )
    return lambda images: features.extract(images, description="").probabilities[:, labels]


def _empty_images(generator: Generator, per_class: int) -> Images:
    """Check that the images can be drawn, and allocate them: uint8 (per_class, classes, H, W, C)."""
    if not generator.class_names:
        raise InputError("labeled images need a model with classes: this one has none")
    shape = generator.image_shape
    limit = MAX_BYTES // (math.prod(shape) * len(generator.class_names))
    unit = "for this model. To draw more, set count (--count)"
    per_class = check_whole_number("per_class", per_class, 1, limit, unit=unit)
    return np.empty((per_class, len(generator.class_names), *shape), np.uint8)


def _missing_labels(tallies: Sequence[Tally], per_class: int) -> Iterator[Labels]:
    """Yield the labels of the missing images, in turn and in parts, until no image is missing."""
    while any(missing := [per_class - tally.kept for tally in tallies]):
        turns = np.arange(max(missing))[:, np.newaxis]
        labels = np.nonzero(turns < missing)[1].astype(np.int32)
        yield from (labels[start : start + DRAWN_TOGETHER] for start in range(0, len(labels), DRAWN_TOGETHER))


def _keep(
    drawn: Images,
    labels: Labels,
    images: Images,
    tallies: Sequence[Tally],
    filters: Filters,
    probabilities: Probabilities | None,
) -> int:
    """Copy the drawn images that pass the filters into ``images``. Returns their number."""
    sure = np.ones(len(drawn), bool)
    if filters.min_confidence is not None and probabilities is not None:
        sure = probabilities(drawn)[np.arange(len(labels)), labels] >= filters.min_confidence
    kept_before = sum(tally.kept for tally in tallies)
    for label, tally in enumerate(tallies):
        candidates = drawn[sure & (labels == label)]
        new = _distinct(candidates, images[: tally.kept, label], filters.least_difference)
        images[tally.kept : tally.kept + new.sum(), label] = candidates[new]
        tally.drawn += int((labels == label).sum())
        tally.unsure += int((~sure & (labels == label)).sum())
        tally.duplicates += int((~new).sum())
        tally.kept += int(new.sum())
    return sum(tally.kept for tally in tallies) - kept_before


def _distinct(images: Images, kept: Images, least_difference: float | None) -> Mask:
    """Which images differ enough from all kept ones, and from all distinct ones before them: (N,)."""
    distinct = np.ones(len(images), bool)
    if least_difference is None or not len(images):
        return distinct
    vectors = images.reshape(len(images), -1).astype(np.float64)
    least_square = least_difference**2 * vectors.shape[1]
    for start in range(0, len(kept), COMPARED_TOGETHER):
        others = kept[start : start + COMPARED_TOGETHER]
        for part, squares in squared_distances(vectors, others.reshape(len(others), -1).astype(np.float64)):
            distinct[part] &= (squares >= least_square).all(axis=1)
    for part, squares in squared_distances(vectors, vectors):
        for index, near in enumerate(squares < least_square, start=part.start):
            distinct[index] &= not (near[:index] & distinct[:index]).any()
    return distinct


def check_pass_rates(tallies: Sequence[Tally], per_class: int, filters: Filters) -> None:
    """Raise InputError if so few images of a class pass the filters that drawing would not end."""
    rare = [
        tally for tally in tallies if tally.drawn >= MIN_DRAWN and tally.kept < min(per_class, MIN_SHARE * tally.drawn)
    ]
    if rare:
        settings = [f"{name}={value:g}" for name, value in dataclasses.asdict(filters).items() if value is not None]
        kept, drawn = sum(tally.kept for tally in rare), sum(tally.drawn for tally in rare)
        raise InputError(
            f"{per_class:,} images of each class cannot be drawn with {' and '.join(settings)}: {kept:,} of {drawn:,} "
            f"images of {', '.join(tally.name for tally in rare)} passed, fewer than one in fifty"
        )
