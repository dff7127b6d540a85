"""Scores along the way."""

import math
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from fashion_gan.callbacks.checkpoint import Checkpoint
from fashion_gan.callbacks.log import Log
from fashion_gan.callbacks.position import Position
from fashion_gan.metrics.validation import COUNT, NAME, Validation
from fashion_gan.model_files import as_generator
from fashion_gan.networks import build_generator
from fashion_gan.networks.settling import settle
from fashion_gan.runs import Run


class Evaluate(keras.callbacks.Callback):
    """The quick score every so many epochs: to ``metrics.jsonl`` and TensorBoard; the best checkpoint is kept."""

    def __init__(
        self,
        run: Run,
        position: Position,
        log: Log,
        checkpoint: Checkpoint,
        validation: Validation,
    ) -> None:
        super().__init__()
        self.run, self.position, self.log, self.checkpoint = run, position, log, checkpoint
        self.validation = validation
        self.settled = build_generator(run.config, "settled_generator")
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

        A twin is settled and scored, as those who read the checkpoint will: training goes on as if nobody had looked.
        As good counts as better, so that a run that was cut off before it noted its best score keeps that checkpoint.
        """
        if self._scored_step == self.position.step:
            return
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()
        self.settled.set_weights(self.model.averaged_generator.get_weights())
        settle(self.settled, self.run.config)
        images = as_generator(self.settled, self.run.config).generate(COUNT, seed=self.run.config.seed)
        score = self.validation.score(images)
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
