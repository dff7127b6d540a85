"""Train a GAN, or resume a run."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy.typing as npt

from fashion_gan.arrays import JsonObject
from fashion_gan.classes import same_classes
from fashion_gan.config import (
    BACKENDS,
    DEFAULT_PRESET,
    IN_MEMORY,
    PICTURES_PRESET,
    PRESETS,
    READ_FROM_THE_DATA,
    Config,
    TrainSettings,
    check_setting_names,
)
from fashion_gan.datasets import (
    DATA_VARIABLE,
    Data,
    Dataset,
    PictureOptions,
    is_fashion_mnist,
    is_in_memory,
    requested_folder,
)
from fashion_gan.datasets.survey import survey
from fashion_gan.datasets.training_images import FoundImages, find_training_images
from fashion_gan.errors import InputError, check_choice, show
from fashion_gan.hub.address import is_address
from fashion_gan.hub.download import fetch_dataset
from fashion_gan.runs import CONFIG_FILE, Run
from fashion_gan.saving.origins import is_shipped, resolve
from fashion_gan.system import console
from fashion_gan.system.backends import accelerator, check_backend, default_backend, temporary_files_in, use_backend
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.paths import user_path
from fashion_gan.system.processes import DeviceOptions, joined
from fashion_gan.training.choices import as_settings, choose_settings, describe
from fashion_gan.training.data import check_data, choose_augmentation, held_out_count
from fashion_gan.training.extras import NO_EXTRAS, Extras

if TYPE_CHECKING:  # It imports JAX.
    from fashion_gan.training.device_layout import DeviceLayout

BUDGETS = ("epochs", "steps", "minutes")
# Settings that must be the same in a model and in a run that starts from its weights (``init_from``).
SHARED_SETTINGS = (
    "architecture",
    "image_size",
    "channels",
    "base_channels",
    "generator_width_factor",
    "stage_sizes",
    "latent_dim",
    "conditional",
)
# Settings of a run that starts from a model (``init_from``) without a preset: those of the model.
NETWORK_SETTINGS = (*(name for name in SHARED_SETTINGS if name != "stage_sizes"), "core_size", "stages")
# Settings that a resumed run may change.
RESUMABLE = (*BUDGETS, "patience", "save_interval", "checkpoint_every_steps", "data")


@default_settings()
def train(
    preset: str | Config | None = None,
    *,
    data: Data | None = None,
    labels: npt.ArrayLike | None = None,
    out: str | Path = "runs",
    callbacks: Sequence[Any] = (),
    tracker: str = "none",
    devices: int | str | None = None,
    coordinator: str | None = None,
    process: int | None = None,
    processes: int | None = None,
    **settings: Unpack[TrainSettings],
) -> Run:
    """Train a GAN. All output is written to a new numbered folder.

    The networks are built on the backend that Keras runs on, or on the first one installed. While training runs, Ctrl-C
    and SIGTERM end it after the current step. Afterwards the previous signal handlers are restored.

    Args:
        preset: a name in ``PRESETS``, or a complete ``Config``. The other settings replace those of a named preset.
            None: that of the ``init_from`` model, with its networks' settings; or else "fashion" for Fashion-MNIST, and
            "pictures" for other data. For "pictures", more settings are chosen from the data, and a table says why.
        data: a folder of the four Fashion-MNIST files; or your own pictures in a folder, a file or an array, as
            ``load_training_images`` takes them. None: the folder in ``FASHION_GAN_DATA``, or else Fashion-MNIST.
        labels: the classes of an array's images: names or numbers (N,) or (N, 1), or one-hot rows. None: no classes.
        out: the folder in which the run's folder is made.
        callbacks: Keras callbacks. They are called in their order after each step, before its checkpoint is written.
            An error in one ends training with a checkpoint. EarlyStopping and the like end training, too. Of several
            processes, each calls its own.
        tracker: where losses, scores, grids and settings are shown besides the run's folder: "tensorboard", "wandb",
            "mlflow" or "aim". "none": nowhere; losses and scores are in TensorBoard's files of the folder in any case.
        devices: the number of devices that share the training, or "all". Only on JAX. The results are the same on any
            number, up to rounding. None: one.
        coordinator: HOST:PORT of the first of several processes that share the training; or "auto", if Slurm, Open MPI
            or Kubernetes has started them. JAX must not have computed anything before. If one of the processes dies,
            this one ends too.
        process: this process's number, from 0. Process 0 writes the run's folder.
        processes: how many processes there are.
        **settings: any settings of ``Config``, for example ``epochs``, ``batch_size``, ``save_interval``. None: the
            preset's value.

    Returns:
        The run. ``run.path`` is its folder.

    Raises:
        InputError: a setting, the data or the folder cannot be used.
        TrainingDiverged: a loss or a weight is not finite.
        KeyboardInterrupt: training was stopped; ``resume`` continues it.

    Example:
        >>> run = fashion_gan.train("fashion", data="pictures", image_size=16, batch_size=8, steps=3)
        class          pictures  width×height
        left                 20  16×16
        right                20  16×16
        all 2 classes        40
        epoch 1  step ... left
        >>> fashion_gan.load_generator(run).generate(9, labels="left").shape
        (9, 16, 16, 1)

    A run does not store images that were in memory: ``resume`` needs them again.

    Source: Goodfellow et al. 2014, arXiv:1406.2661; Radford et al. 2015, arXiv:1511.06434.
    """
    folder, extras = user_path("out", out), Extras(callbacks, tracker)  # Checked before the data are read.
    options = DeviceOptions(devices, coordinator, process, processes)
    backend = preset.backend if isinstance(preset, Config) else settings.get("backend")
    with device_layout(options, backend) as layout:
        config, dataset = plan(preset, data=data, labels=labels, **settings)
        _print_contents(dataset)
        return start_training(config, dataset, folder, extras, layout)


@default_settings()
def resume(
    path: str | Path,
    *,
    callbacks: Sequence[Any] = (),
    tracker: str = "none",
    devices: int | str | None = None,
    coordinator: str | None = None,
    process: int | None = None,
    processes: int | None = None,
    **settings: Any,
) -> Run:
    """Continue a run from its newest checkpoint, or from its start if it has none.

    Args:
        path: the run's folder.
        callbacks, tracker: as in ``train``. A tracker continues the run that it has. Callbacks start anew.
        devices, coordinator, process, processes: as for ``train``. They need not be those that the run was started
            with.
        **settings: new budgets (``epochs``, ``steps``, ``minutes``; any one of them replaces all three), counted from
            the start of the run; ``patience``; ``save_interval``; ``checkpoint_every_steps``; or ``data``, if the
            folder has moved, or if the images were in memory. Then ``labels`` are needed again, too.

    Returns:
        The run.

    Raises:
        InputError: a setting contradicts the run's own, or the data or the checkpoint do not fit.
        TrainingDiverged, KeyboardInterrupt: as ``train`` does.

    Example:
        >>> run = fashion_gan.resume("runs/0001-fashion", epochs=4)
        class          pictures  width×height
        left                 20  16×16
        right                20  16×16
        all 2 classes        40
        epoch 4/4  step ... left
        >>> int(run.read_log()["step"][-1])
        20
    """
    extras = Extras(callbacks, tracker)
    options = DeviceOptions(devices, coordinator, process, processes)
    with device_layout(options, Run.open(path).config.backend) as layout:
        run, dataset = plan_resume(path, **settings)
        _print_contents(dataset)
        return continue_training(run, dataset, extras, layout)


@contextlib.contextmanager
def device_layout(options: DeviceOptions, backend: str | None) -> Iterator["DeviceLayout | None"]:
    """Join the other processes for the block, and find the devices. Enter it before JAX computes anything.

    Args:
        options: what the user asks for. Without any, the layout is None.
        backend: the backend of the training. None: the default.

    Raises:
        InputError: the devices or the other processes are not there, or the backend is not JAX.
    """
    if not options.is_given:
        yield None
        return
    name = default_backend() if backend is None else check_choice("backend", backend, BACKENDS)
    options.check_backend(name)
    use_backend(name)
    with joined(options) as group:
        from fashion_gan.training.device_layout import DeviceLayout

        yield DeviceLayout.of(group, options.count)


def _check_layout(layout: "DeviceLayout | None", config: Config, dataset: Dataset, *, resumes: bool) -> None:
    """Raise InputError if the devices cannot share a batch, or if the processes have other settings or images."""
    if layout is None:
        return
    layout.check_batch_size(config.batch_size)
    facts = dataclasses.asdict(config)
    for name in ("data", "init_from"):  # Paths, which may differ between machines.
        facts.pop(name)
    facts |= {"resume": resumes, "devices": len(layout.devices), "JAX version": version("jax")}
    layout.group.check_same({**facts, "training images (SHA-256)": dataset.fingerprint})


def _print_contents(dataset: Dataset) -> None:
    """Print what the user's own pictures are, so that nothing is left out silently."""
    if dataset.contents is not None:
        print(dataset.contents, file=console.output(), flush=True)


