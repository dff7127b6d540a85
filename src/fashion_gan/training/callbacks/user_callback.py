"""A Keras callback of the user, within the rules of a run."""

import functools
from typing import Any

import keras

from fashion_gan.errors import InputError, one_line
from fashion_gan.system.processes import ProcessGroup
from fashion_gan.training.callbacks.training_state import TrainingState

# Keras's hooks during training. A run may need several calls of fit, which have one beginning and one end together.
HOOKS = ("on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end")


class UserCallback(keras.callbacks.Callback):
    """Calls a callback of the user. If that raises an error, training ends after the current step.

    Args:
        callback: the user's callback.
        state: the progress of training.

    Attributes:
        failure: the error's line for the user, and the error. None while there is none.
    """

    def __init__(self, callback: keras.callbacks.Callback, state: TrainingState) -> None:
        super().__init__()
        self.callback, self.state = callback, state
        self.failure: tuple[str, Exception] | None = None
        self._has_begun = False
        for hook in HOOKS:
            setattr(self, hook, functools.partial(self._call, hook))

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        self._call("set_params", params)

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self._call("set_model", model)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self.failure is not None:
            self.model.stop_training = True  # fit has just reset it.
        if not self._has_begun:
            self._has_begun = True
            self._call("on_train_begin", logs)

    def end(self) -> None:
        """Training has ended. ``fit`` may have been called several times."""
        if self._has_begun:
            self._call("on_train_end", None)

    def _call(self, hook: str, *values: Any, **named: Any) -> None:
        if self.failure is not None:
            return
        try:
            getattr(self.callback, hook)(*values, **named)
        except Exception as error:  # The user's code may raise anything.
            name, reason = type(self.callback).__name__, f"{type(error).__name__}: {one_line(error)}"
            self.failure = f"the callback {name} failed in {hook} at step {self.state.step} ({reason})", error
            if self.model is not None:
                self.model.stop_training = True

    def raise_failure(self, how_to_continue: str) -> None:
        """Raise an InputError if the callback has failed."""
        if self.failure is not None:
            line, error = self.failure
            raise InputError(f"{line}: the checkpoint of this step is complete: {how_to_continue}") from error


class AgreeOnEnd(keras.callbacks.Callback):
    """Ends training in all processes after the same step, if a callback of the user has ended it in one of them."""

    def __init__(self, group: ProcessGroup) -> None:
        super().__init__()
        self.group = group

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.model.stop_training = bool(self.group.gather(self.model.stop_training).any())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.on_train_batch_end(epoch)
