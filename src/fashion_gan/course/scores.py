"""How good images are, in two figures: the Fréchet distance to the test images, and the number of images of a class."""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt

from fashion_gan.course.pictures import as_pixels
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.metrics import features
from fashion_gan.metrics.checks import checked_images
from fashion_gan.metrics.distances import frechet_distance, gaussian, square_root
from fashion_gan.metrics.measures import MISSING_SHARE
from fashion_gan.metrics.reference import Reference


@dataclasses.dataclass(frozen=True, eq=False)
class Score:
    """What the feature network says about images.

    Attributes:
        count: the number of images.
        frechet: the Fréchet distance between their features and those of the 10,000 test images. Lower is better.
        class_counts: the number of images that show each class, (10,).
    """

    count: int
    frechet: float
    class_counts: npt.NDArray[np.int64]

    @property
    def missing_classes(self) -> int:
        """The number of classes with less than one image in a hundred."""
        return int((self.class_counts < MISSING_SHARE * self.count).sum())

    def __str__(self) -> str:
        return f"Fréchet distance {self.frechet:.2f} on {self.count:,} images, {self.missing_classes} classes missing"


def score(images: object) -> Score:
    """Score images against the test images of Fashion-MNIST. 1,000 images take about a second.

    Compare only scores of equally many images: fewer images have a larger distance.

    Args:
        images: (N, 28, 28, 1), floats in [-1, 1] or uint8. N at least 2.

    Example:
        >>> print(score(fashion_gan.Generator.from_pretrained().generate(1000)))
        Fréchet distance 1.13 on 1,000 images, 0 classes missing
    """
    pixels = checked_images(as_pixels(images))
    found = features.extract(pixels, "")
    distance = frechet_distance(reference().test_gaussian, gaussian(found.vectors), _test_root())
    return Score(len(pixels), distance, np.bincount(found.classes, minlength=len(CLASS_NAMES)))


def real_score(count: int) -> Score:
    """The score of training images, the classes in turn: the best that a generator can reach with equally many."""
    return score(reference().train.images[reference().training_sample(count)])


@functools.cache
def reference() -> Reference:
    """Fashion-MNIST as the metrics use it."""
    return Reference.load()


@functools.cache
def _test_root() -> npt.NDArray[np.float64]:
    return square_root(reference().test_gaussian.covariance)
