"""Refine latents until a generator draws given pictures: a Levenberg-Marquardt search that only draws.

Each round measures the Jacobian by one drawing for each number of the latent. The trials after it correct the Jacobian
by what they draw, instead of measuring it again (Broyden 1965, doi:10.1090/S0025-5718-1965-0198670-6).

Source: Levenberg 1944; Marquardt 1963, doi:10.1137/0111030. A search for the latents of a picture: Zhu et al. 2016,
arXiv:1609.03552.
"""

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Array, FloatImages, Floats, Images, Labels, Latents, Shape
from fashion_gan.errors import InputError, as_array
from fashion_gan.latents import draw_latents

Draw: TypeAlias = Callable[[Latents, Labels | None], FloatImages]
"""Latents (N, latent_dim) and labels (N,) -> images (N, H, W, C) in [-1, 1]."""

ROUNDS = 3
MAX_ROUNDS = 100
MAX_PICTURES = 10_000
START_IMAGES = 2000  # that are drawn to find a start without an encoder
BATCH_SIZE = 250  # of these
TRIALS = 6  # steps after each measured Jacobian
DIFFERENCE = 0.05  # of one number of the latent, for the Jacobian
JUMP = 8.0  # times the median change: the picture moved by a whole pixel, which no derivative describes
LENGTH_WEIGHT = 0.01  # of the latent's squared length, compared with the sum of squared differences of the pixels
DAMPING = 3.0  # of the first step
DAMPING_RANGE = (1e-3, 1e4)
EASED, RAISED = 1 / 3, 4.0  # factors of the damping after a good and a bad step
MAX_JACOBIAN_BYTES = 1 << 27  # of the pictures that are refined together


@dataclasses.dataclass(frozen=True, eq=False)
class Projection:
    """What ``Generator.project`` found.

    Attributes:
        latents: float32 (N, latent_dim).
        labels: int32 (N,), the class of each picture. None if the generator is unconditional.
        images: the pictures that the generator draws from them, uint8 (N, H, W, C).
        errors: the root mean square difference to the given pictures, in gray levels from 0 to 255, float64 (N,).
    """

    latents: Latents
    labels: Labels | None
    images: Images
    errors: Floats


def check_pictures(images: npt.ArrayLike, shape: Shape) -> Images:
    """Check pictures that are projected, and return them as uint8 (N, H, W, C).

    Raises:
        InputError: they are no pictures of this shape, or there are too many.
    """
    array = as_array("images", images)
    if array.ndim == 3 and shape[-1] == 1:
        array = array[..., np.newaxis]
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1:] != shape or not len(array):
        expected = ", ".join(map(str, shape))
        raise InputError(f"images must be uint8 (N, {expected}), got {array.dtype} {array.shape}")
    if len(array) > MAX_PICTURES:
        raise InputError(f"at most {MAX_PICTURES:,} pictures are projected at once, got {len(array):,}")
    return array


