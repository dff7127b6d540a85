"""Adds each chapter as a notebook without outputs to the site, and links that open it elsewhere to its page.

Colab and Kaggle read a notebook from a public repository. So their links need its address:
``make docs ADDRESS=https://github.com/OWNER/NAME``. The site lies in the branch gh-pages, see the workflow.
"""

import re
from pathlib import Path

import nbformat
from sphinx.application import Sphinx

COURSE = "course"
FOLDER = "notebooks"
LINK = re.compile(r"\]\((?!https?:|#)([^)]+)\)")
ADDRESS = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")


def owner_and_name(address: str) -> tuple[str, str]:
    """The two parts of a GitHub repository's address. Raises ValueError if it is another address."""
    match = ADDRESS.fullmatch(address)
    if not match:
        raise ValueError(f"{address}: the address of the repository is https://github.com/OWNER/NAME")
    return match[1], match[2]


def places(name: str, address: str) -> dict[str, str]:
    """Where a chapter can be opened: addresses by their names. A download needs no address of the repository."""
    opened = {"Download the notebook": f"{FOLDER}/{name}.ipynb"}
    if address:
        file = f"gh-pages/{COURSE}/{FOLDER}/{name}.ipynb"
        repository = "/".join(owner_and_name(address))
        raw = f"https://raw.githubusercontent.com/{repository}/{file}"
        opened["Open in Colab"] = f"https://colab.research.google.com/github/{repository}/blob/{file}"
        opened["Open in Kaggle"] = f"https://www.kaggle.com/kernels/welcome?src={raw}"
    return opened


def notebook(source: Path, address: str) -> nbformat.NotebookNode:
    """A chapter without outputs. With the repository's address, its first cell installs the course."""
    made = nbformat.read(source, as_version=4)
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
        elif address:
            cell.source = LINK.sub(lambda match: f"]({full_address(match[1], address)})", cell.source)
    if address:
        install = (
            f'%pip install --quiet "fashion-gan[course] @ git+https://github.com/{"/".join(owner_and_name(address))}"'
        )
        made.cells.insert(0, nbformat.v4.new_code_cell(install, id="install"))
    return made


def full_address(link: str, address: str) -> str:
    """A link to a module leads to the repository, and one to a page of the course to the site."""
    owner, name = owner_and_name(address)
    if link.startswith("../../"):
        return f"https://github.com/{owner}/{name}/blob/main/{link.removeprefix('../../')}"
    page = re.sub(r"\.(ipynb|md)(?=$|#)", ".html", link)
    return f"https://{owner.lower()}.github.io/{name}/{COURSE}/{page}"


def add_links(app: Sphinx, pagename: str, templatename: str, context: dict[str, str], doctree: object) -> None:
    """Put the links above the text of a chapter."""
    folder, _, name = pagename.rpartition("/")
    if folder == COURSE and name.startswith("chapter_"):
        links = (
            f'<a href="{target}">{text}</a>' for text, target in places(name, app.config.repository_address).items()
        )
        context["body"] = f'<p class="open-elsewhere">{" ".join(links)}</p>{context["body"]}'


def write_notebooks(app: Sphinx, exception: Exception | None) -> None:
    """Write the notebooks beside the pages."""
    if exception is None and app.builder.format == "html":
        folder = Path(app.outdir) / COURSE / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for source in sorted((Path(app.srcdir) / COURSE).glob("chapter_*.ipynb")):
            nbformat.write(notebook(source, app.config.repository_address), folder / source.name)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("repository_address", "", "html", str)
    app.connect("html-page-context", add_links)
    app.connect("build-finished", write_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
