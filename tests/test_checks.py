"""Images that cannot be scored are refused, and the refusal says why."""

import numpy as np
import pytest

from fashion_gan import InputError
from fashion_gan.metrics.checks import checked_images, checked_labels

GOOD = np.random.default_rng(0).integers(0, 256, (5, 28, 28, 1), np.uint8)


@pytest.mark.parametrize("images", [GOOD, GOOD[..., 0], GOOD.astype(np.int64)])
def test_good_images_come_back_as_they_are(images):
    checked = checked_images(images)
    assert checked.dtype == np.uint8
    np.testing.assert_array_equal(checked, GOOD)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (GOOD / 255, r"floats in \[0, 1\]: multiply them by 255"),
        (GOOD / 127.5 - 1, r"floats in \[-1, 1\]"),
        (GOOD * 0.7, "floats from .* round them"),
        (GOOD.transpose(0, 3, 1, 2), "channels first"),
        (GOOD.repeat(3, axis=3), "three colours"),
        (np.zeros((5, 32, 32, 1), np.uint8), "28×28, these are 32×32"),
        (GOOD[0], "must be"),
        (GOOD.reshape(5, -1), "must be"),
        (np.where(GOOD == 7, np.nan, GOOD / 255), "NaN"),
        (np.full((5, 28, 28), np.inf), "infinite"),
        (GOOD.astype(int) - 128, "reach from -128 to 127"),
        (GOOD.astype(int) * 257, "reach from 0 to 65535"),
        ((GOOD > 127).astype(np.uint8), "0 and 1 only"),
        (GOOD[:0], "no image"),
        (GOOD.astype(str), "must be uint8"),
    ],
)
def test_images_of_another_kind_are_refused(images, words):
    with pytest.raises(InputError, match=words):
        checked_images(images)


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 1, 2, 3, 10], [0, 1, 2, 3, -1], [0.5] * 5, [[1] * 5]])
def test_labels_that_fit_no_class_or_image_are_refused(labels):
    with pytest.raises(InputError, match="labels"):
        checked_labels(labels, 5)
