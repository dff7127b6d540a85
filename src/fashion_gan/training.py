"""A configuration and data -> a finished run: everything that training leaves in its folder."""

import contextlib
import dataclasses
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fashion_gan import callbacks, curves, origins, pictures, pretrained
from fashion_gan.augment import Augmentation
from fashion_gan.backends import accelerator, use_backend, work_side_by_side
from fashion_gan.batches import batches, steps_in_epoch, steps_per_execution
from fashion_gan.config import Config
from fashion_gan.datasets import CLASS_NAMES, Dataset
from fashion_gan.errors import InputError
from fashion_gan.files import read_arrays
from fashion_gan.gan import GAN
from fashion_gan.metrics import kept, validation
from fashion_gan.metrics.validation import Validation
from fashion_gan.model_files import as_generator, load_model, model_of_run, save_generator
from fashion_gan.networks import build_discriminator, build_generator
from fashion_gan.networks.settling import settle
from fashion_gan.optimizers import Adam
from fashion_gan.runs import Run

LARGEST_IMAGE_TO_GROUP = 32  # In pixels; of larger ones a CPU's step takes so long that what is between is nothing.


def build_gan(config: Config) -> GAN:
    """The compiled GAN of a configuration; the same seed gives the same weights.

    Raises:
        InputError: the configuration asks for another backend than the one that Keras runs on.
    """
    if config.conditional != bool(config.class_names):
        raise InputError("class_names must name the classes of a conditional run, and of no other")
    use_backend(config.backend)
    if config.backend == "tensorflow" and config.family == "residual":
        work_side_by_side()
    keras.utils.set_random_seed(config.seed)
    if config.deterministic and config.backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    # bfloat16, for its range: the inner optimizers would bypass the loss scaling that float16 needs.
    with _computing_in("mixed_bfloat16" if config.mixed_precision else "float32"):
        trained = build_generator(config), build_discriminator(config)
    # Images are changed in float32, and so the average draws them, which is looked at, scored and kept.
    with _computing_in("float32"):
        gan = GAN(
            *trained,
            build_generator(config, "averaged_generator"),
            loss=config.loss,
            penalty=config.penalty,
            fake_penalty=config.fake_penalty,
            penalty_interval=config.penalty_interval,
            classification=config.classification,
            ema_decay=config.ema_decay,
            augmentation=Augmentation(config.seed, name="augmentation") if config.augment else None,
            seed=config.seed,
        )
    rates = {
        "generator": config.learning_rate,
        "discriminator": config.discriminator_learning_rate or config.learning_rate,
    }
    generator_adam, discriminator_adam = (
        Adam(rate, beta_1=config.beta_1, name=f"{name}_adam") for name, rate in rates.items()
    )
    gan.compile(generator_adam, discriminator_adam, jit_compile=config.jit_compile or config.backend == "jax")
    return gan


@contextlib.contextmanager
def _computing_in(policy: str) -> Iterator[None]:
    """Let the layers that are made meanwhile follow a dtype policy of Keras; the user's own comes back."""
    theirs = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(theirs)


def load_gan(source: str | Path, *, best: bool = False) -> GAN:
    """Both networks of a shipped model, or of a run as a checkpoint left them; see ``launch.load_gan``."""
    shipped = origins.is_shipped(source)
    if shipped and best:
        raise InputError(f"best checkpoints are in a run's folder, and {source} is none")
    config = origins.config_of(source)
    gan = build_gan(dataclasses.replace(config, backend=keras.backend.backend()))
    if shipped:
        _load_shipped(gan, pretrained.folder(str(source)))
    else:
        run = Run.open(source)
        _, state = run.load_best() if best else run.load_checkpoint()
        gan.load_state({name: value for name, value in state.items() if name != "seconds"})
        settle(gan.averaged_generator, config)
    return gan


def _load_shipped(gan: GAN, folder: Path) -> None:
    weights = load_model(folder / "generator.keras")[0].get_weights()
    for network in (gan.generator, gan.averaged_generator):
        network.set_weights(weights)
    found = read_arrays(folder / "discriminator.npz")
    gan.discriminator.set_weights([found[variable.path] for variable in gan.discriminator.weights])


