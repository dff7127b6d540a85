"""The two ways a request can fail that are the world's fault and not a bug."""


class InputError(ValueError):
    """What the user gave cannot be used; the message is one line that says what and what is allowed."""


class TrainingDiverged(RuntimeError):
    """A loss or a weight stopped being a finite number; the last good checkpoint is intact."""


def suggestion(value: str, allowed: list[str]) -> str:
    """Name what is allowed, the nearest first: ``did you mean 'dcgan-64'? (one of …)``."""
    import difflib

    near = difflib.get_close_matches(value.lower(), [name.lower() for name in allowed], n=3, cutoff=0.5)
    names = [name for name in allowed if name.lower() in near]
    hint = f"did you mean {' or '.join(repr(name) for name in names)}? " if names else ""
    return f"{hint}(one of {', '.join(allowed)})"
