"""The measurement of each protocol for pictures of any kind: a sample and the reference -> values of metrics."""

import functools

import numpy as np

from fashion_gan.arrays import Floats, Images, JsonObject, KerasModel, Labels, Vectors
from fashion_gan.metrics import intervals
from fashion_gan.metrics.distances import (
    NEIGHBORS,
    kernel_distance,
    neighborhoods,
    squared_distances,
)
from fashion_gan.metrics.measures import load_classifiers
from fashion_gan.metrics.memorization import closer_shares, copying_statistic, nearest
from fashion_gan.metrics.metric_info import MetricValue
from fashion_gan.metrics.pictures.patches import Distances
from fashion_gan.metrics.pictures.reference import PictureReference, halves
from fashion_gan.metrics.values import Result, estimate_value, frechet_value, mean_value, new_network_share
from fashion_gan.metrics.whole_sets import Parts, RealVectors, measure_parts

FEWEST_OF_A_CLASS = 20  # pictures of a class, for figures within it
SUSPICIOUS_COUNT = 12  # pictures that the report shows as possible copies
GROUPS = 8  # of pictures, of which each gives a value of the diversity


class PictureSample:
    """Pictures to score.

    Args:
        images: uint8 (N, H, W, C).
        labels: the requested classes, int32 (N,); None if no classes were requested.
        reference: computes the features.
        known_vectors: the features, if they are already computed.
        with_errors: also compute the standard errors that take long to compute.
    """

    def __init__(
        self,
        images: Images,
        labels: Labels | None,
        reference: PictureReference,
        known_vectors: Vectors | None = None,
        with_errors: bool = True,
    ) -> None:
        self.images, self.labels, self.with_errors = images, labels, with_errors
        self._reference, self._known_vectors = reference, known_vectors

    @functools.cached_property
    def vectors(self) -> Vectors:
        if self._known_vectors is not None:
            return self._known_vectors
        return self._reference.vectors(self.images)

    def first(self, count: int) -> "PictureSample":
        """The first ``count`` pictures, as a sample."""
        if count == len(self.images):
            return self
        labels = None if self.labels is None else self.labels[:count]
        return PictureSample(self.images[:count], labels, self._reference, self.vectors[:count], self.with_errors)


# ---- Distances ----


def distances(sample: PictureSample, reference: PictureReference) -> Result:
    """Fréchet and kernel distance to the real pictures."""
    kernel = kernel_distance(sample.vectors, reference.target_vectors, reference.target_kernel_mean)
    frechet = frechet_value(sample.vectors, reference.target_gaussian, sample.with_errors)
    return Result({"frechet": frechet, "kernel": estimate_value(kernel)})


def neighbors(sample: PictureSample, reference: PictureReference) -> Result:
    """Precision, recall, density and coverage, of at most as many generated pictures as there are real ones.

    With more generated than real pictures, almost every real one has a generated one near it, whatever they show.
    """
    vectors = sample.vectors[: len(reference.target_vectors)]
    contributions = neighborhoods(reference.target_vectors, vectors, reference.target_radii)
    names = ("precision", "recall", "density", "coverage")
    return Result({name: mean_value(getattr(contributions, name)) for name in names})


def distance_to_training(sample: PictureSample, reference: PictureReference) -> Result:
    """Fréchet distance to the training pictures."""
    return Result({"frechet_train": frechet_value(sample.vectors, reference.train_gaussian, sample.with_errors)})


def patches(sample: PictureSample, reference: PictureReference) -> Result:
    """Sliced Wasserstein distance of patches: at each scale, and the mean over the scales."""
    measured = reference.patches.distances(sample.images, sample.with_errors)
    # The mean first: it is the figure, and the scales explain it.
    metrics = {"patches": _patch_value(measured, slice(None))}
    for index, scale in enumerate(reference.patches.scales):
        metrics[f"patches_scale{scale}"] = _patch_value(measured, slice(index, index + 1))
    return Result(metrics)


def _patch_value(measured: Distances, scales: slice) -> MetricValue:
    value = float(measured.values[scales].mean())
    if not measured.replicates.size:
        return MetricValue(value)
    return MetricValue(value, *intervals.debiased_interval(value, measured.replicates[:, scales].mean(axis=1)))


def all_images(parts: Parts, reference: PictureReference) -> Result:
    """The figures of all pictures, against the pictures to compare with."""
    training = None if reference.held_out is None else reference.train_vectors
    real = RealVectors(reference.target_vectors, reference.target_gaussian, reference.target_radii, training)

    def vectors(images: Images) -> Vectors:
        return reference.vectors(np.broadcast_to(images, (*images.shape[:3], reference.shape[2])), "")

    return measure_parts((vectors(images) for images, _ in parts()), real)


