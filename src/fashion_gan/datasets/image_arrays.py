"""Arrays of images and labels, in memory or from files -> a data set of images of the size that a run draws."""

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fashion_gan.arrays import Array, Images, Labels, Picture, as_labels
from fashion_gan.classes import class_numbers, is_single_label
from fashion_gan.config import is_class_name
from fashion_gan.datasets.checked_images import checked_pictures
from fashion_gan.datasets.contents import ClassContents, Contents
from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.fashion_mnist import CLASS_NAMES, IMAGE_SHAPE, TRAINING_FINGERPRINT
from fashion_gan.datasets.image_store import Store
from fashion_gan.datasets.options import PictureOptions
from fashion_gan.datasets.picture_files import MODES, as_square
from fashion_gan.datasets.picture_sets import FIT_NOTES, KEPT, REMEDY
from fashion_gan.errors import InputError, as_array, show
from fashion_gan.system import progress

FASHION_MNIST_COUNT = 60_000


@dataclasses.dataclass(frozen=True, eq=False)
class LabeledImages:
    """Images as a file or a program holds them.

    Attributes:
        images: not checked.
        labels: their class numbers, int32 (N,); None if there are none.
        class_names: the names of these numbers; empty if there are none.
        stamp: a text that changes if the images change. None: there is no such text.
        notes: sentences about what is taken, for the user.
    """

    images: Array
    labels: Labels | None
    class_names: tuple[str, ...] = ()
    stamp: str | None = None
    notes: tuple[str, ...] = ()

    def dataset(self, source: str | Path) -> Dataset:
        """The images as they are. Classes without names are called by their numbers.

        Raises:
            InputError: the images are not uint8 (N, H, W, C) or (N, H, W), or the labels do not fit them.
        """
        try:
            images = checked_pictures(self.images)
        except InputError as error:
            raise InputError(f"{source}: {error}") from error
        labels, class_names = with_class_names(self.labels, self.class_names, len(images), source)
        return Dataset(images, labels, class_names, str(source))

    def fitted(self, source: str | Path, image_size: int, channels: int, options: PictureOptions) -> Dataset:
        """The images at the size that a run draws, with ``contents``.

        Gray squares that are not larger are kept: the model resizes them batch by batch. Others become squares as
        pictures in folders do.

        Raises:
            InputError: as ``dataset``, or the images do not fit into memory.
        """
        dataset = with_fashion_mnist_names(self.dataset(source))
        images = _fit(dataset, image_size, channels, options, self.stamp)
        return _with_contents(images, dataset, image_size, self.notes, options)


def with_names(labels: object, count: int) -> tuple[Labels, tuple[str, ...]]:
    """Labels of any plain form as class numbers, and the names of the classes.

    Args:
        labels: class names or numbers (N,) or (N, 1), or one-hot rows. They may be a list, an array or a tensor.
        count: the number of images.

    Returns:
        int32 (N,), and the names. Names are sorted; without names they are empty.

    Raises:
        InputError: the labels have another form, or there is not one for each image.

    Example:
        >>> with_names(["b", "a", "b"], 3)
        (array([1, 0, 1], dtype=int32), ('a', 'b'))
    """
    if is_single_label(labels):
        raise InputError(f"labels={show(labels)} must be a list or an array with a class for each image")
    array = as_array("labels", labels)
    if array.dtype.kind == "O":
        array = np.array(array.tolist())
    if array.dtype.kind in "US":
        texts = array.astype(np.str_).reshape(-1)
        names, positions = np.unique(texts, return_inverse=True)
        numbers, class_names = positions.reshape(-1).astype(np.int32), tuple(names.tolist())
    else:
        numbers, class_names = as_labels(array), ()
    if len(numbers) != count:
        raise InputError(f"{count:,} images and {len(numbers):,} labels: there must be one label for each")
    return numbers, class_names


def with_fashion_mnist_names(dataset: Dataset) -> Dataset:
    """The data set, with the names of Fashion-MNIST's classes if its images and labels are Fashion-MNIST's."""
    is_alike = dataset.images.shape == (FASHION_MNIST_COUNT, *IMAGE_SHAPE) and len(dataset.class_names) == 10
    if not is_alike or dataset.fingerprint != TRAINING_FINGERPRINT:
        return dataset
    return dataclasses.replace(dataset, class_names=CLASS_NAMES)


