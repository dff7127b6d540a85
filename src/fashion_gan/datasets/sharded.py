"""A data set of shards as a source of images: random ones of them, or all of them part by part."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Indices, JsonObject, Shape
from fashion_gan.datasets.generated import read_manifest
from fashion_gan.datasets.shard_readers import Part, read_parts
from fashion_gan.system import memory, progress

MOST_SHUFFLED = 10**7  # images whose numbers are shuffled in memory


@dataclasses.dataclass(frozen=True)
class ShardedImages:
    """A merged data set of shards, whose images stay in their files until they are asked for.

    Args:
        folder: the data set.
        manifest: its manifest, from ``read_manifest``.
    """

    folder: Path
    manifest: JsonObject

    @classmethod
    def find(cls, folder: Path) -> "ShardedImages | None":
        """Open a folder. None if it is not a data set of shards. Raises InputError if its shards are not merged."""
        manifest = read_manifest(folder) if folder.is_dir() else None
        return cls(folder, manifest) if manifest is not None and "shards" in manifest else None

    def __len__(self) -> int:
        return int(self.manifest["images"])

    @property
    def shape(self) -> Shape:
        """Height, width and channels of each image."""
        return tuple(self.manifest["shape"])

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of their labels."""
        return tuple(map(str, self.manifest["class_names"]))

    def parts(self) -> Iterator[Part]:
        """All images and their labels, in parts, in the order of their numbers."""
        with progress.bar(None, f"measuring {self.folder}", "images", total=len(self)) as bar:
            for images, labels in read_parts(self.folder, self.manifest):
                yield images, labels
                bar.update(len(labels))

    def draw(self, count: int, seed: int) -> Part:
        """``count`` random images and their labels. They are those that a file of all images gives with this seed.

        Raises:
            InputError: they do not fit into memory, or a file cannot be read.
        """
        numbers = self._random_numbers(count, seed)
        shape = (len(numbers), *self.shape)
        memory.check_memory(int(np.prod(shape)), f"{self.folder}: {count:,} of its images", "score fewer")
        images, labels = np.empty(shape, np.uint8), np.empty(len(numbers), np.int32)
        order = np.argsort(numbers)
        start = 0
        parts = read_parts(self.folder, self.manifest, numbers[order])
        for part, part_labels in progress.bar(parts, f"reading {self.folder}", "parts"):
            places = order[start : start + len(part)]
            images[places], labels[places], start = part, part_labels, start + len(part)
        return images, labels

    def _random_numbers(self, count: int, seed: int) -> Indices:
        random = np.random.default_rng(seed)
        if len(self) <= MOST_SHUFFLED:
            return random.permutation(len(self))[:count]
        return random.choice(len(self), count, replace=False)  # It takes memory for the chosen numbers only.
