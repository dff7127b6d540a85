"""Images in memory, or in a file of the user's cache folder if they would take much of the memory.

A file is written once, and mapped into memory: the system reads the parts that are used, and drops them when memory is
short. Its name is a checksum of everything that its images depend on, so that the next training finds it.
"""

import contextlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Images, Picture, Shape
from fashion_gan.datasets import fashion_mnist
from fashion_gan.errors import InputError, describe_os_error
from fashion_gan.system import memory
from fashion_gan.system.atomic_files import FULL_DISK, atomic_file

# TensorFlow copies images that are in memory, so that twice this share is taken.
MEMORY_SHARE = 0.4
MAX_CACHE_BYTES = 20 * 10**9  # of all files together. Those that were used least recently are deleted.
VERSION = 1  # Increase this when a change of the code changes the images for the same pictures.
IMAGES_SUFFIX, FACTS_SUFFIX = ".images", ".json"

Rows = Callable[[dict[str, str]], Iterator[Picture]]
"""Yields images (H, W, C), and fills a dictionary with facts that are stored beside them."""


class Store:
    """Collects images in memory, or in a file.

    Args:
        what: what takes the space, in the plural, for messages.
        remedy: how it can take less, for messages.
        key: returns a checksum of everything that the images depend on. None: nobody knows, and the file is used once.
        bytes_besides: the memory that is needed besides the images.
    """

    def __init__(self, what: str, remedy: str, key: Callable[[], str] | None, bytes_besides: int = 0) -> None:
        self._what, self._remedy, self._key, self._bytes_besides = what, remedy, key, bytes_besides

    def fill(self, count: int, shape: Shape, rows: Rows) -> tuple[Images, dict[str, str]]:
        """Collect at most ``count`` images.

        Args:
            count: the number of images.
            shape: height, width and channels of each.
            rows: yields them.

        Returns:
            The images, uint8 (n, H, W, C), n ≤ count, and the facts that ``rows`` filled in. Images in a file are
            read-only.

        Raises:
            InputError: they fit neither into memory nor on the disk.
        """
        needed = count * math.prod(shape)
        folder = store_folder()
        if folder is None or needed + self._bytes_besides <= MEMORY_SHARE * memory.available_memory():
            memory.check_memory(needed + self._bytes_besides, self._what, self._remedy)
            return _in_memory(count, shape, rows)
        memory.check_memory(self._bytes_besides, f"{self._what}: reading one of them can", self._remedy)
        name = f"once-{os.getpid()}" if self._key is None else self._key()[:32]
        stored = None if self._key is None else _read(folder, name, shape)
        if stored is not None:
            return stored
        fault = _make_room(folder, needed)
        if fault and needed + self._bytes_besides <= memory.available_memory():
            return _in_memory(count, shape, rows)
        if fault:
            raise InputError(
                f"{self._what} take {memory.format_bytes(needed)}, but "
                f"{memory.format_bytes(memory.available_memory())} of memory are available, and {fault}: {self._remedy}"
            )
        return self._write(folder, name, shape, rows)

    def _write(self, folder: Path, name: str, shape: Shape, rows: Rows) -> tuple[Images, dict[str, str]]:
        facts: dict[str, str] = {}
        path, written = folder / f"{name}{IMAGES_SUFFIX}", 0
        try:
            # Written as a file, not through a map: a write to a map of a full disk would end the process.
            with atomic_file(path) as temporary, open(temporary, "wb") as file:
                for image in rows(facts):
                    file.write(np.ascontiguousarray(image, np.uint8).data)
                    written += 1
            text = json.dumps({"version": VERSION, "shape": [written, *shape], "facts": facts})
            with atomic_file(_facts_path(path)) as temporary:
                temporary.write_text(text, encoding="utf-8")
        except OSError as error:
            if error.errno not in FULL_DISK:
                raise
            raise InputError(
                f"{self._what} are stored in {folder}: {describe_os_error(error)}: {self._remedy}"
            ) from error
        images = _map(path, (written, *shape))
        if self._key is None:
            _delete(path)  # The map keeps its content. Windows deletes it later, when others need the room.
        return images, facts


def store_folder() -> Path | None:
    """The folder of the stored images, in the user's cache folder. None if there is none, or it cannot be written."""
    cache = fashion_mnist.cache_folder()
    if cache is None:
        return None
    folder = cache / "images"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _in_memory(count: int, shape: Shape, rows: Rows) -> tuple[Images, dict[str, str]]:
    facts: dict[str, str] = {}
    images, filled = np.empty((count, *shape), np.uint8), 0
    for image in rows(facts):
        images[filled] = image
        filled += 1
    return images[:filled], facts


def _facts_path(path: Path) -> Path:
    return path.with_suffix(FACTS_SUFFIX)


def _map(path: Path, shape: Shape) -> Images:
    """Map a file into memory, read-only. An empty file cannot be mapped."""
    return np.memmap(path, np.uint8, "r", shape=shape) if math.prod(shape) else np.empty(shape, np.uint8)


def _read(folder: Path, name: str, shape: Shape) -> tuple[Images, dict[str, str]] | None:
    """Stored images and their facts. None if they are missing or damaged."""
    path = folder / f"{name}{IMAGES_SUFFIX}"
    try:
        stored = json.loads(_facts_path(path).read_text(encoding="utf-8"))
        count, *own_shape = map(int, stored["shape"])
        facts = {str(key): str(value) for key, value in stored["facts"].items()}
        is_whole = path.stat().st_size == count * math.prod(shape)
        if stored["version"] != VERSION or tuple(own_shape) != shape or not is_whole:
            return None
        images = _map(path, (count, *shape))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # It was used last.
    return images, facts


def _make_room(folder: Path, needed: int) -> str:
    """Delete the files that were used least recently, until there is room for another one.

    Returns:
        Why there is not enough room, for a message; "" if there is. In that case no file was deleted.
    """
    try:
        found = [(path, path.stat()) for path in folder.glob(f"*{IMAGES_SUFFIX}")]
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return describe_os_error(error)
    files = sorted(((facts.st_mtime, facts.st_size, path) for path, facts in found), reverse=True)
    total = sum(size for _, size, _ in files)
    if free + total < needed:
        return f"{memory.format_bytes(free + total)} of disk in {folder}"
    while files and (total + needed > MAX_CACHE_BYTES or free < needed):
        _, size, path = files.pop()
        _delete(path)
        total, free = total - size, free + size
    return ""


def _delete(path: Path) -> None:
    for part in (_facts_path(path), path):
        with contextlib.suppress(OSError):  # Another process may use it, on Windows.
            part.unlink(missing_ok=True)
