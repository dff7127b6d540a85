"""Arrays -> grids, contact sheets, PNG files and animated GIFs."""

import base64
import io
import os

import numpy as np
import pytest
from PIL import Image

from fashion_gan.errors import InputError
from fashion_gan.rendering.images import (
    PADDING_LEVEL,
    class_columns,
    contact_sheet,
    grid,
    html_figure,
    load_png,
    save_gif,
    save_picture,
    to_uint8,
)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def gif_frames(path) -> tuple[list[np.ndarray], list[int]]:
    """The film's frames, and the time of each in milliseconds."""
    frames, milliseconds = [], []
    with Image.open(path) as film:
        for index in range(film.n_frames):
            film.seek(index)
            frames.append(np.asarray(film.convert("RGB")))
            milliseconds.append(film.info["duration"])
    return frames, milliseconds


# ---- Pictures in the format of their suffix ----


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("suffix", "error"), [(".PNG", 0), (".webp", 0), (".jpg", 8), (".JPEG", 8)])
def test_a_picture_has_its_pixels_in_every_format(tmp_path, channels, suffix, error):
    picture = np.linspace(0, 255, 32 * 32, dtype=np.uint8).reshape(32, 32, 1).repeat(channels, axis=2)
    save_picture(tmp_path / f"a{suffix}", picture)
    with Image.open(tmp_path / f"a{suffix}") as image:
        read = np.asarray(image.convert("L" if channels == 1 else "RGB")).reshape(picture.shape)
    assert np.abs(read.astype(int) - picture).max() <= error


def test_a_picture_with_another_suffix_is_an_error_that_lists_the_formats(tmp_path):
    for name in ("a.tga", "a", "a.png.bak"):
        with pytest.raises(InputError, match=rf"{name} must end in .png, .jpg, .jpeg or .webp$"):
            save_picture(tmp_path / name, noise(4, 4, 1))


@pytest.mark.parametrize(("name", "side"), [("a.webp", 16_384), ("a.jpg", 65_501)])
def test_a_picture_too_large_for_its_format_is_an_error_and_no_file_is_left(tmp_path, name, side):
    with pytest.raises(InputError, match=f"{name}: a picture of {side}×1 pixels is too large"):
        save_picture(tmp_path / name, np.zeros((1, side, 1), np.uint8))
    assert list(tmp_path.iterdir()) == []


# ---- to_uint8 ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pixels_survive_conversion_to_floats_and_back(dtype):
    pixels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(pixels.astype(dtype) / dtype(127.5) - dtype(1)), pixels)


def test_values_are_rounded_to_the_nearest_level_and_clipped():
    level = 2 / 255
    values = np.array([-9.0, -1.0, -1 + 0.49 * level, -1 + 0.51 * level, 1 - 0.51 * level, 1 - 0.49 * level, 1.0, 9.0])
    assert to_uint8(values).tolist() == [0, 0, 0, 1, 254, 255, 255, 255]
    assert to_uint8(values).dtype == np.uint8


# ---- grid ----


def test_grid_lays_images_out_row_by_row():
    images = np.arange(1, 6, dtype=np.uint8).reshape(5, 1, 1, 1)
    ground = PADDING_LEVEL
    expected = [
        [ground] * 7,
        [ground, 1, ground, 2, ground, 3, ground],
        [ground] * 7,
        [ground, 4, ground, 5, ground, ground, ground],
        [ground] * 7,
    ]
    assert grid(images, columns=3, padding=1)[..., 0].tolist() == expected


@pytest.mark.parametrize(("classes", "columns"), [(0, None), (1, 1), (20, 20), (21, None), (1000, None)])
def test_classes_have_a_column_each_unless_there_are_too_many(classes, columns):
    assert class_columns(classes) == columns


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (10, 4, 3), (16, 4, 4), (64, 8, 8)])
def test_grid_is_about_square_by_default(count, columns, rows):
    assert grid(noise(count, 5, 4, 3), padding=0).shape == (rows * 5, columns * 4, 3)


def test_grid_draws_each_pixel_scale_times():
    images = noise(1, 3, 2, 3)
    drawn = grid(images, padding=0, scale=4)
    assert drawn.shape == (12, 8, 3)
    for row in range(4):
        for column in range(4):
            np.testing.assert_array_equal(drawn[row::4, column::4], images[0])


@pytest.mark.parametrize(
    ("images", "options", "expected"),
    [
        (np.zeros((4, 8, 8, 1), np.float32), {}, "images must be uint8 (N, H, W, 1, 3 or 4), got float32 (4, 8, 8, 1)"),
        (noise(4, 8, 8), {}, "got uint8 (4, 8, 8)"),
        (noise(4, 8, 8, 2), {}, "got uint8 (4, 8, 8, 2)"),
        (noise(0, 8, 8, 1), {}, "got uint8 (0, 8, 8, 1)"),
        (noise(4, 8, 8, 1), {"columns": 0}, "columns=0 is out of range: it must be at least 1"),
        (noise(4, 8, 8, 1), {"padding": -1}, "padding=-1 is out of range: it must be at least 0"),
        (noise(4, 8, 8, 1), {"scale": 0}, "scale=0 is out of range: it must be at least 1"),
    ],
)
def test_grid_of_other_arrays_or_with_a_number_out_of_range_is_an_error(images, options, expected):
    with pytest.raises(InputError) as raised:
        grid(images, **options)
    assert expected in str(raised.value)


# ---- contact_sheet ----


