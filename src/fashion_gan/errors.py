"""The two ways a request can fail that are the world's fault and not a bug."""

import difflib


class InputError(ValueError):
    """What the user gave cannot be used; the message is one line that says what and what is allowed."""


class TrainingDiverged(RuntimeError):
    """A loss or a weight stopped being a finite number; the last good checkpoint is intact."""


def suggestion(value: str, allowed: list[str]) -> str:
    """Name what is allowed, the nearest first: ``did you mean 'dcgan-64'? (one of …)``."""
    by_lower = {name.lower(): name for name in allowed}
    near = difflib.get_close_matches(value.lower(), by_lower, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(repr(by_lower[name]) for name in near)}? " if near else ""
    return f"{hint}(one of {', '.join(allowed)})"


def one_line(error: object) -> str:
    """An error's text on one line, or else what kind of error it is."""
    return " ".join(str(error).split()) or type(error).__name__
