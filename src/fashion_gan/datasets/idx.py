"""The format of MNIST's files, IDX, plain or compressed -> arrays of bytes."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from fashion_gan.datasets.dataset import Bytes
from fashion_gan.errors import InputError, one_line


def read_idx(data: bytes | bytearray, name: str) -> Bytes:
    """Read an IDX file of bytes, the format of MNIST.

    Args:
        data: the file's content, which the array shares.
        name: what an error calls the file.

    Raises:
        InputError: a wrong magic number, an element type other than the byte, or a length that the shape belies.

    Source: http://yann.lecun.com/exdb/mnist, "The IDX file format".
    """
    if len(data) < 4 or data[0] or data[1]:
        raise InputError(f"{name}: wrong IDX magic: it begins with 0x{data[:4].hex()}, and IDX with 0x0000")
    element_type, dimensions = data[2], data[3]
    if element_type != 0x08:
        raise InputError(f"{name}: wrong IDX magic: element type 0x{element_type:02x}, and only bytes (0x08) are read")
    start = 4 + 4 * dimensions
    if not dimensions or len(data) < start:
        raise InputError(f"{name}: truncated: {len(data)} bytes hold no shape of {dimensions} dimensions")
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    if len(data) - start != math.prod(shape):
        fault = "truncated" if len(data) - start < math.prod(shape) else "too long"
        raise InputError(f"{name}: {fault}: shape {shape} needs {math.prod(shape)} bytes, it has {len(data) - start}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def read_content(path: Path, place: str, most: int) -> bytearray:
    """A file's content, decompressed where it is compressed: browsers keep the name and change the content.

    Raises:
        InputError: it cannot be read, or holds more than ``most`` bytes; the message calls it ``place``.
    """
    content = bytearray()
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if compressed else raw
            # In pieces, because decompressing whole holds the content twice.
            while piece := stream.read(1 << 20):
                content += piece
                if len(content) > most:
                    raise InputError(f"{place}: too long: {most} bytes at most")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{place}: cannot be decompressed, truncated or damaged: {one_line(error)}") from error
    except OSError as error:
        raise InputError(f"{place}: {one_line(error)}") from error
    return content
