"""Files that are written whole or not at all, and arrays read back without running code."""

import contextlib
import os
import shutil
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.errors import InputError

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
def folder_written_whole(path: Path, names: Collection[str], *, force: bool = False) -> Iterator[Path]:
    """Give an empty folder beside ``path`` that takes its place if all goes well, and else leaves nothing.

    Args:
        path: the folder to be; the folder that it lies in must be there.
        names: what may lie in it. A folder that holds anything else is never replaced: it is not one of ours.
        force: replace a folder that is there.

    Raises:
        InputError: ``path`` is there already and may not be replaced, or lies nowhere.
        OSError: it cannot be written.
    """
    path = Path(os.path.abspath(path))  # So that it has a name, also where it was given as "..".
    _check_replaceable(path, names, force)
    temporary, replaced = (path.with_name(f".{state}-{os.getpid()}-{path.name}") for state in ("writing", "replaced"))
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _sync(file)
        _check_replaceable(path, names, force)  # Somebody may have written there meanwhile.
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


def _check_replaceable(path: Path, names: Collection[str], force: bool) -> None:
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be made: there is no folder {path.parent}")
    if not path.exists():
        return
    if not force:
        raise InputError(f"{path} is there already: name another --out, or add --force")
    if not path.is_dir() or path.is_symlink():
        raise InputError(f"{path} is no folder: name another --out")
    if foreign := sorted({found.name for found in path.iterdir()} - set(names)):
        raise InputError(f"{path} holds {foreign[0]}, which is not ours to remove: name another --out")


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an ``.npz`` by their names. Raises one of ``DAMAGED`` where it cannot be read."""
    with open(path, "rb") as whole, np.load(whole, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
