"""Run several training steps as one computation on JAX, where Keras's own ``steps_per_execution`` is a Python loop."""

import functools
import itertools
import operator
from collections.abc import Callable, Iterator
from typing import Any

import keras

from fashion_gan.arrays import Tensor
from fashion_gan.training.batches import gather

State = Any
"""Everything that changes in a training step, as Keras passes it through JAX: nested lists of arrays."""

Logs = dict[str, Tensor]
"""The running metrics, by name."""

TrainStep = Callable[[State, Any], tuple[Logs, State]]
"""Keras's training step on JAX: state and a batch -> logs and the next state."""

TrainFunction = Callable[[State, Iterator[Any]], tuple[Logs, State]]
"""Keras's train function on JAX: state and a stream of batches -> the last step's logs and the next state."""


def scan_steps(train_step: TrainStep, default_train_function: TrainFunction) -> TrainFunction:
    """Make a train function that runs one step for each row of batch indices, as one computation.

    The images stay on the device, and each step gathers its batch there. The host does nothing between the steps: while
    the device computes some of them, Python requests the next ones.

    Args:
        train_step: the ``train_step`` of a Keras model on JAX.
        default_train_function: Keras's own train function, which takes a stream of plain batches.

    Returns:
        A function of the state and of a stream. The stream yields ``({"images": (count, h, w, c), "labels": (count,),
        "batch_indices": (steps, batch_size)},)``, with the images and the labels on the device, or plain batches; see
        ``batches.gather`` for held-out images. The function returns the last step's logs and the state.
    """
    import jax

    @functools.partial(jax.jit, donate_argnums=0)
    def execute(state: State, arrays: dict[str, Any], batch_indices: Tensor) -> tuple[Logs, State]:
        def step(state: State, indices: Tensor) -> tuple[State, Logs]:
            logs, state = train_step(state, (gather(arrays, indices, operator.getitem),))
            return state, logs

        state, logs = jax.lax.scan(step, state, batch_indices)
        return jax.tree.map(lambda values: values[-1], logs), state

    def train(state: State, stream: Iterator[Any]) -> tuple[Logs, State]:
        data = next(stream)
        batch, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        if "batch_indices" in batch:
            return execute(
                state, {name: batch[name] for name in batch if name != "batch_indices"}, batch["batch_indices"]
            )
        return default_train_function(state, itertools.chain([data], stream))

    return train
