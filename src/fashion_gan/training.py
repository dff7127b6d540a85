"""A configuration and data -> a finished run: everything that training leaves in its folder."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from fashion_gan import callbacks, curves, pictures
from fashion_gan.batches import batches
from fashion_gan.config import Config
from fashion_gan.datasets import Dataset
from fashion_gan.errors import InputError
from fashion_gan.gan import GAN
from fashion_gan.model_files import as_generator, save_generator
from fashion_gan.networks import build_discriminator, build_generator
from fashion_gan.runs import Run


def build_gan(config: Config) -> GAN:
    """The compiled GAN of a configuration; the same seed gives the same weights.

    Raises:
        InputError: the configuration asks for another backend than the one that Keras runs on.
    """
    if keras.backend.backend() != config.backend:
        raise InputError(
            f"backend={config.backend!r}, but Keras already runs on {keras.backend.backend()!r}: "
            f"set the environment variable KERAS_BACKEND={config.backend} before Python starts"
        )
    # bfloat16, for its range: the inner optimizers would bypass the loss scaling that float16 needs.
    keras.config.set_dtype_policy("mixed_bfloat16" if config.mixed_precision else "float32")
    keras.utils.set_random_seed(config.seed)
    if config.deterministic and config.backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    gan = GAN(
        build_generator(config),
        build_discriminator(config),
        build_generator(config, "averaged_generator"),
        loss=config.loss,
        penalty=config.penalty,
        ema_decay=config.ema_decay,
        seed=config.seed,
    )
    generator_adam, discriminator_adam = (
        keras.optimizers.Adam(config.learning_rate, beta_1=config.beta_1, name=f"{name}_adam")
        for name in ("generator", "discriminator")
    )
    gan.compile(generator_adam, discriminator_adam, jit_compile=config.jit_compile or config.backend == "jax")
    return gan


def start(config: Config, dataset: Dataset, out: str | Path) -> Run:
    """Make the folder of a new run.

    Raises:
        InputError: the data do not fit the configuration, or the folder cannot be written.
    """
    _check_data(config, dataset)
    return Run.create(out, config, dataset.fingerprint)


def _check_data(config: Config, dataset: Dataset) -> None:
    if config.batch_size > len(dataset.images):
        raise InputError(f"batch_size={config.batch_size} is more than the {len(dataset.images)} images there are")
    if config.conditional and len(dataset.class_names) < 2:
        raise InputError("conditional=True needs data with two classes or more: a subfolder of pictures for each")


def train_run(run: Run, dataset: Dataset, *, resume: bool = False) -> Run:
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
    gan = build_gan(config)
    position = _start_position(config, len(dataset.images))
    log = callbacks.Log(run, position)
    checkpoint = callbacks.Checkpoint(run, position, log)
    checkpoint.set_model(gan)
    if resume:
        if run.data_fingerprint != dataset.fingerprint:
            raise InputError(f"{run.path} was trained on other data than {dataset.source}")
        if run.checkpoints():
            checkpoint.load()
        run.rewind(position.step)
        run.write_text("config.json", config.to_json())
    samples = callbacks.Samples(run, position, as_generator(gan.averaged_generator, config))
    samples.set_model(gan)
    progress = callbacks.Progress(config, position)

    # A resumed run first finishes the epoch that it was in; fit does the others in one go.
    with stop_after_the_step() as stopped, contextlib.closing(progress), contextlib.closing(log):
        while not (position.is_over or stopped.is_set()):
            epoch, done = divmod(position.step, position.steps_per_epoch)
            gan.fit(
                batches(
                    dataset.images,
                    dataset.labels,
                    batch_size=config.batch_size,
                    seed=config.seed,
                    first_step=position.step,
                ),
                initial_epoch=epoch,
                epochs=epoch + 1 if done else config.epochs or 10**9,
                steps_per_epoch=position.steps_per_epoch - done,
                shuffle=False,
                verbose=0,
                callbacks=[position, log, progress, samples, checkpoint, stopped],
            )
        checkpoint.save()
    if stopped.is_set():
        raise KeyboardInterrupt(f"stopped at step {position.step}: go on with fashion-gan train --resume {run.path}")
    finish(run, gan, samples)
    return run


def _start_position(config: Config, image_count: int) -> callbacks.Position:
    steps_per_epoch = image_count // config.batch_size
    budgets = [config.steps] if config.steps else []
    budgets += [config.epochs * steps_per_epoch] if config.epochs else []
    total_seconds = config.minutes * 60 if config.minutes else None
    return callbacks.Position(steps_per_epoch, min(budgets, default=None), total_seconds)


def finish(run: Run, gan: GAN, samples: Any) -> None:
    """Write what a finished run leaves: last pictures, curve, film, and the averaged generator's files."""
    last = samples.save()
    curves.training_curve(run.read_log(), run.path / "training_curve.png")
    frames = [pictures.load_png(path) for path in sorted((run.path / "film").glob("step_*.png"))]
    pictures.save_gif(run.path / "training.gif", [*frames, pictures.load_png(last)])
    for suffix in ("keras", "h5"):
        save_generator(gan.averaged_generator, run.config, run.path / f"generator.{suffix}")


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
