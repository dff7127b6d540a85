"""What the user asks to be tried -> whether a generator's images help a classifier: figures, a plot, a verdict."""

import contextlib
import dataclasses
import importlib.metadata
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fashion_gan import launch
from fashion_gan.backends import check_backend, default_backend
from fashion_gan.datasets import CLASS_NAMES, Dataset, load_fashion_mnist
from fashion_gan.errors import InputError
from fashion_gan.files import folder_written_whole
from fashion_gan.generator import Generator
from fashion_gan.labelled import draw_labelled, image_shape
from fashion_gan.metrics.checks import IMAGE_SHAPE
from fashion_gan.metrics.teaching import BOTH, REAL, WAYS, shares_right
from fashion_gan.metrics.usefulness import Usefulness, points, usefulness
from fashion_gan.synthetic import about_model
from fashion_gan.version import __version__

FIGURES, PLOT = "augment-test.json", "accuracy.png"
SYNTHETIC_PER_CLASS = 500
SEEDS = 3
STEPS = 500

CAVEAT = (
    "The generator learnt from images of its own. So this says what it is worth to somebody who has it and few real "
    "images, and not what a generator trained on those few would be."
)

MOST_SYNTHETIC_PER_CLASS = 10_000
MOST_SEEDS = 100
MOST_STEPS = 100_000


@dataclasses.dataclass(frozen=True)
class AugmentTest:
    """Whether synthetic images help.

    Attributes:
        about: what it was measured with: the model, the numbers of images, the seeds, the steps of each training.
        sizes: what was found with each number of real images, in ascending order.
    """

    about: dict[str, Any]
    sizes: tuple[Usefulness, ...]

    def to_json(self) -> str:
        return json.dumps({**dataclasses.asdict(self), "ways": WAYS}, indent=2, ensure_ascii=False)


def augment_test(
    model: str | Path = "fashion",
    *,
    real_per_class: Sequence[int] = (10, 50, 200),
    synthetic_per_class: int = SYNTHETIC_PER_CLASS,
    seeds: int = SEEDS,
    steps: int = STEPS,
    truncation: float = 1.0,
    data: str | Path | None = None,
    out: str | Path | None = None,
    force: bool = False,
) -> AugmentTest:
    """Teach a classifier with real images, with synthetic ones beside them, and with either alone; try it on real ones.

    Args:
        model: as ``load_generator`` takes it; it must draw 28×28 grey images of Fashion-MNIST's classes.
        real_per_class: how many real training images there are of each class; one measurement for each number.
        synthetic_per_class: synthetic images of each class, from 1 to 10,000. With 500 of them a training of 500 steps
            sees each six times; more than it can see teach no more.
        seeds: how many times to draw images and train, from 2 to 100. An interval over 3 is wide; more make it narrow.
        steps: of 64 images, of every training alike, so that no way gets more computing: from 1 to 100,000.
        truncation: of the latents.
        data: folder of the four Fashion-MNIST files.
        out: the folder to write the figures and the plot to, whole or not at all; None writes none.
        force: replace a folder that is there, if figures of ours are all it holds.

    Returns:
        The figures and verdicts.

    Raises:
        InputError: a number out of range, a model that draws other images, data that are not there, a folder that may
            not be written, or no training framework.

    Example:
        >>> found = fashion_gan.augment_test(real_per_class=[10], seeds=5)
        >>> found.sizes[0].verdict
        'helps'
    """
    sizes = _checked_sizes(real_per_class)
    _check_number("synthetic_per_class", synthetic_per_class, 1, MOST_SYNTHETIC_PER_CLASS)
    _check_number("seeds", seeds, 2, MOST_SEEDS)
    _check_number("steps", steps, 1, MOST_STEPS)
    _check_framework()
    generator = _generator_of_clothes(model)
    generator.latents(1, truncation=truncation)  # Before the data are read in vain.
    train, test = (load_fashion_mnist(split, data) for split in ("train", "test"))
    _check_enough(train, sizes)

    def draw(seed: int) -> Dataset:
        drawn = draw_labelled(generator, synthetic_per_class, seed=seed, truncation=truncation)
        return Dataset(drawn.images, drawn.labels, CLASS_NAMES, str(model))

    about = {
        "fashion_gan": __version__,
        "framework": f"keras {importlib.metadata.version('keras')}, {default_backend()}",
        "model": about_model(model),
        "real_per_class": sizes,
        "synthetic_per_class": synthetic_per_class,
        "seeds": list(range(seeds)),
        "steps": steps,
        "truncation": truncation,
    }
    written = folder_written_whole(Path(out), (PLOT,), marker=FIGURES, force=force) if out else contextlib.nullcontext()
    with written as folder:
        shares = shares_right(train, test, draw, sizes, seeds, steps)
        found = AugmentTest(about, tuple(usefulness(size, shares[size], CLASS_NAMES) for size in sizes))
        if folder is not None:
            _write(found, folder)
    return found


