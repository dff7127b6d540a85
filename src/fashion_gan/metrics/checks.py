"""Checks images and labels from any system, and converts them to the arrays that the metrics take.

The Fashion-MNIST metrics compare 28×28 gray images of Fashion-MNIST's classes. This module owns that rule. Other
pictures are compared with real pictures of their own shape.
"""

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Images, Labels
from fashion_gan.datasets import CLASS_NAMES, IMAGE_SHAPE
from fashion_gan.datasets.checked_images import CHANNEL_COUNTS, checked_images
from fashion_gan.errors import InputError
from fashion_gan.rendering.resize import resize_matrix

__all__ = ["CHANNEL_COUNTS", "as_small", "checked_images", "checked_labels"]


def checked_labels(labels: npt.ArrayLike, count: int, class_count: int = len(CLASS_NAMES)) -> Labels:
    """Check that there is one label for each of ``count`` images, and that each is a class.

    Returns:
        The labels, int32 (count,), from 0 to ``class_count`` − 1.

    Raises:
        InputError: the number of labels differs from ``count``, or a label is not a class.
    """
    labels = np.asarray(labels)
    if labels.shape != (count,):
        raise InputError(
            f"there must be one label for each of the {count} images, the labels have shape {labels.shape}"
        )
    if labels.dtype.kind not in "ui" or labels.min() < 0 or labels.max() >= class_count:
        range_text = f" from {labels.min()} to {labels.max()}" if labels.dtype.kind in "uif" else ""
        raise InputError(
            f"labels must be whole numbers from 0 to {class_count - 1}, these are {labels.dtype}{range_text}"
        )
    return labels.astype(np.int32)


def as_small(images: Images) -> Images:
    """Shrink square images to 28×28 by inverting the enlargement that training applies.

    A generator of 64×64 images was trained on enlarged Fashion-MNIST images. This function finds, by least squares, the
    28×28 image whose enlargement is nearest to the generated image. It restores a real image that was enlarged. The
    usual ways of shrinking would leave that image blurred.

    Args:
        images: uint8 (N, H, W, C) in [0, 255].

    Returns:
        uint8 (N, 28, 28, C). Images that are not square, or not larger than 28×28, are returned unchanged.
    """
    height, width = images.shape[1:3]
    small = IMAGE_SHAPE[0]
    if height != width or height <= small:
        return images
    shrink = np.linalg.pinv(resize_matrix(small, height)).astype(np.float32)
    shrunk = np.einsum("ij,njkc,lk->nilc", shrink, images.astype(np.float32), shrink, optimize=True)
    return np.clip(np.rint(shrunk), 0, 255).astype(np.uint8)
