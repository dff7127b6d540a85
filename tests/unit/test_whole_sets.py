"""Figures of all images by merge: equal to those of all images at once, whatever the parts."""

import functools

import numpy as np
import pytest

from fashion_gan.errors import InputError
from fashion_gan.metrics.distances import frechet_distance, gaussian, neighborhoods, squared_radii
from fashion_gan.metrics.memorization import nearest
from fashion_gan.metrics.whole_sets import Contributions, Moments, RealVectors, measure_parts

RANDOM = np.random.default_rng(0)
TARGET = RANDOM.normal(size=(150, 6)).astype(np.float32)
TRAINING = RANDOM.normal(size=(400, 6)).astype(np.float32)
# Some of the vectors are copies of training vectors, and one is of a target vector that is also in the training set.
GENERATED = np.concatenate([1.2 * RANDOM.normal(size=(700, 6)) + 0.1, TRAINING[:5], TARGET[:3]]).astype(np.float32)
REAL = RealVectors(TARGET, gaussian(TARGET), squared_radii(TARGET), TRAINING)
PARTS = [(708,), (1, 707), (300, 1, 2, 405), (101,) * 7 + (1,)]


def split(sizes):
    return np.split(GENERATED, np.cumsum(sizes)[:-1])


@pytest.mark.parametrize("sizes", PARTS)
def test_merged_moments_are_those_of_all_vectors(sizes):
    for offset in (0, 1e4):  # Far from 0, a sum of squares would lose its digits.
        parts = [part.astype(np.float64) + offset for part in split(sizes)]
        merged = functools.reduce(Moments.merged, map(Moments.of, parts)).gaussian()
        expected = gaussian(GENERATED.astype(np.float64) + offset)
        assert merged.count == expected.count
        np.testing.assert_allclose(merged.mean, expected.mean, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(merged.covariance, expected.covariance, rtol=1e-9, atol=1e-9)


def test_the_order_of_merges_does_not_matter():
    a, b, c = map(Moments.of, split((300, 3, 405)))
    np.testing.assert_allclose(a.merged(b).merged(c).scatter, c.merged(a.merged(b)).scatter, rtol=1e-12)
    np.testing.assert_allclose(a.merged(b).merged(c).scatter, a.merged(b.merged(c)).scatter, rtol=1e-12)


@pytest.mark.parametrize("sizes", PARTS)
def test_the_figures_of_parts_are_those_of_all_images_at_once(sizes):
    result = measure_parts(iter(split(sizes)), REAL)
    values = {name: metric.value for name, metric in result.metrics.items()}
    at_once = neighborhoods(TARGET, GENERATED, REAL.radii)
    assert values["frechet_all"] == pytest.approx(frechet_distance(REAL.fitted, gaussian(GENERATED)), abs=1e-9)
    for name in ("precision", "density", "coverage"):
        contributions = getattr(at_once, name)
        assert values[f"{name}_all"] == pytest.approx(contributions.mean(), abs=1e-12)
        if name != "coverage":
            error = contributions.std(ddof=1) / np.sqrt(len(contributions))
            assert result.metrics[f"{name}_all"].standard_error == pytest.approx(error, rel=1e-9)
    training, target = nearest(GENERATED, TRAINING), nearest(GENERATED, TARGET)
    chance = 400 / 550
    assert values["nearer_train_all"] == pytest.approx(
        ((training.squares < target.squares).mean() - chance) / (1 - chance)
    )
    ratios = training.squares / np.maximum(target.squares, 1e-12)
    copies = result.details["suspicious_of_all"]
    assert [copy["image"] for copy in copies] == np.argsort(ratios, kind="stable")[:12].tolist()
    assert [copy["training"] for copy in copies[:5]] == [0, 1, 2, 3, 4]
    assert result.details["all_images"] == len(GENERATED)


def test_without_held_out_images_nothing_is_said_about_copies():
    result = measure_parts([GENERATED], RealVectors(TARGET, REAL.fitted, REAL.radii, None))
    assert "nearer_train_all" not in result.metrics
    assert result.details["suspicious_of_all"] == []


def test_an_equally_near_image_counts_as_chance():
    real = RealVectors(TARGET, REAL.fitted, REAL.radii, np.concatenate([TARGET, TARGET]))
    assert measure_parts([GENERATED], real).metrics["nearer_train_all"].value == pytest.approx(0, abs=1e-12)


def test_no_spread_has_no_error():
    value = Contributions.of(np.ones(5)).merged(Contributions.of(np.ones(1))).value()
    assert (value.value, value.standard_error, value.interval) == (1.0, 0.0, (1.0, 1.0))


@pytest.mark.parametrize("parts", [[], [GENERATED[:1]]])
def test_too_few_images_are_refused(parts):
    with pytest.raises(InputError, match="at least two"):
        measure_parts(parts, REAL)
