"""Scores during training."""

import keras
from tqdm import tqdm

from fashion_gan.arrays import JsonObject
from fashion_gan.metrics.pictures.validation import PictureValidation
from fashion_gan.metrics.validation import Scores, Validation
from fashion_gan.networks import build_generator_for_weights
from fashion_gan.networks.batch_norm_recalibration import recalibrate_batch_norm, recalibration_inputs
from fashion_gan.runs import Run
from fashion_gan.saving.model_files import as_generator
from fashion_gan.system import console
from fashion_gan.system.processes import ALONE, ProcessGroup
from fashion_gan.training.callbacks.checkpoint import Checkpoint
from fashion_gan.training.callbacks.metrics_logger import MetricsLogger
from fashion_gan.training.callbacks.training_state import TrainingState

NOTHING_GAINED = 10  # scores without a better one, after which a line says so


class Validate(keras.callbacks.Callback):
    """Compares generated images with held-out ones every few epochs. Keeps the best checkpoint.

    The scores go to ``metrics.jsonl`` and TensorBoard. If the last ones are not better than the best, a line says so,
    and training stops if the run's ``patience`` is over. The scores are counted in ``metrics.jsonl``, so that a resumed
    run stops at the same step as an uninterrupted one. Of several processes, only the first scores; it is the only one
    with a ``validation``.
    """

    def __init__(
        self,
        run: Run,
        state: TrainingState,
        logger: MetricsLogger,
        checkpoint: Checkpoint,
        validation: Validation | PictureValidation | None,
        group: ProcessGroup = ALONE,
    ) -> None:
        super().__init__()
        self.run, self.state, self.logger, self.checkpoint = run, state, logger, checkpoint
        self.validation, self.group = validation, group
        self.recalibrated = build_generator_for_weights(run.config.core, "recalibrated_generator")
        self.recalibration_inputs = recalibration_inputs(run.config)
        self.best_score = run.best_score()
        self._scored_step = group.broadcast(max((row.get("step", 0) for row in self._scores()), default=0))
        self._check_patience()

    @property
    def _is_due(self) -> bool:
        every_epochs = self.run.config.evaluate_every_epochs
        assert every_epochs is not None  # This callback exists only if the setting is given.
        return self.state.step > 0 and self.state.epoch_is_over and self.state.epoch % every_epochs == 0

    def catch_up(self) -> None:
        """Score the step that training continues from, if the run was interrupted before its score."""
        if self._is_due:
            self.score()

    def on_train_batch_end(self, batch: int, logs: JsonObject | None = None) -> None:
        if self._is_due:
            # The checkpoint comes first, so that every score belongs to a state from which a run can resume.
            self.checkpoint.save(logs)
            self.score()

    def score(self) -> None:
        """Score the averaged generator, unless this step has a score; keep this checkpoint if no other was better.

        A recalibrated copy is scored, because a user gets a recalibrated generator from the checkpoint. Training
        continues with the original. An equal score counts as better: if a run is interrupted after it saved its best
        checkpoint but before it wrote the score, the resumed run gets the same score and must mark it as the best.
        """
        if self._scored_step == self.state.step:
            return
        self.group.first_only("a score", self._score)
        self._scored_step = self.state.step
        self._check_patience()
        if self.state.patience_is_over:
            self.model.stop_training = True

    def _score(self) -> None:
        assert self.validation is not None
        self.model.sync_variables()
        self.recalibrated.set_weights(self.model.averaged_generator.get_weights())
        recalibrate_batch_norm(self.recalibrated, self.recalibration_inputs)
        generator = as_generator(self.recalibrated, self.run.config.core)
        scores = self.validation.score(generator.generate(self.validation.count, seed=self.run.config.seed))
        if is_best := scores.can_be_best and scores.value <= self.best_score:
            self.best_score = scores.value
            self.run.save_best_checkpoint(self.state.step, scores.value, self.checkpoint.with_time(self.model.state()))
        self.run.append_metrics(
            {
                "epoch": self.state.epoch,
                "step": self.state.step,
                "images": self.state.step * self.run.config.batch_size,
                "seconds": round(self.state.seconds, 2),
                **scores.values,
                "best": is_best,
            }
        )
        for name, value in scores.values.items():
            self.logger.add_scalar(name, value)
        self._print(scores, is_best)

    def _scores(self) -> list[JsonObject]:
        """The run's scores so far, the oldest first."""
        name = None if self.validation is None else self.validation.name
        return [] if name is None else [row for row in self.run.read_metrics() if name in row]

    def _check_patience(self) -> None:
        """Let the first process decide whether the patience is over."""
        if self.group.is_first:
            self._count_scores()
        self.state.patience_is_over = self.group.broadcast(self.state.patience_is_over)

    def _count_scores(self) -> None:
        """Count the scores since the best one. Say once if nothing is gained, or that training stops."""
        rows = self._scores()
        best = max((number for number, row in enumerate(rows, 1) if row.get("best")), default=0)
        count, patience = len(rows) - best, self.run.config.patience
        kept = (
            f"the best checkpoint is that of step {rows[best - 1]['step']:,}" if best else "no checkpoint is the best"
        )
        if self.state.is_over:  # The budget ended first.
            return
        if patience is not None and count >= patience:
            self.state.patience_is_over = True
            self._say(f"stopped: {count} scores without a better one; {kept}")
        elif count == NOTHING_GAINED and patience is None:
            self._say(f"nothing gained in the last {count} scores; {kept}. --patience {count} would stop here")

    def _print(self, scores: Scores, is_best: bool) -> None:
        """Print a line: the score, whether it is the best, the other scores, and what they say."""
        best = " (the best so far)" if is_best else ""
        others = [f"{name} {value:.3f}" for name, value in scores.values.items() if name != scores.name]
        parts = [f"{scores.name} {scores.value:.3f}{best}", *others, *([scores.note] if scores.note else [])]
        self._say(", ".join(parts))

    @staticmethod
    def _say(line: str) -> None:
        tqdm.write(line, file=console.output())
