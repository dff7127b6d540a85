"""Read ``.npz`` files of any origin: headers first, within bounds, and without running code."""

import io
import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fashion_gan.arrays import Array
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS

Shape: TypeAlias = tuple[int, ...]

MAX_ARRAYS = 10_000
MAX_HEADER_BYTES = 1 << 14
MAX_BYTES = 1 << 30  # of all arrays together, if the caller knows no better bound
ENCRYPTED = 1  # the bit of a zip member's flags
# Version 3 is for structured arrays.
HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class ArrayFile:
    """An open ``.npz`` file whose headers are read and agree with the sizes of its members.

    An array takes memory only when it is read, by ``file[name]``.

    Attributes:
        shapes: the shape of each array, by its name.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        members = archive.infolist()
        if len(members) > MAX_ARRAYS:
            raise ValueError(f"it holds {len(members):,} arrays; the limit is {MAX_ARRAYS:,}")
        self.shapes: Mapping[str, Shape] = {
            member.filename.removesuffix(".npy"): self._check_header(member) for member in members
        }
        self.total_bytes = sum(member.file_size for member in members)

    def _check_header(self, member: zipfile.ZipInfo) -> Shape:
        """The shape in an array's header. Raises ValueError if the member's size is not that of the array."""
        if member.flag_bits & ENCRYPTED or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{member.filename} is encrypted, or compressed in a way that NumPy does not write")
        with self._archive.open(member) as file:
            start = io.BytesIO(file.read(min(MAX_HEADER_BYTES, member.file_size)))
        try:
            shape, _, dtype = HEADER_READERS[np.lib.format.read_magic(start)](start)
        except CORRUPT_FILE_ERRORS as error:
            raise ValueError(f"{member.filename} has no header of a plain array") from error
        if dtype.hasobject:
            raise ValueError(f"{member.filename} holds Python objects, which are not read")
        if math.prod(shape) * dtype.itemsize != member.file_size - start.tell():
            raise ValueError(f"{member.filename} is not as long as its header says")
        return tuple(shape)

    def __getitem__(self, name: str) -> Array:
        with self._archive.open(f"{name}.npy") as file:
            array: Array = np.lib.format.read_array(file, allow_pickle=False)
            return array


@contextmanager
def open_arrays(path: Path) -> Iterator[ArrayFile]:
    """Open an ``.npz`` file for the block. Raises one of ``CORRUPT_FILE_ERRORS`` if it is damaged, as reading does."""
    with zipfile.ZipFile(path) as archive:
        yield ArrayFile(archive)


def read_arrays(path: Path, max_bytes: int = MAX_BYTES) -> dict[str, Array]:
    """Read all arrays of an ``.npz`` file.

    Raises one of ``CORRUPT_FILE_ERRORS`` if it cannot be read, or if the arrays take more than ``max_bytes``.
    """
    with open_arrays(path) as file:
        if file.total_bytes > max_bytes:
            raise ValueError(f"its arrays take {file.total_bytes:,} bytes; the limit is {max_bytes:,}")
        return {name: file[name] for name in file.shapes}