def with_class_names(
    labels: Labels | None, class_names: Sequence[str], count: int, source: str | Path
) -> tuple[Labels, tuple[str, ...]]:
    """Class numbers from 0 up and the classes' names. Classes without names are called by their numbers.

    Args:
        labels: int32 (count,). None: there are no classes.
        class_names: the names of the numbers. () if they have none.
        count: the number of images.
        source: where the labels come from, for messages.

    Raises:
        InputError: there is not one label for each image, a label has no name, or a name is none.
    """
    if labels is None:
        return np.zeros(count, np.int32), ()
    if len(labels) != count or labels.min() < 0:
        raise InputError(f"{source}: there must be one label from 0 up for each of the {count} images")
    if not class_names:
        numbers, positions = np.unique(labels, return_inverse=True)
        return positions.reshape(-1).astype(np.int32), tuple(map(str, numbers.tolist()))
    wrong = [name for name in class_names if not is_class_name(name)]
    if wrong or len(set(class_names)) < len(class_names):
        fault = f"{show(wrong[0])} is no text of one line" if wrong else "two of them have the same name"
        raise InputError(f"{source}: these cannot be the names of the classes: {fault}")
    return class_numbers(labels, class_names), tuple(class_names)


def with_classes_of(test: Dataset, class_names: tuple[str, ...]) -> Dataset:
    """Test images with the numbers of the training images' classes. Raises InputError if a class is not among them."""
    if not class_names or not test.class_names:
        return dataclasses.replace(test, labels=np.zeros(len(test.labels), np.int32), class_names=class_names[:0])
    if class_names == CLASS_NAMES:  # The names may come from Fashion-MNIST, and not from the data.
        numbers = class_numbers(test.class_names, class_names)
        return dataclasses.replace(test, labels=numbers[test.labels], class_names=class_names)
    unknown = [name for name in test.class_names if name not in class_names]
    if unknown:
        raise InputError(
            f"{test.source}: test pictures are of the class {show(unknown[0])}, which no other picture has"
        )
    numbers = np.array([class_names.index(name) for name in test.class_names], np.int32)
    return dataclasses.replace(test, labels=numbers[test.labels], class_names=class_names)


def _fit(dataset: Dataset, image_size: int, channels: int, options: PictureOptions, stamp: str | None) -> Images:
    images = dataset.images
    height, width, own_channels = images.shape[1:]
    is_gray_square = height == width <= image_size and own_channels == 1
    if is_gray_square or images.shape[1:] == (image_size, image_size, channels):
        return images
    shape = (image_size, image_size, channels)
    what = f"{dataset.source}: {len(images):,} images at {'×'.join(map(str, shape))}"

    def key() -> str:
        return hashlib.sha256(f"{stamp} {shape} {options.fit} {options.background}".encode()).hexdigest()

    store = Store(what, REMEDY, None if stamp is None else key)
    return store.fill(len(images), shape, lambda facts: _squares(dataset, image_size, channels, options))[0]


def _squares(dataset: Dataset, image_size: int, channels: int, options: PictureOptions) -> Iterator[Picture]:
    mode = MODES[dataset.images.shape[3]]
    for image in progress.bar(dataset.images, f"resizing {dataset.source}", "images"):
        picture = Image.fromarray(np.ascontiguousarray(image[..., 0] if mode == "L" else image))
        yield as_square(picture, image_size, channels, options)


def _with_contents(
    images: Images, dataset: Dataset, image_size: int, notes: Sequence[str], options: PictureOptions
) -> Dataset:
    """The data set with other images, and with the contents that say how they were changed."""
    height, width, channels = dataset.images.shape[1:]
    counts = np.bincount(dataset.labels, minlength=max(1, len(dataset.class_names))).tolist()
    names = dataset.class_names or ("",)
    rows = tuple(
        ClassContents(name, count, (width, height), (width, height))
        for name, count in zip(names, counts, strict=True)
        if count
    )
    if images.shape[1:] != dataset.images.shape[1:]:
        fit = "" if height == width else f": {FIT_NOTES[options.fit]}"
        colors = "" if images.shape[3] == channels else f" with {images.shape[3]} channels instead of {channels}"
        notes = (*notes, f"all images become {image_size}×{image_size}{colors}{fit}")
    elif height < image_size:
        notes = (*notes, KEPT.format(size=height))
    return dataclasses.replace(dataset, images=images, contents=Contents(rows, (), tuple(notes)))
