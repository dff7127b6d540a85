"""A run's figures, step by step, written down."""

import contextlib
import math
from typing import Any

import keras
from tensorboardX import SummaryWriter

from fashion_gan.callbacks.position import Position
from fashion_gan.errors import TrainingDiverged
from fashion_gan.runs import Run

LOG_EVERY_STEPS = 50


class Log(keras.callbacks.Callback):
    """Means over every 50 steps, to ``log.csv`` and TensorBoard; stops a run whose loss is not finite."""

    def __init__(self, run: Run, position: Position) -> None:
        super().__init__()
        self.run, self.position = run, position
        self.tensorboard: SummaryWriter | None = None
        self._epoch_start = 0
        self._last: dict[str, Any] = {}

    def on_train_begin(self, logs: Any = None) -> None:
        if self.tensorboard is None:
            # A resumed run's events hide those that the cut-off one wrote after the checkpoint.
            folder = str(self.run.path / "tensorboard")
            self.tensorboard = SummaryWriter(folder, purge_step=self.position.step + 1)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch_start = epoch * self.position.steps_per_epoch
        self._last = {}

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if not self._last:  # The epoch's first step; a resumed run has its metrics back by now.
            metrics = self.model.get_metrics_result()
            self._last = {"step": self.position.step, "seconds": self.position.seconds, **metrics}

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.position.passed(LOG_EVERY_STEPS) or self.position.epoch_is_over or self.position.is_over:
            self.write(logs)

    def write(self, logs: Any) -> None:
        """Log what has happened since the last row, if anything has.

        The metrics are means since the epoch's start, so those of a part of it come from differences.
        """
        if self._last.get("step") == self.position.step:
            return
        logs = {name: float(value) for name, value in logs.items()}
        stop_if_not_finite(logs, self.position.step)
        position, last = self.position, self._last
        steps = position.step - last["step"]
        images = steps * self.run.config.batch_size
        row: dict[str, Any] = {
            "epoch": position.epoch,
            "step": position.step,
            "images": position.step * self.run.config.batch_size,
            "seconds": round(position.seconds, 2),
            "images_per_second": round(images / max(position.seconds - last["seconds"], 1e-9), 1),
        }
        before, now = last["step"] - self._epoch_start, position.step - self._epoch_start
        for name in ("d_loss", "g_loss", "d_real", "d_fake"):
            row[name] = round((logs[name] * now - float(last[name]) * before) / steps, 6)
        self.run.append_log(row)  # First, for TensorBoard's writer, a thread, would not say that a disk is full.
        if self.tensorboard is not None:
            for name in ("d_loss", "g_loss", "d_real", "d_fake", "images_per_second"):
                self.tensorboard.add_scalar(name, row[name], position.step)
        self._last = {"step": position.step, "seconds": position.seconds, **logs}

    def scalar(self, name: str, value: float) -> None:
        """Show one more number in TensorBoard, at this step."""
        if self.tensorboard is not None:
            self.tensorboard.add_scalar(name, value, self.position.step)

    def close(self) -> None:
        if self.tensorboard is not None:
            with contextlib.suppress(OSError):  # Its writer's thread ended on a full disk, which log.csv told of.
                self.tensorboard.close()


def stop_if_not_finite(logs: dict[str, float], step: int) -> None:
    """Raise TrainingDiverged where a loss is not a finite number."""
    for name in ("d_loss", "g_loss"):
        if not math.isfinite(logs[name]):
            raise TrainingDiverged(
                f"{name} stopped being a finite number before step {step}: the last good checkpoint is kept; "
                "try a lower learning rate, or a gradient penalty"
            )
