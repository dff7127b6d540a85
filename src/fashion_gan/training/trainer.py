"""A run and its data -> a finished run: prepare, fit until the budget ends, write the results."""

import contextlib
import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import keras

from fashion_gan.arrays import KerasModel
from fashion_gan.config import IN_MEMORY, PICTURES_PRESET, Config
from fashion_gan.datasets import Dataset
from fashion_gan.errors import InputError, describe_os_error, one_line
from fashion_gan.metrics.cache import metrics_cache_folder
from fashion_gan.networks.batch_norm_recalibration import recalibrate_batch_norm, recalibration_inputs
from fashion_gan.networks.enlarging import enlarged
from fashion_gan.rendering import images, plots
from fashion_gan.runs import Run
from fashion_gan.saving import export
from fashion_gan.saving.model_files import as_generator, save_generator
from fashion_gan.saving.origins import export_command
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS, FULL_DISK
from fashion_gan.system.backends import accelerator, freed_memory_kept, network_errors
from fashion_gan.system.processes import ALONE, ProcessGroup
from fashion_gan.system.progress import notice
from fashion_gan.training import callbacks
from fashion_gan.training.batches import choose_steps_per_execution, stream_batches
from fashion_gan.training.build import build_gan, initialize_weights
from fashion_gan.training.data import check_data, make_validation, split_validation
from fashion_gan.training.extras import NO_EXTRAS, Extras
from fashion_gan.training.gan import GAN
from fashion_gan.training.interrupt import StopRequest, stop_after_current_step
from fashion_gan.training.trackers import Tracking

if TYPE_CHECKING:  # It imports JAX.
    from fashion_gan.training.device_layout import DeviceLayout

# Above this size, in pixels, a CPU's step takes so long that the time between steps does not matter.
MAX_SIZE_FOR_SEVERAL_STEPS = 32
NO_END = 10**9  # epochs
# What a picture can fail with: a damaged frame or log, a full disk, or a broken installation of Matplotlib.
PICTURE_ERRORS = (*CORRUPT_FILE_ERRORS, ImportError)


@dataclasses.dataclass
class Training:
    """Everything that training needs, ready to start: the run, the networks, the images, and the callbacks."""

    run: Run
    gan: GAN
    dataset: Dataset
    held_out: Dataset | None
    state: callbacks.TrainingState
    logger: callbacks.MetricsLogger
    progress: callbacks.ProgressBar
    samples: callbacks.SampleGrids
    checkpoint: callbacks.Checkpoint
    validate: callbacks.Validate | None
    tracking: Tracking
    users: list[callbacks.UserCallback]

    @property
    def group(self) -> ProcessGroup:
        """The processes that train together. Most often it is one."""
        return _group(self.gan.layout)

    def ordered_callbacks(self) -> list[keras.callbacks.Callback]:
        """The callbacks in the order of their calls: the state first, pictures and the log before the checkpoint.

        The user's own come before the checkpoint, too: what they change in the networks is part of it. Of several
        processes, only the first draws, logs, tracks and shows progress.
        """
        decay = callbacks.LinearDecay(self.run.config, self.state)
        active: list[keras.callbacks.Callback] = [self.state, decay]
        if self.group.is_first:
            active += [self.logger, self.progress, self.samples, self.tracking]
        active += self.users
        if self.users and self.group.count > 1:
            active.append(callbacks.AgreeOnEnd(self.group))
        active.append(self.checkpoint)
        if self.validate is not None:
            active.append(self.validate)
        if self.run.config.preset == PICTURES_PRESET and self.group.is_first:
            active.append(callbacks.TimeEstimate(self.run.config, self.state))
        return active


def _group(layout: "DeviceLayout | None") -> ProcessGroup:
    return ALONE if layout is None else layout.group


def train_locked(
    run: Run, dataset: Dataset, extras: Extras, *, resume: bool = False, layout: "DeviceLayout | None" = None
) -> Run:
    """Train a run and lock out other processes. A write error becomes an InputError that says how to continue.

    Of several processes that train together, the first holds the lock.
    """
    with run.locked() if _group(layout).is_first else contextlib.nullcontext():
        try:
            return train(run, dataset, extras, resume=resume, layout=layout)
        except OSError as error:
            if error.errno is None:
                raise
            raise InputError(_how_to_continue(run, error)) from error


def _how_to_continue(run: Run, error: OSError) -> str:
    """The message about a write error: the file, the reason, what is kept, and what to do."""
    kept = "its last checkpoint is complete" if run.checkpoint_paths() else "it has no checkpoint yet"
    remedy = "free some space, then " if error.errno in FULL_DISK else "continue with "
    return f"{describe_os_error(error)}, in {run.path}: {kept}: {remedy}{_resume_command(run)}"


def _resume_command(run: Run) -> str:
    if run.config.data == IN_MEMORY:
        return f"fashion_gan.resume({str(run.path)!r}, data=…) with the same images"
    return f"fashion-gan train --resume {run.path}"


