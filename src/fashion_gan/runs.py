"""A training run's folder: its configuration, its log, its checkpoints. Everything is written whole or not at all."""

import contextlib
import csv
import importlib.metadata
import itertools
import json
import math
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from fashion_gan import cores
from fashion_gan.backends import accelerator
from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.files import DAMAGED, read_arrays, written_whole

CHECKPOINTS_KEPT = 2
LOG_COLUMNS = ("epoch", "step", "images", "seconds", "images_per_second", "d_loss", "g_loss", "d_real", "d_fake")
# What a run's figures can depend on; those that are installed are written down beside it.
PACKAGES = ("fashion-gan", "keras", "tensorflow-cpu", "tensorflow", "jax", "jaxlib", "torch", "numpy", "pillow", "h5py")


def lock(file: IO[str]) -> None:
    """Lock a file for this process, or raise OSError at once."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


NUMBERS_IN_METRICS = ("step", "images", "ffd5k_validation")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


class Run:
    """One run's folder.

    Attributes:
        path: the folder.
        config: what the run was started with.
    """

    def __init__(self, path: Path, config: Config) -> None:
        self.path = path
        self.config = config

    @classmethod
    def create(cls, out: str | Path, config: Config, data_fingerprint: str) -> "Run":
        """Make the next numbered folder in ``out``, for example ``runs/0007-transposed``.

        Raises:
            InputError: ``out`` cannot be written.
        """
        out = Path(out)
        try:
            out.mkdir(parents=True, exist_ok=True)
            numbers = [int(p.name[:4]) for p in out.iterdir() if p.name[:4].isdigit() and p.name[4:5] == "-"]
            for number in itertools.count(max(numbers, default=0) + 1):
                path = out / f"{number:04d}-{config.preset}"
                with contextlib.suppress(FileExistsError):  # Another run may have taken the number since.
                    path.mkdir()
                    break
            for folder in ("checkpoints", "samples", "film"):
                (path / folder).mkdir()
            run = cls(path, config)
            run.write_text("config.json", config.to_json())
            run.write_text("environment.json", json.dumps(environment(data_fingerprint, config.backend), indent=2))
        except OSError as error:
            raise InputError(f"the output folder {out} cannot be written: {error.strerror}") from error
        return run

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """Open a run's folder. Raises InputError where it is not one."""
        path = Path(path)
        if not path.is_dir():
            raise InputError(f"{path} is not a run's folder: there is no such folder")
        if not (path / "config.json").is_file():
            raise InputError(f"{path} is not a run's folder: it holds no config.json")
        try:
            text = (path / "config.json").read_text()
        except UnicodeDecodeError as error:
            raise InputError(f"{path / 'config.json'} is no text: {error}") from error
        return cls(path, Config.from_json(text, path / "config.json"))

    @property
    def data_fingerprint(self) -> str:
        """SHA-256 of the data that the run was started on."""
        try:
            return str(json.loads((self.path / "environment.json").read_text())["data_sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self.path / 'environment.json'} is missing or damaged: {error!r}") from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training this run meanwhile; a killed process lets go by itself.

        Raises:
            InputError: another process trains it.
        """
        with open(self.path / ".lock", "w") as file:
            try:
                lock(file)
            except OSError as error:
                raise InputError(f"{self.path} is being trained by another process") from error
            yield

    def write_text(self, name: str, text: str) -> None:
        with written_whole(self.path / name) as temporary:
            temporary.write_text(text + "\n")

    def append_log(self, row: dict[str, Any]) -> None:
        path = self.path / "log.csv"
        new = not path.exists()
        with open(path, "a", newline="") as file:
            writer = csv.DictWriter(file, LOG_COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow(row)

    def read_log(self) -> dict[str, np.ndarray]:
        """The log's columns as float arrays; empty ones before the first row."""
        path = self.path / "log.csv"
        rows = list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []
        return {name: np.array([float(row[name]) for row in rows]) for name in LOG_COLUMNS}

    def append_metrics(self, row: dict[str, Any]) -> None:
        """Add a line of figures to ``metrics.jsonl``."""
        path = self.path / "metrics.jsonl"
        # A kill can leave half a line, which must not swallow this one.
        torn = path.exists() and not path.read_bytes().endswith(b"\n")
        with open(path, "a") as file:
            file.write("\n" * torn + json.dumps(row) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """The lines of ``metrics.jsonl``, the oldest first, without damaged ones and half a line that a kill left."""
        path = self.path / "metrics.jsonl"
        rows = []
        for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
            with contextlib.suppress(ValueError, RecursionError):
                row = json.loads(line)
                if isinstance(row, dict) and all(_is_number(row.get(name, 0)) for name in NUMBERS_IN_METRICS):
                    rows.append(row)
        return rows

    def rewind(self, step: int) -> None:
        """Drop what was logged and drawn after a step, and half-written files: a resumed run writes them again."""
        for leftover in self.path.rglob(".writing-*"):
            leftover.unlink()
        for damaged in self.checkpoints():
            if int(damaged.stem.removeprefix("step-")) > step:
                damaged.unlink()
        for frame in self.path.glob("film/step_*.png"):
            if int(frame.stem.removeprefix("step_")) > step:
                frame.unlink()
        path = self.path / "log.csv"
        if path.exists():
            header = ",".join(LOG_COLUMNS)
            rows = [row for row in path.read_text().splitlines() if row != header]
            # A kill can leave half a row, or half a header, at the end.
            whole = [row for row in rows if row.count(",") == header.count(",") and row[:1].isdigit()]
            kept = [row for row in whole if int(row.split(",")[LOG_COLUMNS.index("step")]) <= step]
            self.write_text("log.csv", "\n".join([header, *kept]))
        if (self.path / "metrics.jsonl").exists():
            lines = [json.dumps(row) for row in self.read_metrics() if row.get("step", 0) <= step]
            if lines:
                self.write_text("metrics.jsonl", "\n".join(lines))
            else:
                (self.path / "metrics.jsonl").unlink()
        with contextlib.suppress(InputError):
            if self.load_best()[0] > step:  # The newest checkpoint was damaged, and training goes on from before it.
                (self.path / "checkpoints" / "best.npz").unlink()

    @property
    def last_sample(self) -> Path | None:
        """The newest sample grid."""
        grids = self.path.glob("samples/gan_generated_image_epoch_*.png")
        return max(grids, key=lambda path: int(path.stem.rpartition("_")[2]), default=None)

    def save_checkpoint(self, step: int, state: dict[str, np.ndarray]) -> None:
        """Write a checkpoint, then drop all but the last two.

        Raises:
            OSError: it could not be written, for example on a full disk; the earlier ones are as they were.
        """
        with written_whole(self.path / "checkpoints" / f"step-{step:09d}.npz") as temporary:
            np.savez(temporary, allow_pickle=False, **state)
        for old in self.checkpoints()[:-CHECKPOINTS_KEPT]:
            old.unlink()

    def save_best(self, step: int, score: float, state: dict[str, np.ndarray]) -> None:
        """Keep a checkpoint as the best so far, in the place of the one before. Raises OSError as above."""
        with written_whole(self.path / "checkpoints" / "best.npz") as temporary:
            np.savez(temporary, allow_pickle=False, **state, step=np.array(step), score=np.array(score))

    def has_best(self) -> bool:
        """Whether a best checkpoint was kept."""
        return (self.path / "checkpoints" / "best.npz").exists()

    def best_score(self) -> float:
        """The score of the best checkpoint; infinite where there is none."""
        path = self.path / "checkpoints" / "best.npz"
        try:
            return float(read_arrays(path)["score"]) if path.exists() else math.inf
        except DAMAGED:
            return math.inf  # The next one takes its place.

    def load_best(self) -> tuple[int, dict[str, np.ndarray]]:
        """The step and the state of the best checkpoint. Raises InputError where there is none."""
        path = self.path / "checkpoints" / "best.npz"
        if not path.exists():
            raise InputError(f"{self.path} has no best checkpoint: it was trained without evaluate_every")
        try:
            state = read_arrays(path)
            state.pop("score")
            return int(state.pop("step")), state
        except DAMAGED as error:
            raise InputError(f"{path} is damaged: {error}") from error

    def checkpoints(self) -> list[Path]:
        """The checkpoints' files, the oldest first."""
        return sorted((self.path / "checkpoints").glob("step-*.npz"))

    def load_checkpoint(self) -> tuple[int, dict[str, np.ndarray]]:
        """The step and the state of the newest checkpoint that can be read.

        Raises:
            InputError: there is none.
        """
        failures = []
        for path in reversed(self.checkpoints()):
            try:
                return int(path.stem.removeprefix("step-")), read_arrays(path)
            except DAMAGED as error:
                failures.append(f"{path.name}: {error}")
        reason = "; ".join(failures) or "it was stopped before its first checkpoint"
        raise InputError(f"{self.path} has no checkpoint to go on from ({reason})")


def processor_name() -> str:
    """What the processor calls itself, as far as the system tells."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def environment(data_fingerprint: str, backend: str) -> dict[str, Any]:
    """The exact versions, and the machine, that a run is made with."""
    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor_name(),
        "processors": cores.usable(),
        "accelerator": accelerator(backend),
        "packages": versions,
        "data_sha256": data_fingerprint,
    }
