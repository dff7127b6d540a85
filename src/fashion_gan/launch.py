"""What the user asks for in words -> a run or a generator; the backend is settled before Keras is imported."""

import dataclasses
import os
from pathlib import Path
from typing import Any

from fashion_gan import origins, pretrained
from fashion_gan.backends import check_backend, default_backend, use_backend
from fashion_gan.config import Config
from fashion_gan.datasets import DATA_VARIABLE, Dataset, load_training_images
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.runs import Run

BUDGETS = ("epochs", "steps", "minutes")
# What weights to start from must have in common with the networks asked for.
SAME_NETWORKS = ("family", "image_size", "channels", "width", "generator_widening", "latent_dim", "conditional")
MODEL_SUFFIXES = (".onnx", ".keras", ".h5", ".safetensors")
RESUMABLE = (*BUDGETS, "save_interval", "checkpoint_every", "data")  # what a resumed run may do differently


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
    if settings.get("class_names"):
        raise InputError("class_names is not for you to set: the classes come with the data")
    data = settings.get("data") or os.environ.get(DATA_VARIABLE)
    # Written down in full, so that the run can go on from another folder and without the variable.
    settings["data"] = Path(data).expanduser().absolute() if data else None
    source = settings.get("start_from")
    if source and not origins.is_shipped(source):
        settings["start_from"] = Run.open(Path(source).expanduser().absolute()).path
    config = Config.from_preset(preset, **settings)
    theirs = None if config.start_from is None else origins.config_of(config.start_from)
    if theirs is not None:
        config = _fit_to_start(config, theirs, depth=settings.get("discriminator_depth"))
    check_backend(config.backend)
    dataset = load_training_images(config.data, config.image_size, config.channels)
    if config.conditional:
        config = dataclasses.replace(config, class_names=dataset.class_names)
    if theirs is not None and settings.get("centre") is None:
        # Of the same classes, as for the average: other pictures need not be in the middle.
        same = bool(config.class_names) and config.class_names == theirs.class_names
        config = dataclasses.replace(config, centre=theirs.centre and same)
    return config, dataset


def _fit_to_start(config: Config, theirs: Config, depth: int | None) -> Config:
    """The configuration, with as deep a discriminator as the trained one where none was asked for.

    ``theirs`` is what the weights to start from were made by. Raises InputError where those are of other networks.
    """
    for setting in SAME_NETWORKS:
        ours, found = getattr(config, setting), getattr(theirs, setting)
        if ours != found:
            raise InputError(f"start_from={config.start_from!r} has {setting}={found!r}, and {ours!r} was asked for")
    if depth is not None and depth < theirs.discriminator_depth:
        raise InputError(
            f"start_from={config.start_from!r} has discriminator_depth={theirs.discriminator_depth}, which cannot "
            f"become {depth} as was asked: layers can be added, and not be left out"
        )
    return dataclasses.replace(config, discriminator_depth=max(theirs.discriminator_depth, config.discriminator_depth))


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
    if "data" in given:  # It may have moved; its checksum is what must be the same.
        given["data"] = Path(given["data"]).expanduser().absolute()
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


def load_generator(source: str | Path, *, raw: bool = False, best: bool = False) -> Generator:
    """Read a trained generator: a shipped one by its name, a run's, or a file's that fashion-gan wrote.

    No code in a file is run: the network is rebuilt from its configuration and only weights are read. A shipped model
    and an ``.onnx`` file need no training framework.

    Args:
        source: a shipped model's name ("fashion"), a run's folder (its newest checkpoint), or an ``.onnx``,
            ``.keras``, ``.h5`` or ``.safetensors`` file. A folder that is called as a shipped model is meant by
            ``./fashion``.
        raw: the weights as trained and not their moving average; of a run's folder only.
        best: the best checkpoint by ``evaluate_every`` and not the newest; of a run's folder only.

    Raises:
        InputError: there is nothing there, the file is not ours, or it is damaged.
    """
    path = _model_path(source, of_run=raw or best)
    if path.suffix.lower() == ".onnx":
        return Generator.load(path)
    use_backend(default_backend())
    from fashion_gan import model_files

    return model_files.load_generator(path, raw=raw, best=best)


