"""Class names are compared as people write them, and labels of every plain form become class numbers."""

import itertools
import unicodedata

import numpy as np
import pytest

from fashion_gan.classes import class_numbers, find_class, match_classes, normal_form, same_classes
from fashion_gan.errors import InputError

NAMES = ("T-shirt/top", "Bag", "Ankle boot")
CAFE = "Café"


@pytest.mark.parametrize("name", ["T-shirt/top", "T-shirt-top", "t_shirt_TOP", "tshirt top", " T-Shirt/Top "])
def test_case_spaces_and_punctuation_do_not_change_a_class(name):
    assert find_class(name, NAMES) == 0
    assert match_classes([name], NAMES) == (0,)


def test_a_name_is_the_same_in_every_unicode_form():
    decomposed = unicodedata.normalize("NFD", CAFE)
    assert decomposed != CAFE
    assert find_class(decomposed, ("Bar", CAFE)) == 1
    assert match_classes((decomposed,), ("Bar", CAFE)) == (1,)


def test_names_of_other_scripts_and_symbols_stay_different():
    names = ("кот", "кит", "猫", "犬", "C", "C++", "😀", "😁", "?", "!")
    assert len({normal_form(name) for name in names}) == len(names)


def test_classes_are_matched_by_name_whatever_their_order():
    assert match_classes(("Hat", "Bag", "T-shirt-top"), NAMES) == (None, 1, 0)
    assert same_classes(("bag", "ankle-boot", "T-shirt-top"), NAMES)
    assert not same_classes(("Bag", "Ankle boot"), NAMES)
    assert not same_classes((), ())


def test_exact_names_are_matched_before_similar_ones():
    assert match_classes(("bag", "Bag"), ("Bag", "bag")) == (1, 0)
    assert match_classes(("bag", "Bag"), ("Bag",)) == (None, 0)


def test_folders_of_generated_pictures_match_the_classes_they_were_written_from():
    assert match_classes(("C", "C-", "C--"), ("C++", "C#", "C")) == (2, 1, 0)


def test_names_that_fit_in_several_ways_are_an_error():
    with pytest.raises(InputError, match="'BAG', 'Bag', 'bag' cannot be matched"):
        match_classes(("BAG",), ("Bag", "bag"))
    with pytest.raises(InputError, match="label='bag' is ambiguous: write it exactly as 'Bag' or 'BAG'"):
        find_class("bag", ("Bag", "BAG"))


class Tensor:
    """Converts itself to an array, as the tensors of every framework do."""

    shape = (3,)

    def __array__(self, dtype=None, copy=None):
        return np.array([2, 0, 1])


@pytest.mark.parametrize(
    "labels",
    [
        [2, 0, 1],
        ["Ankle boot", "0", 1.0],
        np.array([2, 0, 1]),
        np.array([[2.0], [0.0], [1.0]]),
        np.array(["ankle_boot", "0", "BAG"]),
        np.array([["ankle_boot"], ["0"], ["BAG"]]),
        np.eye(3)[[2, 0, 1]],
        [[2], [0], [1]],
        [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
        [np.array(2), np.int64(0), np.float32(1)],
        [np.array("ankle_boot"), np.array("0"), np.array(1)],
        (label for label in (2, 0, 1)),
        map(int, "201"),
        Tensor(),
    ],
)
def test_labels_of_every_plain_form_are_class_numbers(labels):
    numbers = class_numbers(labels, NAMES)
    assert numbers.tolist() == [2, 0, 1]
    assert numbers.dtype == np.int32


@pytest.mark.parametrize(
    "labels",
    [
        b"Bag",
        {"Bag": 1},
        {0, 1},
        None,
        object(),
        [None],
        [0.5],
        [float("nan")],
        [True],
        [3],
        [-1],
        ["3"],
        ["Hat"],
        ["9" * 5000],
        [10**5000],
        [b"Bag"],
        [[1, 1, 0]],
        [[0.2, 0.3, 0.5]],
        [[1, 0], [1]],
        np.eye(12),
        np.zeros((1, 1, 1)),
    ],
)
def test_labels_of_any_other_form_are_an_error_in_one_short_line(labels):
    with pytest.raises(InputError, match="label") as raised:
        class_numbers(labels, NAMES)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 250


def test_an_endless_iterator_is_read_up_to_the_limit():
    assert class_numbers(itertools.cycle([1]), NAMES, limit=4).tolist() == [1] * 4


def test_a_string_of_digits_is_a_number_unless_a_class_has_that_name():
    assert class_numbers(["1", "0", 1], ("1", "0")).tolist() == [0, 1, 1]
    assert class_numbers(["2"], ("2+", "b", "c")).tolist() == [2]