@default_settings()
def plan(
    preset: str | Config | None = None, labels: npt.ArrayLike | None = None, **settings: Any
) -> tuple[Config, Dataset]:
    """The configuration that ``train`` would use, with the classes of its data, and the data.

    The arguments are those of ``train``.

    Raises:
        InputError: a setting or the data cannot be used.
    """
    is_complete = isinstance(preset, Config)
    if isinstance(preset, Config):
        preset, settings = _settings_of(preset, settings)
    if preset is not None:
        check_choice("preset", preset, PRESETS)
    check_setting_names(settings)
    if settings.get("backend") is None:
        settings["backend"] = default_backend()
    check_backend(check_choice("backend", settings["backend"], BACKENDS))
    for name in READ_FROM_THE_DATA:
        if settings.get(name) is not None:
            raise InputError(f"{name} cannot be set: the classes come with the data")
    settings["data"], data = _find_data(settings.get("data"))
    trained, found = _trained_config(settings), None
    if trained is not None and preset is None:
        preset, settings = trained.preset, _with_networks_of(trained, settings)
    if preset in (None, PICTURES_PRESET) and not is_complete:
        found = find_training_images(data, labels)
        preset, settings = _chosen_from(found, preset, settings)
    config = Config.from_preset(preset or DEFAULT_PRESET, **settings)
    if trained is not None:
        config = _match_networks(config, trained, depth=settings.get("discriminator_depth"))
    dataset = _load(found or find_training_images(data, labels), config)
    config = _with_classes(config, dataset)
    if trained is not None:
        # Refuses classes that cannot be matched, before anything is written.
        is_same = same_classes(config.class_names, trained.class_names)
        if settings.get("center_images") is None:
            # Keep this setting only if the classes are the same: pictures of other classes may be off center.
            config = dataclasses.replace(config, center_images=trained.center_images and is_same)
    check_data(config, dataset)
    return _with_augmentation(config, dataset), dataset


