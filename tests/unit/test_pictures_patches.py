"""The sliced Wasserstein distance of patches agrees with an independent implementation, and sees what it should."""

import itertools

import numpy as np
import pytest
import scipy.signal
import scipy.stats
from toys import smooth_pictures

from fashion_gan.metrics import damages
from fashion_gan.metrics.pictures import patches
from fashion_gan.metrics.pictures.patches import RealPatches, scales_of

RANDOM = np.random.default_rng(0)
KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


@pytest.fixture(autouse=True)
def few_patches(monkeypatch):
    """500 patches and 16 directions, so that slow loops can check them."""
    monkeypatch.setattr(patches, "PATCHES", 500)
    monkeypatch.setattr(patches, "DIRECTIONS", 16)
    monkeypatch.setattr(patches, "REPLICATE_DIRECTIONS", 8)


def convolved(picture, kernel):
    """One channel, mirrored at its border."""
    return scipy.signal.convolve2d(np.pad(picture, 2, mode="reflect"), kernel, mode="valid")


def pyramid(picture, levels):
    """The Laplacian pyramid of one channel (H, W), in double precision."""
    details = []
    for _ in range(levels - 1):
        picture = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
        smaller = convolved(picture, KERNEL)[::2, ::2]
        larger = np.zeros_like(picture)
        larger[::2, ::2] = smaller
        details.append(picture - convolved(larger, 4 * KERNEL))
        picture = smaller
    return [*details, picture]


def cut(images, random):
    """The patches of each scale (P, 7 · 7 · C), one by one."""
    scales = scales_of(*images.shape[1:3])
    numbers = np.sort(np.arange(patches.PATCHES) % len(images))
    pixels = images / 255
    if images.shape[3] == 4:
        pixels[..., :3] *= pixels[..., 3:]
    levels = [[pyramid(picture[..., c], len(scales)) for c in range(images.shape[3])] for picture in pixels]
    for level in range(len(scales)):
        rows, columns = (random.integers(0, side - 6, patches.PATCHES) for side in levels[0][0][level].shape)
        squares = [
            np.stack([channel[level][row : row + 7, column : column + 7] for channel in levels[number]])
            for number, row, column in zip(numbers, rows, columns, strict=True)
        ]
        yield np.stack(squares)


def expected_distances(real, generated):
    """Each distance as the mean of SciPy's Wasserstein distance over the directions."""
    both = zip(cut(real, np.random.default_rng(0)), cut(generated, np.random.default_rng(0)), strict=True)
    for number, (of_real, of_generated) in enumerate(both):
        mean, deviation = (statistic(axis=(0, 2, 3), keepdims=True) for statistic in (of_real.mean, of_real.std))
        sets = [((part - mean) / deviation).reshape(len(part), -1) for part in (of_real, of_generated)]
        directions = np.random.default_rng(number).standard_normal((sets[0].shape[1], patches.DIRECTIONS))
        directions /= np.linalg.norm(directions, axis=0)
        projected = [part @ directions for part in sets]
        columns = zip(*(part.T for part in projected), strict=True)
        yield 1000 * np.mean([scipy.stats.wasserstein_distance(*pair) for pair in columns])


@pytest.mark.parametrize(("size", "channels"), [((16, 16), 3), ((31, 29), 1), ((64, 57), 4)])
def test_the_distance_is_the_mean_of_scipys_over_the_directions(size, channels):
    real, generated = (smooth_pictures(9 + seed, *size, channels, seed) for seed in (0, 1))
    measured = RealPatches(real).distances(generated, with_errors=False).values
    np.testing.assert_allclose(measured, list(expected_distances(real, generated)), rtol=1e-6)


