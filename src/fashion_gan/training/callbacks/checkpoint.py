"""The checkpoints of a run."""

import keras
import numpy as np

from fashion_gan.arrays import Array, JsonObject
from fashion_gan.runs import Run
from fashion_gan.system.processes import ALONE, ProcessGroup
from fashion_gan.training.callbacks.metrics_logger import MetricsLogger, diverged
from fashion_gan.training.callbacks.training_state import TrainingState

CHECKPOINT_EVERY_SECONDS = 300


class Checkpoint(keras.callbacks.Callback):
    """Saves everything that training continues from, and restores it. Of several processes, only the first writes."""

    def __init__(self, run: Run, state: TrainingState, logger: MetricsLogger, group: ProcessGroup = ALONE) -> None:
        super().__init__()
        self.run, self.state, self.logger, self.group = run, state, logger, group
        self.every_steps = run.config.checkpoint_every_steps or state.steps_per_epoch
        self._saved_step, self._saved_at = -1, 0.0
        self._metrics: list[Array] = []

    def on_epoch_begin(self, epoch: int, logs: JsonObject | None = None) -> None:
        # fit resets the metrics when an epoch begins, even if it continues in the middle of one.
        for variable, value in zip(self.model.metrics_variables, self._metrics, strict=False):
            variable.assign(value)
        self._metrics = []

    def on_train_batch_end(self, batch: int, logs: JsonObject | None = None) -> None:
        is_overdue = self.state.seconds - self._saved_at >= CHECKPOINT_EVERY_SECONDS
        if is_overdue or self.state.reached_multiple(self.every_steps):
            self.save(logs)

    def save(self, logs: JsonObject | None = None) -> None:
        """Write a checkpoint, unless this step has one.

        Raises:
            TrainingDiverged: a weight or a loss is not finite. Nothing is written.
            OSError: the file cannot be written, for example because the disk is full. The earlier checkpoints are
                complete.
        """
        if self._saved_step != self.state.step:
            self.group.first_only("a checkpoint", lambda: self._write(logs))
            self._saved_step, self._saved_at = self.state.step, self.state.seconds

    def _write(self, logs: JsonObject | None) -> None:
        # Log a row at each checkpoint, so that the log of a resumed run continues from the checkpoint's step.
        if self.state.step:
            self.logger.write(logs or self.model.get_metrics_result())
        state = self.model.state()
        for name, value in state.items():
            if not np.isfinite(value).all():
                raise diverged(name.split("|")[1], self.state.step)
        self.run.save_checkpoint(self.state.step, self.with_time(state))

    def with_time(self, state: dict[str, Array]) -> dict[str, Array]:
        """The GAN's state and the time that training has taken so far, as a checkpoint stores them."""
        return {**state, "seconds": np.array(self.state.seconds)}

    def load(self) -> None:
        """Restore the run's newest checkpoint that can be read and fits."""
        step, state = self.run.load_checkpoint(self.model.choose_arrays)
        self.state.seconds = float(state.pop("seconds"))
        self.state.step = step
        self.model.load_state(state)
        self.mark_saved()

    def mark_saved(self) -> None:
        """Note that the model's state is that of a checkpoint."""
        self._saved_step, self._saved_at = self.state.step, self.state.seconds
        if not self.state.epoch_is_over:
            self._metrics = [keras.ops.convert_to_numpy(variable.value) for variable in self.model.metrics_variables]
