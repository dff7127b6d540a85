"""Type aliases shared across the package: arrays, models, and functions that generate images."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Images: TypeAlias = npt.NDArray[np.uint8]
"""Pixels in [0, 255], shape (N, H, W, C), with 1 (gray) or 3 (color) channels."""

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
