"""A line soon after the start that says how long a run on own pictures will take."""

import keras
from tqdm import tqdm

from fashion_gan.arrays import JsonObject
from fashion_gan.config import Config
from fashion_gan.system import console
from fashion_gan.training.callbacks.training_state import TrainingState
from fashion_gan.training.choices import RECOGNIZABLE_IMAGES


class TimeEstimate(keras.callbacks.Callback):
    """Measures the steps from the 20th to the 100th, which no compilation slows down, and prints the line once."""

    FIRST_STEP, STEPS = 20, 80

    def __init__(self, config: Config, state: TrainingState) -> None:
        super().__init__()
        self.config, self.state = config, state
        self._first_step = state.step + self.FIRST_STEP
        self._start: tuple[int, float] | None = None
        self._is_told = False

    def on_train_batch_end(self, batch: int, logs: JsonObject | None = None) -> None:
        state = self.state
        if self._is_told or state.step < self._first_step:
            return
        if self._start is None:
            self._start = (state.step, state.seconds)
        elif state.step >= self._start[0] + self.STEPS:
            rate = (state.step - self._start[0]) / max(state.seconds - self._start[1], 1e-9)
            tqdm.write(self._describe(rate), file=console.output())
            self._is_told = True

    def _describe(self, steps_per_second: float) -> str:
        images_per_second = steps_per_second * self.config.batch_size
        images_left = RECOGNIZABLE_IMAGES - self.state.step * self.config.batch_size
        seconds, seconds_left = images_left / images_per_second, self.state.seconds_left(steps_per_second)
        line = f"{images_per_second:,.0f} images/s: "
        if 0 < seconds <= seconds_left:
            line += f"something recognizable in about {_minutes(seconds)}, "
        line += f"the end in about {_minutes(seconds_left)}"
        if seconds > seconds_left:
            line += f"; something recognizable would take about {_minutes(seconds)}"
        return line


def _minutes(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    if minutes < 90:
        return f"{minutes} minute{'s' * (minutes > 1)}"
    return f"{minutes / 60:.1f} hours"
