"""The width of an interval agrees with the variation of the metric from sample to sample."""

import numpy as np
import pytest

from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.intervals import binomial_interval, bootstrap_frechet, bootstrap_mean


def test_bootstrap_error_of_the_frechet_distance_is_its_deviation_over_samples():
    random = np.random.default_rng(0)
    real = gaussian(random.standard_normal((5000, 10)))

    def draw():
        return (1.1 * random.standard_normal((1000, 10)) + 0.1).astype(np.float32)

    values = [frechet_distance(real, gaussian(draw())) for _ in range(150)]
    results = [bootstrap_frechet(real, draw()) for _ in range(4)]
    assert np.mean([error for error, _ in results]) == pytest.approx(np.std(values), rel=0.3)
    for _, (low, high) in results:
        assert 2.5 < (high - low) / np.std(values) < 6  # about four standard deviations wide


def test_frechet_interval_holds_the_estimate():
    random = np.random.default_rng(1)
    real, vectors = gaussian(random.standard_normal((2000, 20))), random.standard_normal((500, 20)).astype(np.float32)
    _, (low, high) = bootstrap_frechet(real, vectors)
    assert low < frechet_distance(real, gaussian(vectors)) < high


def test_bootstrap_error_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(2).exponential(size=4000)
    error, (low, high) = bootstrap_mean(values)
    assert error == pytest.approx(values.std() / 4000**0.5, rel=0.1)
    assert low < values.mean() < high
    assert bootstrap_mean(np.ones(50)) == (0, (1, 1))


def test_binomial_interval_is_that_of_wilson():
    # Computed by hand for 8 of 10: (0.8 + 1.9207/10 ± 1.96·√(0.016 + 3.8415/400)) / 1.38415.
    low, high = binomial_interval(8, 10)
    assert low == pytest.approx(0.4902, abs=2e-4)
    assert high == pytest.approx(0.9433, abs=2e-4)
    assert binomial_interval(0, 10)[0] == 0
    assert binomial_interval(10, 10)[1] == 1
