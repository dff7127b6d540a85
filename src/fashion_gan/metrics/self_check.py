"""Damages real images on purpose, and checks that the metrics that should detect each damage get worse."""

import dataclasses
import itertools

import numpy as np

from fashion_gan.arrays import Images, Labels
from fashion_gan.metrics import damages
from fashion_gan.metrics.damages import ApplyDamage
from fashion_gan.metrics.measures import Sample
from fashion_gan.metrics.metric_info import METRICS
from fashion_gan.metrics.protocols import PROTOCOLS
from fashion_gan.metrics.reference import Reference
from fashion_gan.rendering.tables import format_html_table, format_table
from fashion_gan.system import progress

COUNT = 10_000


@dataclasses.dataclass(frozen=True)
class Damage:
    """A kind of damage.

    Attributes:
        name: its name in the table of results.
        apply: damages images and labels.
        strengths: a lower and a higher strength.
        detected_by: the metrics that must get worse with each strength.
    """

    name: str
    apply: ApplyDamage
    strengths: tuple[float, float]
    detected_by: tuple[str, ...]


_DISTANCES = ("ffd10k_test", "kernel10k_test")
_QUALITY = (*_DISTANCES, "precision10k_test", "density10k_test")
_CLASSES = ("class_imbalance10k", "missing_classes10k", "ffd10k_test", "recall10k_test", "coverage10k_test")

# fmt: off
DAMAGES = (
    Damage("classes missing",    damages.missing_classes, (1, 3),      _CLASSES),
    Damage("one image repeated", damages.repeated_mode,   (0.1, 0.4),  (*_DISTANCES, "coverage10k_test")),
    Damage("blurred",            damages.blurred,         (0.4, 0.8),  _QUALITY),
    Damage("inverted",           damages.inverted,        (0.1, 0.5),  _QUALITY),
    Damage("JPEG",               damages.jpeg,            (50, 90),    _QUALITY),
    Damage("shifted",            damages.shifted,         (1, 2),      _DISTANCES),
    Damage("noise",              damages.noise_instead,           (0.1, 0.5),  _QUALITY),
    Damage("wrong class",        damages.mislabeled,      (0.05, 0.3), ("asked_class10k",)),
)
# fmt: on
COPIED_SHARES = (0.2, 1.0)
MEMORIZATION_METRICS = ("copying10k", "nearer_train10k")


@dataclasses.dataclass(frozen=True)
class Check:
    """One metric under one kind of damage.

    Attributes:
        damage: the damage's name.
        metric: the metric's id.
        strengths: the lower and the higher strength.
        values: the metric without damage, at the lower and at the higher strength.
        rises: whether the damage must raise the metric, or lower it. None: it must move away from its best value.
        judges_weak: whether the value at the lower strength must lie between the others.
    """

    damage: str
    metric: str
    strengths: tuple[float, float]
    values: tuple[float, float, float]
    rises: bool | None = None
    judges_weak: bool = True

    @property
    def passed(self) -> bool:
        """Whether each increase in strength made the metric worse."""
        steps = itertools.pairwise(self.values if self.judges_weak else (self.values[0], self.values[-1]))
        if self.rises is None:
            gain = METRICS[self.metric].gain
            return all(gain(after, before) < 0 for before, after in steps)
        return all(after > before if self.rises else after < before for before, after in steps)


@dataclasses.dataclass(frozen=True, repr=False)
class SelfCheck:
    """The checks of all kinds of damage. ``print`` and notebooks show them as a table."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every metric detected every damage that it should."""
        return all(check.passed for check in self.checks)

    def table(self) -> str:
        """The checks as an aligned table."""
        return format_table(self._rows(), "llrrrl")

    def _rows(self) -> list[list[str]]:
        rows = [["damage", "metric", "none", "weak", "strong", "result"]]
        for check in self.checks:
            values = [METRICS[check.metric].show(value) for value in check.values]
            rows.append([check.damage, check.metric, *values, "detected" if check.passed else "NOT DETECTED"])
        return rows

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        return f"<SelfCheck: {sum(check.passed for check in self.checks)} of {len(self.checks)} checks passed>"

    def _repr_html_(self) -> str:
        return format_html_table(self._rows(), "llrrrl")


def self_check(reference: Reference, count: int = COUNT) -> SelfCheck:
    """Score damaged training images, and mixtures of test images and copied training images.

    Args:
        reference: the real images.
        count: how many images to score. Fewer are faster.
    """
    indices = reference.training_sample(count)
    images, labels = reference.train.images[indices], reference.train.labels[indices]
    undamaged = _scores(images, labels, reference)
    checks: list[Check] = []
    for damage in progress.bar(DAMAGES, "self-check", "kinds of damage"):
        scores = [undamaged]
        for strength in damage.strengths:
            damaged_images, damaged_labels = damage.apply(images, labels, strength, np.random.default_rng(1))
            scores.append(_scores(damaged_images, damaged_labels, reference))
        checks += [_check(damage.name, metric, damage.strengths, scores) for metric in damage.detected_by]
    return SelfCheck((*checks, *_check_memorization(reference, count)))


def _scores(images: Images, labels: Labels, reference: Reference) -> dict[str, float]:
    sample = Sample(images, labels, with_errors=False)
    results = [PROTOCOLS[name].measure(sample, reference) for name in ("ffd10k_test", "classes10k")]
    return {name: metric.value for result in results for name, metric in result.metrics.items()}


def _check(damage: str, metric: str, strengths: tuple[float, float], scores: list[dict[str, float]]) -> Check:
    undamaged, weak, strong = (values[metric] for values in scores)
    return Check(damage, metric, strengths, (undamaged, weak, strong))


def _check_memorization(reference: Reference, count: int) -> list[Check]:
    """Score one half of the test images against the other, with a share of them replaced by training images."""
    half, left_out = reference.halved()
    random = np.random.default_rng(1)
    real = reference.test.images[left_out[:count]]
    copies = half.train.images[random.choice(len(half.train.images), len(real), replace=False)]
    scores = []
    for share in (0.0, *COPIED_SHARES):
        mask = random.random(len(real)) < share
        images = np.where(mask[:, None, None, None], copies, real)
        metrics = PROTOCOLS["memorisation10k"].measure(Sample(images, None), half).metrics
        scores.append({name: metric.value for name, metric in metrics.items()})
    return [_check("training images copied", metric, COPIED_SHARES, scores) for metric in MEMORIZATION_METRICS]
