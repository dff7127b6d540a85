"""Linear interpolation, as a matrix for each axis of an image."""

import numpy as np
import numpy.typing as npt


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
