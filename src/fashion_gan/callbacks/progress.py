"""What is seen of a training on the terminal."""

import sys
from typing import Any

import keras
from tqdm import tqdm

from fashion_gan.callbacks.position import Position
from fashion_gan.config import Config


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
