"""What a figure is, what each one means, and which can be compared."""

import dataclasses
import math
from typing import Any

from fashion_gan.metrics.features import NETWORK_SHA256
from fashion_gan.metrics.intervals import Interval

# Raised whenever a protocol's result can change for the same images: scores of another version are not comparable.
VERSION = 1


@dataclasses.dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        value: the number; shares are from 0 to 1. With several seeds, their mean.
        standard_error: of the value, from resampled images; None where there is no such thing.
        interval: the value's 95 % interval.
        floor: what real images score in the place of generated ones.
        by_seed: the value of each seed, where there were several.
        deviation: their standard deviation.
    """

    value: float
    standard_error: float | None = None
    interval: Interval | None = None
    floor: float | None = None
    by_seed: tuple[float, ...] = ()
    deviation: float | None = None

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Figure":
        """Read what a file holds. Raises ValueError, TypeError or KeyError where that is no figure."""
        interval = values["interval"]
        return cls(
            value=_number(values["value"]),
            standard_error=_number(values["standard_error"], lowest=0, optional=True),
            interval=None if interval is None else (_number(interval[0]), _number(interval[1])),
            floor=_number(values["floor"], optional=True),
            by_seed=tuple(_number(value) for value in values["by_seed"]),
            deviation=_number(values["deviation"], lowest=0, optional=True),
        )


def _number(value: Any, lowest: float = -math.inf, optional: bool = False) -> Any:
    if optional and value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < lowest:
        raise ValueError(f"{str(value)[:40]!r} is no value of a figure")
    return value


@dataclasses.dataclass(frozen=True)
class Meaning:
    """How to read a figure.

    Attributes:
        title: what a person calls it.
        best: "low", "high", or the number that it should be near.
        shown_as: "number", "small" (a number with more digits), "share", "count" or "sigma" (deviations).
        text: what it means, in a sentence.
    """

    title: str
    best: str | float
    shown_as: str
    text: str

    def show(self, value: float) -> str:
        formats = {"number": "{:.3f}", "small": "{:.5f}", "share": "{:.1%}", "count": "{:.0f}", "sigma": "{:+.1f}"}
        return formats[self.shown_as].format(value)

    def show_interval(self, interval: Interval) -> str:
        return f"{self.show(interval[0])} to {self.show(interval[1])}"

    def gain(self, first: float, second: float) -> float:
        """By how much the first value is better than the second; below 0 where it is worse."""
        if self.best == "high":
            return first - second
        ideal = 0.0 if self.best == "low" else float(self.best)
        if self.best == "low":
            return second - first
        return abs(second - ideal) - abs(first - ideal)


# fmt: off
MEANINGS = {name: Meaning(*row) for name, *row in (
    ("ffd10k_test",        "Fréchet distance", "low", "number",
     "How far the mean and the spread of all features are from the test images', in hundredths of the real "
     "variance: quality and variety in one number."),
    ("kernel10k_test",     "Kernel distance", "low", "small",
     "The same question asked without assuming a shape of the cloud of features; unbiased, so about 0, also below,"
     " for real images."),
    ("precision10k_test",  "Precision", "high", "share",
     "Generated images that lie among real ones: how many look right."),
    ("recall10k_test",     "Recall", "high", "share",
     "Real images that lie among generated ones: how much of the variety is there."),
    ("density10k_test",    "Density", "high", "number",
     "How deep among real images the generated ones lie: as precision, but an outlying real image counts for "
     "little."),
    ("coverage10k_test",   "Coverage", "high", "share",
     "Real images with a generated one in their own neighbourhood: as recall, but an outlying generated image "
     "counts for little."),
    ("ffd50k_train",       "Fréchet distance to the training set", "low", "number",
     "The Fréchet distance of 50,000 images to all 60,000 training images: what the generator was asked to learn."),
    ("class_imbalance10k", "Class imbalance", "low", "share",
     "Images that would have to change class for all ten classes to be as frequent as among real images."),
    ("missing_classes10k", "Missing classes", "low", "count",
     "Classes that make up less than 1 % of the images; each should have 10 %."),
    ("asked_class10k",     "Shows the asked class", "high", "share",
     "Images that our classifier takes for the class that was asked for."),
    ("class_recall10k_test", "Recall within classes", "high", "share",
     "Recall of each class by itself, the mean of the ten: how much of the variety of shirts is there among shirts."),
    ("class_coverage10k_test", "Coverage within classes", "high", "share",
     "Coverage of each class by itself, the mean of the ten."),
    ("copying10k",         "Data copying, C_T", 0.0, "sigma",
     "Whether images lie nearer to the training set than test images do, as a mean z-score: far below 0 is "
     "copying, or images more typical than real ones; far above 0, images further out."),
    ("nearer_train10k",    "Nearest real image is a training image", 6 / 7, "share",
     "Six of seven real images are training images, so by chance 85.7 % of the nearest ones are; 100 % where "
     "everything is memorised."),
    ("gan_train10k",       "GAN-train", "high", "share",
     "Accuracy on real test images of a fresh classifier that saw generated images alone; the floor is the same "
     "classifier taught by as many real images."),
    ("gan_test10k",        "GAN-test", "high", "share",
     "Generated images that a fresh classifier taught by as many real ones takes for the class asked for; the "
     "floor is its accuracy on real test images."),
    ("two_sample10k_test", "Told apart from real", 0.5, "share",
     "How often a fresh network, taught to, tells held-out generated images from real test images; a half is "
     "perfect."),
    ("fid10k_test",        "FID, 10,000 against test", "low", "number",
     "The standard Fréchet Inception distance to the 10,000 test images; of colour photographs' features, and so a"
     " rough measure here."),
    ("kid10k_test",        "KID, 10,000 against test", "low", "small",
     "The standard kernel Inception distance to the test images, from 100 subsets of 1,000."),
    ("is10k",              "Inception score, 10,000", "high", "number",
     "The standard Inception score; it knows no clothes, and is here for comparison with papers alone."),
    ("fid50k_train",       "FID, 50,000 against training", "low", "number",
     "The standard Fréchet Inception distance of 50,000 images to the training set, as most papers report it."),
)}
# fmt: on


def fingerprint(data_sha256: str) -> dict[str, Any]:
    """What a score was made with; scores of different fingerprints are not compared."""
    return {"data_sha256": data_sha256, "features_sha256": NETWORK_SHA256, "version": VERSION}
