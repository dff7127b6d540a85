"""Gains, intervals and verdicts agree with those computed by hand."""

import numpy as np
import pytest

from fashion_gan.metrics.augmentation_benefit import BOTH, CLASSICAL, REAL, SYNTHETIC
from fashion_gan.metrics.benefit import HARMS, HELPS, NO_DIFFERENCE, benefit, format_points, over_seeds

REAL_ONLY = (0.70, 0.74, 0.66)


def result(both, classical=(0.71, 0.75, 0.67), real=REAL_ONLY):
    """Return the benefit of two classes with the same accuracies."""
    rows = {REAL: real, CLASSICAL: classical, BOTH: both, SYNTHETIC: (0.6, 0.6, 0.6)}
    return benefit(10, {regime: np.stack([values, values], axis=1) for regime, values in rows.items()}, ("a", "b"))


@pytest.mark.parametrize(
    ("both", "verdict", "words"),
    [
        ((0.80, 0.84, 0.77), HELPS, "synthetic images help, +10.3 points"),
        ((0.60, 0.64, 0.57), HARMS, "don't use it: synthetic images make it worse, -9.7 points"),
        ((0.60, 0.84, 0.66), NO_DIFFERENCE, "no difference that these 3 seeds can show, +0.0 points"),
        ((0.80, 0.84, 0.57), NO_DIFFERENCE, "no difference that these 3 seeds can show, +3.7 points"),
    ],
)
def test_the_verdict_follows_from_the_paired_interval(both, verdict, words):
    judged = result(both)
    assert judged.verdict == verdict
    assert judged.summary.startswith(words)


def test_a_gain_is_paired_by_seed_so_different_real_images_do_not_widen_its_interval():
    judged = result([value + 0.02 for value in REAL_ONLY])
    gain = judged.regimes[BOTH].gain
    assert gain.interval == pytest.approx((0.02, 0.02))
    low, high = judged.regimes[BOTH].accuracy.interval
    assert high - low > 0.1
    assert judged.verdict == HELPS


@pytest.mark.parametrize(
    ("classical", "words"),
    [
        ((0.71, 0.75, 0.67), "better, +9.3 points"),
        ((0.90, 0.93, 0.88), "worse, -10.0 points"),
        ((0.90, 0.74, 0.77), "no difference that these 3 seeds can show, +0.0 points"),
    ],
)
def test_the_summary_compares_with_classical_augmentation_too(classical, words):
    judged = result((0.80, 0.84, 0.77), classical)
    assert f"; compared with flips and shifts: {words}" in judged.summary
    assert judged.verdict == HELPS


def test_the_interval_over_seeds_is_that_of_student():
    # By hand for 1, 2, 3: mean 2, standard deviation 1, standard error 1/√3, and the factor 4.3027.
    metric = over_seeds(np.array([1.0, 2.0, 3.0]))
    assert metric.interval == pytest.approx((2 - 2.4841, 2 + 2.4841), abs=1e-3)
    assert (metric.value, metric.deviation, metric.by_seed) == (2.0, 1.0, (1.0, 2.0, 3.0))
    assert format_points(over_seeds(np.array([0.02, 0.02]))) == "+2.0 points (+2.0 to +2.0)"


def test_each_class_has_its_own_gain_and_the_same_weight():
    real = np.array([[0.5, 0.7], [0.5, 0.7]])
    rows = {REAL: real, CLASSICAL: real, BOTH: real + np.array([0.2, -0.1]), SYNTHETIC: real}
    judged = benefit(3, rows, ("a", "b"))
    assert judged.by_class["a"][BOTH].gain.value == pytest.approx(0.2)
    assert judged.by_class["b"][BOTH].gain.value == pytest.approx(-0.1)
    assert judged.regimes[REAL].accuracy.value == pytest.approx(0.6)
    assert judged.regimes[BOTH].gain.value == pytest.approx(0.05)
    assert judged.regimes[REAL].gain is None
