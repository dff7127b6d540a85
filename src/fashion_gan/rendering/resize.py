"""Linear interpolation, as a matrix for each axis of an image. Training enlarges gray images by it, batch by batch."""

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import FloatImages, Images, Shape

ENLARGED_TOGETHER = 1000  # images


def resize_matrix(size: int, new_size: int) -> npt.NDArray[np.float64]:
    """Weights of linear interpolation along one axis, float64 (new_size, size).

    Pixel centers lie at half-integers. When the image shrinks, the kernel widens, which prevents aliasing.

    Args:
        size: pixels before.
        new_size: pixels after.

    Example:
        >>> resize_matrix(2, 4).tolist()
        [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    step = size / new_size
    centers = step * (np.arange(new_size) + 0.5)
    distances = np.abs(centers[:, None] - np.arange(size) - 0.5)
    weights = np.maximum(0.0, 1.0 - distances / max(1.0, step))
    return weights / weights.sum(axis=1, keepdims=True)


def enlarge_images(images: Images, shape: Shape) -> Images:
    """Gray images as training shows them to the networks: enlarged, and repeated in each channel.

    Args:
        images: uint8 (N, h, w, 1); or images that have the shape already, which are returned as they are.
        shape: height, width and channels afterwards. A fourth channel is opaque.

    Returns:
        uint8 (N, H, W, C).

    Example:
        >>> enlarge_images(np.full((1, 2, 2, 1), 9, np.uint8), (4, 4, 3)).shape
        (1, 4, 4, 3)
    """
    if images.shape[1:] == shape:
        return images
    large = np.full((len(images), *shape), 255, np.uint8)
    if images.shape[1:3] == shape[:2]:
        large[..., :3] = images
        return large
    for start in range(0, len(images), ENLARGED_TOGETHER):
        part = slice(start, start + ENLARGED_TOGETHER)
        large[part, ..., :3] = np.rint(resize_pixels(images[part].astype(np.float32), *shape[:2]))
    return large


def resize_pixels(pixels: FloatImages, height: int, width: int) -> FloatImages:
    """Pixels of any range (N, h, w, C) -> (N, height, width, C), by ``resize_matrix``."""
    rows, columns = (
        resize_matrix(size, new_size).astype(np.float32)
        for size, new_size in zip(pixels.shape[1:3], (height, width), strict=True)
    )
    resized = np.einsum("yh,nhwc->nywc", rows, pixels, optimize=True)
    return np.asarray(np.einsum("xw,nywc->nyxc", columns, resized, optimize=True), np.float32)
