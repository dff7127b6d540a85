"""What training goes on from."""

import time
from typing import Any

import keras
import numpy as np

from fashion_gan.callbacks.log import Log
from fashion_gan.callbacks.position import Position
from fashion_gan.errors import TrainingDiverged
from fashion_gan.runs import Run

CHECKPOINT_EVERY_SECONDS = 300


class Checkpoint(keras.callbacks.Callback):
    """Save everything that training goes on from, and restore the epoch's running metrics when it does."""

    def __init__(self, run: Run, position: Position, log: Log) -> None:
        super().__init__()
        self.run, self.position, self.log = run, position, log
        self.every_steps = run.config.checkpoint_every or position.steps_per_epoch
        self._saved_step, self._saved_at = -1, time.monotonic()
        self._metrics: list[np.ndarray] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        # fit resets the metrics at each epoch's begin, also where it goes on in the middle of one.
        for variable, value in zip(self.model.metrics_variables, self._metrics, strict=False):
            variable.assign(value)
        self._metrics = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        late = time.monotonic() - self._saved_at >= CHECKPOINT_EVERY_SECONDS
        if late or self.position.passed(self.every_steps):
            self.save(logs)

    def save(self, logs: Any = None) -> None:
        """Write a checkpoint, unless this step has one.

        Raises:
            TrainingDiverged: a weight or loss is not finite; nothing was written.
            OSError: it cannot be written, on a full disk say; the earlier checkpoints are whole.
        """
        if self._saved_step == self.position.step:
            return
        # A row at each checkpoint, so that a resumed run's log goes on where the checkpoint is.
        if self.position.step:
            self.log.write(logs or self.model.get_metrics_result())
        state = self.model.state()
        for name, value in state.items():
            if not np.isfinite(value).all():
                variable = name.split("|")[1]
                raise TrainingDiverged(
                    f"{variable} stopped being finite before step {self.position.step}: the last good checkpoint "
                    "is kept; try a lower learning rate, or a gradient penalty"
                )
        self.run.save_checkpoint(self.position.step, {**state, "seconds": np.array(self.position.seconds)})
        self._saved_step, self._saved_at = self.position.step, time.monotonic()

    def load(self) -> None:
        """Go on from the run's newest checkpoint."""
        step, state = self.run.load_checkpoint()
        self.position.seconds = float(state.pop("seconds"))
        self.position.step = self._saved_step = step
        self.model.load_state(state)
        if not self.position.epoch_is_over:
            self._metrics = [keras.ops.convert_to_numpy(v.value) for v in self.model.metrics_variables]
