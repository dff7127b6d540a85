"""A training run's folder: its configuration, logs, checkpoints and pictures. ``Run`` owns every path in it."""

import base64
import contextlib
import csv
import html
import io
import itertools
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fashion_gan.arrays import Array, Floats, JsonObject, KerasModel, Shape
from fashion_gan.config import Config
from fashion_gan.errors import InputError, one_line
from fashion_gan.system.array_files import open_arrays
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS, atomic_file, remove_leftovers
from fashion_gan.system.backends import default_backend, missing_backend, use_backend
from fashion_gan.system.environment import environment
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.locks import missing_lock_reason
from fashion_gan.system.number_tables import read_number_rows
from fashion_gan.system.paths import user_path
from fashion_gan.system.progress import notice

State = dict[str, Array]
"""A checkpoint's content: the arrays of ``GAN.state`` by name, and "seconds", the training time so far."""

Choose: TypeAlias = Callable[[Mapping[str, Shape]], Iterable[str]]
"""Names the arrays to read, from the shapes of a checkpoint's arrays. Raises InputError if they do not fit."""

CHECKPOINTS_KEPT = 2
CHECKPOINT_FACTS = ("seconds", "step", "score")  # single numbers in a checkpoint; all other arrays are the GAN's state
PLAIN_KINDS = "fiub"  # of NumPy's types: floating, integer, unsigned and boolean
LOG_COLUMNS = ("epoch", "step", "images", "seconds", "images_per_second", "d_loss", "g_loss", "d_real", "d_fake")
CONFIG_FILE = "config.json"
# Everything that training writes in a run's folder.
PARTS = (
    *("checkpoints", "samples", "film", "tensorboard", CONFIG_FILE, "environment.json", "log.csv", "metrics.jsonl"),
    "tracker.json",
    *("training.gif", "training_curve.png", ".lock", "generator.keras", "generator.h5", "generator.onnx"),
    *("generator_best.keras", "generator_best.onnx", "encoder.onnx", "directions.json"),
)
# Keys of metrics.jsonl. A line may lack them. If one holds anything but a finite number, the line is damaged.
NUMERIC_METRICS = ("step", "images", "ffd5k_validation", "frechet_validation", "frechet_training")


