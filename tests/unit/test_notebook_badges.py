"""The site offers each chapter of the course as a notebook, and opens it in Colab and Kaggle."""

import importlib.util
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("sphinx")

ROOT = Path(__file__).parents[2]
ADDRESS = "https://github.com/Owner/name"
CHAPTERS = sorted((ROOT / "docs" / "course").glob("chapter_*.ipynb"))


@pytest.fixture(scope="module")
def badges():
    path = ROOT / "docs" / "extensions" / "notebook_badges.py"
    spec = importlib.util.spec_from_file_location("notebook_badges", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_the_address_of_a_repository_a_chapter_can_only_be_downloaded(badges):
    assert badges.places("chapter_1", "") == {"Download the notebook": "notebooks/chapter_1.ipynb"}


def test_colab_and_kaggle_get_the_notebook_of_the_branch_that_holds_the_site(badges):
    places = badges.places("chapter_1", f"{ADDRESS}.git")
    file = "gh-pages/course/notebooks/chapter_1.ipynb"
    assert places["Open in Colab"] == f"https://colab.research.google.com/github/Owner/name/blob/{file}"
    assert places["Open in Kaggle"].endswith(f"?src=https://raw.githubusercontent.com/Owner/name/{file}")


@pytest.mark.parametrize("address", ["https://example.com/Owner/name", "https://github.com/Owner", "Owner/name"])
def test_another_address_is_refused(badges, address):
    with pytest.raises(ValueError, match="OWNER/NAME"):
        badges.places("chapter_1", address)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_notebook_that_is_opened_elsewhere_installs_the_course_and_has_full_links(badges, chapter):
    made = badges.notebook(chapter, ADDRESS)
    nbformat.validate(made)
    assert made.cells[0].source == f'%pip install --quiet "fashion-gan[course] @ git+{ADDRESS}"'
    assert not [cell for cell in made.cells if cell.cell_type == "code" and cell.outputs]
    text = "".join(cell.source for cell in made.cells if cell.cell_type == "markdown")
    links = badges.LINK.findall(text)
    assert not links
    assert f"]({ADDRESS}/blob/main/src/fashion_gan/" in text
    assert "](https://owner.github.io/name/course/glossary.html)" in text


def test_a_downloaded_notebook_has_the_cells_of_the_chapter(badges):
    for chapter in CHAPTERS:
        sources = [
            [cell.source for cell in made.cells] for made in (badges.notebook(chapter, ""), nbformat.read(chapter, 4))
        ]
        assert sources[0] == sources[1]
