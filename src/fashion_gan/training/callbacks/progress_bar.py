"""What the terminal or the notebook shows during training."""

from typing import Any

import keras
from tqdm import tqdm

from fashion_gan.arrays import JsonObject
from fashion_gan.config import Config
from fashion_gan.system import console
from fashion_gan.training.callbacks.training_state import TrainingState


class ProgressBar(keras.callbacks.Callback):
    """A live bar in a terminal or notebook. Elsewhere, a plain line at the end of each epoch and every half minute."""

    LINE_EVERY_SECONDS = 30
    UPDATE_EVERY_SECONDS = 0.25

    def __init__(self, config: Config, state: TrainingState) -> None:
        super().__init__()
        self.config, self.state = config, state
        self.bar: Any = None
        self._seconds_shown = state.seconds
        self._start = (state.step, state.seconds)

    def on_train_begin(self, logs: JsonObject | None = None) -> None:
        stream = console.error_output()
        if console.can_redraw(stream) and self.bar is None:
            layout = "{percentage:3.0f}% |{bar}| {desc}"
            self.bar = tqdm(total=1000, bar_format=layout, dynamic_ncols=True, leave=False, file=stream)

    def on_train_batch_end(self, batch: int, logs: JsonObject | None = None) -> None:
        state = self.state
        elapsed = state.seconds - self._seconds_shown
        interval = self.UPDATE_EVERY_SECONDS if self.bar is not None else self.LINE_EVERY_SECONDS
        is_line_due = self.bar is None and state.epoch_is_over
        if elapsed < interval and not state.is_over and not is_line_due:
            return
        self._seconds_shown = state.seconds
        values = {name: float(value) for name, value in (logs or {}).items()}
        if self.bar is None:
            print(self.describe(values), file=console.output(), flush=True)
        else:
            self.bar.n = int(1000 * state.fraction_done)
            self.bar.set_description_str(self.describe(values, short=True))

    def describe(self, logs: JsonObject, short: bool = False) -> str:
        """The current figures in one line. The short form leaves room for a bar within 80 columns."""
        state, config = self.state, self.config
        steps, seconds = state.step - self._start[0], state.seconds - self._start[1]
        images_per_second = steps * config.batch_size / max(seconds, 1e-9)
        left = tqdm.format_interval(state.seconds_left(steps / max(seconds, 1e-9)))
        epoch = f"{state.epoch}/{config.epochs}" if config.epochs else f"{state.epoch}"
        if short:
            return (
                f"{epoch} {images_per_second:.0f} img/s D {logs['d_loss']:.2f} G {logs['g_loss']:.2f} "
                f"D(real) {logs['d_real']:.2f} D(fake) {logs['d_fake']:.2f} {left} left"
            )
        return (
            f"epoch {epoch}  step {state.step}  {images_per_second:.0f} images/s  "
            f"d_loss {logs['d_loss']:.3f}  g_loss {logs['g_loss']:.3f}  "
            f"D(real) {logs['d_real']:.2f}  D(fake) {logs['d_fake']:.2f}  {left} left"
        )

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
