"""What the course's notebooks show: images of any common form, and nothing that is no image."""

import numpy as np
import pytest

from fashion_gan.course.pictures import as_pixels
from fashion_gan.errors import InputError


def test_floats_from_minus_one_to_one_become_pixels():
    assert as_pixels(np.linspace(-1, 1, 4).reshape(1, 2, 2, 1)).reshape(-1).tolist() == [0, 85, 170, 255]


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (5, 28, 28), (5, 28, 28, 1), (5, 28, 28, 3)])
def test_images_of_any_common_shape_get_four_axes(shape):
    assert as_pixels(np.zeros(shape, np.uint8)).shape == (
        (5 if shape[0] == 5 else 1),
        28,
        28,
        shape[3] if shape[3:] else 1,
    )


def test_images_that_are_not_finite_are_black():
    assert as_pixels(np.full((1, 2, 2, 1), np.nan)).max() == 0


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        (np.full((1, 2, 2, 1), 255.0), "these reach to 255"),
        (np.zeros(7, np.uint8), "must be floats in"),
        (np.zeros((1, 2, 2, 1), np.int64), "must be floats in"),
        (np.zeros((0, 2, 2, 1), np.uint8), "must be floats in"),
    ],
)
def test_what_is_no_image_is_refused(images, reason):
    with pytest.raises(InputError, match=reason):
        as_pixels(images)
