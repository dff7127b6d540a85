"""A generator's images in blocks: a given number of them, or endlessly many."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from fashion_gan.arrays import Array, Indices, JsonObject, Labels, Latents
from fashion_gan.classes import is_single_label
from fashion_gan.errors import InputError, check_flag, check_whole_number
from fashion_gan.latents import check_seed, draw_latents

BLOCK_SIZE = 256  # images that are drawn together


class Draws(Protocol):
    """What is needed of a ``Generator``."""

    latent_dim: int
    class_names: tuple[str, ...]
    threads: int | None

    @property
    def image_shape(self) -> tuple[int, int, int]: ...

    def latents(self, count: int, seed: int | None = 0, truncation: float = 1.0) -> Latents: ...

    def labels(self, count: int, labels: Any = None) -> Labels | None: ...

    def decode(self, latents: Latents, labels: Any = None, *, as_float: bool = False) -> Array: ...


@dataclasses.dataclass(frozen=True, eq=False)
class ImageStream:
    """A generator's images, and how they are drawn. It can be pickled if the generator can.

    Attributes:
        generator: the ``Generator``.
        count: number of images, from 1 to 100,000. They are those of ``generator.generate(count, ...)``. None: endless.
        labels: as in ``generate``. An endless stream takes one class, or None.
        seed: seed of the latents. None draws one, once.
        truncation: as in ``generate``.
        as_float: images are float32 in [-1, 1] instead of uint8.

    Raises:
        InputError: a value is out of range, or a label is unknown.
    """

    generator: Draws
    count: int | None
    labels: Any
    seed: int | None
    truncation: float
    as_float: bool

    def __post_init__(self) -> None:
        count = self.count if self.count is None else check_whole_number("count", self.count, 1)
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "seed", check_seed(self.seed))
        object.__setattr__(self, "as_float", check_flag("as_float", self.as_float))
        if count is None and self.labels is not None and not is_single_label(self.labels):
            raise InputError("labels of endless images are one class for all, or None for all classes in turn")
        self.generator.latents(count or 1, self.seed, self.truncation)  # Checks the values now, not in a worker.
        labels = self.generator.labels(count or 1, self.labels)
        if self.labels is not None:  # Numbers, so that an iterator of labels is read only once.
            object.__setattr__(self, "labels", labels if count or labels is None else int(labels[0]))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of their labels, or ()."""
        return self.generator.class_names

    def draw(self, indices: Sequence[int] | Indices) -> tuple[Array, Labels | None]:
        """The images at some places of a counted stream, (N, H, W, C), and their labels (N,)."""
        places = np.asarray(indices, np.int64)
        latents, numbers = self._inputs
        chosen = None if numbers is None else numbers[places]
        return self.generator.decode(latents[places], chosen, as_float=self.as_float), chosen

    @functools.cached_property
    def _inputs(self) -> tuple[Latents, Labels | None]:
        """The latents and the labels of all images of a counted stream."""
        assert self.count is not None
        latents = self.generator.latents(self.count, self.seed, self.truncation)
        return latents, self.generator.labels(self.count, self.labels)

    def __getstate__(self) -> JsonObject:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # Without ``_inputs``.

    def blocks(self, first: int = 0, step: int = 1) -> Iterator[tuple[Array, Labels | None]]:
        """Images (N, H, W, C) and labels (N,) in blocks of up to 256: every ``step``-th block from ``first`` on.

        Workers that each take other blocks draw other images, and together those of a single reader.
        """
        number = first
        while self.count is None or number * BLOCK_SIZE < self.count:
            yield self._endless_block(number) if self.count is None else self.draw(self._places(number))
            number += step

    def _places(self, number: int) -> Indices:
        assert self.count is not None
        return np.arange(number * BLOCK_SIZE, min((number + 1) * BLOCK_SIZE, self.count))

    def _endless_block(self, number: int) -> tuple[Array, Labels | None]:
        latents = draw_latents(BLOCK_SIZE, self.generator.latent_dim, self._block_seed(number), self.truncation)
        labels = self.labels
        if labels is None and self.class_names:
            labels = (np.arange(BLOCK_SIZE) + number * BLOCK_SIZE) % len(self.class_names)
        numbers = self.generator.labels(BLOCK_SIZE, labels)
        return self.generator.decode(latents, numbers, as_float=self.as_float), numbers

    def _block_seed(self, number: int) -> int:
        """A seed for each block, so that a worker reaches its blocks without drawing those of others."""
        low, high = np.random.SeedSequence(self.seed, spawn_key=(number,)).generate_state(2, np.uint64)
        return int(high) << 64 | int(low)
