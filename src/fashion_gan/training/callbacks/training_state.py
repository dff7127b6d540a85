"""The progress of training: its step, its time, and the budget that is left."""

import math
import time
from collections.abc import Callable

import keras

from fashion_gan.arrays import JsonObject
from fashion_gan.config import Config
from fashion_gan.training.batches import steps_in_epoch


class TrainingState(keras.callbacks.Callback):
    """The progress of training. This must be the first callback, because the others read it.

    Args:
        steps_per_epoch: batches in an epoch.
        total_steps: the step at which the budget in epochs or steps ends, or None.
        total_seconds: the training time at which the budget in minutes ends, or None.

    Attributes:
        step: batches trained on since the run was created.
        seconds: training time since the run was created, including checkpoints, pictures and scores. Building the
            networks does not count.
        patience_is_over: whether the scores have not become better for as long as the run's patience.
    """

    def __init__(self, steps_per_epoch: int, total_steps: int | None, total_seconds: float | None) -> None:
        super().__init__()
        self.steps_per_epoch = steps_per_epoch
        self.total_steps = total_steps
        self.total_seconds = total_seconds
        self.step = 0
        self.seconds = 0.0
        self.patience_is_over = False
        self.agree_on_seconds: Callable[[float], float] = float  # Several processes must stop at the same step.
        self._previous_step = 0
        self._epoch_start = 0
        self._last_time = 0.0

    @classmethod
    def from_config(cls, config: Config, image_count: int) -> "TrainingState":
        """The state at the start of a run, with the budgets of its configuration."""
        steps_per_epoch = steps_in_epoch(image_count, config.batch_size)
        budgets = [config.steps] if config.steps else []
        budgets += [config.epochs * steps_per_epoch] if config.epochs else []
        total_seconds = config.minutes * 60 if config.minutes else None
        return cls(steps_per_epoch, min(budgets, default=None), total_seconds)

    @property
    def epoch(self) -> int:
        """The current epoch, or the one that has just ended, counted from 1."""
        return max(1, math.ceil(self.step / self.steps_per_epoch))

    @property
    def epoch_is_over(self) -> bool:
        return self.step % self.steps_per_epoch == 0

    def reached_multiple(self, every_steps: int) -> bool:
        """Whether the last execution, of one step or several, reached a multiple of ``every_steps``."""
        return self.step // every_steps > self._previous_step // every_steps

    @property
    def is_over(self) -> bool:
        """Whether a budget or the patience is used up."""
        out_of_steps = self.total_steps is not None and self.step >= self.total_steps
        out_of_time = self.total_seconds is not None and self.seconds >= self.total_seconds
        return out_of_steps or out_of_time or self.patience_is_over

    @property
    def fraction_done(self) -> float:
        """The used fraction of the budget that ends first, in [0, 1]."""
        fractions = [self.step / self.total_steps] if self.total_steps else []
        fractions += [self.seconds / self.total_seconds] if self.total_seconds else []
        return min(1.0, max(fractions))

    def seconds_left(self, steps_per_second: float) -> float:
        """The time until the budget that ends first is used up, at this speed."""
        budgets = []
        if self.total_steps is not None:
            budgets.append((self.total_steps - self.step) / max(steps_per_second, 1e-9))
        if self.total_seconds is not None:
            budgets.append(self.total_seconds - self.seconds)
        return max(0.0, min(budgets))

    def on_epoch_begin(self, epoch: int, logs: JsonObject | None = None) -> None:
        self._epoch_start = self.step
        if not self._last_time:  # Compiling the first step counts; building the networks before it does not.
            self._last_time = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: JsonObject | None = None) -> None:
        now = time.perf_counter()
        self.seconds = self.agree_on_seconds(self.seconds + (now - self._last_time))
        self._last_time = now
        self._previous_step, self.step = self.step, self._epoch_start + batch + 1
        if self.is_over:
            self.model.stop_training = True
