"""The real baseline of each protocol for pictures of any kind: what real pictures score in place of generated ones.

Each function takes the protocol's measure, its number of pictures, and the reference. With held-out pictures, training
pictures are scored against them. Without, one half of the pictures is scored against the other.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from fashion_gan.metrics.measures import load_classifiers
from fashion_gan.metrics.pictures import measures
from fashion_gan.metrics.pictures.measures import PictureSample
from fashion_gan.metrics.pictures.reference import PictureReference, halves
from fashion_gan.metrics.values import Result, new_network_share
from fashion_gan.metrics.whole_sets import measure_real

PictureMeasure = Callable[[PictureSample, PictureReference], Result]

# How a distance of two samples of one distribution falls with their numbers: as the power of 1/N + 1/M. Halves are
# smaller than the protocol's samples, so these distances are scaled. Shares are not.
POWERS = {"frechet": 1.0, "frechet_train": 1.0, "patches": 0.5}


def of_real_pictures(measure: PictureMeasure, count: int, reference: PictureReference) -> Result:
    """Score ``count`` training pictures, or one half of the pictures if none is held out."""
    if reference.held_out is None:
        return by_halves(measure, count, reference)
    indices = reference.training_sample(count)
    train = reference.train
    vectors = reference.train_vectors[indices]
    sample = PictureSample(train.images[indices], train.labels[indices], reference, vectors, with_errors=False)
    return measure(sample, reference)


def by_halves(measure: PictureMeasure, count: int, reference: PictureReference) -> Result:
    """Score one half of the training pictures against the other, and scale the distances to the protocol's counts."""
    first, second = halves(len(reference.train.images))
    sample = PictureSample(
        reference.train.images[first],
        reference.train.labels[first],
        reference,
        reference.train_vectors[first],
        with_errors=False,
    )
    result = measure(sample, reference.part(second, None))
    scale = (1 / count + 1 / len(reference.train.images)) / (1 / len(first) + 1 / len(second))
    metrics = {
        name: dataclasses.replace(metric, value=metric.value * scale ** POWERS.get(name.split("_scale")[0], 0.0))
        for name, metric in result.metrics.items()
    }
    return Result(metrics)


def of_all_images(measure: PictureMeasure, count: int, reference: PictureReference) -> Result:
    """The figures of as many training pictures as there are held-out ones."""
    if reference.held_out is None:
        return Result({})
    training = reference.train_vectors[reference.training_sample(len(reference.target.images))]
    return measure_real(reference.target_vectors, training, reference.target_radii)


def of_memorization(measure: PictureMeasure, count: int, reference: PictureReference) -> Result:
    """Score one half of the held-out pictures against the training pictures and the other half."""
    if reference.held_out is None:
        return by_halves(measure, count, reference)
    first, second = halves(len(reference.held_out.images))
    sample = PictureSample(
        reference.held_out.images[first], None, reference, reference.target_vectors[first], with_errors=False
    )
    return measure(sample, reference.part(np.arange(len(reference.train.images)), second))


def of_gan_train(measure: PictureMeasure, count: int, reference: PictureReference) -> Result:
    """The accuracy on held-out pictures of the classifier that is trained on ``count`` real pictures."""
    assert reference.held_out is not None  # The protocol needs them.
    model = measures.real_classifier(reference, count)
    shown = load_classifiers().predict_classes(model, reference.held_out.images)
    value = new_network_share(int((shown == reference.held_out.labels).sum()), len(shown))
    return Result(dict.fromkeys(("gan_train", "gan_test"), value))


def of_two_sample(measure: PictureMeasure, count: int, reference: PictureReference) -> Result:
    """Try to separate one half of the real pictures from the other."""
    first, second = np.array_split(measures.all_real(reference)[: 2 * count], 2)
    return Result({"two_sample": measures.told_apart(first[: len(second)], second)})
