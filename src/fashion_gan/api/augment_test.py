"""Measure whether a generator's images help to train a classifier: metrics, a plot and a verdict."""

import contextlib
import dataclasses
import html
import importlib.metadata
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fashion_gan.api.labeled_images import draw_labeled
from fashion_gan.api.labeled_pictures import OTHERS, LabeledPictures, check_keras, find_labeled_pictures
from fashion_gan.api.load import load_generator
from fashion_gan.api.make_dataset import about_model
from fashion_gan.arrays import JsonObject
from fashion_gan.datasets import Dataset
from fashion_gan.errors import InputError, as_array, check_flag, check_range, check_whole_number, show
from fashion_gan.latents import MAX_TRUNCATION
from fashion_gan.metrics.augmentation_benefit import BOTH, REAL, REGIMES, accuracies_by_class
from fashion_gan.metrics.benefit import Benefit, Outcome, benefit, format_points
from fashion_gan.rendering import plots
from fashion_gan.rendering.tables import format_html_table, format_table
from fashion_gan.system.atomic_files import atomic_folder
from fashion_gan.system.backends import default_backend
from fashion_gan.system.installation import check_installed
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.paths import user_path
from fashion_gan.version import __version__

RESULTS, PLOT = "augment-test.json", "accuracy.png"
REAL_PER_CLASS = (10, 50, 200)
SYNTHETIC_PER_CLASS = 500
SEEDS = 3
STEPS = 500

MAX_SYNTHETIC_PER_CLASS = 10_000
MAX_SEEDS = 100
MAX_STEPS = 100_000

CAVEAT = (
    "The generator has its own training set. These numbers therefore show its value to somebody who has this "
    "generator and few real images. They do not show the value of a generator trained on those few images."
)
SAW_TEST = (
    "The generator also learned from the test pictures, because it was trained without evaluate_every_epochs. Its gain "
    "may be too high."
)
LINE_WIDTH = 100


@dataclasses.dataclass(frozen=True, repr=False)
class AugmentTest:
    """The results of an augmentation test. A notebook shows them as tables.

    Attributes:
        about: the conditions: the model, the real images and their checksums, the numbers of images, the seeds and the
            steps of each training.
        sizes: the result for each number of real images, in ascending order.
    """

    about: JsonObject
    sizes: tuple[Benefit, ...]

    def to_json(self) -> str:
        """All results by seed and by class, as JSON."""
        return json.dumps({**dataclasses.asdict(self), "regimes": REGIMES}, indent=2, ensure_ascii=False)

    def table(self) -> str:
        """The accuracies and gains of each regime, the gains of each class and the verdicts, as aligned lines."""
        tables = [format_table(*self._regime_table()), format_table(*self._class_table())]
        verdicts = "\n".join(map(_wrapped, self._verdicts()))
        return "\n\n".join([*tables, verdicts, _wrapped(self._caveat())])

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        """The same tables and verdicts, for a notebook."""
        tables = [format_html_table(*self._regime_table()), format_html_table(*self._class_table())]
        paragraphs = [f"<p>{html.escape(text)}</p>" for text in (*self._verdicts(), self._caveat())]
        return "\n".join([*tables, *paragraphs])

    def _regime_table(self) -> tuple[list[list[str]], str]:
        """The rows and the alignment of the table of accuracies and gains."""
        rows = [["real per class", "regime", "accuracy", "95% interval", "gain over real only"]]
        for size in self.sizes:
            for regime, outcome in size.regimes.items():
                low, high = _interval(outcome)
                interval = f"{max(low, 0):.1%} to {min(high, 1):.1%}"
                gain = "" if outcome.gain is None else format_points(outcome.gain)
                count = f"{size.real_per_class:,}" if regime == REAL else ""
                rows.append([count, REGIMES[regime], f"{outcome.accuracy.value:.1%}", interval, gain])
        return rows, "llrll"

    def _class_table(self) -> tuple[list[list[str]], str]:
        """The rows and the alignment of the table of gains by class. The gains are those of adding synthetic images."""
        rows = [[f"gain of {REGIMES[BOTH]}", *(f"{size.real_per_class:,} per class" for size in self.sizes)]]
        for label, name in enumerate(self.sizes[0].by_class):
            gains = [size.by_class[name][BOTH].gain for size in self.sizes]
            rows.append([f"{label} {name}", *(format_points(gain) for gain in gains if gain is not None)])
        return rows, "l" * len(rows[0])

    def _verdicts(self) -> list[str]:
        return [f"{size.real_per_class:,} real images per class: {size.summary}" for size in self.sizes]

    def _caveat(self) -> str:
        return f"{CAVEAT} {SAW_TEST}" if self.about["data"]["generator_saw_test"] else CAVEAT


