"""An evaluation -> a folder that a person can read: one page that needs nothing else, and ``metrics.json``."""

import base64
import io
import math
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import numpy.typing as npt
from PIL import Image

from fashion_gan import pictures
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.errors import InputError
from fashion_gan.files import written_whole
from fashion_gan.metrics.comparison import METRICS_FILE
from fashion_gan.metrics.evaluate import Evaluation
from fashion_gan.metrics.features import extract
from fashion_gan.metrics.figures import MEANINGS, Figure, Meaning
from fashion_gan.metrics.reference import Reference
from fashion_gan.version import __version__

PAGE = "report.html"
TEMPLATE = Path(__file__).with_name("report.html.jinja")
SAMPLES_PER_CLASS = 10
SCALE_WIDTH = 240  # pixels of a figure's scale
CURVE_WIDTH, CURVE_HEIGHT = 640, 200
MARGIN = 8
SIGMA_REACH = 4.0


def write_report(
    evaluation: Evaluation, reference: Reference, folder: Path, curve: list[dict[str, Any]] | None = None
) -> Path:
    """Write the page and the figures.

    Args:
        evaluation: from ``evaluate``.
        reference: the real side, for the pictures that generated ones are shown beside.
        folder: made where it is not there; files of the same names are replaced.
        curve: what was measured during training: rows with "images" and "ffd5k_validation".

    Returns:
        The page.

    Raises:
        InputError: the folder cannot be written.
    """
    page = _page(evaluation, reference, curve or [])
    make_folder(folder)
    try:
        for name, text in ((METRICS_FILE, evaluation.to_json()), (PAGE, page)):
            with written_whole(folder / name) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"the report's folder {folder} cannot be written: {error.strerror}") from error
    return folder / PAGE


def make_folder(folder: Path) -> None:
    """Make a report's folder, where it is not there. Raises InputError where nothing can be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writing-test").touch()
        (folder / ".writing-test").unlink()
    except OSError as error:
        raise InputError(f"the report's folder {folder} cannot be written: {error.strerror}") from error


def _page(evaluation: Evaluation, reference: Reference, curve: list[dict[str, Any]]) -> str:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        version=__version__,
        source=evaluation.source,
        fingerprint=evaluation.fingerprint,
        rows=[
            {
                "name": name,
                "title": MEANINGS[name].title,
                "text": MEANINGS[name].text,
                "best": _best(MEANINGS[name]),
                "value": MEANINGS[name].show(figure.value),
                "interval": None if figure.interval is None else MEANINGS[name].show_interval(figure.interval),
                "deviation": None if figure.deviation is None else MEANINGS[name].show(figure.deviation).lstrip("+"),
                "floor": None if figure.floor is None else MEANINGS[name].show(figure.floor),
                "scale": _scale(MEANINGS[name], figure),
            }
            for name, figure in evaluation.figures.items()
        ],
        left_out=evaluation.left_out,
        classes=evaluation.details.get("classes"),
        within_classes=evaluation.details.get("within_classes"),
        samples=_data_url(_samples(evaluation)),
        asked=evaluation.labels is not None,
        suspicious=_suspicious(evaluation, reference),
        curve=_curve(curve),
        width=SCALE_WIDTH,
    )


def _best(meaning: Meaning) -> str:
    if isinstance(meaning.best, str):
        return {"low": "lower is better", "high": "higher is better"}[meaning.best]
    return f"best near {meaning.show(meaning.best).lstrip('+')}"


def _scale(meaning: Meaning, figure: Figure) -> dict[str, float | None]:
    """Where to draw a figure, its interval, its floor and the ideal: pixels from the left of its scale."""
    low, high = figure.interval or (figure.value, figure.value)
    floor = figure.value if figure.floor is None else figure.floor
    if meaning.shown_as == "share" and meaning.best != "low":
        start, end = 0.0, 1.0
    else:
        reach = max(abs(number) for number in (figure.value, low, high, floor)) * 1.1 or 1.0
        widest = max(reach, SIGMA_REACH)  # So that a deviation or two look like nothing much.
        start, end = (-widest, widest) if meaning.shown_as == "sigma" else (min(0.0, low, floor), reach)

    def place(number: float) -> float:
        return round(MARGIN + (number - start) / (end - start) * (SCALE_WIDTH - 2 * MARGIN), 1)

    ideal = meaning.best if isinstance(meaning.best, float) else None
    return {
        "value": place(figure.value),
        "low": place(low),
        "high": place(high),
        "floor": None if figure.floor is None else place(figure.floor),
        "ideal": None if ideal is None else place(ideal),
    }


def _samples(evaluation: Evaluation) -> npt.NDArray[np.uint8]:
    """The first images of each class: of the class asked for, or else of the class that the classifier sees."""
    images = evaluation.images[:2000]
    labels = extract(images).classes if evaluation.labels is None else evaluation.labels[: len(images)]
    return pictures.contact_sheet(images, labels, CLASS_NAMES, per_class=SAMPLES_PER_CLASS)


def _suspicious(evaluation: Evaluation, reference: Reference) -> dict[str, Any] | None:
    """The most suspicious images over their nearest training and their nearest test images."""
    pairs = evaluation.details.get("suspicious")
    if pairs is None:
        return None
    rows = (
        evaluation.images[pairs["generated"]],
        reference.train.images[pairs["training"]],
        reference.test.images[pairs["test"]],
    )
    columns = len(rows[0])
    sheet = pictures.grid(np.concatenate(rows), columns=columns, scale=2)
    distances = list(zip(pairs["distance_training"], pairs["distance_test"], strict=True))
    return {"picture": _data_url(sheet), "distances": [(f"{one:.2f}", f"{other:.2f}") for one, other in distances]}


def _curve(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The validation distance against the images seen, on logarithmic heights: points of an SVG polyline."""
    points = [(row["images"], row["ffd5k_validation"]) for row in rows if row.get("ffd5k_validation", 0) > 0]
    if len(points) < 2:
        return None
    most = max(images for images, _ in points)
    heights = [math.log(value) for _, value in points]
    low, high = min(heights), max(max(heights), min(heights) + 1e-9)
    placed = [
        (
            round(MARGIN + images / most * (CURVE_WIDTH - 2 * MARGIN), 1),
            round(MARGIN + (high - height) / (high - low) * (CURVE_HEIGHT - 2 * MARGIN), 1),
        )
        for (images, _), height in zip(points, heights, strict=True)
    ]
    best = min(range(len(points)), key=lambda index: points[index][1])
    return {
        "width": CURVE_WIDTH,
        "height": CURVE_HEIGHT,
        "points": " ".join(f"{x},{y}" for x, y in placed),
        "best": placed[best],
        "best_value": f"{points[best][1]:.3f}",
        "best_images": f"{points[best][0]:,}",
        "first_value": f"{points[0][1]:.3f}",
        "last_value": f"{points[-1][1]:.3f}",
        "most": f"{most:,}",
    }


def _data_url(image: npt.NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0]).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
