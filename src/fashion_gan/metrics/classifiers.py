"""Classifiers that are trained for one measurement and then discarded. No other module of the metrics needs Keras."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import keras
import numpy as np
from keras import layers

from fashion_gan.arrays import Array, Images, Indices, KerasModel, Labels, Shape, Vectors
from fashion_gan.system import progress
from fashion_gan.system.backends import seeded

Augment: TypeAlias = Callable[[Images, np.random.Generator], Images]
"""A function that changes a batch at random: uint8 (N, H, W, C) -> the same shape."""

BATCH_SIZE = 64
EPOCHS = 15
PEAK_LEARNING_RATE = 2e-3
PREDICT_BATCH_SIZE = 500
MAX_WIDENING = 4  # Later layers have at most so many times the channels of the first.


def train_classifier(images: Images, labels: Labels, seed: int, description: str) -> KerasModel:
    """Train a new, small convolutional classifier for 15 epochs.

    Args:
        images: uint8 (N, H, W, C).
        labels: int32 (N,).
        seed: seed of the weights and of the order of the images.
        description: the text of the progress bar.

    Returns:
        A model from pixels (N, H, W, C) in [0, 255] to logits (N, classes).
    """
    with _seeded(seed):
        model = _network(images.shape[1:], int(labels.max()) + 1)
        random = np.random.default_rng(seed)
        batches = _epoch_batches(len(images), random)
        _compile(model, len(batches))
        # The end of Keras's fit can wait idly for many seconds on TensorFlow 2.21: train batch by batch instead.
        for indices in progress.bar(batches, description, "steps"):
            model.train_on_batch(images[indices].astype(np.float32), labels[indices])
    return model


class Classifier:
    """A small convolutional classifier that can be trained many times, each time from new weights.

    All trainings share one compiled network, because each new one takes seconds to compile and leaves 12 MB allocated
    in TensorFlow.

    Args:
        shape: the images' height, width and channels.
        class_count: the number of classes.
        base_channels: channels of the first layer. The second and the third layer have two and four times as many.
        steps: the number of batches of 64 images in each training.
    """

    def __init__(self, shape: Shape, class_count: int, base_channels: int, steps: int) -> None:
        self.shape, self.class_count, self.base_channels, self.steps = shape, class_count, base_channels, steps
        with _seeded(0):  # Each training discards these weights.
            self.model = _network(shape, class_count, base_channels)
        _compile(self.model, steps)

    def train(
        self, images: Images, labels: Labels, seed: int, description: str, augment: Augment | None = None
    ) -> None:
        """Discard the weights and train again, on full batches. The images are repeated as often as needed.

        Args:
            images: uint8 (N, H, W, C).
            labels: int32 (N,).
            seed: seed of the initial weights and of the order of the images.
            description: the text of the progress bar.
            augment: changes each batch, uint8 (64, H, W, C), before the training step.
        """
        random = np.random.default_rng(seed)
        batches = _full_batches(len(images), self.steps, random)
        with _seeded(seed):
            self._reset()
            for indices in progress.bar(batches, description, "steps"):
                batch = images[indices] if augment is None else augment(images[indices], random)
                self.model.train_on_batch(batch.astype(np.float32), labels[indices])

    def predict_classes(self, images: Images) -> Indices:
        """The most likely class (N,) of each image, uint8 (N, H, W, C)."""
        return predict_classes(self.model, images)

    def _reset(self) -> None:
        """Give the network new initial weights, and set the optimizer's variables to zero."""
        new = _network(self.shape, self.class_count, self.base_channels)
        for variable, initial in zip(self.model.variables, new.variables, strict=True):
            variable.assign(initial)
        for variable in self.model.optimizer.variables:
            variable.assign(keras.ops.zeros(variable.shape, variable.dtype))


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the random numbers of a training, and restore the states of the process's generators afterwards.

    On PyTorch, Keras's dropout draws from PyTorch's global generator. On the other backends it depends on the same seed
    as the initial weights.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(seeded(seed))
        if keras.backend.backend() == "torch":
            import torch

            stack.enter_context(torch.random.fork_rng(range(torch.cuda.device_count())))
            torch.manual_seed(seed)
        yield


