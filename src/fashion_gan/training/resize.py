"""Images resized inside the compiled training step."""

import numpy as np
from keras import ops

from fashion_gan.arrays import Tensor
from fashion_gan.rendering.resize import resize_matrix


def resize_images(images: Tensor, height: int, width: int) -> Tensor:
    """Images (N, h, w, C) -> (N, height, width, C), by linear interpolation with antialiasing.

    The interpolation is written as matrix products, because XLA supports them on every backend. On TensorFlow, XLA does
    not support ``ops.image.resize``.
    """
    rows = resize_matrix(images.shape[1], height).astype(np.float32)
    columns = resize_matrix(images.shape[2], width).astype(np.float32)
    return ops.einsum("xw,nywc->nyxc", columns, ops.einsum("yh,nhwc->nywc", rows, images))
