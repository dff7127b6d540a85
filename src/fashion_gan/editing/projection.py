"""Find the latents from which a generator draws given pictures: gradient descent, by ONNX Runtime alone.

Each depth of the network has its own latent, as in Image2StyleGAN (Abdal et al. 2019, arXiv:1904.03189), because one
latent for all depths cannot draw most pictures. The descent moves along the principal directions of each depth, so that
Adam's step for each number suits it. The length of the latents has a cost: far away, the generator has not learned to
draw, and edits go wrong (Tov et al. 2021, arXiv:2102.02766).
"""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Array, FloatImages, Floats, Images, Labels, Latents, Shape
from fashion_gan.editing.depths import DepthNetwork
from fashion_gan.editing.directions import principal_directions
from fashion_gan.editing.encoder import Encoder
from fashion_gan.errors import InputError, as_array
from fashion_gan.latents import draw_latents

MAX_STEPS = 10_000
MAX_PICTURES = 10_000
PICTURES_TOGETHER = 16  # in a thread, so that the layers' outputs fit in a core's cache
START_IMAGES = 2000  # that are drawn to find a start without an encoder
BATCH_SIZE = 250  # of these

LEARNING_RATE = 0.1
WARM_UP_STEPS = 5
MOMENTUM, SQUARES_MOMENTUM = 0.8, 0.95  # Adam's β₁ and β₂: small, because the descent is short
EPSILON = 1e-8
LENGTH_WEIGHT = 0.002  # of the squared length of the latents, compared with the squared differences of the pixels


@dataclasses.dataclass(frozen=True, eq=False)
class Projection:
    """What ``Generator.project`` found.

    Attributes:
        latents: float32 (N, depths, latent_dim), or (N, latent_dim) if the generator has one depth. ``decode`` and
            ``edit`` take both.
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


def find_start(
    encoder: Encoder | None,
    decode: Callable[..., Array],
    targets: FloatImages,
    sizes: tuple[int, int],
    labels: Labels | None,
) -> tuple[Latents, Labels | None]:
    """Latents and classes from which a search starts: the encoder's, or those of the nearest of 2,000 drawn images.

    Args:
        encoder: the generator's encoder. None if it has none.
        decode: ``Generator.decode``.
        targets: the pictures, (N, H, W, C) in [-1, 1].
        sizes: the length of a latent; and the number of classes, 0 if the generator is unconditional.
        labels: the class that each picture must have. None: any.

    Returns:
        The latents (N, latent_dim); and the classes (N,), or None if the generator is unconditional.
    """
    if encoder is not None:
        latents, found = encoder.encode(targets)
        return latents, found if labels is None else labels
    latent_dim, classes = sizes
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


def descend(
    network: DepthNetwork, targets: FloatImages, latents: Latents, weights: Floats | None, steps: int
) -> Latents:
    """Move latents so that the generator draws given pictures, by Adam, with a learning rate that falls to zero.

    Args:
        network: the generator.
        targets: the pictures, (N, H, W, C) in [-1, 1].
        latents: where the descent starts, (N, latent_dim).
        weights: the share of each class (N, depth, classes). None if the generator is unconditional.
        steps: number of steps. 0 returns the start.

    Returns:
        For each picture the latents of the step that drew it best, float32 (N, depth, latent_dim).

    Source: Kingma & Ba 2015, arXiv:1412.6980 (Adam).
    """
    directions = _principal_axes(network)
    moved = np.repeat(latents[:, np.newaxis], network.depth, axis=1)
    best, least = moved, np.full(len(latents), np.inf)
    coordinates: Array = _along(moved, directions)
    slopes: Array = np.zeros_like(coordinates)
    squares: Array = np.zeros_like(coordinates)
    for step in range(steps):
        images, gradients = network.gradients(moved, weights, targets)
        errors = mean_squares(images, targets)
        better = errors < least
        best, least = np.where(better[:, np.newaxis, np.newaxis], moved, best), np.minimum(errors, least)
        gradient = _along(gradients, directions) + LENGTH_WEIGHT * coordinates
        slopes = MOMENTUM * slopes + (1 - MOMENTUM) * gradient
        squares = SQUARES_MOMENTUM * squares + (1 - SQUARES_MOMENTUM) * gradient**2
        slope, square = slopes / (1 - MOMENTUM ** (step + 1)), squares / (1 - SQUARES_MOMENTUM ** (step + 1))
        coordinates = coordinates - _learning_rate(step, steps) * slope / (np.sqrt(square) + EPSILON)
        moved = _along(coordinates, directions.transpose(0, 2, 1))
    last_errors = mean_squares(network.draw(moved, weights), targets)
    found: Latents = np.where((last_errors < least)[:, np.newaxis, np.newaxis], moved, best)
    return found


def mean_squares(images: FloatImages, targets: FloatImages) -> Floats:
    """The mean squared difference of each pair of pictures, (N,)."""
    differences = (images - targets).reshape(len(images), -1)
    return np.asarray((differences**2).mean(axis=1), np.float64)


def _learning_rate(step: int, steps: int) -> np.float32:
    """It rises for five steps, and falls by half a cosine."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    return np.float32(LEARNING_RATE * warm_up * (0.5 + 0.5 * np.cos(np.pi * step / steps)))


def _along(latents: Latents, directions: Latents) -> Latents:
    """The coordinates of latents (N, depth, latent_dim) along the directions of each depth, in their rows."""
    coordinates: Latents = np.einsum("ndi,dji->ndj", latents, directions, optimize=True)
    return coordinates


@functools.lru_cache(maxsize=8)
def _principal_axes(network: DepthNetwork) -> Latents:
    """A rotation for each depth: the directions that change its layers most, (depth, latent_dim, latent_dim)."""
    dim = network.latent_dim
    responses = network.responses(np.eye(1 + dim, dim, -1, dtype=np.float32), label=0)
    return np.stack([principal_directions(layers, dim, scaled=False) for layers in responses])
