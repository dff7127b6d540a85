"""Images and labels in files of every usual kind: ``.npz``, ``.npy``, Parquet, text and CSV. No code in them is run."""

import dataclasses
import io
import json
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan.arrays import Array, Images, Labels, Picture, as_labels
from fashion_gan.classes import class_number, class_numbers
from fashion_gan.datasets import CLASS_NAMES, Dataset, read_pixels
from fashion_gan.errors import InputError, one_line, show
from fashion_gan.metrics.checks import checked_pictures
from fashion_gan.system.array_files import MAX_BYTES, ArrayFile, open_arrays, read_array
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS
from fashion_gan.system.installation import check_installed
from fashion_gan.system.progress import bar

NPY_MAGIC, ZIP_MAGIC, PARQUET_MAGIC = b"\x93NUMPY", b"PK", b"PAR1"
# Names of arrays and columns in other people's files, the most telling first. NumPy names unnamed arrays arr_0, arr_1.
IMAGE_NAMES = ("images", "image", "x", "imgs", "samples", "data", "arr_0")
LABEL_NAMES = ("labels", "label", "y", "targets", "target", "classes", "class", "arr_1")
CLASS_NAMES_KEY = "class_names"  # in the .npz files that fashion-gan writes
MAX_TEXT_BYTES = 1 << 26
KINDS = "an .npz, .npy or .parquet file of images"


@dataclasses.dataclass(frozen=True, eq=False)
class LabeledImages:
    """The images of a file.

    Attributes:
        images: as the file holds them, not checked.
        labels: their class numbers, int32 (N,); None if the file has none.
        class_names: the names of these numbers; empty if the file has none.
    """

    images: Array
    labels: Labels | None
    class_names: tuple[str, ...] = ()

    def dataset(self, path: Path) -> Dataset:
        """The images as real pictures. Classes without names are called by their numbers.

        Raises:
            InputError: the images are not uint8 (N, H, W, C) or (N, H, W), or the labels do not fit them.
        """
        try:
            images = checked_pictures(self.images)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        if self.labels is None:
            return Dataset(images, np.zeros(len(images), np.int32), (), str(path))
        if len(self.labels) != len(images) or self.labels.min() < 0:
            raise InputError(f"{path}: there must be one label from 0 up for each of the {len(images)} images")
        if self.class_names:
            labels = class_numbers(self.labels, self.class_names)
            return Dataset(images, labels, self.class_names, str(path))
        numbers, positions = np.unique(self.labels, return_inverse=True)
        return Dataset(images, positions.astype(np.int32), tuple(map(str, numbers.tolist())), str(path))


def read_images(path: Path) -> tuple[Array, Labels | None]:
    """Read the images of a file, and their labels in Fashion-MNIST if it has them.

    Raises:
        InputError: as ``read_labeled_images``, or a class is not Fashion-MNIST's.
    """
    read = read_labeled_images(path)
    if read.labels is None or not read.class_names:
        return read.images, read.labels
    return read.images, labels_by_name(path, read.labels, read.class_names)


