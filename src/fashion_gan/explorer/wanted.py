"""What a client asks for in JSON -> checked values, or an InputError that says what is allowed."""

import math
from typing import Any

import numpy as np

from fashion_gan.errors import InputError
from fashion_gan.latents import Latents

MAX_PICTURES = 256  # of one request
MAX_SEED = 2**31 - 1  # as far as a page's numbers stay exact
MAX_LATENT = 100  # a Gaussian number is never near it
MAX_NAME = 255  # of a class: a folder's name


class Wanted:
    """One request's values.

    Args:
        body: the request's JSON.
        latent_dim: the length of a latent.

    Raises:
        InputError: the JSON is no object; from each method, a value that is missing or not allowed.
    """

    def __init__(self, body: Any, latent_dim: int) -> None:
        if not isinstance(body, dict):
            raise InputError("a request must be a JSON object")
        self._body, self._latent_dim = body, latent_dim

    def whole(self, name: str, lowest: int, highest: int, default: int) -> int:
        """A whole number from ``lowest`` to ``highest``."""
        value = self._body.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise InputError(f"{name}={_short(value)} is not allowed: it must be a whole number, {lowest} to {highest}")
        return value

    def number(self, name: str, default: float) -> float:
        """A finite number; what uses it knows its range."""
        value = self._body.get(name, default)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 1e30:
            raise InputError(f"{name}={_short(value)} is not allowed: it must be a finite number")
        return float(value)

    @property
    def count(self) -> int:
        return self.whole("count", 1, MAX_PICTURES, 16)

    @property
    def seed(self) -> int:
        return self.whole("seed", 0, MAX_SEED, 0)

    @property
    def label(self) -> int | str | None:
        """A class, by number or name; None where the classes take turns."""
        return self._label(self._body.get("label"))

    def labels(self, count: int) -> list[int | str] | None:
        """A class for each of ``count`` pictures, or none at all."""
        values = self._body.get("labels")
        if values is None:
            return None
        if not isinstance(values, list) or len(values) != count:
            raise InputError(f"labels={_short(values)} is not allowed: it must be a list of {count}")
        labels = [label for value in values if (label := self._label(value)) is not None]
        if len(labels) not in (0, count):
            raise InputError("labels must be of all pictures or of none")
        return labels or None

    def latent(self, name: str) -> Latents:
        """One latent, (latent_dim,)."""
        return self._rows(name, [self._body.get(name)], (self._latent_dim,))[0]

    @property
    def latents(self) -> Latents:
        """Latents (N, latent_dim), N at least 1 and at most 256."""
        rows = self._body.get("latents")
        if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_PICTURES:
            raise InputError(f"latents must be a list of 1 to {MAX_PICTURES} lists of numbers")
        return self._rows("latents", rows, (len(rows), self._latent_dim))

    def _rows(self, name: str, rows: list[Any], shape: tuple[int, ...]) -> Latents:
        for row in rows:
            if not isinstance(row, list) or len(row) != self._latent_dim or not all(map(_is_of_latent, row)):
                raise InputError(f"{name} must be {shape} finite numbers from -{MAX_LATENT} to {MAX_LATENT}")
        return np.array(rows, np.float32)

    def _label(self, value: Any) -> int | str | None:
        number = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_SEED
        if value is None or number or (isinstance(value, str) and len(value) <= MAX_NAME):
            return value
        raise InputError(
            f"label={_short(value)} is not allowed: it must be a class's number, its name (at most {MAX_NAME} letters) "
            "or null"
        )


def _is_of_latent(value: Any) -> bool:
    """Neither true nor a text of digits, which NumPy would take for numbers."""
    return type(value) in (int, float) and abs(value) <= MAX_LATENT


def _short(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**18 else "a huge number"
    return text if len(text) < 40 else text[:37] + "..."
