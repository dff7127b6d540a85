"""What is measured: each function takes a sample of images and the real side, and gives figures."""

import dataclasses
import functools
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.backends import default_backend, use_backend
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.errors import InputError
from fashion_gan.metrics import features, intervals
from fashion_gan.metrics.distances import (
    NEAREST,
    Estimate,
    Gaussian,
    frechet_distance,
    gaussian,
    kernel_distance,
    neighbourhoods,
)
from fashion_gan.metrics.features import Features
from fashion_gan.metrics.figures import Figure
from fashion_gan.metrics.memorisation import memorisation
from fashion_gan.metrics.reference import Reference

MISSING_SHARE = 0.01
PAIRS = 12  # most suspicious ones


class Sample:
    """Images to be scored.

    Attributes:
        images: uint8 (N, 28, 28, 1).
        labels: int32 (N,), the classes that were asked for; None where none were.
        features: what the feature network sees in them.
        with_errors: whether figures get the errors that take long to work out.
    """

    def __init__(
        self,
        images: npt.NDArray[np.uint8],
        labels: npt.NDArray[np.int32] | None,
        known: Features | None = None,
        with_errors: bool = True,
    ) -> None:
        self.images, self.labels, self.with_errors = images, labels, with_errors
        self._known = known

    @functools.cached_property
    def features(self) -> Features:
        return self._known or features.extract(self.images, "features of the generated images")

    def first(self, count: int) -> "Sample":
        if count == len(self.images):
            return self
        labels = None if self.labels is None else self.labels[:count]
        return Sample(self.images[:count], labels, self.features[:count], self.with_errors)


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a protocol found: figures by their names, and what the report shows beside them."""

    figures: dict[str, Figure]
    details: dict[str, Any] = dataclasses.field(default_factory=dict)


def load_fresh_networks() -> ModuleType:
    """The room that needs Keras, with the backend settled before Keras is imported."""
    use_backend(default_backend())
    from fashion_gan.metrics import fresh_networks

    return fresh_networks


def distances_to_test(sample: Sample, reference: Reference) -> Measured:
    ours, real = sample.features.vectors, reference.test_features.vectors
    kernel = kernel_distance(ours, real, reference.test_kernel_mean)
    found = neighbourhoods(real, ours, reference.test_radii)
    figures = {
        "ffd10k_test": _frechet(sample, reference.test_gaussian),
        "kernel10k_test": _estimated(kernel),
    }
    for name in ("precision", "recall", "density", "coverage"):
        figures[f"{name}10k_test"] = _mean(getattr(found, name))
    return Measured(figures)


def distance_to_training(sample: Sample, reference: Reference) -> Measured:
    return Measured({"ffd50k_train": _frechet(sample, reference.train_gaussian)})


def classes(sample: Sample, reference: Reference) -> Measured:
    shown, count = sample.features.classes, len(sample.images)
    shares = np.bincount(shown, minlength=10) / count
    real_shares = np.bincount(reference.test_features.classes, minlength=10) / len(reference.test.images)
    draws = np.random.default_rng(0).multinomial(count, shares, 1000) / count
    imbalance = float(np.abs(shares - real_shares).sum() / 2)
    replicates = np.abs(draws - real_shares).sum(axis=1) / 2
    figures = {
        # Around the estimate: drawn again, shares scatter once more, and so lie further from anything.
        "class_imbalance10k": Figure(imbalance, *intervals.around(imbalance, replicates)),
        "missing_classes10k": Figure(float((shares < MISSING_SHARE).sum())),
    }
    table: list[dict[str, Any]] = [
        {"name": name, "share": float(share), "real_share": float(real)}
        for name, share, real in zip(CLASS_NAMES, shares, real_shares, strict=True)
    ]
    if sample.labels is not None:
        right = shown == sample.labels
        figures["asked_class10k"] = _share(int(right.sum()), count)
        for label, row in enumerate(table):
            of_class = right[sample.labels == label]
            row["asked"] = len(of_class)
            if len(of_class):
                row["shown"] = dataclasses.asdict(_share(int(of_class.sum()), len(of_class)))
    return Measured(figures, {"classes": table})


def within_classes(sample: Sample, reference: Reference) -> Measured:
    """Recall and coverage of each class by itself: its generated images against its test images alone."""
    if sample.labels is None:
        raise InputError("recall and coverage by class need the class of each image")
    chosen = reference.training_sample(len(sample.images))
    real_side = reference.train_features.vectors[chosen], reference.train.labels[chosen]
    ours = _variety_by_class(sample.features.vectors, sample.labels, reference)
    real = _variety_by_class(*real_side, reference)
    table = [
        {
            "recall": float(recall.mean()),
            "coverage": float(coverage.mean()),
            "real_recall": float(real_recall.mean()),
            "real_coverage": float(real_coverage.mean()),
        }
        for (recall, coverage), (real_recall, real_coverage) in zip(ours, real, strict=True)
    ]
    figures = {
        "class_recall10k_test": _mean(np.concatenate([recall for recall, _ in ours])),
        "class_coverage10k_test": _mean(np.concatenate([coverage for _, coverage in ours])),
    }
    return Measured(figures, {"within_classes": table})


def _variety_by_class(
    vectors: npt.NDArray[np.float32], labels: npt.NDArray[np.int32], reference: Reference
) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """For each class: which of its test images are recalled, and which are covered, 0 or 1 each."""
    found = []
    for label in range(len(CLASS_NAMES)):
        real = reference.test_features.vectors[reference.test.labels == label]
        generated = vectors[labels == label]
        if len(generated) <= NEAREST:  # So few have no neighbourhoods: they are no variety.
            found.append((np.zeros(len(real)), np.zeros(len(real))))
        else:
            around = neighbourhoods(real, generated)
            found.append((around.recall, around.coverage))
    return found


def copies(sample: Sample, reference: Reference) -> Measured:
    ours = sample.features.vectors
    training, held_out = reference.train_features.vectors, reference.test_features.vectors
    found = memorisation(ours, training, reference.train.labels, held_out, reference.test_nearest_training)
    # An image that is near a training image and far from every test image is the likeliest copy.
    suspicion = found.to_training.squares / np.maximum(found.to_held_out.squares, 1e-12)
    worst = np.argsort(suspicion, kind="stable")[:PAIRS]
    pairs = {
        "generated": worst.tolist(),
        "training": found.to_training.indexes[worst].tolist(),
        "test": found.to_held_out.indexes[worst].tolist(),
        "distance_training": np.sqrt(found.to_training.squares[worst]).tolist(),
        "distance_test": np.sqrt(found.to_held_out.squares[worst]).tolist(),
    }
    figures = {} if found.copying is None else {"copying10k": _estimated(found.copying)}
    return Measured({**figures, "nearer_train10k": _mean(found.nearer_training)}, {"suspicious": pairs})


def gan_train(sample: Sample, reference: Reference) -> Measured:
    if sample.labels is None:
        raise InputError("GAN-train needs the class of each image")
    fresh_networks = load_fresh_networks()
    by_real = real_classifier(reference, len(sample.images))
    model = fresh_networks.classifier(sample.images, sample.labels, 0, "GAN-train: on generated images")
    right = fresh_networks.predicted(model, reference.test.images) == reference.test.labels
    shown = fresh_networks.predicted(by_real, sample.images) == sample.labels
    return Measured(
        {
            "gan_train10k": _share_by_fresh_network(int(right.sum()), len(right)),
            "gan_test10k": _share_by_fresh_network(int(shown.sum()), len(shown)),
        }
    )


def real_classifier(reference: Reference, count: int) -> Any:
    """The classifier that GAN-train's is held against: the same, taught by as many real images."""
    fresh_networks = load_fresh_networks()
    chosen = reference.training_sample(count)

    def work_out() -> dict[str, Any]:
        model = fresh_networks.classifier(
            reference.train.images[chosen], reference.train.labels[chosen], 0, "GAN-train: on real images"
        )
        return {str(index): value for index, value in enumerate(model.get_weights())}

    weights = reference.kept(f"real-classifier{count}-{fresh_networks.identity()}", work_out)
    return fresh_networks.with_weights([weights[str(index)] for index in range(len(weights))])


