"""Run all chapters of the course, and write the notebooks with their outputs that the documentation site shows.

python tools/make_course.py            # all chapters
python tools/make_course.py 2 3        # some
python tools/make_course.py --text     # only renew the text, if the code is the same
python tools/make_course.py --check    # only say which notebooks are older than their chapter
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from fashion_gan.course import live, notebooks

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "course"
SCRATCH = ROOT / "build" / "course"  # The chapters write their files here.
LIBRARY = "../../src/fashion_gan"
CELL_SECONDS = 1200
CHAPTER = re.compile(r"chapter_(\d)_")  # The name of a file of answers ends after the number.


def execute(notebook: Any, folder: Path) -> None:
    """Run all cells in a new kernel, and store their outputs."""
    folder.mkdir(parents=True, exist_ok=True)
    client = NotebookClient(notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": str(folder)}})
    client.execute(env={**os.environ, **notebooks.QUIET})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # The times of the run.
        if cell.cell_type == "code":
            # Progress bars are for the one who waits.
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                if output.get("name") == "stdout":  # Paths of this computer become relative.
                    output.text = output.text.replace(f"{folder}/", "")
            link_live_page(cell)


def link_live_page(cell: Any) -> None:
    """Let an output that shows the live page load it from the site's own files."""
    for output in cell.outputs:
        preset = output.get("metadata", {}).get("text/html", {}).get("preset")
        if preset:
            page = f"{notebooks.PAGE.name}/index.html"
            frame = live.DATA_ADDRESS.sub(page, output.data["text/html"]).replace("<iframe ", '<iframe loading="lazy" ')
            own_tab = f'<p><a href="{page}#{preset}" target="_blank">Open it in its own tab</a></p>'
            output.data["text/html"] = f"{frame}{own_tab}"


def make(chapter: Path, answers: Path) -> float:
    """Run a chapter, and after it its answers in the same kernel. Returns the seconds of the chapter's cells."""
    first, second = (notebooks.notebook(source, LIBRARY) for source in (chapter, answers))
    together = nbformat.from_dict({**first, "cells": [*first.cells, *second.cells]})
    start = time.perf_counter()
    execute(together, SCRATCH)
    seconds = time.perf_counter() - start
    count = len(first.cells)
    for source, cells in ((chapter, together.cells[:count]), (answers, together.cells[count:])):
        path = DOCS / notebooks.place(source)
        path.parent.mkdir(exist_ok=True)
        nbformat.write(nbformat.from_dict({**first, "cells": cells}), path)
    return seconds


def is_current(source: Path) -> bool:
    """Whether the notebook with outputs has the cells that its chapter has now."""
    path = DOCS / notebooks.place(source)
    if not path.exists():
        return False
    written = nbformat.read(path, as_version=4)
    return [cell.source for cell in written.cells] == [
        cell.source for cell in notebooks.notebook(source, LIBRARY).cells
    ]


def renew_text(source: Path) -> None:
    """Give a written notebook the present text of its chapter. Its outputs stay. Raises SystemExit if code changed."""
    path = DOCS / notebooks.place(source)
    written, present = nbformat.read(path, as_version=4), notebooks.notebook(source, LIBRARY)
    outputs = {cell.source: cell for cell in written.cells if cell.cell_type == "code"}
    if [cell.source for cell in present.cells if cell.cell_type == "code"] != list(outputs):
        raise SystemExit(f"{path.name}: its code has changed: run the chapter")
    for cell in present.cells:
        if cell.cell_type == "code":
            cell.update(outputs[cell.source], id=cell.id)
    nbformat.write(present, path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", type=int, metavar="CHAPTER")
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    chapters = {int(match[1]): source for source in notebooks.sources() if (match := CHAPTER.match(source.name))}
    if unknown := set(options.chapters) - set(chapters):
        parser.error(f"there is no chapter {min(unknown)}: the chapters are {min(chapters)} to {max(chapters)}")
    if options.text:
        for source in notebooks.sources():
            renew_text(source)
        return 0
    if options.check:
        old = [str(notebooks.place(source)) for source in notebooks.sources() if not is_current(source)]
        print("\n".join(f"{path} is older than its chapter: make course" for path in old) or "all are current")
        return bool(old)
    for number, chapter in chapters.items():
        if not options.chapters or number in options.chapters:
            seconds = make(chapter, chapter.parent / "answers" / f"chapter_{number}.py")
            print(f"{notebooks.place(chapter)}: {seconds:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
