"""The schedule of the learning rates."""

import math

import keras

from fashion_gan.arrays import JsonObject
from fashion_gan.config import Config
from fashion_gan.training.callbacks.training_state import TrainingState


class LinearDecay(keras.callbacks.Callback):
    """Keeps the learning rates constant, then lowers them linearly to zero over the last fraction of the budget."""

    def __init__(self, config: Config, state: TrainingState) -> None:
        super().__init__()
        self.config, self.state = config, state
        self._factor: float | None = None

    def on_train_begin(self, logs: JsonObject | None = None) -> None:
        self._update()

    def on_train_batch_end(self, batch: int, logs: JsonObject | None = None) -> None:
        self._update()

    def _update(self) -> None:
        if not self.config.decay_fraction:
            return
        left = min(1.0, (1.0 - self.state.fraction_done) / self.config.decay_fraction)
        # Rounded up to hundredths, because on some backends setting a learning rate between steps takes time.
        factor = math.ceil(100 * left) / 100
        if factor not in (self._factor, 0.0):
            self._factor = factor
            self.model.scale_learning_rates(factor)
