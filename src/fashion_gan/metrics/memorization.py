"""Tests whether generated images copy the training images, from feature vectors."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Floats, Indices, Vectors
from fashion_gan.metrics.distances import EstimateWithError, squared_distances
from fashion_gan.metrics.scientific import scipy
from fashion_gan.system import progress

Cells = npt.NDArray[np.integer[Any]]
"""The number of the cell of the image space in which each image lies, shape (N,)."""

CHUNK_COLUMNS = 10_000  # columns of a distance matrix computed at a time, to bound the memory
MIN_IMAGES_PER_CELL = 20  # The normal approximation of the U statistic needs this many.


@dataclasses.dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest neighbor of each vector in another set.

    Attributes:
        squares: squared distances (N,).
        indices: positions in the other set (N,).
    """

    squares: Floats
    indices: Indices


def nearest(vectors: Vectors, others: Vectors) -> Nearest:
    """Find the nearest neighbor of each vector (N, D) in another set (M, D)."""
    queries = vectors.astype(np.float64)
    squares, indices = np.full(len(queries), np.inf), np.zeros(len(queries), np.int64)
    starts = range(0, len(others), CHUNK_COLUMNS)
    for start in progress.bar(starts, "nearest real images", "parts"):
        chunk = others[start : start + CHUNK_COLUMNS].astype(np.float64)
        for part, rows in squared_distances(queries, chunk):
            columns = rows.argmin(axis=1)
            minima = rows[np.arange(len(rows)), columns]
            closer = minima < squares[part]
            squares[part] = np.where(closer, minima, squares[part])
            indices[part] = np.where(closer, columns + start, indices[part])
    return Nearest(squares, indices)


@dataclasses.dataclass(frozen=True, eq=False)
class Memorization:
    """How near generated images lie to the training set, compared with held-out images.

    Attributes:
        copying: C_T, from ``copying_statistic``. None if no cell has enough images.
        nearer_training: (N,) 1 if the nearest real image of a generated image is a training image, 0 if it is a
            held-out image. If nothing is memorized, the mean is the share of training images among the real images,
            because each real image is equally likely to be the nearest. Unlike C_T, the mean does not change for images
            that are merely typical, which lie near everything.
        to_training, to_held_out: the nearest training image and the nearest held-out image of each generated image.
    """

    copying: EstimateWithError | None
    nearer_training: Floats
    to_training: Nearest
    to_held_out: Nearest


def memorization(
    generated: Vectors, training: Vectors, training_classes: Cells, held_out: Vectors, held_out_nearest: Nearest
) -> Memorization:
    """Test whether generated images lie nearer to the training images than chance explains.

    Args:
        generated, training, held_out: feature vectors (N, D), (T, D), (M, D).
        training_classes: the class of each training image (T,): the cells of the copying statistic.
        held_out_nearest: ``nearest(held_out, training)``.
    """
    to_training, to_held_out = nearest(generated, training), nearest(generated, held_out)
    copying = copying_statistic(
        to_training.squares,
        held_out_nearest.squares,
        training_classes[to_training.indices],
        training_classes[held_out_nearest.indices],
    )
    nearer = (to_training.squares < to_held_out.squares).astype(float)
    return Memorization(copying, nearer, to_training, to_held_out)


def closer_shares(generated_squares: Floats, real_squares: Floats) -> Floats:
    """For each generated image, the share of real images that lie farther from the training set than it does.

    Args:
        generated_squares, real_squares: distances to the training set, (N,) and (M,), squared or not. For a training
            image, that to the nearest other one.

    Returns:
        (N,), from 0 to 1. A tie counts half. If nothing is copied, the mean is 0.5. If everything is, it is 1.
    """
    ordered = np.sort(real_squares)
    lower, upper = (np.searchsorted(ordered, generated_squares, side) for side in ("left", "right"))
    return 1 - (lower + upper) / (2 * len(ordered))


def copying_statistic(
    generated_squares: Floats, held_out_squares: Floats, generated_cells: Cells, held_out_cells: Cells
) -> EstimateWithError | None:
    """C_T: whether generated images lie nearer to the training set than held-out images do.

    In each cell of the image space, a Mann-Whitney U test compares the distances of the generated images to the
    training set with those of the held-out images. C_T is the mean of the z-scores, weighted by each cell's share of
    the held-out images. Far below 0: training images are copied. Far above 0: generated images lie farther
    from the training set than held-out images do.

    Args:
        generated_squares, held_out_squares: distances to the training set, (N,) and (M,), squared or not.
        generated_cells, held_out_cells: the cell of each image, for example the class of its nearest training image.

    Returns:
        The statistic and its standard error under the hypothesis that nothing is copied. The error of one z-score is 1,
        and the error of their weighted mean is smaller. None if no cell has 20 images of each kind.

    Source: Meehan, Chaudhuri & Dasgupta 2020, arXiv:2004.05675.
    """
    scores, weights = [], []
    for cell in np.unique(held_out_cells):
        generated, held_out = generated_squares[generated_cells == cell], held_out_squares[held_out_cells == cell]
        if min(len(generated), len(held_out)) < MIN_IMAGES_PER_CELL:
            continue
        scores.append(_mann_whitney_z(generated, held_out))
        weights.append(len(held_out))
    if not scores:
        return None
    shares = np.array(weights) / sum(weights)
    return EstimateWithError(float(shares @ scores), float(np.sqrt(shares @ shares)))


def _mann_whitney_z(first: Floats, second: Floats) -> float:
    """The z-score of the U statistic. A tie counts half. Negative if the first values are smaller."""
    n, m = len(first), len(second)
    ranks = scipy().stats.rankdata(np.concatenate([first, second]))
    u = ranks[:n].sum() - n * (n + 1) / 2
    return float((u - n * m / 2) / np.sqrt(n * m * (n + m + 1) / 12))
