"""Images in memory -> an endless stream of batches whose order is a pure function of the seed and the position."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from fashion_gan.backends import accelerator

MAX_STEPS_PER_EXECUTION = 10  # A Ctrl-C waits for an execution's end.


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order in which an epoch visits ``count`` images: int64 (count,), a permutation."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def steps_in_epoch(image_count: int, batch_size: int) -> int:
    """Batches in an epoch: as many as are full, less the few that would not fill an execution of several steps."""
    full = image_count // batch_size
    return full - full % _steps_at_once(full, allowed_rest=full // 100)


def steps_per_execution(*positions: int) -> int:
    """How many steps to take at once so as to halt at each of the positions, and at their multiples.

    Without Python between the steps an epoch of small images takes a twentieth less time on TensorFlow, and an
    accelerator does not wait for it. One on PyTorch, which can do no other, and for JAX on a CPU, which then takes five
    times as long (0.10).
    """
    backend = keras.backend.backend()
    if backend == "torch" or (backend == "jax" and not accelerator(backend)):
        return 1
    return _steps_at_once(math.gcd(*positions), allowed_rest=0)


def _steps_at_once(count: int, allowed_rest: int) -> int:
    return max(steps for steps in range(1, MAX_STEPS_PER_EXECUTION + 1) if count % steps <= allowed_rest)


def batches(
    images: np.ndarray, labels: np.ndarray, *, batch_size: int, seed: int, first_step: int = 0, at_once: int = 1
) -> Any:
    """Stream batches to ``fit`` from any step on, so that a resumed run sees what the cut-off one would have seen.

    Each epoch visits the images in a new order; the few that do not fill a batch are left out of that epoch.

    Args:
        images: uint8 (count, h, w, c).
        labels: int32 (count,).
        batch_size: images in a batch, at most ``count``.
        seed: of the orders.
        first_step: how many batches of the endless stream to pass over.
        at_once: the model's ``steps_per_execution``; what is left of an epoch, and each whole one, is a multiple of it.

    Returns:
        An iterable, for ``fit``, of ``({"images": (batch_size, h, w, c), "labels": (batch_size,)},)``; on JAX with
        several steps at once of what ``executions`` takes them from.
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
    if keras.backend.backend() == "jax" and at_once > 1:
        return _jax_stream(images, labels, indexes(), at_once)
    return (({"images": images[chosen], "labels": labels[chosen]},) for chosen in indexes())


def _jax_stream(images: np.ndarray, labels: np.ndarray, indexes: Iterator[np.ndarray], at_once: int) -> Any:
    """All images, on the device once and for all, with the indexes of several batches: int32 (at_once, batch_size)."""
    import jax

    on_device = {"images": jax.device_put(images), "labels": jax.device_put(labels)}
    while True:
        yield ({**on_device, "chosen": np.stack(list(itertools.islice(indexes, at_once))).astype(np.int32)},)


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
