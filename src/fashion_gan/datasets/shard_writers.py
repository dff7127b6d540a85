"""The images of a shard -> its files, part by part, so that a shard of any size takes little memory."""

import contextlib
import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np

from fashion_gan.arrays import Array, Images, Labels, Shape
from fashion_gan.datasets.shards import Shard, labels_of
from fashion_gan.datasets.writers import GZIP_LEVEL, parquet_schema, parquet_table
from fashion_gan.rendering.images import png_bytes

LABELS_TOGETHER = 1 << 20

Write: TypeAlias = Callable[[Images, Labels], None]
"""Takes the next images of a shard, uint8 (N, H, W, C), and their labels, int32 (N,)."""


def open_shard(
    format: str, paths: Sequence[Path], shard: Shard, shape: Shape, class_names: Sequence[str]
) -> AbstractContextManager[Write]:
    """Write a shard's files while the block runs. Equal images give equal bytes.

    Args:
        format: one of ``FORMATS``. ``check_format`` must have accepted it.
        paths: the files, in the order of ``Shard.file_names``.
        shard: which images they hold. The classes take turns.
        shape: height, width and channels of each image.
        class_names: the classes in the order of their labels.

    Returns:
        A context manager. It gives the function that takes the images, in their order, in parts of any size.
    """
    return WRITERS[format](paths, shard, shape, class_names)


@contextlib.contextmanager
def _write_idx(paths: Sequence[Path], shard: Shard, shape: Shape, class_names: Sequence[str]) -> Iterator[Write]:
    count = shard.stop - shard.start
    with _gzip(paths[0]) as images_file, _gzip(paths[1]) as labels_file:
        images_file.write(struct.pack(">4B3I", 0, 0, 8, 3, count, *shape[:2]))
        labels_file.write(struct.pack(">4BI", 0, 0, 8, 1, count))

        def write(images: Images, labels: Labels) -> None:
            images_file.write(images.tobytes())
            labels_file.write(labels.astype(np.uint8).tobytes())

        yield write


@contextlib.contextmanager
def _gzip(path: Path) -> Iterator[gzip.GzipFile]:
    """A compressed file without a name and a time, so that equal content gives equal bytes."""
    with open(path, "wb") as file, gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as compressed:
        yield compressed


@contextlib.contextmanager
def _write_npz(paths: Sequence[Path], shard: Shard, shape: Shape, class_names: Sequence[str]) -> Iterator[Write]:
    """Write the images as they come. Only one member of a zip archive is written at a time, so the labels follow."""
    count = shard.stop - shard.start
    with zipfile.ZipFile(paths[0], "w") as archive:
        with _member(archive, "images", np.dtype(np.uint8), (count, *shape)) as file:
            yield lambda images, labels: _write_bytes(file, images)
        with _member(archive, "labels", np.dtype(np.int32), (count,)) as file:
            for start in range(shard.start, shard.stop, LABELS_TOGETHER):
                numbers = np.arange(start, min(start + LABELS_TOGETHER, shard.stop))
                _write_bytes(file, labels_of(numbers, len(class_names)))
        names = np.array(class_names, np.str_)
        with _member(archive, "class_names", names.dtype, names.shape) as file:
            _write_bytes(file, names)


def _write_bytes(file: IO[bytes], array: Array) -> None:
    file.write(array.tobytes())


@contextlib.contextmanager
def _member(archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: Shape) -> Iterator[IO[bytes]]:
    """A member of an ``.npz`` file, after the header of its array. Its time is fixed."""
    info = zipfile.ZipInfo(f"{name}.npy")
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as file:
        facts = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, facts)
        yield file


@contextlib.contextmanager
def _write_parquet(paths: Sequence[Path], shard: Shard, shape: Shape, class_names: Sequence[str]) -> Iterator[Write]:
    from pyarrow import parquet

    schema = parquet_schema(class_names)
    with parquet.ParquetWriter(paths[0], schema) as writer:
        yield lambda images, labels: writer.write_table(parquet_table(map(png_bytes, images), labels, schema))


@contextlib.contextmanager
def _write_webdataset(paths: Sequence[Path], shard: Shard, shape: Shape, class_names: Sequence[str]) -> Iterator[Write]:
    """Write plain tar files: ``000017.png``, ``000017.cls``. Files of one image share the name up to the first dot."""
    digits = max(6, len(str(shard.count - 1)))
    numbers = iter(range(shard.start, shard.stop))
    with tarfile.open(paths[0], "w", format=tarfile.USTAR_FORMAT) as archive:

        def write(images: Images, labels: Labels) -> None:
            for image, label in zip(images, labels, strict=True):
                key = f"{next(numbers):0{digits}d}"
                for suffix, content in (("png", png_bytes(image)), ("cls", str(label).encode())):
                    info = tarfile.TarInfo(f"{key}.{suffix}")
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))

        yield write


WRITERS: dict[str, Callable[[Sequence[Path], Shard, Shape, Sequence[str]], AbstractContextManager[Write]]] = {
    "idx": _write_idx,
    "npz": _write_npz,
    "parquet": _write_parquet,
    "webdataset": _write_webdataset,
}
