"""Images in a file that is mapped into memory: the system reads the parts that are used."""

import math
from typing import Any

import numpy as np

from fashion_gan.arrays import Images, Indices, Shape

MAX_COPIED_BYTES = 1 << 30  # Of a mapped file, a part up to this size is copied into memory.


def is_mapped(images: Any) -> bool:
    """Whether images are in a file that is mapped into memory, and not in memory."""
    while isinstance(images, np.ndarray):
        if isinstance(images, np.memmap):
            return True
        images = images.base
    return isinstance(images, MappedRows)


class MappedRows:
    """Some of the images in a mapped file, in any order. Indexing reads them.

    It has what training and the metrics use of an array: a length, a shape, and images by a slice or by indices.

    Args:
        images: the mapped images.
        rows: the indices of those that this object has.
    """

    def __init__(self, images: Images, rows: Indices) -> None:
        self._images, self._rows = images, rows
        self.shape: Shape = (len(rows), *images.shape[1:])
        self.dtype, self.ndim = images.dtype, images.ndim

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: Any) -> Any:
        return np.asarray(self._images[self._rows[key]])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self._images[self._rows], dtype)


def select_images(images: Images, indices: Indices) -> Images:
    """Some of the images: a copy in memory, or ``MappedRows`` of many mapped ones."""
    if not is_mapped(images) or len(indices) * math.prod(images.shape[1:]) <= MAX_COPIED_BYTES:
        return images[indices]
    rows: Any = MappedRows(images, indices)
    return rows
