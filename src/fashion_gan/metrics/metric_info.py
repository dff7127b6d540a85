"""The table of metrics: what each one means, how it is shown, and which of two values is better."""

import dataclasses
import sys
from typing import Any

from fashion_gan.arrays import JsonObject
from fashion_gan.metrics.features import NETWORK_SHA256
from fashion_gan.metrics.intervals import Interval

# Increase this when a change of the code can change a protocol's result for the same images. Scores of different
# versions are not comparable.
VERSION = 1

FFD_NOTE = "ffd = Fréchet distance of Fashion-MNIST features"


@dataclasses.dataclass(frozen=True)
class MetricValue:
    """The value of one metric.

    Attributes:
        value: the number. Shares lie from 0 to 1. With several seeds, their mean.
        standard_error: the standard error of the value, over the choice of images or seeds; None if it is unknown.
        interval: the 95% interval of the value; None if it is unknown.
        real_baseline: the value that real images get when they are scored as if they were generated.
        by_seed: the value of each seed; empty if there was only one.
        deviation: the standard deviation over the seeds; None if there was only one.
    """

    value: float
    standard_error: float | None = None
    interval: Interval | None = None
    real_baseline: float | None = None
    by_seed: tuple[float, ...] = ()
    deviation: float | None = None

    @classmethod
    def from_json(cls, values: JsonObject) -> "MetricValue":
        """Read a value from a file, also from one of version 0.1.0, which called the real baseline "floor".

        Raises:
            ValueError, TypeError, KeyError: these are not the parts of a metric's value.
        """
        interval = values["interval"]
        return cls(
            value=_number(values["value"]),
            standard_error=_optional_number(values["standard_error"], lowest=0),
            interval=None if interval is None else (_number(interval[0]), _number(interval[1])),
            real_baseline=_optional_number(values["floor"] if "floor" in values else values["real_baseline"]),
            by_seed=tuple(_number(value) for value in values["by_seed"]),
            deviation=_optional_number(values["deviation"], lowest=0),
        )


def read_metric_values(evaluation: JsonObject) -> dict[str, MetricValue]:
    """The values of all known metrics in an evaluation's JSON, by their ids.

    Version 0.1.0 called the metrics "figures".

    Raises:
        ValueError, TypeError, KeyError, AttributeError: this is not an evaluation's JSON.
    """
    metrics = evaluation["figures"] if "figures" in evaluation else evaluation["metrics"]
    return {name: MetricValue.from_json(value) for name, value in metrics.items() if name in METRICS}


def _optional_number(value: Any, lowest: float = -sys.float_info.max) -> float | None:
    return None if value is None else _number(value, lowest)


def _number(value: Any, lowest: float = -sys.float_info.max) -> float:
    # A number that no float can hold fails the comparison. ``math.isfinite`` raises an OverflowError for it.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not lowest <= value <= sys.float_info.max:
        raise ValueError(f"{str(value)[:40]!r} is not a metric's value")
    return value


@dataclasses.dataclass(frozen=True)
class MetricInfo:
    """How to read a metric.

    Attributes:
        title: its name in words.
        best: "low", "high", or the ideal value.
        shown_as: "number", "small" (a number with more digits), "share", "count" or "sigma" (standard deviations).
        description: what it means, in a sentence or two.
    """

    title: str
    best: str | float
    shown_as: str
    description: str

    @property
    def direction(self) -> str:
        """Which values are good: "lower is better", "higher is better", or "best near" the ideal."""
        if isinstance(self.best, str):
            return {"low": "lower is better", "high": "higher is better"}[self.best]
        return f"best near {self.show_unsigned(self.best)}"

    def show(self, value: float) -> str:
        """A value as text, with the metric's digits and sign."""
        formats = {"number": "{:.3f}", "small": "{:.5f}", "share": "{:.1%}", "count": "{:.0f}", "sigma": "{:+.1f}"}
        return formats[self.shown_as].format(value)

    def show_unsigned(self, value: float) -> str:
        """A value as text without a plus sign."""
        return self.show(value).lstrip("+")

    def show_interval(self, interval: Interval) -> str:
        """An interval as text."""
        return f"{self.show(interval[0])} to {self.show(interval[1])}"

    def gain(self, first: float, second: float) -> float:
        """By how much the first value is better than the second. Negative if it is worse."""
        if self.best == "high":
            return first - second
        if self.best == "low":
            return second - first
        ideal = float(self.best)
        return abs(second - ideal) - abs(first - ideal)


