"""Images -> grids, contact sheets, picture files and animated GIFs."""

import base64
import dataclasses
import html
import io
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from fashion_gan.arrays import Images, JsonObject, Labels, Picture
from fashion_gan.errors import InputError, check_whole_number, one_line
from fashion_gan.system.atomic_files import atomic_file

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

# Fashion-MNIST has a black background, and its clothes often reach the edge of the image. Dark gray lines separate the
# images. White ones would merge with white clothes and outshine the images.
PADDING_LEVEL = 48
TEXT_LEVEL = 255

MAX_CLASS_COLUMNS = 20


@dataclasses.dataclass(frozen=True)
class PictureFormat:
    """How a picture is written.

    Attributes:
        name: Pillow's name of the format.
        max_side: the pixels that a side may have.
        settings: Pillow's settings.
    """

    name: str
    max_side: int
    settings: JsonObject


_JPEG = PictureFormat("JPEG", 65_500, {"quality": 95, "subsampling": 0})
PICTURE_FORMATS = {
    ".png": PictureFormat("PNG", 2**31 - 1, {"optimize": True}),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": PictureFormat("WEBP", 16_383, {"lossless": True}),
}
"""The formats that pictures are written in, by the suffix of the file's name in lower case."""


RGBA = 4  # channels


def to_uint8(images: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.uint8]:
    """Turn a generator's output into pixels. Each value is rounded to the nearest level and clipped to the range.

    Args:
        images: floats in [-1, 1], of any shape.

    Returns:
        uint8 of the same shape, in [0, 255].

    Example:
        >>> to_uint8(np.array([-1.0, 0.1, 2.0])).tolist()
        [0, 140, 255]
    """
    levels: npt.NDArray[np.uint8] = np.clip(np.rint(images * 127.5 + 127.5), 0, 255).astype(np.uint8)
    return levels


def on_white(images: Images) -> Images:
    """Lay images with opacity, uint8 (N, H, W, 4), on white: (N, H, W, 3). Others are returned as they are.

    Example:
        >>> on_white(np.array([[[[9, 9, 9, 0]]]], np.uint8)).tolist()
        [[[[255, 255, 255]]]]
    """
    if images.shape[-1] != RGBA:
        return images
    opacity = images[..., 3:].astype(np.float32) / 255
    return np.rint(images[..., :3] * opacity + 255 * (1 - opacity)).astype(np.uint8)


def grid(images: Images, columns: int | None = None, padding: int = 2, scale: int = 1) -> Picture:
    """Lay images out in rows, from left to right. ``columns=len(images)`` makes a strip.

    Args:
        images: uint8 (N, H, W, C), N at least 1.
        columns: images in a row. None makes the grid about square.
        padding: pixels of dark gray around and between the images.
        scale: width and height at which each pixel is drawn.

    Returns:
        uint8 (rows·(H·scale + padding) + padding, columns·(W·scale + padding) + padding, C). Images with opacity are
        laid on white, so C is then 3.

    Raises:
        InputError: the images have the wrong type or shape, or a number is out of range.

    Example:
        >>> grid(np.zeros((10, 28, 28, 1), np.uint8), columns=5).shape
        (62, 152, 1)
    """
    _check_images(images)
    images = on_white(images)
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count)) if columns is None else check_whole_number("columns", columns, 1)
    scale, padding = check_whole_number("scale", scale, 1), check_whole_number("padding", padding, 0)
    rows = math.ceil(count / columns)
    row_step, column_step = height * scale + padding, width * scale + padding
    canvas = np.full((rows * row_step + padding, columns * column_step + padding, channels), PADDING_LEVEL, np.uint8)
    for index, image in enumerate(images):
        top, left = padding + index // columns * row_step, padding + index % columns * column_step
        canvas[top : top + height * scale, left : left + width * scale] = image.repeat(scale, 0).repeat(scale, 1)
    return canvas


def class_columns(classes: int) -> int | None:
    """The columns of a grid of images whose classes take turns: one for each class.

    None, for a grid that is about square, if there are no classes or so many that the grid would be a strip.
    """
    return classes if 0 < classes <= MAX_CLASS_COLUMNS else None


def contact_sheet(images: Images, labels: Labels, class_names: Sequence[str], per_class: int = 10) -> Picture:
    """Show the first images of each class: one row for each class, with its name at the left.

    Args:
        images: uint8 (N, H, W, C).
        labels: integers (N,), each the index of a class name.
        class_names: the classes in the order of their labels. () gives one row without a name.
        per_class: images in a row. If a class has fewer, the rest of its row stays empty.

    Returns:
        uint8 (height, width, C) of the whole sheet, on white as in ``grid``.

    Raises:
        InputError: the images have the wrong type or shape, or a number is out of range.
    """
    _check_images(images)
    per_class, images = check_whole_number("per_class", per_class, 1), on_white(images)
    names = tuple(class_names) or ("",)
    height, width, channels = images.shape[1:]
    scale = max(1, round(56 / height))  # Rows must be high enough for legible names.
    cells = np.full((len(names), per_class, height, width, channels), PADDING_LEVEL, np.uint8)
    for label, row in enumerate(cells):
        class_images = images[np.flatnonzero(labels == label)[:per_class]]
        row[: len(class_images)] = class_images
    sheet = grid(cells.reshape(-1, height, width, channels), columns=per_class, scale=scale)
    return np.concatenate([names_column(names, len(sheet), channels), sheet], axis=1) if any(names) else sheet


