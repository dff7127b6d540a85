"""Generated, training and held-out feature vectors -> whether the training images are copied."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from fashion_gan import progress
from fashion_gan.metrics.distances import Estimate, Floats, squared_distances

Indexes = npt.NDArray[np.int64]
Cells = npt.NDArray[np.integer[Any]]

OTHERS_AT_ONCE = 10_000  # so that a part of the matrix of distances stays small


@dataclasses.dataclass(frozen=True, eq=False)
class Nearest:
    """For each vector, its nearest one of another set: squared distances (N,), and indexes into that set (N,)."""

    squares: Floats
    indexes: Indexes


def nearest(vectors: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> Nearest:
    """Find each vector's nearest neighbour in another set: vectors (N, D) among others (M, D)."""
    ours = vectors.astype(np.float64)
    squares, indexes = np.full(len(ours), np.inf), np.zeros(len(ours), np.int64)
    starts = range(0, len(others), OTHERS_AT_ONCE)
    for start in progress.bar(starts, "nearest real images", "parts"):
        some = others[start : start + OTHERS_AT_ONCE].astype(np.float64)
        for part, rows in squared_distances(ours, some):
            found = rows.argmin(axis=1)
            least = rows[np.arange(len(rows)), found]
            closer = least < squares[part]
            squares[part] = np.where(closer, least, squares[part])
            indexes[part] = np.where(closer, found + start, indexes[part])
    return Nearest(squares, indexes)


@dataclasses.dataclass(frozen=True, eq=False)
class Memorisation:
    """How generated images lie to the training set and to images held out of it.

    Attributes:
        copying: C_T, from ``copying_statistic``.
        nearer_training: (N,) 1 where an image's nearest real image is a training image and not a held-out one. Where
            nothing is memorised, the mean is the training images' share of the real ones, because any of them is as
            likely the nearest; unlike C_T it is not moved by images that are merely typical, which lie near everything.
        to_training, to_held_out: each generated image's nearest ones.
    """

    copying: Estimate | None
    nearer_training: Floats
    to_training: Nearest
    to_held_out: Nearest


def memorisation(
    generated: npt.NDArray[np.float32],
    training: npt.NDArray[np.float32],
    training_classes: Cells,
    held_out: npt.NDArray[np.float32],
    held_out_nearest: Nearest,
) -> Memorisation:
    """Test whether generated images are nearer to the training images than chance has it.

    Args:
        generated, training, held_out: feature vectors (N, D), (T, D), (M, D).
        training_classes: (T,), the cells of the copying statistic.
        held_out_nearest: ``nearest(held_out, training)``.
    """
    to_training, to_held_out = nearest(generated, training), nearest(generated, held_out)
    copying = copying_statistic(
        to_training.squares,
        held_out_nearest.squares,
        training_classes[to_training.indexes],
        training_classes[held_out_nearest.indexes],
    )
    nearer = (to_training.squares < to_held_out.squares).astype(float)
    return Memorisation(copying, nearer, to_training, to_held_out)


def copying_statistic(
    generated_squares: Floats, held_out_squares: Floats, generated_cells: Cells, held_out_cells: Cells
) -> Estimate | None:
    """C_T: whether the generated images' distances to the training set are smaller than held-out ones'.

    In each cell of the image space, a Mann-Whitney U test asks whether generated images lie nearer to the training
    set than held-out images do; the z-scores are averaged by the held-out images' share of the cells. Far below 0:
    training images are copied. Far above 0: the generated images lie further out than real ones do.

    Args:
        generated_squares, held_out_squares: distances to the training set, (N,) and (M,), squared or not.
        generated_cells, held_out_cells: the cell of each image, for example the class of its nearest training image.

    Returns:
        The statistic, with the error that it has where nothing is copied: a z-score's is 1, and that of their mean
        smaller. None where no cell has enough of both.

    Source: Meehan, Chaudhuri & Dasgupta 2020, arXiv:2004.05675.
    """
    scores, weights = [], []
    for cell in np.unique(held_out_cells):
        ours, theirs = generated_squares[generated_cells == cell], held_out_squares[held_out_cells == cell]
        if min(len(ours), len(theirs)) < 20:  # The normal approximation needs so many.
            continue
        scores.append(_mann_whitney_z(ours, theirs))
        weights.append(len(theirs))
    if not scores:
        return None
    shares = np.array(weights) / sum(weights)
    return Estimate(float(shares @ scores), float(np.sqrt(shares @ shares)))


def _mann_whitney_z(first: Floats, second: Floats) -> float:
    """The z-score of the U statistic, ties counted half; below 0 where the first are smaller."""
    n, m = len(first), len(second)
    ranks = scipy.stats.rankdata(np.concatenate([first, second]))
    u = ranks[:n].sum() - n * (n + 1) / 2
    return float((u - n * m / 2) / np.sqrt(n * m * (n + m + 1) / 12))
