"""Each protocol: what it measures, on how many images, and what real images score in their place."""

import dataclasses
import functools
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.backends import check_backend, default_backend, use_backend
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.errors import InputError
from fashion_gan.metrics import features, intervals
from fashion_gan.metrics.distances import (
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


def _fresh_networks() -> ModuleType:
    """The room that needs Keras, with the backend settled before Keras is imported."""
    use_backend(default_backend())
    from fashion_gan.metrics import fresh_networks

    return fresh_networks


# ---- What is measured ----


def _distances(sample: Sample, reference: Reference) -> Measured:
    ours, real = sample.features.vectors, reference.test_features.vectors
    kernel = kernel_distance(ours, real)
    found = neighbourhoods(real, ours, reference.test_radii)
    figures = {
        "ffd10k_test": _frechet(sample, reference.test_gaussian),
        "kernel10k_test": _estimated(kernel),
    }
    for name in ("precision", "recall", "density", "coverage"):
        figures[f"{name}10k_test"] = _mean(getattr(found, name))
    return Measured(figures)


def _distance_to_training(sample: Sample, reference: Reference) -> Measured:
    return Measured({"ffd50k_train": _frechet(sample, reference.train_gaussian)})


def _classes(sample: Sample, reference: Reference) -> Measured:
    shown, count = sample.features.classes, len(sample.images)
    shares = np.bincount(shown, minlength=10) / count
    real_shares = np.bincount(reference.test_features.classes, minlength=10) / len(reference.test.images)
    draws = np.random.default_rng(0).multinomial(count, shares, 1000) / count
    imbalance = np.abs(shares - real_shares).sum() / 2
    replicates = np.abs(draws - real_shares).sum(axis=1) / 2
    # Around the estimate: drawn again, shares scatter once more, and so lie further from anything.
    low, high = np.quantile(replicates - replicates.mean(), [0.025, 0.975]) + imbalance
    figures = {
        "class_imbalance10k": Figure(float(imbalance), float(replicates.std(ddof=1)), (max(0.0, low), float(high))),
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


def _memorisation(sample: Sample, reference: Reference) -> Measured:
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


def _gan_train(sample: Sample, reference: Reference) -> Measured:
    fresh_networks = _fresh_networks()
    assert sample.labels is not None
    by_real = _real_classifier(reference, len(sample.images))
    model = fresh_networks.classifier(sample.images, sample.labels, 0, "GAN-train: on generated images")
    right = fresh_networks.predicted(model, reference.test.images) == reference.test.labels
    shown = fresh_networks.predicted(by_real, sample.images) == sample.labels
    return Measured(
        {
            "gan_train10k": _share_by_fresh_network(int(right.sum()), len(right)),
            "gan_test10k": _share_by_fresh_network(int(shown.sum()), len(shown)),
        }
    )


def _real_classifier(reference: Reference, count: int) -> Any:
    """The classifier that GAN-train's is held against: the same, taught by as many real images."""
    fresh_networks = _fresh_networks()
    chosen = reference.training_sample(count)

    def work_out() -> dict[str, Any]:
        model = fresh_networks.classifier(
            reference.train.images[chosen], reference.train.labels[chosen], 0, "GAN-train: on real images"
        )
        return {str(index): value for index, value in enumerate(model.get_weights())}

    weights = reference.kept(f"real-classifier{count}-{fresh_networks.identity()}", work_out)
    return fresh_networks.with_weights([weights[str(index)] for index in range(len(weights))])


def _two_sample(sample: Sample, reference: Reference) -> Measured:
    fresh_networks = _fresh_networks()
    right, tried = fresh_networks.two_sample_successes(reference.test.images, sample.images, seed=0)
    return Measured({"two_sample10k_test": _share_by_fresh_network(right, tried)})


def _inception_to_test(sample: Sample, reference: Reference) -> Measured:
    from fashion_gan.metrics import inception

    found = inception.scores(sample.images, reference.test.images, f"{reference.key}-test", with_kid_and_is=True)
    return Measured(
        {
            "fid10k_test": Figure(found["fid"]),
            "kid10k_test": Figure(found["kid"], found["kid_deviation"] / 10),  # of the mean of 100 subsets
            "is10k": Figure(found["is"]),
        }
    )


def _inception_to_training(sample: Sample, reference: Reference) -> Measured:
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


# ---- What real images score in their place ----


def _floor_by_training_images(protocol: "Protocol", reference: Reference) -> Measured:
    """Training images, as many, the classes in turn, scored as if they were generated."""
    chosen = reference.training_sample(protocol.count)
    train = reference.train
    return protocol.measure(
        Sample(train.images[chosen], train.labels[chosen], reference.train_features[chosen], with_errors=False),
        reference,
    )


def _floor_by_halves(protocol: "Protocol", reference: Reference) -> Measured:
    """One half of the training set against the other, scaled to the protocol's counts.

    Scored against a set that holds them, training images would come out nearer than a perfect generator's could. The
    distance of two samples of one distribution falls as 1/N + 1/M, which a test holds for these features.
    """
    order = np.random.default_rng(0).permutation(len(reference.train.images))
    half = len(order) // 2
    one, other = (gaussian(reference.train_features.vectors[part]) for part in (order[:half], order[half:]))
    scale = (1 / protocol.count + 1 / len(order)) / (2 / half)
    return Measured({"ffd50k_train": Figure(frechet_distance(one, other) * scale)})


def _floor_of_classes(protocol: "Protocol", reference: Reference) -> Measured:
    """Training images for how frequent the classes are; test images for how many show theirs.

    The feature network has learnt what the training images show, so it would be right about too many of them.
    """
    by_training = _floor_by_training_images(protocol, reference)
    test = Sample(reference.test.images, reference.test.labels, reference.test_features, with_errors=False)
    by_test = protocol.measure(test, reference)
    return Measured({**by_training.figures, "asked_class10k": by_test.figures["asked_class10k"]})


def _floor_of_memorisation(protocol: "Protocol", reference: Reference) -> Measured:
    """Half of the test images as if generated; the other half as those held out, with half of the training set."""
    half, others = reference.halved()
    ours = Sample(reference.test.images[others], None, reference.test_features[others])
    return protocol.measure(ours, half)


def _floor_of_gan_train(protocol: "Protocol", reference: Reference) -> Measured:
    fresh_networks = _fresh_networks()
    right = (
        fresh_networks.predicted(_real_classifier(reference, protocol.count), reference.test.images)
        == reference.test.labels
    )
    return Measured(dict.fromkeys(("gan_train10k", "gan_test10k"), Figure(float(right.mean()))))


def _fid_floor_by_halves(protocol: "Protocol", reference: Reference) -> Measured:
    """As ``_floor_by_halves``, with Inception's features."""
    from fashion_gan.metrics import inception

    order = np.random.default_rng(0).permutation(len(reference.train.images))
    half = len(order) // 2
    one, other = (reference.train.images[part] for part in (order[:half], order[half:]))
    scale = (1 / protocol.count + 1 / len(order)) / (2 / half)
    found = inception.scores(one, other, f"{reference.key}-train-half", with_kid_and_is=False)
    return Measured({"fid50k_train": Figure(found["fid"] * scale)})


# ---- The table ----


@dataclasses.dataclass(frozen=True)
class Protocol:
    """One way to measure.

    Attributes:
        name: what ``--protocol`` calls it.
        count: how many images it takes; no fewer will do.
        measure: a sample of so many images, and the real side -> figures.
        work_out_floor: the same figures of real images.
        needs: a module that must be installed, "keras" or "torch_fidelity"; "" where the base install will do.
        needs_labels: whether each image's class must be known.
    """

    name: str
    count: int
    measure: Callable[[Sample, Reference], Measured]
    work_out_floor: Callable[["Protocol", Reference], Measured]
    needs: str = ""
    needs_labels: bool = False

    def check(self, count: int, labelled: bool) -> None:
        """Raise InputError where so many images cannot be measured in this way, or not on this machine."""
        if count < self.count:
            raise InputError(
                f"{self.name} needs {self.count:,} images, there are {count:,}: a score of fewer is higher"
            )
        if self.needs_labels and not labelled:
            raise InputError(f"{self.name} needs the class of each image: a conditional model, or --labels")
        if self.needs == "keras":
            try:
                check_backend(default_backend())
            except InputError as error:
                raise InputError(f"{self.name} needs Keras: {error}") from error
        elif self.needs and importlib.util.find_spec(self.needs) is None:
            raise InputError(f"{self.name} needs torch-fidelity: pip install 'fashion-gan[inception]'")

    def floor(self, reference: Reference) -> dict[str, float]:
        """What real images score in this way, kept in the cache."""
        name = f"floor-{self.name}"
        if self.needs == "keras":  # What a network trained here scores depends on the framework.
            fresh_networks = _fresh_networks()
            name += f"-{fresh_networks.identity()}"
        values = reference.kept(
            name, lambda: {key: figure.value for key, figure in self.work_out_floor(self, reference).figures.items()}
        )
        return {key: float(value) for key, value in values.items()}


# fmt: off
PROTOCOLS = {protocol.name: protocol for protocol in (
    Protocol("ffd10k_test",        10_000, _distances,             _floor_by_training_images),
    Protocol("classes10k",         10_000, _classes,               _floor_of_classes),
    Protocol("memorisation10k",    10_000, _memorisation,          _floor_of_memorisation),
    Protocol("gan_train10k",       10_000, _gan_train,             _floor_of_gan_train,       "keras", True),
    Protocol("two_sample10k_test", 10_000, _two_sample,            _floor_by_training_images, "keras"),
    Protocol("ffd50k_train",       50_000, _distance_to_training,  _floor_by_halves),
    Protocol("fid10k_test",        10_000, _inception_to_test,     _floor_by_training_images, "torch_fidelity"),
    Protocol("fid50k_train",       50_000, _inception_to_training, _fid_floor_by_halves,      "torch_fidelity"),
)}
# fmt: on
SETS = {
    "standard": ("ffd10k_test", "classes10k", "memorisation10k"),
    "full": ("ffd10k_test", "classes10k", "memorisation10k", "gan_train10k", "two_sample10k_test", "ffd50k_train"),
}
