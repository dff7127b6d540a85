"""Files that are written whole or not at all, and arrays read back without running code."""

import contextlib
import fnmatch
import hashlib
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
        with _told_of(path, temporary):
            yield temporary
            _sync(temporary)
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_written_whole(
    path: Path, patterns: Collection[str], *, marker: str | None = None, force: bool = False
) -> Iterator[Path]:
    """Give an empty folder beside ``path`` that takes its place if all goes well, and else leaves nothing.

    Args:
        path: the folder to be; the folder that it lies in must be there.
        patterns: of the files that may lie in it, as paths from there. A folder that holds anything else is never
            replaced: it is not one of ours.
        marker: the file that every such folder holds; one that lacks it is replaced only if it is empty.
        force: replace a folder that is there.

    Raises:
        InputError: ``path`` is there already and may not be replaced, or lies nowhere.
        OSError: it cannot be written.
    """
    path = Path(os.path.abspath(path))  # So that it has a name, also where it was given as "..".
    _check_replaceable(path, patterns, marker, force)
    temporary, replaced = (path.with_name(f".{state}-{os.getpid()}-{path.name}") for state in ("writing", "replaced"))
    try:
        with _told_of(path, temporary):
            temporary.mkdir()
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    _sync(file)
            _check_replaceable(path, patterns, marker, force)  # Somebody may have written there meanwhile.
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


def _check_replaceable(path: Path, patterns: Collection[str], marker: str | None, force: bool) -> None:
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be made: there is no folder {path.parent}")
    if not os.path.lexists(path):
        return
    if not force:
        raise InputError(f"{path} is there already: name another --out, or add --force")
    if not path.is_dir() or path.is_symlink():
        raise InputError(f"{path} is no folder: name another --out")
    allowed = [*patterns, *([] if marker is None else [marker])]
    files = sorted(found.relative_to(path).as_posix() for found in path.rglob("*") if not _is_folder(found))
    for file in files:
        if not any(fnmatch.fnmatchcase(file, pattern) for pattern in allowed):
            raise InputError(f"{path} holds {file}, which is not ours to remove: name another --out")
    if files and marker is not None and marker not in files:
        raise InputError(f"{path} holds no {marker}, so it is not ours to remove: name another --out")


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


@contextlib.contextmanager
def _told_of(path: Path, temporary: Path) -> Iterator[None]:
    """An OSError about a temporary name, in the words of whoever asked for the other."""
    try:
        yield
    except OSError as error:
        if error.filename is not None and str(error.filename).startswith(str(temporary)):
            error.filename = str(path)
            error.filename2 = None
        raise


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def sha256(path: Path) -> str:
    """A file's SHA-256, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an ``.npz`` by their names. Raises one of ``DAMAGED`` where it cannot be read."""
    with open(path, "rb") as whole, np.load(whole, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
