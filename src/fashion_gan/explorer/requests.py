"""Turn the JSON of a client's request into checked values, or raise an InputError that says what is allowed."""

import numpy as np

from fashion_gan.arrays import Latents
from fashion_gan.errors import InputError, check_whole_number, show

MAX_PICTURES = 256  # in one request
MAX_SEED = 2**31 - 1  # the largest seed of a Config too
MAX_CLASS_NUMBER = 2**31 - 1  # in absolute value: it fits in 32 bits. The generator knows which classes exist.
MAX_LATENT = 100  # far beyond any Gaussian number
MAX_NAME_LENGTH = 255  # letters of a class name, which is a folder's name


class DrawRequest:
    """The values of one request.

    Each method raises InputError if its value is not allowed, or is missing and has no default.

    Args:
        body: the request's JSON.
        latent_dim: length of a latent vector.

    Raises:
        InputError: the JSON is not an object.
    """

    def __init__(self, body: object, latent_dim: int) -> None:
        if not isinstance(body, dict):
            raise InputError("a request must be a JSON object")
        self._body, self._latent_dim = body, latent_dim

    def whole_number(self, name: str, lowest: int, highest: int, default: int) -> int:
        """Return a whole number from ``lowest`` to ``highest``."""
        return check_whole_number(name, self._body.get(name, default), lowest, highest)

    def finite_number(self, name: str, default: float) -> float:
        """Return a finite number. The function that uses it checks its range."""
        value = self._body.get(name, default)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 1e30:
            raise InputError(f"{name}={show(value)} is not allowed: it must be a finite number")
        return float(value)

    @property
    def count(self) -> int:
        """The number of pictures, from 1 to 256; 16 by default."""
        return self.whole_number("count", 1, MAX_PICTURES, 16)

    @property
    def seed(self) -> int:
        """The seed, from 0 to 2³¹ − 1; 0 by default."""
        return self.whole_number("seed", 0, MAX_SEED, 0)

    @property
    def label(self) -> int | str | None:
        """A class, by number or name. None takes the classes in turn."""
        return self._check_label(self._body.get("label"))

    def labels(self, count: int) -> list[int | str] | None:
        """Return a class for each of ``count`` pictures, or None if the request names none."""
        values = self._body.get("labels")
        if values is None:
            return None
        if not isinstance(values, list) or len(values) != count:
            raise InputError(f"labels={show(values)} is not allowed: it must be a list of {count}")
        labels = [label for value in values if (label := self._check_label(value)) is not None]
        if len(labels) not in (0, count):
            raise InputError("labels must name the class of all pictures or of none")
        return labels or None

    def latent(self, name: str) -> Latents:
        """Return one latent vector, shape (latent_dim,)."""
        return self._check_rows(name, [self._body.get(name)], (self._latent_dim,))[0]

    @property
    def latents(self) -> Latents:
        """Latent vectors, shape (N, latent_dim), with N from 1 to 256."""
        rows = self._body.get("latents")
        if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_PICTURES:
            raise InputError(f"latents must be a list of 1 to {MAX_PICTURES} lists of numbers")
        return self._check_rows("latents", rows, (len(rows), self._latent_dim))

    def _check_rows(self, name: str, rows: list[object], shape: tuple[int, ...]) -> Latents:
        for row in rows:
            if not isinstance(row, list) or len(row) != self._latent_dim or not all(map(_is_latent_number, row)):
                raise InputError(f"{name} must be {shape} finite numbers from -{MAX_LATENT} to {MAX_LATENT}")
        return np.array(rows, np.float32)

    def _check_label(self, value: object) -> int | str | None:
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_CLASS_NUMBER:
            return value
        if isinstance(value, str) and len(value) <= MAX_NAME_LENGTH:
            return value
        raise InputError(
            f"label={show(value)} is not allowed: it must be a class's number, its name (at most {MAX_NAME_LENGTH} "
            "letters) or null"
        )


def _is_latent_number(value: object) -> bool:
    """Exclude booleans and texts of digits, which NumPy would convert to numbers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MAX_LATENT
