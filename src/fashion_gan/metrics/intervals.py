"""Standard errors and 95% intervals: how much a metric varies from one sample to another."""

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Floats, Indices, Vectors
from fashion_gan.metrics.distances import Gaussian, frechet_distance, gaussian, square_root
from fashion_gan.metrics.scientific import scipy
from fashion_gan.system import progress
from fashion_gan.system.parallel import parallel_map

Interval = tuple[float, float]
"""The lower and the upper end."""

CONFIDENCE = 0.95
FRECHET_REPLICATES = 100
MEAN_REPLICATES = 1000


def binomial_interval(successes: int, trials: int) -> Interval:
    """The 95% interval of a share (Wilson 1927)."""
    interval = scipy().stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def bootstrap_mean(contributions: Floats, seed: int = 0) -> tuple[float, Interval]:
    """The standard error and the 95% interval of a mean, from 1,000 resamples.

    Args:
        contributions: the values whose mean is the metric (N,).
        seed: seed of the resampling.
    """
    random = np.random.default_rng(seed)
    values, counts = np.unique(contributions, return_counts=True)
    draws = random.multinomial(len(contributions), counts / len(contributions), MEAN_REPLICATES)
    means = draws @ values / len(contributions)
    return float(means.std(ddof=1)), _quantiles(means)


def bootstrap_frechet(real: Gaussian, generated: Vectors, seed: int = 0) -> tuple[float, Interval]:
    """The standard error and the 95% interval of the Fréchet distance, from 100 resamples of the generated vectors.

    A resample holds some vectors more than once, so its distance is too large. This bias is added to the bias of the
    estimate itself, which comes from the finite sample and is about as large. The quantiles are therefore taken around
    the mean of the replicates and placed around the estimate. The interval is for the metric at this number of images,
    because only scores of the same number of images are compared.

    Args:
        real: the reference. It is not resampled, because it is part of the protocol.
        generated: feature vectors (N, D).
        seed: seed of the resampling.
    """
    random = np.random.default_rng(seed)
    count, root = len(generated), square_root(real.covariance)
    vectors = generated.astype(np.float64)
    value = frechet_distance(real, gaussian(vectors), root)

    def resampled(weights: Indices) -> float:
        return frechet_distance(real, gaussian(vectors, weights), root)

    draws = (np.bincount(random.integers(0, count, count), minlength=count) for _ in range(FRECHET_REPLICATES))
    bar = progress.bar(parallel_map(resampled, draws), "bootstrap", "resamples", total=FRECHET_REPLICATES)
    return debiased_interval(value, np.array(list(bar)))


def debiased_interval(value: float, replicates: Floats) -> tuple[float, Interval]:
    """The standard error and the 95% interval of a metric that cannot be negative, from biased replicates (R,).

    The quantiles are taken around the mean of the replicates and placed around the value, so the bias cancels.
    """
    low, high = _quantiles(replicates - replicates.mean())
    return float(replicates.std(ddof=1)), (max(0.0, value + low), value + high)


def _quantiles(replicates: Floats) -> Interval:
    low, high = np.quantile(replicates, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def normal_interval(value: float, standard_error: float) -> Interval:
    """The 95% interval of an estimate that is approximately normal."""
    half_width = float(scipy().stats.norm.ppf((1 + CONFIDENCE) / 2)) * standard_error
    return value - half_width, value + half_width


def student_interval(values: npt.ArrayLike) -> tuple[float, Interval]:
    """The standard error and Student's 95% t interval of the mean of a few values that are approximately normal.

    Args:
        values: (N,), N at least 2.
    """
    values = np.asarray(values, np.float64)
    error = float(values.std(ddof=1) / len(values) ** 0.5)
    half_width = float(scipy().stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * error
    return error, (float(values.mean()) - half_width, float(values.mean()) + half_width)
