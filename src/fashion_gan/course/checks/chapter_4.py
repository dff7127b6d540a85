"""Checks of chapter 4, the discriminator."""

import numpy as np

from fashion_gan.arrays import Array, KerasModel
from fashion_gan.course.checks import models
from fashion_gan.course.checks.core import array, call, exercise, require

FILTERS, SMALLEST = [32, 64, 128], 4


@exercise(
    "a picture goes in, one logit comes out, and a gradient flows everywhere.",
    'Repeat Conv2D(…, strides=2, padding="same"), LeakyReLU(0.2), Dropout(0.3). End with Flatten() and Dense(1).',
)
def discriminator(answer: object) -> None:
    """A model with three convolutions, or a function that builds it: images (N, 28, 28, 1) -> logits (N, 1)."""
    model = models.built(answer)
    images = np.random.default_rng(0).uniform(-1, 1, (64, 28, 28, 1)).astype(np.float32)
    _one_logit(models.outputs(model, images), len(images))
    _no_bounds(model, models.outputs(model, np.concatenate([1000 * images, -1000 * images])))
    _convolutions(model)
    _gradient_everywhere(model)
    first, second = (models.outputs(model, images, training=True) for _ in range(2))
    problem = "the model has no dropout: with training=True, it gives the same logits twice"
    require(not np.array_equal(first, second), problem, "Add Dropout(0.3) after each LeakyReLU.")


def _one_logit(logits: Array, count: int) -> None:
    hint = "One number says how real a picture looks: end with Dense(1)."
    if logits.ndim == 4:
        hint = "Put Flatten() before Dense(1): Dense works on the last axis only."
    require(logits.shape == (count, 1), f"the output has the shape {models.shape(logits)}, not (N, 1)", hint)


def _no_bounds(model: KerasModel, logits: Array) -> None:
    hint = "Take the activation off the last layer: a logit can be any number."
    last = models.activation(models.flat(model)[-1])
    inside = logits.min() >= 0 and logits.max() <= 1
    require(not inside, "the output is a probability between 0 and 1 (a sigmoid?), not a logit", hint)
    require(abs(logits).max() > 1, "the output always lies between -1 and 1 (a tanh?), so it is no logit", hint)
    require(last == "linear", f"the last layer has the activation {last}, so its output is no logit", hint)


def _convolutions(model: KerasModel) -> None:
    found = models.named(model, models.CONVOLUTIONS)
    require(found, "the model has no convolution", "Start with Conv2D(32, 4, strides=2, padding='same').")
    require(len(found) == len(FILTERS), f"the model has {len(found)} convolutions, not {len(FILTERS)}")
    filters = [layer.filters for layer in found]
    require(filters == FILTERS, f"the convolutions have {filters} filters, not {FILTERS}", "Each doubles the number.")
    side = found[-1].output.shape[1]
    problem = f"the last convolution gives maps of {side}×{side}, not {SMALLEST}×{SMALLEST}"
    require(side == SMALLEST, problem, 'With strides=2 and padding="same", each convolution halves the side.')


def _gradient_everywhere(model: KerasModel) -> None:
    found = models.activations(model)
    leaky = "Use LeakyReLU(0.2). It lets a gradient through for negative numbers too."
    require("relu" not in found, "ReLU passes no gradient for negative numbers", leaky)
    count = sum(_followed_by_leaky_relu(model))
    problem = f"{count} of the {len(FILTERS)} convolutions are followed by LeakyReLU"
    require(count == len(FILTERS), problem, "Without a function between them, two layers are no more than one.")


def _followed_by_leaky_relu(model: KerasModel) -> list[bool]:
    """For each convolution, whether a LeakyReLU comes before the next layer with weights."""
    found: list[tuple[bool, bool]] = []  # Whether a layer with weights is a convolution, and whether it is followed.
    for layer in models.flat(model):
        if models.kind(layer) in models.CONVOLUTIONS | {"Dense"}:
            found.append((models.kind(layer) != "Dense", False))
        if found and models.activation(layer) == "leaky_relu":
            found[-1] = (found[-1][0], True)
    return [is_followed for is_convolution, is_followed in found if is_convolution]


@exercise(
    "a logit above 0 means real, and both kinds of pictures count.",
    "A logit above 0 is a probability above one half. Divide the right answers of both kinds by all pictures.",
)
def accuracy(function: object) -> None:
    """A function: logits of real and of generated images, (N, 1) each -> the share of right answers."""
    real = np.array([[3.0], [2.0], [0.4], [-1.0], [0.3]], np.float32)
    fake = np.array([[2.5], [1.5], [0.2], [-3.0], [-1.0]], np.float32)
    value = float(array(call(function, real.copy(), fake.copy()), ()))
    shown = "real logits 3, 2, 0.4, -1, 0.3 and generated ones 2.5, 1.5, 0.2, -3, -1"
    hints = {
        0.5: "Is 0.5 your limit? That is the limit for probabilities. For logits it is 0.",
        0.8: "The generated pictures count too.",
        0.2: "Count both kinds separately: real number 1 and generated number 1 are no pair.",
        1.0: "Do not compare real with generated logits. Compare each with 0.",
        60.0: "Return a share between 0 and 1, no percentage.",
        0.4: "This is the share of wrong answers.",
        1.2: "Divide by the number of all pictures.",
        6.0: "Divide by the number of all pictures.",
        0.7: "For generated pictures, a logit below 0 is the right answer.",
    }
    close = [hint for wrong, hint in hints.items() if abs(value - wrong) < 1e-5]
    require(abs(value - 0.6) < 1e-5, f"{shown} give {value:.4g}, not 0.6", *close[:1])


@exercise(
    "at a logit of -10, one slope is almost 0 and the other almost -1. That is the whole difference.",
    "The slope of softplus(x) is sigmoid(x). If f(x) has the slope g(x), then f(-x) has the slope -g(-x).",
)
def slopes(function: object) -> None:
    """A function: logits of generated images -> the slopes of the saturating and of the non-saturating loss."""
    logits = np.array([-10.0, -1.0, 0.0, 1.0, 10.0], np.float32)
    results = call(function, logits.copy())
    require(isinstance(results, (tuple, list)) and len(results) == 2, "the function does not return two arrays")
    saturating, non_saturating = (array(result, logits.shape, "a slope") for result in results)
    probabilities = 1 / (1 + np.exp(-logits))
    right = {"saturating": -probabilities, "non-saturating": probabilities - 1}
    swapped = np.allclose(saturating, right["non-saturating"], atol=1e-4)
    require(not swapped, "the two slopes are swapped", "Which loss is flat when D is sure, so at a logit of -10?")
    for (name, slope), values in zip(right.items(), (saturating, non_saturating), strict=True):
        opposite = np.allclose(values, -slope, atol=1e-4)
        sign = "Mind the sign: both losses fall when the logit rises." if opposite else None
        worst = int(abs(values - slope).argmax())
        found = f"the {name} loss has the slope {values[worst]:.4g} at the logit {logits[worst]:.0f}"
        require(abs(values - slope).max() < 1e-4, f"{found}, not {slope[worst]:.4g}", sign)
