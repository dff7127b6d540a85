"""What a client asks for in JSON -> checked values, or an InputError that says what is allowed."""

import math
from typing import Any

import numpy as np

from fashion_gan.errors import InputError
from fashion_gan.latents import Latents

MAX_PICTURES = 256  # of one request
MAX_SEED = 2**31 - 1  # as far as a page's numbers stay exact


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
        return self._floats(name, (self._latent_dim,))

    @property
    def latents(self) -> Latents:
        """Latents (N, latent_dim), N at least 1 and at most 256."""
        rows = self._body.get("latents")
        if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_PICTURES:
            raise InputError(f"latents must be a list of 1 to {MAX_PICTURES} lists of numbers")
        return self._floats("latents", (len(rows), self._latent_dim))

    def _floats(self, name: str, shape: tuple[int, ...]) -> Latents:
        try:
            with np.errstate(over="ignore"):
                values = np.asarray(self._body.get(name), np.float32)
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{name} must be {shape} numbers") from error
        if values.shape != shape or not np.isfinite(values).all():
            raise InputError(f"{name} must be {shape} finite numbers")
        return values

    def _label(self, value: Any) -> int | str | None:
        if value is None or (isinstance(value, (int, str)) and not isinstance(value, bool)):
            return value
        raise InputError(f"label={_short(value)} is not allowed: it must be a class's number or name, or null")


def _short(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**18 else "a huge number"
    return text if len(text) < 40 else text[:37] + "..."
