"""Data sets of the Hugging Face library ``datasets``, by the attributes that they have. The library is not imported."""

import io
from pathlib import Path
from typing import Any

from PIL import Image

from fashion_gan.arrays import Labels
from fashion_gan.datasets.array_images import first_name, only_name
from fashion_gan.datasets.image_arrays import with_class_names, with_names
from fashion_gan.datasets.parquet_files import PICTURE_COLUMNS, Rows, choose_class_column
from fashion_gan.datasets.picture_files import Source
from fashion_gan.datasets.picture_listing import Tally
from fashion_gan.datasets.picture_sets import PictureSet
from fashion_gan.errors import InputError, one_line

PLACE = Path("dataset")  # the name of the data set in messages


def is_hugging_face(data: object) -> bool:
    """Whether an object is a ``datasets.Dataset``, or has its attributes."""
    return all(hasattr(data, name) for name in ("features", "column_names", "__len__", "__getitem__"))


def refuse_other_kinds(data: object) -> None:
    """Raise InputError if an object of the library ``datasets`` is of a kind that cannot be trained on."""
    if hasattr(data, "column_names") and hasattr(data, "values"):  # A DatasetDict.
        raise InputError("data holds several splits: name one of them, such as data=dataset['train']")
    if hasattr(data, "column_names") and not hasattr(data, "__len__"):  # An IterableDataset.
        raise InputError("data is a stream, which has no order to return to: load it with streaming=False")


def find_in_hugging_face(data: Any) -> PictureSet:
    """Find the pictures of a ``datasets.Dataset``, and read its classes.

    Args:
        data: the data set. A column holds pictures, as PIL's or as files, and perhaps one their classes.

    Raises:
        InputError: it is empty, or it holds no column of pictures.
    """
    columns = list(data.column_names)
    if not len(data):
        raise InputError("data holds no rows")
    first = data[0]
    found = [name for name in columns if _holds_picture(first[name])]
    pictures = first_name(PICTURE_COLUMNS, found) or only_name(found)
    if pictures is None:
        raise InputError(f"data holds the columns {', '.join(columns)}, but no pictures in one called image")
    named = {name: getattr(data.features[name], "names", None) or () for name in columns if name != pictures}
    column, notes = choose_class_column(named)
    labels, class_names = _read_labels(data, column, named)
    rows = data.select_columns([pictures]) if hasattr(data, "select_columns") else data
    fingerprint = getattr(data, "_fingerprint", None)  # The library changes it with every change of the data.

    def open_picture(index: int) -> Source:
        try:
            cell = rows[index][pictures]
        except Exception as error:  # The library's decoders raise errors of any type.
            raise InputError(f"{PLACE}/row {index} cannot be read as a picture: {one_line(error)}") from error
        return cell if isinstance(cell, Image.Image) else io.BytesIO(_content(cell))

    return PictureSet(
        place=PLACE,
        paths=Rows(PLACE, len(data)),
        labels=labels,
        class_names=class_names,
        open=open_picture,
        stamps=None if fingerprint is None else lambda: [f"datasets {fingerprint} {pictures}"],
        left_out=Tally(PLACE),
        notes=notes,
        keeps_gray=True,
    )


def _read_labels(data: Any, column: str | None, named: dict[str, Any]) -> tuple[Labels, tuple[str, ...]]:
    if column is None:
        return with_class_names(None, (), len(data), PLACE)
    labels, names = with_names(list(data[column]), len(data))
    return with_class_names(labels, names or tuple(map(str, named[column])), len(data), PLACE)


def _holds_picture(cell: object) -> bool:
    return isinstance(cell, (Image.Image, bytes)) or (isinstance(cell, dict) and isinstance(cell.get("bytes"), bytes))


def _content(cell: Any) -> bytes:
    """The picture file in a cell; empty if there is none. A path in the cell is not followed."""
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    return content if isinstance(content, bytes) else b""
