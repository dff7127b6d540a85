"""A generator with classes -> labelled images: exactly so many of each class, of those that pass the filters."""

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from fashion_gan import progress
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.datasets.generated import LARGEST_BYTES
from fashion_gan.errors import InputError
from fashion_gan.generator import BATCH_SIZE, Generator
from fashion_gan.latents import latent_stream
from fashion_gan.metrics import features
from fashion_gan.metrics.checks import IMAGE_SHAPE
from fashion_gan.metrics.distances import squared_distances

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]
Chosen = npt.NDArray[np.bool_]

PIECE = 16 * BATCH_SIZE  # images that are drawn and looked at together
KEPT_AT_ONCE = 1024  # kept images that new ones are compared with at once; bounds the memory for large images

# A class that keeps fewer than one in fifty of at least so many would take for ever.
LEAST_DRAWN = 200
LEAST_SHARE = 1 / 50

LARGEST_DIFFERENCE = 255.0


@dataclasses.dataclass(frozen=True)
class Filters:
    """Which images are kept.

    Attributes:
        min_confidence: the least probability, in [0, 1], that the evaluator's classifier gives to the class that the
            image was asked for; None keeps them whatever it thinks.
        least_difference: how many grey levels, above 0 and at most 255, an image must be away from every image of its
            class that was kept before it, as the root of the mean square difference of their pixels; a nearer one is a
            near-duplicate and is refused. None keeps them all.

    Raises:
        InputError: a number out of range.
    """

    min_confidence: float | None = None
    least_difference: float | None = None

    def __post_init__(self) -> None:
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 1:
            raise InputError(f"min_confidence={self.min_confidence} is out of range: it must be from 0 to 1")
        if self.least_difference is not None and not 0 < self.least_difference <= LARGEST_DIFFERENCE:
            raise InputError(
                f"least_difference={self.least_difference} is out of range: it must be above 0 and at most "
                f"{LARGEST_DIFFERENCE:g} grey levels"
            )


