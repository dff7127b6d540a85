"""Reading a data set of shards part by part, so that it need not fit into memory."""

import gzip
import io
import math
import struct
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fashion_gan.arrays import Images, Indices, JsonObject, Labels, Picture, Shape
from fashion_gan.datasets.archives import MAX_MEMBER_BYTES
from fashion_gan.datasets.parquet_files import find_in_parquet
from fashion_gan.datasets.picture_files import read_pixels
from fashion_gan.datasets.shards import Shard, all_shards
from fashion_gan.errors import InputError, one_line
from fashion_gan.system.array_files import open_arrays
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS

PART_BYTES = 1 << 24  # of the images that are held at once

Part: TypeAlias = tuple[Images, Labels]
"""Images, uint8 (N, H, W, C), and their labels, int32 (N,)."""

Item: TypeAlias = tuple[Picture, int]


def read_parts(folder: Path, manifest: JsonObject, numbers: Indices | None = None) -> Iterator[Part]:
    """Read images of a data set of shards, in the order of their numbers.

    Args:
        folder: the data set.
        manifest: its manifest, from ``read_manifest``.
        numbers: the numbers of the images, from 0 upward and each once: (N,). None: all images.

    Yields:
        Images and labels, in parts of at most 16 MB, or of one image.

    Raises:
        InputError: a file cannot be read, or holds something else than the manifest says.
    """
    shape, classes = tuple(manifest["shape"]), len(manifest["class_names"])
    for shard in all_shards(manifest["shards"], manifest["images"]):
        if numbers is None:
            rows: Sequence[int] = range(shard.stop - shard.start)
        else:
            rows = (numbers[slice(*np.searchsorted(numbers, [shard.start, shard.stop]))] - shard.start).tolist()
        if len(rows):
            paths = [folder / name for name in shard.file_names(manifest["format"])]
            yield from _checked_parts(paths, shard, rows, manifest["format"], shape, classes)


def part_length(shape: Shape) -> int:
    """How many images (H, W, C) make up a part."""
    return max(1, PART_BYTES // math.prod(shape))


def _checked_parts(
    paths: Sequence[Path], shard: Shard, rows: Sequence[int], format: str, shape: Shape, classes: int
) -> Iterator[Part]:
    """The images in these rows of a shard, in parts."""
    try:
        items = READERS[format](paths, shard, rows, shape)
        for start in range(0, len(rows), part_length(shape)):
            taken = [next(items) for _ in rows[start : start + part_length(shape)]]
            images, labels = np.stack([image for image, _ in taken]), np.array([label for _, label in taken], np.int32)
            if images.dtype != np.uint8 or images.shape[1:] != shape or not 0 <= labels.min() <= labels.max() < classes:
                raise ValueError("it holds other images or classes than the manifest says")
            yield images, labels
    except (*CORRUPT_FILE_ERRORS, StopIteration, struct.error, tarfile.TarError) as error:
        raise InputError(f"{paths[0]} cannot be read: {one_line(error)}") from error


def _read_idx(paths: Sequence[Path], shard: Shard, rows: Sequence[int], shape: Shape) -> Iterator[Item]:
    count, length = shard.stop - shard.start, math.prod(shape)
    with gzip.open(paths[0]) as images, gzip.open(paths[1]) as labels:
        facts = struct.unpack(">4B3I", images.read(16)), struct.unpack(">4BI", labels.read(8))
        if facts != ((0, 0, 8, 3, count, *shape[:2]), (0, 0, 8, 1, count)):
            raise ValueError("it holds other images than the manifest says")
        for row in rows:
            pixels = _bytes_at(images, 16 + row * length, length)
            yield np.frombuffer(pixels, np.uint8).reshape(shape), _bytes_at(labels, 8 + row, 1)[0]


def _bytes_at(file: gzip.GzipFile, position: int, length: int) -> bytes:
    file.seek(position)
    content = file.read(length)
    if len(content) < length:
        raise EOFError("it is truncated")
    return content


def _read_npz(paths: Sequence[Path], shard: Shard, rows: Sequence[int], shape: Shape) -> Iterator[Item]:
    count = shard.stop - shard.start
    with open_arrays(paths[0]) as arrays:
        if (arrays.shapes["images"], arrays.shapes["labels"]) != ((count, *shape), (count,)):
            raise ValueError("it holds other images than the manifest says")
        wanted = iter(rows)
        row = next(wanted)
        for number, item in enumerate(zip(arrays.rows("images"), arrays.rows("labels"), strict=True)):
            if number == row:
                yield item[0], int(item[1])
                row = next(wanted, -1)


def _read_parquet(paths: Sequence[Path], shard: Shard, rows: Sequence[int], shape: Shape) -> Iterator[Item]:
    found = find_in_parquet(paths[0])
    if len(found.paths) != shard.stop - shard.start:
        raise ValueError("it holds other images than the manifest says")
    for row in rows:
        pixels = read_pixels(found.open(row), f"{paths[0]}: the image in row {row}", with_opacity=True)
        yield pixels, int(found.labels[row])


def _read_webdataset(paths: Sequence[Path], shard: Shard, rows: Sequence[int], shape: Shape) -> Iterator[Item]:
    wanted = iter(rows)
    row = next(wanted)
    with tarfile.open(paths[0], "r:") as archive:
        for number in range(shard.stop - shard.start):
            image, label = _next_member(archive, ".png"), _next_member(archive, ".cls")
            if number == row:
                pixels = read_pixels(_content(archive, image), f"{paths[0]}: {image.name}", with_opacity=True)
                yield pixels, int(_content(archive, label).read())
                row = next(wanted, -1)


def _next_member(archive: tarfile.TarFile, suffix: str) -> tarfile.TarInfo:
    member = archive.next()
    archive.members = []  # type: ignore[attr-defined]  # tarfile keeps all members, for reading by name.
    if member is None or not member.name.endswith(suffix):
        raise ValueError("it holds other files than the manifest says")
    return member


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> io.BytesIO:
    file = archive.extractfile(member)
    if file is None or member.size > MAX_MEMBER_BYTES:
        raise ValueError(f"its member {member.name} is no image or label")
    return io.BytesIO(file.read())


READERS: dict[str, Callable[[Sequence[Path], Shard, Sequence[int], Shape], Iterator[Item]]] = {
    "idx": _read_idx,
    "npz": _read_npz,
    "parquet": _read_parquet,
    "webdataset": _read_webdataset,
}
