"""The two exceptions that do not indicate a bug, and helpers that check values and format messages."""

import difflib
import math
import numbers


class InputError(ValueError):
    """The user's input cannot be used. The message is one line: what is wrong, and what is allowed."""


class TrainingDiverged(RuntimeError):
    """A loss or a weight is no longer finite. The last good checkpoint is intact."""


def check_range(
    name: str,
    value: float,
    lowest: float = -math.inf,
    highest: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
    unit: str = "",
) -> None:
    """Check that a number is finite and within its range.

    Args:
        name: the argument's name, for the message.
        value: the number.
        lowest, highest: the ends of the range. An infinite end is no limit.
        open_low, open_high: exclude that end from the range.
        unit: a unit that the message names after the range, such as "gray levels".

    Raises:
        InputError: the number is out of range, infinite or NaN.

    Example:
        >>> check_range("epochs", 0, lowest=1)
        Traceback (most recent call last):
        fashion_gan.errors.InputError: epochs=0 is out of range: it must be at least 1
    """
    above = value > lowest if open_low else value >= lowest
    below = value < highest if open_high else value <= highest
    # math.isfinite would overflow on a very large int. An int is always finite.
    if above and below and (isinstance(value, numbers.Integral) or math.isfinite(value)):
        return
    bottom, top = _format_number(lowest), _format_number(highest)
    if math.isinf(highest):
        allowed = f"above {bottom}" if open_low else f"at least {bottom}"
    elif math.isinf(lowest):
        allowed = f"below {top}" if open_high else f"at most {top}"
    elif open_low and open_high:
        allowed = f"between {bottom} and {top}"
    elif open_low or open_high:
        allowed = f"{'above' if open_low else 'at least'} {bottom} and {'below' if open_high else 'at most'} {top}"
    else:
        allowed = f"from {bottom} to {top}"
    raise InputError(f"{name}={value!r} is out of range: it must be {allowed}{' ' + unit if unit else ''}")


def check_whole_number(name: str, value: object, lowest: int, highest: float = math.inf) -> None:
    """Check that a value is a whole number within its range. Raises InputError if it is not."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise InputError(f"{name}={value!r} must be a whole number")
    check_range(name, int(value), lowest, highest)


def _format_number(value: float) -> str:
    """A number as a message shows it: 10000 as 10,000 and 0.5 as 0.5."""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def suggestion(value: str, allowed: list[str]) -> str:
    """List the allowed values, after a hint at the closest ones: ``did you mean 'dcgan-64'? (one of …)``."""
    by_lowercase = {name.lower(): name for name in allowed}
    near = difflib.get_close_matches(value.lower(), by_lowercase, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(repr(by_lowercase[name]) for name in near)}? " if near else ""
    return f"{hint}(one of {', '.join(allowed)})"


def one_line(error: object) -> str:
    """An error's text on one line; the name of its type if it has no text."""
    return " ".join(str(error).split()) or type(error).__name__
