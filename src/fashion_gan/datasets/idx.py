"""Reading MNIST's file format, IDX, plain or compressed, within bounds."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashion_gan.errors import InputError, one_line
from fashion_gan.system.memory import check_memory

MAX_DIMENSIONS = 8  # Images have three and labels one. NumPy's arrays have at most 64.


def read_idx(data: bytes | bytearray, name: str) -> npt.NDArray[np.uint8]:
    """Parse an IDX file whose elements are bytes.

    Args:
        data: the file's content. The array shares its memory.
        name: the file's name in error messages.

    Returns:
        uint8 of the shape that the file states.

    Raises:
        InputError: the magic number is wrong, the elements are not bytes, or the length does not match the shape.

    Example:
        >>> read_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), "labels").tolist()
        [7, 9]

    Source: http://yann.lecun.com/exdb/mnist, "The IDX file format".
    """
    if len(data) < 4 or data[0] or data[1]:
        raise InputError(f"{name}: wrong IDX magic: it begins with 0x{data[:4].hex()}, but IDX begins with 0x0000")
    element_type, dimensions = data[2], data[3]
    if element_type != 0x08:
        raise InputError(f"{name}: wrong IDX magic: element type 0x{element_type:02x}, but only bytes (0x08) are read")
    if dimensions > MAX_DIMENSIONS:
        raise InputError(f"{name}: {dimensions} dimensions: at most {MAX_DIMENSIONS} are read")
    start = 4 + 4 * dimensions
    if not dimensions or len(data) < start:
        raise InputError(f"{name}: truncated: {len(data)} bytes cannot hold a shape of {dimensions} dimensions")
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    if len(data) - start != math.prod(shape):
        fault = "truncated" if len(data) - start < math.prod(shape) else "too long"
        raise InputError(
            f"{name}: {fault}: shape {shape} needs {math.prod(shape)} bytes, but there are {len(data) - start}"
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def read_content(path: Path, name: str, max_bytes: int) -> bytearray:
    """Read a file, and decompress it if its content is gzip.

    The suffix is ignored, because browsers may decompress a download and keep its name. A file that is longer than its
    IDX header says is not read to its end.

    Args:
        path: the file.
        name: the file's name in error messages.
        max_bytes: limit of the decompressed length.

    Raises:
        InputError: the file cannot be read or decompressed, is longer than the limit, or does not fit into memory.
    """
    content = bytearray()
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream = gzip.GzipFile(fileobj=file) if compressed else file
            # Reading in pieces saves memory: decompressing at once holds the content twice.
            while piece := stream.read(1 << 20):
                if not content:
                    length = _stated_length(piece)
                    _check_length(length, name, max_bytes)
                content += piece
                if len(content) > length:
                    break  # Parsing reports the fault.
                if len(content) > max_bytes:
                    raise InputError(f"{name}: too long: {max_bytes:,} bytes at most")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{name}: cannot be decompressed, so it is truncated or damaged: {one_line(error)}") from error
    except OSError as error:
        raise InputError(f"{name}: {one_line(error)}") from error
    return content


def _stated_length(start: bytes | bytearray) -> float:
    """The length of the file that begins with these bytes, by its IDX header. Infinite if it has none."""
    if (
        len(start) < 4
        or start[:3] != b"\0\0\x08"
        or not 0 < start[3] <= MAX_DIMENSIONS
        or len(start) < 4 + 4 * start[3]
    ):
        return math.inf
    return 4 + 4 * start[3] + math.prod(struct.unpack_from(f">{start[3]}I", start, 4))


def _check_length(length: float, name: str, max_bytes: int) -> None:
    if length > max_bytes and length != math.inf:
        raise InputError(f"{name}: too long: its header says {length:,} bytes; the limit is {max_bytes:,}")
    if length != math.inf:
        check_memory(int(length), f"{name}: its bytes", "choose a smaller data set")