def start_from(gan: GAN, config: Config) -> None:
    """Give a new GAN the weights of ``config.start_from``; what it learnt of each class, where the classes are as many.

    Of a run the best checkpoint's, where it kept one; and as with a shipped model, both generators start from the
    averaged weights. Where the new GAN's classes are the same, their average goes on with its whole memory; else what
    it remembers should soon be forgotten. Layers that the trained one does not have start from nothing: an output for
    naming classes.
    """
    source = str(config.start_from)
    best = not origins.is_shipped(source) and Run.open(source).has_best()
    trained, theirs = load_gan(source, best=best), origins.config_of(source)
    drawing = trained.averaged_generator
    twins = ((gan.generator, drawing), (gan.averaged_generator, drawing), (gan.discriminator, trained.discriminator))
    for ours, learnt in twins:
        # Layers are called after their networks, which are twins of different names.
        known = {variable.path.removeprefix(learnt.name): variable for variable in learnt.weights}
        for mine in ours.weights:
            found = known.get(mine.path.removeprefix(ours.name))
            if found is not None and found.shape == mine.shape:
                # A copy for each: on JAX two variables would else be one buffer, which a step cannot give away twice.
                mine.assign(np.array(keras.ops.convert_to_numpy(found)))
    if config.class_names and config.class_names == theirs.class_names:
        gan.trust_average()


def start(config: Config, dataset: Dataset, out: str | Path) -> Run:
    """Make the folder of a new run.

    Raises:
        InputError: the data do not fit the configuration, or the folder cannot be written.
    """
    _check_data(config, dataset)
    return Run.create(out, config, dataset.fingerprint)


def _check_data(config: Config, dataset: Dataset) -> None:
    drawn = (config.image_size, config.channels)
    if config.evaluate_every and (drawn != (28, 1) or dataset.class_names != CLASS_NAMES):
        raise InputError("evaluate_every scores 28×28 grey pictures of Fashion-MNIST's classes, and no others")
    images = len(dataset.images) - (validation.COUNT if config.evaluate_every else 0)
    if config.batch_size > images:
        raise InputError(f"batch_size={config.batch_size} is more than the {images} images there are to train on")
    if config.conditional and len(dataset.class_names) < 2:
        raise InputError("conditional=True needs data with two classes or more: a subfolder of pictures for each")


def train_run(run: Run, dataset: Dataset, *, resume: bool = False) -> Run:
    """``train_alone`` while no other process may, and with what cannot be written told in one line."""
    with run.locked():
        try:
            return train_alone(run, dataset, resume)
        except OSError as error:
            if error.errno is None:
                raise
            raise InputError(
                f"{run.path} cannot be written: {error.strerror}; its last checkpoint is whole: "
                f"free some space, then fashion-gan train --resume {run.path}"
            ) from error


