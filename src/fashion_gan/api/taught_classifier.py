"""A classifier that learns a model's classes from real pictures. The confidence filter of data sets asks it."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fashion_gan.api.labeled_pictures import check_keras, find_labeled_pictures
from fashion_gan.arrays import Images, JsonObject, Vectors
from fashion_gan.datasets import Dataset
from fashion_gan.generator import Generator
from fashion_gan.metrics.cache import metrics_cache_folder
from fashion_gan.metrics.measures import load_classifiers
from fashion_gan.metrics.pictures.feature_networks import FeatureNetwork
from fashion_gan.metrics.pictures.measures import real_classifier
from fashion_gan.metrics.pictures.reference import PictureReference
from fashion_gan.system.progress import notice


@dataclasses.dataclass(frozen=True)
class TaughtClassifier:
    """A classifier that learned from real pictures.

    Attributes:
        probabilities: images, uint8 (N, H, W, C) -> the probability of each of the model's classes (N, classes).
        about: for a manifest: the name and the checksum of the real pictures; and the accuracy, the share of the test
            pictures that it classifies correctly.
        sha256: the checksum of its weights. Two machines may train different ones.
        batch_size: it classifies so many images at once.
    """

    probabilities: Callable[[Images], Vectors]
    about: JsonObject
    sha256: str
    batch_size: int


def teach_classifier(model: str | Path, generator: Generator, data: str | Path | Dataset | None) -> TaughtClassifier:
    """Train a classifier on all real training pictures, or read it from the cache. Tell its accuracy in a notice.

    Args:
        model, generator, data: as for ``find_labeled_pictures``.

    Raises:
        InputError: as ``find_labeled_pictures``, or Keras is not installed.
    """
    check_keras("min_confidence for this model trains a classifier and")
    real = find_labeled_pictures(model, generator, data)
    reference = PictureReference(real.train, real.test, FeatureNetwork.random(), metrics_cache_folder())
    network = real_classifier(reference, len(real.train.images))
    classifiers = load_classifiers()
    accuracy = float((classifiers.predict_classes(network, real.test.images) == real.test.labels).mean())
    notice(
        f"min_confidence asks a classifier that learned from {len(real.train.images):,} pictures of "
        f"{real.about['source']}: it is right about {accuracy:.1%} of {len(real.test.images):,} others"
    )
    about: JsonObject = {
        "classifier_data": real.about["source"],
        "classifier_data_sha256": reference.fingerprint["data_sha256"],
        "classifier_accuracy": accuracy,
    }
    weights = b"".join(np.ascontiguousarray(weight).tobytes() for weight in network.get_weights())
    return TaughtClassifier(
        lambda images: classifiers.predict_probabilities(network, images)[:, real.labels_of_classes],
        about,
        hashlib.sha256(weights).hexdigest(),
        classifiers.PREDICT_BATCH_SIZE,
    )
