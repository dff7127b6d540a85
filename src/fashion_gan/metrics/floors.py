"""What real images score in the place of generated ones: a floor for each way to measure.

Each function takes the way to measure, how many images it is for, and the real side.
"""

from collections.abc import Callable

import numpy as np

from fashion_gan.metrics import measures
from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.figures import Figure
from fashion_gan.metrics.measures import Measured, Sample
from fashion_gan.metrics.memorisation import Indexes
from fashion_gan.metrics.reference import Reference

Measure = Callable[[Sample, Reference], Measured]


def by_training_images(measure: Measure, count: int, reference: Reference) -> Measured:
    """Training images, as many, the classes in turn, scored as if they were generated."""
    chosen = reference.training_sample(count)
    train = reference.train
    return measure(
        Sample(train.images[chosen], train.labels[chosen], reference.train_features[chosen], with_errors=False),
        reference,
    )


def by_halves(measure: Measure, count: int, reference: Reference) -> Measured:
    """One half of the training set against the other, scaled to the protocol's counts.

    Scored against a set that holds them, training images would come out nearer than a perfect generator's could. The
    distance of two samples of one distribution falls as 1/N + 1/M, which a test holds for these features.
    """
    first, second, scale = _halves(count, reference)
    one, other = (gaussian(reference.train_features.vectors[half]) for half in (first, second))
    return Measured({"ffd50k_train": Figure(frechet_distance(one, other) * scale)})


def _halves(count: int, reference: Reference) -> tuple[Indexes, Indexes, float]:
    """Indexes of the training set's halves, and what brings their distance to the protocol's counts."""
    order = np.random.default_rng(0).permutation(len(reference.train.images))
    half = len(order) // 2
    return order[:half], order[half:], (1 / count + 1 / len(order)) / (2 / half)


def of_classes(measure: Measure, count: int, reference: Reference) -> Measured:
    """Training images for how frequent the classes are; test images for how many show theirs.

    The feature network has learnt what the training images show, so it would be right about too many of them.
    """
    by_training = by_training_images(measure, count, reference)
    test = Sample(reference.test.images, reference.test.labels, reference.test_features, with_errors=False)
    by_test = measure(test, reference)
    return Measured({**by_training.figures, "asked_class10k": by_test.figures["asked_class10k"]})


def of_memorisation(measure: Measure, count: int, reference: Reference) -> Measured:
    """Half of the test images as if generated; the other half as those held out, with half of the training set."""
    half, others = reference.halved()
    ours = Sample(reference.test.images[others], None, reference.test_features[others])
    return measure(ours, half)


def of_gan_train(measure: Measure, count: int, reference: Reference) -> Measured:
    fresh_networks = measures.load_fresh_networks()
    right = (
        fresh_networks.predicted(measures.real_classifier(reference, count), reference.test.images)
        == reference.test.labels
    )
    return Measured(dict.fromkeys(("gan_train10k", "gan_test10k"), Figure(float(right.mean()))))


def fid_by_halves(measure: Measure, count: int, reference: Reference) -> Measured:
    """As ``by_halves``, with Inception's features."""
    from fashion_gan.metrics import inception

    first, second, scale = _halves(count, reference)
    one, other = reference.train.images[first], reference.train.images[second]
    found = inception.scores(one, other, f"{reference.key}-train-half", with_kid_and_is=False)
    return Measured({"fid50k_train": Figure(found["fid"] * scale)})
