"""Two sets of feature vectors -> how far apart they are. Pure functions, in double precision."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from fashion_gan.errors import InputError

Floats = npt.NDArray[np.float64]

NEAREST = 5  # neighbours, as in Naeem et al. 2020
CHUNK = 512  # rows at a time: of a distance matrix 41 MB against 10,000 columns
KERNEL_DEGREE = 3


def _checked(name: str, vectors: Any, least: int) -> Floats:
    vectors = np.asarray(vectors, np.float64)
    if vectors.ndim != 2 or not vectors.shape[1]:
        raise InputError(f"{name} must be vectors (N, D), it has shape {vectors.shape}")
    if len(vectors) < least:
        raise InputError(f"{name} has {len(vectors)} vectors, and at least {least} are needed")
    if not np.isfinite(vectors).all():
        raise InputError(f"{name} holds NaN or infinite values")
    return vectors


# ---- The Fréchet distance ----


@dataclasses.dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean (D,) and covariance (D, D) of a set of vectors, and how many there were."""

    mean: Floats
    covariance: Floats
    count: int


def gaussian(vectors: Any, weights: Any = None) -> Gaussian:
    """Fit a Gaussian: the mean, and the covariance with N−1 below.

    Args:
        vectors: (N, D), N at least 2.
        weights: how often each vector counts, whole numbers (N,); once each by default.

    Raises:
        InputError: fewer than two vectors, or values that are not finite.
    """
    vectors = _checked("a set", vectors, least=2)
    counts = np.ones(len(vectors)) if weights is None else np.asarray(weights, np.float64)
    count = counts.sum()
    mean, roots = counts @ vectors / count, np.sqrt(counts)[:, None]
    squares = np.zeros((len(mean), len(mean)))
    for start in range(0, len(vectors), CHUNK):
        centred = (vectors[start : start + CHUNK] - mean) * roots[start : start + CHUNK]
        squares += centred.T @ centred
    return Gaussian(mean, squares / (count - 1), int(count))


def square_root(covariance: Floats) -> Floats:
    """The symmetric square root of a covariance matrix; rounding below zero is taken as zero."""
    values, vectors = scipy.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def frechet_distance(first: Gaussian, second: Gaussian, first_root: Floats | None = None) -> float:
    """|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½), the squared 2-Wasserstein distance of two Gaussians; 0 if equal.

    The trace of the root is the sum of the roots of the eigenvalues of Σ₁^½ Σ₂ Σ₁^½: symmetric, so it is exact for
    singular covariances too (fewer vectors than dimensions, or all equal), where a general matrix square root fails.

    Args:
        first, second: from ``gaussian``, of the same dimension.
        first_root: ``square_root(first.covariance)``, where it is known already.

    Source: Dowson & Landau 1982; as a score of images, Heusel et al. 2017, arXiv:1706.08500.
    """
    if first.mean.shape != second.mean.shape:
        raise InputError(f"vectors of {len(first.mean)} and of {len(second.mean)} dimensions cannot be compared")
    root = square_root(first.covariance) if first_root is None else first_root
    middle = root @ second.covariance @ root
    values = scipy.linalg.eigvalsh((middle + middle.T) / 2)
    trace_of_root = np.sqrt(np.maximum(values, 0)).sum()
    difference = first.mean - second.mean
    traces = np.trace(first.covariance) + np.trace(second.covariance)
    return float(max(0.0, difference @ difference + traces - 2 * trace_of_root))


# ---- The kernel distance ----


@dataclasses.dataclass(frozen=True)
class Estimate:
    """An estimate and its standard error."""

    value: float
    standard_error: float


def kernel_distance(first: Any, second: Any, second_mean: float | None = None) -> Estimate:
    """The unbiased squared maximum mean discrepancy with the kernel (x·y/D + 1)³; about 0, also below, if equal.

    All pairs are used, not subsets. The standard error is for other vectors in the first set, with the second as it is:
    that of the U-statistic's first-order projection, each vector's own contribution.

    Args:
        first: (N, D), N at least 2.
        second: (M, D), M at least 2.
        second_mean: ``kernel_mean(second)``, where it is known already.

    Source: Bińkowski et al. 2018, arXiv:1801.01401; Gretton et al. 2012, lemma 6.
    """
    first, second = _checked("the first set", first, 2), _checked("the second set", second, 2)
    within_first = _kernel_means(first)
    within_second = kernel_mean(second) if second_mean is None else second_mean
    across = np.concatenate([kernel.mean(axis=1) for _, kernel in _kernel_rows(first, second)])
    value = within_first.mean() + within_second - 2 * across.mean()
    return Estimate(float(value), float(2 * np.std(within_first - across) / np.sqrt(len(first))))


