"""Latent vectors: drawing them from a Gaussian, and moving between them on a sphere.

Gaussian vectors in many dimensions all have nearly the same length, so latents lie near a sphere. Paths between two
latents follow this sphere. A straight line leaves it, and a generator has learned nothing there (White 2016,
arXiv:1609.04468).
"""

import secrets
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Array, Floats, Indices, Latents
from fashion_gan.errors import InputError, as_array, check_range, check_whole_number, show

MAX_TRUNCATION = 1.5
MAX_FRAMES = 1000
FRESH_SEED_BITS = 31  # of a seed that is drawn: as many as a run's seed may have
MAX_SEED_BITS = 128


def draw_latents(count: int, latent_dim: int, seed: int | None, truncation: float = 1.0) -> Latents:
    """Draw Gaussian latents. A seed gives the same latents on every machine and backend.

    Args:
        count: number of latents, at least 1.
        latent_dim: length of each latent.
        seed: at least 0. None draws other latents at each call.
        truncation: standard deviation of the latents, above 0 and at most 1.5. Generators are trained with 1. A smaller
            value gives more typical and less varied images, a larger value the opposite.

    Returns:
        float32 (count, latent_dim).

    Raises:
        InputError: the seed or the truncation is out of range.

    Example:
        >>> draw_latents(64, 100, seed=3).shape
        (64, 100)
    """
    return latent_stream(latent_dim, seed, truncation)(count)


def draw_inputs(count: int, latent_dim: int, classes: int) -> list[Array]:
    """Draw a network's inputs: latents of seed 0 and, if there are classes, int32 labels that cycle through them."""
    latents = draw_latents(count, latent_dim, seed=0)
    return [latents, np.arange(count, dtype=np.int32) % classes] if classes else [latents]


def latent_stream(latent_dim: int, seed: int | None, truncation: float = 1.0) -> Callable[[int], Latents]:
    """Return a function that draws the next latents, (count, latent_dim), at each call.

    Joined, its batches equal the result of one call of ``draw_latents`` with the same seed.

    Raises:
        InputError: the seed or the truncation is out of range.
    """
    scale = np.float32(check_range("truncation", truncation, 0, MAX_TRUNCATION, open_low=True))
    random = np.random.default_rng(check_seed(seed))
    return lambda count: random.standard_normal((count, latent_dim), dtype=np.float32) * scale


def numbered_latents(
    numbers: Indices, latent_dim: int, seed: int, truncation: float = 1.0, *, draws: Indices | None = None
) -> Latents:
    """Draw the Gaussian latents of numbered images. Each depends on the seed, its number and its draw only.

    So any part of a data set can be drawn by itself. Philox is a block cipher that encrypts a counter: the seed is its
    key, and the number and the draw are parts of the counter.

    Args:
        numbers: the numbers of the images, from 0 to 2⁶³ − 1: (N,).
        latent_dim: length of each latent.
        seed: at least 0, and below 2¹²⁸.
        truncation: standard deviation of the latents, above 0 and at most 1.5.
        draws: how often each image was drawn before: (N,). None: never.

    Returns:
        float32 (N, latent_dim).

    Raises:
        InputError: the seed or the truncation is out of range.

    Example:
        >>> numbers = np.arange(10**9, 10**9 + 3)
        >>> latents = numbered_latents(numbers, 100, seed=3)
        >>> bool((latents[1:] == numbered_latents(numbers[1:], 100, seed=3)).all())
        True

    Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
    """
    scale = np.float32(check_range("truncation", truncation, 0, MAX_TRUNCATION, open_low=True))
    cipher = np.random.Philox(key=check_seed(seed))
    random, state = np.random.Generator(cipher), cipher.state
    latents = np.empty((len(numbers), latent_dim), np.float32)
    for row, number in enumerate(numbers):
        # The first word counts the random numbers of the image, the second its draws, the third the images.
        state["state"]["counter"][:] = (0, 0 if draws is None else draws[row], number, 0)
        cipher.state = state  # Four times as fast as a new generator for each image.
        random.standard_normal(out=latents[row], dtype=np.float32)
    return latents * scale


def check_seed(seed: object) -> int:
    """Check a seed: a whole number from 0, below 2¹²⁸. None draws a fresh one. Raises InputError for anything else."""
    if seed is None:
        return secrets.randbits(FRESH_SEED_BITS)
    number = check_whole_number("seed", seed, 0)
    if number.bit_length() > MAX_SEED_BITS:
        raise InputError(f"seed={show(number)} is out of range: it must be at least 0 and below 2**{MAX_SEED_BITS}")
    return number