def nearest_drawn(
    decode: Callable[..., FloatImages], targets: FloatImages, latent_dim: int, classes: int, labels: Labels | None
) -> tuple[Latents, Labels | None]:
    """For each picture, the latent and the class of the nearest of 2,000 drawn images.

    Args:
        decode: ``Generator.decode``.
        targets: the pictures, (N, H, W, C) in [-1, 1].
        latent_dim: the length of a latent.
        classes: the number of classes. 0 if the generator is unconditional.
        labels: the class that each picture must have. None: any.
    """
    latents = draw_latents(START_IMAGES, latent_dim, seed=0)
    numbers = np.arange(START_IMAGES, dtype=np.int32) % max(classes, 1)
    flat = targets.reshape(len(targets), -1)
    nearest, least = np.zeros(len(targets), np.int64), np.full(len(targets), np.inf)
    for start in range(0, START_IMAGES, BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        drawn = decode(latents[part], numbers[part] if classes else None, as_float=True).reshape(BATCH_SIZE, -1)
        squares = (drawn**2).sum(axis=1) - 2 * flat @ drawn.T  # The pictures' own squares are the same for all.
        if labels is not None:
            squares[labels[:, np.newaxis] != numbers[part]] = np.inf
        best = squares.argmin(axis=1)
        values = squares[np.arange(len(flat)), best]
        nearest, least = np.where(values < least, start + best, nearest), np.minimum(values, least)
    return latents[nearest], numbers[nearest] if classes else None


def refine(draw: Draw, targets: FloatImages, latents: Latents, labels: Labels | None, rounds: int) -> Latents:
    """Move latents so that the generator draws given pictures.

    Args:
        draw: the generator.
        targets: the pictures, (N, H, W, C) in [-1, 1].
        latents: where the search starts, (N, latent_dim).
        labels: the class of each picture. None if the generator is unconditional.
        rounds: how often the Jacobian is measured. Each round draws about latent_dim pictures for each picture.

    Returns:
        float32 (N, latent_dim). No picture is drawn worse than from the start, but for the weight of the length.
    """
    if rounds == 0:
        return latents
    bytes_per_picture = 4 * latents.shape[1] * targets[0].size
    together = max(1, MAX_JACOBIAN_BYTES // bytes_per_picture)
    parts = []
    for start in range(0, len(latents), together):
        part = slice(start, start + together)
        search = _Search(draw, targets[part], latents[part], None if labels is None else labels[part])
        for _ in range(rounds):
            search.measure_jacobian()
            for _ in range(TRIALS):
                search.step()
        parts.append(search.latents)
    return np.concatenate(parts)


def mean_squares(images: FloatImages, targets: FloatImages) -> Floats:
    """The mean squared difference of each pair of pictures, (N,)."""
    differences = (images - targets).reshape(len(images), -1)
    return np.asarray((differences**2).mean(axis=1), np.float64)


class _Search:
    """The state of a search for the latents of N pictures of P values each.

    Attributes:
        latents: the best so far, (N, latent_dim).
    """

    def __init__(self, draw: Draw, targets: FloatImages, latents: Latents, labels: Labels | None) -> None:
        self._draw_images, self._labels = draw, labels
        self._targets = targets.reshape(len(targets), -1)
        self.latents = latents
        self._pixels = self._draw(latents)
        self._costs = self._cost(latents, self._pixels)
        self._damping: Array = np.full(len(latents), DAMPING, np.float32)
        self._jacobian: Array = np.empty(0, np.float32)  # (N, latent_dim, P)

    def measure_jacobian(self) -> None:
        """Measure how the pixels change with each number of the latents."""
        count, dim = self.latents.shape
        moved = self.latents[:, np.newaxis] + DIFFERENCE * np.eye(dim, dtype=np.float32)
        changes = self._draw(moved.reshape(-1, dim), repeats=dim).reshape(count, dim, -1)
        changes -= self._pixels[:, np.newaxis]
        sizes = np.sqrt((changes**2).sum(axis=2, keepdims=True))
        changes[(sizes > JUMP * np.median(sizes, axis=1, keepdims=True))[..., 0]] = 0
        self._jacobian = changes / DIFFERENCE

    def step(self) -> None:
        """Try a step for each picture, keep it if it is better, and learn from it."""
        steps = self._steps()
        latents = self.latents + steps
        pixels = self._draw(latents)
        costs = self._cost(latents, pixels)
        self._correct_jacobian(steps, pixels - self._pixels)
        better = costs < self._costs
        self._damping = np.clip(self._damping * np.where(better, EASED, RAISED).astype(np.float32), *DAMPING_RANGE)
        self.latents = np.where(better[:, np.newaxis], latents, self.latents)
        self._pixels = np.where(better[:, np.newaxis], pixels, self._pixels)
        self._costs = np.where(better, costs, self._costs)

    def _steps(self) -> Latents:
        """The step of each picture: (J Jᵀ + (damping + weight) I)⁻¹ (−J differences − weight · latent)."""
        differences = (self._pixels - self._targets)[..., np.newaxis]
        products = self._jacobian @ self._jacobian.transpose(0, 2, 1)
        diagonal = (self._damping + LENGTH_WEIGHT)[:, np.newaxis, np.newaxis]
        slopes = self._jacobian @ differences + LENGTH_WEIGHT * self.latents[..., np.newaxis]
        steps: Latents = np.linalg.solve(products + diagonal * np.eye(products.shape[1], dtype=np.float32), -slopes)
        return steps[..., 0]

    def _correct_jacobian(self, steps: Latents, changes: Array) -> None:
        """Broyden's update: the smallest change of the Jacobian that predicts what the step changed."""
        sizes = (steps**2).sum(axis=1)[:, np.newaxis]
        expected = (steps[:, np.newaxis] @ self._jacobian)[:, 0]
        corrections = (changes - expected) / np.maximum(sizes, np.finfo(np.float32).tiny)
        self._jacobian += steps[..., np.newaxis] * corrections[:, np.newaxis]

    def _draw(self, latents: Latents, repeats: int = 1) -> Array:
        labels = None if self._labels is None else np.repeat(self._labels, repeats)
        return self._draw_images(latents, labels).reshape(len(latents), -1)

    def _cost(self, latents: Latents, pixels: Array) -> Array:
        return ((pixels - self._targets) ** 2).sum(axis=1) + LENGTH_WEIGHT * (latents**2).sum(axis=1)
