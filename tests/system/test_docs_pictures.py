"""Each picture that a page of the documentation shows is there, and a command of this repository makes it."""

import re
from pathlib import Path

import draw_docs
import numpy as np
import pytest
from docs_pictures.clothes import cut_sheet

from fashion_gan.config import PRESETS
from fashion_gan.rendering.images import grid

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)|<img[^>]* src=\"([^\"]+)\"")
# The leaderboard's pictures of each recipe.
RESULT = re.compile(rf"docs/results/(shipped|(tutorial|{'|'.join(PRESETS)})-\d+)\.png")
MADE_ELSEWHERE = {
    "docs/pictures/fashion_200_epochs.png": "docs/lab/shipped_model.md",  # which has the command
    "docs/pictures/fashion_200_epochs_curve.png": "docs/lab/shipped_model.md",
    "docs/pictures/time_to_quality.png": "benchmarks/time_to_quality.py",
    "docs/pictures/time_to_quality_pictures.png": "benchmarks/time_to_quality.py",
    "src/fashion_gan/pretrained/fashion/samples.png": "tools/make_pretrained.py",
}


def pictures_of(page: Path) -> list[str]:
    """The paths in the repository of the pictures that a page shows."""
    names = [markdown or html for markdown, html in REFERENCE.findall(page.read_text())]
    paths = [(page.parent / name).resolve() for name in names if "://" not in name]
    return [path.relative_to(ROOT).as_posix() for path in paths]


SHOWN = sorted({picture for page in PAGES for picture in pictures_of(page)})


@pytest.mark.parametrize("picture", SHOWN)
def test_a_picture_of_a_page_exists(picture):
    assert (ROOT / picture).is_file()


@pytest.mark.parametrize("picture", SHOWN)
def test_a_command_makes_the_picture_of_a_page(picture):
    if picture in MADE_ELSEWHERE:
        assert (ROOT / MADE_ELSEWHERE[picture]).is_file()
    elif not RESULT.fullmatch(picture) and not picture.endswith(".svg"):  # A drawing is its own source.
        path = ROOT / picture
        assert path.parent == draw_docs.FOLDER
        assert path.stem in draw_docs.PICTURES


def test_a_page_shows_each_picture_that_is_drawn():
    drawn = {path.relative_to(ROOT).as_posix() for path in draw_docs.FOLDER.iterdir()}
    assert drawn <= set(SHOWN)


@pytest.mark.parametrize("size", [28, 64])
def test_a_sheet_is_cut_into_the_images_that_it_was_made_of(size):
    images = np.random.default_rng(0).integers(0, 256, (100, size, size, 1), np.uint8)
    assert (cut_sheet(grid(images, columns=10)) == images).all()
