"""Labelled images -> a folder of files in a format that others read."""

import gzip
import importlib.util
import json
import re
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashion_gan import pictures, progress
from fashion_gan.datasets.generated import IDX_IMAGES, IDX_LABELS, MANIFEST
from fashion_gan.errors import InputError, suggestion
from fashion_gan.files import sha256

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]

CARD = "README.md"
NPZ, PARQUET, FOLDERS = "dataset.npz", "dataset.parquet", "images"
PICTURES = FOLDERS + "/*/" + "[0-9]" * 6 + "*.png"
PATTERNS = (MANIFEST, CARD, IDX_IMAGES, IDX_LABELS, NPZ, PARQUET, PICTURES)  # all that such a folder may hold

MOST_IDX_CLASSES = 256  # a label is a byte
GZIP_LEVEL = 6  # the highest takes ten times as long for a hundredth less


def check_format(kind: str, image_shape: tuple[int, int, int], class_names: Sequence[str]) -> None:
    """Raise InputError where images (H, W, C) of these classes cannot be written in a format."""
    if kind not in WRITERS:
        raise InputError(f"format={kind!r} is unknown: {suggestion(kind, list(WRITERS))}")
    if kind == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise InputError("format='parquet' needs pyarrow: pip install pyarrow")
    if kind == "idx" and (image_shape[-1] != 1 or len(class_names) > MOST_IDX_CLASSES):
        raise InputError("format='idx' holds grey images of at most 256 classes: ask for npz, folders or parquet")


def write_files(folder: Path, kind: str, images: Images, labels: Labels, class_names: Sequence[str]) -> None:
    """Write labelled images into a folder that is there.

    Args:
        folder: where the files go.
        kind: "idx", "npz", "folders" or "parquet", that ``check_format`` has passed.
        images: uint8 (N, H, W, C).
        labels: int32 (N,), each the index of a class name.
        class_names: the classes in the order of their labels.
    """
    WRITERS[kind](folder, images, labels, class_names)


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256, in hex, of every file in a folder and the folders in it, by its path there."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in paths}


def subfolder_names(class_names: Sequence[str]) -> list[str]:
    """What the classes' folders are called: their names, without what a folder cannot be called; or their numbers."""
    plain = [re.sub(r"[^\w -]", "-", name).strip() for name in class_names]
    usable = len({name.casefold() for name in plain}) == len(plain) and all(plain)
    return plain if usable else [f"{number:03d}" for number in range(len(plain))]


def _write_idx(folder: Path, images: Images, labels: Labels, class_names: Sequence[str]) -> None:
    _write_gzip(folder / IDX_IMAGES, struct.pack(">4B3I", 0, 0, 8, 3, *images.shape[:3]) + images.tobytes())
    _write_gzip(folder / IDX_LABELS, struct.pack(">4BI", 0, 0, 8, 1, len(labels)) + labels.astype(np.uint8).tobytes())


def _write_gzip(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, GZIP_LEVEL, mtime=0))  # No time: the same images, the same bytes.


def _write_npz(folder: Path, images: Images, labels: Labels, class_names: Sequence[str]) -> None:
    with open(folder / NPZ, "wb") as file:
        np.savez_compressed(
            file, allow_pickle=False, images=images, labels=labels, class_names=np.array(class_names, np.str_)
        )


def _write_folders(folder: Path, images: Images, labels: Labels, class_names: Sequence[str]) -> None:
    classes = [folder / FOLDERS / name for name in subfolder_names(class_names)]
    for path in classes:
        path.mkdir(parents=True)
    digits = max(6, len(str(len(images))))
    for number, image in enumerate(progress.bar(images, "writing", "pictures")):
        (classes[labels[number]] / f"{number:0{digits}d}.png").write_bytes(pictures.png_bytes(image))


def _write_parquet(folder: Path, images: Images, labels: Labels, class_names: Sequence[str]) -> None:
    """As the Hugging Face Hub has image data sets: PNG files and class numbers, their kinds in the schema."""
    import pyarrow
    from pyarrow import parquet

    image_type = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    schema = pyarrow.schema([("image", image_type), ("label", pyarrow.int64())])
    kinds = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": list(class_names)}}
    schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": kinds}})})
    files = [
        {"bytes": pictures.png_bytes(image), "path": None} for image in progress.bar(images, "writing", "pictures")
    ]
    table = pyarrow.table([pyarrow.array(files, image_type), pyarrow.array(labels, pyarrow.int64())], schema=schema)
    parquet.write_table(table, folder / PARQUET)


WRITERS: dict[str, Callable[[Path, Images, Labels, Sequence[str]], None]] = {
    "idx": _write_idx,
    "npz": _write_npz,
    "folders": _write_folders,
    "parquet": _write_parquet,
}
