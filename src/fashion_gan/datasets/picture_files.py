"""Reading one picture with Pillow, from a file or from memory, within bounds and with errors of one line."""

import contextlib
import dataclasses
import importlib.util
import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fashion_gan.arrays import Picture
from fashion_gan.datasets.options import DEFAULT_OPTIONS, PictureOptions
from fashion_gan.errors import InputError, one_line
from fashion_gan.system.backends import suppressed_stderr
from fashion_gan.system.library_settings import MAX_IMAGE_PIXELS

# Pillow is built without it on some systems. Looking for the decoder is faster than importing it, at every start.
_HAS_AVIF = importlib.util.find_spec("PIL._avif") is not None
PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp"),
    *(".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"),
    *((".avif",) if _HAS_AVIF else ()),
)
# The list keeps Pillow from handing a file to Ghostscript or to a decoder that few people have reviewed.
PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", *(("AVIF",) if _HAS_AVIF else ()))
MODES = {1: "L", 3: "RGB", 4: "RGBA"}

# Pillow's parsers raise these for damaged files. Only Pillow's code runs where they are caught.
PILLOW_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, EOFError),
    *(RuntimeError, AssertionError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError),
)
DEEP_GRAY_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I")
COLOR_AND_GRAY_MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV")

MAX_SIDE = 65_535  # pixels. Pillow stores a row in at least 12 bytes, so a picture one pixel wide takes much memory.
# Memory while a picture is turned, composed and resized. A JPEG of many pixels is decoded at an eighth of its size.
BYTES_PER_PIXEL = 12
BYTES_PER_JPEG_PIXEL = 1

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
MAX_PNG_BYTES = 1 << 28  # of a file that is read again without its metadata

ORIENTATION = 0x0112  # the EXIF tag
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Facts = TypeVar("Facts")

Source: TypeAlias = Path | io.BytesIO | Image.Image
"""A file, the content of one, or a picture that Pillow has opened."""

Draft: TypeAlias = tuple[str, tuple[int, int]]
"""The mode, and the least width and height, that a JPEG may be decoded at."""


@dataclasses.dataclass(frozen=True)
class Header:
    """What a picture's header says.

    Attributes:
        size: width and height in pixels, as stored. A camera's picture may be turned after it is read.
        mode: Pillow's name of the pixels' kind.
        has_16_bit_colors: whether each color has 16 bits, of which Pillow reads the upper eight.
        is_animated: whether there are more frames than the first one, which is read.
        is_jpeg: whether it is a JPEG, which can be decoded at a fraction of its size.
    """

    size: tuple[int, int]
    mode: str
    has_16_bit_colors: bool = False
    is_animated: bool = False
    is_jpeg: bool = False

    @property
    def is_deep_gray(self) -> bool:
        """Whether the pixels are gray levels of 16 or 32 bits."""
        return self.mode in DEEP_GRAY_MODES

    @property
    def bytes_while_read(self) -> int:
        """The memory that reading the picture takes at most."""
        return self.size[0] * self.size[1] * (BYTES_PER_JPEG_PIXEL if self.is_jpeg else BYTES_PER_PIXEL)


def read_header(source: Source, name: str | None = None) -> Header:
    """Read a picture's header.

    Args:
        source: the picture.
        name: its name in error messages. None: its path.

    Raises:
        InputError: it is no picture, its pixels are of an unknown kind, or it is so large that it may be a
            decompression bomb.
    """
    return _read(source, str(name or source), _header_of)


def _header_of(image: Image.Image) -> Header:
    return Header(image.size, image.mode, _has_16_bit_colors(image), _is_animated(image), image.format == "JPEG")


def read_square(
    source: Source,
    image_size: int,
    channels: int,
    shift: int = 8,
    options: PictureOptions = DEFAULT_OPTIONS,
    name: str | None = None,
) -> Picture:
    """Read a picture, turn it upright as its EXIF data say, make it a square, and resize it.

    Args:
        source: the picture.
        image_size: height and width of the square, in pixels.
        channels: 1 (gray), 3 (color) or 4 (color and opacity). Without opacity, transparent parts get the background.
        shift: the bits that gray levels of 16 or 32 bits lose.
        options: how it becomes a square, and the background.
        name: its name in error messages. None: its path.

    Raises:
        InputError: the picture cannot be read.
    """
    # A large JPEG is decoded at a fraction of its size. The fraction is still large enough to resize well.
    draft = (MODES[channels], (2 * image_size, 2 * image_size))
    image, orientation = _read(source, str(name or source), lambda image: _load_pixels(image, draft))
    if image.mode in DEEP_GRAY_MODES:
        # Pillow's own conversion clips: of the 65,536 levels, all above 255 become white.
        image = Image.fromarray((np.asarray(image) >> shift).astype(np.uint8))
    if orientation in TRANSPOSITIONS:
        image = image.transpose(TRANSPOSITIONS[orientation])
    return as_square(image, image_size, channels, options)


