"""Type aliases shared across the package: arrays, models, functions that generate images; and labels of any form."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from fashion_gan.errors import InputError, as_array

Images: TypeAlias = npt.NDArray[np.uint8]
"""Pixels in [0, 255], shape (N, H, W, C), with 1 (gray), 3 (color) or 4 channels (color and opacity)."""

FloatImages: TypeAlias = npt.NDArray[np.float32]
"""Pixels in [-1, 1], shape (N, H, W, C)."""

Picture: TypeAlias = npt.NDArray[np.uint8]
"""One image: pixels in [0, 255], shape (H, W, C)."""

Labels: TypeAlias = npt.NDArray[np.int32]
"""The class number of each image, shape (N,)."""

Latents: TypeAlias = npt.NDArray[np.float32]
"""Latent vectors, shape (N, latent_dim); a single one has shape (latent_dim,)."""

Vectors: TypeAlias = npt.NDArray[np.float32]
"""Feature vectors, shape (N, D)."""

Floats: TypeAlias = npt.NDArray[np.float64]
"""Numbers in double precision, of any shape."""

Mask: TypeAlias = npt.NDArray[np.bool_]
"""Which items are selected, shape (N,)."""

Indices: TypeAlias = npt.NDArray[np.int64]
"""Positions in another array, shape (N,)."""

Shape: TypeAlias = tuple[int, ...]
"""The lengths of an array's axes. Of an image: height, width and channels."""

Array: TypeAlias = npt.NDArray[Any]
"""An array of any type and shape."""

Inputs: TypeAlias = Array | list[Array]
"""A generator's inputs: latents, or the list [latents, labels] if the generator is conditional."""

Predict: TypeAlias = Callable[[Inputs], Array]
"""A function that generates images: inputs -> floats (N, H, W, C) in [-1, 1]."""

KerasModel: TypeAlias = Any
"""A ``keras.Model``. Keras publishes no types, and is not always installed."""

KerasLayer: TypeAlias = Any
"""A ``keras.layers.Layer``."""

Tensor: TypeAlias = Any
"""A tensor of whichever backend Keras runs on; the three backends share no type."""

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object, as a dictionary with string keys."""


def as_labels(values: object, name: str = "labels") -> Labels:
    """Turn class numbers of any common form into int32 (N,).

    Args:
        values: an array, a tensor or a list: integers, or floats that are whole, of shape (N,) or (N, 1); or one-hot
            rows (N, K). Text such as "3" is no number.
        name: the name of the labels in error messages.

    Raises:
        InputError: the values are anything else.

    Example:
        >>> as_labels([[0, 0, 1], [1, 0, 0]]).tolist()
        [2, 0]
    """
    taken = "class numbers (N,) or (N, 1), or one-hot rows (N, K), are taken"
    try:
        array = as_array(name, values)
    except InputError as error:
        raise InputError(f"{error}: {taken}") from error
    if array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
        raise InputError(f"{name} are {array.dtype} of shape {array.shape}: {taken}")
    numbers = array.astype(np.float64)
    if array.ndim == 2 and array.shape[1] != 1:
        if not (np.isin(numbers, (0, 1)).all() and (numbers.sum(axis=1) == 1).all()):
            raise InputError(f"{name} of shape {array.shape} are not one-hot, a single 1 in each row: {taken}")
        return numbers.argmax(axis=1).astype(np.int32)
    column = numbers.reshape(-1)
    limits = np.iinfo(np.int32)
    # A NaN fails both comparisons.
    fits = (column >= limits.min) & (column <= limits.max) & (column == np.rint(column))
    if not fits.all():
        raise InputError(f"{name} hold {column[~fits][0]:g}, which is no whole class number: {taken}")
    return column.astype(np.int32)
