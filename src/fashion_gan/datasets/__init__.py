"""Loading Fashion-MNIST, generated data sets and the user's own pictures, as uint8 arrays (N, H, W, C) with labels."""

from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.fashion_mnist import (
    CLASS_NAMES,
    DATA_VARIABLE,
    IMAGE_SHAPE,
    TRAINING_FINGERPRINT,
    cache_folder,
    fashion_mnist_labels,
    is_fashion_mnist,
    load_fashion_mnist,
    local_folder,
    requested_folder,
)
from fashion_gan.datasets.options import PictureOptions
from fashion_gan.datasets.picture_files import read_header, read_pixels
from fashion_gan.datasets.picture_listing import list_pictures
from fashion_gan.datasets.picture_sets import load_pictures
from fashion_gan.datasets.training_images import (
    Data,
    holds_fashion_mnist,
    is_in_memory,
    load_test_images,
    load_training_images,
)

__all__ = [
    "CLASS_NAMES",
    "DATA_VARIABLE",
    "IMAGE_SHAPE",
    "TRAINING_FINGERPRINT",
    "Data",
    "Dataset",
    "PictureOptions",
    "cache_folder",
    "fashion_mnist_labels",
    "holds_fashion_mnist",
    "is_fashion_mnist",
    "is_in_memory",
    "list_pictures",
    "load_fashion_mnist",
    "load_pictures",
    "load_test_images",
    "load_training_images",
    "local_folder",
    "read_header",
    "read_pixels",
    "requested_folder",
]
