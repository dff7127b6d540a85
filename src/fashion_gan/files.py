"""Files that are written whole or not at all, and arrays read back without running code."""

import contextlib
import os
import shutil
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
        _sync(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_written_whole(path: Path) -> Iterator[Path]:
    """Give an empty folder beside ``path`` that takes its place if all goes well; what was there before is dropped."""
    temporary, replaced = (path.with_name(f".{state}-{os.getpid()}-{path.name}") for state in ("writing", "replaced"))
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _sync(file)
        if path.exists():  # A folder that holds something cannot be replaced in one step.
            os.replace(path, replaced)
        try:
            os.replace(temporary, path)
        except OSError:
            if replaced.exists():
                os.replace(replaced, path)
            raise
    finally:
        for leftover in (temporary, replaced):
            shutil.rmtree(leftover, ignore_errors=True)


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an ``.npz`` by their names. Raises one of ``DAMAGED`` where it cannot be read."""
    with open(path, "rb") as whole, np.load(whole, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
