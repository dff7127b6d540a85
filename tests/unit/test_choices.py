"""The settings of the preset "pictures" follow from the data, and a table says why."""

import numpy as np
import pytest
from PIL import Image

from fashion_gan.datasets import PictureOptions
from fashion_gan.datasets.survey import Survey, survey
from fashion_gan.datasets.training_images import find_training_images
from fashion_gan.errors import InputError
from fashion_gan.training.choices import as_settings, choose_settings, describe


def chosen(given=None, *, on_accelerator=False, count=300, classes=(), size=(640, 480), channels=3):
    what = Survey(count, classes, size, channels)
    return as_settings(choose_settings(what, given or {}, on_accelerator=on_accelerator))


@pytest.mark.parametrize(
    ("size", "expected"),
    [((640, 480), 64), ((64, 90), 64), ((50, 50), 48), ((30, 31), 28), ((28, 28), 28), ((9, 400), 16)],
)
def test_the_size_is_that_of_the_median_picture_within_limits(size, expected):
    assert chosen(size=size)["image_size"] == expected


def test_an_accelerator_draws_larger_pictures():
    assert chosen(on_accelerator=True)["image_size"] == 128


def test_classes_are_used_if_each_has_enough_pictures():
    assert not chosen()["conditional"]
    assert not chosen(classes=(300,))["conditional"]
    assert chosen(classes=(150, 150))["conditional"]
    assert not chosen(classes=(291, 9))["conditional"]


def test_few_pictures_are_augmented():
    assert chosen(count=19_999)["augment"]
    assert not chosen(count=20_000)["augment"]


def test_grids_checkpoints_and_scores_follow_the_images_seen_and_not_the_epochs():
    few, many = chosen(count=300), chosen(count=60_000)
    assert few["save_interval"] == 67
    assert few["evaluate_every_epochs"] == 200
    assert many["save_interval"] == many["evaluate_every_epochs"] == 1
    assert "evaluate_every_epochs" not in chosen(count=49)


def test_a_batch_is_never_larger_than_the_data():
    assert chosen(count=20)["batch_size"] == 10
    assert "batch_size" not in chosen(count=32)


def test_steps_and_checkpoints_follow_the_batch_that_is_given():
    assert chosen()["steps"] == 25_000
    settings = chosen({"batch_size": 64})
    assert (settings["steps"], settings["checkpoint_every_steps"]) == (12_500, 250)
    assert chosen(count=20)["steps"] == 80_000


@pytest.mark.parametrize("loss", ["wasserstein", "relativistic"])
def test_a_loss_that_shows_no_overfitting_is_not_augmented(loss):
    assert not chosen({"loss": loss})["augment"]


@pytest.mark.parametrize("budget", ["steps", "minutes", "epochs"])
def test_what_is_given_is_not_chosen(budget):
    given = {budget: 3, "image_size": 32, "augment": False}
    assert not chosen(given).keys() & {"steps", "image_size", "augment"}
    assert "steps" in chosen()


def test_the_table_names_the_pictures_the_values_and_the_reasons():
    what = Survey(300, (100, 200), (480, 640), 3)
    text = describe(what, choose_settings(what, {}, on_accelerator=False))
    assert text.startswith("300 pictures in 2 classes, in color, the median 480×640\n\nsetting ")
    for words in ("image_size", "each class has at least 100", "fewer than 20,000 pictures", "800,000 images"):
        assert words in text


# ---- The survey ----


def surveyed(data, labels=None):
    return survey(find_training_images(data, labels), PictureOptions())


def save(path, pixels):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_a_folder_is_surveyed_without_its_damaged_pictures(tmp_path):
    random = np.random.default_rng(0)
    for name, count in (("a", 3), ("b", 2)):
        for number in range(count):
            save(tmp_path / name / f"{number}.png", random.integers(0, 256, (20 + number, 30, 3), np.uint8))
    (tmp_path / "b" / "damaged.png").write_bytes(b"no picture")
    assert surveyed(tmp_path) == Survey(6, (3, 3), (30, 21), 3)


@pytest.mark.parametrize(("transparent", "channels"), [(1, 3), (2, 4), (4, 4)])
def test_opacity_is_kept_if_half_of_the_pictures_have_it(tmp_path, transparent, channels):
    for number in range(4):
        pixels = np.full((16, 16, 4), 255, np.uint8)
        pixels[..., 0] = 7
        pixels[:4, :4, 3] = 0 if number < transparent else 255
        save(tmp_path / f"{number}.png", pixels)
    assert surveyed(tmp_path).channels == channels


def test_gray_pictures_with_three_equal_colors_are_gray(tmp_path):
    levels = np.random.default_rng(0).integers(0, 256, (16, 16, 1), np.uint8)
    save(tmp_path / "gray.png", np.repeat(levels, 3, axis=2))
    assert surveyed(tmp_path).channels == 1


def test_arrays_are_surveyed():
    images = np.random.default_rng(0).integers(0, 256, (400, 20, 24, 3), np.uint8)
    assert surveyed(images, ["x", "y"] * 200) == Survey(400, (200, 200), (24, 20), 3)


def test_a_folder_in_which_nothing_can_be_read_is_refused_with_the_reason(tmp_path):
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"damaged\.png cannot be read as a picture"):
        surveyed(tmp_path)
