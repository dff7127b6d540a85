"""Where training stands: read by all the others."""

import math
import time
from typing import Any

import keras


class Position(keras.callbacks.Callback):
    """Where training stands. First of the callbacks, for the others read it.

    Args:
        steps_per_epoch: batches in an epoch.
        total_steps: where the budgets in epochs and in steps end, or None.
        total_seconds: where the budget in time ends, or None.

    Attributes:
        step: batches trained on since the run's very start.
        seconds: time spent training since the run's very start, set-up left out.
    """

    def __init__(self, steps_per_epoch: int, total_steps: int | None, total_seconds: float | None) -> None:
        super().__init__()
        self.steps_per_epoch = steps_per_epoch
        self.total_steps = total_steps
        self.total_seconds = total_seconds
        self.step = 0
        self.seconds = 0.0
        self._previous_step = 0
        self._segment_start = 0
        self._last_time = 0.0

    @property
    def epoch(self) -> int:
        """The epoch under way, or just ended, counted from 1."""
        return max(1, math.ceil(self.step / self.steps_per_epoch))

    @property
    def epoch_is_over(self) -> bool:
        return self.step % self.steps_per_epoch == 0

    def passed(self, every_steps: int) -> bool:
        """Whether the last execution, of one step or several, reached a multiple of ``every_steps``."""
        return self.step // every_steps > self._previous_step // every_steps

    @property
    def is_over(self) -> bool:
        out_of_steps = self.total_steps is not None and self.step >= self.total_steps
        return out_of_steps or (self.total_seconds is not None and self.seconds >= self.total_seconds)

    @property
    def share_done(self) -> float:
        """How much of the budget that ends first is used up, in [0, 1]."""
        shares = [self.step / self.total_steps] if self.total_steps else []
        shares += [self.seconds / self.total_seconds] if self.total_seconds else []
        return min(1.0, max(shares))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._segment_start = self.step
        if not self._last_time:  # The compiling of the first step counts, the building before it does not.
            self._last_time = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now = time.perf_counter()
        self.seconds += now - self._last_time
        self._last_time = now
        self._previous_step, self.step = self.step, self._segment_start + batch + 1
        if self.is_over:
            self.model.stop_training = True