def mix(first: Latents, second: Latents, share: npt.ArrayLike = 0.5) -> Latents:
    """Interpolate between two latents along the sphere.

    Args:
        first, second: latents of shape (latent_dim,).
        share: share of the second latent, in [0, 1]: 0 gives the first latent and 1 the second. One number, or an
            array of N.

    Returns:
        float32 (latent_dim,) for one share, (N, latent_dim) for N shares.

    Raises:
        InputError: a share is out of range.
    """
    shares = as_array("share", share)
    if shares.dtype.kind not in "iuf":
        raise InputError(f"share={show(share)} must be a number")
    shares = shares.astype(np.float32)
    for extreme in (shares.min(initial=0), shares.max(initial=0)):
        check_range("share", float(extreme), 0, 1)
    shares = shares[..., np.newaxis]
    lengths = np.linalg.norm(first) * np.linalg.norm(second)
    angle = np.arccos(np.clip(np.dot(first, second) / lengths, -1.0, 1.0)) if lengths else 0.0
    if np.sin(angle) < 1e-4:  # Equal, opposite or zero vectors have no unique arc: use a line.
        mixed = (1 - shares) * first + shares * second
    else:
        mixed = (np.sin((1 - shares) * angle) * first + np.sin(shares * angle) * second) / np.sin(angle)
    return np.asarray(mixed, np.float32)


def walk(first: Latents, second: Latents, frames: int) -> Latents:
    """Take equal steps from one latent to another along the sphere.

    Args:
        first, second: latents of shape (latent_dim,).
        frames: number of latents, from 2 to 1,000, both ends included.

    Returns:
        float32 (frames, latent_dim).

    Raises:
        InputError: the number of frames is out of range.
    """
    frames = check_whole_number("frames", frames, 2, MAX_FRAMES)
    return mix(first, second, np.linspace(0.0, 1.0, frames, dtype=np.float32))


def path(keys: Latents, frames: int, *, closed: bool = False) -> tuple[Latents, Floats]:
    """Take equal steps through several latents along the sphere.

    Args:
        keys: the key latents, (K, latent_dim), at least two.
        frames: number of steps from each key to the next, from 1 to 1,000.
        closed: whether the path returns to the first key. It ends one step before it, so that a film can repeat.

    Returns:
        The latents, float32 (N, latent_dim); and the share of each key in each of them, (N, K). N is
        frames · (K - 1) + 1, or frames · K if the path is closed.

    Raises:
        InputError: there are fewer than two keys, or the number of frames is out of range.

    Example:
        >>> latents, shares = path(draw_latents(3, 100, seed=0), frames=8)
        >>> latents.shape, shares.shape
        ((17, 100), (17, 3))
    """
    frames, count = check_whole_number("frames", frames, 1, MAX_FRAMES), len(keys)
    if count < 2:
        raise InputError(f"a path needs at least two key latents, got {count}")
    steps = np.arange(frames, dtype=np.float32) / np.float32(frames)
    rows, shares = [], []
    for first in range(count if closed else count - 1):
        second = (first + 1) % count
        rows.append(mix(keys[first], keys[second], steps))
        shares.append(np.outer(1 - steps, np.eye(count)[first]) + np.outer(steps, np.eye(count)[second]))
    if not closed:
        rows.append(np.asarray(keys[-1:], np.float32))
        shares.append(np.eye(count)[-1:])
    return np.concatenate(rows), np.concatenate(shares)


def vary(latent: Latents, strength: float, count: int, seed: int | None = 0) -> Latents:
    """Draw neighbors of a latent: √(1 − strength²) · latent + strength · Gaussian noise.

    If the latent is Gaussian, so are its neighbors. At strength 1 they are independent of it.

    Args:
        latent: (latent_dim,).
        strength: in [0, 1].
        count: number of neighbors, at least 1.
        seed: seed of the noise, at least 0. None draws other noise at each call.

    Returns:
        float32 (count, latent_dim).

    Raises:
        InputError: the strength or the seed is out of range.
    """
    strength = check_range("strength", strength, 0, 1)
    return np.float32(np.sqrt(1 - strength**2)) * latent + np.float32(strength) * draw_latents(count, len(latent), seed)
