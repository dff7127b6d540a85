"""Which files of a folder are pictures, of which classes, and which files are left out and why."""

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from fashion_gan.config import is_class_name
from fashion_gan.datasets.contents import LeftOut
from fashion_gan.datasets.picture_files import PICTURE_SUFFIXES
from fashion_gan.errors import InputError, readable

LAYOUTS = (
    "a data folder holds the four Fashion-MNIST files (or MNIST's, KMNIST's, EMNIST's), or pictures at its top, "
    f"or one subfolder of pictures for each class ({' '.join(PICTURE_SUFFIXES)})"
)
# Folders that archives, file servers and desktops make. They hold previews and other files that nobody chose.
SYSTEM_FOLDERS = {"__macosx", "@eadir", "$recycle.bin", "lost+found", "system volume information", "__pycache__"}
HIDDEN = "hidden: the name begins with a dot, or is that of a system folder"
BROKEN_LINK = "links to nothing"
NOT_A_FILE = "neither a file nor a folder"
DEEPER = "pictures in a folder inside a folder of pictures"
MAX_DEEPER = 100_000  # entries that are looked at in deeper folders, so that a folder such as "/" takes no minutes
REMEDY = "add pictures to it, remove it, or let its name begin with a dot"


class Tally:
    """The files of a folder that are left out, by the reason.

    Args:
        folder: the folder that examples are named relative to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, list[tuple[Path, str]]] = {}

    def add(self, reason: str, path: Path, detail: str = "") -> None:
        """Count a file. ``detail`` is shown after its name, if it is the example of its reason."""
        self._files.setdefault(reason, []).append((path, detail))

    def reasons_in(self, folder: Path) -> list[str]:
        """Why files in this folder, and in folders inside it, are left out."""
        return [reason for reason, files in self._files.items() if any(folder in path.parents for path, _ in files)]

    def rows(self) -> tuple[LeftOut, ...]:
        """A row for each reason, the most frequent first."""
        rows = []
        for reason, files in sorted(self._files.items(), key=lambda item: -len(item[1])):
            path, detail = files[0]
            example = f"{path.relative_to(self._folder).as_posix()} {detail}".rstrip()
            rows.append(LeftOut(_printable(reason), len(files), _printable(example)))
        return tuple(rows)


@dataclasses.dataclass(frozen=True)
class Listing:
    """The pictures of a folder.

    Attributes:
        folder: the folder.
        classes: the pictures of each class, sorted by name. A folder without classes has the one class "".
        left_out: the files that are no pictures.
        notes: sentences about what is taken, for the user.
    """

    folder: Path
    classes: dict[str, list[Path]]
    left_out: Tally
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """All pictures, in the order of their classes."""
        return [path for paths in self.classes.values() for path in paths]


def list_pictures(folder: Path) -> Listing:
    """List the pictures of each class, and what is left out.

    Pictures at the top of the folder have no classes. Otherwise each subfolder is a class, with the pictures in it. A
    class's folder that holds no pictures, but has some in folders inside it, takes those.

    Raises:
        InputError: there is no such folder, it holds no pictures, or some both at its top and in subfolders, or a
            subfolder would be a class without pictures.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: {LAYOUTS}")
    left_out = Tally(folder)
    at_top, subfolders = _pictures_in(folder, left_out)
    contents = {path: _pictures_in(path, left_out) for path in subfolders}
    has_classes = any(pictures for pictures, _ in contents.values())
    if at_top and has_classes:
        raise InputError(f"{folder} holds pictures both at its top and in subfolders: {LAYOUTS}")
    if not at_top and not has_classes:
        raise InputError(f"{folder} holds no pictures: {_hint(subfolders)}{LAYOUTS}")
    if at_top:
        _count_deeper(subfolders, left_out)
        return Listing(folder, {"": at_top}, left_out)
    _check_names(subfolders)
    classes, notes = {}, []
    for path, (pictures, deeper_folders) in contents.items():
        if pictures:
            _count_deeper(deeper_folders, left_out)
        elif pictures := _take_deeper(deeper_folders, left_out):
            notes.append(f"{path.name}: all {len(pictures):,} pictures are in folders inside its own, as {pictures[0]}")
        classes[path.name] = pictures
    listing = Listing(folder, classes, left_out, tuple(notes))
    check_classes(listing)
    return listing


