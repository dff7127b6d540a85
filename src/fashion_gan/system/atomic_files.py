"""Atomic writes of files and folders, checksums, and the errors that damaged files raise."""

import contextlib
import errno
import fnmatch
import hashlib
import itertools
import os
import secrets
import shutil
import tokenize
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

from fashion_gan.errors import InputError

# Reading a damaged file with zipfile and NumPy raises one of these. RuntimeError includes NotImplementedError, of
# zipfile for unknown versions, and RecursionError. TokenError comes from NumPy's reader of headers.
CORRUPT_FILE_ERRORS = (
    *(OSError, ValueError, EOFError, KeyError, OverflowError, MemoryError, RuntimeError),
    *(SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)

TEMPORARY_CHARACTERS = 50  # of a name in the name of its temporary file or folder
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# A file cannot be stored. All other errors of fsync mean that the file system has no such call.
STORAGE_ERRORS = (errno.EIO, *FULL_DISK)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Write a file atomically.

    Yields:
        A temporary path in the same folder, with the same suffix. It becomes ``path`` if the block ends without an
        error. Otherwise it is removed, and ``path`` stays as it was. If ``path`` is a link, the file that it leads to
        is replaced.

    Raises:
        InputError: a folder, a device or a pipe has this path; or the path has no name.
        OSError: the file cannot be written.
    """
    target = _regular_target(path)
    temporary = _temporary_path(target, "writing")
    try:
        with _final_path_in_errors(path, temporary):
            yield temporary
            _sync(temporary)
            _replace_file(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def check_new_path(path: Path, *, force: bool) -> None:
    """Check that a command may write to a path, before it does any work.

    Args:
        path: the file or folder that the user named.
        force: an existing one may be replaced.

    Raises:
        InputError: the path has no name, its folder does not exist, or it exists and may not be replaced.
    """
    _check_name(path)
    _check_unused(path, force)
    if not os.path.isdir(path.parent):
        raise InputError(f"{path} cannot be written: there is no folder {path.parent}")


def unused_path(path: Path) -> Path:
    """The path, if nothing is there. Otherwise the first of ``name-2.png``, ``name-3.png`` and so on that is unused."""
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in itertools.count(2))
    return next(other for other in itertools.chain([path], numbered) if not os.path.lexists(other))


def _check_unused(path: Path, force: bool) -> None:
    if os.path.lexists(path) and not force:
        raise InputError(f"{path} already exists: choose another path, or set force (--force)")


def _check_name(path: Path) -> None:
    if path.name in ("", ".."):
        raise InputError(f"{str(path)!r} is not the name of a file or a folder to write: choose another name")


def _temporary_path(path: Path, state: str) -> Path:
    # The end of the name, because a name of 255 bytes leaves no room for more. Processes of several machines may share
    # a folder, and those of containers have the same numbers.
    return path.with_name(f".{state}-{os.getpid()}-{secrets.token_hex(4)}-{path.name[-TEMPORARY_CHARACTERS:]}")


def _regular_target(path: Path) -> Path:
    """The file that is written if a path is: where a link leads, or the path itself."""
    _check_name(path)
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    if os.path.lexists(target) and not os.path.isfile(target):
        kind = "a folder" if os.path.isdir(target) else "not a regular file"
        raise InputError(f"{path} is {kind}: choose another name")
    return target


def _replace_file(temporary: Path, target: Path) -> None:
    try:
        os.replace(temporary, target)
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.EXDEV):
            raise
        shutil.copyfile(temporary, target)  # A single file that is mounted into a container cannot be replaced.


@contextlib.contextmanager
def atomic_folder(
    path: Path, patterns: Collection[str], *, marker: str | None = None, force: bool = False
) -> Iterator[Path]:
    """Write a folder atomically.

    Args:
        path: the folder to write. Its parent folder must exist.
        patterns: glob patterns of the files that it may hold, as paths relative to it. A folder that holds any other
            file is never replaced, because fashion-gan did not write it.
        marker: a file that every such folder holds. A folder without it is replaced only if it is empty.
        force: replace an existing folder.

    Yields:
        An empty temporary folder next to ``path``. It becomes ``path`` if the block ends without an error. Otherwise it
        is removed, and ``path`` stays as it was.

    Raises:
        InputError: ``path`` exists and may not be replaced, or its parent folder does not exist.
        OSError: the folder cannot be written.
    """
    path = Path(os.path.abspath(path))  # A path such as ".." has no name of its own.
    _check_name(path)
    _check_replaceable(path, patterns, marker, force)
    temporary, replaced = _temporary_path(path, "writing"), _temporary_path(path, "replaced")
    try:
        with _final_path_in_errors(path, temporary):
            temporary.mkdir()
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    _sync(file)
            _check_replaceable(path, patterns, marker, force)  # Another process may have written there meanwhile.
            _replace_folder(temporary, path, replaced)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace_folder(temporary: Path, path: Path, replaced: Path) -> None:
    """Rename the temporary folder to ``path``. An old folder becomes ``replaced``, and comes back if this fails."""
    if path.exists():  # No system call replaces a folder that holds files, so this takes two steps.
        os.replace(path, replaced)
    try:
        os.replace(temporary, path)
    except BaseException:  # A Ctrl-C too.
        if replaced.exists():
            os.replace(replaced, path)
        raise
    shutil.rmtree(replaced, ignore_errors=True)


def _check_replaceable(path: Path, patterns: Collection[str], marker: str | None, force: bool) -> None:
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be made: there is no folder {path.parent}")
    _check_unused(path, force)
    if not os.path.lexists(path):
        return
    if not path.is_dir() or path.is_symlink():
        raise InputError(f"{path} is not a folder: choose another path")
    allowed = [*patterns, *([] if marker is None else [marker])]
    files = sorted(entry.relative_to(path).as_posix() for entry in path.rglob("*") if not _is_folder(entry))
    for file in files:
        if not any(fnmatch.fnmatchcase(file, pattern) for pattern in allowed):
            raise InputError(f"{path} holds {file}, which fashion-gan did not write: choose another path")
    if files and marker is not None and marker not in files:
        raise InputError(f"{path} holds no {marker}, so fashion-gan did not write it: choose another path")


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


@contextlib.contextmanager
def _final_path_in_errors(path: Path, temporary: Path) -> Iterator[None]:
    """Make an OSError name the final path, if it names the temporary path, which the caller does not know, or none."""
    try:
        yield
    except OSError as error:
        if error.filename is None or str(error.filename).startswith(str(temporary)):
            error.filename = str(path)
            error.filename2 = None
        raise


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed process left half-written in a folder and its subfolders."""
    for leftover in list(folder.rglob(".writing-*")):
        if _is_folder(leftover):
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until the disk has a file's content, if its file system can tell. Raises OSError if it cannot be stored."""
    with open(path, "r+b") as file:  # Windows syncs only files that are open for writing.
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno in STORAGE_ERRORS:
                raise


def sha256(path: Path) -> str:
    """A file's SHA-256, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
