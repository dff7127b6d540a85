"""Labeled images -> files in a format that other programs read: IDX, npz, folders of PNG files, or Parquet."""

import gzip
import json
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan.arrays import Images, Labels
from fashion_gan.datasets.generated import (
    FOLDERS,
    IDX_IMAGES,
    IDX_LABELS,
    MANIFEST,
    NPZ,
    PARQUET,
    subfolder_names,
)
from fashion_gan.datasets.shards import FORMATS as SHARD_FORMATS
from fashion_gan.datasets.shards import SHARD_FILES
from fashion_gan.errors import InputError, check_choice, show
from fashion_gan.rendering.images import png_bytes
from fashion_gan.system import progress
from fashion_gan.system.atomic_files import sha256
from fashion_gan.system.installation import check_installed

CARD = "README.md"
PICTURES = FOLDERS + "/*/" + "[0-9]" * 6 + "*.png"
# All files that a data set may hold.
PATTERNS = (MANIFEST, CARD, IDX_IMAGES, IDX_LABELS, NPZ, PARQUET, PICTURES, SHARD_FILES)

MAX_IDX_CLASSES = 256  # IDX stores a label in one byte
GZIP_LEVEL = 6  # level 9 takes ten times as long and saves 1%


def check_format(
    format: str,
    image_shape: tuple[int, int, int],
    class_names: Sequence[str],
    *,
    in_shards: bool = False,
) -> None:
    """Raise InputError if a format is unknown, needs a missing package, or cannot hold such images (H, W, C).

    Args:
        format: the format.
        image_shape: height, width and channels.
        class_names: the classes.
        in_shards: whether the data set is written in shards.
    """
    check_choice("format", format, dict.fromkeys((*WRITERS, *SHARD_FORMATS)))
    if in_shards and format not in SHARD_FORMATS:
        raise InputError(f"format={show(format)} does not go with count (--count): use {' or '.join(SHARD_FORMATS)}")
    if not in_shards and format not in WRITERS:
        raise InputError(f"format={show(format)} is for a data set of count images (--count)")
    if format == "parquet":
        check_installed("pyarrow", "format='parquet'", "parquet")
    if format == "idx" and (image_shape[-1] != 1 or len(class_names) > MAX_IDX_CLASSES):
        others = "npz, parquet or webdataset" if in_shards else "npz, folders or parquet"
        raise InputError(f"format='idx' holds gray images of at most 256 classes: use {others}")


def write_files(
    folder: Path,
    format: str,
    images: Images,
    labels: Labels,
    class_names: Sequence[str],
) -> None:
    """Write labeled images into an existing folder.

    Args:
        folder: the folder to write to.
        format: "idx", "npz", "folders" or "parquet". ``check_format`` must have accepted it.
        images: uint8 (N, H, W, C).
        labels: int32 (N,), each the index of a class name.
        class_names: the classes in the order of their labels.
    """
    WRITERS[format](folder, images, labels, class_names)


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256, in hex, of every file in a folder and its subfolders, by the file's path relative to the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in paths}


def _write_idx(folder: Path, images: Images, labels: Labels, class_names: Sequence[str]) -> None:
    _write_gzip(folder / IDX_IMAGES, struct.pack(">4B3I", 0, 0, 8, 3, *images.shape[:3]) + images.tobytes())
    _write_gzip(folder / IDX_LABELS, struct.pack(">4BI", 0, 0, 8, 1, len(labels)) + labels.astype(np.uint8).tobytes())


def _write_gzip(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, GZIP_LEVEL, mtime=0))  # Without a time, equal images give equal bytes.


def _write_npz(folder: Path, images: Images, labels: Labels, class_names: Sequence[str]) -> None:
    with open(folder / NPZ, "wb") as file:
        np.savez_compressed(
            file, allow_pickle=False, images=images, labels=labels, class_names=np.array(class_names, np.str_)
        )


def _write_folders(folder: Path, images: Images, labels: Labels, class_names: Sequence[str]) -> None:
    class_folders = [folder / FOLDERS / name for name in subfolder_names(class_names)]
    for path in class_folders:
        path.mkdir(parents=True)
    digits = max(6, len(str(len(images))))
    for number, image in enumerate(progress.bar(images, "writing", "pictures")):
        (class_folders[labels[number]] / f"{number:0{digits}d}.png").write_bytes(png_bytes(image))


def _write_parquet(folder: Path, images: Images, labels: Labels, class_names: Sequence[str]) -> None:
    from pyarrow import parquet

    files = (png_bytes(image) for image in progress.bar(images, "writing", "pictures"))
    parquet.write_table(parquet_table(files, labels, parquet_schema(class_names)), folder / PARQUET)


def parquet_schema(class_names: Sequence[str]) -> Any:
    """A ``pyarrow.Schema`` of PNG files and class numbers, which the Hugging Face Hub reads as an image data set."""
    import pyarrow

    image_type = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    schema = pyarrow.schema([("image", image_type), ("label", pyarrow.int64())])
    features = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": list(class_names)}}
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def parquet_table(files: Iterable[bytes], labels: Labels, schema: Any) -> Any:
    """A ``pyarrow.Table`` of PNG files and their classes (N,)."""
    import pyarrow

    cells = [{"bytes": content, "path": None} for content in files]
    columns = [pyarrow.array(cells, schema.field("image").type), pyarrow.array(labels, pyarrow.int64())]
    return pyarrow.table(columns, schema=schema)


WRITERS: dict[str, Callable[[Path, Images, Labels, Sequence[str]], None]] = {
    "idx": _write_idx,
    "npz": _write_npz,
    "folders": _write_folders,
    "parquet": _write_parquet,
}
