"""Copy the course's notebooks to a folder of one's own, and open them in Jupyter."""

import dataclasses
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from fashion_gan.course import notebooks
from fashion_gan.errors import InputError
from fashion_gan.system.atomic_files import atomic_file
from fashion_gan.system.installation import check_installed
from fashion_gan.system.paths import user_path

NO_UPDATE_CHECK = "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate"
"""An argument of JupyterLab, which otherwise asks the network for a newer version."""

LIBRARY = Path("library")
"""The folder of the library's modules that the chapters link to."""


@dataclasses.dataclass(frozen=True)
class CourseCopy:
    """A learner's folder.

    Attributes:
        folder: the folder.
        new: the files that were written, relative to it.
        kept: the files that were there, and were not changed.
    """

    folder: Path
    new: tuple[Path, ...]
    kept: tuple[Path, ...]


def copy_course(folder: str | Path = "gan-course") -> CourseCopy:
    """Copy the course to a folder: the chapters and the answers as notebooks, the glossary and the page of chapter 1.

    A file that is there is never changed, because it can hold a learner's work. Remove or rename a notebook, and the
    next call writes it again.

    Args:
        folder: the folder. It must be new or empty, or hold the course.

    Raises:
        InputError: the folder holds other files, its parent folder does not exist, or jupytext is missing.
        OSError: a file cannot be written.

    Example:
        >>> from fashion_gan.api.course import copy_course
        >>> copy_course("gan-course").kept
        ()
    """
    check_installed("jupytext", "course", "course")
    target = user_path("folder", folder)
    writers = _writers()
    _check_folder(target, set(writers))
    new, kept = [], []
    for path, write in writers.items():
        if (target / path).exists():
            kept.append(path)
            continue
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target / path) as temporary:
            write(temporary)
        new.append(path)
    return CourseCopy(target, tuple(new), tuple(kept))


def open_jupyter(folder: Path) -> int:
    """Open a folder in JupyterLab, and wait until JupyterLab ends. Ctrl-C ends it.

    Returns:
        JupyterLab's exit status. 0 after Ctrl-C.

    Raises:
        InputError: JupyterLab is missing.
    """
    check_installed("jupyterlab", "course", "course")
    # Ctrl-C ends it without a question, and in a container the user can be root. It serves only this computer.
    words = [sys.executable, "-m", "jupyterlab", "--ServerApp.answer_yes=True", "--allow-root", NO_UPDATE_CHECK]
    process = subprocess.Popen(words, cwd=folder, env={**notebooks.QUIET, **os.environ})
    try:
        return process.wait()
    except KeyboardInterrupt:
        # A terminal sends Ctrl-C to JupyterLab too. A scheduler's signal reaches only this process.
        process.terminate()
        process.wait()
        return 0


def _check_folder(folder: Path, files: set[Path]) -> None:
    """Raise InputError for a folder that the course must not be mixed into."""
    if folder.is_dir():
        if any(folder.iterdir()) and not any((folder / path).exists() for path in files):
            raise InputError(f"{folder} holds other files: choose a new folder for the course")
    elif folder.exists() or folder.is_symlink():
        raise InputError(f"{folder} is not a folder: choose a new folder for the course")
    elif not folder.absolute().parent.is_dir():
        raise InputError(f"{folder} cannot be written: there is no folder {folder.parent}")


def _writers() -> dict[Path, Callable[[Path], object]]:
    """A function that writes the file, for each file of the course, relative to the learner's folder."""
    sources = notebooks.sources()
    modules = set().union(*map(notebooks.linked_modules, sources))
    originals = {path.relative_to(notebooks.FOLDER): path for path in _plain_files()}
    originals |= {LIBRARY / module: notebooks.PACKAGE / module for module in sorted(modules)}
    return {
        **{notebooks.place(source): functools.partial(_write_notebook, source) for source in sources},
        **{path: functools.partial(shutil.copyfile, original) for path, original in originals.items()},
    }


def _write_notebook(source: Path, path: Path) -> None:
    import jupytext

    jupytext.write(notebooks.notebook(source, str(LIBRARY)), path, fmt="ipynb")


def _plain_files() -> list[Path]:
    """The glossary, and the files of the page."""
    return [notebooks.FOLDER / "glossary.md", *sorted(path for path in notebooks.PAGE.rglob("*") if path.is_file())]