def two_sample(sample: Sample, reference: Reference) -> Measured:
    fresh_networks = load_fresh_networks()
    right, tried = fresh_networks.two_sample_successes(reference.test.images, sample.images, seed=0)
    return Measured({"two_sample10k_test": _share_by_fresh_network(right, tried)})


def inception_to_test(sample: Sample, reference: Reference) -> Measured:
    from fashion_gan.metrics import inception

    found = inception.scores(sample.images, reference.test.images, f"{reference.key}-test", with_kid_and_is=True)
    return Measured(
        {
            "fid10k_test": Figure(found["fid"]),
            # The deviation over subsets is no error of their mean: they overlap.
            "kid10k_test": Figure(found["kid"]),
            "is10k": Figure(found["is"]),
        }
    )


def inception_to_training(sample: Sample, reference: Reference) -> Measured:
    from fashion_gan.metrics import inception

    found = inception.scores(sample.images, reference.train.images, f"{reference.key}-train", with_kid_and_is=False)
    return Measured({"fid50k_train": Figure(found["fid"])})


def _frechet(sample: Sample, real: Gaussian) -> Figure:
    vectors = sample.features.vectors
    value = frechet_distance(real, gaussian(vectors))
    return Figure(value, *intervals.bootstrap_frechet(real, vectors)) if sample.with_errors else Figure(value)


def _estimated(estimate: Estimate) -> Figure:
    interval = intervals.normal_interval(estimate.value, estimate.standard_error)
    return Figure(estimate.value, estimate.standard_error, interval)


def _mean(contributions: npt.NDArray[np.float64]) -> Figure:
    return Figure(float(contributions.mean()), *intervals.bootstrap_mean(contributions))


def _share(successes: int, trials: int) -> Figure:
    share = successes / trials
    error = (share * (1 - share) / trials) ** 0.5
    return Figure(share, error, intervals.binomial_interval(successes, trials))


def _share_by_fresh_network(successes: int, trials: int) -> Figure:
    """A share whose interval is of the images tried alone: another training would move it too, by an unknown amount."""
    return dataclasses.replace(_share(successes, trials), standard_error=None)
