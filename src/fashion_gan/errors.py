"""The two exceptions that do not indicate a bug, and helpers that check values and format messages."""

import difflib
import math
import numbers
import re
import reprlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_SHOWN = 60  # characters of a value that an error message shows
MAX_SHOWN_TOGETHER = 75  # of a list and its values
MAX_LISTED = 50  # allowed values that an error message lists
MAX_SHOWN_BITS = 128  # of a whole number that an error message shows
_SURROGATE = re.compile("[\ud800-\udfff]")


class InputError(ValueError):
    """The user's input cannot be used. The message is one line: what is wrong, and what is allowed.

    It is a ``ValueError``. The command prints the message and ends with status 2.

    Example:
        >>> fashion_gan.Config(epochs=0)
        Traceback (most recent call last):
        fashion_gan.errors.InputError: epochs=0 is out of range: it must be from 1 to 1,000,000
    """


class TrainingDiverged(RuntimeError):
    """A loss or a weight is no longer finite. The last good checkpoint is intact.

    It is a ``RuntimeError``. The message names the loss or the weight, and the step. The command prints it and ends
    with status 1.

    Example:
        >>> def train_with_a_second_try(**settings):
        ...     try:
        ...         return fashion_gan.train("fashion", **settings)
        ...     except fashion_gan.TrainingDiverged:
        ...         return fashion_gan.train("fashion", learning_rate=1e-4, **settings)
    """


def check_range(
    name: str,
    value: object,
    lowest: float = -math.inf,
    highest: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
    unit: str = "",
) -> float:
    """Check that a value is a finite number within its range.

    Args:
        name: the argument's name, for the message.
        value: the number: Python's, NumPy's, or an array or a tensor of shape ().
        lowest, highest: the ends of the range. An infinite end is no limit.
        open_low, open_high: exclude that end from the range.
        unit: a unit that the message names after the range, such as "gray levels".

    Returns:
        The value as Python's own number. A whole number stays an int.

    Raises:
        InputError: the value is no number, or it is out of range, infinite or NaN.

    Example:
        >>> check_range("epochs", 0, lowest=1)
        Traceback (most recent call last):
        fashion_gan.errors.InputError: epochs=0 is out of range: it must be at least 1
    """
    number = as_number(value)
    if number is None:
        raise InputError(f"{name}={show(value)} must be a number")
    above = number > lowest if open_low else number >= lowest
    below = number < highest if open_high else number <= highest
    # math.isfinite would overflow on a very large int. An int is always finite.
    if above and below and (isinstance(number, int) or math.isfinite(number)):
        return number
    bottom, top = _format_number(lowest), _format_number(highest)
    if math.isinf(highest):
        allowed = f"above {bottom}" if open_low else f"at least {bottom}"
        allowed += " and finite" if above else ""
    elif math.isinf(lowest):
        allowed = f"below {top}" if open_high else f"at most {top}"
    elif open_low and open_high:
        allowed = f"between {bottom} and {top}"
    elif open_low or open_high:
        allowed = f"{'above' if open_low else 'at least'} {bottom} and {'below' if open_high else 'at most'} {top}"
    else:
        allowed = f"from {bottom} to {top}"
    raise InputError(f"{name}={show(number)} is out of range: it must be {allowed}{' ' + unit if unit else ''}")


def check_whole_number(name: str, value: object, lowest: int, highest: float = math.inf, *, unit: str = "") -> int:
    """Check that a value is a whole number within its range, and return it as an int. 4.0 is a whole number.

    The arguments and the errors are those of ``check_range``.
    """
    number = as_number(value)
    if number is None or not (isinstance(number, int) or number.is_integer() or not math.isfinite(number)):
        raise InputError(f"{name}={show(value)} must be a whole number")
    return int(check_range(name, number, lowest, highest, unit=unit))


def check_flag(name: str, value: object) -> bool:
    """Check that a value is True or False, and return it. NumPy's are taken too."""
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"{name}={show(value)} must be True or False")
    return bool(value)


