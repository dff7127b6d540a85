"""Paths that users give, in every function and option."""

import errno
import os
from pathlib import Path

from fashion_gan.errors import InputError, show


def user_path(name: str, path: object) -> Path:
    """A path that the user gave, with a leading ``~`` or ``~user`` replaced by the home folder.

    A file or a folder whose own name begins with ``~`` can be given as ``./~name``; or as ``~name``, if it exists and
    there is no such user.

    Args:
        name: the argument's name, for the message.
        path: a string, or an object with a path, such as ``pathlib.Path``.

    Raises:
        InputError: it is no path, it is empty or too long, or there is no such user.

    Example:
        >>> user_path("out", "~/runs") == Path.home() / "runs"
        True
    """
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str) or not text or "\0" in text:
        raise InputError(f"{name}={show(text)} must be the path of a file or a folder")
    fault = _fault(text)
    if fault:
        raise InputError(f"{name}={show(text)} must be the path of a file or a folder: {fault}")
    if not text.startswith("~"):
        # Path drops a leading "./". As an absolute path, a name that begins with "~" keeps its meaning.
        return Path(text).absolute() if str(Path(text)).startswith("~") else Path(text)
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        if os.path.lexists(text):
            return Path(text).absolute()
        user = text.partition("/")[0]
        raise InputError(f"{name}={show(text)} has no meaning: the home folder of {user} is not known") from error


def _fault(path: str) -> str:
    """Why no file can have this path; "" if one can. Most functions of ``Path`` would raise an OSError for it."""
    try:
        os.lstat(path)
    except UnicodeEncodeError:
        return "it has a character that cannot be in a path"
    except OSError as error:
        return "it is too long" if error.errno == errno.ENAMETOOLONG else ""
    return ""
