"""Copies of training images are told from images that are merely new."""

import numpy as np
import pytest
from scipy import stats

from fashion_gan.metrics.memorisation import _mann_whitney_z, copying_statistic, memorisation, nearest

RANDOM = np.random.default_rng(0)
TRAINING = RANDOM.standard_normal((3000, 6)).astype(np.float32)
HELD_OUT = RANDOM.standard_normal((500, 6)).astype(np.float32)
CELLS = (TRAINING[:, 0] > 0).astype(np.int64)


def measured(generated):
    return memorisation(generated.astype(np.float32), TRAINING, CELLS, HELD_OUT, nearest(HELD_OUT, TRAINING))


def test_nearest_neighbours_are_those_of_the_whole_matrix(monkeypatch):
    squares = ((HELD_OUT[:, None].astype(float) - TRAINING.astype(float)) ** 2).sum(axis=2)
    monkeypatch.setattr("fashion_gan.metrics.memorisation.OTHERS_AT_ONCE", 700)
    found = nearest(HELD_OUT, TRAINING)
    np.testing.assert_array_equal(found.indexes, squares.argmin(axis=1))
    np.testing.assert_allclose(found.squares, squares.min(axis=1), rtol=1e-9, atol=1e-12)


def test_new_images_are_neither_copies_nor_further_out():
    found = measured(RANDOM.standard_normal((800, 6)))
    assert abs(found.copying.value) < 3 * found.copying.standard_error
    assert found.nearer_training.mean() == pytest.approx(6 / 7, abs=0.04)


def test_copies_are_seen_by_both_statistics():
    found = measured(TRAINING[:800] + 0.01 * RANDOM.standard_normal((800, 6)))
    assert found.copying.value < -5
    assert found.nearer_training.mean() > 0.99


def test_typical_images_are_nearer_to_everything_which_only_one_statistic_takes_for_copying():
    found = measured(0.3 * RANDOM.standard_normal((800, 6)))
    assert found.copying.value < -5
    # They share few nearest images, so the share scatters; but it says nothing of copying.
    assert found.nearer_training.mean() < 6 / 7 + 0.04


def test_mann_whitney_z_is_scipys():
    first, second = RANDOM.integers(0, 30, 200).astype(float), RANDOM.integers(3, 33, 300).astype(float)
    expected = stats.mannwhitneyu(first, second, use_continuity=False, method="asymptotic", alternative="less")
    # SciPy's p-value allows for ties in the variance, which makes it a little surer.
    assert stats.norm.cdf(_mann_whitney_z(first, second)) == pytest.approx(expected.pvalue, rel=0.05)


def test_too_few_images_in_every_cell_say_nothing():
    few = np.arange(5.0)
    assert copying_statistic(few, few, few.astype(int), few.astype(int)) is None


def test_the_error_of_the_copying_statistic_is_its_deviation_where_nothing_is_copied():
    random = np.random.default_rng(1)
    cells = np.repeat(np.arange(5), 80)
    found = [copying_statistic(random.random(400), random.random(400), cells, cells) for _ in range(300)]
    assert found[0].standard_error == pytest.approx(5**-0.5)
    assert np.std([one.value for one in found]) == pytest.approx(5**-0.5, rel=0.15)
