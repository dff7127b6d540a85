"""The learning rates' course."""

import math
from typing import Any

import keras

from fashion_gan.callbacks.position import Position
from fashion_gan.config import Config


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
