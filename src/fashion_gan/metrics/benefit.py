"""How much synthetic images help a classifier: accuracies and gains over the seeds, and a verdict in words."""

import dataclasses
from collections.abc import Sequence

from fashion_gan.arrays import Floats
from fashion_gan.metrics.augmentation_benefit import BOTH, CLASSICAL, REAL
from fashion_gan.metrics.intervals import student_interval
from fashion_gan.metrics.metric_info import MetricValue

HELPS, HARMS, NO_DIFFERENCE = "helps", "don't use it", "no difference"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of one training regime.

    Attributes:
        accuracy: the share of test images that were classified correctly, over the seeds.
        gain: the accuracy minus the accuracy of the regime "real only", paired by seed. None for that regime itself.
    """

    accuracy: MetricValue
    gain: MetricValue | None


@dataclasses.dataclass(frozen=True)
class Benefit:
    """The result for one number of real images.

    Attributes:
        real_per_class: the number of real training images of each class.
        regimes: the outcome of each regime in ``augmentation_benefit.REGIMES``. Accuracies are means over the classes.
        by_class: the outcomes for each class, by the class's name.
        beyond_classical: the accuracy with real and synthetic images, minus the accuracy with real images that are
            flipped and shifted.
        verdict: "helps", "don't use it" or "no difference".
        summary: the verdict as a sentence, with its numbers.
    """

    real_per_class: int
    regimes: dict[str, Outcome]
    by_class: dict[str, dict[str, Outcome]]
    beyond_classical: MetricValue
    verdict: str
    summary: str


def benefit(real_per_class: int, accuracies: dict[str, Floats], class_names: Sequence[str]) -> Benefit:
    """Compute the mean accuracies, the gains and the verdict.

    Args:
        real_per_class: the number of real training images of each class.
        accuracies: for each regime, the accuracy of each seed on each class, (seeds, classes), with 2 seeds or more.
        class_names: the classes, in the order of the columns.
    """
    overall = {regime: values.mean(axis=1) for regime, values in accuracies.items()}
    by_class = {
        name: _outcomes({regime: values[:, label] for regime, values in accuracies.items()})
        for label, name in enumerate(class_names)
    }
    beyond_classical = over_seeds(overall[BOTH] - overall[CLASSICAL])
    verdict, summary = judge(over_seeds(overall[BOTH] - overall[REAL]), beyond_classical)
    return Benefit(real_per_class, _outcomes(overall), by_class, beyond_classical, verdict, summary)


def over_seeds(values: Floats) -> MetricValue:
    """The mean of a metric over the seeds (N,), with Student's t interval."""
    error, interval = student_interval(values)
    deviation = float(values.std(ddof=1))
    return MetricValue(float(values.mean()), error, interval, by_seed=tuple(values.tolist()), deviation=deviation)


def judge(gain: MetricValue, beyond_classical: MetricValue) -> tuple[str, str]:
    """Decide whether synthetic images help if they are added to real ones.

    Args:
        gain: the gain over real images only.
        beyond_classical: the gain over real images that are flipped and shifted.

    Returns:
        The verdict ("helps", "don't use it" or "no difference"), and a sentence with the numbers.
    """
    undecided = f"no difference that these {len(gain.by_seed)} seeds can show"
    verdict = _by_sign(gain, HELPS, HARMS, NO_DIFFERENCE)
    sentence = {
        HELPS: "synthetic images help",
        HARMS: "don't use it: synthetic images make it worse",
        NO_DIFFERENCE: undecided,
    }[verdict]
    comparison = _by_sign(beyond_classical, "better", "worse", undecided)
    classical = f"compared with flips and shifts: {comparison}, {format_points(beyond_classical)}"
    return verdict, f"{sentence}, {format_points(gain)}; {classical}"


def format_points(difference: MetricValue) -> str:
    """A difference of shares in percentage points, with its interval: ``+3.1 points (+1.0 to +5.2)``."""
    low, high = difference.interval or (difference.value, difference.value)
    # Shares differ by at most 1, but Student's t interval over few seeds can be wider.
    low, high = max(low, -1.0), min(high, 1.0)
    return f"{100 * difference.value:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"


def _by_sign(difference: MetricValue, positive: str, negative: str, undecided: str) -> str:
    """The word for a difference: ``undecided`` if its interval holds 0."""
    low, high = difference.interval or (difference.value, difference.value)
    return positive if low > 0 else negative if high < 0 else undecided


def _outcomes(accuracies: dict[str, Floats]) -> dict[str, Outcome]:
    """The outcome of each regime, from its accuracy with each seed (N,)."""
    return {
        regime: Outcome(over_seeds(values), None if regime == REAL else over_seeds(values - accuracies[REAL]))
        for regime, values in accuracies.items()
    }
