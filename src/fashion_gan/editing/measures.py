"""What a direction changes: measures of pictures, and the rule that names a direction after its largest change."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from fashion_gan.arrays import Array, Floats, Images

BACKGROUND_DIFFERENCE = 25  # levels by which a pixel of the object differs from the border, at least
LEAST_CHANGE = 0.5  # standard deviations within a class, that the measure of a name changes at least
LEAST_PREFERENCE = 1.0  # the same for what a classifier prefers, because it answers to other changes, too
PREFERENCES = ("sleeves", "shaft")
LEAST_AGREEMENT = 2 / 3  # the share of changed pictures in which the measure changes that way, at least


NAMES = {
    "brightness": "brighter",
    "contrast": "more contrast",
    "detail": "more pattern",
    "width": "wider",
    "height": "taller",
    "area": "fuller",
    "warmth": "warmer",
    "sleeves": "longer sleeves",
    "shaft": "higher shaft",
}
"""The name of a direction that raises a measure."""


def pixel_measures(images: Images) -> dict[str, Floats]:
    """Measures that need no classifier.

    The object is where a picture differs from the median of its border.

    Args:
        images: uint8 (N, H, W, C).

    Returns:
        brightness and contrast: mean and standard deviation of the object's levels. detail: the mean difference between
        neighbors inside of it. width and height: those of the box around it, in pixels. area: its share of the box.
        warmth, of pictures in color: red minus blue.
    """
    pixels = images.astype(np.float64)
    colors = pixels[..., :3] if images.shape[-1] >= 3 else pixels
    border = np.concatenate([pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], axis=1)
    background = np.median(border, axis=1)[:, np.newaxis, np.newaxis]
    inside = np.abs(pixels - background).max(axis=-1) >= BACKGROUND_DIFFERENCE
    count = np.maximum(inside.sum(axis=(1, 2)), 1)
    levels = colors.mean(axis=-1)
    brightness = (levels * inside).sum(axis=(1, 2)) / count
    squares = ((levels - brightness[:, np.newaxis, np.newaxis]) ** 2 * inside).sum(axis=(1, 2)) / count
    width, height = (_extent(inside.any(axis=axis)) for axis in (1, 2))
    measures = {
        "brightness": brightness,
        "contrast": np.sqrt(squares),
        "detail": _detail(levels, inside),
        "width": width,
        "height": height,
        "area": inside.sum(axis=(1, 2)) / np.maximum(width * height, 1),
    }
    if colors.shape[-1] == 3:
        measures["warmth"] = ((colors[..., 0] - colors[..., 2]) * inside).sum(axis=(1, 2)) / count
    return measures


def _detail(levels: Floats, inside: Array) -> Floats:
    """The mean absolute difference of neighboring pixels that both belong to the object, (N, H, W) -> (N,)."""
    total, count = np.zeros(len(levels)), np.zeros(len(levels))
    for axis in (1, 2):
        both = np.take(inside, range(1, inside.shape[axis]), axis) & np.take(
            inside, range(inside.shape[axis] - 1), axis
        )
        total += (np.abs(np.diff(levels, axis=axis)) * both).sum(axis=(1, 2))
        count += both.sum(axis=(1, 2))
    return total / np.maximum(count, 1)


def _extent(occupied: Array) -> Floats:
    """The distance from the first to the last occupied row or column, (N, length) -> (N,)."""
    first = occupied.argmax(axis=1)
    last = occupied.shape[1] - 1 - occupied[:, ::-1].argmax(axis=1)
    return np.where(occupied.any(axis=1), last - first + 1, 0).astype(np.float64)


@dataclasses.dataclass(frozen=True)
class Change:
    """How a direction changes a measure.

    Attributes:
        mean: the mean change, in standard deviations of the measure among pictures of one class.
        agreement: of the pictures whose measure changes, the share that changes as the mean does.
    """

    mean: float
    agreement: float


def compare(before: Floats, after: Floats, labels: Array, plain: Floats) -> Change:
    """Compare a measure at both ends of a direction.

    Args:
        before, after: the measure of each picture at the negative and at the positive end, (N,). NaN counts nowhere.
        labels: the class of each picture, (N,).
        plain: the measure of pictures that are not moved, (N,), with the same classes.
    """
    usable = np.isfinite(before) & np.isfinite(after) & np.isfinite(plain)
    if not usable.any():
        return Change(0.0, 0.0)
    variances = [plain[usable & (labels == label)].var() for label in np.unique(labels[usable])]
    deviation = float(np.sqrt(np.mean(variances)))
    differences = (after - before)[usable]
    mean = float(differences.mean())
    if deviation == 0 or mean == 0:
        return Change(0.0, 0.0)
    return Change(mean / deviation, float((np.sign(differences[differences != 0]) == np.sign(mean)).mean()))


def name_directions(changes: Sequence[Mapping[str, Change]]) -> list[tuple[str, int]]:
    """Name each direction after the measure that it changes most, and turn it so that the measure rises.

    A name needs a mean change of 0.5 standard deviations, or 1 for what a classifier prefers, and two thirds of the
    changed pictures that agree. A second direction with the same measure gets a number: "wider 2". One that nothing
    explains is called by its own number.

    Args:
        changes: of each direction, the change of each measure.

    Returns:
        For each direction its name, and 1, or -1 if the direction must be turned around.
    """
    names, taken = [], dict.fromkeys(NAMES, 0)
    for number, row in enumerate(changes, 1):
        explained = {
            measure: change.mean
            for measure, change in row.items()
            if abs(change.mean) >= (LEAST_PREFERENCE if measure in PREFERENCES else LEAST_CHANGE)
            and change.agreement >= LEAST_AGREEMENT
        }
        if not explained:
            names.append((f"direction {number}", 1))
            continue
        measure = max(explained, key=lambda key: abs(explained[key]))
        taken[measure] += 1
        suffix = f" {taken[measure]}" if taken[measure] > 1 else ""
        names.append((NAMES[measure] + suffix, 1 if explained[measure] > 0 else -1))
    return names
