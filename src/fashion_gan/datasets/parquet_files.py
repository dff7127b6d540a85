"""Pictures in Parquet files, in the form of the Hugging Face Hub: a column of picture files, and one of classes."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan.arrays import Images, Labels, Picture
from fashion_gan.datasets.array_images import IMAGE_NAMES, KINDS, LABEL_NAMES, first_name, only_name
from fashion_gan.datasets.image_arrays import LabeledImages, with_class_names, with_names
from fashion_gan.datasets.picture_files import read_pixels
from fashion_gan.datasets.picture_listing import Tally
from fashion_gan.datasets.picture_sets import PictureSet
from fashion_gan.datasets.trees import file_stamp
from fashion_gan.errors import InputError, one_line
from fashion_gan.system import memory
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS
from fashion_gan.system.installation import check_installed
from fashion_gan.system.progress import bar

PARQUET_MAGIC = b"PAR1"
PICTURE_COLUMNS = ("image", "img", *IMAGE_NAMES)
MAX_GROUP_BYTES = 1 << 32  # of the pictures that a file stores together
REMEDY = "write the file with smaller row groups"


def find_in_parquet(path: Path) -> PictureSet:
    """Find the pictures in a Parquet file, and read their classes. The pictures stay in the file until they are read.

    The paths that a cell may hold are not followed: only pictures inside the file are read.

    Raises:
        InputError: the file cannot be read, or holds no column of pictures.
    """
    check_installed("pyarrow", f"reading {path}", "parquet")
    try:
        table = _Table(path)
    except InputError:
        raise
    except _arrow_errors() as error:
        raise InputError(f"{path} cannot be read as {KINDS}: {one_line(error)}") from error
    if not table.count:
        raise InputError(f"{path} holds no pictures: its column {table.pictures} is empty")
    labels, class_names, notes = table.read_labels()
    labels, class_names = with_class_names(labels, class_names, table.count, path)
    return PictureSet(
        place=path,
        paths=Rows(path, table.count),
        labels=labels,
        class_names=class_names,
        open=table.open,
        stamps=lambda: [f"{path.resolve()} {file_stamp(path)} {table.pictures}"],
        left_out=Tally(path),
        notes=notes,
    )


def read_parquet(path: Path) -> LabeledImages:
    """Read the pictures of a Parquet file at their own size, which must be the same for all.

    Raises:
        InputError: as ``find_in_parquet``, or the pictures have several sizes, or one of them cannot be read.
    """
    found = find_in_parquet(path)
    pictures = [
        read_pixels(found.open(number), f"{path}: the picture in row {number}", with_opacity=True)
        for number in bar(range(len(found.paths)), f"reading {path}", "pictures")
    ]
    sizes = {picture.shape[:2] for picture in pictures}
    if len(sizes) > 1:
        raise InputError(f"{path} holds pictures of {len(sizes)} sizes, not of one")
    labels = found.labels if found.class_names else None
    return LabeledImages(stack(pictures), labels, found.class_names)


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


class Rows(Sequence[Path]):
    """The names of the pictures in the rows of a table: ``table.parquet/row 3``.

    Args:
        place: the table.
        count: the number of its rows.
    """

    def __init__(self, place: Path, count: int) -> None:
        self._place, self._count = place, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[number] for number in range(self._count)[index]]
        return self._place / f"row {range(self._count)[index]}"


class _Table:
    """An open Parquet file.

    Args:
        path: the file.

    Attributes:
        count: the number of its rows.
        pictures: the name of the column of pictures.
    """

    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        self._path = path
        self._kept: tuple[int, Any] = (-1, None)
        self._file = parquet.ParquetFile(path, memory_map=True)
        facts = self._file.metadata
        groups = [facts.row_group(number) for number in range(facts.num_row_groups)]
        largest = max((group.total_byte_size for group in groups), default=0)
        if largest > MAX_GROUP_BYTES:
            raise InputError(
                f"{path} stores {largest:,} bytes in one row group; the limit is {MAX_GROUP_BYTES:,}: {REMEDY}"
            )
        memory.check_memory(largest, f"{path}: the pictures in one of its row groups", REMEDY)
        self._starts = np.cumsum([0, *(group.num_rows for group in groups)])
        self.count = int(self._starts[-1])
        schema = self._file.schema_arrow
        found = [field.name for field in schema if _holds_pictures(field.type)]
        name = first_name(PICTURE_COLUMNS, found) or only_name(found)
        if name is None:
            raise InputError(f"{path} holds the columns {', '.join(schema.names)}, but no pictures in one called image")
        self.pictures = name

    def open(self, index: int) -> io.BytesIO:
        """The content of the picture file in a row; empty if there is none. Raises InputError if it is damaged."""
        group = int(np.searchsorted(self._starts, index, "right")) - 1
        cell = self._group(group)[index - int(self._starts[group])].as_py()
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        return io.BytesIO(content or b"")

    def _group(self, number: int) -> Any:
        """The pictures of a row group. They are read in the order of their rows, so that one group is kept."""
        if self._kept[0] != number:
            try:
                self._kept = number, self._file.read_row_group(number, [self.pictures])[self.pictures]
            except _arrow_errors() as error:
                raise InputError(f"{self._path}: its row group {number} is damaged: {one_line(error)}") from error
        return self._kept[1]

    def read_labels(self) -> tuple[Labels | None, tuple[str, ...], tuple[str, ...]]:
        """The class numbers, or None; their names, if the file names them; and sentences for the user."""
        schema = self._file.schema_arrow
        named = {name: _class_names(schema, name) for name in schema.names if name != self.pictures}
        column, notes = choose_class_column(named)
        if column is None:
            return None, (), notes
        labels, names = with_names(self._file.read([column])[column].to_pylist(), self.count)
        return labels, names or named[column], notes


def choose_class_column(names: Mapping[str, Sequence[str]]) -> tuple[str | None, tuple[str, ...]]:
    """The column of classes among the columns of a table, and sentences for the user.

    Args:
        names: the names of the classes in each column; none if its numbers have no names.

    Returns:
        The column with a usual name, or else the only one whose numbers have names. None if there is none.
    """
    named = [column for column, own in names.items() if own]
    column = first_name(LABEL_NAMES, names) or only_name(named)
    unclear = f"no classes are read: to read one of the columns {', '.join(named)}, rename it to label"
    return column, () if column is not None or not named else (unclear,)


def _arrow_errors() -> tuple[type[Exception], ...]:
    from pyarrow import ArrowException

    return (*CORRUPT_FILE_ERRORS, ArrowException)


def _class_names(schema: Any, column: str) -> tuple[str, ...]:
    """The names that the Hugging Face Hub's metadata give the numbers in a column. Empty if there are none."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return tuple(map(str, features[column]["names"]))
    except (KeyError, TypeError, ValueError, RecursionError):  # No metadata, or of another form.
        return ()


def _holds_pictures(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0
    return types.is_binary(kind) or types.is_large_binary(kind)