def as_square(image: Image.Image, image_size: int, channels: int, options: PictureOptions) -> Picture:
    """Make a picture of 8 bits a square, and resize it. The arguments are those of ``read_square``."""
    if image.mode == "RGBA" and channels != 4:
        image = Image.alpha_composite(Image.new("RGBA", image.size, options.background), image)
    image, size = image.convert(MODES[channels]), (image_size, image_size)
    if options.fit == "crop":
        square = ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    elif options.fit == "pad":
        # Resizing gives invisible pixels the color black, so that an invisible border has it too.
        border = options.background if channels != 4 else (0, 0, 0, 0)
        square = ImageOps.pad(image, size, Image.Resampling.LANCZOS, color=border)
    else:
        square = image.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(square).reshape(image_size, image_size, channels)


def read_pixels(source: Source, name: str | None = None, *, with_opacity: bool = False) -> Picture:
    """Read a picture's pixels without changing them: uint8 (H, W, 1), or (H, W, 3) if its three channels differ.

    Args:
        source: the picture.
        name: its name in error messages. None: its path.
        with_opacity: a picture that is transparent somewhere becomes (H, W, 4).

    Raises:
        InputError: the picture cannot be read, does not have eight bits per channel, is transparent somewhere although
            that is not allowed, or is so large that it may be a decompression bomb.
    """
    name = str(name or source)
    mode, has_16_bit_colors, image = _read(
        source, name, lambda image: (image.mode, _has_16_bit_colors(image), _load_pixels(image)[0])
    )
    if with_opacity and not _is_opaque(image):
        return np.asarray(image)
    if mode in DEEP_GRAY_MODES or has_16_bit_colors or not _is_opaque(image):
        raise InputError(
            f"{name} cannot be read as a picture: its pixels are {mode}, but only opaque 8-bit gray or RGB pictures "
            "are supported"
        )
    colors = np.asarray(image.convert("RGB"))
    return colors[..., :1] if (colors == colors[..., :1]).all() else colors


def brightest(source: Source, name: str | None = None) -> int:
    """The highest level of a picture, before levels of more than 8 bits are reduced.

    Args:
        source: the picture.
        name: its name in error messages. None: its path.

    Raises:
        InputError: the picture cannot be read, or has levels below 0, whose range is unknown.
    """
    name = str(name or source)
    image, _ = _read(source, name, _load_pixels)
    pixels = np.asarray(image if image.mode in DEEP_GRAY_MODES else image.convert("RGB"))
    if pixels.min() < 0:
        raise InputError(f"{name} cannot be read as a picture: its levels go down to {pixels.min()}, not to 0")
    return int(pixels.max())


def _is_opaque(image: Image.Image) -> bool:
    """Whether no pixel is transparent. Tools such as Matplotlib write an alpha of 255 everywhere."""
    return image.mode != "RGBA" or image.getchannel("A").getextrema()[0] == 255


def _read(source: Source, name: str, read: Callable[[Image.Image], Facts]) -> Facts:
    """Open a picture, and return what ``read`` reads of it. A PNG that cannot be read is opened without its metadata.

    Raises InputError, which calls the picture by its name, if it cannot be read.
    """
    try:
        with _opened(source, name) as image:
            return read(image)
    except InputError:
        if (pixels := _png_without_metadata(source)) is None:
            raise
    with _opened(pixels, name) as image:
        return read(image)


