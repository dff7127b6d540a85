"""The one door to the images that a run trains on: Fashion-MNIST, and everything that people have."""

import dataclasses
import os
from pathlib import Path
from typing import Any, TypeAlias

import numpy.typing as npt

from fashion_gan.datasets import generated, idx_folders
from fashion_gan.datasets.archives import ZIP_MAGIC, is_archive
from fashion_gan.datasets.contents import Contents
from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.fashion_mnist import (
    has_fashion_mnist_digest,
    has_fashion_mnist_files,
    load_fashion_mnist,
    requested_folder,
)
from fashion_gan.datasets.hugging_face import find_in_hugging_face, is_hugging_face, refuse_other_kinds
from fashion_gan.datasets.image_arrays import LabeledImages, with_classes_of, with_names
from fashion_gan.datasets.labeled_files import NPY_MAGIC, read_labeled_images, read_test_images
from fashion_gan.datasets.options import DEFAULT_OPTIONS, PictureOptions
from fashion_gan.datasets.parquet_files import PARQUET_MAGIC, find_in_parquet, parquet_files
from fashion_gan.datasets.picture_listing import LAYOUTS, has_pictures, has_test_pictures
from fashion_gan.datasets.picture_sets import PictureSet, find_pictures, load_picture_set
from fashion_gan.errors import InputError, as_array, show
from fashion_gan.system.library_settings import default_settings

Data: TypeAlias = str | Path | npt.ArrayLike | Dataset | Any
"""A folder or a file; or in memory: an array of images, a ``Dataset``, or a ``datasets.Dataset`` of Hugging Face."""

FILES = "a data file is an archive of pictures (.zip, .tar), .npz, .npy, .parquet, or a .csv of pixels"
ARRAYS = "images"  # the source of images in memory


@default_settings()
def load_training_images(
    data: Data | None,
    image_size: int,
    channels: int,
    *,
    labels: npt.ArrayLike | None = None,
    fit: str = "crop",
    background: str = "white",
    skip_damaged: bool = False,
) -> Dataset:
    """Load the images that a run trains on: Fashion-MNIST, or the user's own pictures.

    Images in MNIST's files, as Fashion-MNIST's, stay gray and keep their size at any ``image_size`` and ``channels``,
    and so do arrays of gray squares that are not larger. The model resizes them batch by batch. All other pictures
    become squares of ``image_size`` pixels.

    Args:
        data: one of these. None means the folder that ``FASHION_GAN_DATA`` names. If it names none, Fashion-MNIST is
            loaded from the first place that has it.

            - a folder of the four Fashion-MNIST files, of another data set in such files (MNIST, KMNIST, EMNIST), or
              one that ``make_dataset`` wrote;
            - a folder or a zip or tar archive of pictures, with a subfolder for each class, perhaps inside ``train``;
            - an ``.npz``, ``.npy`` or Parquet file, or a CSV file of pixels;
            - an array of images, uint8 (N, H, W) or (N, H, W, C); a ``Dataset``; or a ``datasets.Dataset``.
        image_size: height and width of the user's own pictures, in pixels.
        channels: channels of the user's own pictures: 1 (gray), 3 (color) or 4 (color and opacity).
        labels: the classes of an array's images: names or numbers (N,) or (N, 1), or one-hot rows. None: no classes.
        fit: how a picture that is not square becomes a square: "crop", "pad" or "stretch".
        background: color of transparent parts, and of the border of "pad": a name or "#rrggbb".
        skip_damaged: leave out pictures that cannot be read. Otherwise they are an error, which names them.

    Returns:
        The images, uint8 (N, H, W, C), with their labels and classes. Of the user's own pictures, ``contents`` says
        how they were changed, and what was left out. Images that take much of the memory are read from a file.

    Raises:
        InputError: the data do not exist or cannot be used.

    Example:
        >>> fashion_gan.load_training_images("pictures", image_size=16, channels=1)
        Dataset(40 images 16×16×1, 2 classes, from pictures)
        >>> images = np.zeros((6, 20, 30, 3), np.uint8)
        >>> dataset = fashion_gan.load_training_images(images, 16, 3, labels=["a", "b"] * 3, fit="pad")
        >>> dataset.images.shape, dataset.class_names
        ((6, 16, 16, 3), ('a', 'b'))
    """
    options = PictureOptions(fit, background, skip_damaged)
    return find_training_images(data, labels).load(image_size, channels, options)


