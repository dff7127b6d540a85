"""The sliced Wasserstein distance of small patches, at several scales. It needs no network.

Source: Karras et al. 2018, arXiv:1710.10196, section 5. Two things differ from their code. The patches of both sets are
centered and scaled by the real patches' mean and deviation, so that a wrong contrast or brightness counts. And the
reference is fixed, with the same patches in each measurement.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from fashion_gan.arrays import FloatImages, Floats, Images, Indices, Vectors
from fashion_gan.metrics.scientific import scipy
from fashion_gan.system import progress
from fashion_gan.system.parallel import parallel_map

SIDE = 7  # pixels
PATCHES = 1 << 14  # patches of each set at each scale
DIRECTIONS = 512  # random projections
UNITS = 1000.0  # Distances are in thousandths of the real patches' deviation.
SMALLEST_SIDE = 14  # pixels; the pictures of the coarsest scale are at least this large
SCALES = (1, 2, 4, 8)  # how many times smaller than the picture
BLUR = np.array([1, 4, 6, 4, 1]) / 16  # of a Laplacian pyramid (Burt & Adelson 1983)
CHUNK_PIXELS = 1 << 20  # pixels that are analyzed together
REPLICATES, REPLICATE_DIRECTIONS = 40, 32  # of the bootstrap


def scales_of(height: int, width: int) -> tuple[int, ...]:
    """The scales of pictures of this size: 1 is the full size, 2 a half, and so on."""
    return tuple(scale for scale in SCALES if scale == 1 or min(height, width) // scale >= SMALLEST_SIDE)


@dataclasses.dataclass(frozen=True, eq=False)
class Distances:
    """The sliced Wasserstein distances of a set of pictures to the real ones.

    Attributes:
        values: one for each scale (S,), in thousandths of the real patches' deviation.
        replicates: the same for resampled pictures (R, S). Empty if no errors were requested.
    """

    values: Floats
    replicates: Floats


@dataclasses.dataclass(frozen=True, eq=False)
class _Scale:
    """The real patches at one scale: how patches are normalized, and the sorted projections (P, directions)."""

    mean: Floats
    deviation: Floats
    directions: Vectors
    projected: Vectors


class RealPatches:
    """The patches of the real pictures.

    Args:
        images: uint8 (M, H, W, C), H and W at least 14.

    Attributes:
        scales: the scales that the pictures have.

    Example:
        >>> images = np.random.default_rng(0).integers(0, 256, (60, 16, 16, 3), np.uint8)
        >>> RealPatches(images).distances(images, with_errors=False).values.tolist()
        [0.0]
    """

    def __init__(self, images: Images) -> None:
        self.scales = scales_of(*images.shape[1:3])
        self._real = [_fit(values, number) for number, (values, _) in enumerate(self._patches(images, "real patches"))]

    def distances(self, images: Images, with_errors: bool = True) -> Distances:
        """Measure pictures of the same shape, uint8 (N, H, W, C). Lower is better.

        Args:
            images: the pictures.
            with_errors: also measure 40 resamples of the pictures, for a standard error.
        """
        values, replicates = [], []
        for real, (patches, pictures) in zip(self._real, self._patches(images, "patches"), strict=True):
            projected = _project(patches, real)
            if with_errors:
                replicates.append(_replicates(projected[:, :REPLICATE_DIRECTIONS], pictures, len(images), real))
            values.append(np.abs(_sorted(projected) - real.projected).mean() * UNITS)
        return Distances(np.array(values), np.array(replicates).T)

    def _patches(self, images: Images, description: str) -> Iterator[tuple[Vectors, Indices]]:
        """Random patches at each scale (P, 7 · 7 · C), and the picture that each comes from (P,), ascending."""
        random = np.random.default_rng(0)
        pictures = np.sort(np.arange(PATCHES) % len(images))
        corners = [_corners(random, sides) for sides in _level_sides(images.shape[1], images.shape[2], self.scales)]
        size = max(1, CHUNK_PIXELS // (images.shape[1] * images.shape[2]))
        starts = range(0, len(images), size)

        def cut(start: int) -> list[Vectors]:
            part = slice(*np.searchsorted(pictures, [start, start + size]))
            levels = _pyramid(_premultiplied(images[start : start + size]), len(self.scales))
            windows = (np.lib.stride_tricks.sliding_window_view(level, (SIDE, SIDE), (1, 2)) for level in levels)
            return [
                window[pictures[part] - start, *corner[:, part]].reshape(part.stop - part.start, -1)
                for window, corner in zip(windows, corners, strict=True)
            ]

        settings = {"total": len(starts) * size, "unit_scale": size}
        parts = list(progress.bar(parallel_map(cut, starts), description, "pictures", **settings))
        for level in range(len(self.scales)):
            yield np.concatenate([part[level] for part in parts]), pictures


def _level_sides(height: int, width: int, scales: Sequence[int]) -> list[tuple[int, int]]:
    """Height and width of each level of the pyramid. An odd last row or column is left out, except of the smallest."""
    *details, smallest = [(height // scale, width // scale) for scale in scales]
    return [*((rows // 2 * 2, columns // 2 * 2) for rows, columns in details), smallest]


def _corners(random: np.random.Generator, sides: tuple[int, int]) -> Indices:
    """The upper left corner of each patch: rows and columns (2, P)."""
    return np.stack([random.integers(0, side - SIDE + 1, PATCHES) for side in sides])


def _premultiplied(images: Images) -> FloatImages:
    """Pictures as float32 in [0, 1]. Colors are multiplied by the opacity, so that no invisible color counts."""
    pixels = images.astype(np.float32) / np.float32(255)
    if pixels.shape[3] == 4:
        pixels[..., :3] *= pixels[..., 3:]
    return pixels


def _pyramid(pixels: FloatImages, levels: int) -> list[FloatImages]:
    """A Laplacian pyramid: at each scale what the next one cannot show, and at last the smallest picture."""
    details = []
    for _ in range(levels - 1):
        height, width = pixels.shape[1] // 2 * 2, pixels.shape[2] // 2 * 2
        pixels = pixels[:, :height, :width]
        smaller = _blurred(pixels, BLUR)[:, ::2, ::2]
        larger = np.zeros_like(pixels)
        larger[:, ::2, ::2] = smaller
        details.append(pixels - _blurred(larger, 2 * BLUR))
        pixels = np.asarray(smaller, np.float32)
    return [*details, pixels]


def _blurred(pixels: FloatImages, weights: Floats) -> FloatImages:
    correlate = scipy().ndimage.correlate1d
    blurred: FloatImages = correlate(correlate(pixels, weights, axis=1, mode="mirror"), weights, axis=2, mode="mirror")
    return blurred


def _fit(values: Vectors, number: int) -> _Scale:
    """Find the normalization of the real patches, draw directions, and project."""
    channels = values.reshape(len(values), -1, SIDE * SIDE)
    deviation = channels.std(axis=(0, 2), dtype=np.float64).repeat(SIDE * SIDE)
    deviation = np.where(deviation > 1e-6, deviation, 1.0)  # A channel that never changes is left as it is.
    mean = channels.mean(axis=(0, 2), dtype=np.float64).repeat(SIDE * SIDE)
    drawn = np.random.default_rng(number).standard_normal((values.shape[1], DIRECTIONS))
    directions = (drawn / np.linalg.norm(drawn, axis=0)).astype(np.float32)
    real = _Scale(mean, deviation, directions, np.empty(0, np.float32))
    return dataclasses.replace(real, projected=_sorted(_project(values, real)))


def _project(values: Vectors, real: _Scale) -> Vectors:
    normalized = (values - real.mean.astype(np.float32)) / real.deviation.astype(np.float32)
    return np.asarray(normalized @ real.directions, np.float32)


def _sorted(projected: Vectors) -> Vectors:
    """Each column in ascending order."""
    parts = np.array_split(np.arange(projected.shape[1]), 8)
    return np.concatenate(list(parallel_map(lambda part: np.sort(projected[:, part], axis=0), parts)), axis=1)


def _replicates(projected: Vectors, pictures: Indices, count: int, real: _Scale) -> Floats:
    """The distance of resampled pictures, from a few directions: (R,). The same pictures are drawn at each scale."""
    orders = np.argsort(projected, axis=0)
    steps = (np.arange(PATCHES) + 0.5) / PATCHES

    def resampled(seed: int) -> float:
        random = np.random.default_rng(seed)
        weights = np.bincount(random.integers(0, count, count), minlength=count)[pictures]
        total = 0.0
        for column in range(projected.shape[1]):
            order = orders[:, column]
            reached = np.cumsum(weights[order])
            quantiles = projected[order, column][np.searchsorted(reached, steps * reached[-1])]
            total += float(np.abs(quantiles - real.projected[:, column]).mean())
        return total / projected.shape[1] * UNITS

    return np.array(list(parallel_map(resampled, range(REPLICATES))))
