"""Labels of every common form."""

import numpy as np
import pytest

from fashion_gan.arrays import as_labels
from fashion_gan.errors import InputError


class Tensor:
    """Converts itself to an array, as the tensors of every framework do."""

    def __array__(self, dtype=None, copy=None):
        return np.array([2, 0, 1])


@pytest.mark.parametrize(
    "values",
    [
        [2, 0, 1],
        (2, 0, 1),
        np.array([2, 0, 1], np.uint8),
        np.array([[2], [0], [1]]),
        [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
        np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], bool),
        np.eye(3, dtype=np.float32)[[2, 0, 1]],
        [2.0, 0.0, 1.0],
        Tensor(),
    ],
)
def test_labels_of_every_common_form_are_class_numbers(values):
    labels = as_labels(values)
    assert labels.tolist() == [2, 0, 1]
    assert labels.dtype == np.int32


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1, 0], [1]], "cannot be read as an array"),
        (["2", "0"], "are <U1 of shape (2,)"),
        (3, "of shape ()"),
        (None, "must be an array or a list of numbers, not None"),
        (np.zeros((2, 2, 2)), "of shape (2, 2, 2)"),
        ([1j], "are complex128"),
        ([0.5, 1], "hold 0.5, which is no whole class number"),
        ([0, float("nan")], "hold nan"),
        ([2**40], "hold 1.09951e+12"),
        ([[1, 1], [0, 1]], "of shape (2, 2) are not one-hot"),
        ([[0, 0], [0, 1]], "of shape (2, 2) are not one-hot"),
    ],
)
def test_labels_of_any_other_form_are_an_error_that_says_what_is_taken(values, expected):
    with pytest.raises(InputError) as raised:
        as_labels(values, "labels.csv: labels")
    assert str(raised.value).startswith("labels.csv: labels ")
    assert expected in str(raised.value)
    assert "class numbers (N,) or (N, 1), or one-hot rows (N, K), are taken" in str(raised.value)
