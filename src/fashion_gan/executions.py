"""Several training steps as one computation on JAX, where Keras's ``steps_per_execution`` is a loop in Python."""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import keras

TrainFunction = Callable[[Any, Iterator[Any]], Any]


def several_steps(train_step: Callable[[Any, Any], Any], single_steps: TrainFunction) -> TrainFunction:
    """A ``train_function`` for Keras's ``fit`` that takes as many steps in one go as it is given batches' indexes.

    The images stay on the device, where each step picks its batch, so that nothing is worked out on the host between
    steps: while the device is busy with some, Python already asks for the next.

    Args:
        train_step: of a Keras model on JAX, state and data -> logs and the next state.
        single_steps: Keras's own ``train_function``, for a stream of plain batches.

    Returns:
        A function of the state and of a stream of ``({"images": (count, h, w, c), "labels": (count,), "chosen":
        (steps, batch_size)},)``, all three on the device, that returns the last step's logs and the state.
    """
    import jax

    @functools.partial(jax.jit, donate_argnums=0)
    def execute(state: Any, images: Any, labels: Any, chosen: Any) -> Any:
        def step(state: Any, indexes: Any) -> Any:
            logs, state = train_step(state, ({"images": images[indexes], "labels": labels[indexes]},))
            return state, logs

        state, logs = jax.lax.scan(step, state, chosen)
        return jax.tree.map(lambda each: each[-1], logs), state

    def train(state: Any, stream: Iterator[Any]) -> Any:
        data = next(stream)
        batch, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        if "chosen" in batch:
            return execute(state, **batch)
        return single_steps(state, itertools.chain([data], stream))

    return train
