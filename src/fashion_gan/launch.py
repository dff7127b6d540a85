"""What the user asks for in words -> a run or a generator. Settles the Keras backend before Keras is imported."""

import contextlib
import dataclasses
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fashion_gan.config import BACKENDS, Config
from fashion_gan.datasets import Dataset, load_training_images
from fashion_gan.errors import InputError, suggestion
from fashion_gan.generator import Generator
from fashion_gan.runs import Run

BUDGETS = ("epochs", "steps", "minutes")
RESUMABLE = (*BUDGETS, "save_interval", "checkpoint_every")  # what a resumed run may do differently


def train(preset: str = "transposed", *, out: str | Path = "runs", **settings: Any) -> Run:
    """Train a GAN and leave everything in a new numbered folder.

    Args:
        preset: a name in ``PRESETS``, which the other settings start from.
        out: the folder that run folders are made in.
        **settings: any setting of ``Config``, for example ``epochs``, ``batch_size``, ``save_interval``.

    Returns:
        The run; ``run.path`` is its folder.

    Raises:
        InputError: a setting, the data or the folder cannot be used.
        TrainingDiverged: a loss or a weight stopped being finite.
        KeyboardInterrupt: it was stopped; ``resume`` goes on from there.

    Example:
        >>> run = fashion_gan.train(epochs=50, batch_size=64, save_interval=5)
        >>> fashion_gan.load_generator(run.path).generate(16).shape
        (16, 28, 28, 1)
    """
    config, dataset = plan(preset, **settings)
    return begin(config, dataset, out)


def resume(path: str | Path, **settings: Any) -> Run:
    """Go on with a run from its newest checkpoint, or from its start where it has none yet.

    Args:
        path: the run's folder.
        **settings: new budgets (any of them replaces all), ``save_interval`` or ``checkpoint_every``.

    Raises:
        InputError: a setting contradicts the run's own, or the data or the checkpoint do not fit.
        TrainingDiverged, KeyboardInterrupt: as ``train`` does.
    """
    return go_on(*plan_resume(path, **settings))


def plan(preset: str = "transposed", **settings: Any) -> tuple[Config, Dataset]:
    """What ``train`` would do: the configuration, complete with the classes of its data, and the data."""
    settings["backend"] = settings.get("backend") or default_backend()
    config = Config.from_preset(preset, **settings)
    check_backend(config.backend)
    dataset = load_training_images(config.data, config.image_size, config.channels)
    if config.conditional:
        config = dataclasses.replace(config, class_names=dataset.class_names)
    return config, dataset


def begin(config: Config, dataset: Dataset, out: str | Path) -> Run:
    """Carry out what ``plan`` returned."""
    use_backend(config.backend)
    from fashion_gan import training

    return training.train_run(training.start(config, dataset, out), dataset)


def plan_resume(path: str | Path, **settings: Any) -> tuple[Run, Dataset]:
    """What ``resume`` would do: the run with the configuration that it goes on with, and its data."""
    run = Run.open(path)
    run.config = config_to_resume(run, settings)
    check_backend(run.config.backend)
    return run, load_training_images(run.config.data, run.config.image_size, run.config.channels)


def go_on(run: Run, dataset: Dataset) -> Run:
    """Carry out what ``plan_resume`` returned."""
    use_backend(run.config.backend)
    from fashion_gan import training

    return training.train_run(run, dataset, resume=True)


def config_to_resume(run: Run, settings: dict[str, Any]) -> Config:
    """The run's configuration with the settings that a resumed run may change."""
    given = {name: value for name, value in settings.items() if value is not None}
    for name, value in given.items():
        if name not in RESUMABLE and getattr(run.config, name, None) != value:
            raise InputError(
                f"{run.path} was started with {name}={getattr(run.config, name, None)!r} and cannot go on with "
                f"{value!r}: a resumed run may change {', '.join(RESUMABLE)} alone"
            )
    changes = {name: value for name, value in given.items() if name in RESUMABLE}
    if any(name in changes for name in BUDGETS):
        changes = {**dict.fromkeys(BUDGETS), **changes}
    return dataclasses.replace(run.config, **changes)


def load_generator(source: str | Path, *, raw: bool = False) -> Generator:
    """Read a trained generator from a run's folder, or from a ``.keras`` or ``.h5`` file that fashion-gan wrote.

    No code in the file is run: the network is rebuilt from its configuration and only weights are read.

    Args:
        source: the run's folder (its newest checkpoint) or the file.
        raw: the weights as trained and not their moving average; of a run's folder only.

    Raises:
        InputError: there is nothing there, the file is not ours, or it is damaged.
    """
    use_backend(default_backend())
    from fashion_gan import model_files

    return model_files.load_generator(source, raw=raw)


def default_backend() -> str:
    """The backend that Keras runs on already, or was asked to (KERAS_BACKEND), or the first that is installed."""
    if "keras" in sys.modules:
        return str(sys.modules["keras"].backend.backend())
    asked = os.environ.get("KERAS_BACKEND")
    if asked:
        if asked not in BACKENDS:
            raise InputError(f"KERAS_BACKEND={asked!r} is not allowed: {suggestion(asked, list(BACKENDS))}")
        return asked
    return next((name for name in BACKENDS if importlib.util.find_spec(name)), BACKENDS[0])


def check_backend(name: str) -> None:
    """Raises InputError where Keras or the backend is not installed."""
    if importlib.util.find_spec("keras") is None or importlib.util.find_spec(name) is None:
        extra = {"tensorflow": "train", "jax": "gpu", "torch": "torch"}[name]
        raise InputError(f"backend {name!r} is not installed: pip install 'fashion-gan[{extra}]'")


def use_backend(name: str) -> None:
    """Let Keras, which is imported after this, run on a backend. Raises InputError where it is not installed."""
    check_backend(name)
    os.environ["KERAS_BACKEND"] = name
    if name == "tensorflow" and "tensorflow" not in sys.modules:
        # TensorFlow greets with lines about its build that tell the user nothing.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with _error_output_held_back():
            importlib.import_module("tensorflow")


@contextlib.contextmanager
def _error_output_held_back() -> Iterator[None]:
    """Hold back what native code writes to standard error; let it out where an exception ends the block."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
