"""What happens between steps: each concern of a run is one Keras callback, and all read one ``Position``."""

import contextlib
import math
import sys
import time
from typing import Any

import keras
import numpy as np
from tensorboardX import SummaryWriter
from tqdm import tqdm

from fashion_gan import pictures
from fashion_gan.config import Config
from fashion_gan.errors import TrainingDiverged
from fashion_gan.generator import Generator
from fashion_gan.latents import draw_latents
from fashion_gan.metrics.validation import COUNT, NAME, Validation
from fashion_gan.runs import Run

LOG_EVERY_STEPS = 50
CHECKPOINT_EVERY_SECONDS = 300
SAMPLE_ROWS = 10
FILM_GROWTH = 1.25  # A frame each time the steps have grown so much: learning is fastest at the start.


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


class Cooldown(keras.callbacks.Callback):
    """The learning rates: constant, then falling in a line to zero over the last share of the budget."""

    def __init__(self, config: Config, position: Position) -> None:
        super().__init__()
        self.config, self.position = config, position
        self._factor: float | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._follow()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._follow()

    def _follow(self) -> None:
        if not self.config.cooldown:
            return
        left = min(1.0, (1.0 - self.position.share_done) / self.config.cooldown)
        # In hundredths, since to reach the optimizers between steps costs time on some backends.
        factor = math.ceil(100 * left) / 100
        if factor not in (self._factor, 0.0):
            self._factor = factor
            self.model.scale_learning_rates(factor)


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
        _stop_if_not_finite(logs, self.position.step)
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


def _stop_if_not_finite(logs: dict[str, float], step: int) -> None:
    for name in ("d_loss", "g_loss"):
        if not math.isfinite(logs[name]):
            raise TrainingDiverged(
                f"{name} stopped being a finite number before step {step}: the last good checkpoint is kept; "
                "try a lower learning rate, or a gradient penalty"
            )


class Progress(keras.callbacks.Callback):
    """A live bar on a terminal; elsewhere a plain line at each epoch's end and every half minute."""

    LINE_EVERY_SECONDS = 30
    UPDATE_EVERY_SECONDS = 0.25

    def __init__(self, config: Config, position: Position) -> None:
        super().__init__()
        self.config, self.position = config, position
        self.bar: Any = None
        self._seconds_shown = position.seconds
        self._start = (position.step, position.seconds)

    def on_train_begin(self, logs: Any = None) -> None:
        if sys.stderr.isatty() and self.bar is None:
            layout = "{percentage:3.0f}% |{bar}| {desc}"
            self.bar = tqdm(total=1000, bar_format=layout, dynamic_ncols=True, leave=False)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        position = self.position
        since = position.seconds - self._seconds_shown
        due = self.UPDATE_EVERY_SECONDS if self.bar is not None else self.LINE_EVERY_SECONDS
        if since < due and not position.is_over and not (position.epoch_is_over and self.bar is None):
            return
        self._seconds_shown = position.seconds
        values = {name: float(value) for name, value in logs.items()}
        if self.bar is None:
            print(self.describe(values), flush=True)
        else:
            self.bar.n = int(1000 * position.share_done)
            self.bar.set_description_str(self.describe(values, short=True))

    def describe(self, logs: dict[str, float], short: bool = False) -> str:
        """All figures in a line; the short one leaves room for a bar within 80 columns."""
        position, config = self.position, self.config
        steps, seconds = position.step - self._start[0], position.seconds - self._start[1]
        images_per_second = steps * config.batch_size / max(seconds, 1e-9)
        left = seconds_left(position, steps / max(seconds, 1e-9))
        of = f"/{config.epochs}" if config.epochs else ""
        if short:
            return (
                f"{position.epoch}{of} {images_per_second:.0f} img/s D {logs['d_loss']:.2f} G {logs['g_loss']:.2f} "
                f"D(real) {logs['d_real']:.2f} D(fake) {logs['d_fake']:.2f} {tqdm.format_interval(left)} left"
            )
        return (
            f"epoch {position.epoch}{of}  step {position.step}  {images_per_second:.0f} images/s  "
            f"d_loss {logs['d_loss']:.3f}  g_loss {logs['g_loss']:.3f}  "
            f"D(real) {logs['d_real']:.2f}  D(fake) {logs['d_fake']:.2f}  {tqdm.format_interval(left)} left"
        )

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def seconds_left(position: Position, steps_per_second: float) -> float:
    """Until the budget that ends first is used up."""
    budgets = []
    if position.total_steps is not None:
        budgets.append((position.total_steps - position.step) / max(steps_per_second, 1e-9))
    if position.total_seconds is not None:
        budgets.append(position.total_seconds - position.seconds)
    return max(0.0, min(budgets))


