"""Training images that are held out of training -> a quick score that chooses the best checkpoint."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Array, Images, Labels, Mask
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.metrics.cache import cached
from fashion_gan.metrics.distances import Gaussian, frechet_distance, gaussian, square_root
from fashion_gan.metrics.features import NETWORK_SHA256, extract
from fashion_gan.metrics.metric_info import VERSION

NAME = "ffd5k_validation"
COUNT = 5_000


def held_out(labels: Labels) -> Mask:
    """Choose the training images to hold out: 500 of each class, the same for every run.

    Args:
        labels: the training set's labels, int32 (N,).

    Returns:
        A mask (N,), True for a held-out image.
    """
    random = np.random.default_rng(0)
    mask = np.zeros(len(labels), bool)
    for label in range(len(CLASS_NAMES)):
        mask[random.permutation(np.flatnonzero(labels == label))[: COUNT // len(CLASS_NAMES)]] = True
    return mask


@dataclasses.dataclass(frozen=True)
class Scores:
    """The scores of one checkpoint.

    Attributes:
        values: all scores by their names, as they are logged.
        name: the score that chooses the best checkpoint. Lower is better.
        can_be_best: whether the checkpoint may be kept as the best one.
        note: what else the user should know; "" if there is nothing.
    """

    values: dict[str, float]
    name: str
    can_be_best: bool = True
    note: str = ""

    @property
    def value(self) -> float:
        """The score that chooses the best checkpoint."""
        return self.values[self.name]


class Validation:
    """The score ``ffd5k_validation``: the Fréchet distance of generated images to the held-out ones.

    Args:
        images: the held-out images, uint8 (5000, 28, 28, 1).
        cache: the folder that stores the statistics of the held-out images for the next run. None stores nothing.
    """

    def __init__(self, images: Images, cache: Path | None = None) -> None:
        key = hashlib.sha256(images.tobytes() + f"{NETWORK_SHA256} {VERSION}".encode()).hexdigest()[:16]
        arrays = cached(cache, f"{key}-validation", lambda: _statistics(images))
        self.real = Gaussian(arrays["mean"], arrays["covariance"], int(arrays["count"]))
        self.root = arrays["root"]

    name = NAME

    @property
    def count(self) -> int:
        """How many images are generated and scored."""
        return COUNT

    def score(self, images: Images) -> Scores:
        """The Fréchet distance of generated images, uint8 (5000, 28, 28, 1)."""
        return Scores({NAME: frechet_distance(self.real, gaussian(extract(images).vectors), self.root)}, NAME)


def _statistics(images: Images) -> dict[str, Array]:
    real = gaussian(extract(images, "features of the validation images").vectors)
    return {**vars(real), "root": square_root(real.covariance)}
