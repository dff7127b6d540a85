"""A part of the training set that training does not see -> a quick score to choose a checkpoint by."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.metrics.distances import Gaussian, frechet_distance, gaussian, square_root
from fashion_gan.metrics.features import NETWORK_SHA256, extract
from fashion_gan.metrics.figures import VERSION
from fashion_gan.metrics.kept import kept

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
        cache: the folder where what they come to is kept, for the next run; None keeps nothing.
    """

    def __init__(self, images: npt.NDArray[np.uint8], cache: Path | None = None) -> None:
        key = hashlib.sha256(images.tobytes() + f"{NETWORK_SHA256} {VERSION}".encode()).hexdigest()[:16]
        found = kept(cache, f"{key}-validation", lambda: self._worked_out(images))
        self.real, self.root = Gaussian(found["mean"], found["covariance"], int(found["count"])), found["root"]

    @staticmethod
    def _worked_out(images: npt.NDArray[np.uint8]) -> dict[str, Any]:
        real = gaussian(extract(images, "features of the validation images").vectors)
        return {**vars(real), "root": square_root(real.covariance)}

    def score(self, images: npt.NDArray[np.uint8]) -> float:
        """The Fréchet distance of as many generated images, uint8 (5000, 28, 28, 1); lower is better."""
        return frechet_distance(self.real, gaussian(extract(images).vectors), self.root)
