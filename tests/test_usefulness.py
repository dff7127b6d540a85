"""Verdicts on figures made by hand."""

import numpy as np
import pytest

from fashion_gan.metrics.teaching import BOTH, CLASSICAL, REAL, SYNTHETIC
from fashion_gan.metrics.usefulness import HARMS, HELPS, NO_DIFFERENCE, over_seeds, points, usefulness

REAL_ONLY = (0.70, 0.74, 0.66)


def found(both, classical=(0.71, 0.75, 0.67), real=REAL_ONLY):
    """Two classes, each with the accuracies given."""
    rows = {REAL: real, CLASSICAL: classical, BOTH: both, SYNTHETIC: (0.6, 0.6, 0.6)}
    return usefulness(10, {way: np.stack([values, values], axis=1) for way, values in rows.items()}, ("a", "b"))


@pytest.mark.parametrize(
    ("both", "verdict", "words"),
    [
        ((0.80, 0.84, 0.77), HELPS, "synthetic images help, +10.3 points"),
        ((0.60, 0.64, 0.57), HARMS, "don't use it: synthetic images make it worse, -9.7 points"),
        ((0.60, 0.84, 0.66), NO_DIFFERENCE, "no difference that these 3 seeds can show, +0.0 points"),
        ((0.80, 0.84, 0.57), NO_DIFFERENCE, "no difference that these 3 seeds can show, +3.7 points"),
    ],
)
def test_the_verdict_is_what_the_paired_interval_can_show(both, verdict, words):
    judged = found(both)
    assert judged.verdict == verdict
    assert judged.words.startswith(words)


def test_a_gain_is_paired_so_that_hard_draws_of_real_images_do_not_blur_it():
    judged = found([value + 0.02 for value in REAL_ONLY])
    gain = judged.ways[BOTH].gain
    assert gain.interval == pytest.approx((0.02, 0.02))
    low, high = judged.ways[BOTH].accuracy.interval
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
def test_it_is_held_against_classical_augmentation_too(classical, words):
    judged = found((0.80, 0.84, 0.77), classical)
    assert f"; against flips and shifts: {words}" in judged.words
    assert judged.verdict == HELPS


def test_the_interval_over_seeds_is_students():
    # By hand for 1, 2, 3: the mean 2, the deviation 1, 4.3027 standard errors of 1/√3.
    figure = over_seeds(np.array([1.0, 2.0, 3.0]))
    assert figure.interval == pytest.approx((2 - 2.4841, 2 + 2.4841), abs=1e-3)
    assert (figure.value, figure.deviation, figure.by_seed) == (2.0, 1.0, (1.0, 2.0, 3.0))
    assert points(over_seeds(np.array([0.02, 0.02]))) == "+2.0 points (+2.0 to +2.0)"


def test_each_class_has_its_own_gain_and_all_count_alike():
    real = np.array([[0.5, 0.7], [0.5, 0.7]])
    rows = {REAL: real, CLASSICAL: real, BOTH: real + np.array([0.2, -0.1]), SYNTHETIC: real}
    judged = usefulness(3, rows, ("a", "b"))
    assert judged.by_class["a"][BOTH].gain.value == pytest.approx(0.2)
    assert judged.by_class["b"][BOTH].gain.value == pytest.approx(-0.1)
    assert judged.ways[REAL].accuracy.value == pytest.approx(0.6)
    assert judged.ways[BOTH].gain.value == pytest.approx(0.05)
    assert judged.ways[REAL].gain is None