class Run:
    """One run's folder.

    Attributes:
        path: the folder.
        config: the run's settings. A resumed run may have changed some of those that it was started with.

    Example:
        >>> run = fashion_gan.Run.open("runs/0001-fashion")
        >>> run
        Run('runs/0001-fashion', preset 'fashion', step 15, finished)
        >>> run.config.batch_size, run.read_log()["step"].tolist()
        (8, [5.0, 10.0, 15.0])
        >>> run.generator_path.name, run.last_sample.name
        ('generator.keras', 'gan_generated_image_epoch_3.png')
    """

    def __init__(self, path: str | Path, config: Config) -> None:
        self.path = user_path("path", path)
        self.config = config

    def __fspath__(self) -> str:
        """The folder, so that a run is taken wherever its path is: ``fashion_gan.evaluate(run)``."""
        # A relative path begins with "./": the bare name "fashion" is a shipped model.
        return os.path.join(os.curdir, self.path)

    @classmethod
    def create(cls, out: str | Path, config: Config, data_fingerprint: str) -> "Run":
        """Make the next numbered folder in ``out``, for example ``runs/0007-transposed``.

        Args:
            out: the folder that holds the run folders. It is made if it does not exist.
            config: the run's settings.
            data_fingerprint: ``Dataset.fingerprint`` of the training images.

        Returns:
            The new run.

        Raises:
            InputError: ``out`` cannot be written.
        """
        out = user_path("out", out)
        try:
            out.mkdir(parents=True, exist_ok=True)
            numbers = [
                int(path.name[:4]) for path in out.iterdir() if path.name[:4].isdecimal() and path.name[4:5] == "-"
            ]
            for number in itertools.count(max(numbers, default=0) + 1):
                path = out / f"{number:04d}-{config.preset}"
                with contextlib.suppress(FileExistsError):  # Another process may have just taken the number.
                    path.mkdir()
                    break
            run = cls(path, config)
            run._make_folders()
            run.write_config()
            run._write_environment(data_fingerprint)
        except OSError as error:
            raise InputError(f"the output folder {out} cannot be written: {error.strerror}") from error
        return run

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Open a run's folder. Raises InputError if it is not one."""
        path = user_path("path", path)
        if not os.path.isdir(path):  # Path.is_dir raises an OSError in a folder that may not be read.
            raise InputError(f"{path} is not a run's folder: no such folder exists")
        config_path = path / CONFIG_FILE
        if not cls.is_run(path):
            raise InputError(f"{path} is not a run's folder: it holds no {CONFIG_FILE}")
        return cls(path, Config.from_json(read_config_text(config_path), config_path))

    @staticmethod
    def is_run(path: Path) -> bool:
        """Whether this is a run's folder. Its settings may be damaged."""
        return os.path.isfile(path / CONFIG_FILE)

    # ---- Paths ----

    @property
    def config_path(self) -> Path:
        """The settings: ``config.json``."""
        return self.path / CONFIG_FILE

    @property
    def environment_path(self) -> Path:
        """The machine, the versions and the data's checksum: ``environment.json``."""
        return self.path / "environment.json"

    @property
    def log_path(self) -> Path:
        """Losses and speed, at least one row for every 50 steps."""
        return self.path / "log.csv"

    @property
    def tracker_path(self) -> Path:
        """The id of the run at the tracker, of a run with ``tracker``: ``tracker.json``."""
        return self.path / "tracker.json"

    def write_tracker(self, facts: JsonObject) -> None:
        """Write ``tracker.json``."""
        self._write_text(self.tracker_path, json.dumps(facts))

    @property
    def metrics_path(self) -> Path:
        """Scores, one JSON object per line."""
        return self.path / "metrics.jsonl"

    @property
    def tensorboard_folder(self) -> Path:
        """The same as ``log.csv``, for TensorBoard."""
        return self.path / "tensorboard"

    @property
    def checkpoint_folder(self) -> Path:
        """Everything that a resumed run needs: the last two checkpoints and the best one."""
        return self.path / "checkpoints"

    @property
    def best_checkpoint_path(self) -> Path:
        """The checkpoint with the best score. It exists only with ``evaluate_every_epochs``."""
        return self.checkpoint_folder / "best.npz"

    def checkpoint_path(self, step: int) -> Path:
        """The checkpoint of a step."""
        return self.checkpoint_folder / f"step-{step:09d}.npz"

    def checkpoint_paths(self) -> list[Path]:
        """The regular checkpoints, the oldest first."""
        return _files(self.checkpoint_folder, r"step-(\d{9,10})\.npz")

    @property
    def sample_folder(self) -> Path:
        """Grids of generated images, one every ``save_interval`` epochs."""
        return self.path / "samples"

    def sample_path(self, epoch: int) -> Path:
        """The sample grid of an epoch."""
        return self.sample_folder / f"gan_generated_image_epoch_{epoch}.png"

    @property
    def last_sample(self) -> Path | None:
        """The newest sample grid; None if there is none yet."""
        return next(reversed(_files(self.sample_folder, r"gan_generated_image_epoch_(\d{1,10})\.png")), None)

    @property
    def film_folder(self) -> Path:
        """The frames of the film: images of the same latents during training."""
        return self.path / "film"

    def frame_path(self, step: int) -> Path:
        """The film's frame of a step."""
        return self.film_folder / f"step_{step:09d}.png"

    def frame_paths(self) -> list[Path]:
        """The film's frames, in the order of their steps."""
        return _files(self.film_folder, r"step_(\d{9,10})\.png")

    @property
    def film_path(self) -> Path:
        """The film: ``training.gif``. It exists only once training has ended."""
        return self.path / "training.gif"

    @property
    def training_curve_path(self) -> Path:
        """The losses, D(real) and D(fake) as a plot. It exists only once training has ended."""
        return self.path / "training_curve.png"

    @property
    def generator_path(self) -> Path:
        """The finished run's generator. It exists only once training has ended."""
        return self.path / "generator.keras"

    @property
    def h5_generator_path(self) -> Path:
        """The same generator as an ``.h5`` file."""
        return self.path / "generator.h5"

    @property
    def best_generator_path(self) -> Path:
        """The generator of the best checkpoint. It exists only with ``evaluate_every_epochs``."""
        return self.path / "generator_best.keras"

    @property
    def onnx_generator_path(self) -> Path:
        """The finished run's generator for users without Keras. It exists only if a converter was installed."""
        return self.path / "generator.onnx"

    @property
    def best_onnx_generator_path(self) -> Path:
        """The same as an ``.onnx`` file, if a converter was installed."""
        return self.path / "generator_best.onnx"

    @property
    def encoder_path(self) -> Path:
        """The encoder that ``fashion-gan train-encoder`` wrote."""
        return self.path / "encoder.onnx"

    @property
    def directions_path(self) -> Path:
        """The directions that ``fashion-gan directions`` found."""
        return self.path / "directions.json"

    @property
    def report_folder(self) -> Path:
        """The folder that ``fashion-gan evaluate`` writes."""
        return self.path / "report"

    @property
    def report_path(self) -> Path:
        """The page that ``evaluate`` writes."""
        return self.report_folder / "report.html"

    def restore_parts(self, data_fingerprint: str) -> None:
        """Make what a resumed run needs and what is missing or damaged: folders, and ``environment.json``.

        Args:
            data_fingerprint: ``Dataset.fingerprint`` of the training images.

        Raises:
            InputError: a part of the run is a link, through which training would write outside the run's folder; or a
                folder cannot be made.
        """
        parts = [self.path / name for name in PARTS]
        inner = [path for part in parts if part.is_dir() and not part.is_symlink() for path in part.iterdir()]
        for path in (*parts, *inner):
            if path.is_symlink():
                raise InputError(f"{path} is a link, and training writes only inside the run's folder: remove the link")
        try:
            self._make_folders()
        except OSError as error:
            raise InputError(f"{error.filename} cannot be made: {error.strerror}") from error
        try:
            str(self.data_fingerprint)  # Reading it checks environment.json.
        except InputError as error:
            notice(f"{error}: it is written again, without a check that the images are those of the run's start")
            self._write_environment(data_fingerprint)

    def _make_folders(self) -> None:
        for folder in (self.checkpoint_folder, self.sample_folder, self.film_folder):
            folder.mkdir(exist_ok=True)

    # ---- Configuration, environment and lock ----

    def _write_environment(self, data_fingerprint: str) -> None:
        facts = environment(data_fingerprint, self.config.backend)
        self._write_text(self.environment_path, json.dumps(facts, indent=2))

    def write_config(self) -> None:
        """Write ``config.json``."""
        self._write_text(self.config_path, self.config.to_json())

    @property
    def data_fingerprint(self) -> str:
        """SHA-256 of the data that the run was started on. Raises InputError if it cannot be read."""
        try:
            return str(json.loads(self.environment_path.read_text(encoding="utf-8"))["data_sha256"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f"{self.environment_path} is missing or damaged: {one_line(error)}") from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training this run during the block. A process that dies gives up its lock.

        If the file system has no locks, say so and continue without one.

        Raises:
            InputError: another process is training the run, or its folder cannot be written.
        """
        from filelock import FileLock, Timeout  # Imported here, because only training needs it and the import is slow.

        try:
            reason = missing_lock_reason(self.path)
        except OSError as error:
            raise InputError(f"{self.path} cannot be written: {error.strerror}") from error
        if reason is not None:
            notice(
                f"{self.path} is trained without a lock, because its file system has none ({reason}): "
                "do not train it in two processes at once"
            )
            yield
            return
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(f"{self.path} is being trained by another process") from error
        try:
            yield
        finally:
            lock.release()

    # ---- Logs ----

    def append_log(self, row: JsonObject) -> None:
        """Add a row to ``log.csv``; its keys are ``LOG_COLUMNS``."""
        is_new = not self.log_path.exists()
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, LOG_COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerow(row)
        _append(self.log_path, text.getvalue())

    def read_log(self) -> dict[str, Floats]:
        """The columns of ``log.csv`` as float arrays, which are empty before the first row.

        Damaged rows are left out, and so is the last row while it is being written.
        """
        rows = self._sound_log_rows()
        return {name: np.array([float(row[index]) for row in rows]) for index, name in enumerate(LOG_COLUMNS)}

    def _sound_log_rows(self) -> list[list[str]]:
        """The rows of ``log.csv``, the oldest first. A line on standard error counts those that are damaged."""
        if not self.log_path.exists():
            return []
        rows, damaged = read_number_rows(self.log_path, LOG_COLUMNS)
        if damaged:
            notice(f"{self.log_path} is read without {damaged:,} damaged row{'s' * (damaged > 1)}")
        return rows

    def append_metrics(self, row: JsonObject) -> None:
        """Add a line of scores to ``metrics.jsonl``."""
        # A process killed while writing leaves half a line. Do not continue that line.
        is_torn = self.metrics_path.exists() and not self.metrics_path.read_bytes().endswith(b"\n")
        _append(self.metrics_path, "\n" * is_torn + json.dumps(row) + "\n")

    def read_metrics(self) -> list[JsonObject]:
        """The lines of ``metrics.jsonl``, the oldest first. Damaged and half-written lines are left out."""
        if not self.metrics_path.exists():
            return []
        rows = []
        for line in self.metrics_path.read_text(encoding="utf-8-sig", errors="replace").split("\n"):
            with contextlib.suppress(ValueError, RecursionError):
                row = json.loads(line)
                if isinstance(row, dict) and all(_is_number(row.get(name, 0)) for name in NUMERIC_METRICS):
                    rows.append(row)
        return rows

    # ---- Checkpoints ----

    def save_checkpoint(self, step: int, state: State) -> None:
        """Write a checkpoint, then delete all but the last two.

        Raises:
            OSError: it cannot be written, for example because the disk is full. The earlier ones stay as they are.
        """
        with atomic_file(self.checkpoint_path(step)) as temporary:
            np.savez(temporary, allow_pickle=False, **state)
        for path in self.checkpoint_paths()[:-CHECKPOINTS_KEPT]:
            path.unlink()

    def load_checkpoint(self, choose: Choose = list) -> tuple[int, State]:
        """The step and the state of the newest checkpoint that can be read.

        A line on standard error names each newer one that cannot be read, with the reason.

        Args:
            choose: names the arrays to read, besides "seconds". The default reads all.

        Raises:
            InputError: no checkpoint can be read and fits.
        """
        failures: list[str] = []
        for path in reversed(self.checkpoint_paths()):
            try:
                state = _read_state(path, choose, ("seconds",))
            except CORRUPT_FILE_ERRORS as error:  # An InputError of ``choose`` too.
                failures.append(f"{path.name}: {one_line(error)}")
            else:
                if failures:
                    left_out = "; ".join(failures)
                    notice(f"{self.path}: {path.name} is used, because {left_out}")
                return _step_of(path), state
        reason = "; ".join(failures) or "it was stopped before its first checkpoint"
        raise InputError(f"{self.path} has no checkpoint to continue from ({reason})")

    @property
    def has_best_checkpoint(self) -> bool:
        """Whether there is a best checkpoint."""
        return self.best_checkpoint_path.exists()

    def save_best_checkpoint(self, step: int, score: float, state: State) -> None:
        """Write the best checkpoint, which replaces the previous one. Raises OSError as ``save_checkpoint`` does."""
        with atomic_file(self.best_checkpoint_path) as temporary:
            np.savez(temporary, allow_pickle=False, **state, step=np.array(step), score=np.array(score))

    def load_best_checkpoint(self, choose: Choose = list) -> tuple[int, State]:
        """The step and the state of the best checkpoint. Raises InputError if there is none that fits."""
        path = self.best_checkpoint_path
        if not path.exists():
            raise InputError(f"{self.path} has no best checkpoint: it was trained without evaluate_every_epochs")
        try:
            state = _read_state(path, choose, CHECKPOINT_FACTS)
        except CORRUPT_FILE_ERRORS as error:
            raise InputError(f"{path} is damaged: {one_line(error)}") from error
        state.pop("score")
        return int(state.pop("step")), state

    def best_score(self) -> float:
        """The score of the best checkpoint (lower is better); infinity if there is none, or if it is damaged."""
        if not self.has_best_checkpoint:
            return math.inf
        try:
            return float(_read_state(self.best_checkpoint_path, lambda shapes: (), ("score",))["score"])
        except CORRUPT_FILE_ERRORS:
            return math.inf  # The next checkpoint that is scored replaces it.

    @default_settings()
    def load_generator_model(self, *, raw: bool = False, best: bool = False) -> KerasModel:
        """Rebuild the Keras generator from a checkpoint.

        Args:
            raw: the trained weights instead of their moving average.
            best: the best checkpoint instead of the newest.

        Returns:
            The generator. The batch norm statistics of averaged weights are recalibrated, so it is ready for use.

        Raises:
            InputError: there is no such checkpoint, or it is of another architecture.
        """
        use_backend(default_backend())
        from fashion_gan.networks.batch_norm_recalibration import recalibrate_batch_norm, recalibration_inputs

        model, _ = self._read_generator(raw, best)
        if not raw:
            recalibrate_batch_norm(model, recalibration_inputs(self.config))
        return model

    @default_settings()
    def generator_step(self, *, raw: bool = False, best: bool = False) -> int:
        """The step of the checkpoint that ``load_generator_model`` reads. The arguments and the errors are the same."""
        if missing_backend(default_backend()):  # Without Keras there is no network that the checkpoint must fit.
            return (self.load_best_checkpoint if best else self.load_checkpoint)(lambda shapes: ())[0]
        use_backend(default_backend())
        return self._read_generator(raw, best)[1]

    def _read_generator(self, raw: bool, best: bool) -> tuple[KerasModel, int]:
        """The generator with the weights of a checkpoint, and the checkpoint's step."""
        from fashion_gan.networks import build_generator_for_weights

        model = build_generator_for_weights(self.config, "generator" if raw else "averaged_generator")

        def choose(shapes: Mapping[str, Shape]) -> list[str]:
            return [_find_array(shapes, variable.path, tuple(variable.shape)) for variable in model.variables]

        step, state = self.load_best_checkpoint(choose) if best else self.load_checkpoint(choose)
        for variable in model.variables:
            (value,) = [value for name, value in state.items() if name.endswith(f"|{variable.path}")]
            variable.assign(value)
        return model, step

    # ---- Resuming ----

    def rewind(self, step: int) -> None:
        """Delete checkpoints, film frames, log rows and scores of later steps, ONNX files, and half-written files.

        A resumed run writes them again, except for the encoder and the directions of the earlier generator.
        """
        remove_leftovers(self.path)
        outdated = (self.onnx_generator_path, self.best_onnx_generator_path, self.encoder_path, self.directions_path)
        for path in outdated:
            path.unlink(missing_ok=True)  # They would no longer match the checkpoints.
        # Checkpoints of later steps are damaged: a run resumes from the newest one that can be read.
        for path in (*self.checkpoint_paths(), *self.frame_paths()):
            if _step_of(path) > step:
                path.unlink()
        self._rewind_log(step)
        self._rewind_metrics(step)
        with contextlib.suppress(InputError):
            if self.load_best_checkpoint(lambda shapes: ())[0] > step:  # Training restarts before the best checkpoint.
                self.best_checkpoint_path.unlink()

    def _rewind_log(self, step: int) -> None:
        if not self.log_path.exists():
            return
        kept = [row for row in self._sound_log_rows() if float(row[LOG_COLUMNS.index("step")]) <= step]
        self._write_text(self.log_path, "\n".join(",".join(row) for row in (LOG_COLUMNS, *kept)))

    def _rewind_metrics(self, step: int) -> None:
        if not self.metrics_path.exists():
            return
        rows = self.read_metrics()
        written = [line for line in self.metrics_path.read_bytes().split(b"\n")[:-1] if line.strip()]
        damaged = len(written) - len(rows)
        if damaged > 0:
            notice(f"{self.metrics_path} continues without {damaged:,} damaged line{'s' * (damaged > 1)}")
        lines = [json.dumps(row) for row in rows if row.get("step", 0) <= step]
        if lines:
            self._write_text(self.metrics_path, "\n".join(lines))
        else:
            self.metrics_path.unlink()

    def _write_text(self, path: Path, text: str) -> None:
        with atomic_file(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8", newline="\n")

    # ---- Display ----

    def __repr__(self) -> str:
        steps = [_step_of(path) for path in self.checkpoint_paths()]
        state = "finished" if self.generator_path.exists() else "not finished"
        return f"Run({str(self.path)!r}, preset {self.config.preset!r}, step {max(steps, default=0):,}, {state})"

    def _repr_html_(self) -> str:
        """The last sample grid and the training curve, for a notebook."""
        pictures = [path for path in (self.last_sample, self.training_curve_path) if path is not None and path.exists()]
        shown = [f'<img alt="{path.name}" src="{_data_url(path)}">' for path in pictures]
        return "<br>".join([f"<code>{html.escape(repr(self))}</code>", *shown])


def read_config_text(path: Path) -> str:
    """The text of a ``config.json``. Raises InputError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file: {error}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _read_state(path: Path, choose: Choose, facts: tuple[str, ...]) -> State:
    """Read the facts and the chosen arrays of a checkpoint.

    Raises one of ``CORRUPT_FILE_ERRORS`` if it is damaged, or if an array is not plain, finite numbers.
    """
    with open_arrays(path) as file:
        for name in facts:
            if file.shapes.get(name) != ():
                raise ValueError(f"it holds no number {name}")
        shapes = {name: shape for name, shape in file.shapes.items() if name not in CHECKPOINT_FACTS}
        state = {name: file[name] for name in (*choose(shapes), *facts)}
    for name, array in state.items():
        if array.dtype.kind not in PLAIN_KINDS:
            raise ValueError(f"{name} does not hold numbers")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds values that are not finite")
    return state


def _find_array(shapes: Mapping[str, Shape], path: str, shape: Shape) -> str:
    """The name of the array that holds a variable. Raises InputError unless there is exactly one, of its shape."""
    names = [name for name in shapes if name.endswith(f"|{path}")]
    if len(names) != 1 or shapes[names[0]] != shape:
        raise InputError(f"it is of another architecture: {path} does not fit")
    return names[0]


def _step_of(path: Path) -> int:
    """The step in the name of a checkpoint or a frame: ``step-000000110.npz`` -> 110."""
    return int(path.stem[len("step-") :])


def _files(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder whose names fit a pattern, sorted by its number. Others, such as copies, do not count.

    No step or epoch has more than ten digits.
    """
    names = [match for path in folder.glob("*") if (match := re.fullmatch(pattern, path.name, re.ASCII))]
    return [folder / match[0] for match in sorted(names, key=lambda match: (int(match[1]), match[0]))]


def _append(path: Path, text: str) -> None:
    """Add a text to the end of a file. An OSError names the file."""
    try:
        with open(path, "a", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        error.filename = str(path)
        raise


def _is_number(value: object) -> bool:
    # math.isfinite would overflow on a very large int.
    return isinstance(value, (int, float)) and -sys.float_info.max <= value <= sys.float_info.max


def _data_url(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