def _with_augmentation(config: Config, dataset: Dataset) -> Config:
    """The configuration with the augmentation that fits its data. A line says what was chosen and why."""
    config, symmetry = choose_augmentation(config, dataset)
    if symmetry is not None:
        changes = ", ".join(config.augmentations or ()) + ("" if symmetry.is_symmetric else ", no mirror")
        print(f"augmentation: {changes} ({symmetry})", file=console.output(), flush=True)
    return config


def _find_data(data: Any) -> tuple[str | None, Any]:
    """The setting ``data`` of a run, and the data that are loaded.

    A path becomes an absolute one, so that a run can be resumed from another folder. An address on the Hub gets its
    commit, so that a run is resumed on the same data.

    Raises:
        InputError: the data were those of a run on images in memory, and are not given.
    """
    if is_in_memory(data):
        return IN_MEMORY, data
    if data == IN_MEMORY:
        raise InputError("the images of this Config were in memory: give them again with data, and perhaps labels")
    asked = os.environ.get(DATA_VARIABLE) if data is None else data
    if is_address(asked):
        snapshot = fetch_dataset(asked)
        return str(snapshot.address), str(snapshot.folder)
    folder = requested_folder(data)
    place = None if folder is None else str(folder.absolute())
    return place, place


def _chosen_from(found: FoundImages, preset: str | None, settings: JsonObject) -> tuple[str, JsonObject]:
    """The preset for the data, if none is named, and the settings. A table says which were chosen and why."""
    if preset is None and _is_fashion_mnist(found.content):
        return DEFAULT_PRESET, settings
    given = {name: value for name, value in settings.items() if value is not None}
    options = PictureOptions(**{name: given[name] for name in ("fit", "background", "skip_damaged") if name in given})
    what = survey(found, options)
    choices = choose_settings(what, given, on_accelerator=accelerator(given["backend"]) is not None)
    print(f"{describe(what, choices)}\n", file=console.output(), flush=True)
    return PICTURES_PRESET, {**as_settings(choices), **given}


