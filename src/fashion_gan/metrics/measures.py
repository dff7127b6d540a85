"""The measurement of each protocol: a function from a sample of images and the reference to values of metrics."""

import dataclasses
import functools
from collections.abc import Sequence
from types import ModuleType

import numpy as np

from fashion_gan.arrays import Floats, Images, JsonObject, KerasModel, Labels, Vectors
from fashion_gan.datasets import CLASS_NAMES, IMAGE_SHAPE
from fashion_gan.errors import InputError
from fashion_gan.metrics import features, intervals
from fashion_gan.metrics.distances import (
    NEIGHBORS,
    kernel_distance,
    neighborhoods,
)
from fashion_gan.metrics.features import Features
from fashion_gan.metrics.memorization import memorization
from fashion_gan.metrics.metric_info import MetricValue
from fashion_gan.metrics.reference import Reference
from fashion_gan.metrics.values import (
    Result,
    estimate_value,
    frechet_value,
    mean_value,
    new_network_share,
    share_value,
)
from fashion_gan.metrics.whole_sets import Parts, RealVectors, measure_parts
from fashion_gan.system.backends import default_backend, use_backend

MISSING_SHARE = 0.01  # A class with a smaller share of the images counts as missing.
SUSPICIOUS_COUNT = 12  # images that the report shows as possible copies


class Sample:
    """Images to score.

    Args:
        images: uint8 (N, 28, 28, 1).
        labels: the requested classes, int32 (N,); None if no classes were requested.
        known_features: the features of the images, if they are already computed.
        with_errors: also compute the standard errors that take long to compute.
    """

    def __init__(
        self, images: Images, labels: Labels | None, known_features: Features | None = None, with_errors: bool = True
    ) -> None:
        self.images, self.labels, self.with_errors = images, labels, with_errors
        self._known_features = known_features

    @functools.cached_property
    def features(self) -> Features:
        return self._known_features or features.extract(self.images, "features of the generated images")

    def first(self, count: int) -> "Sample":
        """The first ``count`` images, as a sample."""
        if count == len(self.images):
            return self
        labels = None if self.labels is None else self.labels[:count]
        return Sample(self.images[:count], labels, self.features[:count], self.with_errors)


def load_classifiers() -> ModuleType:
    """Import the module ``classifiers``, which needs Keras, after choosing Keras's backend."""
    use_backend(default_backend())
    from fashion_gan.metrics import classifiers

    return classifiers


# ---- Distances ----


def distances_to_test(sample: Sample, reference: Reference) -> Result:
    """Fréchet and kernel distance to the test images; precision, recall, density and coverage."""
    generated, real = sample.features.vectors, reference.test_features.vectors
    kernel = kernel_distance(generated, real, reference.test_kernel_mean)
    contributions = neighborhoods(real, generated, reference.test_radii)
    metrics = {
        "ffd10k_test": frechet_value(sample.features.vectors, reference.test_gaussian, sample.with_errors),
        "kernel10k_test": estimate_value(kernel),
    }
    for name in ("precision", "recall", "density", "coverage"):
        metrics[f"{name}10k_test"] = mean_value(getattr(contributions, name))
    return Result(metrics)


def distance_to_training(sample: Sample, reference: Reference) -> Result:
    """Fréchet distance to the training images."""
    return Result(
        {"ffd50k_train": frechet_value(sample.features.vectors, reference.train_gaussian, sample.with_errors)}
    )


def all_images(parts: Parts, reference: Reference) -> Result:
    """The figures of all images, against the test images."""
    real = RealVectors(
        reference.test_features.vectors, reference.test_gaussian, reference.test_radii, reference.train_features.vectors
    )
    return measure_parts((features.extract(images, "").vectors for images, _ in parts()), real)


# ---- Classes ----


def classes(sample: Sample, reference: Reference) -> Result:
    """How frequent the classes are, as the feature network sees them, and how many images show the requested class."""
    shown, count = sample.features.classes, len(sample.images)
    shares = np.bincount(shown, minlength=10) / count
    real_shares = np.bincount(reference.test_features.classes, minlength=10) / len(reference.test.images)
    draws = np.random.default_rng(0).multinomial(count, shares, 1000) / count
    imbalance = float(np.abs(shares - real_shares).sum() / 2)
    replicates = np.abs(draws - real_shares).sum(axis=1) / 2
    metrics = {
        # Resampling adds its own scatter to the shares, so the replicates are biased upward.
        "class_imbalance10k": MetricValue(imbalance, *intervals.debiased_interval(imbalance, replicates)),
        "missing_classes10k": MetricValue(float((shares < MISSING_SHARE).sum())),
    }
    table: list[JsonObject] = [
        {"name": name, "share": float(share), "real_share": float(real_share)}
        for name, share, real_share in zip(CLASS_NAMES, shares, real_shares, strict=True)
    ]
    if sample.labels is not None:
        correct = shown == sample.labels
        metrics["asked_class10k"] = share_value(int(correct.sum()), count)
        for label, row in enumerate(table):
            correct_in_class = correct[sample.labels == label]
            row["asked"] = len(correct_in_class)
            if len(correct_in_class):
                row["shown"] = dataclasses.asdict(share_value(int(correct_in_class.sum()), len(correct_in_class)))
    return Result(metrics, {"classes": table})