# fmt: off
METRICS = {name: MetricInfo(*row) for name, *row in (
    ("ffd10k_test",        "Fréchet distance", "low", "number",
     "How far the mean and the covariance of the features (FFD: Fréchet distance of Fashion-MNIST features) are from "
     "those of the test images, in hundredths of the real variance. One number for quality and variety."),
    ("kernel10k_test",     "Kernel distance", "low", "small",
     "The distance of the two sets of features without the assumption that they are Gaussian. It is unbiased: real "
     "images get about 0, and a value can be negative."),
    ("precision10k_test",  "Precision", "high", "share",
     "The share of generated images that lie among real ones: how many look right."),
    ("recall10k_test",     "Recall", "high", "share",
     "The share of real images that lie among generated ones: how much of the variety is reached."),
    ("density10k_test",    "Density", "high", "number",
     "How densely real images surround the generated ones. Similar to precision, but a real outlier has little "
     "influence."),
    ("coverage10k_test",   "Coverage", "high", "share",
     "The share of real images with a generated image in their neighborhood. Similar to recall, but a generated "
     "outlier has little influence."),
    ("ffd50k_train",       "Fréchet distance to the training set", "low", "number",
     "The Fréchet distance of 50,000 images to all 60,000 training images, which the generator learns from."),
    ("class_imbalance10k", "Class imbalance", "low", "share",
     "The share of images that would have to change class to make all ten classes as frequent as among real images."),
    ("missing_classes10k", "Missing classes", "low", "count",
     "The number of classes that make up less than 1% of the images. Each should make up 10%."),
    ("asked_class10k",     "Shows the requested class", "high", "share",
     "The share of images that the evaluator's classifier assigns to the class that was requested."),
    ("class_recall10k_test", "Recall within classes", "high", "share",
     "The mean over the ten classes of the recall within each class: how much of the variety of shirts is reached by "
     "generated shirts."),
    ("class_coverage10k_test", "Coverage within classes", "high", "share",
     "The mean over the ten classes of the coverage within each class."),
    ("copying10k",         "Data copying, C_T", 0.0, "sigma",
     "Whether generated images lie nearer to the training set than test images do, as a mean z-score. A value far "
     "below 0 means copies, or images that are more typical than real ones. A value far above 0 means images farther "
     "from the real ones."),
    ("nearer_train10k",    "Nearest real image is a training image", 6 / 7, "share",
     "The share of generated images whose nearest real image is a training image. Six of seven real images are "
     "training images, so chance gives 85.7%. If everything is memorized, it is 100%."),
    ("gan_train10k",       "GAN-train", "high", "share",
     "The accuracy on real test images of a new classifier trained on generated images only. The real baseline is the "
     "accuracy of the same classifier trained on as many real images."),
    ("gan_test10k",        "GAN-test", "high", "share",
     "The share of generated images that a new classifier, trained on as many real images, assigns to the requested "
     "class. The real baseline is its accuracy on real test images."),
    ("two_sample10k_test", "Told apart from real", 0.5, "share",
     "The accuracy of a new network, trained to separate generated images from real test images, on held-out images. "
     "A perfect generator leaves it at 50%."),
    ("fid10k_test",        "FID, 10,000 against test", "low", "number",
     "The standard Fréchet Inception distance to the 10,000 test images. Its features come from color photographs, so "
     "it is a rough measure here."),
    ("kid10k_test",        "KID, 10,000 against test", "low", "small",
     "The standard kernel Inception distance to the test images, from 100 subsets of 1,000."),
    ("is10k",              "Inception score, 10,000", "high", "number",
     "The standard Inception score. Its classes contain few clothes, so it serves only for comparison with papers."),
    ("fid50k_train",       "FID, 50,000 against training", "low", "number",
     "The standard Fréchet Inception distance of 50,000 images to the training set, as most papers report it."),
    # ---- Pictures of any kind ----
    ("frechet",            "Fréchet distance of random features", "low", "number",
     "How far the mean and the covariance of the features are from those of the real pictures, in hundredths of the "
     "real variance. One number for quality and variety. It sees shapes, colors and missing kinds of pictures; a "
     "slight blur or noise moves it little."),
    ("kernel",             "Kernel distance of random features", "low", "small",
     "The distance of the two sets of features without the assumption that they are Gaussian. It is unbiased: real "
     "pictures get about 0, and a value can be negative."),
    ("precision",          "Precision", "high", "share",
     "The share of generated pictures that lie among real ones: how many look right."),
    ("recall",             "Recall", "high", "share",
     "The share of real pictures that lie among generated ones: how much of the variety is reached."),
    ("density",            "Density", "high", "number",
     "How densely real pictures surround the generated ones. Similar to precision, but a real outlier has little "
     "influence."),
    ("coverage",           "Coverage", "high", "share",
     "The share of real pictures with a generated one in their neighborhood. Similar to recall, but a generated "
     "outlier has little influence."),
    ("patches",            "Sliced Wasserstein distance of patches", "low", "number",
     "How far patches of 7×7 pixels differ from real ones, in thousandths of the real deviation: the mean over the "
     "scales. It needs no network, and sees blur, noise, compression and grids of pixels. It does not see whether the "
     "patches form a whole."),
    ("patches_scale1",     "Patches at full size", "low", "number",
     "The same at the pictures' own size: the finest details."),
    ("patches_scale2",     "Patches at a half", "low", "number", "The same at half the size."),
    ("patches_scale4",     "Patches at a quarter", "low", "number", "The same at a quarter of the size."),
    ("patches_scale8",     "Patches at an eighth", "low", "number",
     "The same at an eighth of the size: coarse shapes."),
    ("frechet_train",      "Fréchet distance to the training pictures", "low", "number",
     "The Fréchet distance to the pictures that the generator learns from. If it is much lower than the distance to "
     "held-out pictures, compared with the real baselines, the generator overfits."),
    ("diversity",          "Diversity", 1.0, "number",
     "How many different pictures there are, divided by the number for as many real pictures (Vendi score). Below 1: "
     "pictures resemble each other. Above 1: they differ more than real ones, as noise does."),
    ("class_recall",       "Recall within classes", "high", "share",
     "The mean over real pictures of the recall within their class. Classes with fewer than 20 real pictures are left "
     "out."),
    ("class_coverage",     "Coverage within classes", "high", "share",
     "The mean over real pictures of the coverage within their class."),
    ("copying",            "Data copying, C_T", 0.0, "sigma",
     "Whether generated pictures lie nearer to training pictures than other real pictures do, as a mean z-score. A "
     "value far below 0 means copies, or pictures that are more typical than real ones. A value far above 0 means "
     "pictures farther from the real ones."),
    ("closer_than_real",   "Closer to training pictures than real ones are", 0.5, "share",
     "How often a generated picture lies closer to a training picture than another real picture does. 50% is chance. "
     "If everything is copied, it is 100%. From 75% on, look at the possible copies."),
    ("nearer_train",       "Nearest to training pictures, beyond chance", 0.0, "share",
     "By how much more often than by chance the nearest real picture is a training picture, not a held-out one. 0 is "
     "chance. If everything is memorized, it is 100%."),
    ("gan_train",          "GAN-train", "high", "share",
     "The accuracy on held-out real pictures of a new classifier trained on generated pictures only. The real "
     "baseline is the accuracy of the same classifier trained on as many real pictures."),
    ("gan_test",           "GAN-test", "high", "share",
     "The share of generated pictures that a new classifier, trained on as many real pictures, assigns to the "
     "requested class. The real baseline is its accuracy on held-out real pictures."),
    ("two_sample",         "Told apart from real", 0.5, "share",
     "The accuracy of a new network, trained to separate generated pictures from real ones, on pictures that it has "
     "not seen. A perfect generator leaves it at 50%."),
    ("fid",                "FID", "low", "number",
     "The standard Fréchet Inception distance to the real pictures that are compared with."),
    ("kid",                "KID", "low", "small", "The standard kernel Inception distance to these pictures."),
    ("is",                 "Inception score", "high", "number",
     "The standard Inception score. It does not use the real pictures."),
    # ---- All images of a data set of shards ----
    ("frechet_all",        "Fréchet distance of all images", "low", "number",
     "The Fréchet distance of all images of a data set to the real ones. It falls as the number of images grows, so "
     "compare only data sets of the same size."),
    ("precision_all",      "Precision of all images", "high", "share",
     "The share of all images that lie among real ones: how many look right."),
    ("density_all",        "Density of all images", "high", "number",
     "How densely real images surround all generated ones."),
    ("coverage_all",       "Coverage by all images", "high", "share",
     "The share of real images with any image of the data set in their neighborhood. It grows with the number of "
     "images. What is missing here is missing in the whole data set."),
    ("nearer_train_all",   "All images: nearest to training images, beyond chance", 0.0, "share",
     "By how much more often than by chance the nearest real image is a training image, not a held-out one. 0 is "
     "chance. If everything is memorized, it is 100%."),
)}
# fmt: on


def fingerprint(data_sha256: str) -> JsonObject:
    """The checksums and the version that a score depends on. Scores with different fingerprints cannot be compared."""
    return {"data_sha256": data_sha256, "features_sha256": NETWORK_SHA256, "version": VERSION}
