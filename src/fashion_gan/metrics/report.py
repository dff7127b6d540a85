"""An evaluation -> a folder with a report: ``report.html``, which needs no other file, and ``metrics.json``."""

import base64
import math
from collections.abc import Sequence
from pathlib import Path

import jinja2
import numpy as np

from fashion_gan.arrays import Images, JsonObject, Labels, Picture
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.errors import InputError
from fashion_gan.metrics.comparison import METRICS_FILE
from fashion_gan.metrics.evaluate import AnyReference, Evaluation
from fashion_gan.metrics.features import extract
from fashion_gan.metrics.metric_info import METRICS, MetricInfo, MetricValue
from fashion_gan.metrics.pictures.reference import PictureReference
from fashion_gan.metrics.pictures.validation import HELD_OUT, TRAINING
from fashion_gan.metrics.validation import NAME as FASHION_MNIST_SCORE
from fashion_gan.rendering.images import contact_sheet, grid, on_white, png_bytes
from fashion_gan.system.atomic_files import atomic_file
from fashion_gan.version import __version__

PAGE = "report.html"
TEMPLATE = Path(__file__).with_name("report.html.jinja")
CURVES = {
    FASHION_MNIST_SCORE: "the Fréchet distance of 5,000 generated images to 5,000 held-out training images",
    HELD_OUT: "the Fréchet distance of 1,000 generated pictures to the held-out ones",
    TRAINING: "the Fréchet distance of 1,000 generated pictures to the training pictures",
}
"""The scores during training that the report shows as a curve, the most telling first."""
SAMPLES_PER_CLASS = 10
SEARCHED_IMAGES = 2000  # among which the first of each class are searched
SAMPLES_WITHOUT_CLASSES = 80
MAX_CLASSES = 50  # whose samples are shown
SHOWN_SIDE = 64  # pixels; small images are enlarged up to this size
MAX_SHOWN_SIDE = 128  # pixels; larger images are shown at a half, a third and so on
SCALE_WIDTH = 240  # pixels; the width of the scale that shows one metric
CURVE_WIDTH, CURVE_HEIGHT = 640, 200  # pixels
MARGIN = 8  # pixels
SIGMA_REACH = 4.0  # standard deviations; the scale of a z-score reaches at least this far to either side


def write_report(
    evaluation: Evaluation, reference: AnyReference, folder: Path, training_metrics: Sequence[JsonObject] = ()
) -> Path:
    """Write the page and ``metrics.json``.

    Args:
        evaluation: from ``measure``.
        reference: the real images, for the pictures of the nearest ones.
        folder: created if it does not exist. Files of the same names are replaced.
        training_metrics: the scores during training, for the curve: rows with "images" and a validation score.

    Returns:
        The path of the page.

    Raises:
        InputError: the folder cannot be written.
    """
    page = _page(evaluation, reference, training_metrics)
    make_folder(folder)
    try:
        for name, text in ((METRICS_FILE, evaluation.to_json()), (PAGE, page)):
            with atomic_file(folder / name) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"the report's folder {folder} cannot be written: {error.strerror}") from error
    return folder / PAGE


def make_folder(folder: Path) -> None:
    """Create a report's folder if it does not exist. Raises InputError if it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writing-test").touch()
        (folder / ".writing-test").unlink()
    except OSError as error:
        raise InputError(f"the report's folder {folder} cannot be written: {error.strerror}") from error


def _page(evaluation: Evaluation, reference: AnyReference, training_metrics: Sequence[JsonObject]) -> str:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        version=__version__,
        source=evaluation.source,
        fingerprint=evaluation.fingerprint,
        rows=[_row(name, metric) for name, metric in evaluation.metrics.items()],
        left_out=evaluation.left_out,
        classes=evaluation.details.get("classes"),
        within_classes=evaluation.details.get("within_classes"),
        reference=_about_reference(reference),
        protocols=evaluation.details.get("protocols"),
        samples=_data_url(_samples(evaluation, reference)),
        has_labels=evaluation.labels is not None,
        suspicious=_suspicious(evaluation, reference),
        curve=_curve(training_metrics),
        width=SCALE_WIDTH,
    )


def _row(name: str, metric: MetricValue) -> JsonObject:
    """One row of the table of metrics."""
    info = METRICS[name]
    return {
        "name": name,
        "title": info.title,
        "description": info.description,
        "direction": info.direction,
        "value": info.show(metric.value),
        "interval": None if metric.interval is None else info.show_interval(metric.interval),
        "deviation": None if metric.deviation is None else info.show_unsigned(metric.deviation),
        "real_baseline": None if metric.real_baseline is None else info.show(metric.real_baseline),
        "scale": _scale(info, metric),
    }


def _scale(info: MetricInfo, metric: MetricValue) -> dict[str, float | None]:
    """Positions of the value, its interval, its real baseline and the ideal: pixels from the left of the scale."""
    low, high = metric.interval or (metric.value, metric.value)
    baseline = metric.value if metric.real_baseline is None else metric.real_baseline
    if info.shown_as == "share" and info.best != "low":
        start, end = min(0.0, low, baseline), 1.0  # A share beyond chance can be negative.
    else:
        reach = max(abs(number) for number in (metric.value, low, high, baseline)) * 1.1 or 1.0
        widest = max(reach, SIGMA_REACH)  # A z-score of 1 or 2 must not look large.
        start, end = (-widest, widest) if info.shown_as == "sigma" else (min(0.0, low, baseline), reach)

    def position(number: float) -> float:
        return round(MARGIN + (number - start) / (end - start) * (SCALE_WIDTH - 2 * MARGIN), 1)

    return {
        "value": position(metric.value),
        "low": position(low),
        "high": position(high),
        "real_baseline": None if metric.real_baseline is None else position(metric.real_baseline),
        "ideal": position(info.best) if isinstance(info.best, float) else None,
    }


def _about_reference(reference: AnyReference) -> JsonObject:
    """What the images are compared with, for the page's sentences. Empty for Fashion-MNIST."""
    if not isinstance(reference, PictureReference):
        return {}
    return {
        "name": reference.train.source,
        "train": len(reference.train.images),
        "held_out": 0 if reference.held_out is None else len(reference.held_out.images),
        "features": reference.network.name,
    }


