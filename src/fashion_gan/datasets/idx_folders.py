"""Loading any data set of gray images in MNIST's files: MNIST, KMNIST, EMNIST, and data sets of your own."""

import dataclasses
import re
from pathlib import Path

import numpy as np

from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.fashion_mnist import Bytes, has_fashion_mnist_digest
from fashion_gan.datasets.idx import read_content, read_idx
from fashion_gan.errors import InputError, one_line

MAX_BYTES = 640 << 20  # EMNIST's largest file has 547 MB.
# Names of image files: train-images-idx3-ubyte.gz, train-images.idx3-ubyte, emnist-letters-train-images-idx3-ubyte.gz
IMAGES_NAME = re.compile(r"(?P<set>.*)train-images[-.]idx3-ubyte(\.gz)?", re.IGNORECASE)
TEST_NAME = re.compile(r".*(t10k|test)-images[-.]idx3-ubyte(\.gz)?", re.IGNORECASE)
TRANSPOSED = re.compile(r"emnist\b", re.IGNORECASE)  # EMNIST's files store each image column by column.


def find_training_images(folder: Path) -> Path | None:
    """The file of training images in a folder. None if there is none.

    Raises:
        InputError: there are several.
    """
    found = {
        match["set"]: path
        for path in sorted(folder.iterdir())
        if (match := IMAGES_NAME.fullmatch(path.name)) and path.is_file()
    }
    if len(found) > 1:
        names = ", ".join(path.name for path in found.values())
        raise InputError(f"{folder} holds several data sets ({names}): move each to a folder of its own")
    return next(iter(found.values()), None)


def load_mnist_test_images(folder: Path, class_names: tuple[str, ...]) -> Dataset | None:
    """The test images in a folder of MNIST's files, such as ``t10k-images-idx3-ubyte.gz``.

    Args:
        folder: the folder.
        class_names: the classes of the training images, in the order of their labels.

    Returns:
        The test images, with labels among these classes. None if there is no file of them.

    Raises:
        InputError: a file cannot be used, or holds an image of another class.
    """
    for path in sorted(folder.iterdir()):
        if TEST_NAME.fullmatch(path.name) and path.is_file():
            test = load_images_and_labels(path)
            unknown = set(test.class_names) - set(class_names)
            if unknown:
                raise InputError(f"{path} holds the class {sorted(unknown)[0]}, which no training image has")
            numbers = np.array([class_names.index(name) for name in test.class_names], np.int32)
            return dataclasses.replace(test, labels=numbers[test.labels], class_names=class_names)
    return None


def find_labels(images_path: Path) -> Path:
    """The file of the labels that belong to a file of images. Raises InputError if it is missing."""
    name = re.sub(r"\.gz$", "", images_path.name, flags=re.IGNORECASE)
    name = re.sub("images(?=[-.]idx3)", "labels", name, flags=re.IGNORECASE)
    name = re.sub("idx3(?=-ubyte)", "idx1", name, flags=re.IGNORECASE)
    for path in (images_path.with_name(name), images_path.with_name(f"{name}.gz")):
        if path.is_file():
            return path
    raise InputError(f"{images_path.parent}: {name} is missing (plain or .gz)")


def read_labels(images_path: Path) -> bytearray:
    """The content of the file of labels that belongs to a file of images."""
    path = find_labels(images_path)
    return read_content(path, str(path), MAX_BYTES)


def load_images_and_labels(images_path: Path) -> Dataset:
    """Load a file of images and the file of labels next to it.

    The classes are the labels that occur, in order, named by their numbers. A file of EMNIST's mapping, which lies next
    to the images, names them by their characters. EMNIST's images are turned upright.

    Args:
        images_path: the file of images, from ``find_training_images``.

    Returns:
        Images of shape (N, H, W, 1).

    Raises:
        InputError: a file is missing, damaged or too large, or the two do not fit together.
    """
    labels_path = find_labels(images_path)
    content = read_content(images_path, str(images_path), MAX_BYTES)
    if has_fashion_mnist_digest(content):
        raise InputError(f"{labels_path}: altered: the images are Fashion-MNIST's, but the labels are not")
    images = read_idx(content, str(images_path))
    labels = read_idx(read_labels(images_path), str(labels_path))
    if images.ndim != 3 or not images.size:
        raise InputError(f"{images_path}: wrong shape {images.shape}: images must be (N, H, W), at least one")
    if labels.shape != images.shape[:1]:
        raise InputError(f"{labels_path}: wrong shape {labels.shape}: there are {len(images)} images")
    if TRANSPOSED.match(images_path.name):
        images = np.ascontiguousarray(images.swapaxes(1, 2))
    values, numbers = np.unique(labels, return_inverse=True)
    names = _class_names(values, images_path)
    return Dataset(images[..., np.newaxis], numbers.astype(np.int32), names, str(images_path.parent))


def _class_names(values: Bytes, images_path: Path) -> tuple[str, ...]:
    prefix = re.split("(train|t10k|test)-images", images_path.name, flags=re.IGNORECASE)[0]
    mapping = images_path.with_name(f"{prefix}mapping.txt")
    if not mapping.is_file():
        return tuple(str(value) for value in values)
    try:
        # A line holds a label and the codes of its characters, the upper-case one first.
        rows = [line.split() for line in mapping.read_text(encoding="utf-8").splitlines() if line.strip()]
        characters = {int(row[0]): chr(int(row[1])) for row in rows}
        return tuple(characters[int(value)] for value in values)
    except (OSError, ValueError, LookupError, OverflowError) as error:
        raise InputError(f"{mapping} does not name the classes: {one_line(error)}") from error