@dataclasses.dataclass(frozen=True, eq=False)
class FoundImages:
    """Training images that are found. Pictures in folders and archives are not read yet.

    Attributes:
        source: where they are.
        content: the pictures, or arrays of images. A ``Dataset`` is taken as it is: its images keep their size.
        contents: what is known of arrays of images from the program that wrote them.
    """

    source: str
    content: PictureSet | LabeledImages | Dataset
    contents: Contents | None = None

    def load(self, image_size: int, channels: int, options: PictureOptions) -> Dataset:
        """Load them. The arguments and the errors are those of ``load_training_images``."""
        if isinstance(self.content, Dataset):
            return self.content
        if isinstance(self.content, PictureSet):
            return load_picture_set(self.content, image_size, channels, options)
        fitted = self.content.fitted(self.source, image_size, channels, options)
        is_same = fitted.images.shape == self.content.images.shape
        return dataclasses.replace(fitted, contents=self.contents) if is_same and self.contents else fitted


def find_training_images(data: Data | None, labels: npt.ArrayLike | None = None) -> FoundImages:
    """Find the images that ``load_training_images`` loads, whose arguments and errors these are."""
    if is_in_memory(data):
        return _find_in_memory(data, labels)
    if labels is not None:
        raise InputError("labels are for arrays: the classes of a folder or a file come with it")
    path: Any = data
    place = requested_folder(path)
    if place is not None and place.is_file():
        return _find_in_file(place)
    if place is None or holds_fashion_mnist(place):
        return _as_found(load_fashion_mnist("train", place))
    manifest = generated.read_manifest(place)
    in_shards = manifest is not None and "shards" in manifest
    if manifest is not None and in_shards and manifest["format"] == "parquet":
        manifest = None  # These may be larger than the memory, and are read as other Parquet files.
    if manifest is not None and (manifest["format"] != "idx" or in_shards or has_fashion_mnist_files(place)):
        dataset = generated.load_generated(place, manifest)
        return _as_found(dataset) if manifest["format"] == "idx" else _as_arrays(dataset)
    images_path = idx_folders.find_training_images(place)
    if images_path is not None:
        return _as_found(idx_folders.load_images_and_labels(images_path))
    pictures = find_picture_set(place)
    assert pictures is not None  # Only test pictures may be missing.
    return FoundImages(str(place), pictures)


def load_test_images(
    data: str | Path | None,
    class_names: tuple[str, ...],
    image_size: int,
    channels: int,
    options: PictureOptions = DEFAULT_OPTIONS,
) -> Dataset | None:
    """Load the images that a data set holds out for tests, besides those that ``load_training_images`` loads.

    They are the test files of MNIST's kind, the pictures in ``test`` or ``val`` next to ``train``, or the arrays
    ``x_test`` and ``y_test`` of an ``.npz``.

    Args:
        data: the folder or the file, as for ``load_training_images``.
        class_names: the classes of the training images, in the order of their labels.
        image_size, channels, options: as for ``load_training_images``.

    Returns:
        The images, with labels among these classes. None if the data hold none.

    Raises:
        InputError: they cannot be read, or one is of another class.
    """
    place = requested_folder(data)
    if place is None or (place.is_dir() and holds_fashion_mnist(place)):
        return load_fashion_mnist("test", place)
    if place.is_file() and not is_archive(place):
        read = read_test_images(place)
        test = None if read is None else read.fitted(place, image_size, channels, options)
    elif place.is_dir() and generated.read_manifest(place) is not None:
        return None
    elif place.is_dir() and idx_folders.find_training_images(place) is not None:
        return idx_folders.load_mnist_test_images(place, class_names)
    else:
        pictures = find_picture_set(place, test=True)
        test = None if pictures is None else load_picture_set(pictures, image_size, channels, options)
    return None if test is None else with_classes_of(test, class_names)


