"""Loading folders of pictures, with or without a subfolder for each class, as arrays of one size."""

import math
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

import numpy as np

from fashion_gan.datasets.contents import ClassContents, Contents
from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.picture_files import MODES, Header, brightest, read_header, read_square
from fashion_gan.datasets.picture_listing import Listing, check_classes, list_pictures
from fashion_gan.errors import InputError, check_whole_number
from fashion_gan.system import progress
from fashion_gan.system.memory import check_memory
from fashion_gan.system.paths import user_path

Content = TypeVar("Content")

MAX_IMAGE_SIZE = 4096
UNREADABLE = "cannot be read"
MIN_COLOR_BITS = 6  # of the upper eight. With fewer, 16-bit colors hold numbers of about 12 bits, and come out black.


def load_pictures(folder: str | Path, image_size: int, channels: int) -> Dataset:
    """Load a folder of pictures. Each picture is cropped to its central square and resized.

    Pictures at the top of the folder have no classes. Pictures in subfolders have the subfolders' names as classes.
    Classes and pictures are sorted by name. Without a channel of opacity, transparent parts become white. Of an
    animation, the first frame is read.
    Gray levels of 16 bits are reduced to 8 by the same factor in all pictures: the brightest level of all of them
    decides how many bits are used. ``contents`` of the result says what was found, and what was left out and why.

    Args:
        folder: the folder. Hidden files, files without a picture's suffix and damaged pictures are left out.
        image_size: height and width of the images, in pixels.
        channels: 1 (gray), 3 (color) or 4 (color and opacity).

    Returns:
        Images of shape (N, image_size, image_size, channels).

    Raises:
        InputError: there is no such folder, it holds no pictures, it holds pictures both at its top and in subfolders,
            a class has no picture that can be read, or the images do not fit into memory.
    """
    folder = user_path("folder", folder)
    image_size = check_whole_number("image_size", image_size, 1, MAX_IMAGE_SIZE)
    channels = check_whole_number("channels", channels, 1, 4)
    if channels not in MODES:
        raise InputError(f"channels={channels} is not allowed: 1 for gray, 3 for color, 4 for color and opacity")
    listing = list_pictures(folder)
    headers = _read_each(listing, read_header, "looking at")
    _check_memory(folder, headers.values(), (image_size, image_size, channels))
    shift = _shift(listing, headers)
    images = np.empty((len(headers), image_size, image_size, channels), np.uint8)
    unused = iter(images)

    def read(path: Path) -> None:
        square = read_square(path, image_size, channels, shift)
        next(unused)[:] = square

    _read_each(listing, read, "reading")
    headers = {path: headers[path] for path in listing.paths}
    counts = [len(paths) for paths in listing.classes.values()]
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    class_names = tuple(name for name in listing.classes if name)
    contents = _contents(listing, headers, image_size, shift)
    return Dataset(images[: len(labels)], labels, class_names, str(folder), contents)


def _read_each(listing: Listing, read: Callable[[Path], Content], verb: str) -> dict[Path, Content]:
    """Read each picture with a function. Those that cannot be read are moved to those that are left out.

    Raises:
        InputError: no picture of a class can be read.
    """
    contents, failures = {}, {}
    for path in progress.bar(listing.paths, f"{verb} {listing.folder}", "pictures"):
        try:
            contents[path] = read(path)
        except InputError as error:
            failures[path] = error
            listing.left_out.add(UNREADABLE, path, f"({str(error).removeprefix(str(path)).strip()})")
    if not contents:
        raise next(iter(failures.values()))
    for name, paths in listing.classes.items():
        listing.classes[name] = [path for path in paths if path in contents]
    check_classes(listing)
    return contents


def _check_memory(folder: Path, headers: Collection[Header], shape: tuple[int, int, int]) -> None:
    needed = len(headers) * math.prod(shape) + max(header.bytes_while_read for header in headers)
    what = f"{folder}: {len(headers):,} pictures at {'×'.join(map(str, shape))}"
    check_memory(needed, what, "choose a smaller image_size, 1 channel instead of 3, or fewer pictures")


def _shift(listing: Listing, headers: dict[Path, Header]) -> int:
    """How many bits the gray levels of 16 and 32 bits lose, so that the brightest one needs eight.

    Raises:
        InputError: colors of 16 bits would come out black, because Pillow reads only their upper eight.
    """
    deep = [path for path in listing.paths if headers[path].is_deep_gray]
    colored = [path for path in listing.paths if headers[path].has_16_bit_colors]
    measured = {*deep, *colored}
    if not measured:
        return 0
    levels = _read_each(listing, lambda path: brightest(path) if path in measured else 0, "measuring")
    bits = max((levels.get(path, 0).bit_length() for path in colored), default=8)
    if bits < MIN_COLOR_BITS:
        raise InputError(
            f"{colored[0]} has 16 bits per color, of which at most {bits + 8} are used in these {len(colored):,} "
            "pictures, so they would come out black: convert them to 8 bits per color"
        )
    return max(0, max((levels.get(path, 0).bit_length() for path in deep), default=0) - 8)


def _contents(listing: Listing, headers: dict[Path, Header], image_size: int, shift: int) -> Contents:
    rows = []
    for name, paths in listing.classes.items():
        sizes = sorted((headers[path].size for path in paths), key=math.prod)
        rows.append(ClassContents(name, len(paths), sizes[0], sizes[-1]))
    small, white = f"{image_size}×{image_size}", (256 << shift) - 1
    pictures = headers.values()
    counts = {
        "not square: their central square is taken": sum(len(set(picture.size)) > 1 for picture in pictures),
        f"smaller than {small} and are enlarged": sum(min(picture.size) < image_size for picture in pictures),
        "animated: their first frame is taken": sum(picture.is_animated for picture in pictures),
        f"of 16-bit or 32-bit gray: level {white:,} becomes 255": sum(picture.is_deep_gray for picture in pictures),
    }
    notes = [f"{count:,} of the pictures are {what}" for what, count in counts.items() if count]
    return Contents(tuple(rows), listing.left_out.rows(), (*listing.notes, *notes))
