"""Numbers of every kind, and values in error messages."""

import fractions
import math

import numpy as np
import pytest

from fashion_gan.errors import InputError, as_array, check_flag, check_range, check_whole_number, show, suggestion

HUGE = 10**5000  # Python refuses to write it.


class Scalar:
    """A tensor without axes."""

    shape = ()

    def __array__(self, dtype=None, copy=None):
        return np.array(3)


@pytest.mark.parametrize("value", [3, 3.0, np.int8(3), np.float32(3), np.array(3), np.array(3.0), Scalar()])
def test_a_whole_number_of_any_kind_is_returned_as_an_int(value):
    number = check_whole_number("count", value, 1, 10)
    assert (number, type(number)) == (3, int)
    assert check_range("truncation", value, 0) == 3


@pytest.mark.parametrize(
    "value", ["3", None, True, np.bool_(True), 3j, (3,), [3], np.array([3]), b"3", object(), np.array("3"), {}]
)
def test_a_value_that_is_no_number_is_an_error_in_one_line(value):
    for check in (check_range, check_whole_number):
        with pytest.raises(InputError, match=r"^count=.* must be a (whole )?number$"):
            check("count", value, 1)


@pytest.mark.parametrize(
    "value",
    [0, -1, 11, math.nan, math.inf, -math.inf, HUGE, -HUGE],
    ids=lambda value: f"{float(min(max(value, -99), 99))}",
)
def test_a_number_out_of_range_is_an_error_in_one_short_line(value):
    for check in (check_range, check_whole_number):
        with pytest.raises(InputError, match=r"is out of range: it must be from 1 to 10$") as raised:
            check("count", value, 1, 10)
        assert len(str(raised.value)) < 120


def test_the_error_for_an_infinite_number_without_an_upper_limit_says_that_it_must_be_finite():
    with pytest.raises(InputError, match=r"^weight=inf is out of range: it must be at least 0 and finite$"):
        check_range("weight", math.inf, 0)


def test_a_fraction_that_no_float_holds_is_out_of_range():
    for sign in (1, -1):
        with pytest.raises(InputError, match="out of range"):
            check_range("share", sign * fractions.Fraction(HUGE), -1, 1)


def test_a_number_with_decimals_is_no_whole_number():
    with pytest.raises(InputError, match=r"^count=2\.5 must be a whole number$"):
        check_whole_number("count", np.float64(2.5), 1)


def test_only_true_and_false_are_flags():
    assert check_flag("force", np.bool_(True)) is True
    for value in (1, 0, "yes", None):
        with pytest.raises(InputError, match="must be True or False"):
            check_flag("force", value)


@pytest.mark.parametrize("values", [[[1], [1, 2]], object(), {1: 2}, (number for number in (1, 2)), None])
def test_values_without_a_common_shape_are_an_error(values):
    with pytest.raises(InputError, match=r"^latents (cannot|must) be"):
        as_array("latents", values)


@pytest.mark.parametrize("value", ["x" * 1000, [[1] * 100] * 100, "a\nb", [HUGE], np.zeros((9, 9)), {"a": "x" * 99}])
def test_a_value_is_shown_on_one_short_line(value):
    assert len(show(value)) < 80
    assert "\n" not in show(value)


def test_a_long_list_of_allowed_values_is_cut():
    assert suggestion("x", [f"class {number}" for number in range(1000)]).endswith("class 49 and 950 more)")