def is_in_memory(data: object) -> bool:
    """Whether training data are an object in memory, and not the path of a folder or a file."""
    return data is not None and not isinstance(data, (str, os.PathLike))


def holds_fashion_mnist(folder: Path) -> bool:
    """Whether a folder holds Fashion-MNIST's files. Some of them may be missing or damaged.

    Raises:
        InputError: there is no such folder, or its files of labels cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"data={str(folder)!r} is neither a folder nor a file: {LAYOUTS}; {FILES}")
    if generated.read_manifest(folder) is not None:
        return False
    images_path = idx_folders.find_training_images(folder)
    if images_path is None:
        return has_fashion_mnist_files(folder)
    return has_fashion_mnist_digest(idx_folders.read_labels(images_path))


def find_picture_set(place: Path, *, test: bool = False) -> PictureSet | None:
    """Find the pictures in a folder, in an archive, or in a folder of Parquet files.

    Args:
        place: the folder or the archive.
        test: find the pictures that are held out.

    Returns:
        The pictures. None if none are held out.

    Raises:
        InputError: there are no pictures, or it is not clear which are taken.
    """
    if place.is_dir() and not has_pictures(place, besides="data") and (files := parquet_files(place)):
        held_out = parquet_files(place, test=True)
        if test:
            return find_in_parquet(place, held_out) if held_out else None
        return find_in_parquet(place, files)
    if test and not has_test_pictures(place):
        return None
    return find_pictures(place, test=test)


def _find_in_memory(data: Any, labels: npt.ArrayLike | None) -> FoundImages:
    refuse_other_kinds(data)
    if isinstance(data, Dataset) or is_hugging_face(data):
        if labels is not None:
            raise InputError("labels are for arrays: a Dataset has its own")
        return _as_arrays(data) if isinstance(data, Dataset) else FoundImages(ARRAYS, find_in_hugging_face(data))
    images = as_array("data", data)
    if images.ndim not in (3, 4):
        raise InputError(
            f"data={show(data)} must be a folder, a file, an array of images (N, H, W) or (N, H, W, C), a Dataset, or "
            "a datasets.Dataset of Hugging Face"
        )
    numbers, class_names = (None, ()) if labels is None else with_names(labels, len(images))
    return FoundImages(ARRAYS, LabeledImages(images, numbers, class_names))


def _find_in_file(path: Path) -> FoundImages:
    if is_archive(path):
        return FoundImages(str(path), find_pictures(path))
    try:
        with open(path, "rb") as file:
            start = file.read(len(NPY_MAGIC))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    if start.startswith(PARQUET_MAGIC):
        return FoundImages(str(path), find_in_parquet(path))
    is_known = start.startswith((ZIP_MAGIC, NPY_MAGIC)) or path.suffix.lower() == ".csv"
    if "idx3-ubyte" in path.name or "idx1-ubyte" in path.name:
        raise InputError(f"data={str(path)!r} is one of several files: name its folder, {str(path.parent)!r}")
    if not is_known:
        raise InputError(f"data={str(path)!r} is not of a kind that is read: {FILES}")
    return FoundImages(str(path), read_labeled_images(path))


def _as_found(dataset: Dataset) -> FoundImages:
    """Images that keep their size."""
    return FoundImages(dataset.source, dataset)


def _as_arrays(dataset: Dataset) -> FoundImages:
    """Images that become squares as pictures do."""
    labels = dataset.labels if dataset.class_names else None
    arrays = LabeledImages(dataset.images, labels, dataset.class_names)
    return FoundImages(dataset.source, arrays, dataset.contents)