def table(found: AugmentTest) -> str:
    """Accuracies and gains of every way, then the gains of each class, then the verdicts, as aligned lines."""
    lines = [f"{'real a class':<14}{'way':<27}{'accuracy':>9}  {'95 % interval':<17}gain over real only"]
    for size in found.sizes:
        for way, outcome in size.ways.items():
            low, high = outcome.accuracy.interval or (0.0, 1.0)
            interval = f"{max(low, 0):.1%} to {min(high, 1):.1%}"
            gain = "" if outcome.gain is None else points(outcome.gain)
            number = f"{size.real_per_class:,}" if way == REAL else ""
            lines.append(f"{number:<14}{WAYS[way]:<27}{outcome.accuracy.value:>9.1%}  {interval:<17}{gain}".rstrip())
    lines += ["", *_table_of_classes(found.sizes), ""]
    lines += [_wrapped(f"{size.real_per_class:,} real images a class: {size.words}") for size in found.sizes]
    return "\n".join([*lines, "", _wrapped(CAVEAT)])


def _wrapped(sentence: str) -> str:
    return textwrap.fill(sentence, 100, subsequent_indent="  ")


def _table_of_classes(sizes: Sequence[Usefulness]) -> list[str]:
    """By class, what synthetic images add to so many real ones."""
    lines = [f"{'gain of ' + WAYS[BOTH]:<28}" + "".join(f"{size.real_per_class:,} a class".ljust(34) for size in sizes)]
    for number, name in enumerate(CLASS_NAMES):
        gains = [size.by_class[name][BOTH].gain for size in sizes]
        lines.append(f"{number} {name:<26}" + "".join(points(gain).ljust(34) for gain in gains if gain is not None))
    return [line.rstrip() for line in lines]


def _write(found: AugmentTest, folder: Path) -> None:
    from fashion_gan import curves  # Which brings matplotlib.

    (folder / FIGURES).write_text(found.to_json() + "\n", encoding="utf-8")
    accuracies = {text: [size.ways[way].accuracy for size in found.sizes] for way, text in WAYS.items()}
    curves.accuracy_curve([size.real_per_class for size in found.sizes], accuracies, folder / PLOT)


def _checked_sizes(real_per_class: Sequence[int]) -> list[int]:
    sizes = list(real_per_class)
    for size in sizes:
        _check_number("real_per_class", size, 1)
    if not sizes or len(set(sizes)) < len(sizes):
        raise InputError(f"real_per_class={sizes} must be one number or more, each of them once")
    return sorted(sizes)


def _check_number(name: str, value: int, lowest: int, highest: int | None = None) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{name}={value!r} must be a whole number")
    if value < lowest or (highest is not None and value > highest):
        allowed = f"at least {lowest}" if highest is None else f"from {lowest} to {highest:,}"
        raise InputError(f"{name}={value} is out of range: it must be {allowed}")


def _check_framework() -> None:
    try:
        check_backend(default_backend())
    except InputError as error:
        raise InputError(f"augment-test trains classifiers and needs Keras: {error}") from error


def _generator_of_clothes(model: str | Path) -> Generator:
    generator = launch.load_generator(model)
    if generator.class_names != CLASS_NAMES or image_shape(generator) != IMAGE_SHAPE:
        raise InputError(f"{model} must draw 28×28 grey images of Fashion-MNIST's ten classes: it draws others")
    return generator


def _check_enough(train: Dataset, sizes: Sequence[int]) -> None:
    fewest = min(int((train.labels == label).sum()) for label in range(len(CLASS_NAMES)))
    if sizes[-1] > fewest:
        raise InputError(
            f"real_per_class={sizes[-1]} is out of range: it must be from 1 to {fewest:,}, as there are of each class"
        )
