"""Fashion-MNIST and the user's own pictures -> verified uint8 arrays (N, H, W, C) and labels."""

import dataclasses
import gzip
import hashlib
import http.client
import math
import os
import struct
import sys
import urllib.error
import urllib.request
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import platformdirs
from PIL import Image, ImageOps
from tqdm import tqdm

from fashion_gan.errors import InputError, suggestion

Bytes = npt.NDArray[np.uint8]

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

_PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
# Named, so that Pillow never hands a file to Ghostscript or to a decoder that few have looked at.
_PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
_MODES = {1: "L", 3: "RGB"}
_LAYOUTS = (
    "a data folder holds the four Fashion-MNIST files, or pictures at its top, "
    f"or one subfolder of pictures a class ({' '.join(_PICTURE_SUFFIXES)})"
)


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Images in memory, with their labels.

    Attributes:
        images: uint8 (N, H, W, C) in [0, 255].
        labels: int32 (N,), each the index of a class name; zeros where there are no classes.
        class_names: the classes in the order of their labels, or ().
        source: the folder or the address that the images came from.
    """

    images: Bytes
    labels: npt.NDArray[np.int32]
    class_names: tuple[str, ...]
    source: str

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of the images' shape, the images and the labels: the same data, the same fingerprint."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()


def load_training_images(data: str | Path | None, image_size: int, channels: int) -> Dataset:
    """Load what a run trains on: Fashion-MNIST, or the user's own pictures.

    Fashion-MNIST stays 28×28 and grey whatever is asked for: the model resizes it batch by batch.

    Args:
        data: None for ``FASHION_GAN_DATA``, or else Fashion-MNIST wherever it is found; a folder of the four
            Fashion-MNIST files; a folder that ``make_dataset`` wrote as IDX; or a folder of pictures.
        image_size: height and width that pictures get, in pixels.
        channels: channels that pictures get: 1 for grey, 3 for colour.

    Raises:
        InputError: the folder does not exist, or what it holds cannot be used.
    """
    folder = _chosen_folder(data)
    if folder is None:
        return load_fashion_mnist("train")
    if not folder.is_dir():
        raise InputError(f"data={str(folder)!r} is no folder: {_LAYOUTS}")
    if any(_idx_file(folder, name) for name in _FILES["train"] + _FILES["test"]):
        from fashion_gan import dataset_files  # Which reads IDX by this room.

        manifest = dataset_files.manifest_of(folder)
        return load_fashion_mnist("train", folder) if manifest is None else dataset_files.load_idx(folder, manifest)
    return load_pictures(folder, image_size, channels)


# ---- Fashion-MNIST ----


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


def cache_folder() -> Path:
    """Where downloaded files are kept."""
    return Path(platformdirs.user_cache_dir("fashion-gan"))


def local_folder() -> Path | None:
    """The folder on this computer that ``load_fashion_mnist`` would read; None where it would have to download."""
    chosen = _chosen_folder(None)
    places = [cache_folder(), DEBIAN_FOLDER] if chosen is None else [chosen]
    names = [name for split in _FILES.values() for name in split]
    return next((place for place in places if all(_idx_file(place, name) for name in names)), None)


def _chosen_folder(data: str | Path | None) -> Path | None:
    chosen = data if data is not None else os.environ.get(DATA_VARIABLE) or None
    return None if chosen is None else Path(chosen).expanduser()


def _find(name: str, data: str | Path | None) -> tuple[Bytes, str]:
    """The named file's array, and the place that it came from."""
    chosen = _chosen_folder(data)
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


def _idx_file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _read_folder(folder: Path, name: str) -> Bytes:
    try:
        path = _idx_file(folder, name)
    except OSError as error:
        raise InputError(f"{folder}: {_reason(error)}") from error
    if path is None:
        fault = f"{name} is missing (plain or .gz)" if folder.is_dir() else "no such folder"
        raise InputError(f"{folder}: {fault}")
    return _read_verified(path, name, str(path))


def _read_verified(path: Path, name: str, place: str) -> Bytes:
    """The array in a file, once it is known to be Fashion-MNIST's; errors call the file ``place``."""
    content = _read_content(path, place)
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


def _read_content(path: Path, place: str) -> bytearray:
    """A file's content, decompressed where it is compressed: browsers keep the name and change the content."""
    content = bytearray()
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if compressed else raw
            # In pieces, because decompressing whole holds the content twice.
            while piece := stream.read(1 << 20):
                content += piece
                if len(content) > _LARGEST_FILE_BYTES:
                    raise InputError(f"{place}: too long: {_LARGEST_FILE_BYTES} bytes at most")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{place}: cannot be decompressed, truncated or damaged: {_reason(error)}") from error
    except OSError as error:
        raise InputError(f"{place}: {_reason(error)}") from error
    return content


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
        raise InputError(f"{url}: {_reason(error)}") from error
    return content


