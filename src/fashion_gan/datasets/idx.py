"""Reading MNIST's file format, IDX, plain or compressed."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashion_gan.errors import InputError, one_line


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

    The suffix is ignored, because browsers may decompress a download and keep its name.

    Args:
        path: the file.
        name: the file's name in error messages.
        max_bytes: limit of the decompressed length.

    Raises:
        InputError: the file cannot be read or decompressed, or is longer than the limit.
    """
    content = bytearray()
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream = gzip.GzipFile(fileobj=file) if compressed else file
            # Reading in pieces saves memory: decompressing at once holds the content twice.
            while piece := stream.read(1 << 20):
                content += piece
                if len(content) > max_bytes:
                    raise InputError(f"{name}: too long: {max_bytes} bytes at most")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{name}: cannot be decompressed, so it is truncated or damaged: {one_line(error)}") from error
    except OSError as error:
        raise InputError(f"{name}: {one_line(error)}") from error
    return content
