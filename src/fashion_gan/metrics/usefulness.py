"""What classifiers learnt in several ways, seed by seed -> how much synthetic images help, and a verdict in words."""

import dataclasses
from collections.abc import Sequence

from fashion_gan.metrics.figures import Figure
from fashion_gan.metrics.intervals import student_interval
from fashion_gan.metrics.teaching import BOTH, CLASSICAL, REAL, Shares

HELPS, HARMS, NO_DIFFERENCE = "helps", "don't use it", "no difference"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How one way of teaching did.

    Attributes:
        accuracy: the share of test images that were told right, over the seeds.
        gain: its difference from that of real images only, seed by seed; None for real images only.
    """

    accuracy: Figure
    gain: Figure | None


@dataclasses.dataclass(frozen=True)
class Usefulness:
    """What was found with one number of real images.

    Attributes:
        real_per_class: that number.
        ways: by the names in ``teaching.WAYS``, over all classes, each of which counts as much.
        by_class: the same for each class, by its name.
        beyond_classical: by how much real and synthetic images taught more than real ones, flipped and shifted.
        verdict: "helps", "don't use it" or "no difference".
        words: the verdict as a sentence, with its figures.
    """

    real_per_class: int
    ways: dict[str, Outcome]
    by_class: dict[str, dict[str, Outcome]]
    beyond_classical: Figure
    verdict: str
    words: str


def usefulness(real_per_class: int, shares: dict[str, Shares], class_names: Sequence[str]) -> Usefulness:
    """Work out accuracies, gains and the verdict.

    Args:
        real_per_class: how many real images of each class there were.
        shares: by way, the shares of each class's test images that were told right, (seeds, classes), 2 seeds or more.
        class_names: in the order of the columns.
    """
    whole = {way: values.mean(axis=1) for way, values in shares.items()}
    ways = _outcomes(whole)
    beyond_classical = over_seeds(whole[BOTH] - whole[CLASSICAL])
    return Usefulness(
        real_per_class,
        ways,
        {
            name: _outcomes({way: values[:, number] for way, values in shares.items()})
            for number, name in enumerate(class_names)
        },
        beyond_classical,
        *verdict(over_seeds(whole[BOTH] - whole[REAL]), beyond_classical),
    )


def over_seeds(values: Shares) -> Figure:
    """The mean of a figure over seeds (N,), with Student's interval."""
    error, interval = student_interval(values)
    deviation = float(values.std(ddof=1))
    return Figure(float(values.mean()), error, interval, by_seed=tuple(values.tolist()), deviation=deviation)


def verdict(gain: Figure, beyond_classical: Figure) -> tuple[str, str]:
    """Whether synthetic images beside the real ones help, as a word and as a sentence.

    Args:
        gain: of real and synthetic images over real ones only, with its interval.
        beyond_classical: the same over real images, flipped and shifted.
    """
    unseen = f"no difference that these {len(gain.by_seed)} seeds can show"
    word = _side(gain, HELPS, HARMS, NO_DIFFERENCE)
    sentence = {
        HELPS: "synthetic images help",
        HARMS: "don't use it: synthetic images make it worse",
        NO_DIFFERENCE: unseen,
    }[word]
    beside = _side(beyond_classical, "better", "worse", unseen)
    return word, f"{sentence}, {points(gain)}; against flips and shifts: {beside}, {points(beyond_classical)}"


def points(difference: Figure) -> str:
    """A difference of shares in hundredths, with its interval: ``+3.1 points (+1.0 to +5.2)``."""
    low, high = difference.interval or (difference.value, difference.value)
    # Student's interval over few seeds can reach beyond what shares can differ by.
    low, high = max(low, -1.0), min(high, 1.0)
    return f"{100 * difference.value:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"


def _side(difference: Figure, above: str, below: str, neither: str) -> str:
    low, high = difference.interval or (difference.value, difference.value)
    return above if low > 0 else below if high < 0 else neither


def _outcomes(accuracies: dict[str, Shares]) -> dict[str, Outcome]:
    """By way, from the accuracies of each seed."""
    return {
        way: Outcome(over_seeds(values), None if way == REAL else over_seeds(values - accuracies[REAL]))
        for way, values in accuracies.items()
    }
