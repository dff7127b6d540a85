"""Class names, compared as people write them, and labels of any plain form, turned into class numbers."""

import functools
import itertools
import numbers
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set

import numpy as np

from fashion_gan.arrays import Array, Labels, as_labels
from fashion_gan.errors import MAX_LISTED, MAX_SHOWN, InputError, as_array, check_whole_number, show, suggestion

MAX_LABEL_DIGITS = 9  # a longer string of digits is no class number, and int() may refuse it


@functools.lru_cache(maxsize=4096)
def folder_name(name: str) -> str:
    """A class's name as the name of a folder: "-" replaces each character that a path may not hold."""
    return re.sub(r"[^\w -]", "-", name).strip()


@functools.lru_cache(maxsize=4096)
def normal_form(name: str) -> str:
    """A name without case, spaces and punctuation, in Unicode's normal form. A name that is only punctuation stays.

    Example:
        >>> normal_form("T-shirt/top") == normal_form("t_shirt TOP")
        True
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(letter for letter in text if unicodedata.category(letter)[0] not in "ZPC") or text


# Names are compared in these forms, in this order. The first form in which two names are equal decides.
FORMS: tuple[Callable[[str], str], ...] = (str, str.strip, folder_name, normal_form)


def find_class(name: str, class_names: Sequence[str]) -> int | None:
    """The number of the class with this name. None if there is none.

    Raises:
        InputError: the name fits several classes, and is not written exactly as one of them.

    Example:
        >>> find_class("ankle_boot", ("Bag", "Ankle boot"))
        1
    """
    for form in FORMS:
        numbers = [number for number, other in enumerate(class_names) if form(other) == form(name)]
        if len(numbers) > 1:
            fitting = " or ".join(show(class_names[number]) for number in numbers[:MAX_LISTED])
            raise InputError(f"label={show(name)} is ambiguous: write it exactly as {fitting}")
        if numbers:
            return numbers[0]
    return None


def match_classes(class_names: Sequence[str], others: Sequence[str]) -> tuple[int | None, ...]:
    """For each class, the number of the class of the same name among others. None if there is none.

    Each of the others is used at most once.

    Raises:
        InputError: names differ only in case, spaces or punctuation, so that they fit in several ways.

    Example:
        >>> match_classes(("Bag", "Hat", "T-shirt-top"), ("T-shirt/top", "Bag"))
        (1, None, 0)
    """
    matches: dict[int, int] = {}
    for form in FORMS:
        own = _numbers_by_name(class_names, form, set(matches))
        free = _numbers_by_name(others, form, set(matches.values()))
        shared = [key for key in own if key in free]
        matches |= {own[key][0]: free[key][0] for key in shared if len(own[key]) == len(free[key]) == 1}
    for (
        key
    ) in shared:  # The last form is the loosest. Names that are equal even there, but not one to one, are refused.
        if len(own[key]) > 1 or len(free[key]) > 1:
            names = [*(class_names[number] for number in own[key]), *(others[number] for number in free[key])]
            raise InputError(
                f"the classes {', '.join(map(show, names[:MAX_LISTED]))} cannot be matched: their names differ only in "
                "case, spaces or punctuation"
            )
    return tuple(matches.get(number) for number in range(len(class_names)))


def _numbers_by_name(
    class_names: Sequence[str], form: Callable[[str], str], without: Collection[int]
) -> dict[str, list[int]]:
    """The numbers of the classes by the form of their names."""
    numbers = defaultdict(list)
    for number, name in enumerate(class_names):
        if number not in without:
            numbers[form(name)].append(number)
    return numbers


def same_classes(class_names: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two lists name the same classes, in any order. False if the lists are empty."""
    matches = match_classes(class_names, others)
    return bool(class_names) and len(class_names) == len(others) and None not in matches


def class_number(label: object, class_names: Sequence[str]) -> int:
    """The number of a class, from its name or its number. A string of digits is a number, unless a class has that name.

    Raises:
        InputError: there is no such class, or several fit.
    """
    if isinstance(label, np.ndarray) and not label.ndim:
        label = label.item()
    allowed = f"0 to {len(class_names) - 1}"
    if not isinstance(label, str):
        try:
            return check_whole_number("label", label, 0, len(class_names) - 1)
        except InputError as error:
            raise InputError(f"label={show(label)} is unknown: {suggestion('', class_names)}, or {allowed}") from error
    text = label.strip()
    if text.isdecimal() and label not in class_names and text not in class_names:
        number = int(text) if len(text) <= MAX_LABEL_DIGITS and int(text) < len(class_names) else None
    else:
        number = find_class(label, class_names)
    if number is None:
        raise InputError(f"label={show(label)} is unknown: {suggestion(text[:MAX_SHOWN], class_names)}, or {allowed}")
    return number


def is_single_label(labels: object) -> bool:
    """Whether this is the label of one class: a name, a number, or an array or a tensor without axes."""
    return isinstance(labels, (str, bytes, numbers.Number)) or getattr(labels, "shape", None) == ()


def class_numbers(labels: object, class_names: Sequence[str], limit: int | None = None) -> Labels:
    """Turn labels of any plain form into class numbers.

    Args:
        labels: class names and numbers (N,) or (N, 1), or one-hot rows (N, classes). They may be a list, an iterator,
            an array, or a tensor of any framework.
        class_names: the classes in the order of their numbers.
        limit: the largest number of labels that are read from an iterator, which may be endless. None: no limit.

    Returns:
        int32 (N,).

    Raises:
        InputError: a label is unknown, the labels have another shape, or a row is not one-hot.

    Example:
        >>> class_numbers(["Bag", 0, "1"], ("Hat", "Bag"))
        array([1, 0, 1], dtype=int32)
    """
    if hasattr(labels, "shape") or hasattr(labels, "__array__"):
        values = _flatten(as_array("labels", labels))
    elif isinstance(labels, Iterable) and not isinstance(labels, (str, bytes, bytearray, Mapping, Set)):
        values = list(itertools.islice(labels, limit))
        if values and not is_single_label(values[0]):
            values = _flatten(as_array("labels", values))
    else:
        raise InputError(f"labels={show(labels)} must be a class, or a list or an array of classes")
    # Many labels are few different values. Typed, because the number 1 is a label and True is not.
    read = functools.lru_cache(maxsize=None, typed=True)(lambda label: class_number(label, class_names))
    found = [
        read(value) if isinstance(value, (str, int, float)) else class_number(value, class_names) for value in values
    ]
    return np.array(found, np.int32)


def _flatten(labels: Array) -> list[object]:
    """Labels (N,) or (N, 1), or one-hot rows, as a list of N names or numbers."""
    if labels.dtype.kind in "biuf":
        labels = as_labels(labels)
    elif labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise InputError(f"labels of shape {labels.shape} must be (N,), (N, 1), or one-hot (N, classes)")
    values: list[object] = labels.tolist()
    return values
