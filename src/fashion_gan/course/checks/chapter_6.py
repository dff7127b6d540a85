"""Checks of chapter 6, training."""

from typing import Any

import numpy as np

from fashion_gan.arrays import Array, Floats
from fashion_gan.course.checks.core import array, call, exercise, number, require

LATENT, PIXELS, COUNT = 3, 2, 16
CLASSES = 10


def _softplus(x: Floats) -> Floats:
    return np.logaddexp(0.0, x)


@exercise(
    "real pictures have the target 0.9, and no logit gives NaN.",
    "The part for real pictures has two terms, with the weights 0.9 and 0.1. Each is a tf.nn.softplus.",
)
def smoothed_loss(function: object) -> None:
    """A function: real and generated logits (N, 1) -> D's loss with one-sided label smoothing."""
    import tensorflow as tf

    def value(real: Floats, fake: Floats) -> float:
        result = call(function, tf.constant(real, tf.float32), tf.constant(fake, tf.float32))
        return number(result, "the loss")

    real, fake = np.random.default_rng(0).normal(size=(2, 6, 1))
    smoothed = 0.9 * _softplus(-real) + 0.1 * _softplus(real)
    usual, generated = _softplus(-real).mean(), _softplus(fake).mean()
    right, got = smoothed.mean() + generated, value(real, fake)
    for wrong, problem, hint in (
        (usual + generated, "this is the loss without smoothing", "Add the part for the target 0.1 of real pictures."),
        (0.9 * usual + generated, "the part −0.1 log(1 − σ(real)) is missing", "It is 0.1 * tf.nn.softplus(real)."),
        (smoothed.mean() + (0.9 * _softplus(fake) + 0.1 * _softplus(-fake)).mean(),
         "the generated pictures are smoothed too", "Their part stays tf.nn.softplus(fake_logits)."),
        ((0.95 * _softplus(-real) + 0.05 * _softplus(real)).mean() + generated,
         "real pictures have the target 0.95", "Keras's label_smoothing takes half of it. Write the two terms."),
        (_mirrored(real).mean() + generated, "0.9 and 0.1 are exchanged", "tf.nn.softplus(-real_logits) has the 0.9."),
    ):  # fmt: skip
        require(abs(got - wrong) > 1e-4, problem, hint)
    require(abs(got - right) < 1e-4, f"the loss is {got:.4f}, not {right:.4f}")
    for logit in (200.0, -200.0):  # An overflow is a mistake.
        value(np.array([[logit]]), np.array([[-logit]]))


def _mirrored(real: Floats) -> Floats:
    return 0.1 * _softplus(-real) + 0.9 * _softplus(real)


@exercise(
    "G learns, and D stays as it is.",
    "Inside the tape, make the pictures, ask D about them, and take the mean of the loss. Then name G's weights.",
)
def generator_step(function: object) -> None:
    """A function (generator, discriminator, optimizer, latents) -> G's loss, which it lowers by one step of G."""
    import keras

    modes: list[object] = []
    generator, discriminator = _networks(modes)
    latents = np.random.default_rng(0).normal(size=(COUNT, LATENT)).astype(np.float32)
    logits = discriminator(generator(latents)).numpy()
    before = [variable.numpy() for variable in (*generator.variables, *discriminator.variables)]
    modes.clear()
    got = number(call(function, generator, discriminator, keras.optimizers.SGD(0.01), latents), "the loss")

    in_training = bool(modes) and all(mode is True for mode in modes)
    require(in_training, "a network does not run in training mode", "Call both networks with training=True.")
    require(discriminator.trainable, "D is left frozen", "Nothing has to be frozen: name the weights of G.")
    after = [variable.numpy() for variable in (*generator.variables, *discriminator.variables)]
    moved = [bool((then != now).any()) for then, now in zip(before, after, strict=True)]
    count = len(generator.variables)
    require(not any(moved[count:]), "D's weights move", "weights = generator.trainable_variables")
    require(any(moved[:count]), "G's weights do not move", "Take the gradient for G's weights, and apply it.")
    rises = float((discriminator(generator(latents)).numpy() - logits).mean()) > 0
    require(rises, "G learns to be recognized: D's logits fall", "G's loss is small if D calls its pictures real.")
    right, saturating = _softplus(-logits).mean(), -_softplus(logits).mean()
    require(abs(got - saturating) > 1e-4, "this is log(1 − D(G(z))), which saturates", "Use tf.nn.softplus(-logits).")
    summed = abs(got - COUNT * right) < 1e-3
    require(not summed, "the loss is the sum over the batch", "tf.reduce_mean takes the mean.")
    require(abs(got - right) < 1e-4, f"the loss is {got:.4f}, not {right:.4f}")


def _networks(modes: list[object]) -> tuple[Any, Any]:
    """A generator and a discriminator with one layer each. Each call appends its ``training`` to ``modes``."""
    import keras

    class Mode(keras.layers.Layer):
        def call(self, inputs: Any, training: object = None) -> Any:
            modes.append(training)
            return inputs

    def dense(units: int, inputs: int, seed: int) -> Any:
        start = keras.initializers.RandomNormal(stddev=0.5, seed=seed)
        return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(units, kernel_initializer=start), Mode()])

    return dense(PIXELS, LATENT, 0), dense(1, PIXELS, 1)


@exercise(
    "a missing class is found, and a healthy set has none.",
    "Compare each count with 0.01 times the sum of all counts. np.flatnonzero says for which classes it is smaller.",
)
def missing_classes(function: object) -> None:
    """A function: counts (10,) -> the numbers of the classes with less than 1% of the images."""
    for counts, right in (
        ([500, 0, 100, 100, 6, 94, 100, 45, 40, 15], [1, 4]),
        ([100] * CLASSES, []),
        ([10, 20, 5, 5, 5, 1, 1, 1, 1, 1], []),
        ([0] * 9 + [1000], list(range(9))),
    ):
        answer = call(function, np.array(counts))
        result: Array = array(sorted(answer) if isinstance(answer, set) else answer).reshape(-1)
        got = sorted(result.tolist())
        a_mask = result.dtype == bool and len(got) == CLASSES
        require(not a_mask, "the result is True or False for each class", "np.flatnonzero makes numbers of it.")
        present = [number for number in range(CLASSES) if number not in right]
        require(not got or got != present or got == right, "these are the classes that appear", "Use <, not >.")
        require(got == right, f"the counts {counts} give {got}, not {right}")
