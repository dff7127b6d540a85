"""Loading Fashion-MNIST from a folder, a cache, Debian's package or a mirror, verified by its checksums."""

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import platformdirs

from fashion_gan.arrays import Labels
from fashion_gan.classes import match_classes, same_classes
from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.idx import read_content, read_idx
from fashion_gan.errors import InputError, check_choice, one_line
from fashion_gan.hub.address import is_address
from fashion_gan.hub.download import fetch_dataset
from fashion_gan.system import progress
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.paths import user_path

Bytes: TypeAlias = npt.NDArray[np.uint8]
"""The array of one IDX file, of any shape."""

# fmt: off
CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)
FASHION_MNIST_SHA256 = {  # of the decompressed content: each packager compresses differently
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte":  "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte":  "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
_SHAPES: dict[str, tuple[int, ...]] = {
    "train-images-idx3-ubyte": (60_000, 28, 28),
    "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte":  (10_000, 28, 28),
    "t10k-labels-idx1-ubyte":  (10_000,),
}
# fmt: on
IMAGE_SHAPE = (28, 28, 1)
TRAINING_FINGERPRINT = "76704e3cd579f18220850c5b89d8de54ba3b661eb231367c7621b287b1171569"
"""``Dataset.fingerprint`` of the training images."""
_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_MAX_FILE_BYTES = 16 + 60_000 * 28 * 28

DATA_VARIABLE = "FASHION_GAN_DATA"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
TIMEOUT_SECONDS = 20.0  # limit of the wait for the mirror's next byte


@default_settings()
def load_fashion_mnist(split: str = "train", data: str | Path | None = None) -> Dataset:
    """Load one split of Fashion-MNIST, verified by its SHA-256.

    If no folder is named, these places are tried in this order: the user's cache folder, the folder of Debian's
    package, the mirrors. A download is stored in the cache folder. If a folder is named, no other place is tried, so
    that nobody trains on other data by mistake.

    Args:
        split: "train" (60,000 images) or "test" (10,000).
        data: the folder of the four files, each plain or ``.gz``. None means the folder that the environment variable
            ``FASHION_GAN_DATA`` names, if it is set.

    Returns:
        Images of shape (N, 28, 28, 1) and labels from 0 to 9.

    Raises:
        InputError: the split is unknown, a file of the named folder is missing or is not the original, or no place
            has the data.

    Example:
        >>> fashion_gan.load_fashion_mnist("test").images.shape
        (10000, 28, 28, 1)

    Source: Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747.
    """
    images_name, labels_name = _FILES[check_choice("split", split, _FILES)]
    images, source = _load(images_name, data)
    labels, _ = _load(labels_name, data)
    return Dataset(images[..., np.newaxis], labels.astype(np.int32), CLASS_NAMES, source)


def is_fashion_mnist(class_names: Sequence[str], image_shape: Sequence[int]) -> bool:
    """Whether these are Fashion-MNIST's ten classes, in any order, and its image shape (H, W, C): 28×28 gray."""
    return same_classes(class_names, CLASS_NAMES) and tuple(image_shape) == IMAGE_SHAPE


def fashion_mnist_labels(class_names: Sequence[str]) -> Labels | None:
    """The label in Fashion-MNIST of each class, by its name: int32 (classes,).

    Returns:
        The labels. None if there are no classes, or if one of them is not a class of Fashion-MNIST.

    Raises:
        InputError: a class fits in several ways.

    Example:
        >>> fashion_mnist_labels(("Bag", "ankle-boot"))
        array([8, 9], dtype=int32)
    """
    labels = match_classes(class_names, CLASS_NAMES)
    return np.array(labels, np.int32) if labels and None not in labels else None


def cache_folder() -> Path | None:
    """The folder that stores downloaded files. None for a user without a home folder, for example in a container."""
    try:
        folder = platformdirs.user_cache_dir("fashion-gan")
    except RuntimeError:  # No home folder is known.
        return None
    return None if folder.startswith("~") else Path(folder)  # platformdirs 4.0 leaves an unknown home folder as "~".


def local_folder() -> Path | None:
    """The first folder on this computer that holds all four files. None if there is none."""
    folder = requested_folder(None)
    places = [place for place in (cache_folder(), DEBIAN_FOLDER) if place] if folder is None else [folder]
    return next((place for place in places if all(_file_path(place, name) for name in FASHION_MNIST_SHA256)), None)


def requested_folder(data: str | os.PathLike[str] | None) -> Path | None:
    """The folder that the argument names, or else ``FASHION_GAN_DATA``. None if neither names one.

    A data set on the Hub is downloaded.
    """
    place: str | os.PathLike[str] | None = os.environ.get(DATA_VARIABLE) or None if data is None else data
    if isinstance(place, str) and is_address(place):
        return fetch_dataset(place).folder
    return None if place is None else user_path(DATA_VARIABLE if data is None else "data", place)


def has_fashion_mnist_files(folder: Path) -> bool:
    """Whether the folder has at least one file that is named like a file of Fashion-MNIST."""
    return any(_file_path(folder, name) for name in FASHION_MNIST_SHA256)


def has_fashion_mnist_digest(content: bytes | bytearray) -> bool:
    """Whether this is the decompressed content of one of Fashion-MNIST's files."""
    return hashlib.sha256(content).hexdigest() in FASHION_MNIST_SHA256.values()


def _load(name: str, data: str | Path | None) -> tuple[Bytes, str]:
    """The array of a file, and the place that it was read from."""
    folder = requested_folder(data)
    if folder is not None:
        return _read_from_folder(folder, name), str(folder)
    places: list[tuple[Path | str, Callable[[], Bytes]]] = [
        *((place, partial(_read_from_folder, place, name)) for place in (cache_folder(), DEBIAN_FOLDER) if place),
        *((mirror, partial(_download, mirror, name)) for mirror in MIRRORS),
    ]
    failures = []
    for place, read in places:
        try:
            return read(), str(place)
        except InputError as error:
            failures.append(str(error))
    raise InputError(
        f"Fashion-MNIST was not found. Tried: {'; '.join(failures)}. Either name a folder of its four files "
        f"with data (--data) or {DATA_VARIABLE}, or run: apt-get install dataset-fashion-mnist"
    )


def _file_path(folder: Path, name: str) -> Path | None:
    """The named file, plain or compressed. None if the folder has neither."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _read_from_folder(folder: Path, name: str) -> Bytes:
    try:
        path = _file_path(folder, name)
    except OSError as error:
        raise InputError(f"{folder}: {one_line(error)}") from error
    if path is None:
        fault = f"{name} is missing (plain or .gz)" if folder.is_dir() else "no such folder"
        raise InputError(f"{folder}: {fault}")
    return _read_verified(path, name, str(path))


def _read_verified(path: Path, name: str, place: str) -> Bytes:
    """Read a file of Fashion-MNIST and verify its checksum. ``place`` names it in error messages."""
    content = read_content(path, place, _MAX_FILE_BYTES)
    digest = hashlib.sha256(content).hexdigest()
    if digest == FASHION_MNIST_SHA256[name]:
        return read_idx(content, place)
    for other_name, other_digest in FASHION_MNIST_SHA256.items():
        if digest == other_digest:
            raise InputError(f"{place}: swapped: it holds {other_name}, not {name}")
    shape = read_idx(content, place).shape
    if shape != _SHAPES[name]:
        raise InputError(f"{place}: wrong shape {shape}: {name} has {_SHAPES[name]}")
    raise InputError(f"{place}: altered, or of another data set: its checksum is not that of {name} (SHA-256 {digest})")


def _download(mirror: str, name: str) -> Bytes:
    """Download a file into the cache folder. It gets its final name only after it is complete and verified."""
    folder = cache_folder()
    if folder is not None:
        return _download_into(folder, mirror, name)
    with tempfile.TemporaryDirectory() as temporary:
        return _download_into(Path(temporary), mirror, name)


def _download_into(folder: Path, mirror: str, name: str) -> Bytes:
    url, cached = f"{mirror}{name}.gz", folder / f"{name}.gz"
    partial = cached.with_name(f".{cached.name}.{os.getpid()}.part")
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        try:
            _fetch(url, partial)
            array = _read_verified(partial, name, url)
            os.replace(partial, cached)
        finally:
            partial.unlink(missing_ok=True)
    except (OSError, http.client.HTTPException) as error:
        raise InputError(f"{url}: {one_line(_cause(error))}") from error
    return array


def _cause(error: Exception) -> object:
    """The reason for an error, without the wrapper that urllib adds if the connection fails."""
    return error.reason if type(error) is urllib.error.URLError else error


def _fetch(url: str, path: Path) -> None:
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, path.open("wb") as file:
        # The bar appears at once and stays, because users should know about a download.
        name = url.rpartition("/")[2]
        with progress.bar(None, name, "B", unit_scale=True, total=response.length, delay=0, leave=True) as bar:
            while chunk := response.read(1 << 16):
                bar.update(file.write(chunk))
                if file.tell() > _MAX_FILE_BYTES:
                    raise InputError(f"{url}: too long: {_MAX_FILE_BYTES:,} bytes at most")
