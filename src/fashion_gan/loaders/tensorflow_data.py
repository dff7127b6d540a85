"""Generated images as a data set of TensorFlow."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fashion_gan.arrays import Array
from fashion_gan.loaders.stream import ImageStream
from fashion_gan.system.backends import import_tensorflow


def as_dataset(stream: ImageStream) -> Any:
    """A ``tf.data.Dataset`` of images (H, W, C) with their labels, int64 (); of images only without classes."""
    tf = import_tensorflow()
    pixels = tf.TensorSpec((None, *stream.generator.image_shape), tf.float32 if stream.as_float else tf.uint8)
    signature = (pixels, tf.TensorSpec((None,), tf.int64)) if stream.class_names else pixels

    def blocks() -> Iterator[Array | tuple[Array, Array]]:
        for images, labels in stream.blocks():
            yield images if labels is None else (images, labels.astype(np.int64))

    dataset = tf.data.Dataset.from_generator(blocks, output_signature=signature).unbatch()
    length = tf.data.INFINITE_CARDINALITY if stream.count is None else stream.count
    return dataset.apply(tf.data.experimental.assert_cardinality(length))
