"""The real side of every comparison, worked out once and kept in the user's cache under what it depends on."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.datasets import CLASS_NAMES, Dataset, load_fashion_mnist
from fashion_gan.metrics import features
from fashion_gan.metrics.distances import Gaussian, gaussian, kernel_mean, squared_radii
from fashion_gan.metrics.features import Features
from fashion_gan.metrics.figures import fingerprint
from fashion_gan.metrics.kept import folder, kept
from fashion_gan.metrics.memorisation import Nearest, nearest


class Reference:
    """Fashion-MNIST as the metrics see it.

    Args:
        train, test: the two splits.
        cache: the folder where results are kept; they are found again by the checksum of the data, of the feature
            network and of the protocols' version. None keeps nothing.
    """

    def __init__(self, train: Dataset, test: Dataset, cache: Path | None = None) -> None:
        self.train, self.test, self.cache = train, test, cache
        data = hashlib.sha256((train.fingerprint + test.fingerprint).encode()).hexdigest()
        self.fingerprint = fingerprint(data)
        self.key = hashlib.sha256(json.dumps(self.fingerprint, sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def load(cls, data: str | Path | None = None) -> "Reference":
        """Fashion-MNIST from a folder, or wherever it is found. Raises InputError where it is not."""
        train, test = (load_fashion_mnist(split, data) for split in ("train", "test"))
        return cls(train, test, folder())

    def kept(self, name: str, work_out: Callable[[], dict[str, Any]]) -> dict[str, npt.NDArray[Any]]:
        """Named arrays from the cache, or worked out and then kept there."""
        return kept(self.cache, f"{self.key}-{name}", work_out)

    @functools.cached_property
    def train_features(self) -> Features:
        found = self.kept("train", lambda: vars(features.extract(self.train.images, "features of the training set")))
        return Features(found["vectors"], found["logits"])

    @functools.cached_property
    def test_features(self) -> Features:
        found = self.kept("test", lambda: vars(features.extract(self.test.images, "features of the test set")))
        return Features(found["vectors"], found["logits"])

    @functools.cached_property
    def train_gaussian(self) -> Gaussian:
        found = self.kept("train-gaussian", lambda: vars(gaussian(self.train_features.vectors)))
        return Gaussian(found["mean"], found["covariance"], int(found["count"]))

    @functools.cached_property
    def test_gaussian(self) -> Gaussian:
        return gaussian(self.test_features.vectors)

    @functools.cached_property
    def test_radii(self) -> npt.NDArray[np.float64]:
        return self.kept("test-radii", lambda: {"squares": squared_radii(self.test_features.vectors)})["squares"]

    @functools.cached_property
    def test_kernel_mean(self) -> float:
        return float(self.kept("test-kernel", lambda: {"mean": kernel_mean(self.test_features.vectors)})["mean"])

    @functools.cached_property
    def test_nearest_training(self) -> Nearest:
        """The test images' nearest training images."""
        test, train = self.test_features.vectors, self.train_features.vectors
        found = self.kept("test-nearest", lambda: vars(nearest(test, train)))
        return Nearest(found["squares"], found["indexes"])

    def halved(self) -> tuple["Reference", npt.NDArray[np.int64]]:
        """The same with half of the images of either set, and the indexes of the test images left over."""
        others, kept = np.array_split(np.random.default_rng(0).permutation(len(self.test.images)), 2)
        test = dataclasses.replace(self.test, images=self.test.images[kept], labels=self.test.labels[kept])
        train = dataclasses.replace(self.train, images=self.train.images[::2], labels=self.train.labels[::2])
        half = Reference(train, test, self.cache)
        half.train_features, half.test_features = self.train_features[::2], self.test_features[kept]
        return half, others

    def training_sample(self, count: int) -> npt.NDArray[np.int64]:
        """Indexes of ``count`` training images, the classes in turn, as a generator draws them."""
        random = np.random.default_rng(0)
        by_class = [random.permutation(np.flatnonzero(self.train.labels == label)) for label in range(len(CLASS_NAMES))]
        return np.stack([indexes[: count // len(CLASS_NAMES)] for indexes in by_class], axis=1).reshape(-1)