class Samples(keras.callbacks.Callback):
    """Pictures of fixed latents: a grid every save interval, and ever sparser frames for the film."""

    def __init__(self, run: Run, position: Position, generator: Generator) -> None:
        super().__init__()
        self.run, self.position, self.generator = run, position, generator
        classes = len(run.config.class_names)
        # A class a column, or ten columns of anything.
        self.columns = classes if 0 < classes <= 20 else SAMPLE_ROWS
        self.latents = draw_latents(self.columns * SAMPLE_ROWS, run.config.latent_dim, run.config.seed)
        self.labels = np.arange(len(self.latents), dtype=np.int32) % classes if classes else None
        frames = sorted((run.path / "film").glob("step_*.png"))
        self._last_frame = int(frames[-1].stem.removeprefix("step_")) if frames else None

    def on_train_begin(self, logs: Any = None) -> None:
        if self._last_frame is None:  # The film starts with what an untrained generator draws.
            self._save_frame(0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # Both before the step's checkpoint, so that a kill after it leaves no gap.
        step = self.position.step
        if step >= math.ceil((self._last_frame or 0) * FILM_GROWTH) + 5:
            _stop_if_not_finite({name: float(value) for name, value in logs.items()}, step)
            self._save_frame(step)
        if self.position.epoch_is_over and self.position.epoch % self.run.config.save_interval == 0:
            self.save()

    def save(self) -> Any:
        """Write the grid of the epoch under way, and return its path."""
        path = self.run.path / "samples" / f"gan_generated_image_epoch_{self.position.epoch}.png"
        pictures.save_png(path, self.draw())
        return path

    def _save_frame(self, step: int) -> None:
        pictures.save_png(self.run.path / "film" / f"step_{step:09d}.png", self.draw())
        self._last_frame = step

    def draw(self) -> np.ndarray:
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()
        return pictures.grid(self.generator.decode(self.latents, self.labels), columns=self.columns)


class Evaluate(keras.callbacks.Callback):
    """The quick score every so many epochs: to ``metrics.jsonl`` and TensorBoard; the best checkpoint is kept."""

    def __init__(
        self,
        run: Run,
        position: Position,
        log: Log,
        checkpoint: "Checkpoint",
        generator: Generator,
        validation: Validation,
    ) -> None:
        super().__init__()
        self.run, self.position, self.log, self.checkpoint = run, position, log, checkpoint
        self.generator, self.validation = generator, validation
        self.best = run.best_score()
        self._scored_step = max((row["step"] for row in run.read_metrics() if NAME in row), default=0)

    @property
    def _is_due(self) -> bool:
        every = self.run.config.evaluate_every or math.inf
        return self.position.step > 0 and self.position.epoch_is_over and self.position.epoch % every == 0

    def on_train_begin(self, logs: Any = None) -> None:
        if self._is_due:  # The run was cut off between the checkpoint and its score.
            self.measure()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._is_due:
            # First, so that no score is of a state that a resumed run would not come back to.
            self.checkpoint.save(logs)
            self.measure()

    def measure(self) -> None:
        """Score the averaged generator, unless this step was; keep this checkpoint if none was better.

        As good counts as better, so that a run that was cut off before it noted its best score keeps that checkpoint.
        """
        if self._scored_step == self.position.step:
            return
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()
        score = self.validation.score(self.generator.generate(COUNT, seed=self.run.config.seed))
        if is_best := score <= self.best:
            self.best = score
            state = {**self.model.state(), "seconds": np.array(self.position.seconds)}
            self.run.save_best(self.position.step, score, state)
        self.run.append_metrics(
            {
                "epoch": self.position.epoch,
                "step": self.position.step,
                "images": self.position.step * self.run.config.batch_size,
                "seconds": round(self.position.seconds, 2),
                NAME: score,
                "best": is_best,
            }
        )
        self._scored_step = self.position.step
        self.log.scalar(NAME, score)
        tqdm.write(f"{NAME} {score:.3f}{' (the best so far)' if is_best else ''}")


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
