"""Which files of a folder or an archive are pictures, of which classes, and which are left out and why."""

import dataclasses
import itertools
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from fashion_gan.config import is_class_name
from fashion_gan.datasets.archives import open_archive
from fashion_gan.datasets.contents import LeftOut
from fashion_gan.datasets.picture_files import PICTURE_SUFFIXES
from fashion_gan.datasets.trees import Entry, FolderTree, Kind, Tree
from fashion_gan.errors import InputError, readable

LAYOUTS = (
    "a data folder holds the four Fashion-MNIST files (or MNIST's, KMNIST's, EMNIST's), or pictures at its top, "
    f"or one subfolder of pictures for each class ({' '.join(PICTURE_SUFFIXES)})"
)
TRAIN = ("train", "training")
TEST = ("test", "testing", "val", "valid", "validation")
"""Names of folders of test pictures. If there are several, the first of these names is taken."""
# Folders that archives, file servers and desktops make. They hold previews and other files that nobody chose.
SYSTEM_FOLDERS = {"__macosx", "@eadir", "$recycle.bin", "lost+found", "system volume information", "__pycache__"}
HIDDEN = "hidden: the name begins with a dot, or is that of a system folder"
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

    def update(self, other: "Tally") -> None:
        """Add the files of another tally."""
        for reason, files in other._files.items():
            self._files.setdefault(reason, []).extend(files)

    def reasons_in(self, folder: Path) -> list[str]:
        """Why files in this folder, and in folders inside it, are left out."""
        return [reason for reason, files in self._files.items() if any(folder in path.parents for path, _ in files)]

    def rows(self) -> tuple[LeftOut, ...]:
        """A row for each reason, the most frequent first."""
        rows = []
        for reason, files in sorted(self._files.items(), key=lambda item: -len(item[1])):
            path, detail = files[0]
            example = f"{path.relative_to(self._folder).as_posix()} {detail}".rstrip()
            rows.append(LeftOut(printable(reason), len(files), printable(example)))
        return tuple(rows)


@dataclasses.dataclass(frozen=True)
class Listing:
    """The pictures of a folder or an archive.

    Attributes:
        folder: the folder or the archive.
        classes: the pictures of each class, sorted by name. A folder without classes has the one class "".
        left_out: the files that are no pictures.
        root: the folder in it that holds the pictures or the classes.
        tree: opens the files.
        notes: sentences about what is taken, for the user.
    """

    folder: Path
    classes: dict[str, list[Path]]
    left_out: Tally
    root: Path
    tree: Tree
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """All pictures, in the order of their classes."""
        return [path for paths in self.classes.values() for path in paths]


def list_pictures(place: Path, *, test: bool = False) -> Listing:
    """List the pictures of each class, and what is left out.

    Pictures at the top of the folder have no classes. Otherwise each subfolder is a class, with the pictures in it. A
    class's folder that holds no pictures, but has some in folders inside it, takes those. If the subfolders are
    ``train``, and perhaps ``test`` or ``val``, one of them is listed in this way. If everything in an archive is in one
    folder, that folder is listed.

    Args:
        place: the folder, or a zip or tar archive.
        test: list the test pictures, which only a place with ``train`` and ``test`` or ``val`` has.

    Raises:
        InputError: there is no such place, it holds no such pictures, or some both at its top and in subfolders, or a
            subfolder would be a class without pictures.
    """
    left_out = Tally(place)
    tree, folder = _open(place, left_out)
    parts = split_folders(tree, folder)
    notes: list[str] = []
    if parts:
        if test and not parts[1:]:
            raise InputError(f"{place} holds no test pictures")
        notes.append(_describe_parts(parts))
        folder = parts[1] if test else parts[0]
    elif test:
        raise InputError(f"{place} holds no test pictures")
    classes = _list_classes(tree, folder, left_out, notes)
    if test:  # Test pictures get the numbers of the training pictures' classes, so that an empty class does no harm.
        classes = {name: pictures for name, pictures in classes.items() if pictures}
    listing = Listing(place, classes, left_out, folder, tree, tuple(notes))
    check_classes(listing.root, classes, left_out)
    return listing


