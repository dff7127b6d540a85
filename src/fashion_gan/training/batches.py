"""Stream batches of images endlessly, from memory or from a file. Their order depends only on the seed and the step."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from fashion_gan.arrays import Images, Indices, Labels
from fashion_gan.datasets.mapped_images import is_mapped
from fashion_gan.system.backends import accelerator

MAX_STEPS_PER_EXECUTION = 10  # A Ctrl-C takes effect at the end of an execution.


def epoch_order(count: int, seed: int, epoch: int) -> Indices:
    """The order in which an epoch visits ``count`` images: a permutation, int64 (count,)."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def steps_in_epoch(image_count: int, batch_size: int) -> int:
    """The number of batches in an epoch: all full ones, minus a few that do not fill an execution of several steps."""
    full = image_count // batch_size
    return full - full % _largest_step_count(full, max_remainder=full // 100)


def choose_steps_per_execution(*positions: int) -> int:
    """The most steps that one execution can take and still stop at each position and at its multiples.

    Without Python between the steps, an epoch of small images takes 5% less time on TensorFlow, and an accelerator
    need not wait for Python. Always 1 on PyTorch, which supports no other number, and for JAX on a CPU, where steps
    that share an execution take five times as long (JAX 0.10).

    Args:
        positions: steps at which training must be able to stop; 0 for no such step.
    """
    backend = keras.backend.backend()
    if backend == "torch" or (backend == "jax" and not accelerator(backend)):
        return 1
    return _largest_step_count(math.gcd(*positions), max_remainder=0)


def _largest_step_count(count: int, max_remainder: int) -> int:
    """The most steps, up to the maximum, for which ``count % steps`` is at most this remainder."""
    return max(steps for steps in range(1, MAX_STEPS_PER_EXECUTION + 1) if count % steps <= max_remainder)


def stream_batches(
    images: Images, labels: Labels, *, batch_size: int, seed: int, first_step: int = 0, steps_per_execution: int = 1
) -> Any:
    """Stream batches to ``fit`` from any step on. A resumed run gets the same batches as an uninterrupted one.

    Each epoch visits the images in a new order. The few beyond its last batch are left out; see ``steps_in_epoch``.
    Images of a file are read batch by batch. They give the same batches as in memory.

    Args:
        images: uint8 (count, h, w, c), in memory or mapped from a file.
        labels: int32 (count,).
        batch_size: images in a batch, at most ``count``.
        seed: seed of the shuffling.
        first_step: how many batches of the endless stream to skip.
        steps_per_execution: as set on the model. It must divide the steps in an epoch, and those left in the first one.

    Returns:
        An iterable, for ``fit``, of ``({"images": (batch_size, h, w, c), "labels": (batch_size,)},)``. On JAX with
        several steps per execution it yields what ``multi_step.scan_steps`` takes.
    """
    steps_per_epoch = steps_in_epoch(len(images), batch_size)

    def batch_indices() -> Iterator[Indices]:
        first_epoch, first = divmod(first_step, steps_per_epoch)
        for epoch in itertools.count(first_epoch):
            order = epoch_order(len(images), seed, epoch)[: steps_per_epoch * batch_size]
            yield from order.reshape(steps_per_epoch, batch_size)[first:]
            first = 0

    def batches() -> Iterator[Any]:
        for indices in batch_indices():
            yield ({"images": np.asarray(images[indices]), "labels": labels[indices]},)

    if keras.backend.backend() == "tensorflow" and is_mapped(images):
        return _tensorflow_stream_from_file(images, batches, batch_size)
    if keras.backend.backend() == "tensorflow":
        return _tensorflow_stream(images, labels, batch_indices, batch_size)
    if keras.backend.backend() == "jax" and steps_per_execution > 1:
        return _jax_stream(images, labels, batch_indices(), steps_per_execution)
    return batches()


def _jax_stream(images: Images, labels: Labels, batch_indices: Iterator[Indices], steps: int) -> Iterator[Any]:
    """Yield all images, copied to the device once, with the indices of several batches: int32 (steps, batch_size).

    Of a file, only the images of these batches are yielded.
    """
    import jax

    while is_mapped(images):
        indices = np.stack(list(itertools.islice(batch_indices, steps)))
        chosen = indices.reshape(-1)
        positions = np.arange(len(chosen), dtype=np.int32).reshape(indices.shape)
        yield ({"images": np.asarray(images[chosen]), "labels": labels[chosen], "batch_indices": positions},)
    on_device = {"images": jax.device_put(images), "labels": jax.device_put(labels)}
    while True:
        indices = np.stack(list(itertools.islice(batch_indices, steps))).astype(np.int32)
        yield ({**on_device, "batch_indices": indices},)


def _tensorflow_stream(
    images: Images, labels: Labels, batch_indices: Callable[[], Iterator[Indices]], batch_size: int
) -> Any:
    """The stream as a ``tf.data.Dataset``. TensorFlow holds the images, so that only indices come from Python."""
    import tensorflow as tf

    all_images, all_labels = tf.constant(images), tf.constant(labels)
    stream = tf.data.Dataset.from_generator(batch_indices, output_signature=tf.TensorSpec((batch_size,), tf.int64))
    stream = stream.map(lambda i: ({"images": tf.gather(all_images, i), "labels": tf.gather(all_labels, i)},))
    return _read_ahead(stream)


def _tensorflow_stream_from_file(images: Images, batches: Callable[[], Iterator[Any]], batch_size: int) -> Any:
    """The stream as a ``tf.data.Dataset`` that gets each batch from Python."""
    import tensorflow as tf

    signature = {
        "images": tf.TensorSpec((batch_size, *images.shape[1:]), tf.uint8),
        "labels": tf.TensorSpec((batch_size,), tf.int32),
    }
    return _read_ahead(tf.data.Dataset.from_generator(batches, output_signature=(signature,)))


def _read_ahead(stream: Any) -> Any:
    """Prepare two batches while the model trains on another."""
    import tensorflow as tf

    options = tf.data.Options()
    # With autotune, ``fit`` waits idly for up to 20 s before it returns (TensorFlow 2.21).
    options.autotune.enabled = False
    return stream.prefetch(2).with_options(options)