def train_alone(run: Run, dataset: Dataset, resume: bool) -> Run:
    """Train until a budget ends, then write the run's files: pictures, curve, film, and the averaged generator.

    Ctrl-C, or a SIGTERM, ends training after the step under way and a checkpoint.

    Args:
        run: from ``start``, or from ``Run.open`` to resume.
        dataset: the training images.
        resume: go on from the run's newest checkpoint.

    Raises:
        InputError: the data or the checkpoint do not fit the run, or its folder cannot be written.
        TrainingDiverged: a loss or a weight stopped being finite.
        KeyboardInterrupt: it was stopped; the checkpoint is written.
    """
    config = run.config
    _check_data(config, dataset)
    fingerprint = dataset.fingerprint
    dataset, held_out = _hold_out(config, dataset)
    gan = build_gan(config)
    position = _start_position(config, len(dataset.images))
    log = callbacks.Log(run, position)
    checkpoint = callbacks.Checkpoint(run, position, log)
    checkpoint.set_model(gan)
    if resume:
        if run.data_fingerprint != fingerprint:
            raise InputError(f"{run.path} was trained on other data than {dataset.source}")
        if run.checkpoints():
            checkpoint.load()
        run.rewind(position.step)
        run.write_text("config.json", config.to_json())
    if config.start_from and not run.checkpoints():
        start_from(gan, config)
    if not position.step:
        checkpoint.save()  # So that there always is a last good one.
    samples = callbacks.Samples(run, position, as_generator(gan.averaged_generator, config))
    samples.set_model(gan)
    progress = callbacks.Progress(config, position)
    watching = [position, callbacks.Cooldown(config, position), log, progress, samples, checkpoint]
    evaluate = None
    if held_out is not None:
        evaluate = callbacks.Evaluate(run, position, log, checkpoint, Validation(held_out, kept.folder()))
        evaluate.set_model(gan)
        watching.append(evaluate)

    if config.image_size <= LARGEST_IMAGE_TO_GROUP or accelerator(config.backend):
        gan.steps_per_execution = steps_per_execution(
            position.steps_per_epoch, position.total_steps or 0, position.step
        )

    # A resumed run first finishes the epoch that it was in; fit does the others in one go.
    with stop_after_the_step() as stopped, contextlib.closing(progress), contextlib.closing(log):
        while not (position.is_over or stopped.is_set()):
            epoch, done = divmod(position.step, position.steps_per_epoch)
            steps_left = position.total_steps - position.step if position.total_steps else position.steps_per_epoch
            gan.fit(
                batches(
                    dataset.images,
                    dataset.labels,
                    batch_size=config.batch_size,
                    seed=config.seed,
                    first_step=position.step,
                    at_once=gan.steps_per_execution,
                ),
                initial_epoch=epoch,
                epochs=epoch + 1 if done else config.epochs or 10**9,
                steps_per_epoch=min(position.steps_per_epoch - done, steps_left),
                shuffle=False,
                verbose=0,
                callbacks=[*watching, stopped],
            )
        checkpoint.save()
        if evaluate is not None and not stopped.is_set():  # A budget may end in the middle of an epoch.
            evaluate.measure()
    if stopped.is_set():
        raise KeyboardInterrupt(f"stopped at step {position.step}: go on with fashion-gan train --resume {run.path}")
    finish(run, gan, samples)
    return run


def _hold_out(config: Config, dataset: Dataset) -> tuple[Dataset, Any]:
    """What is trained on, and the images (5000, 28, 28, 1) that checkpoints are chosen by, or None."""
    if not config.evaluate_every:
        return dataset, None
    chosen = validation.held_out(dataset.labels)
    kept = dataclasses.replace(dataset, images=dataset.images[~chosen], labels=dataset.labels[~chosen])
    return kept, dataset.images[chosen]


def _start_position(config: Config, image_count: int) -> callbacks.Position:
    steps_per_epoch = steps_in_epoch(image_count, config.batch_size)
    budgets = [config.steps] if config.steps else []
    budgets += [config.epochs * steps_per_epoch] if config.epochs else []
    total_seconds = config.minutes * 60 if config.minutes else None
    return callbacks.Position(steps_per_epoch, min(budgets, default=None), total_seconds)


def finish(run: Run, gan: GAN, samples: Any) -> None:
    """Write what a finished run leaves: last pictures, curve, film, and the averaged generator's files."""
    settle(gan.averaged_generator, run.config)
    last = samples.save()
    curves.training_curve(run.read_log(), run.path / "training_curve.png")
    frames = [pictures.load_png(path) for path in sorted((run.path / "film").glob("step_*.png"))]
    pictures.save_gif(run.path / "training.gif", [*frames, pictures.load_png(last)])
    for suffix in ("keras", "h5"):
        save_generator(gan.averaged_generator, run.config, run.path / f"generator.{suffix}")
    if run.config.evaluate_every and (run.path / "checkpoints" / "best.npz").exists():
        save_generator(model_of_run(run, best=True), run.config, run.path / "generator_best.keras")


class _Stopped(keras.callbacks.Callback):
    """Ends fit after the step under way once it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self._event = threading.Event()
        self.set, self.is_set = self._event.set, self._event.is_set

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.is_set():
            self.model.stop_training = True


@contextlib.contextmanager
def stop_after_the_step() -> Iterator[_Stopped]:
    """Turn the first Ctrl-C or SIGTERM into a flag; a second one acts at once."""
    stopped = _Stopped()
    if threading.current_thread() is not threading.main_thread():  # Only the main thread may handle signals.
        yield stopped
        return
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def ask(number: int, frame: Any) -> None:
        stopped.set()
        restore()

    for number in previous:
        signal.signal(number, ask)
    try:
        yield stopped
    finally:
        restore()
