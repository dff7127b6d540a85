"""What the notebooks show: grids of images, curves, bars, and a discriminator's field over a plane."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from fashion_gan.arrays import Floats, Images, Picture
from fashion_gan.errors import InputError, as_array
from fashion_gan.rendering.images import PADDING_LEVEL, TEXT_LEVEL, grid, names_column, png_bytes, to_uint8
from fashion_gan.rendering.plots import BLUE, CURVE_COLORS
from fashion_gan.rendering.tables import format_table
from fashion_gan.system.library_settings import matplotlib_defaults

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Panel: TypeAlias = Any
"""IPython's handle of an output. IPython is not always installed."""

GRID_PIXELS = 560  # Small images are enlarged to about this width.
MAX_SCALE = 4
MAX_FLOAT = 1.5  # Damaged images can leave [-1, 1] a little.
TITLE_HEIGHT = 26
INCHES, DOTS_PER_INCH = (6.4, 2.6), 80
FIELD_COLORS = ("#f7b98c", "#fbfbfa", "#8db8f5")
POINT_STYLES = (("#1a56b8", "+", 16), ("#b4470a", "o", 6), ("black", "o", 6))


def panel() -> Panel:
    """Show an empty output. ``show`` and ``curves`` replace its content, for example after each epoch."""
    from IPython.display import Markdown, display

    return display(Markdown("…"), display_id=True)


def show(
    images: object,
    columns: int | None = None,
    title: str = "",
    *,
    rows: Sequence[str] = (),
    panel: Panel = None,
) -> None:
    """Show a grid of images.

    Args:
        images: (N, H, W, C), (N, H, W) or one image (H, W): floats in [-1, 1] or uint8.
        columns: images in a row. None makes the grid about square.
        title: a line above the grid.
        rows: a name for each row, at its left.
        panel: from ``panel()``. Its content is replaced. None adds a new output.
    """
    pixels = as_pixels(images)
    columns = int(np.ceil(np.sqrt(len(pixels)))) if columns is None else columns
    scale = int(np.clip(round(GRID_PIXELS / (columns * pixels.shape[2])), 1, MAX_SCALE))
    picture = grid(pixels, columns, scale=scale)
    if rows:
        picture = np.concatenate([names_column(rows, len(picture), picture.shape[2]), picture], axis=1)
    _display(png_bytes(_with_title(picture, title)), title or "a grid of images", panel)


@matplotlib_defaults()
def curves(
    values: Mapping[str, npt.ArrayLike],
    *,
    x: npt.ArrayLike | None = None,
    xlabel: str = "step",
    ylabel: str = "",
    title: str = "",
    panel: Panel = None,
) -> None:
    """Show curves: the values in a light color, and their running mean in a full one if there are many.

    Args:
        values: the numbers of each curve, by its name in the legend.
        x: the position of each number. None: 0, 1, 2 and so on.
        xlabel, ylabel: the names of the axes.
        title: a line above the plot.
        panel: from ``panel()``. Its content is replaced. None adds a new output.
    """
    figure, axes = _figure(title)
    for number, (name, numbers) in enumerate(values.items()):
        heights: Floats = np.asarray(numbers, float)
        positions = np.arange(len(heights)) if x is None else np.asarray(x)
        color, half = CURVE_COLORS[number % len(CURVE_COLORS)], len(heights) // 40
        if half:
            axes.plot(positions, heights, color=color, alpha=0.25, linewidth=1)
        means = [heights[max(0, i - half) : i + half + 1].mean() for i in range(len(heights))]
        axes.plot(positions, means, color=color, label=name, linewidth=1.8)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.legend(frameon=False)
    _display_figure(figure, title or "curves", panel)


