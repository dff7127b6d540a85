"""Distances between two sets of feature vectors. Pure functions, in double precision."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Floats
from fashion_gan.errors import InputError
from fashion_gan.metrics.scientific import scipy

NEIGHBORS = 5  # as in Naeem et al. 2020
CHUNK_ROWS = 512  # rows of a distance matrix computed at a time: 41 MB with 10,000 columns
KERNEL_DEGREE = 3


def _checked(name: str, vectors: npt.ArrayLike, minimum: int) -> Floats:
    vectors = np.asarray(vectors, np.float64)
    if vectors.ndim != 2 or not vectors.shape[1]:
        raise InputError(f"{name} must be vectors (N, D), it has shape {vectors.shape}")
    if len(vectors) < minimum:
        raise InputError(f"{name} has {len(vectors)} vectors, but at least {minimum} are needed")
    if not np.isfinite(vectors).all():
        raise InputError(f"{name} holds NaN or infinite values")
    return vectors


# ---- The Fréchet distance ----


@dataclasses.dataclass(frozen=True, eq=False)
class Gaussian:
    """A Gaussian fitted to a set of vectors.

    Attributes:
        mean: (D,).
        covariance: (D, D).
        count: the number of vectors.
    """

    mean: Floats
    covariance: Floats
    count: int


def gaussian(vectors: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Gaussian:
    """Fit a Gaussian. The covariance is the unbiased one, divided by N − 1.

    Args:
        vectors: (N, D), N at least 2.
        weights: how often each vector counts, whole numbers (N,). By default each counts once.

    Raises:
        InputError: there are fewer than two vectors, or a value is not finite.
    """
    vectors = _checked("a set", vectors, minimum=2)
    counts = np.ones(len(vectors)) if weights is None else np.asarray(weights, np.float64)
    count = counts.sum()
    mean, roots = counts @ vectors / count, np.sqrt(counts)[:, None]
    squares = np.zeros((len(mean), len(mean)))
    for start in range(0, len(vectors), CHUNK_ROWS):
        centered = (vectors[start : start + CHUNK_ROWS] - mean) * roots[start : start + CHUNK_ROWS]
        squares += centered.T @ centered
    return Gaussian(mean, squares / (count - 1), int(count))


def square_root(covariance: Floats) -> Floats:
    """The symmetric square root of a covariance matrix. Eigenvalues that rounding made negative count as zero."""
    values, vectors = scipy().linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def frechet_distance(first: Gaussian, second: Gaussian, first_root: Floats | None = None) -> float:
    """The squared 2-Wasserstein distance of two Gaussians: |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½).

    It is 0 if the Gaussians are equal.

    The trace of (Σ₁ Σ₂)^½ is the sum of the square roots of the eigenvalues of Σ₁^½ Σ₂ Σ₁^½. That matrix is symmetric,
    so the result is exact for singular covariances too (fewer vectors than dimensions, or all vectors equal). A general
    matrix square root fails there.

    Args:
        first, second: from ``gaussian``, of the same dimension.
        first_root: ``square_root(first.covariance)``, if it is known already.

    Raises:
        InputError: the dimensions differ.

    Example:
        >>> frechet_distance(gaussian([[0.0], [2.0]]), gaussian([[3.0], [5.0]]))
        9.0

    Source: Dowson & Landau 1982. As a score of images: Heusel et al. 2017, arXiv:1706.08500.
    """
    if first.mean.shape != second.mean.shape:
        raise InputError(f"vectors of {len(first.mean)} and of {len(second.mean)} dimensions cannot be compared")
    root = square_root(first.covariance) if first_root is None else first_root
    middle = root @ second.covariance @ root
    values = scipy().linalg.eigvalsh((middle + middle.T) / 2)
    trace_of_root = np.sqrt(np.maximum(values, 0)).sum()
    difference = first.mean - second.mean
    traces = np.trace(first.covariance) + np.trace(second.covariance)
    return float(max(0.0, difference @ difference + traces - 2 * trace_of_root))


# ---- The kernel distance ----


@dataclasses.dataclass(frozen=True)
class EstimateWithError:
    """An estimate and its standard error."""

    value: float
    standard_error: float


def kernel_distance(first: npt.ArrayLike, second: npt.ArrayLike, second_mean: float | None = None) -> EstimateWithError:
    """The unbiased squared maximum mean discrepancy (MMD²) with the kernel (x·y/D + 1)³.

    If both sets come from one distribution, the value is about 0 and can be negative. All pairs are used, not subsets.
    The standard error is that of drawing the first set again, with the second set fixed. It comes from the first-order
    projection of the U-statistic: the contribution of each vector.

    Args:
        first: (N, D), N at least 2.
        second: (M, D), M at least 2.
        second_mean: ``kernel_mean(second)``, if it is known already.

    Raises:
        InputError: a set has fewer than two vectors, or a value is not finite.

    Source: Bińkowski et al. 2018, arXiv:1801.01401; Gretton et al. 2012, lemma 6.
    """
    first, second = _checked("the first set", first, 2), _checked("the second set", second, 2)
    within_first = _kernel_means(first)
    within_second = kernel_mean(second) if second_mean is None else second_mean
    across = np.concatenate([kernel.mean(axis=1) for _, kernel in _kernel_rows(first, second)])
    value = within_first.mean() + within_second - 2 * across.mean()
    return EstimateWithError(float(value), float(2 * np.std(within_first - across) / np.sqrt(len(first))))


def kernel_mean(vectors: npt.ArrayLike) -> float:
    """The mean kernel over all pairs of different vectors of a set (N, D)."""
    return float(_kernel_means(_checked("a set", vectors, 2)).mean())


def _kernel_rows(first: Floats, second: Floats) -> Iterator[tuple[slice, Floats]]:
    for start in range(0, len(first), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        yield part, (first[part] @ second.T / first.shape[1] + 1) ** KERNEL_DEGREE


def _kernel_means(vectors: Floats) -> Floats:
    """The mean kernel of each vector with all the others: (N,)."""
    own = ((vectors * vectors).sum(axis=1) / vectors.shape[1] + 1) ** KERNEL_DEGREE
    sums = np.concatenate([kernel.sum(axis=1) for _, kernel in _kernel_rows(vectors, vectors)])
    return (sums - own) / (len(vectors) - 1)


# ---- Neighbors ----


def squared_distances(first: Floats, second: Floats) -> Iterator[tuple[slice, Floats]]:
    """The matrix of squared Euclidean distances, a chunk of rows at a time, so that memory stays bounded.

    Args:
        first: (N, D).
        second: (M, D).

    Yields:
        A slice of ``first``, and the distances of its vectors to all of ``second``: (rows, M).
    """
    second_norms = (second * second).sum(axis=1)
    for start in range(0, len(first), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        rows = first[part]
        squares = rows @ second.T
        squares *= -2
        squares += (rows * rows).sum(axis=1)[:, None]
        squares += second_norms
        yield part, np.maximum(squares, 0, out=squares)


def squared_radii(vectors: npt.ArrayLike, neighbors: int = NEIGHBORS) -> Floats:
    """The squared distance of each vector (N, D) to its k-th nearest other vector, k = ``neighbors``: (N,).

    Raises:
        InputError: there are k vectors or fewer, or a value is not finite.
    """
    vectors = _checked("a set", vectors, minimum=neighbors + 1)
    radii = np.empty(len(vectors))
    for part, squares in squared_distances(vectors, vectors):
        rows = np.arange(len(squares))
        # Each vector's distance to itself must be the first of the k + 1 smallest. Rounding can make it larger than 0.
        squares[rows, rows + part.start] = 0
        radii[part] = np.partition(squares, neighbors, axis=1)[:, neighbors]
    return radii


@dataclasses.dataclass(frozen=True, eq=False)
class Neighborhoods:
    """The contribution of each image to precision, density, recall and coverage. Each metric is the mean of its array.

    Attributes:
        precision: (N,) 1 if the generated image lies in the ball of a real image, else 0.
        density: (N,) the number of real images whose balls hold the generated image, divided by ``NEIGHBORS``.
        recall: (M,) 1 if the real image lies in the ball of a generated image, else 0.
        coverage: (M,) 1 if the real image's ball holds a generated image, else 0.
    """

    precision: Floats
    density: Floats
    recall: Floats
    coverage: Floats


def neighborhoods(real: npt.ArrayLike, generated: npt.ArrayLike, real_radii: Floats | None = None) -> Neighborhoods:
    """Compare two sets by the balls around their vectors. A ball reaches to the fifth nearest vector of the same set.

    Args:
        real: (M, D), M at least 6.
        generated: (N, D), N at least 6.
        real_radii: ``squared_radii(real)``, if it is known already.

    Raises:
        InputError: a set has fewer than six vectors, or a value is not finite.

    Source: Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797.
    """
    real = _checked("the real set", real, NEIGHBORS + 1)
    generated = _checked("the generated set", generated, NEIGHBORS + 1)
    real_radii = squared_radii(real) if real_radii is None else real_radii
    generated_radii = squared_radii(generated)
    ball_counts = np.empty(len(generated))
    recall, nearest = np.zeros(len(real), bool), np.full(len(real), np.inf)
    for part, squares in squared_distances(generated, real):
        ball_counts[part] = (squares < real_radii).sum(axis=1)
        recall |= (squares < generated_radii[part, None]).any(axis=0)
        nearest = np.minimum(nearest, squares.min(axis=0))
    return Neighborhoods(
        precision=(ball_counts > 0).astype(float),
        density=ball_counts / NEIGHBORS,
        recall=recall.astype(float),
        coverage=(nearest < real_radii).astype(float),
    )
