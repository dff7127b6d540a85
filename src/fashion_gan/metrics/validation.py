"""A part of the training set that training does not see -> a quick score to choose a checkpoint by."""

import numpy as np
import numpy.typing as npt

from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.metrics.distances import frechet_distance, gaussian, square_root
from fashion_gan.metrics.features import extract

NAME = "ffd5k_validation"
COUNT = 5_000


def held_out(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Which training images are held out: (N,), 500 of each class, the same ones for every run."""
    random = np.random.default_rng(0)
    chosen = np.zeros(len(labels), bool)
    for label in range(len(CLASS_NAMES)):
        chosen[random.permutation(np.flatnonzero(labels == label))[: COUNT // len(CLASS_NAMES)]] = True
    return chosen


class Validation:
    """Scores generated images against held-out ones: ``ffd5k_validation``.

    Args:
        images: the held-out images, uint8 (5000, 28, 28, 1).
    """

    def __init__(self, images: npt.NDArray[np.uint8]) -> None:
        self.real = gaussian(extract(images, "features of the validation images").vectors)
        self.root = square_root(self.real.covariance)

    def score(self, images: npt.NDArray[np.uint8]) -> float:
        """The Fréchet distance of as many generated images, uint8 (5000, 28, 28, 1); lower is better."""
        return frechet_distance(self.real, gaussian(extract(images).vectors), self.root)
