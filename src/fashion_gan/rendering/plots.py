"""Numbers -> curves as PNG files: the losses of a run, and accuracy by the number of real images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fashion_gan.arrays import Floats
from fashion_gan.system.atomic_files import atomic_file
from fashion_gan.system.library_settings import matplotlib_defaults

if TYPE_CHECKING:  # Matplotlib is imported inside of matplotlib_defaults, because the user's settings can fail it.
    from matplotlib.figure import Figure

BLUE, GREEN, RED, PURPLE = "#4c72b0", "#55a868", "#c44e52", "#8172b3"
CURVE_COLORS = (BLUE, GREEN, RED, PURPLE)


@matplotlib_defaults()
def training_curve(log: Mapping[str, Floats], path: Path) -> None:
    """Plot the losses, and the discriminator's mean output on real and on generated images, against images seen.

    Args:
        log: the columns of ``Run.read_log()``, all of one length.
        path: the ``.png`` file to write.
    """
    from matplotlib.ticker import EngFormatter

    figure = _figure(6)
    losses, probabilities = figure.subplots(2, 1, sharex=True)
    images = log["images"]
    for axes, name, label, color in (
        (losses, "d_loss", "discriminator", RED),
        (losses, "g_loss", "generator", BLUE),
        (probabilities, "d_real", "D(real)", GREEN),
        (probabilities, "d_fake", "D(fake)", PURPLE),
    ):
        axes.plot(images, log[name], color=color, alpha=0.25, linewidth=1)
        axes.plot(images, _smooth(log[name]), color=color, label=label, linewidth=1.8)
    losses.set_ylabel("loss")
    probabilities.set_ylabel("probability of being real")
    probabilities.set_ylim(0, 1)
    probabilities.axhline(0.5, color="gray", linewidth=0.8, linestyle=":")
    probabilities.set_xlabel("training images seen")
    probabilities.xaxis.set_major_formatter(EngFormatter())
    _save(figure, path)


@matplotlib_defaults()
def accuracy_curve(
    real_per_class: Sequence[int], curves: Mapping[str, Sequence[tuple[float, float, float]]], path: Path
) -> None:
    """Plot the accuracy of classifiers against the number of real images, with a band for each confidence interval.

    Args:
        real_per_class: numbers of real images of each class, ascending.
        curves: for each name in the legend, a (value, low, high) for each of these numbers, all in [0, 1]. Ends of an
            interval outside this range are clipped. The first four curves have different colors. The last one is
            dashed, because it does not depend on the real images.
        path: the ``.png`` file to write.
    """
    figure = _figure(5)
    axes = figure.subplots()
    last = len(curves) - 1
    for number, (name, points) in enumerate(curves.items()):
        values, lows, highs = 100 * np.array(points).T
        lows, highs = np.clip(lows, 0, 100), np.clip(highs, 0, 100)
        color, dashes = CURVE_COLORS[number % len(CURVE_COLORS)], "o--" if number == last else "o-"
        axes.plot(real_per_class, values, dashes, color=color, markersize=4, linewidth=1.8, label=name)
        axes.fill_between(real_per_class, lows, highs, color=color, alpha=0.12, linewidth=0)
        axes.vlines(real_per_class, lows, highs, color=color, alpha=0.35, linewidth=1)
    axes.set_xscale("log")
    axes.set_xticks(real_per_class, [f"{count:,}" for count in real_per_class])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("real images of each class (logarithmic)")
    axes.set_ylabel("accuracy on test images (%)")
    axes.set_title(
        "Bands: 95% confidence intervals over the seeds. Gains are measured within each seed,\n"
        "so they can be clear even where bands overlap.",
        size=9,
        loc="left",
    )
    _save(figure, path)


def _figure(height_inches: float) -> "Figure":
    """An empty figure with a canvas of its own. It leaves pyplot's state, for example in a notebook, unchanged."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, height_inches), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: "Figure", path: Path) -> None:
    for axes in figure.axes:
        axes.legend(loc="best", frameon=False)
        axes.grid(alpha=0.2)
        axes.spines[["top", "right"]].set_visible(False)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png")


def _smooth(values: Floats) -> Floats:
    """A running mean over about a twentieth of the curve. The window is shorter at the ends."""
    half = len(values) // 40
    return np.array([values[max(0, i - half) : i + half + 1].mean() for i in range(len(values))])
