"""Stream batches of images endlessly, from memory or from a file. Their order depends only on the seed and the step."""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from fashion_gan.arrays import Array, Images, Indices, Labels, Tensor
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
    images: Images,
    labels: Labels,
    *,
    batch_size: int,
    seed: int,
    first_step: int = 0,
    steps_per_execution: int = 1,
    held_out: tuple[Images, Labels] | None = None,
    part: tuple[int, int] | None = None,
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
        held_out: pictures that train nothing, with their labels. Each batch gets as many of them, drawn at random.
        part: the number of a part, and how many equal parts each batch has. Only images of this part are read. For
            JAX on several devices; see ``device_layout``. None: whole batches, for one device.

    Returns:
        An iterable, for ``fit``, of ``({"images": (batch_size, h, w, c), "labels": (batch_size,)},)``, with a second
        such dictionary as "held_out" if there are held-out pictures. On JAX with several steps per execution it yields
        what ``multi_step.scan_steps`` takes; with a part, several batches in one, whose first axis is the steps.
    """
    steps_per_epoch = steps_in_epoch(len(images), batch_size)
    arrays: dict[str, Any] = {"images": images, "labels": labels}
    if held_out is not None:
        arrays["held_out"] = {"images": held_out[0], "labels": held_out[1]}

    def batch_indices() -> Iterator[Indices]:
        first_epoch, first = divmod(first_step, steps_per_epoch)
        for epoch in itertools.count(first_epoch):
            order = epoch_order(len(images), seed, epoch)[: steps_per_epoch * batch_size]
            rows = order.reshape(steps_per_epoch, batch_size)
            if held_out is not None:
                random = np.random.default_rng((seed, epoch, 1))
                rows = np.concatenate([rows, random.integers(0, len(held_out[0]), rows.shape)], axis=1)
            yield from (rows if part is None else _part_of_rows(rows, batch_size, *part))[first:]
            first = 0

    def batches() -> Iterator[Any]:
        return ((gather(arrays, indices, _read_rows),) for indices in batch_indices())

    if part is not None:
        return batches() if steps_per_execution == 1 else _stacked(batches(), steps_per_execution)
    if keras.backend.backend() == "tensorflow" and is_mapped(images):
        return _tensorflow_stream_from_file(arrays, batches, batch_size)
    if keras.backend.backend() == "tensorflow":
        return _tensorflow_stream(arrays, batch_indices, batch_size * (1 if held_out is None else 2))
    if keras.backend.backend() == "jax" and steps_per_execution > 1:
        return _jax_stream(arrays, batch_indices(), steps_per_execution)
    return batches()


def _part_of_rows(rows: Indices, batch_size: int, number: int, count: int) -> Indices:
    """One of several equal parts of each batch: (steps, N) -> (steps, N / count); or of 2 N, with held-out pictures."""
    parts = rows.reshape(len(rows), -1, count, batch_size // count)
    return parts[:, :, number].reshape(len(rows), -1)


def _stacked(batches: Iterator[Any], steps: int) -> Iterator[Any]:
    """Join every few batches into one, whose arrays have the steps as their first axis."""
    while True:
        yield keras.tree.map_structure(lambda *arrays: np.stack(arrays), *itertools.islice(batches, steps))


def _read_rows(array: Array, indices: Indices) -> Array:
    return np.asarray(array[indices])  # A mapped array would give a mapped one.


def gather(arrays: dict[str, Any], indices: Tensor, take: Callable[[Any, Tensor], Tensor]) -> dict[str, Any]:
    """Gather a batch.

    Args:
        arrays: all "images" and "labels", and perhaps "held_out", a dictionary of the held-out ones.
        indices: those of the batch (N,); with held-out pictures, theirs follow (2 N,).
        take: the rows of an array, by their indices.

    Returns:
        The batch, a dictionary of the same form.
    """
    if "held_out" not in arrays:
        return {name: take(array, indices) for name, array in arrays.items()}
    count = indices.shape[0] // 2
    batch = {name: take(arrays[name], indices[:count]) for name in ("images", "labels")}
    return {**batch, "held_out": gather(arrays["held_out"], indices[count:], take)}


def _jax_stream(arrays: dict[str, Any], batch_indices: Iterator[Indices], steps: int) -> Iterator[Any]:
    """Yield all images, copied to the device once, with the indices of several batches: int32, (steps, …).

    Of images in a file, only those of these batches are yielded.
    """
    import jax

    while is_mapped(arrays["images"]):
        chosen, positions = _read_batches(arrays, np.stack(list(itertools.islice(batch_indices, steps))))
        yield ({**chosen, "batch_indices": positions},)
    on_device = jax.device_put(arrays)
    while True:
        indices = np.stack(list(itertools.islice(batch_indices, steps))).astype(np.int32)
        yield ({**on_device, "batch_indices": indices},)


def _read_batches(arrays: dict[str, Any], indices: Indices) -> tuple[dict[str, Any], Array]:
    """Only the images of some batches, and the batches' indices among them: int32, of the same shape."""
    if "held_out" not in arrays:
        positions = np.arange(indices.size, dtype=np.int32).reshape(indices.shape)
        return gather(arrays, indices.reshape(-1), _read_rows), positions
    own, held_out = np.split(indices, 2, axis=1)
    train = {name: arrays[name] for name in ("images", "labels")}
    chosen, own_positions = _read_batches(train, own)
    chosen["held_out"], held_out_positions = _read_batches(arrays["held_out"], held_out)
    return chosen, np.concatenate([own_positions, held_out_positions], axis=1)


def _tensorflow_stream(arrays: dict[str, Any], batch_indices: Callable[[], Iterator[Indices]], index_count: int) -> Any:
    """The stream as a ``tf.data.Dataset``. TensorFlow holds the images, so that only indices come from Python."""
    import tensorflow as tf

    constants = tf.nest.map_structure(tf.constant, arrays)
    stream = tf.data.Dataset.from_generator(batch_indices, output_signature=tf.TensorSpec((index_count,), tf.int64))
    return _read_ahead(stream.map(lambda indices: (gather(constants, indices, tf.gather),)))


def _tensorflow_stream_from_file(arrays: dict[str, Any], batches: Callable[[], Iterator[Any]], batch_size: int) -> Any:
    """The stream as a ``tf.data.Dataset`` that gets each batch from Python."""
    import tensorflow as tf

    signature = tf.nest.map_structure(lambda array: tf.TensorSpec((batch_size, *array.shape[1:]), array.dtype), arrays)
    return _read_ahead(tf.data.Dataset.from_generator(batches, output_signature=(signature,)))


def _read_ahead(stream: Any) -> Any:
    """Prepare two batches while the model trains on another."""
    import tensorflow as tf

    options = tf.data.Options()
    # With autotune, ``fit`` waits idly for up to 20 s before it returns (TensorFlow 2.21).
    options.autotune.enabled = False
    return stream.prefetch(2).with_options(options)