def _samples(evaluation: Evaluation, reference: AnyReference) -> Picture:
    """The first images of each requested class. If none was requested, the feature network's classes are used."""
    images = evaluation.images[:SEARCHED_IMAGES]
    if isinstance(reference, PictureReference):
        return _samples_of_any_kind(images, evaluation.labels, reference.class_names[:MAX_CLASSES])
    labels = extract(images).classes.astype(np.int32) if evaluation.labels is None else evaluation.labels[: len(images)]
    return contact_sheet(images, labels, CLASS_NAMES, per_class=SAMPLES_PER_CLASS)


def _samples_of_any_kind(images: Images, labels: Labels | None, class_names: Sequence[str]) -> Picture:
    """The first pictures of each class. Without classes, or if none of these is requested, a grid."""
    if labels is not None and labels[: len(images)].min() < len(class_names):
        by_class = [np.flatnonzero(labels[: len(images)] == label) for label in range(len(class_names))]
        chosen = np.concatenate([indices[:SAMPLES_PER_CLASS] for indices in by_class])
        shown = _small_on_white(images[chosen])
        return contact_sheet(shown, labels[chosen], class_names, per_class=SAMPLES_PER_CLASS)
    shown = _small_on_white(images[:SAMPLES_WITHOUT_CLASSES])
    return grid(shown, columns=SAMPLES_PER_CLASS, scale=_scale_of(shown))


def _suspicious(evaluation: Evaluation, reference: AnyReference) -> JsonObject | None:
    """The most suspicious images above their nearest training images and their nearest test images."""
    pairs = evaluation.details.get("suspicious")
    if pairs is None:
        return None
    rows = [evaluation.images[pairs["generated"]], reference.train.images[pairs["training"]]]
    unseen = reference.target if isinstance(reference, PictureReference) else reference.test
    distances = [[f"{distance:.2f}" for distance in pairs["distance_training"]]]
    if "test" in pairs:
        rows.append(unseen.images[pairs["test"]])
        distances.append([f"{distance:.2f}" for distance in pairs["distance_test"]])
    images = _small_on_white(np.concatenate(rows))
    sheet = grid(images, columns=len(rows[0]), scale=_scale_of(images))
    return {
        "picture": _data_url(sheet),
        "distances": [" and ".join(pair) for pair in zip(*distances, strict=True)],
        "has_unseen": "test" in pairs,
    }


def _small_on_white(images: Images) -> Images:
    """Images as the page shows them: on white, and with sides of at most 128 pixels, so that the page stays small."""
    factor = math.ceil(max(images.shape[1:3]) / MAX_SHOWN_SIDE)
    return np.stack([_shrunk(on_white(image[np.newaxis])[0], factor) for image in images])


def _shrunk(image: Picture, factor: int) -> Picture:
    """The mean of each square of factor × factor pixels. A rest at the edge is left out."""
    if factor == 1:
        return image
    height, width = (side // factor for side in image.shape[:2])
    squares = image[: height * factor, : width * factor].reshape(height, factor, width, factor, -1)
    return np.rint(squares.mean(axis=(1, 3))).astype(np.uint8)


def _scale_of(images: Images) -> int:
    """How many times small images are enlarged."""
    return max(1, SHOWN_SIDE // max(images.shape[1:3]))


def _curve(rows: Sequence[JsonObject]) -> JsonObject | None:
    """The logarithm of the validation distance against the number of images seen, as points of an SVG polyline."""
    name = next((name for name in CURVES if any(name in row for row in rows)), FASHION_MNIST_SCORE)
    points = [(row["images"], row[name]) for row in rows if row.get(name, 0) > 0]
    if len(points) < 2:
        return None
    last_images = max(images for images, _ in points)
    heights = [math.log(distance) for _, distance in points]
    low, high = min(heights), max(max(heights), min(heights) + 1e-9)
    positions = [
        (
            round(MARGIN + images / last_images * (CURVE_WIDTH - 2 * MARGIN), 1),
            round(MARGIN + (high - height) / (high - low) * (CURVE_HEIGHT - 2 * MARGIN), 1),
        )
        for (images, _), height in zip(points, heights, strict=True)
    ]
    best = min(range(len(points)), key=lambda index: points[index][1])
    return {
        "name": name,
        "description": CURVES[name],
        "width": CURVE_WIDTH,
        "height": CURVE_HEIGHT,
        "points": " ".join(f"{x},{y}" for x, y in positions),
        "best": positions[best],
        "best_value": f"{points[best][1]:.3f}",
        "best_images": f"{points[best][0]:,}",
        "first_value": f"{points[0][1]:.3f}",
        "last_value": f"{points[-1][1]:.3f}",
        "last_images": f"{last_images:,}",
    }


def _data_url(image: Picture) -> str:
    return "data:image/png;base64," + base64.b64encode(png_bytes(image)).decode()
