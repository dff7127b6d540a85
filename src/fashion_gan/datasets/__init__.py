"""Loading Fashion-MNIST, generated data sets and the user's own pictures, as uint8 arrays (N, H, W, C) with labels."""

from pathlib import Path

from fashion_gan.datasets import generated, idx_folders
from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.fashion_mnist import (
    CLASS_NAMES,
    DATA_VARIABLE,
    IMAGE_SHAPE,
    TRAINING_FINGERPRINT,
    cache_folder,
    fashion_mnist_labels,
    has_fashion_mnist_digest,
    has_fashion_mnist_files,
    is_fashion_mnist,
    load_fashion_mnist,
    local_folder,
    requested_folder,
)
from fashion_gan.datasets.idx_folders import load_mnist_test_images
from fashion_gan.datasets.picture_files import read_header, read_pixels
from fashion_gan.datasets.picture_folders import load_pictures
from fashion_gan.datasets.picture_listing import LAYOUTS, list_pictures
from fashion_gan.errors import InputError
from fashion_gan.system.library_settings import default_settings

__all__ = [
    "CLASS_NAMES",
    "DATA_VARIABLE",
    "IMAGE_SHAPE",
    "TRAINING_FINGERPRINT",
    "Dataset",
    "cache_folder",
    "fashion_mnist_labels",
    "holds_fashion_mnist",
    "is_fashion_mnist",
    "list_pictures",
    "load_fashion_mnist",
    "load_mnist_test_images",
    "load_pictures",
    "load_training_images",
    "local_folder",
    "read_header",
    "read_pixels",
    "requested_folder",
]


@default_settings()
def load_training_images(data: str | Path | None, image_size: int, channels: int) -> Dataset:
    """Load the images that a run trains on: Fashion-MNIST, or the user's own pictures.

    Images in MNIST's files, as Fashion-MNIST's, stay gray and keep their size at any ``image_size`` and ``channels``.
    The model resizes them batch by batch.

    Args:
        data: a folder of the four Fashion-MNIST files, of another data set in such files (MNIST, KMNIST, EMNIST, or one
            that ``make_dataset`` wrote as IDX), or of pictures. None means the folder that ``FASHION_GAN_DATA`` names.
            If it names none, Fashion-MNIST is loaded from the first place that has it.
        image_size: height and width of the user's own pictures, in pixels.
        channels: channels of the user's own pictures: 1 (gray), 3 (color) or 4 (color and opacity).

    Returns:
        The images, uint8 (N, H, W, C), with their labels and classes. Of the user's own pictures, ``contents`` says
        what was left out.

    Raises:
        InputError: the folder does not exist, or its content cannot be used.

    Example:
        >>> fashion_gan.load_training_images("pictures", image_size=16, channels=1)
        Dataset(40 images 16×16×1, 2 classes, from pictures)
    """
    folder = requested_folder(data)
    if folder is None or holds_fashion_mnist(folder):
        return load_fashion_mnist("train", folder)
    manifest = generated.read_manifest(folder)
    if manifest is not None and has_fashion_mnist_files(folder):
        return generated.load_idx(folder, manifest)
    images_path = idx_folders.find_training_images(folder)
    if images_path is not None:
        return idx_folders.load_images_and_labels(images_path)
    return load_pictures(folder, image_size, channels)


def holds_fashion_mnist(folder: Path) -> bool:
    """Whether a folder holds Fashion-MNIST's files. Some of them may be missing or damaged.

    Raises:
        InputError: there is no such folder, or its files of labels cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"data={str(folder)!r} is not a folder: {LAYOUTS}")
    if generated.read_manifest(folder) is not None:
        return False
    images_path = idx_folders.find_training_images(folder)
    if images_path is None:
        return has_fashion_mnist_files(folder)
    return has_fashion_mnist_digest(idx_folders.read_labels(images_path))
