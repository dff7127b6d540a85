"""Checks of arrays of images from any system. Nothing is repaired, because a guess could be wrong."""

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Array, Images, Shape
from fashion_gan.datasets.fashion_mnist import IMAGE_SHAPE
from fashion_gan.errors import InputError

CHANNEL_COUNTS = (1, 3, 4)  # gray, color, color and opacity


def checked_images(images: npt.ArrayLike, image_shape: Shape = IMAGE_SHAPE) -> Images:
    """Check that images can be compared with real ones, and return them as uint8 (N, H, W, C).

    Nothing is repaired. Images in another range or axis order would get a score that means nothing.

    Args:
        images: uint8 (N, H, W, C) in [0, 255], or (N, H, W) if they are gray. Other integer types are accepted too.
        image_shape: the real images' height, width and channels. By default those of Fashion-MNIST.

    Raises:
        InputError: the images have another type, range, axis order or size, contain NaN, or there are none.
    """
    images = np.asarray(images)
    if images.dtype.kind not in "uif":
        raise InputError(f"images must be uint8 (N, {image_shape[0]}, {image_shape[1]}), these are {images.dtype}")
    images = _checked_shape(images, image_shape)
    if not len(images):
        raise InputError("there are no images")
    if images.dtype.kind == "f":
        _refuse_floats(images)
    lowest, highest = int(images.min()), int(images.max())
    if lowest < 0 or highest > 255:
        raise InputError(f"pixels must be in [0, 255], these reach from {lowest} to {highest}")
    if 0 < highest <= 1:
        raise InputError("pixels must be in [0, 255], these are 0 and 1 only: multiply them by 255")
    return images.astype(np.uint8, copy=False)


def _checked_shape(images: Array, image_shape: Shape) -> Array:
    shape = images.shape
    height, width, channels = image_shape
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.shape[1:] == image_shape:
        return images
    taken = f"(N, {height}, {width}, {channels})"
    if images.ndim == 4 and images.shape[1] in CHANNEL_COUNTS and images.shape[3] not in CHANNEL_COUNTS:
        raise InputError(f"images must be {taken}, these are {shape}: channels come first (CHW); move them to the end")
    if images.ndim == 4 and images.shape[3] in CHANNEL_COUNTS and images.shape[3] != channels:
        kind = {1: "gray", 3: "in color", 4: "in color with opacity"}
        raise InputError(
            f"images must be {kind[channels]}, {taken}, these are {shape}: they are {kind[images.shape[3]]}"
        )
    if images.ndim == 4:
        raise InputError(
            f"images must be {height}×{width}, these are {images.shape[1]}×{images.shape[2]}: generate them at "
            f"{height}×{width}, or resize them yourself, because the way of resizing changes the score"
        )
    gray = f"(N, {height}, {width}) or " if channels == 1 else ""
    raise InputError(f"images must be {gray}{taken}, these are {shape}")


def _refuse_floats(images: Array) -> None:
    """Raise InputError, with the conversion that the range of the values suggests."""
    if not np.isfinite(images).all():
        raise InputError(f"{np.mean(~np.isfinite(images)):.2%} of the pixels are NaN or infinite")
    lowest, highest = float(images.min()), float(images.max())
    ranges = {"[0, 1]: multiply them by 255": (0, 1), "[-1, 1]: add 1, multiply them by 127.5": (-1, 1)}
    for text, (low, high) in ranges.items():
        if low <= lowest and highest <= high:
            raise InputError(f"pixels must be uint8 in [0, 255], these are floats in {text}, then round")
    raise InputError(f"pixels must be uint8 in [0, 255], these are floats from {lowest:g} to {highest:g}: round them")


def checked_pictures(images: npt.ArrayLike) -> Images:
    """Check pictures of any size, and return them as uint8 (N, H, W, C).

    Args:
        images: uint8 (N, H, W, C) in [0, 255], C = 1, 3 or 4, or (N, H, W) if they are gray. Other integer types are
            accepted too.

    Raises:
        InputError: as ``checked_images``, or there are other numbers of axes or channels.
    """
    images = np.asarray(images)
    shape = images.shape
    taken = "pictures must be (N, H, W), or (N, H, W, C) with C = 1, 3 or 4"
    if images.ndim == 3 and images.shape[2] in CHANNEL_COUNTS:
        raise InputError(f"{taken}, these are {shape}: a single picture needs an axis N before its others")
    images = images[..., np.newaxis] if images.ndim == 3 else images
    if images.ndim != 4 or images.shape[3] not in CHANNEL_COUNTS:
        channels_first = images.ndim == 4 and images.shape[1] in CHANNEL_COUNTS
        remedy = ": channels come first (CHW); move them to the end" if channels_first else ""
        raise InputError(f"{taken}, these are {shape}{remedy}")
    return checked_images(images, images.shape[1:])


def fewest_channels(images: Images) -> Images:
    """Leave out an opacity that is 255 everywhere, and two of three colors that are equal everywhere."""
    if images.shape[3] == 4 and (images[..., 3] == 255).all():
        images = images[..., :3]
    if images.shape[3] == 3 and (images == images[..., :1]).all():
        images = images[..., :1]
    return np.ascontiguousarray(images)