def read_labeled_images(path: Path) -> LabeledImages:
    """Read the images of a file, and their labels if it has them.

    An ``.npz`` may name its arrays as most tools do, or hold only one array that can be images.

    Raises:
        InputError: the file cannot be read, is of another kind, or does not tell which of its arrays the images are.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(len(NPY_MAGIC))
        if start.startswith(ZIP_MAGIC):
            return _read_npz(path)
        if start == NPY_MAGIC:
            return LabeledImages(read_array(path), None)
        if start.startswith(PARQUET_MAGIC):
            return _read_parquet(path)
    except InputError:
        raise
    except CORRUPT_FILE_ERRORS as error:
        raise InputError(f"{path} cannot be read as {KINDS}: {one_line(error)}") from error
    raise InputError(f"{path} cannot be read as {KINDS}: save the images with numpy.savez(path, images=…, labels=…)")


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
                name = _first(LABEL_NAMES, arrays.shapes) or _only(arrays.shapes)
                return as_labels(_read_member(arrays, name or "labels"))
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise ValueError(f"it is longer than {MAX_TEXT_BYTES >> 20} MB")
        return as_labels(_parse_table(path.read_text(encoding="utf-8-sig"), count))
    except CORRUPT_FILE_ERRORS as error:  # An InputError too.
        raise InputError(f"{fault}: {one_line(error)}") from error


def _read_npz(path: Path) -> LabeledImages:
    with open_arrays(path, all_or_none=False) as file:
        if not file.shapes:
            raise ValueError(next(iter(file.faults.values()), "it holds nothing"))
        pictures = [name for name, shape in file.shapes.items() if len(shape) in (3, 4)]
        # If "images" is damaged, no other array takes its place.
        has_images = "images" in file.shapes or "images" in file.faults
        name = "images" if has_images else _only(pictures) or _first(IMAGE_NAMES, pictures)
        if name is None:
            held = ", ".join(f"{name} {shape}" for name, shape in file.shapes.items())
            raise InputError(f'{path} holds {held}, but no array "images"')
        images = _read_member(file, name)
        # Labels that cannot be read are refused: without them, fewer figures would be measured.
        labels_name = _first(LABEL_NAMES, [*file.shapes, *file.faults])
        if labels_name is None or labels_name == name:
            return LabeledImages(images, None)
        labels = as_labels(_read_member(file, labels_name), f'{path}: its array "{labels_name}"')
        if CLASS_NAMES_KEY not in file.shapes:
            return LabeledImages(images, labels)
        names = np.atleast_1d(_read_member(file, CLASS_NAMES_KEY)).tolist()
        return LabeledImages(images, labels, tuple(map(str, names)))


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


def _read_member(file: ArrayFile, name: str) -> Array:
    if name not in file.shapes:
        raise ValueError(file.faults.get(name, f'it holds no array "{name}"'))
    if file.sizes[name] > MAX_BYTES:
        raise ValueError(f'its array "{name}" takes {file.sizes[name]:,} bytes; the limit is {MAX_BYTES:,}')
    return file[name]


def _first(names: Iterable[str], among: Iterable[str]) -> str | None:
    """The first of the names that is there, in any case."""
    by_lowercase = {name.lower(): name for name in among}
    return next((by_lowercase[name] for name in names if name in by_lowercase), None)


def _only(names: Iterable[str]) -> str | None:
    """The name, if there is exactly one."""
    several = list(names)
    return several[0] if len(several) == 1 else None


# ---- Text ----


def _parse_table(text: str, count: int) -> Array:
    """The numbers of a text or CSV file: (N,), or one row for each image."""
    rows = [re.split(r"\s*[,;]\s*|\s+", line.strip().strip(",;")) for line in text.splitlines() if line.strip()]
    rows = [[cell.strip("\"'") for cell in row] for row in rows]
    if not rows:
        raise ValueError("it is empty")
    header = rows.pop(0) if not all(map(_is_number, rows[0])) else []
    if header and not rows:
        raise ValueError(f"it holds no numbers, but {show(' '.join(header))}")
    column = _first(LABEL_NAMES, header)
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


# ---- Parquet ----


def _read_parquet(path: Path) -> LabeledImages:
    """Images in the form of the Hugging Face Hub: a column of encoded pictures, and a column of class numbers."""
    check_installed("pyarrow", f"reading {path}", "parquet")
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        size = sum(file.metadata.row_group(number).total_byte_size for number in range(file.metadata.num_row_groups))
        if size > MAX_BYTES:
            raise ValueError(f"its columns take {size:,} bytes; the limit is {MAX_BYTES:,}")
        schema = file.schema_arrow
        pictures = [field.name for field in schema if _holds_pictures(field.type)]
        name = _first(("image", "img", *IMAGE_NAMES), pictures) or _only(pictures)
        if name is None:
            raise InputError(f"{path} holds the columns {', '.join(schema.names)}, but no pictures in one called image")
        labels_name = _first(LABEL_NAMES, schema.names)
        table = file.read([name, *([] if labels_name is None else [labels_name])])
    cells = table[name].to_pylist()
    images = [
        read_pixels(io.BytesIO(_content(cell)), f"{path}: the picture in row {number}", with_opacity=True)
        for number, cell in enumerate(bar(cells, f"reading {path}", "pictures"))
    ]
    if not images:
        raise InputError(f"{path} holds no pictures: its column {name} is empty")
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        raise InputError(f"{path} holds pictures of {len(sizes)} sizes, not of one")
    labels = None if labels_name is None else as_labels(table[labels_name].to_numpy(), f"{path}: its {labels_name}")
    return LabeledImages(stack(images), labels, tuple(map(str, _class_names(schema, labels_name))))


def stack(pictures: Sequence[Picture]) -> Images:
    """Pictures of one size, each with 1, 3 or 4 channels, as one array with as many channels as they need together."""
    channels = max(picture.shape[2] for picture in pictures)
    images = np.full((len(pictures), *pictures[0].shape[:2], channels), 255, np.uint8)
    for image, picture in zip(images, pictures, strict=True):
        colors = min(channels, 3)
        image[..., :colors] = picture[..., :colors]  # A gray picture is repeated in each color.
        if picture.shape[2] == 4:
            image[..., 3] = picture[..., 3]
    return images


def _class_names(schema: Any, column: str | None) -> list[object]:
    """The names that the Hugging Face Hub's metadata give the numbers in a column. Empty if there are none."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return list(features[column]["names"])
    except (KeyError, TypeError, ValueError, RecursionError):  # No metadata, or of another form.
        return []


def _holds_pictures(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0
    return types.is_binary(kind) or types.is_large_binary(kind)


def _content(cell: Any) -> bytes:
    """The picture file in a cell; empty if there is none."""
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    return content or b""
