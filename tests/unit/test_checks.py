"""Images that cannot be scored are refused with a reason, and larger images are shrunk."""

import numpy as np
import pytest

from fashion_gan import InputError
from fashion_gan.metrics.checks import as_small, checked_images, checked_labels

VALID = np.random.default_rng(0).integers(0, 256, (5, 28, 28, 1), np.uint8)


@pytest.mark.parametrize("images", [VALID, VALID[..., 0], VALID.astype(np.int64)])
def test_valid_images_are_returned_unchanged(images):
    checked = checked_images(images)
    assert checked.dtype == np.uint8
    np.testing.assert_array_equal(checked, VALID)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (VALID / 255, r"floats in \[0, 1\]: multiply them by 255"),
        (VALID / 127.5 - 1, r"floats in \[-1, 1\]"),
        (VALID * 0.7, "floats from .* round them"),
        (VALID.transpose(0, 3, 1, 2), "channels come first"),
        (VALID.repeat(3, axis=3), "must be gray, .* they are in color"),
        (np.zeros((5, 32, 32, 1), np.uint8), "28×28, these are 32×32"),
        (VALID[0], "must be"),
        (VALID.reshape(5, -1), "must be"),
        (np.where(VALID == 7, np.nan, VALID / 255), "NaN"),
        (np.full((5, 28, 28), np.inf), "infinite"),
        (VALID.astype(int) - 128, "reach from -128 to 127"),
        (VALID.astype(int) * 257, "reach from 0 to 65535"),
        ((VALID > 127).astype(np.uint8), "0 and 1 only"),
        (VALID[:0], "no image"),
        (VALID.astype(str), "must be uint8"),
    ],
)
def test_invalid_images_are_refused_with_the_reason(images, words):
    with pytest.raises(InputError, match=words):
        checked_images(images)


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 1, 2, 3, 10], [0, 1, 2, 3, -1], [0.5] * 5, [[1] * 5]])
def test_invalid_labels_are_refused(labels):
    with pytest.raises(InputError, match="labels"):
        checked_labels(labels, 5)


def test_small_images_and_images_that_are_not_square_are_not_shrunk():
    for shape in ((3, 28, 28, 1), (3, 16, 16, 1), (3, 64, 28, 1)):
        images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        np.testing.assert_array_equal(as_small(images), images)
