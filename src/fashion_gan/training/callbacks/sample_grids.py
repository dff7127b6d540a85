"""Grids of generated images, saved during training, and the frames of the film."""

import math
from pathlib import Path

import keras
import numpy as np

from fashion_gan.arrays import JsonObject, Picture
from fashion_gan.generator import Generator
from fashion_gan.latents import draw_latents
from fashion_gan.rendering import images
from fashion_gan.runs import Run
from fashion_gan.training.callbacks.metrics_logger import stop_if_not_finite
from fashion_gan.training.callbacks.training_state import TrainingState

SAMPLE_ROWS = 10
# The next frame is drawn when the step count has grown by this factor, because learning is fastest at the start.
FRAME_GROWTH = 1.25


class SampleGrids(keras.callbacks.Callback):
    """Draws the same latents repeatedly: a grid every ``save_interval`` epochs, and frames at growing intervals."""

    def __init__(self, run: Run, state: TrainingState, generator: Generator) -> None:
        super().__init__()
        self.run, self.state, self.generator = run, state, generator
        classes = len(run.config.class_names)
        self.columns = images.class_columns(classes) or SAMPLE_ROWS
        self.latents = draw_latents(self.columns * SAMPLE_ROWS, run.config.latent_dim, run.config.seed)
        self.labels = np.arange(len(self.latents), dtype=np.int32) % classes if classes else None
        frames = run.frame_paths()
        self._last_frame_step = int(frames[-1].stem.removeprefix("step_")) if frames else None

    def on_train_begin(self, logs: JsonObject | None = None) -> None:
        if self._last_frame_step is None:  # The film starts with the untrained generator.
            self._save_frame(0)

    def on_train_batch_end(self, batch: int, logs: JsonObject | None = None) -> None:
        # This runs before the step's checkpoint is written, so no picture is missing from a run that resumes from it.
        step = self.state.step
        if step >= math.ceil((self._last_frame_step or 0) * FRAME_GROWTH) + 5:
            stop_if_not_finite({name: float(value) for name, value in (logs or {}).items()}, step)
            self._save_frame(step)
        if self.state.epoch_is_over and self.state.epoch % self.run.config.save_interval == 0:
            self.save()

    def save(self) -> Path:
        """Write the grid of the current epoch, and return its path."""
        path = self.run.sample_path(self.state.epoch)
        images.save_picture(path, self.draw())
        return path

    def _save_frame(self, step: int) -> None:
        images.save_picture(self.run.frame_path(step), self.draw())
        self._last_frame_step = step

    def draw(self) -> Picture:
        """The grid of the averaged generator's images now."""
        self.model.sync_variables()
        return images.grid(self.generator.decode(self.latents, self.labels), columns=self.columns)