def check_classes(listing: Listing) -> None:
    """Raise InputError if a class has no pictures: it would vanish, and the numbers of the classes would shift."""
    empty = [name for name, pictures in listing.classes.items() if not pictures]
    if not empty:
        return
    path = listing.folder / empty[0]
    others = f" (and {len(empty) - 1:,} more)" if empty[1:] else ""
    reasons = listing.left_out.reasons_in(path)
    held = f"holds only files that are left out ({'; '.join(reasons)})" if reasons else "is empty"
    raise InputError(f"{path}{others} would be a class without pictures: it {held}: {REMEDY}")


def _printable(text: str) -> str:
    """A text with an escape for each control character. A file's name may hold them, and a terminal would obey them."""
    letters = readable(text)
    return "".join(letter if is_class_name(letter) else letter.encode("unicode_escape").decode() for letter in letters)


def _pictures_in(folder: Path, left_out: Tally) -> tuple[list[Path], list[Path]]:
    """The pictures and the subfolders of a folder, sorted by name."""
    pictures, subfolders = [], []
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        _refuse(error)
    for path in paths:
        if path.is_dir() and not _is_hidden(path.name):
            subfolders.append(path)
        elif reason := _reason_to_leave_out(path):
            left_out.add(reason, path)
        else:
            pictures.append(path)
    return pictures, subfolders


def _is_hidden(name: str) -> bool:
    # A name such as "._cat.png" is not a picture: macOS leaves such files next to the real ones.
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def _reason_to_leave_out(path: Path) -> str:
    """Why a file is no picture; "" if it is one."""
    if _is_hidden(path.name):
        return HIDDEN
    if not path.exists():
        return BROKEN_LINK
    if not path.is_file():
        return NOT_A_FILE
    suffix = path.suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return ""
    return f"{suffix} files, which are not read" if suffix else "files without a suffix, which are not read"


def _walk(folders: list[Path], onerror: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    """Yield the files in folders and in all folders inside them, except in hidden ones."""
    for folder in folders:
        # It does not follow links, which could lead in a circle.
        for parent, subfolders, names in os.walk(folder, onerror=onerror):
            subfolders[:] = sorted(name for name in subfolders if not _is_hidden(name))
            yield from (Path(parent, name) for name in names)


def _take_deeper(folders: list[Path], left_out: Tally) -> list[Path]:
    """The pictures in folders and in all folders inside them, sorted by path."""
    pictures = []
    for path in _walk(folders, onerror=_refuse):
        if reason := _reason_to_leave_out(path):
            left_out.add(reason, path)
        else:
            pictures.append(path)
    return sorted(pictures)


def _refuse(error: OSError) -> NoReturn:
    raise InputError(f"{error.filename}: {error.strerror}") from error


def _count_deeper(folders: list[Path], left_out: Tally) -> None:
    for path in itertools.islice(_walk(folders), MAX_DEEPER):
        if not _reason_to_leave_out(path):
            left_out.add(DEEPER, path)


def _hint(subfolders: list[Path]) -> str:
    """Where pictures, or files of MNIST's kind, are, if they are only deeper in the folder."""
    for path in itertools.islice(_walk(subfolders), MAX_DEEPER):
        if "idx3-ubyte" in path.name:
            return f"there is {path.name} in {path.parent}; name that folder: "
        if not _reason_to_leave_out(path):
            return f"there are some in {path.parent}; name the folder whose subfolders are the classes: "
    return ""


def _check_names(subfolders: list[Path]) -> None:
    for path in subfolders:
        if not is_class_name(path.name):
            raise InputError(
                f"the folder {str(path)!a} cannot name a class: its name holds a control character, a line break "
                "or a byte that is not UTF-8: rename it"
            )