def names_column(names: Sequence[str], height: int, channels: int) -> Picture:
    """Names for the rows of a grid: in a column at equal distances, aligned to the right, uint8 (height, width, C)."""
    font = ImageFont.load_default(size=16)
    width = math.ceil(max(font.getlength(name) for name in names)) + 16
    column = Image.new("L", (width, height), PADDING_LEVEL)
    draw = ImageDraw.Draw(column)
    for index, name in enumerate(names):
        middle = (index + 0.5) * height / len(names)
        draw.text((width - 8, middle), name, fill=TEXT_LEVEL, font=font, anchor="rm")
    return np.asarray(column)[..., np.newaxis].repeat(channels, axis=-1)


def save_picture(path: str | Path, image: Picture, texts: Mapping[str, str] | None = None) -> None:
    """Write an image, uint8 (H, W, C), atomically, in the format of the file's suffix: PNG, JPEG or WebP.

    A JPEG has no opacity: the image is laid on white.

    Args:
        path: the file.
        image: the image.
        texts: what it was drawn from, by keys of 1 to 79 Latin letters. Only a PNG holds texts.

    Raises:
        InputError: the suffix is another one, the format cannot hold a picture of this size, or the image has the wrong
            type or shape.
        OSError: the file cannot be written. An older file of that name stays as it was.
    """
    path = Path(path)
    check_suffix(path, PICTURE_FORMATS)
    picture_format = PICTURE_FORMATS[path.suffix.lower()]
    pillow_image = to_pillow(on_white(image) if picture_format is _JPEG else image)
    if max(pillow_image.size) > picture_format.max_side:
        size = "×".join(map(str, pillow_image.size))
        raise InputError(
            f"{path}: a picture of {size} pixels is too large for {picture_format.name}, whose sides have at most "
            f"{picture_format.max_side:,}: write a PNG"
        )
    settings = picture_format.settings
    if texts and picture_format.name == "PNG":
        settings = {**settings, "pnginfo": _png_texts(texts)}
    with atomic_file(path) as temporary:
        pillow_image.save(temporary, picture_format.name, **settings)


def _png_texts(texts: Mapping[str, str]) -> "PngInfo":
    """Texts as chunks of a PNG file: plain ones as Latin-1, others as UTF-8."""
    from PIL import PngImagePlugin  # Imported here, because only saving a PNG needs it and the import is slow.

    chunks = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        if text.isascii():
            chunks.add_text(key, text)
        else:
            chunks.add_itxt(key, text)
    return chunks


def check_suffix(path: Path, suffixes: Collection[str]) -> None:
    """Raise InputError if a file's name ends in none of these suffixes. Upper and lower case are the same."""
    if path.suffix.lower() not in suffixes:
        *others, last = suffixes
        raise InputError(f"{path} must end in {', '.join(others)}{' or ' if others else ''}{last}")


def png_bytes(image: Picture) -> bytes:
    """The PNG file of an image, uint8 (H, W, C). Compression favors speed, for many small images.

    Raises:
        InputError: the image has the wrong type or shape.
    """
    content = io.BytesIO()
    to_pillow(image).save(content, "PNG")
    return content.getvalue()


def html_figure(image: Picture, caption: str) -> str:
    """HTML of an image, uint8 (H, W, C), under a caption. It holds the image as an inline PNG, for notebooks."""
    text, content = html.escape(caption), base64.b64encode(png_bytes(image)).decode()
    return f'<div>{text}</div><img src="data:image/png;base64,{content}" alt="{text}" style="max-width: 100%">'


def load_png(path: str | Path) -> Picture:
    """Read a PNG file: uint8 (H, W, 1) if it is gray, (H, W, 3) otherwise.

    Raises:
        InputError: there is no such file, or it is not a PNG with eight bits per channel.
    """
    try:
        with Image.open(path, formats=("PNG",)) as image:
            if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
                raise InputError(f"{path} cannot be read: its pixels are {image.mode}, not eight bits per channel")
            pixels = np.asarray(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))
    except (OSError, SyntaxError) as error:
        raise InputError(f"{path} cannot be read as a PNG picture: {one_line(error)}") from error
    return pixels.reshape(*pixels.shape[:2], -1)


def save_gif(
    path: str | Path, frames: Sequence[Picture], frame_seconds: float = 0.15, hold_last_seconds: float = 2.0
) -> None:
    """Write an animated GIF that repeats forever. The file is written atomically.

    Args:
        path: the file to write.
        frames: uint8 (H, W, C), all of one shape, at least one.
        frame_seconds: time that each frame is shown, in steps of 0.01.
        hold_last_seconds: time that the last frame is shown.

    Raises:
        InputError: there are no frames, or they have the wrong type or different shapes.
        OSError: the file cannot be written. An older file of that name stays as it was.
    """
    shapes = {np.shape(frame) for frame in frames}
    if len(shapes) != 1:
        raise InputError(f"a film needs frames of one shape, got {len(frames)} frames of {sorted(shapes)}")
    first, *rest = [to_pillow(frame) for frame in frames]
    milliseconds = [round(1000 * frame_seconds)] * len(rest) + [round(1000 * hold_last_seconds)]
    with atomic_file(Path(path)) as temporary:
        first.save(temporary, "GIF", save_all=True, append_images=rest, duration=milliseconds, loop=0)


def to_pillow(image: Picture) -> Image.Image:
    """An image, uint8 (H, W, C), as Pillow's. Raises InputError if it has the wrong type or shape."""
    _check_images(np.asarray(image)[np.newaxis])
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def _check_images(images: Images) -> None:
    if images.ndim != 4 or images.shape[-1] not in (1, 3, RGBA) or images.dtype != np.uint8 or not images.size:
        raise InputError(f"images must be uint8 (N, H, W, 1, 3 or 4), got {images.dtype} {images.shape}")
