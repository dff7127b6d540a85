"""Values of metrics with their standard errors and intervals."""

import dataclasses

from fashion_gan.arrays import Floats, JsonObject, Vectors
from fashion_gan.metrics import intervals
from fashion_gan.metrics.distances import EstimateWithError, Gaussian, frechet_distance, gaussian
from fashion_gan.metrics.metric_info import MetricValue


@dataclasses.dataclass(frozen=True)
class Result:
    """The result of a protocol.

    Attributes:
        metrics: the values by their ids.
        details: tables that the report shows: "classes", "within_classes", "suspicious".
    """

    metrics: dict[str, MetricValue]
    details: JsonObject = dataclasses.field(default_factory=dict)


def frechet_value(vectors: Vectors, real: Gaussian, with_error: bool) -> MetricValue:
    """The Fréchet distance of generated vectors (N, D) to the real ones. Its error comes from a bootstrap."""
    value = frechet_distance(real, gaussian(vectors))
    return MetricValue(value, *intervals.bootstrap_frechet(real, vectors)) if with_error else MetricValue(value)


def estimate_value(estimate: EstimateWithError) -> MetricValue:
    """An estimate with a normal interval."""
    interval = intervals.normal_interval(estimate.value, estimate.standard_error)
    return MetricValue(estimate.value, estimate.standard_error, interval)


def mean_value(contributions: Floats) -> MetricValue:
    """The mean of the contributions of the images (N,)."""
    return MetricValue(float(contributions.mean()), *intervals.bootstrap_mean(contributions))


def share_value(successes: int, trials: int) -> MetricValue:
    """A share of independent trials."""
    share = successes / trials
    error = (share * (1 - share) / trials) ** 0.5
    return MetricValue(share, error, intervals.binomial_interval(successes, trials))


def new_network_share(successes: int, trials: int) -> MetricValue:
    """A share without a standard error.

    The interval covers the choice of images only. Training the network again would also change the share, by an unknown
    amount.
    """
    return dataclasses.replace(share_value(successes, trials), standard_error=None)