def _is_fashion_mnist(content: object) -> bool:
    return isinstance(content, Dataset) and is_fashion_mnist(content.class_names, content.images.shape[1:])


def _with_networks_of(trained: Config, settings: JsonObject) -> JsonObject:
    """The settings, with those of the trained networks where none is set."""
    given = {name: value for name, value in settings.items() if value is not None}
    return {**{name: getattr(trained, name) for name in NETWORK_SETTINGS}, **given}


def _load(found: FoundImages, config: Config) -> Dataset:
    return found.load(config.image_size, config.channels, PictureOptions.from_config(config))


def _with_classes(config: Config, dataset: Dataset) -> Config:
    """The configuration with the classes of its data."""
    class_names = dataset.class_names if config.conditional else ()
    return dataclasses.replace(config, class_names=class_names, data_classes=dataset.class_names)


def _settings_of(config: Config, settings: JsonObject) -> tuple[str, JsonObject]:
    """A complete configuration as a preset's name and settings."""
    changed = sorted(name for name, value in settings.items() if value is not None and name != "data")
    if changed:
        raise InputError(f"{', '.join(changed)} cannot be set together with a complete Config: set it in the Config")
    values = dataclasses.asdict(config)
    for name in READ_FROM_THE_DATA:
        values.pop(name)
    if settings.get("data") is not None:
        values["data"] = settings["data"]
    return values.pop("preset"), values


def _trained_config(settings: JsonObject) -> Config | None:
    """The configuration of the ``init_from`` model.

    If it is a run, the setting becomes an absolute path. An address on the Hub gets its commit.
    """
    model = settings.get("init_from")
    if model is None:
        return None
    if is_address(model):
        source = resolve(model)
        settings["init_from"] = source.address
        if source.config is None:
            raise InputError(f"{model} holds no {CONFIG_FILE}, so training cannot start from it")
        return source.config
    if not is_shipped(model):
        model = settings["init_from"] = Run.open(user_path("init_from", model).absolute()).path
    return resolve(model).config


def _match_networks(config: Config, trained: Config, depth: int | None) -> Config:
    """The configuration, with the trained discriminator's depth if none was requested.

    Raises:
        InputError: the trained weights belong to a different network.
    """
    for setting in SHARED_SETTINGS:
        requested, stored = getattr(config, setting), getattr(trained, setting)
        if requested != stored:
            raise InputError(
                f"init_from={config.init_from!r} has {setting}={stored!r}, but {requested!r} was requested"
            )
    if depth is not None and depth < trained.discriminator_depth:
        raise InputError(
            f"init_from={config.init_from!r} has discriminator_depth={trained.discriminator_depth}, which cannot "
            f"become {depth}: layers can be added, but not removed"
        )
    return dataclasses.replace(config, discriminator_depth=max(trained.discriminator_depth, config.discriminator_depth))