def _compile(model: KerasModel, steps: int) -> None:
    warmup = steps // 5
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=PEAK_LEARNING_RATE, warmup_steps=warmup
    )
    model.compile(keras.optimizers.Adam(schedule), keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def _epoch_batches(count: int, random: np.random.Generator) -> Indices:
    """The indices of the images of each step, in 15 epochs over ``count`` images: (steps, at most 64)."""
    steps_per_epoch = max(1, count // BATCH_SIZE)
    orders = [random.permutation(count)[: steps_per_epoch * BATCH_SIZE] for _ in range(EPOCHS)]
    return np.concatenate(orders).reshape(EPOCHS * steps_per_epoch, -1)


def _full_batches(count: int, steps: int, random: np.random.Generator) -> Indices:
    """The indices of the images of each step, epoch after epoch, each in a new order: (steps, 64)."""
    orders = [random.permutation(count) for _ in range(math.ceil(steps * BATCH_SIZE / count))]
    return np.concatenate(orders)[: steps * BATCH_SIZE].reshape(steps, BATCH_SIZE)


def _network(shape: Shape, class_count: int, base_channels: int = 32) -> KerasModel:
    pixels = keras.Input(shape)
    x = layers.Rescaling(1 / 90, -73 / 90)(pixels)  # Fashion-MNIST's mean and standard deviation
    # Each stage halves the height and the width. The last one leaves 3 to 7 pixels of each.
    stages = max(3, round(math.log2(min(shape[:2]) / 4)))
    for stage in range(stages):
        x = layers.Conv2D(base_channels * min(2**stage, MAX_WIDENING), 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    return keras.Model(pixels, layers.Dense(class_count)(x))


def framework() -> str:
    """The framework and its version. A classifier's result depends on them, not only on the images."""
    return f"keras-{keras.__version__}-{keras.backend.backend()}"


def classifier_from_weights(weights: Sequence[Array], shape: Shape) -> KerasModel:
    """Rebuild a classifier of ``train_classifier`` from its ``get_weights()`` and the shape (H, W, C) of its images."""
    with _seeded(0):  # The initial weights are replaced.
        model = _network(shape, len(weights[-1]))
    model.set_weights(weights)
    return model


def predict_classes(model: KerasModel, images: Images) -> Indices:
    """The most likely class (N,) of each image, uint8 (N, H, W, C)."""
    return _logits(model, images).argmax(axis=1)


def predict_probabilities(model: KerasModel, images: Images) -> Vectors:
    """The probability of each class (N, classes), for images, uint8 (N, H, W, C): the softmax of the logits."""
    logits = _logits(model, images)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))  # The largest one is 1, so none overflows.
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _logits(model: KerasModel, images: Images) -> Vectors:
    starts = range(0, len(images), PREDICT_BATCH_SIZE)
    batches = [images[start : start + PREDICT_BATCH_SIZE].astype(np.float32) for start in starts]
    return np.concatenate([np.asarray(model.predict_on_batch(batch)) for batch in batches])


def two_sample_successes(real: Images, generated: Images, seed: int) -> tuple[int, int]:
    """Train a classifier to distinguish real images from generated ones, and test it on other images.

    Half of each set is for training, the other half for the test.

    Args:
        real, generated: uint8 (N, H, W, C), of equal length, at least 4.
        seed: seed of the split and of the training.

    Returns:
        How many test images the classifier got right, and how many there were. If the sets are alike, it gets about
        half of them right.

    Source: Lopez-Paz & Oquab 2017, arXiv:1610.06545.
    """
    random = np.random.default_rng(seed)
    half = len(real) // 2
    train, test = [], []
    for images in (real, generated):
        order = random.permutation(len(images))
        train.append(images[order[:half]])
        test.append(images[order[half:]])
    labels = np.repeat(np.arange(2, dtype=np.int32), half)
    model = train_classifier(np.concatenate(train), labels, seed, "two-sample classifier")
    correct = [int((predict_classes(model, images) == label).sum()) for label, images in enumerate(test)]
    return sum(correct), sum(map(len, test))