def check_choice(name: str, value: object, allowed: Iterable[str]) -> str:
    """Check that a value is one of several texts, and return it. The message suggests the nearest ones."""
    names = list(allowed)
    if not isinstance(value, str) or value not in names:
        hint = suggestion(value if isinstance(value, str) else "", names)
        raise InputError(f"{name}={show(value)} is unknown: {hint}")
    return value


def as_number(value: object) -> int | float | None:
    """A value as Python's own number. None if it is not one real number. True and False are not numbers."""
    if isinstance(value, (bool, np.bool_)):
        return None
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        try:
            return float(value)
        except OverflowError:  # A fraction that no float can hold is out of every range.
            return math.nan
    if getattr(value, "shape", None) != ():
        return None
    scalar = as_array("value", value)  # An array or a tensor of one number, without axes.
    return scalar.item() if scalar.dtype.kind in "iuf" else None


def as_array(name: str, values: object) -> npt.NDArray[Any]:
    """Turn nested lists, an array, or a tensor of any framework into a NumPy array.

    Args:
        name: the argument's name, for the message.
        values: the numbers.

    Raises:
        InputError: the values have no common shape, or are a kind of object that has no array.
    """
    try:
        if hasattr(values, "detach"):  # A PyTorch tensor. It may need gradients, or lie on an accelerator.
            values = values.detach().cpu()
        array: npt.NDArray[Any] = np.asarray(values)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise InputError(f"{name} cannot be read as an array: {one_line(error)[:200]}") from error
    if array.dtype.kind == "O" and array.ndim == 0:
        raise InputError(f"{name} must be an array or a list of numbers, not {show(values)}")
    return array


class _ShortRepr(reprlib.Repr):
    """Writes values in a few words. Python itself refuses to write a number of over 4,300 digits."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = MAX_SHOWN

    def repr_int(self, value: int, level: int) -> str:
        if value.bit_length() <= MAX_SHOWN_BITS:
            return repr(value)
        return f"<a whole number of about {round(value.bit_length() * math.log10(2)):,} digits>"


def show(value: object) -> str:
    """A value as error messages show it: on one line, in a few words; an array by its type and its shape."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and value.shape != ():
        return f"<{type(value).__name__} {value.dtype} {tuple(value.shape)}>"
    text = " ".join(_ShortRepr().repr(value.item() if isinstance(value, np.generic) else value).split())
    return text if len(text) <= MAX_SHOWN_TOGETHER else f"{text[:MAX_SHOWN_TOGETHER]}…"


def _format_number(value: float) -> str:
    """A number as a message shows it: 10000 as 10,000 and 0.5 as 0.5."""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def suggestion(value: str, allowed: Sequence[str]) -> str:
    """List the allowed values, after a hint at the closest ones: ``did you mean 'dcgan-64'? (one of …)``."""
    by_lowercase = {name.lower(): name for name in allowed}
    near = difflib.get_close_matches(value.lower(), by_lowercase, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(repr(by_lowercase[name]) for name in near)}? " if near else ""
    more = f" and {len(allowed) - MAX_LISTED:,} more" if len(allowed) > MAX_LISTED else ""
    return f"{hint}(one of {', '.join(allowed[:MAX_LISTED])}{more})"


def one_line(error: object) -> str:
    """An error's text on one line; the name of its type if it has no text."""
    return " ".join(str(error).split()) or type(error).__name__


def describe_os_error(error: OSError) -> str:
    """The file and the reason of an error of the operating system: ``clothes.png: Permission denied``."""
    return f"{error.filename or 'writing'}: {error.strerror}"


def readable(text: object) -> str:
    r"""A text that UTF-8 can encode, for messages, reports and logs.

    Python represents a byte of a path that is not UTF-8 as a surrogate, which no encoder takes. It becomes an escape.

    Example:
        >>> import os
        >>> readable(os.fsdecode(b"caf\xe9.png"))
        'caf\\xe9.png'
    """
    return _SURROGATE.sub(_escape_surrogate, str(text))


def _escape_surrogate(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
