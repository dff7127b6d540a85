"""A configuration -> a compiled GAN, with random weights or with trained ones."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from fashion_gan.arrays import Array, KerasModel
from fashion_gan.classes import match_classes, same_classes
from fashion_gan.config import Config, default_augmentations
from fashion_gan.errors import InputError
from fashion_gan.hub.download import DISCRIMINATOR, GENERATOR
from fashion_gan.networks import build_discriminator, build_generator
from fashion_gan.networks.batch_norm_recalibration import recalibrate_batch_norm, recalibration_inputs
from fashion_gan.networks.heads import class_axis
from fashion_gan.saving.model_files import load_model, load_weights
from fashion_gan.saving.origins import resolve
from fashion_gan.system import console
from fashion_gan.system.array_files import read_arrays
from fashion_gan.system.backends import seeded, use_backend
from fashion_gan.training.augment import Augmentation
from fashion_gan.training.gan import GAN, Objective
from fashion_gan.training.optimizers import Adam

if TYPE_CHECKING:  # It imports JAX.
    from fashion_gan.training.device_layout import DeviceLayout


def build_gan(config: Config, layout: "DeviceLayout | None" = None) -> GAN:
    """Build and compile the GAN of a configuration. The same seed gives the same weights.

    Its networks work at ``config.core_size``. ``networks.enlarging.enlarged`` gives its images their final size.

    Args:
        config: the configuration.
        layout: the devices that share the training on JAX. None: Keras's own device.

    Raises:
        InputError: ``class_names`` contradict ``conditional``, or Keras runs on another backend.
    """
    if config.conditional != bool(config.class_names):
        raise InputError("class_names must name the classes of a conditional run, and only of a conditional one")
    use_backend(config.backend)
    with seeded(config.seed):
        # bfloat16 has float32's range. float16 needs loss scaling, which the inner optimizers would bypass.
        with _dtype_policy("mixed_bfloat16" if config.mixed_precision else "float32"):
            generator, discriminator = build_generator(config.core), build_discriminator(config.core)
        # Augmentation works in float32, and so does the averaged generator, whose images are shown, scored and saved.
        with _dtype_policy("float32"):
            gan = GAN(
                generator,
                discriminator,
                build_generator(config.core, "averaged_generator"),
                objective=Objective(
                    config.loss,
                    config.r1_weight,
                    config.r2_weight,
                    config.penalty_every_steps,
                    config.classifier_weight,
                ),
                ema_decay=config.ema_decay,
                augmentation=_build_augmentation(config) if config.augment else None,
                seed=config.seed,
                layout=layout,
            )
    discriminator_rate = config.discriminator_learning_rate or config.learning_rate
    gan.compile(
        Adam(config.learning_rate, beta_1=config.beta_1, name="generator_adam"),
        Adam(discriminator_rate, beta_1=config.beta_1, name="discriminator_adam"),
        jit_compile=config.jit_compile or config.backend == "jax",
    )
    return gan


def _build_augmentation(config: Config) -> Augmentation:
    """The augmentation of a configuration. Without data, None stands for all changes but mirror."""
    changes = config.augmentations or default_augmentations(config.channels, is_symmetric=False)
    return Augmentation(config.seed, changes, uses_held_out=config.overfitting_from == "held-out", name="augmentation")


@contextlib.contextmanager
def _dtype_policy(policy: str) -> Iterator[None]:
    """Set Keras's dtype policy for the block, then restore the previous one."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def load_gan(model: str | Path, *, best: bool = False) -> GAN:
    """Load both networks of a shipped model, or of a run's checkpoint; see ``api.load.load_gan``."""
    source = resolve(model, best=best)
    if source.config is None:
        raise InputError(f"{model} holds only a generator: name a shipped model, a run's folder or a model on the Hub")
    gan = build_gan(dataclasses.replace(source.config, backend=keras.backend.backend()))
    run = source.open_run()
    if run is None:
        (_load_from_hub if source.kind == "hub" else _load_shipped)(gan, source.path)
        return gan
    load = run.load_best_checkpoint if best else run.load_checkpoint
    _, state = load(gan.choose_arrays)
    gan.load_state({name: value for name, value in state.items() if name != "seconds"})
    recalibrate_batch_norm(gan.averaged_generator, recalibration_inputs(source.config))
    return gan