def test_contact_sheet_shows_the_first_images_of_each_class_in_its_row():
    labels = np.array([1, 0, 1, 1, 0, 1])
    images = np.arange(101, 107, dtype=np.uint8)[:, None, None, None].repeat(56, 1).repeat(56, 2)
    sheet = contact_sheet(images, labels, ("bag", "shoe"), per_class=3)
    shown = sheet[:, -3 * 58 - 2 :, 0]  # the part to the right of the names
    centers = shown[[30, 88]][:, [30, 88, 146]]
    assert centers.tolist() == [[102, 105, PADDING_LEVEL], [101, 103, 104]]


def test_contact_sheet_writes_each_name_next_to_its_row():
    images, labels = noise(6, 28, 28, 3), np.array([0, 1, 2] * 2)
    sheet = contact_sheet(images, labels, ("Ankle boot", "", "Bag"), per_class=2)
    column = sheet[:, : -2 * 58 - 2]
    inked = [(column[2 + 58 * row : 58 + 58 * row] != PADDING_LEVEL).any() for row in range(3)]
    assert inked == [True, False, True]
    rows, columns, _ = np.nonzero(column != PADDING_LEVEL)
    margin = min(columns.min(), column.shape[1] - 1 - columns.max(), rows.min(), len(column) - 1 - rows.max())
    assert margin >= 2  # no name is cut off


def test_contact_sheet_without_classes_is_one_row_of_images():
    assert contact_sheet(noise(20, 56, 56, 1), np.zeros(20, np.int32), ()).shape == (60, 582, 1)


def test_contact_sheet_with_no_images_per_class_is_an_error():
    with pytest.raises(InputError, match="per_class=0 is out of range"):
        contact_sheet(noise(2, 8, 8, 1), np.zeros(2, np.int32), ("bag",), per_class=0)


# ---- html_figure ----


def test_html_figure_holds_the_pixels_and_escapes_the_caption():
    image = noise(7, 5, 3)
    text = html_figure(image, "<script>")
    assert "<script>" not in text
    content = base64.b64decode(text.partition("base64,")[2].partition('"')[0])
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), image)


# ---- Files ----


@pytest.mark.parametrize("channels", [1, 3])
def test_png_returns_the_saved_pixels(tmp_path, channels):
    image = noise(7, 5, channels)
    save_picture(tmp_path / "a.png", image)
    np.testing.assert_array_equal(load_png(tmp_path / "a.png"), image)


def test_png_with_a_palette_or_transparency_is_read_as_color(tmp_path):
    red = Image.new("RGB", (4, 3), (255, 0, 0))
    red.quantize(2).save(tmp_path / "palette.png")
    red.convert("RGBA").save(tmp_path / "alpha.png")
    for name in ("palette.png", "alpha.png"):
        assert load_png(tmp_path / name).tolist() == np.full((3, 4, 3), (255, 0, 0)).tolist()


def test_error_names_a_file_that_is_not_a_png(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    Image.new("L", (4, 4)).save(tmp_path / "gif.png", "GIF")
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(tmp_path / "deep.png")
    for name in ("broken.png", "gif.png", "deep.png", "missing.png"):
        with pytest.raises(InputError) as raised:
            load_png(tmp_path / name)
        assert str(raised.value).startswith(f"{tmp_path / name} cannot be read")
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("channels", [1, 3])
def test_film_shows_its_frames_in_order(tmp_path, channels):
    levels = [10, 250, 90, 170]
    frames = [np.full((6, 8, channels), level, np.uint8) for level in levels]
    save_gif(tmp_path / "a.gif", frames)
    read, _ = gif_frames(tmp_path / "a.gif")
    assert [frame[3, 4].tolist() for frame in read] == [[level] * 3 for level in levels]
    assert read[0].shape == (6, 8, 3)


def test_gray_film_keeps_every_level(tmp_path):
    frames = [noise(32, 32, 1), noise(32, 32, 1)[::-1]]
    save_gif(tmp_path / "a.gif", frames)
    for read, frame in zip(gif_frames(tmp_path / "a.gif")[0], frames, strict=True):
        np.testing.assert_array_equal(read, frame.repeat(3, -1))


def test_film_holds_its_last_frame_and_repeats_forever(tmp_path):
    save_gif(tmp_path / "a.gif", [noise(8, 8, 1), noise(8, 8, 1) // 2, noise(8, 8, 1) // 3], 0.1, 1.5)
    assert gif_frames(tmp_path / "a.gif")[1] == [100, 100, 1500]
    with Image.open(tmp_path / "a.gif") as film:
        assert film.info["loop"] == 0


def test_film_of_no_frames_or_several_shapes_is_an_error(tmp_path):
    for frames in ([], [noise(8, 8, 1), noise(8, 9, 1)]):
        with pytest.raises(InputError, match="a film needs frames of one shape"):
            save_gif(tmp_path / "a.gif", frames)
    assert list(tmp_path.iterdir()) == []


def test_image_of_floats_is_an_error_and_nothing_is_written(tmp_path):
    with pytest.raises(InputError, match="images must be uint8"):
        save_picture(tmp_path / "a.png", np.zeros((8, 8, 1)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("save", [save_picture, lambda path, image: save_gif(path, [image])], ids=["png", "gif"])
@pytest.mark.parametrize("fails_at", ["write", "rename"])
def test_failed_write_keeps_the_old_file_and_leaves_no_others(tmp_path, monkeypatch, save, fails_at):
    path = tmp_path / "a.png"
    save(path, noise(8, 8, 1))
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    def write_half(image, part, *arguments, **settings):
        part.write_bytes(b"half a picture")
        fail()

    if fails_at == "write":
        monkeypatch.setattr(Image.Image, "save", write_half)
    else:
        monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        save(path, noise(9, 9, 3))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
