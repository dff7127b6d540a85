"""Pictures are moved to the middle to the pixel, by layers that have no weights and that every file format knows."""

import keras
import numpy as np
import pytest
from conftest import TOY

import fashion_gan
from fashion_gan import export, launch, networks
from fashion_gan.config import Config
from fashion_gan.latents import draw_inputs
from fashion_gan.networks.centring import EMPTY, centred


def moved(levels):
    """uint8 (N, H, W, C), through the layers."""
    images = keras.Input(levels.shape[1:])
    found = keras.Model(images, centred(images, "toy"))(levels / np.float32(127.5) - 1)
    return np.rint((keras.ops.convert_to_numpy(found) + 1) * 127.5).astype(np.uint8)


def margins(levels):
    """How many rows and columns are empty: (N, 4), at the top, at the bottom, left and right."""
    lit = levels.max(axis=-1) > EMPTY
    sides = (lit.any(axis=2), lit.any(axis=2)[:, ::-1], lit.any(axis=1), lit.any(axis=1)[:, ::-1])
    return np.stack([side.argmax(axis=1) for side in sides], axis=1)


def test_a_shape_comes_to_the_middle_from_wherever_it_was_drawn():
    shape = np.array([[90, 255, 30], [200, 40, 60]], np.uint8)
    drawn = np.zeros((5 * 6, 6, 8, 1), np.uint8)
    for number, picture in enumerate(drawn):
        top, left = divmod(number, 6)
        picture[top : top + 2, left : left + 3, 0] = shape
    expected = np.zeros((6, 8), np.uint8)
    expected[2:4, 3:6] = shape  # Five columns are empty: three to the left of it and two to its right.
    np.testing.assert_array_equal(moved(drawn)[..., 0], np.broadcast_to(expected, (30, 6, 8)))


def test_what_is_hardly_lit_does_not_count_and_becomes_black():
    drawn = np.zeros((2, 8, 8, 1), np.uint8)
    drawn[:, :3, 2:5] = 100
    drawn[0, 7, 7], drawn[1, 7, 7] = EMPTY, EMPTY + 1
    faint, bright = moved(drawn)[..., 0]
    assert (faint[3:6, 3:6] == 100).all()
    assert faint.sum() == 900
    # Two empty columns on the left and none on the right: one on each side.
    np.testing.assert_array_equal(bright[:, :-1], drawn[1, :, 1:, 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_margins_are_equal_or_the_right_or_lower_one_is_smaller_by_one(channels):
    random = np.random.default_rng(0)
    drawn = np.zeros((200, 12, 12, channels), np.uint8)
    for picture in drawn:
        (top, bottom), (left, right) = (np.sort(random.choice(13, 2, replace=False)) for _ in range(2))
        picture[top:bottom, left:right] = random.integers(0, 256, (bottom - top, right - left, channels))
    top, bottom, left, right = margins(moved(drawn)).T
    assert set(top - bottom) == set(left - right) == {0, 1}
    # Nothing else has changed.
    np.testing.assert_array_equal(
        np.sort(moved(drawn).reshape(200, -1)), np.sort(without_faint_lines(drawn).reshape(200, -1))
    )


def without_faint_lines(levels):
    lit = levels.max(axis=-1) > EMPTY
    return levels * (lit.any(axis=2)[:, :, None] & lit.any(axis=1)[:, None])[..., None]


def test_a_black_picture_stays_black():
    assert not moved(np.zeros((1, 8, 8, 1), np.uint8)).any()


def patchy_generator(config):
    """A generator whose pictures are black but for some patches, as trained ones' are, and not grey all over."""
    keras.utils.set_random_seed(0)
    generator = networks.build_generator(config)
    pixels = generator.get_layer("generator_pixels")
    pixels.kernel.assign(100 * pixels.kernel)
    pixels.bias.assign(pixels.bias - 40)
    return generator


@pytest.mark.parametrize("kind", export.FORMATS)
def test_every_format_moves_pictures_as_keras_does(tmp_path, kind):
    if missing := [name for name in export.FORMATS[kind].needs["tensorflow"] if not export._is_installed(name)]:
        pytest.skip(f"{' and '.join(missing)} not installed")
    plain, config = (
        Config.from_preset("fashion", centre=centre, class_names=("left", "right"), **TOY) for centre in (False, True)
    )
    generator, inputs = patchy_generator(config), draw_inputs(20, config.latent_dim, 2)
    unmoved = patchy_generator(plain)(inputs)  # The same weights: the layers that move have none.
    assert np.mean(np.abs(generator(inputs) - unmoved).max(axis=(1, 2, 3)) > 0.1) > 0.25
    assert export.save(generator, config, kind, tmp_path / f"toy{export.FORMATS[kind].suffix}") < 1e-4


def test_a_start_goes_on_moving_pictures_of_the_same_classes_alone(toy_folder, tmp_path):
    def trained(**asked):
        return fashion_gan.train("fashion", steps=1, out=tmp_path, data=toy_folder, centre=True, **asked, **TOY).path

    def centres(source, data=toy_folder, **asked):
        return launch.plan("fashion", data=data, start_from=source, **asked, **TOY)[0].centre

    first = trained()
    assert centres(first)
    assert not centres(first, centre=False)
    others = tmp_path / "others"
    others.mkdir()
    for name, pictures in (("left", "left"), ("wrong", "right")):
        (others / name).symlink_to(toy_folder / pictures)
    assert not centres(first, data=others)
    assert not centres(trained(conditional=False), data=others, conditional=False)
