"""Reading data sets that ``make_dataset`` wrote as IDX, checked by their manifests."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import JsonObject
from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.idx import read_content, read_idx
from fashion_gan.errors import InputError
from fashion_gan.system.atomic_files import sha256

MANIFEST = "manifest.json"
IDX_IMAGES, IDX_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
MAX_BYTES = 2**32  # limit of all images of a data set together, because they are held in memory
_MAX_FILE_BYTES = 16 + MAX_BYTES


def read_manifest(folder: Path) -> JsonObject | None:
    """Read the manifest of a folder that ``make_dataset`` wrote as IDX. None if the folder is anything else."""
    try:
        manifest: JsonObject = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        is_idx = manifest["format"] == "idx"
        is_complete = isinstance(manifest["class_names"], list) and isinstance(manifest["files"], dict)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return manifest if is_idx and is_complete else None


def load_idx(folder: Path, manifest: JsonObject) -> Dataset:
    """Read an IDX data set that ``make_dataset`` wrote.

    Args:
        folder: the data set's folder.
        manifest: its manifest, from ``read_manifest``.

    Returns:
        Images of shape (N, H, W, 1) with the manifest's classes.

    Raises:
        InputError: a file is missing, its checksum is not the manifest's, or the images, labels and classes do not fit
            together.
    """
    images, labels = (_read_verified(folder / name, manifest["files"].get(name)) for name in (IDX_IMAGES, IDX_LABELS))
    class_names = tuple(map(str, manifest["class_names"]))
    if images.ndim != 3 or not images.size:
        raise InputError(f"{folder / IDX_IMAGES}: wrong shape {images.shape}: images must be (N, H, W), at least one")
    if labels.shape != images.shape[:1]:
        raise InputError(f"{folder / IDX_LABELS}: wrong shape {labels.shape}: there are {len(images)} images")
    if labels.max() >= len(class_names):
        raise InputError(
            f"{folder / IDX_LABELS}: unknown label {labels.max()}: {MANIFEST} names {len(class_names)} classes"
        )
    return Dataset(images[..., np.newaxis], labels.astype(np.int32), class_names, str(folder))


def _read_verified(path: Path, digest: object) -> npt.NDArray[np.uint8]:
    if not path.is_file():
        raise InputError(f"{path} is missing")
    if sha256(path) != digest:
        raise InputError(f"{path}: altered: its checksum differs from that in {MANIFEST}")
    return read_idx(read_content(path, str(path), _MAX_FILE_BYTES), str(path))