def _load_shipped(gan: GAN, folder: Path) -> None:
    weights = load_model(folder / "generator.keras")[0].get_weights()
    for network in (gan.generator, gan.averaged_generator):
        network.set_weights(weights)
    arrays = read_arrays(folder / "discriminator.npz")
    gan.discriminator.set_weights([arrays[variable.path] for variable in gan.discriminator.weights])


def _load_from_hub(gan: GAN, folder: Path) -> None:
    weights = load_model(folder / GENERATOR)[0].get_weights()
    for network in (gan.generator, gan.averaged_generator):
        network.set_weights(weights)
    load_weights(gan.discriminator, folder / DISCRIMINATOR)


def initialize_weights(gan: GAN, config: Config) -> None:
    """Copy the weights of ``config.init_from`` into the layers of a new GAN that the trained networks have too.

    Both generators start from the averaged weights. A run's best checkpoint is used, or its newest if it has none. The
    weights of a class are copied by the class's name. Layers and classes without a counterpart keep their initial
    weights. If the classes are the same, the average continues without a warm-up. Otherwise it forgets the old weights
    quickly.
    """
    source = resolve(str(config.init_from))
    run = source.open_run()
    trained = load_gan(str(config.init_from), best=run is not None and run.has_best_checkpoint)
    assert source.config is not None  # A file has no configuration. load_gan refuses it.
    matches = match_classes(config.class_names, source.config.class_names)
    _copy_weights(trained.averaged_generator, gan.generator, matches)
    _copy_weights(trained.averaged_generator, gan.averaged_generator, matches)
    _copy_weights(trained.discriminator, gan.discriminator, matches)
    if same_classes(config.class_names, source.config.class_names):
        gan.skip_ema_warmup()
    elif config.class_names:
        print(_describe_start(config, matches), file=console.output(), flush=True)


def _describe_start(config: Config, matches: Sequence[int | None]) -> str:
    """A line that says which classes are new to the trained networks."""
    new = [name for name, match in zip(config.class_names, matches, strict=True) if match is None]
    if not new:
        return f"every class is known to {config.init_from}"
    known = len(config.class_names) - len(new)
    return f"{known} of {len(config.class_names)} classes are known to {config.init_from}; new: {', '.join(new)}"


def _copy_weights(trained: KerasModel, new: KerasModel, matches: Sequence[int | None]) -> None:
    """Copy each weight that exists in both networks with the same shape.

    Args:
        trained, new: the networks.
        matches: for each class of the new network, the number of the same class in the trained one, or None.
    """
    # The names of layers begin with the names of their networks, which differ.
    by_path = {variable.path.removeprefix(trained.name): variable for variable in trained.weights}
    for variable in new.weights:
        path = variable.path.removeprefix(new.name)
        source = by_path.get(path)
        if source is None:
            continue
        # Copy: on JAX both variables would otherwise share one buffer, and a step cannot donate it twice.
        values = np.array(keras.ops.convert_to_numpy(source))
        axis = class_axis(path)
        if axis is not None:
            variable.assign(_reorder_classes(values, np.array(keras.ops.convert_to_numpy(variable)), axis, matches))
        elif source.shape == variable.shape:
            variable.assign(values)


def _reorder_classes(trained: Array, new: Array, axis: int, matches: Sequence[int | None]) -> Array:
    """The new weights, with those of each class that has a counterpart replaced by the trained ones."""
    trained, new = np.moveaxis(trained, axis, 0), np.moveaxis(new, axis, 0)
    if trained.shape[1:] == new.shape[1:]:
        for number, match in enumerate(matches):
            if match is not None:
                new[number] = trained[match]
    return np.moveaxis(new, 0, axis)