def weights_file(source: str | Path) -> Path:
    """The file that ``load_generator`` reads the weights from. Raises InputError as it does."""
    path = _model_path(source)
    if not path.is_dir():
        return path
    step, _ = Run.open(path).load_checkpoint()
    return path / "checkpoints" / f"step-{step:09d}.npz"


def _model_path(source: str | Path, shipped_file: str = "generator.onnx", *, of_run: bool = False) -> Path:
    """The run's folder or the file that a source means. Raises InputError where nothing is there, or not a run."""
    path = pretrained.folder(str(source)) / shipped_file if origins.is_shipped(source) else Path(source)
    if of_run and not path.is_dir():
        raise InputError(f"raw weights and best checkpoints are in a run's folder, and {source} is none")
    if not path.exists():
        raise InputError(
            f"{source} is neither a shipped model ({', '.join(pretrained.names())}) nor a run's folder nor a model "
            "file: there is nothing of that name"
        )
    return path


def export_generator(source: str | Path, kind: str, out: str | Path, *, raw: bool = False, best: bool = False) -> float:
    """Write a trained generator in a format that people deploy, and check it in that format's own runtime.

    Args:
        source: a shipped model's name, a run's folder, or a ``.keras``, ``.h5`` or ``.safetensors`` file of ours; for
            "html" and "openvino", which need no Keras then, an ``.onnx`` file too.
        kind: "onnx", "keras", "h5", "safetensors", "litert", "html", "saved_model" or "openvino".
        out: the file; the folder for the last two. What is there is replaced if all goes well.
        raw, best: which weights of a run, see ``load_generator``.

    Returns:
        The largest difference of a pixel in [-1, 1] between the source and what was written, on 20 latents.

    Raises:
        InputError: the source cannot be read, a library is missing (the message says how to install it), ``out`` is
            not for the format, or what was written draws other images: pixels that differ by over 1e-3.
        OSError: ``out`` cannot be written.
    """
    from fashion_gan import export

    by_onnx = kind in export.FORMATS and export.FORMATS[kind].by_onnx
    path = _model_path(source, "generator.onnx" if by_onnx else "generator.keras", of_run=raw or best)
    if path.suffix.lower() == ".onnx":
        return export.save_from_onnx(path, kind, Path(out))
    use_backend(default_backend())
    from fashion_gan import model_files

    model, config = model_files.load_model(path, raw=raw, best=best)
    # Where the run's data lay is nobody's business who gets the file.
    return export.save(model, dataclasses.replace(config, data=None, start_from=None), kind, Path(out))


def import_generator(path: str | Path, out: str | Path) -> Any:
    """Make an ``.onnx`` file of ours from a generator that a program with Keras 2 or tf.keras saved as ``.h5``.

    Nothing in the file is run: its architecture is read as text and built from a list of plain layers.

    Args:
        path: a Sequential or functional generator: a latent vector, and perhaps a class's number, in; an image out.
        out: the ``.onnx`` file. What is there is replaced if all goes well.

    Returns:
        What was found: ``latent_dim``, ``class_names``, the image's ``shape``, the range ``lowest`` to ``highest`` of
        its pixels, which are scaled to [-1, 1], and the ``difference`` between Keras and ONNX Runtime.

    Raises:
        InputError: the file is not such a generator, is damaged, or holds what cannot be imported.
        OSError: ``out`` cannot be written.
    """
    use_backend(default_backend())
    from fashion_gan.foreign import generators

    return generators.import_generator(path, out)


def load_gan(source: str | Path, *, best: bool = False) -> Any:
    """Read both networks of a shipped model, or of a run, for example to score pictures or to train them further.

    Args:
        source: a shipped model's name ("fashion"), or a run's folder (its newest checkpoint, on the backend that the
            run was trained on).
        best: the best checkpoint by ``evaluate_every`` and not the newest; of a run's folder only.

    Returns:
        A compiled ``fashion_gan.gan.GAN``, for example for its ``realism(images)``.

    Raises:
        InputError: there is no such model, run or checkpoint, or Keras already runs on another backend.
    """
    use_backend(default_backend() if origins.is_shipped(source) else Run.open(source).config.backend)
    from fashion_gan import training

    return training.load_gan(source, best=best)
