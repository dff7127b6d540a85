"""Directions are found in closed form, measured, named by a rule, and read from files of any origin."""

import json

import numpy as np
import pytest

from fashion_gan.editing.directions import Direction, choose, principal_directions, read_directions, write_directions
from fashion_gan.editing.measures import Change, compare, name_directions, pixel_measures
from fashion_gan.errors import InputError


def responses(weights):
    """What a dense layer computes for zeros and for each unit vector, with a bias of 5."""
    return np.concatenate([np.zeros((1, weights.shape[1])), weights]) + 5


def test_the_first_direction_is_the_one_that_changes_the_layers_most():
    weights = np.diag([1.0, 3.0, 2.0])
    found = np.abs(principal_directions([responses(weights)], 3))
    assert np.allclose(found, np.eye(3)[[1, 2, 0]], atol=1e-6)


def test_layers_count_alike_however_large_they_are():
    small, large = np.diag([1.0, 0.0, 0.9]), 1000 * np.diag([0.0, 1.0, 0.5])
    layers = [responses(small), responses(large)]
    assert np.abs(principal_directions(layers, 1))[0].argmax() == 1
    assert np.abs(principal_directions([responses(small), responses(np.diag([0.0, 0.0, 1.0]))], 1))[0].argmax() == 2
    assert np.abs(principal_directions(layers, 1, scaled=False))[0, 1] > 0.999


def test_fewer_units_than_latents_still_give_all_directions():
    found = principal_directions([responses(np.eye(4)[:, :2])], 4)
    assert np.allclose(found @ found.T, np.eye(4), atol=1e-6)


def picture(*boxes, size=12):
    """A black picture with white boxes (top, left, height, width)."""
    pixels = np.zeros((1, size, size, 1), np.uint8)
    for top, left, height, width in boxes:
        pixels[0, top : top + height, left : left + width] = 200
    return pixels


def test_pixel_measures_of_a_box_are_those_of_the_box():
    found = {name: float(values[0]) for name, values in pixel_measures(picture((2, 3, 5, 4))).items()}
    assert found == {"brightness": 200, "contrast": 0, "detail": 0, "width": 4, "height": 5, "area": 1}


def test_a_dark_object_on_white_is_found_too():
    found = pixel_measures(255 - picture((2, 3, 5, 4)))
    assert (found["width"][0], found["height"][0], found["brightness"][0]) == (4, 5, 55)


def test_a_hole_lowers_the_area_and_stripes_raise_the_detail():
    assert pixel_measures(picture((1, 1, 2, 6), (5, 1, 2, 6)))["area"][0] == pytest.approx(24 / 36)
    striped = picture((1, 1, 6, 6))
    striped[0, 1:7:2, 1:7] = 100
    assert pixel_measures(striped)["detail"][0] == pytest.approx(100 * 30 / 60)


def test_an_empty_picture_has_measures():
    assert all(np.isfinite(values).all() for values in pixel_measures(np.zeros((2, 8, 8, 3), np.uint8)).values())


def test_color_pictures_have_a_warmth():
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    pixels[0, 2:5, 2:5] = (200, 100, 50)
    assert pixel_measures(pixels)["warmth"][0] == 150


def test_a_change_is_counted_in_deviations_within_a_class():
    labels = np.array([0, 0, 1, 1])
    plain = np.array([0.0, 2.0, 100.0, 102.0])  # a deviation of 1 in each class
    change = compare(plain - 1, plain + 2, labels, plain)
    assert (change.mean, change.agreement) == (3.0, 1.0)


def test_pictures_that_a_measure_means_nothing_for_do_not_count():
    labels, plain = np.array([0, 0, 1]), np.array([0.0, 2.0, np.nan])
    assert compare(plain, plain + 1, labels, plain) == Change(1.0, 1.0)
    assert compare(plain * np.nan, plain, labels, plain) == Change(0.0, 0.0)


def test_pictures_that_do_not_change_neither_agree_nor_disagree():
    plain = np.array([0.0, 2.0, 4.0, 6.0])
    change = compare(plain, plain + np.array([0, 0, 3, 3]), np.zeros(4, int), plain)
    assert change.agreement == 1.0


@pytest.mark.parametrize(
    ("row", "name", "sign"),
    [
        ({"width": Change(1.0, 0.9), "height": Change(0.7, 0.9)}, "wider", 1),
        ({"width": Change(-1.0, 0.9)}, "wider", -1),
        ({"width": Change(0.49, 1.0)}, "direction 1", 1),
        ({"width": Change(2.0, 0.66)}, "direction 1", 1),
        ({"sleeves": Change(0.9, 1.0), "width": Change(0.6, 1.0)}, "wider", 1),
        ({"sleeves": Change(1.1, 1.0), "width": Change(0.6, 1.0)}, "longer sleeves", 1),
        ({"width": Change(2.0, 0.6), "brightness": Change(0.6, 0.8)}, "brighter", 1),
    ],
)
def test_a_name_follows_from_the_largest_change_that_is_clear(row, name, sign):
    assert name_directions([row]) == [(name, sign)]


def test_a_second_direction_of_a_measure_gets_a_number():
    rows = [{"width": Change(1.0, 1.0)}, {}, {"width": Change(-1.0, 1.0)}]
    assert name_directions(rows) == [("wider", 1), ("direction 2", 1), ("wider 2", -1)]


FOUND = (
    Direction("wider", np.array([0.6, 0.8], np.float32), {"width": 1.25}, 0.98),
    Direction("direction 2", np.array([0.8, -0.6], np.float32), {"width": 0.0}, None),
)


@pytest.mark.parametrize("text", ["wider", "WIDER", " wider ", "1", 1])
def test_a_direction_is_found_by_its_name_and_number(text):
    assert choose(FOUND, text) is FOUND[0]


@pytest.mark.parametrize("text", ["taller", "0", "3", "-1", "", "9" * 5000, None, 1.5])
def test_an_unknown_direction_is_refused_with_the_known_ones(text):
    with pytest.raises(InputError, match=r"is unknown: .*wider.*, or a number from 1 to 2"):
        choose(FOUND, text)


def test_directions_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "directions.json"
    write_directions(path, FOUND, {"method": "by hand"})
    read = read_directions(path, 2)
    assert [(item.name, item.changes, item.class_kept) for item in read] == [
        (item.name, item.changes, item.class_kept) for item in FOUND
    ]
    assert np.allclose([item.vector for item in read], [item.vector for item in FOUND])
    assert read_directions(tmp_path / "missing.json", 2) == ()


ROW = {"name": "wider", "vector": [0.6, 0.8], "changes": {"width": 1}, "class_kept": 1}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"directions": 5}',
        "[" * 100_000,
        json.dumps({"directions": [{**ROW, "vector": [1, 2, 3]}]}),
        json.dumps({"directions": [{**ROW, "vector": [0, 0]}]}),
        json.dumps({"directions": [{**ROW, "vector": ["a", "b"]}]}),
        json.dumps({"directions": [{**ROW, "vector": [float("nan"), 1]}]}),
        json.dumps({"directions": [{**ROW, "changes": {"width": float("inf")}}]}),
        json.dumps({"directions": [{**ROW, "changes": None}]}),
        json.dumps({"directions": [{"name": "wider"}]}),
        json.dumps({"directions": [ROW] * 1001}),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(content, tmp_path):
    path = tmp_path / "directions.json"
    path.write_text(content)
    with pytest.raises(InputError, match="cannot be read as directions") as refused:
        read_directions(path, 2)
    assert "\n" not in str(refused.value)
