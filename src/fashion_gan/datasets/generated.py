"""Reading data sets that ``make_dataset`` wrote, in each of its formats, with the classes of their manifests."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import JsonObject
from fashion_gan.classes import folder_name
from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.idx import read_content, read_idx
from fashion_gan.datasets.labeled_files import read_labeled_images
from fashion_gan.datasets.parquet_files import stack
from fashion_gan.datasets.picture_files import read_pixels
from fashion_gan.datasets.shard_readers import read_parts
from fashion_gan.datasets.shards import FORMATS as SHARD_FORMATS
from fashion_gan.datasets.shards import MAX_COUNT, RECORDS, Shard, all_shards
from fashion_gan.errors import InputError, check_whole_number
from fashion_gan.system import memory, progress
from fashion_gan.system.atomic_files import sha256

MANIFEST = "manifest.json"
NPZ, PARQUET, FOLDERS = "dataset.npz", "dataset.parquet", "images"
IDX_IMAGES, IDX_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
MAX_BYTES = 2**32  # limit of all images of a data set together, because they are held in memory
_MAX_FILE_BYTES = 16 + MAX_BYTES
MAX_DIGITS = 12  # of the numbers that pictures are called by
# Names that no folder can have; Windows reserves all but the first for devices.
_PORTS = {f"{port}{digit}" for port in ("com", "lpt") for digit in range(10)}
NO_FOLDER_NAMES = {"", "con", "prn", "aux", "nul", *_PORTS}


def subfolder_names(class_names: Sequence[str]) -> list[str]:
    """A folder's name for each class: the class's name with "-" for each unsafe character.

    If two such names differ at most in case, or Windows cannot have one, the classes' numbers are the folders' names.
    """
    safe_names = [folder_name(name) for name in class_names]
    folded = {name.casefold() for name in safe_names}
    if len(folded) < len(safe_names) or folded & NO_FOLDER_NAMES:
        return [f"{number:03d}" for number in range(len(safe_names))]
    return safe_names


def read_manifest(folder: Path) -> JsonObject | None:
    """Read the manifest of a folder that ``make_dataset`` wrote. None if the folder is anything else.

    Raises:
        InputError: the folder holds shards that are not merged.
    """
    if not (folder / MANIFEST).exists() and any(folder.glob(RECORDS)):
        raise InputError(f"{folder} holds shards that are not merged: run fashion-gan dataset --merge {folder}")
    try:
        manifest: JsonObject = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if "shards" in manifest:
            return manifest if _is_sharded(manifest) else None
        is_known = manifest["format"] in READERS
        is_complete = isinstance(manifest["class_names"], list) and isinstance(manifest["files"], dict)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not is_known or not is_complete or not (folder / FILES[manifest["format"]]).exists():
        return None
    return manifest


def _is_sharded(manifest: JsonObject) -> bool:
    """Whether a manifest describes shards. Raises ValueError, KeyError or TypeError if it is damaged."""
    shape = manifest["shape"]
    has_shape = len(shape) == 3 and all(isinstance(length, int) and length > 0 for length in shape)
    has_files = isinstance(manifest["class_names"], list) and isinstance(manifest["files"], dict)
    shard = Shard.parse(f"1/{manifest['shards']}", check_whole_number("images", manifest["images"], 1, MAX_COUNT))
    return has_shape and has_files and shard.of == manifest["shards"] and manifest["format"] in SHARD_FORMATS


def load_generated(folder: Path, manifest: JsonObject) -> Dataset:
    """Read a data set that ``make_dataset`` wrote.

    Args:
        folder: the data set's folder.
        manifest: its manifest, from ``read_manifest``.

    Returns:
        The images (N, H, W, C) as they were written, in the same order in every format, with the manifest's classes.

    Raises:
        InputError: a file is missing, its checksum is not the manifest's, or the images, labels and classes do not fit
            together. Of pictures in folders, some may be missing, and the others have no checksum.
    """
    if "shards" in manifest:
        return _load_shards(folder, manifest)
    return READERS[manifest["format"]](folder, manifest)


def _load_shards(folder: Path, manifest: JsonObject) -> Dataset:
    """Read all shards into memory."""
    count, shape = manifest["images"], manifest["shape"]
    remedy = "draw fewer, or draw them with --format parquet, which training reads from the disk"
    memory.check_memory(count * (math.prod(shape) + 4), f"{folder}: its {count:,} images", remedy)
    for shard in all_shards(manifest["shards"], count):
        for name in shard.file_names(manifest["format"]):
            _verified_file(folder / name, manifest["files"].get(name))
    images, labels = np.empty((count, *shape), np.uint8), np.empty(count, np.int32)
    start = 0
    for part_images, part_labels in progress.bar(read_parts(folder, manifest), f"reading {folder}", "parts"):
        part = slice(start, start + len(part_labels))
        images[part], labels[part], start = part_images, part_labels, part.stop
    return Dataset(images, labels, tuple(map(str, manifest["class_names"])), str(folder))


def _load_idx(folder: Path, manifest: JsonObject) -> Dataset:
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


def _load_npz(folder: Path, manifest: JsonObject) -> Dataset:
    return _named(read_labeled_images(_verified(folder / NPZ, manifest)).dataset(folder), manifest)


def _load_parquet(folder: Path, manifest: JsonObject) -> Dataset:
    return _named(read_labeled_images(_verified(folder / PARQUET, manifest)).dataset(folder), manifest)


def _load_folders(folder: Path, manifest: JsonObject) -> Dataset:
    """Read pictures in the order of the numbers that are their names. Users may delete those that they do not like."""
    class_names = tuple(map(str, manifest["class_names"]))
    numbered = sorted(
        (path.stem.zfill(MAX_DIGITS), label, path)
        for label, name in enumerate(subfolder_names(class_names))
        for path in (folder / FOLDERS / name).glob("*.png")
    )
    if not numbered:
        raise InputError(f"{folder / FOLDERS} holds no pictures of the classes in {MANIFEST}")
    pictures = [
        read_pixels(path, with_opacity=True) for _, _, path in progress.bar(numbered, f"reading {folder}", "pictures")
    ]
    sizes = {picture.shape[:2] for picture in pictures}
    if len(sizes) > 1:
        raise InputError(f"{folder / FOLDERS} holds pictures of {len(sizes)} sizes, not of one")
    labels = np.array([label for _, label, _ in numbered], np.int32)
    return Dataset(stack(pictures), labels, class_names, str(folder))


def _named(dataset: Dataset, manifest: JsonObject) -> Dataset:
    """The data set, whose classes must be the manifest's."""
    if list(dataset.class_names) != list(map(str, manifest["class_names"])):
        raise InputError(f"{dataset.source}: its classes are not those of {MANIFEST}")
    return dataset


def _read_verified(path: Path, digest: object) -> npt.NDArray[np.uint8]:
    return read_idx(read_content(_verified_file(path, digest), str(path), _MAX_FILE_BYTES), str(path))


def _verified(path: Path, manifest: JsonObject) -> Path:
    return _verified_file(path, manifest["files"].get(path.name))


def _verified_file(path: Path, digest: object) -> Path:
    if not path.is_file():
        raise InputError(f"{path} is missing")
    if sha256(path) != digest:
        raise InputError(f"{path}: altered: its checksum differs from that in {MANIFEST}")
    return path


FILES = {"idx": "", "npz": NPZ, "folders": FOLDERS, "parquet": PARQUET}  # Of IDX files, each that is missing is named.
READERS: dict[str, Callable[[Path, JsonObject], Dataset]] = {
    "idx": _load_idx,
    "npz": _load_npz,
    "folders": _load_folders,
    "parquet": _load_parquet,
}