def within_classes(sample: Sample, reference: Reference) -> Result:
    """Recall and coverage within each class: its generated images against its test images."""
    if sample.labels is None:
        raise InputError("recall and coverage by class need the class of each image")
    indices = reference.training_sample(len(sample.images))
    generated = _variety_by_class(sample.features.vectors, sample.labels, reference)
    real = _variety_by_class(reference.train_features.vectors[indices], reference.train.labels[indices], reference)
    table = [
        {
            "recall": float(recall.mean()),
            "coverage": float(coverage.mean()),
            "real_recall": float(real_recall.mean()),
            "real_coverage": float(real_coverage.mean()),
        }
        for (recall, coverage), (real_recall, real_coverage) in zip(generated, real, strict=True)
    ]
    metrics = {
        "class_recall10k_test": mean_value(np.concatenate([recall for recall, _ in generated])),
        "class_coverage10k_test": mean_value(np.concatenate([coverage for _, coverage in generated])),
    }
    return Result(metrics, {"within_classes": table})


def _variety_by_class(vectors: Vectors, labels: Labels, reference: Reference) -> Sequence[tuple[Floats, Floats]]:
    """For each class, which of its test images are recalled and which are covered: 0 or 1 each."""
    by_class = []
    for label in range(len(CLASS_NAMES)):
        real = reference.test_features.vectors[reference.test.labels == label]
        generated = vectors[labels == label]
        if len(generated) <= NEIGHBORS:  # Too few for neighborhoods: they count as no variety.
            by_class.append((np.zeros(len(real)), np.zeros(len(real))))
        else:
            contributions = neighborhoods(real, generated)
            by_class.append((contributions.recall, contributions.coverage))
    return by_class


# ---- Memorization ----


def copies(sample: Sample, reference: Reference) -> Result:
    """Whether training images are copied, and the images that look most like copies."""
    training, held_out = reference.train_features.vectors, reference.test_features.vectors
    comparison = memorization(
        sample.features.vectors, training, reference.train.labels, held_out, reference.test_nearest_training
    )
    # A likely copy is near a training image and far from every test image.
    ratios = comparison.to_training.squares / np.maximum(comparison.to_held_out.squares, 1e-12)
    likely_copies = np.argsort(ratios, kind="stable")[:SUSPICIOUS_COUNT]
    suspicious = {
        "generated": likely_copies.tolist(),
        "training": comparison.to_training.indices[likely_copies].tolist(),
        "test": comparison.to_held_out.indices[likely_copies].tolist(),
        "distance_training": np.sqrt(comparison.to_training.squares[likely_copies]).tolist(),
        "distance_test": np.sqrt(comparison.to_held_out.squares[likely_copies]).tolist(),
    }
    metrics = {} if comparison.copying is None else {"copying10k": estimate_value(comparison.copying)}
    metrics["nearer_train10k"] = mean_value(comparison.nearer_training)
    return Result(metrics, {"suspicious": suspicious})


# ---- Classifiers that are trained for one measurement ----


def gan_train(sample: Sample, reference: Reference) -> Result:
    """GAN-train and GAN-test: train a classifier on generated images and one on real images, test each on the other."""
    if sample.labels is None:
        raise InputError("GAN-train needs the class of each image")
    classifiers = load_classifiers()
    real_model = real_classifier(reference, len(sample.images))
    model = classifiers.train_classifier(sample.images, sample.labels, 0, "GAN-train: on generated images")
    correct = classifiers.predict_classes(model, reference.test.images) == reference.test.labels
    shown = classifiers.predict_classes(real_model, sample.images) == sample.labels
    return Result(
        {
            "gan_train10k": new_network_share(int(correct.sum()), len(correct)),
            "gan_test10k": new_network_share(int(shown.sum()), len(shown)),
        }
    )


def real_classifier(reference: Reference, count: int) -> KerasModel:
    """The classifier of GAN-test and of the real baseline: trained on ``count`` real images, and cached."""
    classifiers = load_classifiers()
    indices = reference.training_sample(count)

    def compute_weights() -> JsonObject:
        model = classifiers.train_classifier(
            reference.train.images[indices], reference.train.labels[indices], 0, "GAN-train: on real images"
        )
        return {str(index): value for index, value in enumerate(model.get_weights())}

    weights = reference.cached(f"real-classifier{count}-{classifiers.framework()}", compute_weights)
    return classifiers.classifier_from_weights([weights[str(index)] for index in range(len(weights))], IMAGE_SHAPE)


def two_sample(sample: Sample, reference: Reference) -> Result:
    """How well a new network separates generated images from test images."""
    classifiers = load_classifiers()
    correct, count = classifiers.two_sample_successes(reference.test.images, sample.images, seed=0)
    return Result({"two_sample10k_test": new_network_share(correct, count)})


# ---- Inception ----


def inception_to_test(sample: Sample, reference: Reference) -> Result:
    """FID, KID and Inception score against the test images."""
    from fashion_gan.metrics import inception

    scores = inception.scores(sample.images, reference.test.images, f"{reference.key}-test", with_kid_and_is=True)
    return Result(
        {
            "fid10k_test": MetricValue(scores["fid"]),
            # The deviation over subsets is not the standard error of their mean, because the subsets overlap.
            "kid10k_test": MetricValue(scores["kid"]),
            "is10k": MetricValue(scores["is"]),
        }
    )


def inception_to_training(sample: Sample, reference: Reference) -> Result:
    """FID against the training images."""
    from fashion_gan.metrics import inception

    scores = inception.scores(sample.images, reference.train.images, f"{reference.key}-train", with_kid_and_is=False)
    return Result({"fid50k_train": MetricValue(scores["fid"])})
