"""How well points of the plane fit clusters, by numbers that are counted by hand."""

import numpy as np
import pytest

from fashion_gan.course import plane

CENTERS = np.array([[-1.0, 0.0], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("points", "covered", "good"),
    [
        ([[-1, 0], [1, 0]], 2, 1),
        ([[-1, 0]] * 8, 1, 1),
        ([[-1, 0]] * 7 + [[1, 0]], 2, 1),  # A quarter of the fair share of four is one.
        ([[-1, 0]] * 8 + [[1, 0]], 1, 1),
        ([[-1, 0.29], [-1, 0.31], [0, 0], [np.nan, 0]], 1, 0.25),
    ],
)
def test_points_are_on_the_data_within_three_spreads_and_cover_with_a_quarter_of_the_fair_share(points, covered, good):
    assert plane.score(points, CENTERS, 0.1) == plane.PlaneScore(covered, 2, good)


def test_a_score_is_a_sentence():
    assert str(plane.PlaneScore(7, 8, 0.951)) == "7 of 8 clusters covered, 95% of the points on the data"
