"""A run's log -> its learning curves as a picture."""

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fashion_gan.files import written_whole


def training_curve(log: dict[str, np.ndarray], path: Path) -> None:
    """Draw both losses, and what the discriminator thinks of real and generated images, against images seen.

    Args:
        log: ``Run.read_log()``: columns of equal length.
        path: a ``.png`` to write.
    """
    # An own figure and canvas leave the user's pyplot state, in a notebook say, alone.
    figure = Figure(figsize=(8, 6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
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
    for axes in (losses, opinions):
        axes.legend(loc="best", frameon=False)
        axes.grid(alpha=0.2)
        axes.spines[["top", "right"]].set_visible(False)
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png")


def smoothed(values: np.ndarray) -> np.ndarray:
    """A running mean over about a twentieth of the curve; shorter at its ends."""
    half = len(values) // 40
    return np.array([values[max(0, i - half) : i + half + 1].mean() for i in range(len(values))])
