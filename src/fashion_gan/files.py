"""Files that are written whole or not at all, and arrays read back without running code."""

import contextlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DAMAGED = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile)  # what reading a damaged .npz raises


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary name in the same folder, with the same suffix, that becomes ``path`` if all goes well."""
    temporary = path.with_name(f".writing-{os.getpid()}-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an ``.npz`` by their names. Raises one of ``DAMAGED`` where it cannot be read."""
    with open(path, "rb") as whole, np.load(whole, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
