"""The lab book: every entry has its parts, and the index shows every question."""

import re
from pathlib import Path

import pytest

LAB = Path(__file__).parents[2] / "docs" / "lab"
PAGES = sorted(path for path in LAB.glob("*.md") if path.name != "index.md")
PARTS = ("Question", "Prediction", "Setup", "Result", "Verdict")
MAX_COLUMNS = 6


def entries(page: Path) -> dict[str, str]:
    """The text of each entry by its heading."""
    parts = re.split(r"^## (.+)\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_entry_has_a_date_and_all_parts_in_order(page):
    for heading, text in entries(page).items():
        assert tuple(re.findall(rf"^\*\*({'|'.join(PARTS)})\.\*\*", text, re.MULTILINE)) == PARTS, heading
        assert re.match(r"\n\*\d{4}-\d\d-\d\d", text), heading


@pytest.mark.parametrize("page", [*PAGES, LAB / "index.md"], ids=lambda page: page.stem)
def test_tables_have_at_most_six_columns(page):
    rows = re.findall(r"^\|.+\|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert max((row.count("|") - 1 for row in rows), default=0) <= MAX_COLUMNS


def test_the_index_links_to_each_entry_once():
    index = (LAB / "index.md").read_text(encoding="utf-8")
    links = re.findall(r"^- \[(.+)\]\((\w+\.md)#[\w-]+\)$", index, re.MULTILINE)
    assert sorted(links) == sorted((heading, page.name) for page in PAGES for heading in entries(page))
