"""Layers without weights move each picture to the center, by whole pixels."""

import keras
import numpy as np
import pytest

from fashion_gan.networks.centering import EMPTY_LEVEL, center_images


def center(levels):
    """Apply the layers to uint8 pictures (N, H, W, C)."""
    images = keras.Input(levels.shape[1:])
    centered = keras.Model(images, center_images(images, "toy"))(levels / np.float32(127.5) - 1)
    return np.rint((keras.ops.convert_to_numpy(centered) + 1) * 127.5).astype(np.uint8)


def margins(levels):
    """Return the numbers of empty lines at the top, at the bottom, on the left and on the right: (N, 4)."""
    lit = levels.max(axis=-1) > EMPTY_LEVEL
    sides = (lit.any(axis=2), lit.any(axis=2)[:, ::-1], lit.any(axis=1), lit.any(axis=1)[:, ::-1])
    return np.stack([side.argmax(axis=1) for side in sides], axis=1)


def without_faint_lines(levels):
    lit = levels.max(axis=-1) > EMPTY_LEVEL
    return levels * (lit.any(axis=2)[:, :, None] & lit.any(axis=1)[:, None])[..., None]


def test_a_shape_moves_to_the_center_from_every_position():
    shape = np.array([[90, 255, 30], [200, 40, 60]], np.uint8)
    drawn = np.zeros((5 * 6, 6, 8, 1), np.uint8)
    for number, picture in enumerate(drawn):
        top, left = divmod(number, 6)
        picture[top : top + 2, left : left + 3, 0] = shape
    expected = np.zeros((6, 8), np.uint8)
    expected[2:4, 3:6] = shape  # Of five empty columns, three are on the left and two on the right.
    np.testing.assert_array_equal(center(drawn)[..., 0], np.broadcast_to(expected, (30, 6, 8)))


def test_faint_lines_count_as_empty_and_become_black():
    drawn = np.zeros((2, 8, 8, 1), np.uint8)
    drawn[:, :3, 2:5] = 100
    drawn[0, 7, 7], drawn[1, 7, 7] = EMPTY_LEVEL, EMPTY_LEVEL + 1
    faint, bright = center(drawn)[..., 0]
    assert (faint[3:6, 3:6] == 100).all()
    assert faint.sum() == 900
    # Two empty columns on the left and none on the right become one on each side.
    np.testing.assert_array_equal(bright[:, :-1], drawn[1, :, 1:, 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_margins_are_equal_or_the_right_or_lower_one_is_smaller_by_one(channels):
    random = np.random.default_rng(0)
    drawn = np.zeros((200, 12, 12, channels), np.uint8)
    for picture in drawn:
        (top, bottom), (left, right) = (np.sort(random.choice(13, 2, replace=False)) for _ in range(2))
        picture[top:bottom, left:right] = random.integers(0, 256, (bottom - top, right - left, channels))
    centered = center(drawn)
    top, bottom, left, right = margins(centered).T
    assert set(top - bottom) == set(left - right) == {0, 1}
    # Pixels move and do not change, except faint lines.
    np.testing.assert_array_equal(
        np.sort(centered.reshape(200, -1)), np.sort(without_faint_lines(drawn).reshape(200, -1))
    )


def test_a_black_picture_stays_black():
    assert not center(np.zeros((1, 8, 8, 1), np.uint8)).any()
