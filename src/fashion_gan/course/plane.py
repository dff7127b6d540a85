"""How well points of the plane fit a mixture of round clusters. The live page of chapter 1 counts in the same way."""

import dataclasses

import numpy as np
import numpy.typing as npt

from fashion_gan.errors import as_array

REACH = 3
"""A point is on the data if it lies within this number of spreads of a center."""
FAIR = 0.25
"""A cluster is covered if it has at least this part of its fair share of the points."""


@dataclasses.dataclass(frozen=True)
class PlaneScore:
    """How well points fit clusters.

    Attributes:
        covered: the number of covered clusters.
        clusters: the number of clusters.
        good: the share of the points that lie on the data.
    """

    covered: int
    clusters: int
    good: float

    def __str__(self) -> str:
        return f"{self.covered} of {self.clusters} clusters covered, {self.good:.0%} of the points on the data"


def score(points: npt.ArrayLike, centers: npt.ArrayLike, spread: float) -> PlaneScore:
    """Score points against a mixture of round Gaussians. A point that is NaN is not on the data.

    Args:
        points: (N, 2).
        centers: (K, 2).
        spread: the standard deviation of each Gaussian in each direction.
    """
    places, middles = as_array("points", points), as_array("centers", centers)
    distances = np.linalg.norm(places[:, np.newaxis] - middles, axis=-1)
    on_data = distances.min(axis=1) <= REACH * spread
    hits = np.bincount(distances.argmin(axis=1)[on_data], minlength=len(middles))
    covered = int((hits >= FAIR * len(places) / len(middles)).sum())
    return PlaneScore(covered, len(middles), float(on_data.mean()))