@default_settings()
def augment_test(
    model: str | Path = "fashion",
    *,
    real_per_class: int | Sequence[int] | None = None,
    synthetic_per_class: int = SYNTHETIC_PER_CLASS,
    seeds: int = SEEDS,
    steps: int = STEPS,
    truncation: float = 1.0,
    data: str | Path | Dataset | None = None,
    out: str | Path | None = None,
    force: bool = False,
) -> AugmentTest:
    """Measure whether a generator's images help to train a classifier. Takes minutes.

    A classifier is trained on real images, on real images with flips and shifts, on real and synthetic images, and on
    synthetic images only. It is tested on the data's own test images, as Fashion-MNIST and MNIST have them. Of other
    data, a tenth is held out for the test, at least 50 images. A run with ``evaluate_every_epochs`` never learned from
    these. Each class of the model is matched with that of the same name in the data.

    Args:
        model: the model, as ``load_generator`` takes it. It must draw classes, at 8×8 pixels or more.
        real_per_class: numbers of real training images of each class. Each number is one measurement. None: 10, 50 and
            200, or those of them that the smallest class has.
        synthetic_per_class: synthetic images of each class, from 1 to 10,000. With 500 of them and 500 steps, training
            sees each image six times. More images than training can see do not help.
        seeds: how many times images are drawn and classifiers are trained, from 2 to 100. An interval over 3 seeds is
            wide. More seeds make it narrower.
        steps: the steps of each training, of 64 images each, from 1 to 100,000. All regimes take the same number, so
            that none has an advantage in computation.
        truncation: scale of the latent vectors, above 0 and at most 1.5.
        data: the real images, with classes: a folder of pictures with a subfolder for each class, a folder of
            Fashion-MNIST's or of MNIST's files, an ``.npz`` or Parquet file with labels, or a ``Dataset``. They are
            read at the model's size. Without test images of their own, there must be at least 200. None: the data that
            a run learned from; for other models, Fashion-MNIST.
        out: a folder to write the results and the plot to, atomically. None writes nothing.
        force: replace an existing folder, if it holds only the files of an augmentation test.

    Returns:
        The accuracies, the gains and the verdicts.

    Raises:
        InputError: a number is out of range, the model and the data have different classes, the data are missing or too
            few, the folder may not be written, or no training framework is installed.

    Example:
        >>> result = fashion_gan.augment_test(real_per_class=10, synthetic_per_class=20, seeds=2, steps=10)
        >>> list(result.sizes[0].regimes)
        ['real', 'real_flipped_shifted', 'real_and_synthetic', 'synthetic']
        >>> result.sizes[0].verdict in ("helps", "don't use it", "no difference")
        True

    Source: the idea of the accuracy score, Ravuri & Vinyals 2019, arXiv:1905.10887.
    """
    sizes = None if real_per_class is None else _checked_sizes(real_per_class)
    synthetic_per_class = check_whole_number("synthetic_per_class", synthetic_per_class, 1, MAX_SYNTHETIC_PER_CLASS)
    seeds = check_whole_number("seeds", seeds, 2, MAX_SEEDS)
    steps = check_whole_number("steps", steps, 1, MAX_STEPS)
    truncation = check_range("truncation", truncation, 0, MAX_TRUNCATION, open_low=True)
    _check_framework()
    generator = load_generator(model)
    real = find_labeled_pictures(model, generator, data)
    _check_same_classes(model, real)
    sizes = _possible_sizes(real.train, sizes)
    class_names = real.train.class_names

    def draw(seed: int) -> Dataset:
        drawn = draw_labeled(generator, synthetic_per_class, seed=seed, truncation=truncation)
        return Dataset(drawn.images, real.labels_of_classes[drawn.labels], class_names, str(model))

    about = {
        **_about(model),
        "data": real.about,
        "real_per_class": sizes,
        "synthetic_per_class": synthetic_per_class,
        "seeds": list(range(seeds)),
        "steps": steps,
        "truncation": truncation,
    }
    with _writer(out, force) as folder:
        accuracies = accuracies_by_class(real.train, real.test, draw, sizes, seeds, steps)
        result = AugmentTest(about, tuple(benefit(size, accuracies[size], class_names) for size in sizes))
        if folder is not None:
            _write(result, folder)
    return result


