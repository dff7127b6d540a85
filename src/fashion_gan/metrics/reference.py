"""The real images that generated ones are compared with, and what is computed from them once and cached."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Array, Floats, Indices
from fashion_gan.datasets import CLASS_NAMES, Dataset, load_fashion_mnist
from fashion_gan.metrics import features
from fashion_gan.metrics.cache import cached, metrics_cache_folder
from fashion_gan.metrics.distances import Gaussian, gaussian, kernel_mean, squared_radii
from fashion_gan.metrics.features import Features
from fashion_gan.metrics.memorization import Nearest, nearest
from fashion_gan.metrics.metric_info import fingerprint


class Reference:
    """Fashion-MNIST as the metrics use it: both splits, their features, and statistics of these.

    Args:
        train, test: the two splits.
        cache: the folder of cached results. An entry's name begins with ``key``, so it changes with the data, the
            feature network and the protocols' version. None caches nothing.

    Attributes:
        fingerprint: the checksums and the version, by name.
        key: a short checksum of the fingerprint.
    """

    def __init__(self, train: Dataset, test: Dataset, cache: Path | None = None) -> None:
        self.train, self.test, self.cache = train, test, cache
        data_sha256 = hashlib.sha256((train.fingerprint + test.fingerprint).encode()).hexdigest()
        self.fingerprint = fingerprint(data_sha256)
        self.key = hashlib.sha256(json.dumps(self.fingerprint, sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def load(cls, data: str | Path | None = None) -> "Reference":
        """Load Fashion-MNIST from a folder, or from the usual places. Raises InputError if it is not found."""
        train, test = (load_fashion_mnist(split, data) for split in ("train", "test"))
        return cls(train, test, metrics_cache_folder())

    def cached(self, name: str, compute: Callable[[], Mapping[str, npt.ArrayLike]]) -> dict[str, Array]:
        """Read named arrays from the cache. If they are not there, compute and store them."""
        return cached(self.cache, f"{self.key}-{name}", compute)

    @functools.cached_property
    def train_features(self) -> Features:
        return self._features("train", self.train, "features of the training set")

    @functools.cached_property
    def test_features(self) -> Features:
        return self._features("test", self.test, "features of the test set")

    def _features(self, name: str, split: Dataset, description: str) -> Features:
        arrays = self.cached(name, lambda: vars(features.extract(split.images, description)))
        return Features(arrays["vectors"], arrays["logits"])

    @functools.cached_property
    def train_gaussian(self) -> Gaussian:
        arrays = self.cached("train-gaussian", lambda: vars(gaussian(self.train_features.vectors)))
        return Gaussian(arrays["mean"], arrays["covariance"], int(arrays["count"]))

    @functools.cached_property
    def test_gaussian(self) -> Gaussian:
        return gaussian(self.test_features.vectors)

    @functools.cached_property
    def test_radii(self) -> Floats:
        """The squared distance of each test image to its fifth nearest test image: (N,)."""
        return self.cached("test-radii", lambda: {"squares": squared_radii(self.test_features.vectors)})["squares"]

    @functools.cached_property
    def test_kernel_mean(self) -> float:
        return float(self.cached("test-kernel", lambda: {"mean": kernel_mean(self.test_features.vectors)})["mean"])

    @functools.cached_property
    def test_nearest_training(self) -> Nearest:
        """The nearest training image of each test image."""
        test, train = self.test_features.vectors, self.train_features.vectors
        arrays = self.cached("test-nearest-training", lambda: vars(nearest(test, train)))
        return Nearest(arrays["squares"], arrays["indices"])

    def halved(self) -> tuple["Reference", Indices]:
        """Half of the training images and half of the test images as a reference of their own.

        Returns:
            The reference, and the indices of the test images that it leaves out.
        """
        left_out, remaining = np.array_split(np.random.default_rng(0).permutation(len(self.test.images)), 2)
        test = dataclasses.replace(self.test, images=self.test.images[remaining], labels=self.test.labels[remaining])
        train = dataclasses.replace(self.train, images=self.train.images[::2], labels=self.train.labels[::2])
        half = Reference(train, test, self.cache)
        half.train_features, half.test_features = self.train_features[::2], self.test_features[remaining]
        return half, left_out

    def training_sample(self, count: int) -> Indices:
        """Indices of ``count`` random training images, the classes in turn, as a generator draws them."""
        random = np.random.default_rng(0)
        by_class = [random.permutation(np.flatnonzero(self.train.labels == label)) for label in range(len(CLASS_NAMES))]
        return np.stack([indices[: count // len(CLASS_NAMES)] for indices in by_class], axis=1).reshape(-1)
