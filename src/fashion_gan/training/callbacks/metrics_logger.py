"""The log of a run's losses and speed."""

import contextlib
import math
from collections.abc import Callable

import keras
from tensorboardX import SummaryWriter

from fashion_gan.arrays import JsonObject
from fashion_gan.errors import TrainingDiverged
from fashion_gan.runs import Run
from fashion_gan.training.callbacks.training_state import TrainingState

LOG_EVERY_STEPS = 50
LOGGED_METRICS = ("d_loss", "g_loss", "d_real", "d_fake")


class MetricsLogger(keras.callbacks.Callback):
    """Writes means to ``log.csv`` and TensorBoard, about every 50 steps and at each end of an epoch.

    Stops a run whose loss is not finite.

    Attributes:
        track: (name, value) -> None; sends each number to a tracker, too. None: there is none.
    """

    def __init__(self, run: Run, state: TrainingState) -> None:
        super().__init__()
        self.run, self.state = run, state
        self.tensorboard: SummaryWriter | None = None
        self.track: Callable[[str, float], object] | None = None
        self._epoch_start = 0
        self._last: JsonObject = {}

    def on_train_begin(self, logs: JsonObject | None = None) -> None:
        self.open()

    def open(self) -> None:
        """Open the TensorBoard events, unless they are open."""
        if self.tensorboard is None:
            # The events of a resumed run hide those that the interrupted one wrote after the checkpoint.
            folder = str(self.run.tensorboard_folder)
            self.tensorboard = SummaryWriter(folder, purge_step=self.state.step + 1)

    def on_epoch_begin(self, epoch: int, logs: JsonObject | None = None) -> None:
        self._epoch_start = epoch * self.state.steps_per_epoch
        self._last = {}

    def on_train_batch_begin(self, batch: int, logs: JsonObject | None = None) -> None:
        if not self._last:  # The first step of the epoch. A resumed run has restored its metrics by now.
            metrics = self.model.get_metrics_result()
            self._last = {"step": self.state.step, "seconds": self.state.seconds, **metrics}

    def on_train_batch_end(self, batch: int, logs: JsonObject | None = None) -> None:
        if self.state.reached_multiple(LOG_EVERY_STEPS) or self.state.epoch_is_over or self.state.is_over:
            self.write(logs or {})

    def write(self, logs: JsonObject) -> None:
        """Log the steps since the last row, if there are any.

        Keras's metrics are means since the start of the epoch. The means over the last steps follow from differences.
        """
        if self._last.get("step") == self.state.step:
            return
        logs = {name: float(value) for name, value in logs.items()}
        stop_if_not_finite(logs, self.state.step)
        state, last = self.state, self._last
        steps, batch_size = state.step - last["step"], self.run.config.batch_size
        row: JsonObject = {
            "epoch": state.epoch,
            "step": state.step,
            "images": state.step * batch_size,
            "seconds": round(state.seconds, 2),
            "images_per_second": round(steps * batch_size / max(state.seconds - last["seconds"], 1e-9), 1),
        }
        before, now = last["step"] - self._epoch_start, state.step - self._epoch_start
        for name in LOGGED_METRICS:
            row[name] = round((logs[name] * now - float(last[name]) * before) / steps, 6)
        self.run.append_log(row)  # Before TensorBoard, whose writer is a thread that does not report a full disk.
        for name in (*LOGGED_METRICS, "images_per_second"):
            self.add_scalar(name, row[name])
        self._last = {"step": state.step, "seconds": state.seconds, **logs}

    def add_scalar(self, name: str, value: float) -> None:
        """Write a number to TensorBoard, and to the tracker if there is one, at the current step."""
        if self.tensorboard is not None:
            self.tensorboard.add_scalar(name, value, self.state.step)
        if self.track is not None:
            self.track(name, value)

    def close(self) -> None:
        """Finish the TensorBoard events."""
        if self.tensorboard is not None:
            # The writer's thread ends on a full disk, which append_log has reported by then.
            with contextlib.suppress(OSError):
                self.tensorboard.close()


def stop_if_not_finite(logs: JsonObject, step: int) -> None:
    """Raise TrainingDiverged if a loss is not a finite number."""
    for name in ("d_loss", "g_loss"):
        if not math.isfinite(logs[name]):
            raise diverged(name, step)


def diverged(name: str, step: int) -> TrainingDiverged:
    """The error for a loss or a weight that is not finite."""
    return TrainingDiverged(
        f"{name} is not finite at step {step}: the last good checkpoint is kept; "
        "try a lower learning rate, or a gradient penalty"
    )