def _fetch(url: str, path: Path) -> None:
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, path.open("wb") as file:
        seconds = 0.2 if sys.stderr.isatty() else 10.0  # a log file is no place for a moving bar
        name = url.rpartition("/")[2]
        with tqdm(total=response.length, desc=name, unit="B", unit_scale=True, mininterval=seconds) as bar:
            while piece := response.read(1 << 16):
                bar.update(file.write(piece))
                if file.tell() > _LARGEST_FILE_BYTES:
                    raise InputError(f"{url}: too long: {_LARGEST_FILE_BYTES} bytes at most")


def _reason(error: Exception) -> str:
    """An error's text on one line; that of a failed connection without the wrapping of urllib."""
    cause = error.reason if type(error) is urllib.error.URLError else error
    return " ".join(str(cause).split()) or type(cause).__name__


# ---- The user's own pictures ----


def load_pictures(folder: str | Path, image_size: int, channels: int) -> Dataset:
    """Load a folder of pictures, each cropped to its central square and resized.

    Pictures at the folder's top have no classes; pictures in its subfolders have the subfolders' names as classes.
    They come in the order of their names. Transparent parts become white; a film gives its first frame.

    Args:
        folder: the folder; what begins with a dot, and files that are no pictures by their names, are left out.
        image_size: height and width of the images, in pixels.
        channels: 1 for grey, 3 for colour.

    Returns:
        Images of shape (N, image_size, image_size, channels).

    Raises:
        InputError: no such folder, no pictures in it, pictures at its top and in subfolders, or one that cannot be
            read or is so large that it may be an attack.
    """
    folder = Path(folder).expanduser()
    if channels not in _MODES:
        raise InputError(f"channels={channels!r} is not allowed: 1 for grey, 3 for colour")
    classes = list_pictures(folder)
    paths = [path for found in classes.values() for path in found]
    images = np.empty((len(paths), image_size, image_size, channels), np.uint8)
    for index, path in enumerate(tqdm(paths, desc=f"reading {folder}", unit=" pictures", disable=len(paths) <= 500)):
        images[index] = _read_picture(path, lambda image: _square(image, image_size, channels))
    labels = np.repeat(np.arange(len(classes), dtype=np.int32), [len(found) for found in classes.values()])
    return Dataset(images, labels, tuple(name for name in classes if name), str(folder))


def list_pictures(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each class, in the order of their names; "" is the class of a folder without classes."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: {_LAYOUTS}")
    at_top = _pictures_in(folder)
    subfolders = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    classes = {path.name: found for path in subfolders if (found := _pictures_in(path))}
    if at_top and classes:
        raise InputError(f"{folder} holds pictures both at its top and in subfolders: {_LAYOUTS}")
    if not at_top and not classes:
        raise InputError(f"{folder} holds no pictures: {_LAYOUTS}")
    return classes or {"": at_top}


def _pictures_in(folder: Path) -> list[Path]:
    # Names that begin with a dot are not pictures even as ".cat.png": macOS leaves such files beside the real ones.
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def read_pixels(path: Path) -> Bytes:
    """A picture's pixels as they are, uint8 (H, W, 1), or (H, W, 3) where its three colours differ.

    Raises:
        InputError: it cannot be read, has other than eight bits a channel or is transparent somewhere, or is so large
            that it may be an attack.
    """

    def pixels(image: Image.Image) -> Bytes:
        if image.mode not in ("1", "L", "P", "RGB") or image.has_transparency_data:
            raise ValueError(f"its pixels are {image.mode}, and only opaque grey or colours of eight bits are scored")
        colours = np.asarray(image.convert("RGB"))
        return colours[..., :1] if (colours == colours[..., :1]).all() else colours

    return _read_picture(path, pixels)


def _read_picture(path: Path, read: Callable[[Image.Image], Bytes]) -> Bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_PICTURE_FORMATS) as image:
                return read(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is too large a picture: at most {Image.MAX_IMAGE_PIXELS} pixels are read") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise InputError(f"{path} cannot be read as a picture: {_reason(error)}") from error


def _square(image: Image.Image, image_size: int, channels: int) -> Bytes:
    """The picture as its photographer held the camera, cropped to its central square and resized."""
    # A large JPEG is decoded at a fraction of its size, still large enough to resize well.
    image.draft(_MODES[channels], (2 * image_size, 2 * image_size))
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):
        # Pillow's own conversion would clip: everything above 255 of 65,535 would become white.
        upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
    if upright.mode in ("I", "F"):
        raise ValueError("pixels of 32 bits have no known range")
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
    square = ImageOps.fit(upright.convert(_MODES[channels]), (image_size, image_size), Image.Resampling.LANCZOS)
    return np.asarray(square).reshape(image_size, image_size, channels)
