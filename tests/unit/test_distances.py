"""The distances agree with independent implementations, also for degenerate inputs."""

import numpy as np
import pytest
import scipy.linalg

from fashion_gan import InputError
from fashion_gan.metrics.distances import (
    Gaussian,
    frechet_distance,
    gaussian,
    kernel_distance,
    neighborhoods,
    squared_radii,
)

RANDOM = np.random.default_rng(0)
REAL = RANDOM.standard_normal((700, 12)) @ RANDOM.standard_normal((12, 12))
FAKE = 1.2 * REAL[RANDOM.permutation(700)[:500]] + 0.3 * RANDOM.standard_normal((500, 12)) + 0.2


def distance(first, second):
    return frechet_distance(gaussian(first), gaussian(second))


# ---- The Fréchet distance ----


def test_frechet_distance_agrees_with_a_general_matrix_square_root():
    root = scipy.linalg.sqrtm(np.cov(REAL.T) @ np.cov(FAKE.T)).real
    expected = np.sum((REAL.mean(0) - FAKE.mean(0)) ** 2) + np.trace(np.cov(REAL.T) + np.cov(FAKE.T) - 2 * root)
    assert distance(REAL, FAKE) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_agrees_with_torch_fidelity(torch_fidelity):
    import torch
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    statistics = [fid_features_to_statistics(torch.from_numpy(features)) for features in (REAL, FAKE)]
    expected = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert distance(REAL, FAKE) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_gaussians_computed_by_hand():
    # Variances 4 and 9 in one dimension, means 1 apart: 1 + (2 − 3)².
    first = Gaussian(np.array([0.0]), np.array([[4.0]]), 10)
    second = Gaussian(np.array([1.0]), np.array([[9.0]]), 10)
    assert frechet_distance(first, second) == pytest.approx(2.0, rel=1e-12)


def test_frechet_distance_is_symmetric_and_zero_for_equal_sets():
    assert distance(REAL, REAL) == pytest.approx(0, abs=1e-9)
    assert distance(REAL, FAKE) == pytest.approx(distance(FAKE, REAL), rel=1e-9)


def test_frechet_distance_of_fewer_vectors_than_dimensions():
    few, others = RANDOM.standard_normal((5, 40)), RANDOM.standard_normal((6, 40))
    # Both sets lie in subspaces. The trace of the root is the nuclear norm of the product of the centered factors.
    factors = [(x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (few, others)]
    nuclear = np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum()
    traces = sum((factor**2).sum() for factor in factors)
    expected = np.sum((few.mean(0) - others.mean(0)) ** 2) + traces - 2 * nuclear
    assert distance(few, others) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_identical_vectors_follows_the_formula():
    collapsed = np.repeat(REAL[:1], 300, axis=0)
    expected = np.sum((REAL.mean(0) - REAL[0]) ** 2) + np.trace(np.cov(REAL.T))
    assert distance(REAL, collapsed) == pytest.approx(expected, rel=1e-6)


def test_weights_count_as_repeated_vectors():
    weights = RANDOM.integers(0, 3, len(FAKE))
    weighted, repeated = gaussian(FAKE, weights), gaussian(np.repeat(FAKE, weights, axis=0))
    assert weighted.count == repeated.count
    np.testing.assert_allclose(weighted.mean, repeated.mean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=1e-9, atol=1e-12)


# ---- The kernel distance ----


def kernel(first, second):
    return (first @ second.T / first.shape[1] + 1) ** 3


def test_kernel_distance_is_the_sum_over_all_pairs():
    n, m = len(FAKE), len(REAL)
    within = [(kernel(x, x).sum() - np.trace(kernel(x, x))) / (len(x) * (len(x) - 1)) for x in (FAKE, REAL)]
    expected = sum(within) - 2 * kernel(FAKE, REAL).sum() / (n * m)
    assert kernel_distance(FAKE, REAL).value == pytest.approx(expected, rel=1e-6)


def test_kernel_distance_agrees_with_torch_fidelity(torch_fidelity):
    from torch_fidelity.metric_kid import kernel_mmd

    same_size = REAL[: len(FAKE)]
    expected = kernel_mmd(FAKE, same_size, kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_coef0=1)
    assert kernel_distance(FAKE, same_size).value == pytest.approx(expected, rel=1e-6)


def test_kernel_distance_is_unbiased_and_its_standard_error_is_the_deviation_over_samples():
    fixed = 1.5 * np.random.default_rng(1000).standard_normal((150, 4))
    estimates = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        estimates.append(kernel_distance(random.standard_normal((120, 4)), fixed))
    values = np.array([estimate.value for estimate in estimates])
    assert values.mean() > 3 * values.std() / np.sqrt(len(values))
    mean_error = np.mean([estimate.standard_error for estimate in estimates])
    assert mean_error == pytest.approx(values.std(), rel=0.25)

    alike = [kernel_distance(*np.random.default_rng(seed).standard_normal((2, 60, 4))).value for seed in range(300)]
    assert abs(np.mean(alike)) < 3 * np.std(alike) / np.sqrt(len(alike))


# ---- Neighbors ----


def test_precision_recall_density_and_coverage_agree_with_the_prdc_package():
    prdc = pytest.importorskip("prdc")
    generated = np.concatenate([FAKE[:300], 4 * FAKE[300:]])  # The second part lies too far out.
    expected = prdc.compute_prdc(real_features=REAL, fake_features=generated, nearest_k=5)
    result = neighborhoods(REAL, generated)
    assert 0.1 < expected["precision"] < 0.9
    for name, value in expected.items():
        assert getattr(result, name).mean() == pytest.approx(value, rel=1e-6), name


def test_neighborhoods_computed_by_hand():
    # Real: 0 to 5. The fifth neighbors are 5, 4, 3, 3, 4, 5 away. Generated: six near 2, and one far out.
    real, generated = np.arange(6.0)[:, None], np.array([1.7, 1.8, 1.9, 2.1, 2.2, 2.3, 100.0])[:, None]
    result = neighborhoods(real, generated)
    assert result.precision.tolist() == [1, 1, 1, 1, 1, 1, 0]
    assert result.coverage.tolist() == [1] * 6
    # The balls of the six reach up to 1.7 + 0.6 and down to 2.3 − 0.6. The ball of 100 reaches 98.2 down, to 1.8.
    assert result.recall.tolist() == [0, 0, 1, 1, 1, 1]


def test_chunks_do_not_change_the_neighborhoods(monkeypatch):
    whole = neighborhoods(REAL, FAKE)
    monkeypatch.setattr("fashion_gan.metrics.distances.CHUNK_ROWS", 37)
    parts = neighborhoods(REAL, FAKE)
    for name in ("precision", "density", "recall", "coverage"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_one_repeated_image_has_no_recall():
    result = neighborhoods(REAL, np.repeat(REAL[:1], 100, axis=0))
    assert result.recall.mean() == 0
    assert result.coverage.mean() < 0.05
    assert result.precision.mean() == 1


# ---- Errors ----


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gaussian(REAL[:1]), "at least 2"),
        (lambda: kernel_distance(REAL[:1], REAL), "at least 2"),
        (lambda: squared_radii(REAL[:5]), "at least 6"),
        (lambda: neighborhoods(REAL, FAKE[:3]), "at least 6"),
        (lambda: gaussian(np.where(np.arange(12) == 3, np.nan, REAL)), "NaN"),
        (lambda: gaussian(REAL[0]), "vectors"),
        (lambda: distance(REAL, FAKE[:, :5]), "cannot be compared"),
    ],
)
def test_unusable_vectors_are_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
