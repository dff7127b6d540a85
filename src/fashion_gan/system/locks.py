"""Whether a file system has file locks. Some network file systems have none, such as Lustre without ``-o flock``."""

import os
import sys
from pathlib import Path


def missing_lock_reason(folder: Path) -> str | None:
    """Why files in a folder cannot be locked, in the words of the operating system. None if they can be.

    The answer comes from a new file, which no other process can have locked. Raises OSError if the folder cannot be
    written.
    """
    if sys.platform == "win32":  # Every file system of Windows has locks.
        return None
    import fcntl

    probe = folder / f".writing-{os.getpid()}-lock"
    with open(probe, "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.strerror
        finally:
            probe.unlink(missing_ok=True)
    return None
