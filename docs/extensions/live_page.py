"""Adds the course's live page, a folder of HTML and scripts, to the site, and lets chapters link to it."""

import shutil
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from fashion_gan.course.notebooks import PAGE

CHAPTERS = "course"


def link(app: Sphinx, doctree: nodes.document) -> None:
    """Turn a chapter's references to the page into links, because the page is no document of Sphinx."""
    if not app.env.docname.startswith(f"{CHAPTERS}/"):
        return
    for reference in list(doctree.findall(addnodes.pending_xref)):
        if reference["reftarget"].startswith(f"{PAGE.name}/"):
            text = reference.astext()
            reference.replace_self(nodes.reference(text, text, refuri=reference["reftarget"], internal=False))


def copy(app: Sphinx, exception: Exception | None) -> None:
    """Copy the page beside the chapters, where its links lead to it."""
    if exception is None and app.builder.format == "html":
        shutil.copytree(PAGE, Path(app.outdir) / CHAPTERS / PAGE.name, dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", link)
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
