"""Where pictures come from: Gaussian vectors, drawn, and moved about on the sphere that they lie near.

A Gaussian vector of many dimensions is about as long as any other, so the ways between two of them keep to the sphere:
a straight line would leave it, and a generator has seen nothing there (White 2016, arXiv:1609.04468).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fashion_gan.errors import InputError

Latents = npt.NDArray[np.float32]

LARGEST_TRUNCATION = 1.5
MOST_FRAMES = 1000


def draw_latents(count: int, latent_dim: int, seed: int, truncation: float = 1.0) -> Latents:
    """Gaussian latents, float32 (count, latent_dim): the same for a seed on every machine and backend.

    Args:
        count: how many, at least 1.
        latent_dim: the length of each.
        seed: at least 0.
        truncation: the deviation, above 0 and at most 1.5: what the generator trained on is 1, less gives pictures more
            typical and less varied, more the other way round.

    Raises:
        InputError: a seed or a truncation out of range.
    """
    return latent_stream(latent_dim, seed, truncation)(count)


def draw_inputs(count: int, latent_dim: int, classes: int) -> list[np.ndarray]:
    """What a network takes to draw: latents, and the classes in turn, int32 (count,), where it has any."""
    latents = draw_latents(count, latent_dim, seed=0)
    return [latents, np.arange(count, dtype=np.int32) % classes] if classes else [latents]


def latent_stream(latent_dim: int, seed: int, truncation: float = 1.0) -> Callable[[int], Latents]:
    """What gives further latents at each call: put together, they are what ``draw_latents`` gives at once.

    Raises:
        InputError: a seed or a truncation out of range.
    """
    if seed < 0:
        raise InputError(f"seed={seed} is out of range: it must be at least 0")
    if not 0 < truncation <= LARGEST_TRUNCATION:
        raise InputError(
            f"truncation={truncation} is out of range: it must be above 0 and at most {LARGEST_TRUNCATION}"
        )
    random = np.random.default_rng(seed)
    return lambda count: random.standard_normal((count, latent_dim), dtype=np.float32) * np.float32(truncation)


def mix(first: Latents, second: Latents, share: float | npt.ArrayLike = 0.5) -> Latents:
    """Between two latents along the sphere: (latent_dim,) for one share, (N, latent_dim) for N of them.

    Args:
        first, second: latents, each (latent_dim,).
        share: of the second one, in [0, 1]: 0 is the first and 1 the second.

    Raises:
        InputError: a share out of range.
    """
    shares = np.asarray(share, np.float32)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise InputError(f"share={share!r} is out of range: it must be from 0 to 1")
    shares = shares[..., np.newaxis]
    lengths = np.linalg.norm(first) * np.linalg.norm(second)
    angle = np.arccos(np.clip(np.dot(first, second) / lengths, -1.0, 1.0)) if lengths else 0.0
    if np.sin(angle) < 1e-4:  # The same direction, or the opposite one, where there is no shortest way: any will do.
        mixed = (1 - shares) * first + shares * second
    else:
        mixed = (np.sin((1 - shares) * angle) * first + np.sin(shares * angle) * second) / np.sin(angle)
    return np.asarray(mixed, np.float32)


def walk(first: Latents, second: Latents, frames: int) -> Latents:
    """Equal steps from one latent to another along the sphere, both ends included: (frames, latent_dim).

    Raises:
        InputError: fewer than 2 frames, or more than 1000.
    """
    if not 2 <= frames <= MOST_FRAMES:
        raise InputError(f"frames={frames} is out of range: it must be from 2 to {MOST_FRAMES}")
    return mix(first, second, np.linspace(0.0, 1.0, frames, dtype=np.float32))


def vary(latent: Latents, strength: float, count: int, seed: int = 0) -> Latents:
    """Neighbours of a latent, (count, latent_dim): √(1 − strength²) of it, and strength of fresh Gaussian noise.

    So they are as Gaussian as it was, and at strength 1 have nothing to do with it.

    Args:
        latent: (latent_dim,).
        strength: in [0, 1].
        count: how many, at least 1.
        seed: of the noise, at least 0.

    Raises:
        InputError: a strength or a seed out of range.
    """
    if not 0 <= strength <= 1:
        raise InputError(f"strength={strength} is out of range: it must be from 0 to 1")
    return np.float32(np.sqrt(1 - strength**2)) * latent + np.float32(strength) * draw_latents(count, len(latent), seed)