def train(
    run: Run,
    dataset: Dataset,
    extras: Extras = NO_EXTRAS,
    *,
    resume: bool = False,
    layout: "DeviceLayout | None" = None,
) -> Run:
    """Train until a budget ends, then write the run's files: the averaged generator, pictures, curve and film.

    Ctrl-C, SIGTERM or SIGHUP ends training after the current step, with a checkpoint.

    Args:
        run: from ``Run.create``; or from ``Run.open``, to resume.
        dataset: the training images.
        extras: the user's own callbacks, and the tracker.
        resume: continue from the run's newest checkpoint.
        layout: the devices that share the training on JAX. None: Keras's own device.

    Raises:
        InputError: the data or the checkpoint do not fit the run, or its folder cannot be written.
        TrainingDiverged: a loss or a weight is not finite.
        KeyboardInterrupt: training was stopped. The checkpoint is written.
    """
    with freed_memory_kept(), deterministic_operators(run.config):
        training = prepare(run, dataset, extras, resume=resume, layout=layout)
        fit_until_budget_ends(training)
        if training.group.is_first:
            write_results(training)
    return run


@contextlib.contextmanager
def deterministic_operators(config: Config) -> Iterator[None]:
    """Make TensorFlow use deterministic operators for the block, if the configuration asks for it."""
    if not config.deterministic or config.backend != "tensorflow":
        yield
        return
    import tensorflow as tf
    from tensorflow.python.framework import config as tensorflow_config  # No public function turns this off again.

    before = tensorflow_config.is_op_determinism_enabled()
    tf.config.experimental.enable_op_determinism()
    try:
        yield
    finally:
        if not before:
            tensorflow_config.disable_op_determinism()


def prepare(
    run: Run,
    dataset: Dataset,
    extras: Extras = NO_EXTRAS,
    *,
    resume: bool,
    layout: "DeviceLayout | None" = None,
) -> Training:
    """Build the networks and the callbacks; restore a checkpoint, or write the first one."""
    config, group = run.config, _group(layout)
    group.how_to_continue = f"continue every process with {_resume_command(run)}"
    check_data(config, dataset)
    if resume and group.is_first:
        run.restore_parts(dataset.fingerprint)
        if run.data_fingerprint != dataset.fingerprint:
            raise InputError(f"{run.path} was not trained on the data from {dataset.source}: its images were different")
    dataset, held_out = split_validation(config, dataset)
    gan = build_gan(config, layout)
    state = callbacks.TrainingState.from_config(config, len(dataset.images))
    logger = callbacks.MetricsLogger(run, state)
    checkpoint = callbacks.Checkpoint(run, state, logger, group)
    checkpoint.set_model(gan)
    if group.is_first:
        restore(checkpoint, gan, resume=resume)
    if group.count > 1:
        share_start(checkpoint, gan)
    if not state.step:
        checkpoint.save()  # So that there is always a good checkpoint.
    shown = enlarged(gan.averaged_generator, config.image_size)
    samples = callbacks.SampleGrids(run, state, as_generator(shown, config))
    samples.set_model(gan)
    validate = None
    if config.evaluate_every_epochs:
        cache = metrics_cache_folder()
        validation = make_validation(config, dataset, held_out, cache) if group.is_first else None
        validate = callbacks.Validate(run, state, logger, checkpoint, validation, group)
        validate.set_model(gan)
    progress = callbacks.ProgressBar(config, state)
    tracking = Tracking(run, state, extras.tracker)
    logger.track = tracking.scalar
    users = [callbacks.UserCallback(callback, state) for callback in extras.callbacks]
    return Training(
        run, gan, dataset, held_out, state, logger, progress, samples, checkpoint, validate, tracking, users
    )


def restore(checkpoint: callbacks.Checkpoint, gan: GAN, *, resume: bool) -> None:
    """Restore a resumed run's newest checkpoint. Give a new run the weights that it starts from."""
    run, state = checkpoint.run, checkpoint.state
    if resume:
        if run.checkpoint_paths():
            checkpoint.load()
        elif run.log_path.exists():
            notice(f"{run.path} has no checkpoint: it starts again from its first step")
        run.rewind(state.step)
        run.write_config()
    if run.config.init_from and not run.checkpoint_paths():
        initialize_weights(gan, run.config)


def share_start(checkpoint: callbacks.Checkpoint, gan: GAN) -> None:
    """Give all processes the first one's step and state, so that only that one must reach the run's folder."""
    state, group = checkpoint.state, checkpoint.group
    state.step, state.seconds = group.broadcast([state.step, state.seconds])
    gan.load_state(group.broadcast_arrays(gan.state()))
    if state.step:
        checkpoint.mark_saved()


def agree_on_stop(group: ProcessGroup, stop: StopRequest, seconds: float) -> float:
    """Stop all processes after this step if one of them has got a signal.

    Returns:
        The training time of the first process, by which all keep their budgets.
    """
    values = group.gather(seconds, stop.is_set())
    if values[:, 1].any():
        stop.set()
    return float(values[0, 0])


