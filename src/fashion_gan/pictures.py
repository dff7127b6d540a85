"""Arrays -> grids, strips, films, files: everything that turns images into something to look at."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from fashion_gan.errors import InputError
from fashion_gan.files import written_whole

Bytes = npt.NDArray[np.uint8]

# Fashion-MNIST's ground is black and its clothes are often cut off at the image's edge: dark grey parts the images
# from one another without running into the white clothes or outshining the rest, as white lines do.
PADDING_LEVEL = 48
TEXT_LEVEL = 255


def to_uint8(images: npt.NDArray[np.floating[Any]]) -> Bytes:
    """Turn a generator's output into pixels: each value goes to the nearest level, and beyond the ends to the end.

    Args:
        images: float, of any shape, in [-1, 1].

    Returns:
        uint8 of the same shape, in [0, 255].

    Example:
        >>> to_uint8(np.array([-1.0, 0.1, 2.0])).tolist()
        [0, 140, 255]
    """
    levels: Bytes = np.clip(np.rint(images * 127.5 + 127.5), 0, 255).astype(np.uint8)
    return levels


def grid(images: Bytes, columns: int | None = None, padding: int = 2, scale: int = 1) -> Bytes:
    """Lay images out in rows, from left to right; ``columns=len(images)`` makes a strip.

    Args:
        images: uint8 (N, H, W, C), N at least 1.
        columns: images in a row; by default as many as make the grid about square.
        padding: pixels of dark grey around and between the images.
        scale: how many times each pixel is drawn in either direction.

    Returns:
        uint8 (rows·(H·scale + padding) + padding, columns·(W·scale + padding) + padding, C).

    Raises:
        InputError: images of another type or shape, or a number out of range.
    """
    _check_images(images)
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count)) if columns is None else columns
    _check_at_least(1, columns=columns, scale=scale)
    _check_at_least(0, padding=padding)
    rows = math.ceil(count / columns)
    row_step, column_step = height * scale + padding, width * scale + padding
    canvas = np.full((rows * row_step + padding, columns * column_step + padding, channels), PADDING_LEVEL, np.uint8)
    for index, image in enumerate(images):
        top, left = padding + index // columns * row_step, padding + index % columns * column_step
        canvas[top : top + height * scale, left : left + width * scale] = image.repeat(scale, 0).repeat(scale, 1)
    return canvas


def contact_sheet(
    images: Bytes, labels: npt.NDArray[np.integer[Any]], class_names: Sequence[str], per_class: int = 10
) -> Bytes:
    """Show the first images of each class, a row a class, under the class's name at the left.

    Args:
        images: uint8 (N, H, W, C).
        labels: integers (N,), each the index of a class name.
        class_names: the classes in the order of their labels; () for one row without a name.
        per_class: images in a row; a class that has fewer leaves the rest of its row empty.

    Returns:
        uint8 (height, width, C) of the whole sheet.

    Raises:
        InputError: images of another type or shape, or a number out of range.
    """
    _check_images(images)
    _check_at_least(1, per_class=per_class)
    names = tuple(class_names) or ("",)
    height, width, channels = images.shape[1:]
    scale = max(1, round(56 / height))  # so that small images stand as tall as the text beside them can be read
    cells = np.full((len(names), per_class, height, width, channels), PADDING_LEVEL, np.uint8)
    for label, row in enumerate(cells):
        chosen = images[np.flatnonzero(labels == label)[:per_class]]
        row[: len(chosen)] = chosen
    sheet = grid(cells.reshape(-1, height, width, channels), columns=per_class, scale=scale)
    return np.concatenate([_names_column(names, len(sheet), channels), sheet], axis=1) if any(names) else sheet


def _names_column(names: Sequence[str], height: int, channels: int) -> Bytes:
    """The names, one below the other at equal distances, each ending at the right: uint8 (height, width, C)."""
    font = ImageFont.load_default(size=16)
    width = math.ceil(max(font.getlength(name) for name in names)) + 16
    column = Image.new("L", (width, height), PADDING_LEVEL)
    draw = ImageDraw.Draw(column)
    for index, name in enumerate(names):
        middle = (index + 0.5) * height / len(names)
        draw.text((width - 8, middle), name, fill=TEXT_LEVEL, font=font, anchor="rm")
    return np.asarray(column)[..., np.newaxis].repeat(channels, axis=-1)


def save_png(path: str | Path, image: Bytes) -> None:
    """Write an image, uint8 (H, W, C), as a PNG file: whole, or not at all.

    Raises:
        InputError: an image of another type or shape.
        OSError: the file cannot be written; what was there before is still there.
    """
    pillow = _to_pillow(image)
    with written_whole(Path(path)) as temporary:
        pillow.save(temporary, "PNG", optimize=True)


def png_bytes(image: Bytes) -> bytes:
    """An image, uint8 (H, W, C), as a PNG file's content, quickly: for many small ones. Raises InputError as above."""
    content = io.BytesIO()
    _to_pillow(image).save(content, "PNG")
    return content.getvalue()


def load_png(path: str | Path) -> Bytes:
    """Read a PNG file: uint8 (H, W, 1) where it is grey, (H, W, 3) else.

    Raises:
        InputError: no such file, or not a PNG of eight bits a channel.
    """
    try:
        with Image.open(path, formats=("PNG",)) as image:
            if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
                raise InputError(f"{path} cannot be read: its pixels are {image.mode}, not eight bits a channel")
            pixels = np.asarray(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))
    except (OSError, SyntaxError) as error:
        raise InputError(f"{path} cannot be read as a PNG picture: {' '.join(str(error).split())}") from error
    return pixels.reshape(*pixels.shape[:2], -1)


def save_gif(
    path: str | Path, frames: Sequence[Bytes], frame_seconds: float = 0.15, hold_last_seconds: float = 2.0
) -> None:
    """Write a film that plays for ever as a GIF file: whole, or not at all.

    Args:
        path: the file.
        frames: uint8 (H, W, C), all of one shape, at least one.
        frame_seconds: how long each frame stays, in steps of 0.01.
        hold_last_seconds: how long the last one stays.

    Raises:
        InputError: no frames, or frames of another type or of several shapes.
        OSError: the file cannot be written; what was there before is still there.
    """
    shapes = {np.shape(frame) for frame in frames}
    if len(shapes) != 1:
        raise InputError(f"a film needs frames of one shape, it got {len(frames)} frames of {sorted(shapes)}")
    first, *rest = [_to_pillow(frame) for frame in frames]
    milliseconds = [round(1000 * frame_seconds)] * len(rest) + [round(1000 * hold_last_seconds)]
    with written_whole(Path(path)) as temporary:
        first.save(temporary, "GIF", save_all=True, append_images=rest, duration=milliseconds, loop=0)


def _to_pillow(image: Bytes) -> Image.Image:
    _check_images(np.asarray(image)[np.newaxis])
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def _check_images(images: Bytes) -> None:
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or images.dtype != np.uint8 or not images.size:
        raise InputError(f"images must be uint8 (N, H, W, 1 or 3), got {images.dtype} {images.shape}")


def _check_at_least(lowest: int, **numbers: int) -> None:
    for name, value in numbers.items():
        if value < lowest:
            raise InputError(f"{name}={value!r} is out of range: it must be at least {lowest}")
