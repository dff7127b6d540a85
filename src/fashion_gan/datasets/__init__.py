"""Fashion-MNIST, generated data sets and the user's own pictures -> verified uint8 arrays (N, H, W, C) and labels."""

from pathlib import Path

from fashion_gan.datasets import generated
from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.fashion_mnist import (
    CLASS_NAMES,
    DATA_VARIABLE,
    cache_folder,
    chosen_folder,
    has_files,
    load_fashion_mnist,
    local_folder,
)
from fashion_gan.datasets.picture_folders import LAYOUTS, list_pictures, load_pictures, read_pixels
from fashion_gan.errors import InputError

__all__ = [
    "CLASS_NAMES",
    "DATA_VARIABLE",
    "Dataset",
    "cache_folder",
    "list_pictures",
    "load_fashion_mnist",
    "load_pictures",
    "load_training_images",
    "local_folder",
    "read_pixels",
]


def load_training_images(data: str | Path | None, image_size: int, channels: int) -> Dataset:
    """Load what a run trains on: Fashion-MNIST, or the user's own pictures.

    Fashion-MNIST stays 28×28 and grey whatever is asked for: the model resizes it batch by batch.

    Args:
        data: None for ``FASHION_GAN_DATA``, or else Fashion-MNIST wherever it is found; a folder of the four
            Fashion-MNIST files; a folder that ``make_dataset`` wrote as IDX; or a folder of pictures.
        image_size: height and width that pictures get, in pixels.
        channels: channels that pictures get: 1 for grey, 3 for colour.

    Raises:
        InputError: the folder does not exist, or what it holds cannot be used.
    """
    folder = chosen_folder(data)
    if folder is None:
        return load_fashion_mnist("train")
    if not folder.is_dir():
        raise InputError(f"data={str(folder)!r} is no folder: {LAYOUTS}")
    if has_files(folder):
        manifest = generated.manifest_of(folder)
        return load_fashion_mnist("train", folder) if manifest is None else generated.load_idx(folder, manifest)
    return load_pictures(folder, image_size, channels)
