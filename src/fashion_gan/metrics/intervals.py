"""Figures that came from a sample -> how far they would vary with another one."""

import numpy as np
import numpy.typing as npt
import scipy

from fashion_gan import progress
from fashion_gan.cores import on_all_cores
from fashion_gan.metrics.distances import Gaussian, frechet_distance, gaussian, square_root

Interval = tuple[float, float]

CONFIDENCE = 0.95
REPLICATES = 100  # of a Fréchet distance
REPLICATES_OF_MEANS = 1000


def binomial_interval(successes: int, trials: int) -> Interval:
    """The 95 % interval of a share (Wilson 1927)."""
    found = scipy.stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


def bootstrap_mean(contributions: npt.NDArray[np.float64], seed: int = 0) -> tuple[float, Interval]:
    """Standard error and 95 % interval of a mean, from resampled contributions (N,)."""
    random = np.random.default_rng(seed)
    values, counts = np.unique(contributions, return_counts=True)
    draws = random.multinomial(len(contributions), counts / len(contributions), REPLICATES_OF_MEANS)
    means = draws @ values / len(contributions)
    return float(means.std(ddof=1)), _quantiles(means)


def bootstrap_frechet(real: Gaussian, generated: npt.NDArray[np.float32], seed: int = 0) -> tuple[float, Interval]:
    """Standard error and 95 % interval of the Fréchet distance to the real side, from resampled generated vectors.

    A resample holds each vector more than once, so its distance is too large by about as much as the finite sample
    makes the estimate itself too large. The quantiles are therefore taken around the replicates' mean and put around
    the estimate: the interval is of the figure at this number of images, which is what is compared.

    Args:
        real: the reference, which stays as it is: it is part of the protocol.
        generated: vectors (N, D).
        seed: of the resampling.
    """
    random = np.random.default_rng(seed)
    count, root = len(generated), square_root(real.covariance)
    generated = generated.astype(np.float64)
    value = frechet_distance(real, gaussian(generated), root)

    def resampled(weights: npt.NDArray[np.int64]) -> float:
        return frechet_distance(real, gaussian(generated, weights), root)

    draws = (np.bincount(random.integers(0, count, count), minlength=count) for _ in range(REPLICATES))
    bar = progress.bar(on_all_cores(resampled, draws), "bootstrap", "resamples", total=REPLICATES)
    return around(value, np.array(list(bar)))


def around(value: float, replicates: npt.NDArray[np.float64]) -> tuple[float, Interval]:
    """Standard error and 95 % interval of a figure that is not below 0, from replicates with a bias of their own."""
    low, high = _quantiles(replicates - replicates.mean())
    return float(replicates.std(ddof=1)), (max(0.0, value + low), value + high)


def _quantiles(replicates: npt.NDArray[np.float64]) -> Interval:
    low, high = np.quantile(replicates, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def normal_interval(value: float, standard_error: float) -> Interval:
    """The 95 % interval of an estimate that is about normal."""
    reach = float(scipy.stats.norm.ppf((1 + CONFIDENCE) / 2)) * standard_error
    return value - reach, value + reach


def student_interval(values: npt.ArrayLike) -> tuple[float, Interval]:
    """Standard error and 95 % interval of the mean of a few values (N,), N at least 2, that are about normal."""
    values = np.asarray(values, np.float64)
    error = float(values.std(ddof=1) / len(values) ** 0.5)
    reach = float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * error
    return error, (float(values.mean()) - reach, float(values.mean()) + reach)