def held_out_text(config: Config, dataset: Dataset) -> str:
    """How many images are held out for the scores during training; "" if there are no scores."""
    if not config.evaluate_every_epochs:
        return ""
    count = held_out_count(config, dataset)
    return f" ({count:,} of them held out for evaluation)" if count else " (too few to hold any out for evaluation)"


@default_settings()
def start_training(
    config: Config,
    dataset: Dataset,
    out: str | Path,
    extras: Extras = NO_EXTRAS,
    layout: "DeviceLayout | None" = None,
) -> Run:
    """Create a run and train it, with the configuration and the data from ``plan``.

    Of several processes, the first makes the folder.
    """
    with temporary_files_in(out):
        use_backend(config.backend)
        from fashion_gan.training import trainer

        _check_layout(layout, config, dataset, resumes=False)
        is_first = layout is None or layout.group.is_first
        run = Run.create(out, config, dataset.fingerprint) if is_first else Run(out, config)
        if layout is not None:
            run = Run(layout.group.broadcast(str(run.path)), config)
        return trainer.train_locked(run, dataset, extras, layout=layout)


@default_settings()
def plan_resume(
    path: str | Path, data: Data | None = None, labels: npt.ArrayLike | None = None, **settings: Any
) -> tuple[Run, Dataset]:
    """The run that ``resume`` would continue, with its new configuration, and its data.

    The arguments are those of ``resume``.

    Raises:
        InputError: a setting contradicts the run's own, or the data cannot be used.
    """
    run = Run.open(path)
    if data is not None:  # The folder may have moved. The data's fingerprint must be the same.
        settings["data"], data = _find_data(data)
    run.config = _resumed_config(run, settings)
    check_backend(run.config.backend)
    if data is None:
        data = _data_of(run)
    dataset = _load(find_training_images(data, labels), run.config)
    check_data(run.config, dataset)
    return run, dataset


def _data_of(run: Run) -> str | None:
    """The place of a run's data. Raises InputError if there is nothing any more."""
    place = run.config.data
    if place == IN_MEMORY:
        raise InputError(
            f"{run.path} was trained on images in memory, which it does not store: give them again with data and "
            "labels in fashion_gan.resume, or name a folder or a file of the same images with data (--data)"
        )
    if place is not None and not is_address(place) and not Path(place).exists():
        raise InputError(
            f"{run.path} was trained on {place}, which is no longer there: if it has moved, name its new place with "
            "data (--data)"
        )
    return place


@default_settings()
def continue_training(
    run: Run, dataset: Dataset, extras: Extras = NO_EXTRAS, layout: "DeviceLayout | None" = None
) -> Run:
    """Continue a run, with the run and the data from ``plan_resume``."""
    with temporary_files_in(run.path):
        use_backend(run.config.backend)
        from fashion_gan.training import trainer

        _check_layout(layout, run.config, dataset, resumes=True)
        return trainer.train_locked(run, dataset, extras, resume=True, layout=layout)


def _is_same(config: Config, name: str, value: object) -> bool:
    """Whether a setting has this value. Values of other types, such as arrays, are different."""
    if isinstance(getattr(config, name), tuple) and isinstance(value, str):
        value = tuple(value.split(","))
    return isinstance(value, (str, int, float, tuple, Path)) and bool(getattr(config, name) == value)


def _resumed_config(run: Run, settings: JsonObject) -> Config:
    """The run's configuration with the settings that a resumed run may change."""
    changes = {name: value for name, value in settings.items() if value is not None}
    check_setting_names(changes)
    for name, value in changes.items():
        if name not in RESUMABLE and not _is_same(run.config, name, value):
            raise InputError(
                f"{run.path} was started with {name}={getattr(run.config, name)!r} and cannot continue with "
                f"{show(value)}: a resumed run may only change {', '.join(RESUMABLE)}"
            )
    changes = {name: value for name, value in changes.items() if name in RESUMABLE}
    if any(name in changes for name in BUDGETS):
        changes = {**dict.fromkeys(BUDGETS), **changes}
    return dataclasses.replace(run.config, **changes)