def _load_pixels(image: Image.Image, draft: Draft | None = None) -> tuple[Image.Image, int]:
    """Read an opened picture's pixels.

    Args:
        image: the picture.
        draft: the mode and the size that a JPEG may be decoded at. None: as it is.

    Returns:
        The picture, as RGBA if a part of it may be transparent, and its orientation, from 1 to 8.
    """
    if draft is not None:
        image.draft(*draft)  # It does nothing to pixels that are already loaded.
    with suppressed_stderr() if image.format == "TIFF" else contextlib.nullcontext():
        failure = _failure_to_load(image)  # An exception in this block would print libtiff's lines.
    if failure is not None:
        raise failure
    orientation = _orientation(image)
    if image.has_transparency_data and image.mode not in DEEP_GRAY_MODES:
        return image.convert("RGBA"), orientation
    return image, orientation


def _png_without_metadata(source: Source) -> io.BytesIO | None:
    """A PNG file's pixels without its texts, profiles and other metadata. None if the file is no PNG.

    Pillow refuses a PNG whose metadata are damaged, or longer than a megabyte, although its pixels are sound.
    """
    if isinstance(source, Image.Image):
        return None
    try:
        content = source.getvalue() if isinstance(source, io.BytesIO) else _content_of_png(source)
    except OSError:
        return None
    if not content.startswith(PNG_SIGNATURE):
        return None
    chunks, position = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    while position + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        if kind in PIXEL_CHUNKS:
            chunks.append(content[position : position + 12 + length])
        position += 12 + length
    return io.BytesIO(b"".join(chunks))


def _content_of_png(path: Path) -> bytes:
    """A file's content; empty if it does not begin as a PNG, or is very long."""
    with open(path, "rb") as file:
        start = file.read(len(PNG_SIGNATURE))
        is_png = start == PNG_SIGNATURE and path.stat().st_size <= MAX_PNG_BYTES
        return start + file.read() if is_png else b""


@contextlib.contextmanager
def _opened(source: Source, name: str) -> Iterator[Image.Image]:
    """Open a picture for a block of Pillow's calls. Their errors become InputErrors that name the picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about metadata that have no effect on the pixels.
        try:
            with _open(source) as image:
                _check_header(image, name)
                yield image
        except InputError:
            raise
        except Image.DecompressionBombError as error:
            raise _too_large(name) from error
        except PILLOW_ERRORS as error:
            raise InputError(f"{name} cannot be read as a picture: {_reason(error)}") from error


def _open(source: Source) -> contextlib.AbstractContextManager[Image.Image]:
    if isinstance(source, Image.Image):
        return contextlib.nullcontext(source)  # It is the user's, and stays open.
    if isinstance(source, io.BytesIO):
        source.seek(0)
    return Image.open(source, formats=PICTURE_FORMATS)


def _check_header(image: Image.Image, name: str) -> None:
    width, height = image.size
    if width * height > (Image.MAX_IMAGE_PIXELS or MAX_IMAGE_PIXELS):
        raise _too_large(name)
    if max(width, height) > MAX_SIDE:
        raise InputError(f"{name} is too large: {width}×{height} pixels, but a side may have at most {MAX_SIDE:,}")
    if image.mode == "F":
        raise InputError(f"{name} cannot be read as a picture: pixels of 32 bits have no known range")
    if image.mode not in (*DEEP_GRAY_MODES, *COLOR_AND_GRAY_MODES):
        raise InputError(f"{name} cannot be read as a picture: its pixels are of the kind {image.mode}")


def _too_large(name: str) -> InputError:
    return InputError(f"{name} is too large: at most {Image.MAX_IMAGE_PIXELS or MAX_IMAGE_PIXELS:,} pixels are read")


def _failure_to_load(image: Image.Image) -> Exception | None:
    """Read the pixels. Returns the error, if there is one."""
    try:
        image.load()
    except PILLOW_ERRORS as error:
        return error
    return None


def _orientation(image: Image.Image) -> int:
    """How the camera was held, from 1 to 8. It is 1 if the EXIF data are damaged: the pixels are sound."""
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except PILLOW_ERRORS:
        return 1
    return orientation if isinstance(orientation, int) else 1


def _has_16_bit_colors(image: Image.Image) -> bool:
    """Whether each color of a picture that is not loaded yet has 16 bits."""
    return image.mode not in DEEP_GRAY_MODES and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def _is_animated(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except PILLOW_ERRORS:  # A later frame is damaged. Only the first one is read.
        return True


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"it is no {', '.join(PICTURE_FORMATS[:-1])} or {PICTURE_FORMATS[-1]}"
    if isinstance(error, MemoryError):
        return "there is not enough memory for its pixels"
    # The system's errors repeat the path.
    return error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
