"""The real baseline of each protocol: what real images score when they take the place of generated ones.

Each function takes the protocol's measure, its number of images, and the reference.
"""

from collections.abc import Callable

import numpy as np

from fashion_gan.arrays import Indices
from fashion_gan.metrics import measures
from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.measures import Sample
from fashion_gan.metrics.metric_info import MetricValue
from fashion_gan.metrics.reference import Reference
from fashion_gan.metrics.values import Result
from fashion_gan.metrics.whole_sets import measure_real

Measure = Callable[[Sample, Reference], Result]


def by_training_images(measure: Measure, count: int, reference: Reference) -> Result:
    """Score ``count`` training images, the classes in turn, as if they were generated."""
    indices, train = reference.training_sample(count), reference.train
    sample = Sample(train.images[indices], train.labels[indices], reference.train_features[indices], with_errors=False)
    return measure(sample, reference)


def by_halves(measure: Measure, count: int, reference: Reference) -> Result:
    """Compare one half of the training set with the other, and scale the distance to the protocol's counts.

    Training images scored against a set that contains them would get a better value than a perfect generator can. The
    distance of two samples of one distribution falls as 1/N + 1/M. A test checks this for these features.
    """
    first, second, scale = _halves(count, reference)
    vectors = reference.train_features.vectors
    distance = frechet_distance(gaussian(vectors[first]), gaussian(vectors[second]))
    return Result({"ffd50k_train": MetricValue(distance * scale)})


def _halves(count: int, reference: Reference) -> tuple[Indices, Indices, float]:
    """Indices of both halves of the training set, and the factor that scales the distance to the protocol's counts."""
    order = np.random.default_rng(0).permutation(len(reference.train.images))
    half = len(order) // 2
    return order[:half], order[half:], (1 / count + 1 / len(order)) / (2 / half)


def of_classes(measure: Measure, count: int, reference: Reference) -> Result:
    """Measure the frequency of the classes on training images, and how many show the requested class on test images.

    The feature network learned from the training images, so it classifies too many of them correctly.
    """
    by_training = by_training_images(measure, count, reference)
    test = Sample(reference.test.images, reference.test.labels, reference.test_features, with_errors=False)
    by_test = measure(test, reference)
    return Result({**by_training.metrics, "asked_class10k": by_test.metrics["asked_class10k"]})


def of_memorization(measure: Measure, count: int, reference: Reference) -> Result:
    """Score one half of the test images against the other half and half of the training set."""
    half, left_out = reference.halved()
    sample = Sample(reference.test.images[left_out], None, reference.test_features[left_out])
    return measure(sample, half)


def of_gan_train(measure: Measure, count: int, reference: Reference) -> Result:
    """The accuracy on test images of the classifier that is trained on ``count`` real images."""
    classifiers = measures.load_classifiers()
    model = measures.real_classifier(reference, count)
    correct = classifiers.predict_classes(model, reference.test.images) == reference.test.labels
    return Result(dict.fromkeys(("gan_train10k", "gan_test10k"), MetricValue(float(correct.mean()))))


def of_all_images(measure: Measure, count: int, reference: Reference) -> Result:
    """The figures of as many training images as there are test images."""
    indices = reference.training_sample(len(reference.test.images))
    training = reference.train_features.vectors[indices]
    return measure_real(reference.test_features.vectors, training, reference.test_radii)


def fid_by_halves(measure: Measure, count: int, reference: Reference) -> Result:
    """The same as ``by_halves``, with Inception's features."""
    from fashion_gan.metrics import inception

    first, second, scale = _halves(count, reference)
    images = reference.train.images
    scores = inception.scores(images[first], images[second], f"{reference.key}-train-half", with_kid_and_is=False)
    return Result({"fid50k_train": MetricValue(scores["fid"] * scale)})
