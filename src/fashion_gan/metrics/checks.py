"""Anybody's images -> what the metrics take, or a refusal that says what is wrong with them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.errors import InputError

IMAGE_SHAPE = (28, 28, 1)


def checked_images(images: Any) -> npt.NDArray[np.uint8]:
    """Images that can be compared with Fashion-MNIST: uint8 (N, 28, 28, 1).

    Nothing is repaired: a score of images in another range or order would look like a score and mean nothing.

    Args:
        images: uint8 (N, 28, 28) or (N, 28, 28, 1) in [0, 255]; whole numbers of another type are taken too.

    Raises:
        InputError: another type, range, order or size; NaN; or no image at all.
    """
    images = np.asarray(images)
    if images.dtype.kind not in "uif":
        raise InputError(f"images must be uint8 (N, 28, 28), they are {images.dtype}")
    images = _checked_shape(images)
    if not len(images):
        raise InputError("there is no image to score")
    if images.dtype.kind == "f":
        _refuse_floats(images)
    lowest, highest = int(images.min()), int(images.max())
    if lowest < 0 or highest > 255:
        raise InputError(f"pixels must be in [0, 255], they reach from {lowest} to {highest}")
    if 0 < highest <= 1:
        raise InputError("pixels must be in [0, 255], these are 0 and 1 only: multiply them by 255")
    return images.astype(np.uint8, copy=False)


def _checked_shape(images: npt.NDArray[Any]) -> npt.NDArray[Any]:
    shape = images.shape
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.shape[1:] == IMAGE_SHAPE:
        return images
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] not in (1, 3):
        raise InputError(
            f"images must be (N, 28, 28, 1), these are {shape}: channels first (CHW); move them to the end"
        )
    if images.ndim == 4 and images.shape[3] == 3:
        raise InputError(f"images must be grey, (N, 28, 28, 1), these are {shape}: of three colours")
    if images.ndim == 4:
        raise InputError(
            f"images must be 28×28, these are {images.shape[1]}×{images.shape[2]}: draw them at 28, or resize them "
            "yourself, because how it is done decides the score"
        )
    raise InputError(f"images must be (N, 28, 28) or (N, 28, 28, 1), these are {shape}")


def _refuse_floats(images: npt.NDArray[Any]) -> None:
    if not np.isfinite(images).all():
        raise InputError(f"{np.mean(~np.isfinite(images)):.2%} of the pixels are NaN or infinite")
    lowest, highest = float(images.min()), float(images.max())
    ranges = {"[0, 1]: multiply them by 255": (0, 1), "[-1, 1]: add 1 and multiply them by 127.5": (-1, 1)}
    for text, (low, high) in ranges.items():
        if low <= lowest and highest <= high:
            raise InputError(f"pixels must be uint8 in [0, 255], these are floats in {text}, then round")
    raise InputError(f"pixels must be uint8 in [0, 255], these are floats from {lowest:g} to {highest:g}: round them")


def checked_labels(labels: Any, count: int) -> npt.NDArray[np.int32]:
    """Labels of ``count`` images, each a class of Fashion-MNIST: int32 (count,).

    Raises:
        InputError: another number of them, or one that is no class.
    """
    labels = np.asarray(labels)
    if labels.shape != (count,):
        raise InputError(f"labels must be one for each of the {count} images, they are {labels.shape}")
    if labels.dtype.kind not in "ui" or labels.min() < 0 or labels.max() >= len(CLASS_NAMES):
        found = f"{labels.dtype} from {labels.min()} to {labels.max()}" if labels.dtype.kind in "uif" else labels.dtype
        raise InputError(f"labels must be whole numbers from 0 to {len(CLASS_NAMES) - 1}, these are {found}")
    return labels.astype(np.int32)
