"""Drawing latents, and paths between them on the sphere."""

import numpy as np
import pytest

from fashion_gan.errors import InputError
from fashion_gan.latents import draw_latents, latent_stream, mix, vary, walk

RIGHT, UP = np.array([2.0, 0.0], np.float32), np.array([0.0, 2.0], np.float32)


def test_a_walk_over_a_right_angle_takes_equal_steps_and_keeps_the_length():
    expected = [[2.0, 0.0], [3**0.5, 1.0], [1.0, 3**0.5], [0.0, 2.0]]
    np.testing.assert_allclose(walk(RIGHT, UP, 4), expected, atol=1e-6)


def test_the_middle_of_two_latents_lies_on_the_arc_between_them():
    np.testing.assert_allclose(mix(RIGHT, UP), [2**0.5, 2**0.5], atol=1e-6)


@pytest.mark.parametrize("other", [RIGHT, 3 * RIGHT, -RIGHT, 0 * RIGHT])
def test_a_walk_without_a_unique_arc_is_finite_and_has_the_right_ends(other):
    path = walk(RIGHT, other, 5)
    assert np.isfinite(path).all()
    np.testing.assert_allclose(path[[0, -1]], [RIGHT, other], atol=1e-6)


def test_neighbors_are_gaussian_and_their_correlation_follows_the_strength():
    latent = draw_latents(1, 10_000, seed=1)[0]
    for strength in (0.0, 0.3, 1.0):
        (near,) = vary(latent, strength, 1, seed=2)
        assert near.std() == pytest.approx(1.0, abs=0.03)
        assert np.corrcoef(near, latent)[0, 1] == pytest.approx((1 - strength**2) ** 0.5, abs=0.03)


def test_a_stream_in_parts_equals_latents_drawn_at_once():
    next_latents = latent_stream(7, seed=3, truncation=0.5)
    parts = [next_latents(count) for count in (1, 100, 200)]
    assert np.array_equal(np.concatenate(parts), draw_latents(301, 7, seed=3, truncation=0.5))


def test_truncation_is_the_standard_deviation():
    assert draw_latents(100, 100, seed=0, truncation=0.7).std() == pytest.approx(0.7, rel=0.02)


@pytest.mark.parametrize(
    "call",
    [
        lambda: draw_latents(1, 2, seed=-1),
        lambda: draw_latents(1, 2, seed=0, truncation=2.0),
        lambda: mix(RIGHT, UP, 1.1),
        lambda: mix(RIGHT, UP, [0.5, -0.1]),
        lambda: mix(RIGHT, UP, float("nan")),
        lambda: walk(RIGHT, UP, 1),
        lambda: walk(RIGHT, UP, 10**6),
        lambda: vary(RIGHT, -0.1, 3),
        lambda: vary(RIGHT, 0.1, 3, seed=-1),
    ],
)
def test_numbers_out_of_range_are_errors(call):
    with pytest.raises(InputError, match="out of range"):
        call()
