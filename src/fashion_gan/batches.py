"""Images in memory -> an endless stream of batches whose order is a pure function of the seed and the position."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

MAX_STEPS_PER_EXECUTION = 10  # A Ctrl-C waits for an execution's end.


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order in which an epoch visits ``count`` images: int64 (count,), a permutation."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def steps_in_epoch(image_count: int, batch_size: int) -> int:
    """Batches in an epoch: as many as are full, less the few that would not fill an execution of several steps."""
    full = image_count // batch_size
    return full - full % _steps_at_once(full, allowed_rest=full // 100)


def steps_per_execution(*positions: int) -> int:
    """How many steps TensorFlow can take at once so as to halt at each of the positions, and at their multiples.

    Without Python between the steps an epoch of small images takes a twentieth less time.
    """
    return _steps_at_once(math.gcd(*positions), allowed_rest=0)


def _steps_at_once(count: int, allowed_rest: int) -> int:
    return max(steps for steps in range(1, MAX_STEPS_PER_EXECUTION + 1) if count % steps <= allowed_rest)


def batches(images: np.ndarray, labels: np.ndarray, *, batch_size: int, seed: int, first_step: int = 0) -> Any:
    """Stream batches to ``fit`` from any step on, so that a resumed run sees what the cut-off one would have seen.

    Each epoch visits the images in a new order; the few that do not fill a batch are left out of that epoch.

    Args:
        images: uint8 (count, h, w, c).
        labels: int32 (count,).
        batch_size: images in a batch, at most ``count``.
        seed: of the orders.
        first_step: how many batches of the endless stream to pass over.

    Returns:
        An iterable, for ``fit``, of ``({"images": (batch_size, h, w, c), "labels": (batch_size,)},)``.
    """
    steps_per_epoch = steps_in_epoch(len(images), batch_size)

    def indexes() -> Iterator[np.ndarray]:
        first_epoch, first = divmod(first_step, steps_per_epoch)
        for epoch in itertools.count(first_epoch):
            order = epoch_order(len(images), seed, epoch)[: steps_per_epoch * batch_size]
            yield from order.reshape(steps_per_epoch, batch_size)[first:]
            first = 0

    if keras.backend.backend() == "tensorflow":
        return _tensorflow_stream(images, labels, indexes, batch_size)
    return (({"images": images[chosen], "labels": labels[chosen]},) for chosen in indexes())


def _tensorflow_stream(images: np.ndarray, labels: np.ndarray, indexes: Any, batch_size: int) -> Any:
    """The same stream with the images held by TensorFlow, so that only indexes cross from Python."""
    import tensorflow as tf

    all_images, all_labels = tf.constant(images), tf.constant(labels)
    stream = tf.data.Dataset.from_generator(indexes, output_signature=tf.TensorSpec((batch_size,), tf.int64))
    stream = stream.map(lambda i: ({"images": tf.gather(all_images, i), "labels": tf.gather(all_labels, i)},))
    options = tf.data.Options()
    # With autotune on, the end of `fit` waits idly for up to 20 s (TensorFlow 2.21).
    options.autotune.enabled = False
    return stream.prefetch(2).with_options(options)
