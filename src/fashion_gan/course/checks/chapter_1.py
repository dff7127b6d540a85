"""Checks of chapter 1, what a GAN is."""

import numpy as np
import numpy.typing as npt

from fashion_gan.course.checks.core import array, call, exercise, require

RADIUS = 0.36
"""A cluster is covered if a point lies within this distance of its center."""


@exercise(
    "this is the binary cross-entropy of D.",
    "Take -np.log of each answer, then the mean. For generated points, take 1 - answer first. Add both means.",
)
def loss_of_d(function: object) -> None:
    """A function: D's answers to data and to generated points -> D's loss."""
    _compare_loss(function, [0.5, 0.5], [0.5, 0.5], "a D that guesses")
    _compare_loss(function, [0.9, 0.6], [0.2, 0.3, 0.1], "a D that answers [0.9, 0.6] to data and [0.2, 0.3, 0.1] to G")


def _compare_loss(function: object, real: list[float], fake: list[float], what: str) -> None:
    value = float(array(call(function, np.array(real), np.array(fake)), ()))
    right = _loss(real, fake)
    hints = {
        -right: "The logarithm of an answer is negative, the loss is positive.",
        _loss(fake, real): "Data should get answers near 1: use real_answers, and 1 - fake_answers.",
        right / 2: "Add the two means. Do not take their mean.",
        right * len(real): "Take the mean of each kind, not the sum.",
    }
    hint = next((hint for wrong, hint in hints.items() if np.isclose(value, wrong)), None)
    require(np.isclose(value, right), f"{what} has the loss {value:.3f}, not {right:.3f}", hint)


def _loss(real: npt.ArrayLike, fake: npt.ArrayLike) -> float:
    return float(-np.log(real).mean() - np.log(1 - np.asarray(fake)).mean())


@exercise(
    "D's answer is the share of data among all points near the place.",
    "Near the place, share * p stands for the data and (1 - share) * q for generated points.",
)
def best_answer(function: object) -> None:
    """A function: the two densities at a place, and the share of data in a batch -> the best answer of D."""
    cases = [
        (1.0, 0.0, 0.5, "where only data lie"),
        (0.3, 0.3, 0.5, "for p = q and share = 0.5"),
        (0.5, 1.0, 0.5, "for p = 0.5, q = 1 and share = 0.5"),
        (0.3, 0.3, 0.8, "for p = q and share = 0.8"),
        (0.1, 0.7, 0.25, "for p = 0.1, q = 0.7 and share = 0.25"),
    ]
    for p, q, share, what in cases:
        right = share * p / (share * p + (1 - share) * q)
        value = float(array(call(function, p, q, share), ()))
        ignored = share != 0.5 and np.isclose(value, p / (p + q))
        hint = "Use share: it says how much of the batch is data." if ignored else None
        require(np.isclose(value, right), f"{what} the answer is {value:.3f}, not {right:.3f}", hint)


@exercise(
    "the function sees mode collapse.",
    "For each center, get its distances to all points. Count the centers that have any distance of at most 0.36.",
)
def covered_clusters(function: object) -> None:
    """A function: points (N, 2) and centers (K, 2) -> the number of centers with a point near them."""
    angles = np.arange(8) * np.pi / 4
    centers = 1.7 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    near = 0.9 * RADIUS * np.array([0.6, 0.8])
    count_points = "Count centers, not points."
    per_point = "Compare each center with all points, then use .any()."
    _compare_count(function, centers, centers, 8, "a point at each of 8 centers")
    _compare_count(function, np.repeat(centers[:1], 50, axis=0), centers, 1, "50 points at one center", count_points)
    _compare_count(function, np.zeros((20, 2)), centers, 0, "points that are far from all centers", per_point)
    _compare_count(function, centers[:3] + near, centers, 3, "points 0.32 away from 3 of the centers")
    _compare_count(function, centers[:3] + 1.3 * near, centers, 0, "points 0.42 away from 3 of the centers")


def _compare_count(
    function: object,
    points: npt.NDArray[np.float64],
    centers: npt.NDArray[np.float64],
    right: int,
    what: str,
    hint: str | None = None,
) -> None:
    value = float(array(call(function, points.copy(), centers.copy()), ()))
    require(value == right, f"{what}: the result is {value:.4g}, not {right}", hint)
