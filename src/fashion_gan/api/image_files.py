"""Labels that users give with images, as numbers of classes: in ``.npz``, ``.npy``, text and CSV files."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Array, Labels, as_labels
from fashion_gan.classes import class_number, class_numbers
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.datasets.archives import ZIP_MAGIC
from fashion_gan.datasets.array_images import LABEL_NAMES, first_name, only_name, read_member
from fashion_gan.datasets.labeled_files import NPY_MAGIC, read_labeled_images
from fashion_gan.errors import InputError, one_line, show
from fashion_gan.system.array_files import open_arrays, read_array
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS

MAX_TEXT_BYTES = 1 << 26


def read_images(path: Path) -> tuple[Array, Labels | None]:
    """Read the images of a file, and their labels in Fashion-MNIST if it has them.

    Raises:
        InputError: as ``read_labeled_images``, or a class is not Fashion-MNIST's.
    """
    read = read_labeled_images(path)
    if read.labels is None or not read.class_names:
        return read.images, read.labels
    return read.images, labels_by_name(path, read.labels, read.class_names)


def read_labels(path: Path, count: int) -> Labels:
    """Read the labels of ``count`` images from a file: ``.npy``, ``.npz``, text or CSV.

    A text holds whole numbers, with a header or without. A column that its header calls "label" is taken from several.

    Raises:
        InputError: the file cannot be read, or holds no class numbers.
    """
    fault = f"{path} cannot be read as labels, a class number for each image"
    try:
        with open(path, "rb") as file:
            start = file.read(len(NPY_MAGIC))
        if start == NPY_MAGIC:
            return as_labels(read_array(path))
        if start.startswith(ZIP_MAGIC):
            with open_arrays(path, all_or_none=False) as arrays:
                name = first_name(LABEL_NAMES, arrays.shapes) or only_name(arrays.shapes)
                return as_labels(read_member(arrays, name or "labels"))
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise ValueError(f"it is longer than {MAX_TEXT_BYTES >> 20} MB")
        return as_labels(_parse_table(path.read_text(encoding="utf-8-sig"), count))
    except CORRUPT_FILE_ERRORS as error:  # An InputError too.
        raise InputError(f"{fault}: {one_line(error)}") from error


def labels_by_name(path: str | Path, labels: Labels, class_names: Sequence[object]) -> Labels:
    """The labels in Fashion-MNIST of images whose classes have names.

    Raises:
        InputError: a class is not Fashion-MNIST's, or a label has no name.
    """
    numbers = np.array([number_of_class(path, str(name)) for name in class_names], np.int32)
    return numbers[class_numbers(labels, list(map(str, class_names)))]


def number_of_class(path: str | Path, name: str) -> int:
    """The label in Fashion-MNIST of a class that a file or a folder calls by its name or number."""
    try:
        return class_number(name, CLASS_NAMES)
    except InputError as error:
        raise InputError(
            f"{path} holds the class {show(name)}, which is not one of Fashion-MNIST's: a number from 0 to 9, or "
            f"one of {', '.join(CLASS_NAMES)}"
        ) from error


def _parse_table(text: str, count: int) -> Array:
    """The numbers of a text or CSV file: (N,), or one row for each image."""
    rows = [re.split(r"\s*[,;]\s*|\s+", line.strip().strip(",;")) for line in text.splitlines() if line.strip()]
    rows = [[cell.strip("\"'") for cell in row] for row in rows]
    if not rows:
        raise ValueError("it is empty")
    header = rows.pop(0) if not all(map(_is_number, rows[0])) else []
    if header and not rows:
        raise ValueError(f"it holds no numbers, but {show(' '.join(header))}")
    column = first_name(LABEL_NAMES, header)
    if column is not None and len(header) > 1:
        index = header.index(column)
        rows = [row[index : index + 1] for row in rows]
    numbers = [[float(cell) for cell in row] for row in rows]
    cells = [number for row in numbers for number in row]
    # Without a header, the number of images tells labels in several columns from one-hot rows.
    return np.array(cells if len(cells) == count or len(rows) != count else numbers)


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
