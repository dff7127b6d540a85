"""Pictures in Parquet files, in the form of the Hugging Face Hub: a column of picture files, and one of classes."""

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan.arrays import Images, Picture
from fashion_gan.datasets.array_images import IMAGE_NAMES, KINDS, LABEL_NAMES, first_name, only_name
from fashion_gan.datasets.image_arrays import LabeledImages, with_class_names, with_names
from fashion_gan.datasets.picture_files import read_pixels
from fashion_gan.datasets.picture_listing import TEST, TRAIN, Tally
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


def find_in_parquet(place: Path, files: Sequence[Path] = ()) -> PictureSet:
    """Find the pictures in Parquet files, and read their classes. The pictures stay there until they are read.

    The paths that a cell may hold are not followed: only pictures inside the files are read.

    Args:
        place: the file, or the folder of several.
        files: the files in the folder, from ``parquet_files``. () for a single file.

    Raises:
        InputError: a file cannot be read, or holds no column of pictures, or the files have different classes.
    """
    check_installed("pyarrow", f"reading {place}", "parquet")
    tables = [_open_table(path) for path in files or (place,)]
    starts = np.cumsum([0, *(table.count for table in tables)])
    count = int(starts[-1])
    if not count:
        raise InputError(f"{place} holds no pictures: its column {tables[0].pictures} is empty")
    if len({(table.has_classes, table.class_names) for table in tables}) > 1:
        raise InputError(f"{place}: its files name different classes")
    labels, class_names = None, tables[0].class_names
    if tables[0].has_classes:
        labels, own_names = with_names([value for table in tables for value in table.read_classes()], count)
        class_names = own_names or class_names
    labels, class_names = with_class_names(labels, class_names, count, place)

    def open_picture(index: int) -> io.BytesIO:
        number = int(np.searchsorted(starts, index, "right")) - 1
        return tables[number].open(index - int(starts[number]))

    return PictureSet(
        place=place,
        paths=Rows(place, count),
        labels=labels,
        class_names=class_names,
        open=open_picture,
        stamps=lambda: [f"{table.path.resolve()} {file_stamp(table.path)} {table.pictures}" for table in tables],
        left_out=Tally(place),
        notes=tables[0].notes,
        keeps_gray=True,
    )


def parquet_files(folder: Path, *, test: bool = False) -> list[Path]:
    """The Parquet files of a data set in a folder or its subfolder ``data``, as the Hugging Face Hub stores them.

    Files of training pictures have names such as ``train-00000-of-00002.parquet``. If no file has such a name, all are
    taken.

    Args:
        folder: the folder.
        test: find the files of test pictures.
    """
    files = sorted(folder.glob("*.parquet")) or sorted((folder / "data").glob("*.parquet"))
    part_of = {path: re.split("[-_.]", path.name)[0].casefold() for path in files}
    for word in TEST if test else TRAIN:
        named = [path for path, part in part_of.items() if part == word]
        if named:
            return named
    return [] if test else [path for path, part in part_of.items() if part not in TEST]


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


def _open_table(path: Path) -> "_Table":
    try:
        return _Table(path)
    except InputError:
        raise
    except _arrow_errors() as error:
        raise InputError(f"{path} cannot be read as {KINDS}: {one_line(error)}") from error


class _Table:
    """An open Parquet file.

    Args:
        path: the file.

    Attributes:
        path: the file.
        count: the number of its rows.
        pictures: the name of the column of pictures.
        has_classes: whether it has a column of classes.
        class_names: the names of their numbers; () if it has none.
        notes: sentences about the columns, for the user.
    """

    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        self.path = path
        self._kept: tuple[int, Any] = (-1, None)
        self._file = parquet.ParquetFile(path)
        facts = self._file.metadata
        groups = [facts.row_group(number) for number in range(facts.num_row_groups)]
        _check_size(path, max((group.total_byte_size for group in groups), default=0))
        self._starts = np.cumsum([0, *(group.num_rows for group in groups)])
        self.count = int(self._starts[-1])
        schema = self._file.schema_arrow
        found = [field.name for field in schema if _holds_pictures(field.type)]
        name = first_name(PICTURE_COLUMNS, found) or only_name(found)
        if name is None:
            raise InputError(f"{path} holds the columns {', '.join(schema.names)}, but no pictures in one called image")
        self.pictures = name
        named = {name: _class_names(schema, name) for name in schema.names if name != self.pictures}
        self._classes, self.notes = choose_class_column(named)
        self.has_classes = self._classes is not None
        self.class_names = () if self._classes is None else named[self._classes]

    def open(self, index: int) -> io.BytesIO:
        """The content of the picture file in a row; empty if there is none. Raises InputError if it is damaged."""
        group = int(np.searchsorted(self._starts, index, "right")) - 1
        if self._kept[0] != group:  # Pictures are read in the order of their rows, so that one group is kept.
            self._kept = group, self._read(lambda: self._file.read_row_group(group, [self.pictures]))[self.pictures]
        cell = self._kept[1][index - int(self._starts[group])].as_py()
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        return io.BytesIO(content or b"")

    def read_classes(self) -> list[object]:
        """The class of each row: a number or a name."""
        values: list[object] = self._read(lambda: self._file.read([self._classes]))[self._classes].to_pylist()
        return values

    def _read(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except _arrow_errors() as error:
            raise InputError(f"{self.path} is damaged: {one_line(error)}") from error


def _check_size(path: Path, size: int) -> None:
    if size > MAX_GROUP_BYTES:
        raise InputError(f"{path} stores {size:,} bytes in one row group; the limit is {MAX_GROUP_BYTES:,}: {REMEDY}")
    memory.check_memory(size, f"{path}: the pictures in one of its row groups", REMEDY)


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
