"""The test that tells whether pictures may be mirrored."""

import numpy as np
import pytest

from fashion_gan.metrics.pictures import symmetry
from fashion_gan.metrics.pictures.symmetry import mirror_symmetry

COUNT = 120


def bars(count=COUNT, size=16, beside=0, arm=0, channels=1, noise=40):
    """Return bars around an axis that lies some pixels beside the middle, perhaps with an arm to the right."""
    random = np.random.default_rng(1)
    images = random.integers(0, noise, (count, size, size, channels), np.uint8)
    half, heights = size // 8, random.integers(size // 4, size // 2, count)
    left, right = size // 2 + beside - half, size // 2 + beside + half
    for image, height in zip(images, heights, strict=True):
        image[:height, left:right] += 150
        image[: size // 8, left : right + arm] += 60
    return images


def is_symmetric(images, labels=None):
    return mirror_symmetry(images, np.zeros(len(images), int) if labels is None else labels).is_symmetric


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_symmetric_pictures_may_be_mirrored_and_letters_may_not(channels):
    assert is_symmetric(bars(channels=channels))
    assert not is_symmetric(bars(channels=channels, arm=4))


@pytest.mark.parametrize("beside", [-1, 1])
def test_symmetric_pictures_beside_the_middle_may_be_mirrored(beside):
    assert is_symmetric(bars(beside=beside))
    assert not is_symmetric(bars(beside=beside, arm=4))


def test_pictures_that_are_equal_to_their_mirror_images_may_be_mirrored():
    assert mirror_symmetry(bars(noise=1), np.zeros(COUNT)).p_value == 1.0
    assert is_symmetric(np.zeros((COUNT, 16, 16, 3), np.uint8))


def test_classes_that_are_mirror_images_of_each_other_are_told_apart():
    pictures = bars(arm=4)
    pictures[::2] = pictures[::2, :, ::-1]
    assert is_symmetric(pictures)
    assert not is_symmetric(pictures, np.arange(COUNT) % 2)


def test_too_few_pictures_are_not_mirrored():
    result = mirror_symmetry(bars(99), np.zeros(99))
    assert not result.is_symmetric
    assert str(result) == "99 pictures are too few to tell whether they may be mirrored"


def test_large_pictures_are_halved(monkeypatch):
    small = mirror_symmetry(bars(size=32, arm=8), np.zeros(COUNT))
    large = np.repeat(np.repeat(bars(size=32, arm=8), 2, axis=1), 2, axis=2)
    monkeypatch.setattr(symmetry, "MAX_SIDE", 32)
    assert mirror_symmetry(large, np.zeros(COUNT)) == small


def test_false_alarms_are_as_rare_as_the_level_of_significance_says():
    random = np.random.default_rng(0)
    differences = random.standard_normal((400, 20, 30)) ** 3  # Each of the 400 sets has 20 pictures.
    values = np.array([symmetry._p_value(part, np.zeros(20), random) for part in differences])
    assert (values <= 0.05).mean() == pytest.approx(0.05, abs=0.03)
    assert values.mean() == pytest.approx(0.5, abs=0.05)
