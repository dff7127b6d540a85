"""Folders of pictures, with a subfolder a class or without classes -> arrays of one size."""

import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from fashion_gan import progress
from fashion_gan.datasets.dataset import Bytes, Dataset
from fashion_gan.errors import InputError, one_line

_PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
# Named, so that Pillow never hands a file to Ghostscript or to a decoder that few have looked at.
_PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
_MODES = {1: "L", 3: "RGB"}
LAYOUTS = (
    "a data folder holds the four Fashion-MNIST files, or pictures at its top, "
    f"or one subfolder of pictures a class ({' '.join(_PICTURE_SUFFIXES)})"
)


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
    for index, path in enumerate(progress.bar(paths, f"reading {folder}", "pictures")):
        images[index] = _read_picture(path, lambda image: _square(image, image_size, channels))
    labels = np.repeat(np.arange(len(classes), dtype=np.int32), [len(found) for found in classes.values()])
    return Dataset(images, labels, tuple(name for name in classes if name), str(folder))


def list_pictures(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each class, in the order of their names; "" is the class of a folder without classes."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: {LAYOUTS}")
    at_top = _pictures_in(folder)
    subfolders = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    classes = {path.name: found for path in subfolders if (found := _pictures_in(path))}
    if at_top and classes:
        raise InputError(f"{folder} holds pictures both at its top and in subfolders: {LAYOUTS}")
    if not at_top and not classes:
        raise InputError(f"{folder} holds no pictures: {LAYOUTS}")
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
        raise InputError(f"{path} cannot be read as a picture: {one_line(error)}") from error


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
