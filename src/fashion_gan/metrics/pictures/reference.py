"""The user's own pictures that generated ones are compared with, and what is computed from them once and cached."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Array, Floats, Images, Indices, JsonObject, Labels, Shape, Vectors
from fashion_gan.datasets import Dataset
from fashion_gan.datasets.mapped_images import select_images
from fashion_gan.errors import InputError
from fashion_gan.metrics.cache import cached
from fashion_gan.metrics.distances import Gaussian, gaussian, kernel_mean, squared_distances, squared_radii
from fashion_gan.metrics.memorization import Nearest, nearest
from fashion_gan.metrics.pictures.feature_networks import FeatureNetwork
from fashion_gan.metrics.pictures.held_out import held_out_pictures
from fashion_gan.metrics.pictures.patches import RealPatches
from fashion_gan.metrics.pictures.whitening import Whitening

# Increase this when a change of the code can change a figure for the same pictures.
VERSION = 1
SMALLEST_SIDE, LARGEST_SIDE = 16, 512  # pixels
FEWEST_PICTURES = 50


class PictureReference:
    """Real pictures of any kind: those that a generator learns from, and those that are held out.

    Args:
        train: the pictures that a generator may have learned from.
        held_out: pictures of the same shape and classes that it has not seen. None if there are none.
        network: computes the features.
        cache: the folder of cached results. None caches nothing.

    Attributes:
        target: the pictures that distances are measured to: the held-out ones, or all if there are none.
        fingerprint: what a figure depends on, besides the numbers of pictures.
        key: a short checksum of the fingerprint.
    """

    def __init__(
        self, train: Dataset, held_out: Dataset | None, network: FeatureNetwork, cache: Path | None = None
    ) -> None:
        self.train, self.held_out, self.network, self.cache = train, held_out, network, cache
        self.target = train if held_out is None else held_out
        parts = "".join(part.fingerprint for part in (train, held_out) if part is not None)
        self.fingerprint: JsonObject = {
            "data_sha256": hashlib.sha256(parts.encode()).hexdigest(),
            "features_sha256": network.sha256,
            "size": "×".join(map(str, self.shape)),
            "version": VERSION,
        }
        self.key = hashlib.sha256(json.dumps(self.fingerprint, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def shape(self) -> Shape:
        """Height, width and channels of each picture."""
        return self.train.images.shape[1:]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes; () if there are none."""
        return self.train.class_names

    def check(self) -> None:
        """Raise InputError if pictures of this shape or number cannot be measured."""
        height, width, _ = self.shape
        if not SMALLEST_SIDE <= min(height, width) <= max(height, width) <= LARGEST_SIDE:
            raise InputError(
                f"{self.train.source}: the pictures are {width}×{height}; pictures from {SMALLEST_SIDE} to "
                f"{LARGEST_SIDE} pixels wide and high can be measured"
            )
        if len(self.target.images) < FEWEST_PICTURES:
            raise InputError(
                f"{self.train.source} has {len(self.target.images)} pictures to compare with; at least "
                f"{FEWEST_PICTURES} are needed"
            )
        if (self.target.images == self.target.images[0]).all():
            raise InputError(
                f"{self.train.source}: all pictures to compare with are equal, so no figure means anything"
            )
        self.network.check_pictures(self.shape)

    def cached(self, name: str, compute: Callable[[], Mapping[str, npt.ArrayLike]]) -> dict[str, Array]:
        """Read named arrays from the cache. If they are not there, compute and store them."""
        return cached(self.cache, f"pictures-{self.key}-{name}", compute)

    # ---- Features ----

    def vectors(self, images: Images, description: str = "features of the generated pictures") -> Vectors:
        """The features of pictures that the figures compare (N, d)."""
        raw = self.network.extract(images, description)
        return self._whitening.apply(raw) if self.network.is_random else raw

    @functools.cached_property
    def _features(self) -> dict[str, Array]:
        """The features of the real pictures, and the whitening that is fitted to them."""
        return self.cached("features", self._compute_features)

    def _compute_features(self) -> dict[str, Array]:
        parts = [part for part in (self.train, self.held_out) if part is not None]
        raw = [self.network.extract(part.images, "features of the real pictures") for part in parts]
        empty = np.empty((0, raw[0].shape[1]), np.float32)
        if not self.network.is_random:
            return {"train": raw[0], "held_out": raw[1] if len(raw) > 1 else empty}
        whitening = Whitening.fit(np.concatenate(raw))
        whitened = [whitening.apply(part) for part in (*raw, empty)]
        return {"train": whitened[0], "held_out": whitened[1], **vars(whitening)}

    @functools.cached_property
    def _whitening(self) -> Whitening:
        return Whitening(self._features["mean"], self._features["matrix"])

    @property
    def train_vectors(self) -> Vectors:
        """The features of the training pictures."""
        return self._features["train"]

    @property
    def target_vectors(self) -> Vectors:
        """The features of the pictures that distances are measured to."""
        return self._features["train" if self.held_out is None else "held_out"]

    # ---- Statistics ----

    @functools.cached_property
    def target_gaussian(self) -> Gaussian:
        return gaussian(self.target_vectors)

    @functools.cached_property
    def train_gaussian(self) -> Gaussian:
        return gaussian(self.train_vectors)

    @functools.cached_property
    def target_radii(self) -> Floats:
        """The squared distance of each target picture to its fifth nearest one: (M,)."""
        return squared_radii(self.target_vectors)

    @functools.cached_property
    def target_kernel_mean(self) -> float:
        return kernel_mean(self.target_vectors)

    @functools.cached_property
    def patches(self) -> RealPatches:
        """The patches of the target pictures."""
        return RealPatches(self.target.images)

    @functools.cached_property
    def real_nearest_training(self) -> Nearest:
        """The nearest training picture of each held-out one. With none held out: of each training picture, another."""
        if self.held_out is not None:
            return nearest(self.target_vectors, self.train_vectors)
        vectors = self.train_vectors.astype(np.float64)
        squares, indices = np.empty(len(vectors)), np.empty(len(vectors), np.int64)
        for part, rows in squared_distances(vectors, vectors):
            rows[np.arange(len(rows)), np.arange(part.start, part.start + len(rows))] = np.inf
            indices[part] = rows.argmin(axis=1)
            squares[part] = rows.min(axis=1)
        return Nearest(squares, indices)

    # ---- Parts ----

    def real_labels(self, count: int) -> Labels | None:
        """``count`` classes, as frequent as among the target pictures, in random order. None without classes."""
        if not self.class_names:
            return None
        shares = np.bincount(self.target.labels, minlength=len(self.class_names)) / len(self.target.labels)
        numbers = np.floor(shares * count).astype(int)
        missing = np.argsort(numbers - shares * count, kind="stable")[: count - numbers.sum()]
        numbers[missing] += 1
        labels = np.repeat(np.arange(len(numbers), dtype=np.int32), numbers)
        return np.random.default_rng(0).permutation(labels)

    def training_sample(self, count: int) -> Indices:
        """Indices of ``count`` random training pictures."""
        return np.random.default_rng(0).permutation(len(self.train.images))[:count]

    def part(self, train: Indices, held_out: Indices | None) -> "PictureReference":
        """A reference of some of the pictures, with the same features."""
        chosen_train = select(self.train, train)
        chosen_held_out = None if self.held_out is None or held_out is None else select(self.held_out, held_out)
        smaller = PictureReference(chosen_train, chosen_held_out, self.network, self.cache)
        rest = self._features["held_out"][[] if held_out is None else held_out]
        smaller._features = {**self._features, "train": self.train_vectors[train], "held_out": rest}
        return smaller


def select(dataset: Dataset, indices: Indices) -> Dataset:
    """Some pictures of a data set. Of a mapped file, many pictures stay there until they are indexed."""
    return dataclasses.replace(dataset, images=select_images(dataset.images, indices), labels=dataset.labels[indices])


def split(dataset: Dataset) -> tuple[Dataset, Dataset | None]:
    """The training pictures and the held-out pictures, by the rule of ``held_out_pictures``."""
    mask = held_out_pictures(dataset.labels)
    if mask is None:
        return dataset, None
    return select(dataset, np.flatnonzero(~mask)), select(dataset, np.flatnonzero(mask))


def halves(count: int) -> Sequence[Indices]:
    """The indices of ``count`` pictures in two random halves."""
    return np.array_split(np.random.default_rng(0).permutation(count), 2)