def fit_until_budget_ends(training: Training) -> None:
    """Run ``fit`` until a budget ends or a signal arrives; then write a checkpoint and its score.

    Raises:
        KeyboardInterrupt: a signal arrived. The message says how to continue.
        InputError: a callback of the user has failed.
    """
    state, config = training.state, training.run.config
    if config.core.image_size <= MAX_SIZE_FOR_SEVERAL_STEPS or accelerator(config.backend):
        training.gan.steps_per_execution = choose_steps_per_execution(
            state.steps_per_epoch, state.total_steps or 0, state.step
        )
    with (
        stop_after_current_step() as stop,
        contextlib.closing(training.progress),
        contextlib.closing(training.logger),
        contextlib.closing(training.tracking),
    ):
        all_callbacks = [*training.ordered_callbacks(), stop]
        if training.group.count > 1:
            state.agree_on_seconds = functools.partial(agree_on_stop, training.group, stop)
        if training.group.is_first:
            training.logger.open()
            training.tracking.open()
        if training.validate is not None:
            training.validate.catch_up()
        while not (state.is_over or stop.is_set()):
            fit(training, all_callbacks)
            if training.gan.stop_training:  # Also by a callback of the user, such as EarlyStopping.
                break
        for user in training.users:
            user.end()
        training.checkpoint.save()
        if training.group.is_first:
            training.tracking.picture(training.samples.draw)
        if training.validate is not None and not stop.is_set():  # A budget can end in the middle of an epoch.
            training.validate.score()
    training.gan.sync_variables()
    for user in training.users:
        user.raise_failure(f"continue with {_resume_command(training.run)}")
    if stop.is_set():
        training.group.leave()
        raise KeyboardInterrupt(f"stopped at step {state.step}: continue with {_resume_command(training.run)}")


def fit(training: Training, all_callbacks: list[keras.callbacks.Callback]) -> None:
    """One call of Keras's ``fit``. A resumed run first finishes its epoch; the next call trains all the others."""
    gan, state, config = training.gan, training.state, training.run.config
    epoch, steps_done = divmod(state.step, state.steps_per_epoch)
    steps_left = state.total_steps - state.step if state.total_steps else state.steps_per_epoch
    held_out = training.held_out if gan.augmentation is not None and gan.augmentation.uses_held_out else None
    batches = stream_batches(
        training.dataset.images,
        training.dataset.labels,
        batch_size=config.batch_size,
        seed=config.seed,
        first_step=state.step,
        steps_per_execution=gan.steps_per_execution,
        held_out=None if held_out is None else (held_out.images, held_out.labels),
        part=None if gan.layout is None else (training.group.index, training.group.count),
    )
    gan.fit(
        batches if gan.layout is None else gan.layout.place(batches),
        initial_epoch=epoch,
        epochs=epoch + 1 if steps_done else config.epochs or NO_END,
        steps_per_epoch=min(state.steps_per_epoch - steps_done, steps_left),
        shuffle=False,
        verbose=0,
        callbacks=all_callbacks,
    )


def write_results(training: Training) -> None:
    """Write a finished run's files: the averaged generator first, then what can be made from it or the checkpoints."""
    run = training.run
    recalibrate_batch_norm(training.gan.averaged_generator, recalibration_inputs(run.config))
    generator = enlarged(training.gan.averaged_generator, run.config.image_size)
    for path in (run.generator_path, run.h5_generator_path):
        save_generator(generator, run.config, path)
    save_pictures(training)
    save_onnx(run, generator, run.onnx_generator_path)
    if run.config.evaluate_every_epochs and run.has_best_checkpoint:
        best = run.load_generator_model(best=True)
        save_generator(best, run.config, run.best_generator_path)
        save_onnx(run, best, run.best_onnx_generator_path)


def save_onnx(run: Run, generator: KerasModel, path: Path) -> None:
    """Write a generator for users without Keras. If that fails, or no converter is installed, print a line."""
    config = dataclasses.replace(run.config, data=None, init_from=None)  # Leave out this machine's paths.
    # A converter may not fit the installed versions of other libraries.
    errors: tuple[type[Exception], ...] = (*network_errors(), ImportError)
    try:
        export.save(generator, config, "onnx", path)
    except errors as error:
        command = export_command(run.path, path, best=path == run.best_onnx_generator_path)
        notice(f"{path.name} was not written: {one_line(error)}. To draw without Keras, write it by: {command}")


def save_pictures(training: Training) -> None:
    """Write the last sample grid, the curve and the film. A picture that fails is a line on standard error."""
    run, last_sample = training.run, training.run.sample_path(training.state.epoch)
    with told_if_it_fails(last_sample.name):
        training.samples.save()
    with told_if_it_fails(run.training_curve_path.name):
        plots.training_curve(run.read_log(), run.training_curve_path)
    with told_if_it_fails(run.film_path.name):
        images.save_gif(run.film_path, [images.load_png(path) for path in (*run.frame_paths(), last_sample)])


@contextlib.contextmanager
def told_if_it_fails(name: str) -> Iterator[None]:
    """Turn the error of a picture into a line on standard error. The run is complete without it."""
    try:
        yield
    except PICTURE_ERRORS as error:
        notice(f"{name} was not written: {one_line(error)}")
