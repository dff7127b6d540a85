"""Figures of all images of a data set that does not fit into memory: each part is measured, and the results merged."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np

from fashion_gan.arrays import Floats, Images, JsonObject, Labels, Vectors
from fashion_gan.errors import InputError
from fashion_gan.metrics.distances import (
    NEIGHBORS,
    Gaussian,
    frechet_distance,
    gaussian,
    neighborhoods,
    squared_distances,
)
from fashion_gan.metrics.intervals import normal_interval
from fashion_gan.metrics.memorization import nearest
from fashion_gan.metrics.metric_info import MetricValue
from fashion_gan.metrics.values import Result

Parts: TypeAlias = Callable[[], Iterable[tuple[Images, Labels]]]
"""Gives all images of a data set and their labels, in parts that fit into memory."""

SUSPICIOUS_COUNT = 12  # images that the report shows as possible copies


@dataclasses.dataclass(frozen=True, eq=False)
class Moments:
    """The number, the mean and the scatter of vectors. Those of two sets merge into those of both together.

    Attributes:
        count: the number of vectors N.
        mean: (D,).
        scatter: the sum of the outer products of the differences from the mean (D, D).
    """

    count: int
    mean: Floats
    scatter: Floats

    @classmethod
    def of(cls, vectors: Vectors) -> "Moments":
        """The moments of vectors (N, D), N at least 1."""
        if len(vectors) == 1:
            mean = vectors[0].astype(np.float64)
            return cls(1, mean, np.zeros((len(mean), len(mean))))
        fitted = gaussian(vectors)
        return cls(fitted.count, fitted.mean, fitted.covariance * (fitted.count - 1))

    def merged(self, other: "Moments") -> "Moments":
        """The moments of both sets together.

        Source: Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance".
        """
        count = self.count + other.count
        difference = other.mean - self.mean
        mean = self.mean + difference * (other.count / count)
        between = np.outer(difference, difference) * (self.count * other.count / count)
        return Moments(count, mean, self.scatter + other.scatter + between)

    def gaussian(self) -> Gaussian:
        """The Gaussian with these moments, as ``distances.gaussian`` fits it to all vectors."""
        return Gaussian(self.mean, self.scatter / (self.count - 1), self.count)


@dataclasses.dataclass(frozen=True, eq=False)
class Contributions:
    """The sum of a figure's contributions, and of their squares. The figure is their mean.

    Attributes:
        count: the number of contributions.
        total: their sum.
        squares: the sum of their squares.
    """

    count: int
    total: float
    squares: float

    @classmethod
    def of(cls, values: Floats) -> "Contributions":
        """The contributions of some images (N,)."""
        return cls(len(values), float(values.sum()), float((values * values).sum()))

    def merged(self, other: "Contributions") -> "Contributions":
        """Those of both parts together."""
        return Contributions(self.count + other.count, self.total + other.total, self.squares + other.squares)

    def value(self) -> MetricValue:
        """The mean, with its standard error and a normal interval."""
        mean = self.total / self.count
        variance = max(0.0, self.squares / self.count - mean**2) * self.count / max(1, self.count - 1)
        error = float(np.sqrt(variance / self.count))
        return MetricValue(mean, error, normal_interval(mean, error))


@dataclasses.dataclass(frozen=True, eq=False)
class RealVectors:
    """The feature vectors of real images.

    Attributes:
        target: those that distances are measured to (M, D).
        fitted: the Gaussian of these.
        radii: their squared distances to their fifth nearest neighbors (M,).
        training: those that a generator may have learned from (T, D). None if they are the target too.
    """

    target: Vectors
    fitted: Gaussian
    radii: Floats
    training: Vectors | None


@dataclasses.dataclass(frozen=True, eq=False)
class PartFigures:
    """What a part contributes to the figures.

    Attributes:
        moments: of its vectors.
        precision, density: of its images.
        nearer_training: of its images; None if no real image is held out.
        nearest: the squared distance of each real image to the nearest image of the part (M,).
        suspicious: the images that look most like copies, the most suspicious first: (ratio of squared distances,
            the image's number, and the facts that the report shows).
    """

    moments: Moments
    precision: Contributions
    density: Contributions
    nearer_training: Contributions | None
    nearest: Floats
    suspicious: Sequence[tuple[float, int, JsonObject]] = ()

    def merged(self, other: "PartFigures") -> "PartFigures":
        """Those of both parts together."""
        nearer, others = self.nearer_training, other.nearer_training
        return PartFigures(
            self.moments.merged(other.moments),
            self.precision.merged(other.precision),
            self.density.merged(other.density),
            None if nearer is None or others is None else nearer.merged(others),
            np.minimum(self.nearest, other.nearest),
            sorted([*self.suspicious, *other.suspicious], key=lambda row: row[:2])[:SUSPICIOUS_COUNT],
        )


def part_figures(vectors: Vectors, real: RealVectors, start: int = 0) -> PartFigures:
    """Measure the images of a part.

    Args:
        vectors: their features (N, D).
        real: the real images.
        start: the number of the part's first image.
    """
    generated, target = vectors.astype(np.float64), real.target.astype(np.float64)
    counts, nearest_generated = np.empty(len(generated)), np.full(len(target), np.inf)
    for rows, squares in squared_distances(generated, target):
        counts[rows] = (squares < real.radii).sum(axis=1)
        nearest_generated = np.minimum(nearest_generated, squares.min(axis=0))
    nearer, suspicious = (None, ()) if real.training is None else _copies(vectors, real, real.training, start)
    return PartFigures(
        Moments.of(vectors),
        Contributions.of((counts > 0).astype(float)),
        Contributions.of(counts / NEIGHBORS),
        nearer,
        nearest_generated,
        suspicious,
    )


def _copies(
    vectors: Vectors, real: RealVectors, training: Vectors, start: int
) -> tuple[Contributions, list[tuple[float, int, JsonObject]]]:
    """How often the nearest real image is a training image, beyond chance; and the most suspicious images."""
    to_training, to_target = nearest(vectors, training), nearest(vectors, real.target)
    chance = len(training) / (len(training) + len(real.target))
    # At the same distance from both, as equal images are, the nearest is a training image by chance.
    equal = to_training.squares == to_target.squares
    nearer = np.where(equal, chance, to_training.squares < to_target.squares)
    ratios = to_training.squares / np.maximum(to_target.squares, 1e-12)
    suspicious = [
        (
            float(ratios[row]),
            start + row,
            {
                "image": start + row,
                "training": int(to_training.indices[row]),
                "test": int(to_target.indices[row]),
                "distance_training": float(np.sqrt(to_training.squares[row])),
                "distance_test": float(np.sqrt(to_target.squares[row])),
            },
        )
        for row in np.argsort(ratios, kind="stable")[:SUSPICIOUS_COUNT].tolist()
    ]
    return Contributions.of((nearer - chance) / (1 - chance)), suspicious


def measure_real(target: Vectors, training: Vectors, radii: Floats) -> Result:
    """The precision and the density of real images. The other figures of all images depend on their number."""
    found = neighborhoods(target, training, radii)
    return Result({f"{name}_all": MetricValue(float(getattr(found, name).mean())) for name in ("precision", "density")})


def measure_parts(parts: Iterable[Vectors], real: RealVectors) -> Result:
    """Measure all images of a data set.

    Args:
        parts: the features of its images, part by part, in the order of their numbers: (N, D) each.
        real: the real images.

    Returns:
        The Fréchet distance, precision, density and coverage, and how often the nearest real image is a training image,
        beyond chance. The images that look most like copies are in the details, with their numbers.

    Raises:
        InputError: there is no image, or only one.
    """
    merged: PartFigures | None = None
    for vectors in parts:
        part = part_figures(vectors, real, 0 if merged is None else merged.moments.count)
        merged = part if merged is None else merged.merged(part)
    if merged is None or merged.moments.count < 2:
        raise InputError("a data set of at least two images is needed")
    # The distance and the coverage depend on the number of images. Without an error they are not compared.
    metrics = {
        "frechet_all": MetricValue(frechet_distance(real.fitted, merged.moments.gaussian())),
        "precision_all": merged.precision.value(),
        "density_all": merged.density.value(),
        "coverage_all": MetricValue(float((merged.nearest < real.radii).mean())),
    }
    if merged.nearer_training is not None:
        metrics["nearer_train_all"] = merged.nearer_training.value()
    copies = [facts for _, _, facts in merged.suspicious]
    return Result(metrics, {"suspicious_of_all": copies, "all_images": merged.moments.count})