@dataclasses.dataclass
class Tally:
    """What became of the images drawn of one class: drawn = kept + unsure + duplicates."""

    name: str
    drawn: int = 0
    kept: int = 0
    unsure: int = 0
    duplicates: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images of every class in turn.

    Attributes:
        images: uint8 (N, H, W, C).
        labels: int32 (N,): 0, 1, 2, … over and over.
        tallies: of each class, in the order of the labels.
    """

    images: Images
    labels: Labels
    tallies: tuple[Tally, ...]


def image_shape(generator: Generator) -> tuple[int, int, int]:
    """Height, width and channels of what a generator draws."""
    height, width, channels = generator.generate(1).shape[1:]
    return height, width, channels


def draw_labelled(
    generator: Generator,
    per_class: int,
    *,
    seed: int = 0,
    truncation: float = 1.0,
    filters: Filters = Filters(),
) -> LabelledImages:
    """Draw exactly ``per_class`` images of each class; the same seed gives the same ones.

    What a filter refuses is drawn anew. Without filters the images are those of ``generate`` with the same seed.

    Args:
        generator: one with classes.
        per_class: at least 1; all images together may take 4 GiB.
        seed: of the latents, at least 0.
        truncation: of the latents, above 0 and at most 1.5.
        filters: which images are kept.

    Raises:
        InputError: a number out of range; a generator without classes; a confidence asked for where the evaluator's
            classifier does not know the classes or the size; or fewer than one in fifty images pass the filters.
    """
    take = latent_stream(generator.latent_dim, seed, truncation)
    images = _room(generator, per_class, filters)  # (per_class, classes, H, W, C)
    tallies = tuple(Tally(name) for name in generator.class_names)
    with progress.bar(None, "drawing", "images", total=per_class * len(tallies)) as bar:
        for labels in _missing(tallies, per_class):
            drawn = generator.decode(take(len(labels)), labels)
            bar.update(_keep(drawn, labels, images, tallies, filters))
            _refuse_hopeless(tallies, per_class, filters)
    labels = np.tile(np.arange(len(tallies), dtype=np.int32), per_class)
    return LabelledImages(images.reshape(-1, *images.shape[2:]), labels, tallies)


def _room(generator: Generator, per_class: int, filters: Filters) -> Images:
    """Where the images will be, once it is known that they can be drawn: uint8 (per_class, classes, H, W, C)."""
    if not generator.class_names:
        raise InputError("labelled images need a model with classes: this one has none")
    shape = image_shape(generator)
    if filters.min_confidence is not None and (generator.class_names != CLASS_NAMES or shape != IMAGE_SHAPE):
        raise InputError(
            f"min_confidence={filters.min_confidence} needs 28×28 grey images of Fashion-MNIST's classes, which the "
            "classifier knows: this model draws others"
        )
    most = LARGEST_BYTES // (math.prod(shape) * len(generator.class_names))
    if not 1 <= per_class <= most:
        raise InputError(
            f"per_class={per_class} is out of range: it must be from 1 to {most:,} for this model; with another seed "
            "there are others"
        )
    return np.empty((per_class, len(generator.class_names), *shape), np.uint8)


def _missing(tallies: Sequence[Tally], per_class: int) -> Iterator[Labels]:
    """The classes of what is missing, in turn and a piece at a time; what a filter refuses is missing once more."""
    while any(missing := [per_class - tally.kept for tally in tallies]):
        turns = np.arange(max(missing))[:, np.newaxis]
        labels = np.nonzero(turns < missing)[1].astype(np.int32)
        yield from (labels[start : start + PIECE] for start in range(0, len(labels), PIECE))


def _keep(drawn: Images, labels: Labels, images: Images, tallies: Sequence[Tally], filters: Filters) -> int:
    """Put what passes the filters where it belongs; returns how many did."""
    sure = _sure(drawn, labels, filters.min_confidence)
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


def _sure(images: Images, labels: Labels, min_confidence: float | None) -> Chosen:
    """Which images the classifier takes for what they were asked to be: (N,)."""
    if min_confidence is None:
        return np.ones(len(images), bool)
    probabilities = features.extract(images, description="").probabilities
    return probabilities[np.arange(len(labels)), labels] >= min_confidence


def _distinct(images: Images, kept: Images, least_difference: float | None) -> Chosen:
    """Which images are no near-duplicates of kept ones, nor of those before them that are no near-duplicates: (N,)."""
    far = np.ones(len(images), bool)
    if least_difference is None or not len(images):
        return far
    vectors = images.reshape(len(images), -1).astype(np.float64)
    least_square = least_difference**2 * vectors.shape[1]
    for start in range(0, len(kept), KEPT_AT_ONCE):
        others = kept[start : start + KEPT_AT_ONCE]
        for part, squares in squared_distances(vectors, others.reshape(len(others), -1).astype(np.float64)):
            far[part] &= (squares >= least_square).all(axis=1)
    for part, squares in squared_distances(vectors, vectors):
        for index, near in enumerate(squares < least_square, start=part.start):
            far[index] &= not (near[:index] & far[:index]).any()
    return far


def _refuse_hopeless(tallies: Sequence[Tally], per_class: int, filters: Filters) -> None:
    hopeless = [
        tally
        for tally in tallies
        if tally.drawn >= LEAST_DRAWN and tally.kept < min(per_class, LEAST_SHARE * tally.drawn)
    ]
    if hopeless:
        asked = [f"{name}={value:g}" for name, value in dataclasses.asdict(filters).items() if value is not None]
        kept, drawn = sum(tally.kept for tally in hopeless), sum(tally.drawn for tally in hopeless)
        raise InputError(
            f"{per_class:,} of each class cannot be had with {' and '.join(asked)}: {kept:,} of {drawn:,} images drawn "
            f"of {', '.join(tally.name for tally in hopeless)} passed, fewer than one in fifty"
        )
