"""The statistics distinguish copies of training images from new images."""

import numpy as np
import pytest
from scipy import stats

from fashion_gan.metrics.memorization import _mann_whitney_z, copying_statistic, memorization, nearest

RANDOM = np.random.default_rng(0)
TRAINING = RANDOM.standard_normal((3000, 6)).astype(np.float32)
HELD_OUT = RANDOM.standard_normal((500, 6)).astype(np.float32)
CELLS = (TRAINING[:, 0] > 0).astype(np.int64)


def measure(generated):
    return memorization(generated.astype(np.float32), TRAINING, CELLS, HELD_OUT, nearest(HELD_OUT, TRAINING))


def test_nearest_neighbors_agree_with_the_whole_distance_matrix(monkeypatch):
    squares = ((HELD_OUT[:, None].astype(float) - TRAINING.astype(float)) ** 2).sum(axis=2)
    monkeypatch.setattr("fashion_gan.metrics.memorization.CHUNK_COLUMNS", 700)
    result = nearest(HELD_OUT, TRAINING)
    np.testing.assert_array_equal(result.indices, squares.argmin(axis=1))
    np.testing.assert_allclose(result.squares, squares.min(axis=1), rtol=1e-9, atol=1e-12)


def test_new_images_are_neither_copies_nor_too_far_out():
    result = measure(RANDOM.standard_normal((800, 6)))
    assert abs(result.copying.value) < 3 * result.copying.standard_error
    assert result.nearer_training.mean() == pytest.approx(6 / 7, abs=0.04)


def test_both_statistics_detect_copies():
    result = measure(TRAINING[:800] + 0.01 * RANDOM.standard_normal((800, 6)))
    assert result.copying.value < -5
    assert result.nearer_training.mean() > 0.99


def test_only_one_statistic_takes_typical_images_for_copies():
    result = measure(0.3 * RANDOM.standard_normal((800, 6)))
    assert result.copying.value < -5
    # They have few different nearest images, so the share scatters. It does not indicate copying.
    assert result.nearer_training.mean() < 6 / 7 + 0.04


def test_mann_whitney_z_agrees_with_scipy():
    first, second = RANDOM.integers(0, 30, 200).astype(float), RANDOM.integers(3, 33, 300).astype(float)
    expected = stats.mannwhitneyu(first, second, use_continuity=False, method="asymptotic", alternative="less")
    # SciPy corrects the variance for ties, so its p-value is a little smaller.
    assert stats.norm.cdf(_mann_whitney_z(first, second)) == pytest.approx(expected.pvalue, rel=0.05)


def test_cells_with_too_few_images_give_no_statistic():
    few = np.arange(5.0)
    assert copying_statistic(few, few, few.astype(int), few.astype(int)) is None


def test_the_error_of_the_copying_statistic_is_its_deviation_if_nothing_is_copied():
    random = np.random.default_rng(1)
    cells = np.repeat(np.arange(5), 80)
    estimates = [copying_statistic(random.random(400), random.random(400), cells, cells) for _ in range(300)]
    assert estimates[0].standard_error == pytest.approx(5**-0.5)
    assert np.std([estimate.value for estimate in estimates]) == pytest.approx(5**-0.5, rel=0.15)