def has_pictures(folder: Path, besides: str) -> bool:
    """Whether a folder holds a picture, or a subfolder other than the one that is named."""
    entries = _visible(FolderTree(), folder)
    return any(entry.path.name != besides if entry.is_folder else not _reason_to_leave_out(entry) for entry in entries)


def has_test_pictures(place: Path) -> bool:
    """Whether a folder or an archive holds training pictures in ``train`` and others in ``test`` or ``val``."""
    tree, folder = _open(place, Tally(place))
    return len(split_folders(tree, folder)) > 1


def _open(place: Path, left_out: Tally) -> tuple[Tree, Path]:
    """The files of a folder or an archive, and the folder in it that holds the classes, or train and test."""
    if place.is_dir():
        return FolderTree(), place
    if not place.is_file():
        raise InputError(f"{place} is not a folder: {LAYOUTS}")
    tree, folder = open_archive(place), place
    for reason, path in tree.left_out:
        left_out.add(reason, path)
    while (inner := _only_folder(tree, folder, left_out)) is not None:
        folder = inner
    return tree, folder


def _only_folder(tree: Tree, folder: Path, left_out: Tally) -> Path | None:
    """The only subfolder of a folder that holds no pictures itself. Its files are left out. None if there is none."""
    pictures, subfolders = _pictures_in(tree, folder, in_folder := Tally(folder))
    if pictures or len(subfolders) != 1:
        return None
    left_out.update(in_folder)
    return subfolders[0]


def _visible(tree: Tree, folder: Path) -> list[Entry]:
    return [entry for entry in tree.entries(folder) if not _is_hidden(entry.path.name)]


def split_folders(tree: Tree, folder: Path) -> list[Path]:
    """The subfolders of training and of test pictures: none, or the first, or both, and then others of such names.

    A folder whose subfolders have other names too has classes, one of which may be called ``train``.
    """
    entries = _visible(tree, folder)
    if any(not entry.is_folder and not _reason_to_leave_out(entry) for entry in entries):
        return []
    names = {entry.path.name.casefold(): entry.path for entry in entries if entry.is_folder}
    train = [names[name] for name in TRAIN if name in names]
    test = [names[name] for name in TEST if name in names]
    return [*train, *test] if len(train) == 1 and len(train) + len(test) == len(names) else []


def _describe_parts(parts: list[Path]) -> str:
    names = [f"{path.name}/" for path in parts]
    test = f"; {names[1]} is held out, and metrics compare with it" if names[1:] else ""
    others = f"; {', '.join(names[2:])} is not used" if names[2:] else ""
    return f"{names[0]} holds the training pictures{test}{others}"


def _list_classes(tree: Tree, folder: Path, left_out: Tally, notes: list[str]) -> dict[str, list[Path]]:
    """The pictures of each class in a folder. Adds to what is left out, and to the notes."""
    at_top, subfolders = _pictures_in(tree, folder, left_out)
    contents = {path: _pictures_in(tree, path, left_out) for path in subfolders}
    has_classes = any(pictures for pictures, _ in contents.values())
    if at_top and has_classes:
        raise InputError(f"{folder} holds pictures both at its top and in subfolders: {LAYOUTS}")
    if not at_top and not has_classes:
        raise InputError(f"{folder} holds no pictures: {_hint(tree, subfolders)}{LAYOUTS}")
    if at_top:
        _count_deeper(tree, subfolders, left_out)
        return {"": at_top}
    _check_names(subfolders)
    classes = {}
    for path, (pictures, deeper_folders) in contents.items():
        if pictures:
            _count_deeper(tree, deeper_folders, left_out)
        elif pictures := _take_deeper(tree, deeper_folders, left_out):
            notes.append(f"{path.name}: all {len(pictures):,} pictures are in folders inside its own, as {pictures[0]}")
        classes[path.name] = pictures
    return classes


