"""The functions that tests run in a worker process, on another backend."""

import contextlib
from multiprocessing.connection import Connection
from pathlib import Path
from unittest import mock

import numpy as np
from hooks import after_each_execution
from toys import TOY, toy_batch

import fashion_gan
from fashion_gan.config import Config
from fashion_gan.metrics.pictures.validation import PictureValidation


def train(**settings) -> Path:
    """Train a toy run and return its folder. A score takes 60 pictures."""
    with mock.patch.object(PictureValidation, "count", 60):
        return fashion_gan.train("fashion", **{**TOY, **settings}).path


def resume(path: Path, **settings) -> Path:
    with mock.patch.object(PictureValidation, "count", 60):
        return fashion_gan.resume(path, **settings).path


def draw(model: Path) -> np.ndarray:
    return fashion_gan.load_generator(model).generate(30, seed=11)


def draw_and_send(generator: fashion_gan.Generator, sender: Connection) -> None:
    """Send images that a generator of the parent process draws here."""
    sender.send(generator.generate(40, seed=2))


# ---- The same training step on each backend ----


def train_for_three_steps(networks: str, start: Path | None, out: Path, *, optimize: bool = False) -> None:
    """Train networks for three steps and save the losses and the updated weights as ``result.npz``.

    ``start`` is the folder in which another backend has saved the first weights. None: this backend draws and saves
    them. ``optimize`` turns on all optimizations of JAX's compiler.
    """
    import keras

    with contextlib.ExitStack() as patches:
        patches.enter_context(mock.patch.object(keras.random, "normal", _pseudo_normal))
        if optimize and keras.backend.backend() == "jax":
            import jax

            jax.config.update("jax_disable_most_optimizations", False)
            patches.callback(jax.config.update, "jax_disable_most_optimizations", True)
        np.savez(out / "result.npz", **_three_steps(networks, start, out))


def _pseudo_normal(shape, **unused):
    """Return numbers that look random and are the same on every backend."""
    from keras import ops

    shape = tuple(int(n) for n in shape)
    values = 2.0 * np.sin(np.arange(np.prod(shape)) ** 1.5).reshape(shape)
    return ops.convert_to_tensor(values.astype("float32"))


def _network_config(name: str) -> Config:
    """Return the configuration of, for example, "residual naming": an architecture and a kind of discriminator."""
    import keras

    architecture, kind = name.split()
    return Config.from_preset(
        "fashion",
        **TOY | ({"image_size": 32, "channels": 4} if kind == "opaque" else {}),
        architecture=architecture,
        discriminator_depth=2 if kind == "deep" else 0,
        center_images=kind == "deep",
        class_names=("a", "b"),
        r1_weight=0.2,
        r2_weight=0.2,
        penalty_every_steps=2,
        # Without a classifier, the zero-sum loss of the preset trains both networks in one pass.
        classifier_weight=0.5 if kind == "naming" else 0.0,
        backend=keras.backend.backend(),
    )


def _three_steps(name: str, start: Path | None, out: Path) -> dict[str, np.ndarray]:
    from keras import ops

    from fashion_gan.training.build import build_gan

    gan = build_gan(_network_config(name))
    for layer in gan.discriminator.layers:
        if hasattr(layer, "rate"):
            layer.rate = 0.0  # Each backend drops other units.
    weights = {f"{number:03d}": weight for number, weight in enumerate(gan.weights)}
    if start is None:
        np.savez(out / "start.npz", **{key: ops.convert_to_numpy(w) for key, w in weights.items()})
    else:
        with np.load(start / "start.npz") as values:
            for key in values:
                weights[key].assign(values[key])
    batch, result = toy_batch(size=28), {}
    for step in range(3):
        gan.reset_metrics()
        logs = gan.train_on_batch(batch, return_dict=True)
        result |= {f"{metric} of step {step}": np.array(float(value)) for metric, value in logs.items()}
    return result | {f"updated {weight.path}": ops.convert_to_numpy(weight) for weight in gan.weights}


def augment(out: Path) -> None:
    """Apply each change to the same pictures with the same numbers, measure overfitting; save all as ``result.npz``."""
    import keras
    from keras import ops

    from fashion_gan.training.augment import CHANGES, Augmentation

    images = np.random.default_rng(0).uniform(-1, 1, (6, 16, 16, 4)).astype("float32")
    result = {}
    with mock.patch.object(keras.random, "uniform", _pseudo_uniform):
        for change in CHANGES:
            augmentation = Augmentation(0, [change])
            augmentation.probability.assign(0.7)
            result[change] = ops.convert_to_numpy(augmentation(ops.convert_to_tensor(images)))
    augmentation = Augmentation(0, uses_held_out=True)
    training, held_out, generated = (ops.convert_to_tensor([[logit]]) for logit in (1.0, 0.2, -0.3))
    for is_due in (True, False, True):
        augmentation.update_means(ops.convert_to_tensor(is_due), training, generated, lambda: held_out)
    for weight in augmentation.weights:
        result[weight.name] = ops.convert_to_numpy(weight)
    np.savez(out / "result.npz", **result)


def _pseudo_uniform(shape, minval=0.0, maxval=1.0, seed=None):
    """Return numbers that look random and are the same on every backend."""
    del seed
    numbers = _pseudo_normal(shape) / 4 + 0.5
    return minval + (maxval - minval) * numbers


# ---- Several steps as one computation ----


def count_executions(*, accelerator: str | None, run: Path | None = None, **settings) -> tuple[Path, list[int]]:
    """Train, or resume ``run``, as if JAX had this accelerator.

    Return the run's folder and the number of steps of each execution.
    """
    from fashion_gan.training import batches, trainer

    executions: list[int] = []
    with (
        mock.patch.object(batches, "accelerator", return_value=accelerator),
        mock.patch.object(trainer, "accelerator", return_value=accelerator),
        after_each_execution(lambda gan: executions.append(gan.steps_per_execution)),
    ):
        path = train(**settings) if run is None else resume(run, **settings)
    return path, executions


def steps_per_execution(steps: int) -> int:
    from fashion_gan.training import batches

    return batches.choose_steps_per_execution(steps)


def fit_plain_batches() -> int:
    """Fit two epochs of six batches, two steps an execution. Return the number of steps that the GAN counted."""
    from fashion_gan.training.build import build_gan

    config = Config.from_preset("fashion", backend="jax", class_names=("a", "b"), **TOY)
    gan = build_gan(config)
    gan.steps_per_execution = 2
    gan.fit(toy_batch(24, size=16), batch_size=4, epochs=2, verbose=0)
    return int(gan.step.value)