def _about(model: str | Path) -> JsonObject:
    """The versions and the model that the results depend on."""
    return {
        "fashion_gan": __version__,
        "framework": f"keras {importlib.metadata.version('keras')}, {default_backend()}",
        "model": about_model(model),
    }


def _writer(out: str | Path | None, force: bool) -> contextlib.AbstractContextManager[Path | None]:
    """A context whose value is the folder to write to, or None if nothing is written."""
    if out is None:
        return contextlib.nullcontext()
    return atomic_folder(user_path("out", out), (PLOT,), marker=RESULTS, force=check_flag("force", force))


def _write(result: AugmentTest, folder: Path) -> None:
    (folder / RESULTS).write_text(result.to_json() + "\n", encoding="utf-8")
    curves = {
        text: [(size.regimes[regime].accuracy.value, *_interval(size.regimes[regime])) for size in result.sizes]
        for regime, text in REGIMES.items()
    }
    plots.accuracy_curve([size.real_per_class for size in result.sizes], curves, folder / PLOT)


def _interval(outcome: Outcome) -> tuple[float, float]:
    return outcome.accuracy.interval or (outcome.accuracy.value, outcome.accuracy.value)


def _wrapped(sentence: str) -> str:
    return textwrap.fill(sentence, LINE_WIDTH, subsequent_indent="  ")


def _checked_sizes(real_per_class: int | Sequence[int]) -> list[int]:
    numbers = as_array("real_per_class", real_per_class).reshape(-1)
    sizes = [check_whole_number("real_per_class", size, 1) for size in numbers.tolist()]
    if not sizes or len(set(sizes)) < len(sizes):
        raise InputError(f"real_per_class={sizes} must be one number or more, all of them different")
    return sorted(sizes)


def _check_framework() -> None:
    check_keras("augment-test trains classifiers and")
    for package in ("scipy", "matplotlib"):
        check_installed(package, "augment-test", "train")


def _check_same_classes(model: str | Path, real: LabeledPictures) -> None:
    """Raise InputError if there are real pictures of a class that the model does not draw."""
    others = sorted(set(range(len(real.train.class_names))) - set(real.labels_of_classes.tolist()))
    if others:
        name = real.train.class_names[others[0]]
        raise InputError(f"{model} does not draw the class {show(name)} of {real.train.source}: {OTHERS}")


def _possible_sizes(train: Dataset, sizes: list[int] | None) -> list[int]:
    """The requested sizes. If none are requested, those of the default that the smallest class has.

    Raises:
        InputError: a requested size is larger than the smallest class.
    """
    fewest = int(np.bincount(train.labels, minlength=len(train.class_names)).min())
    if sizes is None:
        return [size for size in REAL_PER_CLASS if size <= fewest] or [fewest]
    check_range("real_per_class", sizes[-1], 1, fewest, unit="images, the size of the smallest class")
    return sizes
