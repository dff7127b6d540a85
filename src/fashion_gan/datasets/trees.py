"""Folders and the files in them: those of the file system, and those inside an archive."""

import dataclasses
import enum
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from fashion_gan.errors import InputError


class Kind(enum.Enum):
    """What has a name in a folder."""

    FOLDER = "a folder"
    LINKED_FOLDER = "a link to a folder"
    FILE = "a file"
    BROKEN_LINK = "links to nothing"
    OTHER = "neither a file nor a folder"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One name in a folder.

    Attributes:
        path: its path. In an archive, it begins with the archive's own path.
        kind: what has this name.
    """

    path: Path
    kind: Kind

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder or a link to one."""
        return self.kind in (Kind.FOLDER, Kind.LINKED_FOLDER)


class Tree(Protocol):
    """Folders and files."""

    def entries(self, folder: Path) -> list[Entry]:
        """What a folder holds, sorted by name. Raises InputError if it cannot be read."""

    def open(self, path: Path) -> Path | io.BytesIO:
        """A file: its path, or its content if it is in an archive. Raises InputError if it cannot be read."""

    def stamp(self, path: Path) -> str:
        """A text that changes if a file changes: its size and the time of its last change."""


class FolderTree:
    """A folder of the file system."""

    def entries(self, folder: Path) -> list[Entry]:
        """What a folder holds, sorted by name. Raises InputError if it cannot be read."""
        try:
            return [Entry(path, _kind(path)) for path in sorted(folder.iterdir())]
        except OSError as error:
            raise InputError(f"{error.filename}: {error.strerror}") from error

    def open(self, path: Path) -> Path:
        """The path."""
        return path

    def stamp(self, path: Path) -> str:
        """The file's size and the time of its last change."""
        return file_stamp(path)


def _kind(path: Path) -> Kind:
    if path.is_dir():
        return Kind.LINKED_FOLDER if path.is_symlink() else Kind.FOLDER
    if path.is_file():
        return Kind.FILE
    return Kind.OTHER if path.exists() else Kind.BROKEN_LINK


def file_stamp(path: Path) -> str:
    """The size of a file, and the time of its last change. Raises InputError if it is gone."""
    try:
        facts = path.stat()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    return f"{facts.st_size} {facts.st_mtime_ns}"


def entries_by_folder(root: Path, files: Mapping[Path, Kind]) -> dict[Path, list[Entry]]:
    """What each folder of an archive holds, from the paths of the files in it.

    Args:
        root: the archive's path.
        files: the paths, each below the root. A path that is also a folder is left out.
    """
    folders: dict[Path, dict[Path, Kind]] = {root: {}}
    for path in files:
        folder = path.parent
        while folder not in folders:
            folders[folder] = {}
            folder = folder.parent
    for folder in folders:
        if folder != root:
            folders[folder.parent][folder] = Kind.FOLDER
    for path, kind in files.items():
        if path not in folders:
            folders[path.parent][path] = kind
    return {
        folder: [Entry(path, kind) for path, kind in sorted(entries.items())] for folder, entries in folders.items()
    }
