"""Figures that change with something -> curves as a picture: a run's losses, accuracies by the number of images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Sheet
from matplotlib.ticker import EngFormatter

from fashion_gan.files import written_whole
from fashion_gan.metrics.figures import Figure

WAY_COLOURS = ("#4c72b0", "#55a868", "#c44e52", "#8172b3")


def training_curve(log: dict[str, np.ndarray], path: Path) -> None:
    """Draw both losses, and what the discriminator thinks of real and generated images, against images seen.

    Args:
        log: ``Run.read_log()``: columns of equal length.
        path: a ``.png`` to write.
    """
    figure = _sheet(6)
    losses, opinions = figure.subplots(2, 1, sharex=True)
    images = log["images"]
    for axes, name, label, colour in (
        (losses, "d_loss", "discriminator", "#c44e52"),
        (losses, "g_loss", "generator", "#4c72b0"),
        (opinions, "d_real", "D(real)", "#55a868"),
        (opinions, "d_fake", "D(fake)", "#8172b3"),
    ):
        axes.plot(images, log[name], color=colour, alpha=0.25, linewidth=1)
        axes.plot(images, smoothed(log[name]), color=colour, label=label, linewidth=1.8)
    losses.set_ylabel("loss")
    opinions.set_ylabel("probability of being real")
    opinions.set_ylim(0, 1)
    opinions.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
    opinions.set_xlabel("training images seen")
    opinions.xaxis.set_major_formatter(EngFormatter())
    _finish(figure, path)


def accuracy_curve(real_per_class: Sequence[int], accuracies: Mapping[str, Sequence[Figure]], path: Path) -> None:
    """Draw what classifiers got right against how many real images there were, a line with its interval's band a way.

    Args:
        real_per_class: numbers of real images of each class, ascending.
        accuracies: for each way, by what the legend calls it, a figure for each of those numbers. The first four ways
            have colours of their own; the last one's line is dashed, for it does not depend on the real images.
        path: a ``.png`` to write.
    """
    figure = _sheet(5)
    axes = figure.subplots()
    last = len(accuracies) - 1
    for number, (name, figures) in enumerate(accuracies.items()):
        values = [100 * one.value for one in figures]
        bands = [one.interval or (one.value, one.value) for one in figures]
        lows, highs = ([100 * min(max(band[end], 0.0), 1.0) for band in bands] for end in (0, 1))
        colour, dashes = WAY_COLOURS[number % len(WAY_COLOURS)], "o--" if number == last else "o-"
        axes.plot(real_per_class, values, dashes, color=colour, markersize=4, linewidth=1.8, label=name)
        axes.fill_between(real_per_class, lows, highs, color=colour, alpha=0.12, linewidth=0)
        axes.vlines(real_per_class, lows, highs, color=colour, alpha=0.35, linewidth=1)
    axes.set_xscale("log")
    axes.set_xticks(real_per_class, [f"{count:,}" for count in real_per_class])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("real images of each class (logarithmic)")
    axes.set_ylabel("test images told right (%)")
    axes.set_title(
        "Bands: 95 % over seeds, each way by itself. Verdicts compare ways within a seed.", size=9, loc="left"
    )
    _finish(figure, path)


def _sheet(height_inches: float) -> Sheet:
    """An empty picture; its own canvas leaves the user's pyplot state, in a notebook say, alone."""
    figure = Sheet(figsize=(8, height_inches), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _finish(figure: Sheet, path: Path) -> None:
    for axes in figure.axes:
        axes.legend(loc="best", frameon=False)
        axes.grid(alpha=0.2)
        axes.spines[["top", "right"]].set_visible(False)
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png")


def smoothed(values: np.ndarray) -> np.ndarray:
    """A running mean over about a twentieth of the curve; shorter at its ends."""
    half = len(values) // 40
    return np.array([values[max(0, i - half) : i + half + 1].mean() for i in range(len(values))])
