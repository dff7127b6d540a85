"""Images and labels in ``.npz`` and ``.npy`` files. Headers are read first, and no code in the files is run."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Array
from fashion_gan.datasets.image_arrays import LabeledImages, with_names
from fashion_gan.datasets.image_store import MEMORY_SHARE, Store
from fashion_gan.datasets.picture_listing import TEST, TRAIN
from fashion_gan.datasets.picture_sets import REMEDY
from fashion_gan.datasets.trees import file_stamp
from fashion_gan.errors import InputError
from fashion_gan.system import memory
from fashion_gan.system.array_files import ArrayFile, map_array, open_arrays

# Names of arrays and columns in other people's files, the most telling first. NumPy names unnamed arrays arr_0, arr_1.
IMAGE_NAMES = ("images", "image", "x", "imgs", "samples", "data", "arr_0")
LABEL_NAMES = ("labels", "label", "y", "targets", "target", "classes", "class", "arr_1")
CLASS_NAMES_KEY = "class_names"  # in the .npz files that fashion-gan writes
KINDS = "an .npz, .npy or .parquet file of images"
# An array may take so many bytes, or so many times the size of its file. Images hardly shrink more.
MAX_BYTES, MAX_RATIO = 1 << 32, 100


def read_npy(path: Path) -> LabeledImages:
    """Read the images of an ``.npy`` file. Raises one of ``CORRUPT_FILE_ERRORS`` if they cannot be read."""
    images = map_array(path)
    if images.nbytes > MEMORY_SHARE * memory.available_memory() and images.dtype == np.uint8:
        return LabeledImages(images, None, stamp=_stamp(path, ""))
    memory.check_memory(images.nbytes, f"{path}: its images", REMEDY)
    return LabeledImages(np.array(images), None, stamp=_stamp(path, ""))


def read_npz(path: Path, *, test: bool = False) -> LabeledImages | None:
    """Read the images of an ``.npz`` file, and their labels if it has them.

    The file may name its arrays as most tools do, or hold only one array that can be images. Names such as ``x_train``
    and ``test_images`` tell training images from others.

    Args:
        path: the file.
        test: read the test images.

    Returns:
        The images. None if ``test`` is set and no array is named as test images.

    Raises:
        InputError: it does not tell which of its arrays the images are, or a label is no class.
        CORRUPT_FILE_ERRORS: it cannot be read.
    """
    with open_arrays(path, all_or_none=False) as file:
        if not file.shapes:
            raise ValueError(next(iter(file.faults.values()), "it holds nothing"))
        names = _names_of_part(file, TEST) if test else _find_names(path, file)
        if names is None:
            return None
        images_name, labels_name = names
        stamp = _stamp(path, images_name)
        images = _read_images(path, file, images_name, stamp)
        # Labels that cannot be read are refused: without them, fewer figures would be measured.
        if labels_name is None:
            return LabeledImages(images, None, stamp=stamp)
        try:
            labels, class_names = with_names(read_member(file, labels_name), len(images))
        except InputError as error:
            raise InputError(f'{path}: its array "{labels_name}": {error}') from error
        if CLASS_NAMES_KEY in file.shapes and not class_names:
            class_names = tuple(map(str, np.atleast_1d(read_member(file, CLASS_NAMES_KEY)).tolist()))
        return LabeledImages(images, labels, class_names, stamp)


def first_name(names: Iterable[str], among: Iterable[str]) -> str | None:
    """The first of the names that is there, in any case."""
    by_lowercase = {name.lower(): name for name in among}
    return next((by_lowercase[name] for name in names if name in by_lowercase), None)


def only_name(names: Iterable[str]) -> str | None:
    """The name, if there is exactly one."""
    several = list(names)
    return several[0] if len(several) == 1 else None


def _find_names(path: Path, file: ArrayFile) -> tuple[str, str | None]:
    """The names of the arrays of images and of labels."""
    pictures = [name for name, shape in file.shapes.items() if len(shape) in (3, 4)]
    # If "images" is damaged, no other array takes its place.
    has_images = "images" in file.shapes or "images" in file.faults
    name = "images" if has_images else only_name(pictures) or first_name(IMAGE_NAMES, pictures)
    if name is None and (named := _names_of_part(file, TRAIN)) is not None:
        return named
    if name is None:
        held = ", ".join(f"{name} {shape}" for name, shape in file.shapes.items())
        raise InputError(f'{path} holds {held}, but no array "images"')
    labels_name = first_name(LABEL_NAMES, [*file.shapes, *file.faults])
    return name, labels_name if labels_name != name else None


def _names_of_part(file: ArrayFile, part: Iterable[str]) -> tuple[str, str | None] | None:
    """The names of the images and the labels of the first named part that is there, such as x_train and y_train."""
    split = {name: {word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", name)} for name in file.shapes}
    for word in part:
        own = {name: words - {word} for name, words in split.items() if word in words}
        images = next((name for name, words in own.items() if words & set(IMAGE_NAMES)), None)
        if images is not None:
            return images, next((name for name, words in own.items() if words & set(LABEL_NAMES)), None)
    return None


def _read_images(path: Path, file: ArrayFile, name: str, stamp: str) -> Array:
    """Read an array. If it would take much of the memory, its images go to a file, one after the other."""
    limit = max(MAX_BYTES, MAX_RATIO * path.stat().st_size)
    _check_member(file, name, limit)
    shape, size = file.shapes[name], file.sizes[name]
    is_small = size <= MEMORY_SHARE * memory.available_memory()
    if is_small or file.dtypes[name] != np.uint8 or len(shape) not in (3, 4):
        memory.check_memory(size, f"{path}: its images", REMEDY)
        return read_member(file, name, limit)
    store = Store(f"{path}: its {shape[0]:,} images", REMEDY, lambda: hashlib.sha256(stamp.encode()).hexdigest())
    return store.fill(shape[0], shape[1:], lambda facts: file.rows(name))[0]


def read_member(file: ArrayFile, name: str, limit: int = MAX_BYTES) -> Array:
    """Read an array of an ``.npz`` file. Raises ValueError if it is missing, or takes more bytes than the limit."""
    _check_member(file, name, limit)
    return file[name]


def _check_member(file: ArrayFile, name: str, limit: int) -> None:
    if name not in file.shapes:
        raise ValueError(file.faults.get(name, f'it holds no array "{name}"'))
    if file.sizes[name] > limit:
        raise ValueError(f'its array "{name}" takes {file.sizes[name]:,} bytes; the limit is {limit:,}')


def _stamp(path: Path, name: str) -> str:
    """A text that changes if the array with this name changes."""
    return f"{path.resolve()} {file_stamp(path)} {name}"
