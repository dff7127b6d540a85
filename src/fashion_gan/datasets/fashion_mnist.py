"""Fashion-MNIST, from a folder, a cache, Debian's package or the mirrors, verified by its checksums."""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from fashion_gan import progress
from fashion_gan.datasets.dataset import Bytes, Dataset
from fashion_gan.datasets.idx import read_content, read_idx
from fashion_gan.errors import InputError, one_line, suggestion

# fmt: off
CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)
FASHION_MNIST_SHA256 = {  # of the content after decompression: packagers compress it with headers of their own
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
_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_LARGEST_FILE_BYTES = 16 + 60_000 * 28 * 28

DATA_VARIABLE = "FASHION_GAN_DATA"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)
TIMEOUT_SECONDS = 20.0  # without a byte from the mirror


def load_fashion_mnist(split: str = "train", data: str | Path | None = None) -> Dataset:
    """Load one split of Fashion-MNIST, verified by its SHA-256.

    Without a folder, the user's cache folder, the Debian package's folder and the official mirrors are tried in
    this order. A folder that was asked for is the only place looked at, so that nobody trains on other data than
    they think.

    Args:
        split: "train" (60,000 images) or "test" (10,000).
        data: the folder of the four files, each plain or ``.gz``; None for the one that ``FASHION_GAN_DATA`` names.

    Returns:
        Images of shape (N, 28, 28, 1) and labels from 0 to 9.

    Raises:
        InputError: an unknown split; a file of the folder that was asked for is missing or not Fashion-MNIST's; or
            no place has the data.

    Example:
        >>> load_fashion_mnist("test").images.shape
        (10000, 28, 28, 1)

    Source: Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747.
    """
    if split not in _FILES:
        raise InputError(f"split={split!r} is unknown: {suggestion(str(split), list(_FILES))}")
    images_name, labels_name = _FILES[split]
    images, source = _find(images_name, data)
    labels, _ = _find(labels_name, data)
    return Dataset(images[..., np.newaxis], labels.astype(np.int32), CLASS_NAMES, source)


def cache_folder() -> Path:
    """Where downloaded files are kept."""
    return Path(platformdirs.user_cache_dir("fashion-gan"))


def local_folder() -> Path | None:
    """The folder on this computer that ``load_fashion_mnist`` would read; None where it would have to download."""
    chosen = chosen_folder(None)
    places = [cache_folder(), DEBIAN_FOLDER] if chosen is None else [chosen]
    return next((place for place in places if all(_file_of(place, name) for name in FASHION_MNIST_SHA256)), None)


def chosen_folder(data: str | Path | None) -> Path | None:
    """The folder that was asked for, by an argument or else by the variable; None where none was."""
    chosen = data if data is not None else os.environ.get(DATA_VARIABLE) or None
    return None if chosen is None else Path(chosen).expanduser()


def has_files(folder: Path) -> bool:
    """Whether a file in the folder is called as one of Fashion-MNIST's."""
    return any(_file_of(folder, name) for name in FASHION_MNIST_SHA256)


def _find(name: str, data: str | Path | None) -> tuple[Bytes, str]:
    """The named file's array, and the place that it came from."""
    chosen = chosen_folder(data)
    if chosen is not None:
        return _read_folder(chosen, name), str(chosen)
    places: list[tuple[Any, Callable[[Any, str], Bytes]]] = [
        *((folder, _read_folder) for folder in (cache_folder(), DEBIAN_FOLDER)),
        *((mirror, _download) for mirror in MIRRORS),
    ]
    failures = []
    for place, read in places:
        try:
            return read(place, name), str(place)
        except InputError as error:
            failures.append(str(error))
    raise InputError(
        f"Fashion-MNIST was not found. Tried: {'; '.join(failures)}. Two ways out: name a folder of its four files "
        f"with --data or {DATA_VARIABLE}, or run: apt-get install dataset-fashion-mnist"
    )


def _file_of(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _read_folder(folder: Path, name: str) -> Bytes:
    try:
        path = _file_of(folder, name)
    except OSError as error:
        raise InputError(f"{folder}: {one_line(error)}") from error
    if path is None:
        fault = f"{name} is missing (plain or .gz)" if folder.is_dir() else "no such folder"
        raise InputError(f"{folder}: {fault}")
    return _read_verified(path, name, str(path))


def _read_verified(path: Path, name: str, place: str) -> Bytes:
    """The array in a file, once it is known to be Fashion-MNIST's; errors call the file ``place``."""
    content = read_content(path, place, _LARGEST_FILE_BYTES)
    digest = hashlib.sha256(content).hexdigest()
    if digest == FASHION_MNIST_SHA256[name]:
        return read_idx(content, place)
    for other, known in FASHION_MNIST_SHA256.items():
        if digest == known:
            raise InputError(f"{place}: swapped: it holds {other}, not {name}")
    shape = read_idx(content, place).shape
    if shape != _SHAPES[name]:
        raise InputError(f"{place}: wrong shape {shape}: {name} has {_SHAPES[name]}")
    raise InputError(f"{place}: altered: its checksum differs from that of {name} (SHA-256 {digest})")


def _download(mirror: str, name: str) -> Bytes:
    """Fetch a file into the cache folder, where it gets its name only once it is whole and verified."""
    url, kept = f"{mirror}{name}.gz", cache_folder() / f"{name}.gz"
    part = kept.with_name(f".{kept.name}.{os.getpid()}.part")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        try:
            _fetch(url, part)
            content = _read_verified(part, name, url)
            os.replace(part, kept)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, http.client.HTTPException) as error:
        raise InputError(f"{url}: {one_line(_cause(error))}") from error
    return content


def _cause(error: Exception) -> object:
    """What went wrong, without what urllib wraps around a connection that failed."""
    return error.reason if type(error) is urllib.error.URLError else error


def _fetch(url: str, path: Path) -> None:
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, path.open("wb") as file:
        name = url.rpartition("/")[2]
        # Shown at once and left there: that something was fetched is worth knowing.
        shown = progress.bar(None, name, "B", unit_scale=True, total=response.length, delay=0, leave=True)
        with shown as bar:
            while piece := response.read(1 << 16):
                bar.update(file.write(piece))
                if file.tell() > _LARGEST_FILE_BYTES:
                    raise InputError(f"{url}: too long: {_LARGEST_FILE_BYTES} bytes at most")
