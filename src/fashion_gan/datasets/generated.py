"""Data sets that ``make_dataset`` wrote as IDX, read back by their manifests."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan.datasets.dataset import Bytes, Dataset
from fashion_gan.datasets.idx import read_content, read_idx
from fashion_gan.errors import InputError
from fashion_gan.files import sha256

MANIFEST = "manifest.json"
IDX_IMAGES, IDX_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
LARGEST_BYTES = 2**32  # of all images, which are held in memory
_LARGEST_FILE_BYTES = 16 + LARGEST_BYTES


def manifest_of(folder: Path) -> dict[str, Any] | None:
    """The manifest of a folder that ``make_dataset`` wrote as IDX; None where it is anything else."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        ours = found["format"] == "idx" and isinstance(found["class_names"], list) and isinstance(found["files"], dict)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if ours else None


def load_idx(folder: Path, manifest: dict[str, Any]) -> Dataset:
    """Read a data set of ours in IDX, checked by its manifest.

    Raises:
        InputError: a file is missing, or its content is not what the manifest says.
    """
    images, labels = (_read_idx(folder / name, manifest["files"].get(name)) for name in (IDX_IMAGES, IDX_LABELS))
    class_names = tuple(map(str, manifest["class_names"]))
    if images.ndim != 3 or labels.shape != images.shape[:1] or not images.size or labels.max() >= len(class_names):
        raise InputError(f"{folder}: {images.shape} images and {labels.shape} labels of {len(class_names)} classes")
    return Dataset(images[..., np.newaxis], labels.astype(np.int32), class_names, str(folder))


def _read_idx(path: Path, digest: Any) -> Bytes:
    if not path.is_file():
        raise InputError(f"{path} is missing")
    if sha256(path) != digest:
        raise InputError(f"{path}: altered: its checksum differs from that in {MANIFEST}")
    return read_idx(read_content(path, str(path), _LARGEST_FILE_BYTES), str(path))