# ---- Variety ----


def diversity(sample: PictureSample, reference: PictureReference) -> Result:
    """How many different pictures there are, compared with as many real ones."""
    real = reference.target_vectors.astype(np.float64)
    generated = sample.vectors.astype(np.float64)
    size = diversity_group(len(generated), len(real))
    bandwidth = kernel_bandwidth(real[:size])
    of_real = np.mean([vendi_score(group, bandwidth) for group in _groups(real, size)])
    ratios = np.array([vendi_score(group, bandwidth) / of_real for group in _groups(generated, size)])
    if len(ratios) < 3:
        return Result({"diversity": MetricValue(float(ratios.mean()))})
    return Result({"diversity": MetricValue(float(ratios.mean()), *intervals.student_interval(ratios))})


def diversity_group(generated: int, real: int) -> int:
    """The pictures of a group: the same number of generated and of real ones, at most 250."""
    return max(25, min(250, min(generated, real) // 4))


def _groups(vectors: Floats, size: int) -> list[Floats]:
    order = np.random.default_rng(0).permutation(len(vectors))
    return [vectors[order[start : start + size]] for start in range(0, len(vectors) - size + 1, size)][:GROUPS]


def kernel_bandwidth(vectors: Floats) -> float:
    """Half the median of the squared distances of real vectors (N, D).

    If most pictures are equal, the median is zero but for rounding. Then it is a hundredth of the mean.
    """
    squares = _squares(vectors)[np.triu_indices(len(vectors), 1)]
    rounding = 1e-9 * float((vectors * vectors).sum(axis=1).mean())
    return max(float(np.median(squares)), float(squares.mean()) / 100, rounding) / 2 or 1.0


def _squares(vectors: Floats) -> Floats:
    return np.concatenate([rows for _, rows in squared_distances(vectors, vectors)])


def vendi_score(vectors: Floats, bandwidth: float) -> float:
    """The effective number of different vectors (N, D): 1 if all are equal, N if all lie far apart.

    It is the exponential of the entropy of the eigenvalues of the kernel exp(−|x − y|² / bandwidth), divided by N.

    Source: Friedman & Dieng 2023, arXiv:2210.02410.
    """
    kernel = np.exp(-_squares(vectors) / bandwidth)
    shares = np.maximum(np.linalg.eigvalsh(kernel / len(kernel)), 1e-300)
    return float(np.exp(-(shares * np.log(shares)).sum()))


def within_classes(sample: PictureSample, reference: PictureReference) -> Result:
    """Recall and coverage within each class that has enough pictures. No values if none has, as in halves of few."""
    assert sample.labels is not None  # The protocol needs labels.
    indices = reference.training_sample(len(sample.images))
    generated = _variety_by_class(sample.vectors, sample.labels, reference)
    real = _variety_by_class(reference.train_vectors[indices], reference.train.labels[indices], reference)
    table: list[JsonObject] = []
    for label, name in enumerate(reference.class_names):
        row: JsonObject = {"name": name, "asked": int((sample.labels == label).sum())}
        if label in generated:
            (recall, coverage), (real_recall, real_coverage) = generated[label], real[label]
            row |= {"recall": float(recall.mean()), "coverage": float(coverage.mean())}
            row |= {"real_recall": float(real_recall.mean()), "real_coverage": float(real_coverage.mean())}
        table.append(row)
    if not generated:
        return Result({}, {"within_classes": table})
    metrics = {
        "class_recall": mean_value(np.concatenate([recall for recall, _ in generated.values()])),
        "class_coverage": mean_value(np.concatenate([coverage for _, coverage in generated.values()])),
    }
    return Result(metrics, {"within_classes": table})


def _variety_by_class(
    vectors: Vectors, labels: Labels, reference: PictureReference
) -> dict[int, tuple[Floats, Floats]]:
    """For each class with enough real pictures, which of them are recalled and which are covered: 0 or 1 each."""
    by_class = {}
    for label in range(len(reference.class_names)):
        real = reference.target_vectors[reference.target.labels == label]
        if len(real) < FEWEST_OF_A_CLASS:
            continue
        generated = vectors[labels == label][: len(real)]
        if len(generated) <= NEIGHBORS:  # Too few for neighborhoods: they count as no variety.
            by_class[label] = (np.zeros(len(real)), np.zeros(len(real)))
        else:
            contributions = neighborhoods(real, generated)
            by_class[label] = (contributions.recall, contributions.coverage)
    return by_class


# ---- Memorization ----


def copies(sample: PictureSample, reference: PictureReference) -> Result:
    """Whether training pictures are copied, and the pictures that look most like copies."""
    to_training = nearest(sample.vectors, reference.train_vectors)
    real = reference.real_nearest_training
    labels = reference.train.labels
    copying = copying_statistic(to_training.squares, real.squares, labels[to_training.indices], labels[real.indices])
    if copying is None:  # No class has enough pictures, so all pictures are one cell.
        cells = [np.zeros(len(part.squares), np.int32) for part in (to_training, real)]
        copying = copying_statistic(to_training.squares, real.squares, *cells)
    assert copying is not None  # Both sets have 50 pictures at least.
    closer = closer_shares(to_training.squares, real.squares)
    metrics = {"copying": estimate_value(copying), "closer_than_real": mean_value(closer)}
    suspicious: JsonObject = {}
    if reference.held_out is None:
        # Each picture's distance to the training set, compared with that of the training picture that it resembles.
        ratios = to_training.squares / np.maximum(real.squares[to_training.indices], 1e-12)
    else:
        to_held_out = nearest(sample.vectors, reference.target_vectors)
        ratios = to_training.squares / np.maximum(to_held_out.squares, 1e-12)
        chance = len(reference.train_vectors) / (len(reference.train_vectors) + len(reference.target_vectors))
        # At the same distance from both, as equal pictures are, the nearest is a training picture by chance.
        squares, others = to_training.squares, to_held_out.squares
        nearer = np.where(squares == others, chance, squares < others)
        metrics["nearer_train"] = mean_value((nearer - chance) / (1 - chance))
        suspicious = {"test": to_held_out.indices, "distance_test": np.sqrt(to_held_out.squares)}
    suspicious |= {"training": to_training.indices, "distance_training": np.sqrt(to_training.squares)}
    likely_copies = np.argsort(ratios, kind="stable")[:SUSPICIOUS_COUNT]
    pairs = {name: values[likely_copies].tolist() for name, values in suspicious.items()}
    return Result(metrics, {"suspicious": {"generated": likely_copies.tolist(), **pairs}})


# ---- Classifiers that are trained for one measurement ----


def gan_train(sample: PictureSample, reference: PictureReference) -> Result:
    """GAN-train and GAN-test: train classifiers on generated and on real pictures, and test each on the others."""
    assert sample.labels is not None  # The protocol needs them, and held-out pictures.
    assert reference.held_out is not None
    classifiers = load_classifiers()
    real_model = real_classifier(reference, len(sample.images))
    model = classifiers.train_classifier(sample.images, sample.labels, 0, "GAN-train: on generated pictures")
    correct = classifiers.predict_classes(model, reference.held_out.images) == reference.held_out.labels
    shown = classifiers.predict_classes(real_model, sample.images) == sample.labels
    return Result(
        {
            "gan_train": new_network_share(int(correct.sum()), len(correct)),
            "gan_test": new_network_share(int(shown.sum()), len(shown)),
        }
    )


def real_classifier(reference: PictureReference, count: int) -> KerasModel:
    """The classifier of GAN-test and of the real baseline: trained on ``count`` real pictures, and cached."""
    classifiers = load_classifiers()
    indices = reference.training_sample(count)

    def compute_weights() -> JsonObject:
        model = classifiers.train_classifier(
            reference.train.images[indices], reference.train.labels[indices], 0, "GAN-train: on real pictures"
        )
        return {str(index): value for index, value in enumerate(model.get_weights())}

    weights = reference.cached(f"real-classifier{count}-{classifiers.framework()}", compute_weights)
    return classifiers.classifier_from_weights([weights[str(index)] for index in range(len(weights))], reference.shape)


def two_sample(sample: PictureSample, reference: PictureReference) -> Result:
    """How well a new network separates generated pictures from real ones, training pictures too."""
    real = all_real(reference)
    count = min(len(real), len(sample.images))
    return Result({"two_sample": told_apart(real[:count], sample.images[:count])})


def all_real(reference: PictureReference) -> Images:
    """The training pictures and the held-out ones, in a fixed random order."""
    parts = [part.images for part in (reference.train, reference.held_out) if part is not None]
    images = np.concatenate(parts)
    return images[np.concatenate(halves(len(images)))]


def told_apart(first: Images, second: Images) -> MetricValue:
    """The accuracy of a new network that is trained to separate two sets of pictures."""
    return new_network_share(*load_classifiers().two_sample_successes(first, second, seed=0))


# ---- Inception ----


def inception_scores(sample: PictureSample, reference: PictureReference) -> Result:
    """FID, KID and Inception score against the real pictures."""
    from fashion_gan.metrics import inception

    name = f"pictures-{reference.key}-{len(reference.target.images)}"
    scores = inception.scores(sample.images, reference.target.images, name, with_kid_and_is=True)
    return Result({name: MetricValue(scores[name]) for name in ("fid", "kid", "is")})
