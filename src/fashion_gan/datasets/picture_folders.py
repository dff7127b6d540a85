"""Reading folders of pictures, with or without a subfolder for each class, as arrays of one size."""

import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from fashion_gan.arrays import Picture
from fashion_gan.datasets.dataset import Dataset
from fashion_gan.errors import InputError, one_line
from fashion_gan.system import progress

_PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
# The list keeps Pillow from handing a file to Ghostscript or to a decoder that few people have reviewed.
_PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
_MODES = {1: "L", 3: "RGB"}
LAYOUTS = (
    "a data folder holds the four Fashion-MNIST files, or pictures at its top, "
    f"or one subfolder of pictures for each class ({' '.join(_PICTURE_SUFFIXES)})"
)


def load_pictures(folder: str | Path, image_size: int, channels: int) -> Dataset:
    """Load a folder of pictures. Each picture is cropped to its central square and resized.

    Pictures at the top of the folder have no classes. Pictures in subfolders have the subfolders' names as classes.
    Classes and pictures are sorted by name. Transparent parts become white. Of an animation, the first frame is read.

    Args:
        folder: the folder. Names that begin with a dot, and files without a picture's suffix, are skipped.
        image_size: height and width of the images, in pixels.
        channels: 1 (gray) or 3 (color).

    Returns:
        Images of shape (N, image_size, image_size, channels).

    Raises:
        InputError: there is no such folder, it holds no pictures, it holds pictures both at its top and in subfolders,
            or a picture cannot be read or is so large that it may be a decompression bomb.
    """
    folder = Path(folder).expanduser()
    if channels not in _MODES:
        raise InputError(f"channels={channels!r} is not allowed: 1 for gray, 3 for color")
    classes = list_pictures(folder)
    paths = [path for class_paths in classes.values() for path in class_paths]
    images = np.empty((len(paths), image_size, image_size, channels), np.uint8)
    for index, path in enumerate(progress.bar(paths, f"reading {folder}", "pictures")):
        images[index] = _read_picture(path, lambda image: _crop_and_resize(image, image_size, channels))
    counts = [len(class_paths) for class_paths in classes.values()]
    labels = np.repeat(np.arange(len(classes), dtype=np.int32), counts)
    return Dataset(images, labels, tuple(name for name in classes if name), str(folder))


def list_pictures(folder: Path) -> dict[str, list[Path]]:
    """List the pictures of each class, sorted by name. A folder without classes has the one class "".

    Raises:
        InputError: there is no such folder, it holds no pictures, or it holds some both at its top and in subfolders.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: {LAYOUTS}")
    at_top = _pictures_in(folder)
    subfolders = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    classes = {path.name: pictures for path in subfolders if (pictures := _pictures_in(path))}
    if at_top and classes:
        raise InputError(f"{folder} holds pictures both at its top and in subfolders: {LAYOUTS}")
    if not at_top and not classes:
        raise InputError(f"{folder} holds no pictures: {LAYOUTS}")
    return classes or {"": at_top}


def _pictures_in(folder: Path) -> list[Path]:
    # A name such as ".cat.png" is not a picture: macOS leaves such files next to the real ones.
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def read_pixels(path: Path) -> Picture:
    """Read a picture's pixels without changing them: uint8 (H, W, 1), or (H, W, 3) if its three channels differ.

    Raises:
        InputError: the picture cannot be read, does not have eight bits per channel, is transparent somewhere, or is so
            large that it may be a decompression bomb.
    """

    def pixels(image: Image.Image) -> Picture:
        if image.mode not in ("1", "L", "P", "RGB") or image.has_transparency_data:
            raise ValueError(f"its pixels are {image.mode}, but only opaque 8-bit gray or RGB pictures are supported")
        colors = np.asarray(image.convert("RGB"))
        return colors[..., :1] if (colors == colors[..., :1]).all() else colors

    return _read_picture(path, pixels)


def _read_picture(path: Path, read: Callable[[Image.Image], Picture]) -> Picture:
    """Open a picture and read it with a function. Every error becomes an InputError that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_PICTURE_FORMATS) as image:
                return read(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is too large: at most {Image.MAX_IMAGE_PIXELS} pixels are read") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise InputError(f"{path} cannot be read as a picture: {one_line(error)}") from error


def _crop_and_resize(image: Image.Image, image_size: int, channels: int) -> Picture:
    """Turn a picture upright as its EXIF data say, crop it to its central square, and resize it."""
    # A large JPEG is decoded at a fraction of its size. The fraction is still large enough to resize well.
    image.draft(_MODES[channels], (2 * image_size, 2 * image_size))
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):
        # Pillow's own conversion clips: of the 65,536 levels, all above 255 become white.
        upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
    if upright.mode in ("I", "F"):
        raise ValueError("pixels of 32 bits have no known range")
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
    square = ImageOps.fit(upright.convert(_MODES[channels]), (image_size, image_size), Image.Resampling.LANCZOS)
    return np.asarray(square).reshape(image_size, image_size, channels)
