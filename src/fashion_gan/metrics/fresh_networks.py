"""Networks trained for one measurement and then thrown away; the only room of the metrics that needs Keras."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from fashion_gan import progress

Images = npt.NDArray[np.uint8]

Labels = npt.NDArray[np.int32]
Vary = Callable[[Images, np.random.Generator], Images]

BATCH_SIZE = 64
EPOCHS = 15
PEAK_LEARNING_RATE = 2e-3
PREDICT_BATCH_SIZE = 500


def classifier(images: Images, labels: Labels, seed: int, description: str) -> keras.Model:
    """Train a small convolutional classifier from nothing.

    Args:
        images: uint8 (N, 28, 28, 1).
        labels: int32 (N,).
        seed: of the weights and of the order.
        description: what the progress bar says.

    Returns:
        A model from pixels (N, 28, 28, 1) in [0, 255] to logits (N, classes).
    """
    keras.utils.set_random_seed(seed)
    model = _network(int(labels.max()) + 1)
    random = np.random.default_rng(seed)
    batches = _batches_of_epochs(len(images), random)
    _compile(model, len(batches))
    # Not by fit, whose end can wait idly for many seconds on TensorFlow 2.21.
    for chosen in progress.bar(batches, description, "steps"):
        model.train_on_batch(images[chosen].astype(np.float32), labels[chosen])
    return model


class Pupil:
    """A small convolutional classifier that is taught many times, from nothing each time.

    One network for all of them, since a new one takes seconds until it is compiled and leaves 12 MB in TensorFlow.

    Args:
        classes: how many.
        width: channels of the first layer; the second and the third have twice and four times as many.
        steps: batches of 64 images that it learns from each time.
    """

    def __init__(self, classes: int, width: int, steps: int) -> None:
        self.classes, self.width, self.steps = classes, width, steps
        self.model = _network(classes, width)
        _compile(self.model, steps)

    def learn(self, images: Images, labels: Labels, seed: int, description: str, vary: Vary | None = None) -> None:
        """Forget everything and learn anew, from full batches, for which the images come again as often as it takes.

        Args:
            images: uint8 (N, 28, 28, 1).
            labels: int32 (N,).
            seed: of the first weights and of the order.
            description: what the progress bar says.
            vary: changes a batch, uint8 (64, 28, 28, 1), before it is learnt from.
        """
        self._forget(seed)
        random = np.random.default_rng(seed)
        batches = _full_batches(len(images), self.steps, random)
        for chosen in progress.bar(batches, description, "steps"):
            learnt = images[chosen] if vary is None else vary(images[chosen], random)
            self.model.train_on_batch(learnt.astype(np.float32), labels[chosen])

    def predicted(self, images: Images) -> npt.NDArray[np.int64]:
        """The most likely class of each image, uint8 (N, 28, 28, 1): (N,)."""
        return predicted(self.model, images)

    def _forget(self, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        for variable, first in zip(self.model.variables, _network(self.classes, self.width).variables, strict=True):
            variable.assign(first)
        for variable in self.model.optimizer.variables:
            variable.assign(keras.ops.zeros(variable.shape, variable.dtype))


def _compile(model: keras.Model, steps: int) -> None:
    warmup = steps // 5
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=PEAK_LEARNING_RATE, warmup_steps=warmup
    )
    model.compile(keras.optimizers.Adam(schedule), keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def _batches_of_epochs(count: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Which images each step of 15 passes over ``count`` images learns from: (steps, at most 64)."""
    steps_per_epoch = max(1, count // BATCH_SIZE)
    orders = [random.permutation(count)[: steps_per_epoch * BATCH_SIZE] for _ in range(EPOCHS)]
    return np.concatenate(orders).reshape(EPOCHS * steps_per_epoch, -1)


def _full_batches(count: int, steps: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Which images each of so many steps learns from, pass after pass, each in a new order: (steps, 64)."""
    orders = [random.permutation(count) for _ in range(math.ceil(steps * BATCH_SIZE / count))]
    return np.concatenate(orders)[: steps * BATCH_SIZE].reshape(steps, BATCH_SIZE)


def _network(classes: int, width: int = 32) -> keras.Model:
    pixels = keras.Input((28, 28, 1))
    x = layers.Rescaling(1 / 90, -73 / 90)(pixels)  # Fashion-MNIST's mean and deviation
    for filters in (width, 2 * width, 4 * width):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D(2)(x)  # (N, 14, 14, width), (N, 7, 7, 2·width), (N, 3, 3, 4·width)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(pixels, layers.Dense(classes)(x))


def identity() -> str:
    """What a fresh network's result depends on besides its images: the framework."""
    return f"keras-{keras.__version__}-{keras.backend.backend()}"


def with_weights(weights: list[npt.NDArray[Any]]) -> keras.Model:
    """The classifier that had these weights, from ``get_weights``."""
    model = _network(len(weights[-1]))
    model.set_weights(weights)
    return model


def predicted(model: keras.Model, images: Images) -> npt.NDArray[np.int64]:
    """The most likely class of each image: (N,)."""
    starts = range(0, len(images), PREDICT_BATCH_SIZE)
    parts = [images[start : start + PREDICT_BATCH_SIZE].astype(np.float32) for start in starts]
    return np.concatenate([np.asarray(model.predict_on_batch(part)).argmax(axis=1) for part in parts])


def two_sample_successes(real: Images, generated: Images, seed: int) -> tuple[int, int]:
    """Teach a fresh network to tell real images from generated ones, and try it on others.

    Half of each set is for learning, the other half for the trial.

    Args:
        real, generated: uint8 (N, 28, 28, 1), of equal length, at least 4.

    Returns:
        How many of the held-out images it told right, and how many there were: about half if they are alike.

    Source: Lopez-Paz & Oquab 2017, arXiv:1610.06545.
    """
    random = np.random.default_rng(seed)
    half = len(real) // 2
    learnt, tried = [], []
    for images in (real, generated):
        order = random.permutation(len(images))
        learnt.append(images[order[:half]])
        tried.append(images[order[half:]])
    labels = np.repeat(np.arange(2, dtype=np.int32), half)
    model = classifier(np.concatenate(learnt), labels, seed, "two-sample network")
    right = [int((predicted(model, images) == label).sum()) for label, images in enumerate(tried)]
    return sum(right), sum(map(len, tried))
