"""Where the figures of a run are shown, besides its folder: TensorBoard, Weights & Biases, MLflow or Aim."""

import contextlib
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import keras

from fashion_gan.arrays import JsonObject, Picture
from fashion_gan.errors import one_line
from fashion_gan.rendering.images import load_png
from fashion_gan.runs import Run
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS
from fashion_gan.system.progress import notice
from fashion_gan.system.telemetry import import_aim, import_mlflow, import_wandb
from fashion_gan.training.callbacks.training_state import TrainingState

PROJECT = "fashion-gan"
SAMPLES = "samples"


class Tracker(Protocol):
    """A place that shows figures. ``id`` finds the same run there when training is resumed."""

    id: str

    def scalar(self, name: str, value: float, step: int) -> None: ...

    def picture(self, name: str, picture: Picture, step: int) -> None: ...

    def close(self) -> None: ...


class TensorBoard:
    """Adds pictures and settings to the events that every run writes."""

    def __init__(self, run: Run, settings: JsonObject, previous: str | None) -> None:
        from tensorboardX import SummaryWriter

        self.id = run.path.name
        self.writer = SummaryWriter(str(run.tensorboard_folder), filename_suffix=".pictures")
        if previous is None:
            self.writer.add_hparams(settings, {}, name="settings")

    def scalar(self, name: str, value: float, step: int) -> None:
        pass  # MetricsLogger writes them in any case.

    def picture(self, name: str, picture: Picture, step: int) -> None:
        self.writer.add_image(name, picture, step, dataformats="HWC")

    def close(self) -> None:
        self.writer.close()


class WeightsAndBiases:
    """A run of the project ``fashion-gan``. The variable WANDB_MODE=offline keeps it on this machine."""

    def __init__(self, run: Run, settings: JsonObject, previous: str | None) -> None:
        self.library = import_wandb()
        self.run = self.library.init(
            project=PROJECT, name=run.path.name, id=previous, resume="allow", config=settings, dir=str(run.path)
        )
        self.id = str(self.run.id)

    def scalar(self, name: str, value: float, step: int) -> None:
        self.run.log({name: value}, step=step)

    def picture(self, name: str, picture: Picture, step: int) -> None:
        self.run.log({name: self.library.Image(_plain(picture))}, step=step)

    def close(self) -> None:
        self.run.finish()


class MLflow:
    """A run of the experiment ``fashion-gan``, where MLFLOW_TRACKING_URI says."""

    def __init__(self, run: Run, settings: JsonObject, previous: str | None) -> None:
        mlflow = import_mlflow()
        self.client = mlflow.MlflowClient()
        self.id = previous or self._make(run)
        for name, value in settings.items():
            self.client.log_param(self.id, name, value)

    def _make(self, run: Run) -> str:
        found = self.client.get_experiment_by_name(PROJECT)
        experiment = self.client.create_experiment(PROJECT) if found is None else found.experiment_id
        return str(self.client.create_run(experiment, run_name=run.path.name).info.run_id)

    def scalar(self, name: str, value: float, step: int) -> None:
        self.client.log_metric(self.id, name, value, step=step)

    def picture(self, name: str, picture: Picture, step: int) -> None:
        self.client.log_image(self.id, _plain(picture), artifact_file=f"{name}/step_{step:09d}.png")

    def close(self) -> None:
        self.client.set_terminated(self.id)


class Aim:
    """A run of the experiment ``fashion-gan``, in the nearest folder ``.aim`` from the current folder upwards."""

    def __init__(self, run: Run, settings: JsonObject, previous: str | None) -> None:
        self.library = import_aim()
        self.run = self.library.Run(
            run_hash=previous, experiment=PROJECT, system_tracking_interval=None, capture_terminal_logs=False
        )
        self.run.name = run.path.name
        self.run["settings"] = settings
        self.id = str(self.run.hash)

    def scalar(self, name: str, value: float, step: int) -> None:
        self.run.track(value, name=name, step=step)

    def picture(self, name: str, picture: Picture, step: int) -> None:
        from PIL import Image

        self.run.track(self.library.Image(Image.fromarray(_plain(picture))), name=name, step=step)

    def close(self) -> None:
        self.run.close()


KINDS: dict[str, Callable[[Run, JsonObject, str | None], Tracker]] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
    "mlflow": MLflow,
    "aim": Aim,
}


class Tracking(keras.callbacks.Callback):
    """Sends a run's figures and its sample grids to a tracker. If the tracker fails, training goes on without it.

    Args:
        run: the run. Its file ``tracker.json`` records the run's id at the tracker, so that a resumed run continues it.
        state: the progress of training.
        kind: a key of ``KINDS``. "none" sends nothing.
    """

    def __init__(self, run: Run, state: TrainingState, kind: str) -> None:
        super().__init__()
        self.run, self.state, self.kind = run, state, kind
        self.tracker: Tracker | None = None
        self._pictured_step = -1

    def open(self) -> None:
        """Start the run at the tracker, or find it there again."""
        if self.kind != "none":
            with self._told_if_it_fails():
                previous = _previous_id(self.run, self.kind)
                self.tracker = KINDS[self.kind](self.run, _settings(self.run), previous)
                self.run.write_tracker({"tracker": self.kind, "id": self.tracker.id})

    def scalar(self, name: str, value: float) -> None:
        """Send a number, at the current step."""
        if self.tracker is not None:
            with self._told_if_it_fails():
                self.tracker.scalar(name, float(value), self.state.step)

    def on_train_batch_end(self, batch: int, logs: JsonObject | None = None) -> None:
        path = self.run.sample_path(self.state.epoch)
        if self.state.epoch_is_over and path.is_file():  # SampleGrids has just written it.
            self.picture(lambda: load_png(path))

    def picture(self, draw: Callable[[], Picture]) -> None:
        """Send a grid of images, unless this step has one."""
        if self.tracker is not None and self._pictured_step != self.state.step:
            self._pictured_step = self.state.step
            with self._told_if_it_fails():
                self.tracker.picture(SAMPLES, draw(), self.state.step)

    def close(self) -> None:
        """Finish the run at the tracker."""
        if self.tracker is not None:
            with self._told_if_it_fails():
                self.tracker.close()

    @contextlib.contextmanager
    def _told_if_it_fails(self) -> Any:
        try:
            yield
        except Exception as error:  # Its server or its disk may fail in any way.
            self.tracker = None
            notice(f"the tracker {self.kind} failed, and training goes on without it: {one_line(error)[:200]}")


def _settings(run: Run) -> JsonObject:
    """The settings of a run as plain values. Lists become texts, and settings without a value are left out."""
    values = {name: value for name, value in dataclasses.asdict(run.config).items() if value is not None}
    return {name: ", ".join(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _previous_id(run: Run, kind: str) -> str | None:
    """The id that the run has at the tracker. None if it is new there."""
    try:
        stored = json.loads(Path(run.tracker_path).read_text(encoding="utf-8"))
        return str(stored["id"]) if stored["tracker"] == kind else None
    except (*CORRUPT_FILE_ERRORS, TypeError):
        return None


def _plain(picture: Picture) -> Any:
    """A picture without an axis of a single channel."""
    return picture[..., 0] if picture.shape[-1] == 1 else picture