def test_the_pyramid_agrees_with_plain_convolutions_and_can_be_put_together_again():
    pixels = RANDOM.random((2, 57, 64, 3)).astype(np.float32)
    levels = patches._pyramid(pixels, 3)
    assert [level.shape[1:3] for level in levels] == [(56, 64), (28, 32), (14, 16)]
    for channel in range(3):
        for level, expected in zip(levels, pyramid(pixels[1, ..., channel].astype(float), 3), strict=True):
            np.testing.assert_allclose(level[1, ..., channel], expected, atol=1e-6)
    picture = levels[2][0, ..., 0]
    for detail in (levels[1], levels[0]):
        larger = np.zeros(detail.shape[1:3])
        larger[::2, ::2] = picture
        picture = detail[0, ..., 0] + convolved(larger, 4 * KERNEL)
    np.testing.assert_allclose(picture, pixels[0, :56, :, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("height", "width", "scales"),
    [
        (16, 16, (1,)),
        (27, 64, (1,)),
        (28, 28, (1, 2)),
        (64, 64, (1, 2, 4)),
        (128, 112, (1, 2, 4, 8)),
        (512, 512, (1, 2, 4, 8)),
    ],
)
def test_a_picture_has_the_scales_whose_pictures_hold_patches(height, width, scales):
    assert scales_of(height, width) == scales
    images = np.tile(RANDOM.integers(0, 256, (2, 16, 16, 1), np.uint8), (1, height // 16 + 1, width // 16 + 1, 1))
    measured = RealPatches(images[:, :height, :width]).distances(images[:, :height, :width], with_errors=False)
    assert measured.values.tolist() == [0.0] * len(scales)


@pytest.mark.parametrize("damage", [damages.blurred, damages.noisy])
def test_blur_and_noise_grow_at_the_finest_scale(damage):
    real = smooth_pictures(100, 32, 32)
    labels = np.zeros(100, np.int32)
    reference = RealPatches(real)
    changed = [damage(real, labels, strength, np.random.default_rng(1))[0] for strength in (0.5, 1.0, 2.0)]
    at_full_size = [reference.distances(images, with_errors=False).values[0] for images in (real, *changed)]
    assert at_full_size[0] == 0
    assert all(later > 1.2 * earlier for earlier, later in itertools.pairwise(at_full_size))


def test_colors_that_cannot_be_seen_do_not_count():
    real = smooth_pictures(60, channels=4)
    real[:, 4:9, :, 3] = 0
    hidden = real.copy()
    hidden[:, 4:9, :, :3] = RANDOM.integers(0, 256, (60, 5, 16, 3), np.uint8)
    assert RealPatches(real).distances(hidden, with_errors=False).values.tolist() == [0.0]


def test_a_channel_that_never_changes_and_one_picture_are_no_division_by_zero():
    real, generated = smooth_pictures(60), smooth_pictures(1, seed=1)
    real[..., 2] = 9
    distances = RealPatches(real).distances(generated)
    assert np.isfinite(distances.values).all()
    assert distances.replicates.std() == 0  # One picture can only be drawn again.
    flat = RealPatches(np.full((5, 16, 16, 1), 7, np.uint8)).distances(np.zeros((5, 16, 16, 1), np.uint8))
    assert np.isfinite(flat.values).all()


def test_the_standard_error_is_the_deviation_over_samples():
    reference = RealPatches(smooth_pictures(400, seed=100))
    samples = [reference.distances(smooth_pictures(150, seed=seed), with_errors=False).values[0] for seed in range(12)]
    error = reference.distances(smooth_pictures(150, seed=20)).replicates[:, 0].std(ddof=1)
    assert 0.5 < error / np.std(samples, ddof=1) < 2


def test_the_distance_does_not_depend_on_the_chunks(monkeypatch):
    real, generated = smooth_pictures(70, 28, 28), smooth_pictures(33, 28, 28, seed=1)
    whole = RealPatches(real).distances(generated)
    monkeypatch.setattr(patches, "CHUNK_PIXELS", 28 * 28 * 5)
    parts = RealPatches(real).distances(generated)
    np.testing.assert_allclose(parts.values, whole.values, rtol=1e-6)
    np.testing.assert_allclose(parts.replicates, whole.replicates, rtol=1e-6)
