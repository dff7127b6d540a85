"""Read ``.npz`` and ``.npy`` files of any origin: headers first, within bounds, and without running code."""

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan.arrays import Array, Shape
from fashion_gan.errors import one_line
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS

SUFFIX = ".npy"  # of each array in an .npz file
MAX_ARRAYS = 10_000
MAX_HEADER_BYTES = 1 << 14
MAX_BYTES = 1 << 30  # of all arrays together, if the caller knows no better bound
ENCRYPTED = 1  # the bit of a zip member's flags
# Version 3 is for structured arrays.
HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class ArrayFile:
    """An open ``.npz`` file whose headers are read and agree with the sizes of its members.

    An array takes memory only when it is read, by ``file[name]``.

    Args:
        archive: the file.
        all_or_none: refuse a file that holds anything but plain arrays. If false, only those are in ``shapes``.

    Attributes:
        shapes: the shape of each array, by its name.
        sizes: the bytes of each array, by its name.
        dtypes: the type of each array's numbers, by its name.
        faults: why each other member is not read, by its name.
    """

    def __init__(self, archive: zipfile.ZipFile, *, all_or_none: bool = True) -> None:
        self._archive = archive
        members = archive.infolist()
        if len(members) > MAX_ARRAYS:
            raise ValueError(f"it holds {len(members):,} arrays; the limit is {MAX_ARRAYS:,}")
        self.shapes: dict[str, Shape] = {}
        self.sizes: dict[str, int] = {}
        self.dtypes: dict[str, np.dtype[Any]] = {}
        self.faults: dict[str, str] = {}
        for member in members:
            name = member.filename.removesuffix(SUFFIX)
            try:
                self.shapes[name], self.dtypes[name] = self._check_header(member)
                self.sizes[name] = member.file_size
            except CORRUPT_FILE_ERRORS as error:
                if all_or_none:
                    raise
                self.faults[name] = one_line(error)
        self.total_bytes = sum(member.file_size for member in members)

    def _check_header(self, member: zipfile.ZipInfo) -> tuple[Shape, np.dtype[Any]]:
        """The shape and the type in an array's header. Raises ValueError if the member is not exactly one array."""
        # An array is read by its name and this suffix. Another member of the same name could be of any size.
        if not member.filename.endswith(SUFFIX):
            raise ValueError(f"{member.filename} is not an array: its name does not end in {SUFFIX}")
        check_member(member)
        with self._archive.open(member) as file:
            start = file.read(min(MAX_HEADER_BYTES, member.file_size))
        shape, dtype, length = _read_header(start, member.filename)
        if length != member.file_size:
            raise ValueError(f"{member.filename} is not as long as its header says")
        return shape, dtype

    def rows(self, name: str) -> Iterator[Array]:
        """Yield the rows of an array one by one, so that it need not fit into memory.

        Raises ValueError if its rows are not stored one after the other.
        """
        with self._archive.open(name + SUFFIX) as file:
            shape, is_fortran, dtype = HEADER_READERS[np.lib.format.read_magic(file)](file)
            if is_fortran:
                raise ValueError(f"{name} is stored in Fortran's order, column by column")
            length = math.prod(shape[1:]) * dtype.itemsize
            for _ in range(shape[0]):
                yield np.frombuffer(file.read(length), dtype).reshape(shape[1:])

    def __getitem__(self, name: str) -> Array:
        with self._archive.open(name + SUFFIX) as file:
            array: Array = np.lib.format.read_array(file, allow_pickle=False)
            return array


def check_member(member: zipfile.ZipInfo) -> None:
    """Raise ValueError if a member of a zip archive is not stored as NumPy and Keras store it."""
    if member.flag_bits & ENCRYPTED or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is encrypted, or compressed in a way other than deflate")


def _read_header(start: bytes, name: str) -> tuple[Shape, np.dtype[Any], int]:
    """The shape and the type of an array, and the length of its ``.npy`` file, from the file's start.

    NumPy's own errors advise to trust the file, so they are replaced.
    """
    stream = io.BytesIO(start)
    try:
        shape, _, dtype = HEADER_READERS[np.lib.format.read_magic(stream)](stream)
    except CORRUPT_FILE_ERRORS as error:
        raise ValueError(f"{name} has no header of a plain array") from error
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects, which are not read")
    return tuple(shape), dtype, stream.tell() + math.prod(shape) * dtype.itemsize


@contextmanager
def open_arrays(path: Path, *, all_or_none: bool = True) -> Iterator[ArrayFile]:
    """Open an ``.npz`` file for the block. Raises one of ``CORRUPT_FILE_ERRORS`` if it is damaged, as reading does."""
    with zipfile.ZipFile(path) as archive:
        yield ArrayFile(archive, all_or_none=all_or_none)


def read_array(path: Path, max_bytes: int = MAX_BYTES) -> Array:
    """Read an ``.npy`` file. Raises one of ``CORRUPT_FILE_ERRORS`` if it cannot be read, or is above ``max_bytes``."""
    with open(path, "rb") as file:
        _, _, length = _read_header(file.read(MAX_HEADER_BYTES), "it")
        if length > max_bytes:
            raise ValueError(f"its array takes {length:,} bytes; the limit is {max_bytes:,}")
        if length != path.stat().st_size:
            raise ValueError("it is not as long as its header says")
        file.seek(0)
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
        return array


def map_array(path: Path) -> Array:
    """Map the array of an ``.npy`` file into memory, read-only: the system reads the parts that are used.

    Raises one of ``CORRUPT_FILE_ERRORS`` if the file cannot be read.
    """
    with open(path, "rb") as file:
        _, _, length = _read_header(file.read(MAX_HEADER_BYTES), "it")
    if length != path.stat().st_size:
        raise ValueError("it is not as long as its header says")
    array: Array = np.lib.format.open_memmap(path, mode="r")
    return array


def read_arrays(path: Path, max_bytes: int = MAX_BYTES) -> dict[str, Array]:
    """Read all arrays of an ``.npz`` file.

    Raises one of ``CORRUPT_FILE_ERRORS`` if it cannot be read, or if the arrays take more than ``max_bytes``.
    """
    with open_arrays(path) as file:
        if file.total_bytes > max_bytes:
            raise ValueError(f"its arrays take {file.total_bytes:,} bytes; the limit is {max_bytes:,}")
        return {name: file[name] for name in file.shapes}
