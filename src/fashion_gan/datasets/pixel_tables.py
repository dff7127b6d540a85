"""Images in CSV files, one in each row, as Kaggle publishes MNIST and Fashion-MNIST: label,pixel1,…,pixel784."""

import math
import re
import warnings
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Images, Labels
from fashion_gan.datasets.array_images import LABEL_NAMES, first_name
from fashion_gan.datasets.image_arrays import LabeledImages
from fashion_gan.datasets.trees import file_stamp
from fashion_gan.errors import InputError, one_line, show
from fashion_gan.system import memory

PIXEL = re.compile(r"(pixel|pix|px|p)?[ _]?\d+(x\d+)?", re.IGNORECASE)  # pixel1, pixel_0, 3, 1x1
MAX_HEADER_BYTES = 1 << 22
MAX_SHOWN_COLUMNS = 10
ROWS_TOGETHER = 4096
FORM = "a column label, and a column for each pixel of gray squares, such as pixel1 to pixel784"


def read_pixel_table(path: Path) -> LabeledImages:
    """Read the images of a CSV file, and their labels if it has a column ``label``.

    Without a header, a row holds the pixels, or a label and the pixels. Other columns are left out.

    Raises:
        InputError: the file cannot be read, or a row does not hold numbers from 0 to 255 of a square.

    Source: https://www.kaggle.com/datasets/zalando-research/fashionmnist
    """
    try:
        names, has_header = _read_names(path)
        label, pixels, others = _columns(path, names)
        # A number takes at least two bytes of text, and at most one byte of memory, twice while they are joined.
        memory.check_memory(path.stat().st_size, f"{path}: its numbers", "save the images as an .npy file of uint8")
        images, labels = _read_rows(path, label, pixels, skip=1 if has_header else 0)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read as a table of pixels: {one_line(error)}") from error
    if not len(images):
        raise InputError(f"{path} cannot be read as a table of pixels: it has no rows")
    shown = ", ".join(map(show, others[:MAX_SHOWN_COLUMNS]))
    notes = (f"columns that are not read: {shown}{'…' if others[MAX_SHOWN_COLUMNS:] else ''}",) if others else ()
    return LabeledImages(images, labels, stamp=f"{path.resolve()} {file_stamp(path)}", notes=notes)


def _read_names(path: Path) -> tuple[list[str], bool]:
    """The cells of the first row, and whether they are the columns' names."""
    with open(path, encoding="utf-8-sig") as file:
        line = file.readline(MAX_HEADER_BYTES)
    if not line.strip():
        raise ValueError("it is empty")
    cells = [cell.strip().strip("\"'") for cell in line.split(",")]
    return cells, not all(re.fullmatch(r"\d+", cell) for cell in cells)


def _columns(path: Path, names: list[str]) -> tuple[int | None, list[int], list[str]]:
    """The index of the column of labels, those of the columns of pixels, and the names of the others."""
    if all(re.fullmatch(r"\d+", name) for name in names):  # No header. A square is never one more than another.
        has_label = math.isqrt(len(names)) ** 2 != len(names)
        label, pixels = (0, list(range(1, len(names)))) if has_label else (None, list(range(len(names))))
        others: list[str] = []
    else:
        named = first_name(LABEL_NAMES, names)
        label = None if named is None else names.index(named)
        pixels = [number for number, name in enumerate(names) if number != label and PIXEL.fullmatch(name)]
        others = [name for number, name in enumerate(names) if number != label and number not in set(pixels)]
    if not pixels or math.isqrt(len(pixels)) ** 2 != len(pixels):
        raise InputError(f"{path} has {len(pixels):,} columns of pixels, which are no square: {FORM} are read")
    return label, pixels, others


def _read_rows(path: Path, label: int | None, pixels: list[int], skip: int) -> tuple[Images, Labels | None]:
    side, columns = math.isqrt(len(pixels)), [*([] if label is None else [label]), *pixels]
    parts = [np.empty((0, len(columns)), np.uint8)]
    with open(path, encoding="utf-8-sig") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns about the end of the file.
        for _ in range(skip):
            file.readline()
        while not parts[1:] or len(parts[-1]) == ROWS_TOGETHER:
            # A row that is shorter, and a number that is no byte, are errors of NumPy's reader.
            rows = np.loadtxt(
                file, np.uint8, delimiter=",", quotechar='"', usecols=columns, max_rows=ROWS_TOGETHER, ndmin=2
            )
            parts.append(rows.reshape(-1, len(columns)))
    table = np.concatenate(parts)
    images = np.ascontiguousarray(table[:, -len(pixels) :]).reshape(-1, side, side)
    return images, None if label is None else table[:, 0].astype(np.int32)
