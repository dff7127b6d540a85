"""The chapters' Python files -> notebooks, by jupytext."""

import os
import re
from pathlib import Path
from typing import Any, TypeAlias

Notebook: TypeAlias = Any
"""A notebook of nbformat, which is not always installed."""

FOLDER = Path(__file__).parent
PACKAGE = FOLDER.parent
PAGE = FOLDER / "live_gan"
"""The page of chapter 1, which trains a GAN in the browser."""

KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
"""Environment variables for the notebooks: TensorFlow does not log how it starts."""

_LINK = re.compile(r"\]\(([\w./-]+\.py)\)")


def sources() -> list[Path]:
    """The Python files of all chapters and their answers, in the order of the chapters."""
    return [*sorted(FOLDER.glob("chapter_*.py")), *sorted(FOLDER.glob("answers/chapter_*.py"))]


def place(source: Path) -> Path:
    """The path of a source's notebook, relative to the folder of all notebooks."""
    return source.relative_to(FOLDER).with_suffix(".ipynb")


def linked_modules(source: Path) -> set[Path]:
    """The modules of the package that a chapter links to, relative to the package."""
    targets = {(source.parent / link).resolve() for link in _LINK.findall(source.read_text(encoding="utf-8"))}
    return {target.relative_to(PACKAGE) for target in targets if not target.is_relative_to(FOLDER)}


def notebook(source: Path, library: str) -> Notebook:
    """Read a chapter as a notebook, whose links lead to other notebooks and to the library's modules.

    Args:
        source: from ``sources``.
        library: the folder that holds the library's modules, relative to the folder of all notebooks.
    """
    import jupytext

    def relink(match: re.Match[str]) -> str:
        target = (source.parent / match[1]).resolve()
        inside = target.is_relative_to(FOLDER)
        path = place(target) if inside else Path(library, target.relative_to(PACKAGE))
        return f"]({Path(os.path.relpath(path, place(source).parent)).as_posix()})"

    made = jupytext.read(source, fmt="py:percent")
    made.metadata = KERNEL
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {name: value for name, value in cell.metadata.items() if name == "tags"}
        if cell.cell_type == "markdown":
            cell.source = _LINK.sub(relink, cell.source)
    return made