def kernel_mean(vectors: Any) -> float:
    """The mean kernel of two different vectors of a set (N, D)."""
    return float(_kernel_means(_checked("a set", vectors, 2)).mean())


def _kernel_rows(first: Floats, second: Floats) -> Iterator[tuple[slice, Floats]]:
    for start in range(0, len(first), CHUNK):
        part = slice(start, start + CHUNK)
        yield part, (first[part] @ second.T / first.shape[1] + 1) ** KERNEL_DEGREE


def _kernel_means(vectors: Floats) -> Floats:
    """Each vector's mean kernel with all the others: (N,)."""
    own = ((vectors * vectors).sum(axis=1) / vectors.shape[1] + 1) ** KERNEL_DEGREE
    sums = np.concatenate([kernel.sum(axis=1) for _, kernel in _kernel_rows(vectors, vectors)])
    return (sums - own) / (len(vectors) - 1)


# ---- Neighbours ----


def squared_distances(first: Floats, second: Floats) -> Iterator[tuple[slice, Floats]]:
    """Rows of the matrix of squared Euclidean distances, some at a time: a slice of ``first``, and (rows, M)."""
    second_norms = (second * second).sum(axis=1)
    for start in range(0, len(first), CHUNK):
        part = slice(start, start + CHUNK)
        rows = first[part]
        squares = rows @ second.T
        squares *= -2
        squares += (rows * rows).sum(axis=1)[:, None]
        squares += second_norms
        yield part, np.maximum(squares, 0, out=squares)


def squared_radii(vectors: Any, nearest: int = NEAREST) -> Floats:
    """Squared distance of each vector to its k-th nearest other one: (N,).

    Raises:
        InputError: there are not more than k vectors.
    """
    vectors = _checked("a set", vectors, least=nearest + 1)
    radii = np.empty(len(vectors))
    for part, squares in squared_distances(vectors, vectors):
        rows = np.arange(len(squares))
        squares[rows, rows + part.start] = 0  # Itself, whatever rounding made of it: the first of k + 1.
        radii[part] = np.partition(squares, nearest, axis=1)[:, nearest]
    return radii


@dataclasses.dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """What each image contributes to precision, density, recall and coverage, which are the means.

    Attributes:
        precision: (N,) whether a generated image lies in the ball of a real one.
        density: (N,) in how many such balls it lies, over k.
        recall: (M,) whether a real image lies in the ball of a generated one.
        coverage: (M,) whether a real image's ball holds a generated one.
    """

    precision: Floats
    density: Floats
    recall: Floats
    coverage: Floats


def neighbourhoods(real: Any, generated: Any, real_radii: Floats | None = None) -> Neighbourhoods:
    """Compare two sets by the balls around their members that reach to the fifth neighbour.

    Args:
        real: (M, D), M at least 6.
        generated: (N, D), N at least 6.
        real_radii: ``squared_radii(real)``, where it is known already.

    Source: Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797.
    """
    real = _checked("the real set", real, NEAREST + 1)
    generated = _checked("the generated set", generated, NEAREST + 1)
    real_radii = squared_radii(real) if real_radii is None else real_radii
    generated_radii = squared_radii(generated)
    balls = np.empty(len(generated))
    recall, nearest = np.zeros(len(real), bool), np.full(len(real), np.inf)
    for part, squares in squared_distances(generated, real):
        balls[part] = (squares < real_radii).sum(axis=1)
        recall |= (squares < generated_radii[part, None]).any(axis=0)
        nearest = np.minimum(nearest, squares.min(axis=0))
    return Neighbourhoods(
        precision=(balls > 0).astype(float),
        density=balls / NEAREST,
        recall=recall.astype(float),
        coverage=(nearest < real_radii).astype(float),
    )
