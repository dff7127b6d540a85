"""Checks of chapter 3, the data."""

import numpy as np

from fashion_gan.arrays import Array
from fashion_gan.course.checks.core import array, call, exercise, require


@exercise(
    "all 256 levels survive the way to [-1, 1] and back.",
    "Solve y = x / 127.5 - 1 for x, round with np.rint, limit with np.clip, and end with .astype(np.uint8).",
)
def to_pixels(function: object) -> None:
    """A function: floats in [-1, 1] -> uint8."""
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    images = levels.astype(np.float32) / 127.5 - 1
    pixels = array(call(function, images.copy()), images.shape)
    require(
        pixels.dtype == np.uint8, f"the result has the type {pixels.dtype}, not uint8", "End with .astype(np.uint8)."
    )
    wrong = np.flatnonzero(pixels.reshape(-1) != levels.reshape(-1))
    if len(wrong):
        level = int(wrong[-1])
        problem = f"{len(wrong)} of 256 levels change, for example {level} becomes {pixels.reshape(-1)[level]}"
        off_by_one = abs(pixels.astype(int) - levels.astype(int)).max() == 1
        require(False, problem, "Round with np.rint: astype only cuts the decimals off." if off_by_one else None)
    beyond = array(call(function, np.array([[-1.2, 1.2]], np.float32)))
    shown = beyond.reshape(-1).tolist()
    require(shown == [0, 255], f"-1.2 and 1.2 become {shown}, not [0, 255]", "np.clip(values, 0, 255) before astype.")


@exercise(
    "ten counts, also for missing classes.",
    "np.bincount counts. Its argument minlength makes the result long enough.",
)
def class_counts(function: object) -> None:
    """A function: labels (N,) -> the number of each class (10,)."""
    labels = np.array([3, 3, 0, 8, 3, 0], np.int32)
    counts = array(call(function, labels.copy())).reshape(-1)
    require(len(counts) == 10, f"the labels {labels.tolist()} give {len(counts)} counts, not 10", "Set minlength=10.")
    right = [int((labels == number).sum()) for number in range(10)]
    require(counts.tolist() == right, f"the labels {labels.tolist()} give {counts.tolist()}, not {right}")


@exercise(
    "the distance sees a shift, a spread, and both.",
    "Square the difference of the means, square the difference of the standard deviations, and add.",
)
def frechet_1d(function: object) -> None:
    """A function: two arrays -> their Fréchet distance."""
    numbers = np.random.default_rng(0).normal(size=200)
    _same(function, numbers, numbers, 0.0, "a set and itself")
    _same(function, numbers, numbers + 3, 9.0, "a set and the same set plus 3", "The means differ by 3: 3² is 9.")
    centered = numbers - numbers.mean()
    spread = float(centered.std())
    _same(function, centered, 3 * centered, (2 * spread) ** 2, "a set and three times the set", "Do you use .std()?")
    both = 16 + (spread - 2 * spread) ** 2
    _same(function, centered, 2 * centered + 4, both, "a set that is moved and spread", "Add the two squares.")


def _same(function: object, first: Array, second: Array, right: float, what: str, hint: str | None = None) -> None:
    value = float(array(call(function, first.copy(), second.copy()), ()))
    # A standard deviation with the divisor N - 1 is right too.
    require(abs(value - right) <= 0.02 * right + 1e-9, f"{what} have the distance {value:.4g}, not {right:.4g}", hint)
