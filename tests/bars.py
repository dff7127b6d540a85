"""A data set whose classes are easy to learn, and a classifier that needs no training."""

import types

import numpy as np

from fashion_gan.datasets import CLASS_NAMES, Dataset
from fashion_gan.metrics import augmentation_benefit


def bars(per_class, seed, noise=60, brightness=20):
    """Return images whose class is the height of a faint bar. Gray noise nearly hides the bar."""
    random = np.random.default_rng(seed)
    labels = np.tile(np.arange(10, dtype=np.int32), per_class)
    images = 60 + random.integers(-noise, noise + 1, (len(labels), 28, 28, 1))
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label] += brightness
    return Dataset(images.astype(np.uint8), labels, CLASS_NAMES, "bars")


class NearestImage:
    """Predicts the class of the nearest training image, and records what it saw. It replaces the network."""

    def __init__(self):
        self.trainings, self.tested, self.steps = [], [], set()

    def build(self, shape, class_count, base_channels, steps):
        self.shape, self.class_count = shape, class_count
        self.steps.add(steps)
        return self

    def train(self, images, labels, seed, description, augment):
        self.trainings.append((images, labels, seed, augment))
        self.vectors, self.labels = images.reshape(len(images), -1).astype(float), labels

    def predict_classes(self, images):
        self.tested.append(images)
        vectors = images.reshape(len(images), -1).astype(float)
        distances = (self.vectors**2).sum(axis=1) - 2 * vectors @ self.vectors.T
        return self.labels[distances.argmin(axis=1)]


def replace_classifier(monkeypatch):
    classifier = NearestImage()
    module = types.SimpleNamespace(Classifier=classifier.build)
    monkeypatch.setattr(augmentation_benefit, "load_classifiers", lambda: module)
    return classifier


TRAIN, TEST = bars(30, seed=1), bars(20, seed=2)
