"""What all checks share: a learner's mistake becomes one line, never a traceback."""

import ast
import dataclasses
import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from fashion_gan.arrays import Array
from fashion_gan.errors import InputError, as_array, one_line

MAX_ERROR = 150
"""Characters of a learner's own error that a line shows."""

Check: TypeAlias = Callable[..., "Verdict"]

_COLORS = re.compile(r"\x1b\[[0-9;]*m")  # Keras colors its messages.


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether an answer is correct, as the truth value. A notebook does not show it: the check has printed its line.

    Attributes:
        correct: whether the answer is correct.
        line: the printed line.
    """

    correct: bool
    line: str

    def __bool__(self) -> bool:
        return self.correct

    def _ipython_display_(self) -> None:
        """Show nothing."""


class Mistake(Exception):
    """Something that is wrong with an answer.

    Args:
        problem: a sentence without its period, such as "the output has the shape (4, 10), not (4, 1)".
        hint: a sentence that helps. None: the hint of the exercise.
    """

    def __init__(self, problem: str, hint: str | None = None) -> None:
        super().__init__(problem)
        self.problem, self.hint = problem, hint


def exercise(correct: str, hint: str) -> Callable[[Callable[..., None]], Check]:
    """Turn a function that examines an answer into a check, which prints one line and never raises.

    The function raises ``Mistake`` for what is wrong. It is not called while the answer has a blank.

    Args:
        correct: a sentence that is printed after "Correct: ".
        hint: a sentence for blanks, and for all mistakes without a hint of their own.

    Returns:
        A decorator. The check takes the learner's answers, prints a line and returns a verdict.

    Example:
        >>> @exercise("it is even.", "An even number has no remainder when you divide it by 2.")
        ... def even(number):
        ...     require(number % 2 == 0, f"{number} is odd")
        >>> bool(even(3))
        Not yet: 3 is odd. Hint: An even number has no remainder when you divide it by 2.
        False
    """

    def decorate(examine: Callable[..., None]) -> Check:
        @functools.wraps(examine)
        def check(*answers: object) -> Verdict:
            mistake = _find_mistake(examine, answers)
            line = f"Not yet: {mistake.problem}. Hint: {mistake.hint or hint}" if mistake else f"Correct: {correct}"
            print(line)
            return Verdict(mistake is None, line)

        return check

    return decorate


def _find_mistake(examine: Callable[..., None], answers: Sequence[object]) -> Mistake | None:
    if any(has_blank(answer) for answer in answers):
        return Mistake("a blank (...) is left")
    try:
        examine(*answers)
    except Mistake as mistake:
        return mistake
    except Exception as error:  # Anything can be wrong with an answer.
        return Mistake(f"the answer fails the check with {describe(error)}")
    return None


def require(condition: object, problem: str, hint: str | None = None) -> None:
    """Raise ``Mistake`` unless a condition holds."""
    if not condition:
        raise Mistake(problem, hint)


def call(function: Any, *arguments: Any, hint: str | None = None) -> Any:
    """Call a learner's function.

    Returns:
        Its result, which is neither None nor ``...``.

    Raises:
        Mistake: it is no function, it raises an error, or it returns nothing.
    """
    require(callable(function), f"the answer is {_kind(function)}, not a function", hint)
    name = getattr(function, "__name__", type(function).__name__)
    try:
        result = function(*arguments)
    except Exception as error:  # The learner's code can raise anything.
        raise Mistake(f"{name} stops with {describe(error)}", hint) from error
    require(result is not None, f"{name} returns None", "Does it end with return?")
    require(result is not ..., f"{name} returns a blank (...)", hint)
    return result


def array(value: object, shape: Sequence[int | None] | None = None, name: str = "the result") -> Array:
    """Turn an array, a tensor or a list into a NumPy array.

    Args:
        value: the numbers.
        shape: the expected shape. None in it is any length.
        name: what the line calls the value.

    Raises:
        Mistake: the value holds no finite numbers, or has another shape.
    """
    try:
        numbers = as_array(name, value)
    except InputError as error:
        raise Mistake(f"{name} is {_kind(value)}, not an array") from error
    require(numbers.dtype.kind in "biuf", f"{name} is {_kind(value)}, not an array of numbers")
    if shape is not None:
        fits = len(shape) == numbers.ndim and all(a in (None, b) for a, b in zip(shape, numbers.shape, strict=True))
        wanted = str(tuple("N" if length is None else length for length in shape)).replace("'", "")
        require(fits, f"{name} has the shape {numbers.shape}, not {wanted}")
    require(abs(numbers.astype(float)).max(initial=0) < float("inf"), f"{name} holds NaN or infinite values")
    return numbers


def number(value: object, name: str) -> float:
    """One number, such as a loss. Raises ``Mistake`` for anything else."""
    numbers = array(value, name=name)
    require(numbers.ndim == 0, f"{name} has the shape {numbers.shape}, not one number", "Take the mean over the batch.")
    return float(numbers)


def has_blank(answer: object) -> bool:
    """Whether an answer is ``...``, or a function or a class whose code has one.

    ``x[..., 0]`` is an index, not a blank.
    """
    if answer is ...:
        return True
    if inspect.isclass(answer):  # Python finds no source of a class of a notebook.
        return any(has_blank(function) for function in vars(answer).values() if inspect.isfunction(function))
    if not inspect.isfunction(answer):
        return False
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(answer)))
    except (OSError, SyntaxError, TypeError):  # The source is not known.
        return False
    indexed = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Subscript) for part in ast.walk(node.slice)}
    return any(
        isinstance(node, ast.Constant) and node.value is ... and id(node) not in indexed for node in ast.walk(tree)
    )


def describe(error: BaseException) -> str:
    """An error's type and the start of its text, on one line."""
    text = _COLORS.sub("", one_line(error)).rstrip(".")
    shortened = text if len(text) <= MAX_ERROR else f"{text[:MAX_ERROR]}…"
    return f"{type(error).__name__}: {shortened}"


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"