def check_classes(root: Path, classes: Mapping[str, Collection[object]], left_out: Tally) -> None:
    """Raise InputError if a class has no pictures: it would vanish, and the numbers of the classes would shift."""
    empty = [name for name, pictures in classes.items() if not pictures]
    if not empty:
        return
    path = root / empty[0]
    others = f" (and {len(empty) - 1:,} more)" if empty[1:] else ""
    reasons = left_out.reasons_in(path)
    held = f"holds only files that are left out ({'; '.join(reasons)})" if reasons else "is empty"
    raise InputError(f"{path}{others} would be a class without pictures: it {held}: {REMEDY}")


def printable(text: str) -> str:
    """A text with an escape for each control character. A file's name may hold them, and a terminal would obey them."""
    letters = readable(text)
    return "".join(letter if is_class_name(letter) else letter.encode("unicode_escape").decode() for letter in letters)


def _pictures_in(tree: Tree, folder: Path, left_out: Tally) -> tuple[list[Path], list[Path]]:
    """The pictures and the subfolders of a folder, sorted by name."""
    pictures, subfolders = [], []
    for entry in tree.entries(folder):
        if entry.is_folder and not _is_hidden(entry.path.name):
            subfolders.append(entry.path)
        elif reason := _reason_to_leave_out(entry):
            left_out.add(reason, entry.path)
        else:
            pictures.append(entry.path)
    return pictures, subfolders


def _is_hidden(name: str) -> bool:
    # A name such as "._cat.png" is not a picture: macOS leaves such files next to the real ones.
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def _reason_to_leave_out(entry: Entry) -> str:
    """Why an entry that is no folder is no picture; "" if it is one."""
    if _is_hidden(entry.path.name):
        return HIDDEN
    if entry.kind is not Kind.FILE:
        return entry.kind.value
    suffix = entry.path.suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        return ""
    return f"{suffix} files, which are not read" if suffix else "files without a suffix, which are not read"


def _walk(tree: Tree, folders: list[Path], *, strict: bool = False) -> Iterator[Entry]:
    """Yield the files in folders and in all folders inside them, except in hidden ones.

    Links to folders are not followed, because they could lead in a circle. A folder that cannot be read is an error if
    ``strict`` is set, and empty otherwise.
    """
    for folder in folders:
        try:
            entries = tree.entries(folder)
        except InputError:
            if strict:
                raise
            continue
        yield from (entry for entry in entries if not entry.is_folder)
        deeper = [entry.path for entry in entries if entry.kind is Kind.FOLDER and not _is_hidden(entry.path.name)]
        yield from _walk(tree, deeper, strict=strict)


def _take_deeper(tree: Tree, folders: list[Path], left_out: Tally) -> list[Path]:
    """The pictures in folders and in all folders inside them, sorted by path."""
    pictures = []
    for entry in _walk(tree, folders, strict=True):
        if reason := _reason_to_leave_out(entry):
            left_out.add(reason, entry.path)
        else:
            pictures.append(entry.path)
    return sorted(pictures)


def _count_deeper(tree: Tree, folders: list[Path], left_out: Tally) -> None:
    for entry in itertools.islice(_walk(tree, folders), MAX_DEEPER):
        if not _reason_to_leave_out(entry):
            left_out.add(DEEPER, entry.path)


def _hint(tree: Tree, subfolders: list[Path]) -> str:
    """Where pictures, or files of MNIST's kind, are, if they are only deeper in the folder."""
    for entry in itertools.islice(_walk(tree, subfolders), MAX_DEEPER):
        path = entry.path
        if "idx3-ubyte" in path.name:
            return f"there is {path.name} in {path.parent}; name that folder: "
        if not _reason_to_leave_out(entry):
            return f"there are some in {path.parent}; name the folder whose subfolders are the classes: "
    return ""


def _check_names(subfolders: list[Path]) -> None:
    for path in subfolders:
        if not is_class_name(path.name):
            raise InputError(
                f"the folder {str(path)!a} cannot name a class: its name holds a control character, a line break "
                "or a byte that is not UTF-8: rename it"
            )
