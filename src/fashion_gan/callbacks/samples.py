"""Pictures along the way."""

import math
from typing import Any

import keras
import numpy as np

from fashion_gan import pictures
from fashion_gan.callbacks.log import stop_if_not_finite
from fashion_gan.callbacks.position import Position
from fashion_gan.generator import Generator
from fashion_gan.latents import draw_latents
from fashion_gan.runs import Run

SAMPLE_ROWS = 10
FILM_GROWTH = 1.25  # A frame each time the steps have grown so much: learning is fastest at the start.


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
            stop_if_not_finite({name: float(value) for name, value in logs.items()}, step)
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