@matplotlib_defaults()
def bars(values: Mapping[str, float], *, xlabel: str = "", title: str = "", form: str = ",.4g") -> None:
    """Show a bar for each number, with the number at its end.

    Args:
        values: the numbers by their names.
        xlabel: the name of the axis.
        title: a line above the plot.
        form: the format of the numbers.
    """
    figure, axes = _figure(title, height=0.6 + 0.28 * len(values))
    drawn = axes.barh(list(values), list(values.values()), color=BLUE)
    axes.bar_label(drawn, [format(value, form) for value in values.values()], padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.grid(visible=False)
    axes.set(xlabel=xlabel)
    _display_figure(figure, title or "bars", None)


@matplotlib_defaults()
def field(
    function: Callable[[npt.NDArray[np.float32]], object],
    points: Mapping[str, npt.ArrayLike],
    *,
    limit: float = 3.0,
    title: str = "",
    panel: Panel = None,
) -> None:
    """Show a function of the plane as a heat map from 0 (orange) to 1 (blue), with points on it.

    The colors are those of the live page: blue is D's "from the data".

    Args:
        function: points (N, 2) -> values (N,) or (N, 1) in [0, 1], such as the probability of being real.
        points: points (M, 2) by their names in the legend. The first are the data, and blue.
        limit: both axes reach from -limit to limit.
        title: a line above the plot.
        panel: from ``panel()``. Its content is replaced. None adds a new output.
    """
    from matplotlib.colors import LinearSegmentedColormap

    side = np.linspace(-limit, limit, 80, dtype=np.float32)
    places = np.stack(np.meshgrid(side, side), axis=-1)
    values = as_array("values", function(places.reshape(-1, 2))).reshape(len(side), len(side))
    figure, axes = _figure(title, height=4.2)
    extent = (-limit, limit, -limit, limit)
    colors = LinearSegmentedColormap.from_list("answer", FIELD_COLORS)
    heat = axes.imshow(values, origin="lower", extent=extent, vmin=0, vmax=1, cmap=colors)
    figure.colorbar(heat, ax=axes)
    for (name, positions), (color, marker, size) in zip(points.items(), POINT_STYLES, strict=False):
        across, up = np.asarray(positions, float).T
        axes.scatter(across, up, s=size, color=color, marker=marker, linewidths=0.8, label=name)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit))
    axes.grid(visible=False)
    figure.legend(loc="outside right upper")
    _display_figure(figure, title or "a field", panel)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print an aligned table. All columns but the first and the last are aligned to the right.

    Args:
        heads: the headings.
        rows: the cells, as texts.
    """
    print(format_table([heads, *rows], "l" + "r" * (len(heads) - 2) + "l"))


def as_pixels(images: object) -> Images:
    """Turn images of any common form into uint8 (N, H, W, C). Floats are in [-1, 1]; NaN becomes black.

    Raises:
        InputError: they are no images.
    """
    array = as_array("images", images)
    if array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (1, 3) and array.shape[0] == array.shape[1]):
        array = array[np.newaxis]
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.ndim != 4 or array.dtype.kind not in "uf" or not array.size:
        raise InputError(f"images must be floats in [-1, 1] or uint8, (N, H, W, C), not {array.dtype} {array.shape}")
    if array.dtype.kind == "u":
        return array.astype(np.uint8)
    highest = abs(array[np.isfinite(array)]).max(initial=0)
    if highest > MAX_FLOAT:
        raise InputError(f"images as floats must be in [-1, 1], these reach to {highest:.4g}")
    return to_uint8(np.nan_to_num(array, nan=-1.0, posinf=1.0, neginf=-1.0))


def _with_title(picture: Picture, title: str) -> Picture:
    """The picture under a line of text on the padding's gray."""
    if not title:
        return picture
    font = ImageFont.load_default(size=14)
    width = max(picture.shape[1], int(font.getlength(title)) + 12)
    line = Image.new("L", (width, TITLE_HEIGHT), PADDING_LEVEL)
    ImageDraw.Draw(line).text((6, TITLE_HEIGHT / 2), title, fill=TEXT_LEVEL, font=font, anchor="lm")
    below = np.full((*picture.shape[:1], width, picture.shape[2]), PADDING_LEVEL, np.uint8)
    below[:, : picture.shape[1]] = picture
    return np.concatenate([np.asarray(line)[..., np.newaxis].repeat(picture.shape[2], axis=-1), below])


def _figure(title: str, height: float = INCHES[1]) -> tuple["Figure", "Axes"]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(INCHES[0], height), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(title, size=10, loc="left")
    axes.grid(alpha=0.2)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _display_figure(figure: "Figure", alt: str, panel: Panel) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png")
    _display(content.getvalue(), alt, panel)


def _display(png: bytes, alt: str, panel: Panel) -> None:
    from IPython.display import Image as Output
    from IPython.display import display

    output = Output(data=png, format="png", alt=alt)
    if panel is None:
        display(output)
    else:
        panel.update(output)
