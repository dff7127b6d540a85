"""The page about the architecture shows the imports that the code has."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES, PACKAGE = ROOT / "docs" / "explanation", ROOT / "src" / "fashion_gan"
NOT_SHOWN = {"errors", "version", "arrays", "config", "system", "__init__", "__main__"}
PACKAGES = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}


def imported_packages(name: str) -> set[str]:
    """The packages that a package's modules import, inside functions too."""
    files = [PACKAGE / f"{name}.py"] if (PACKAGE / f"{name}.py").exists() else (PACKAGE / name).rglob("*.py")
    modules = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                modules.update(f"{node.module}.{alias.name}" for alias in node.names)
    parts = [module.split(".") for module in modules if module.startswith("fashion_gan.")]
    return {part[1] for part in parts} & PACKAGES - NOT_SHOWN - {name}


def rows_of_the_table() -> dict[str, set[str]]:
    """The packages of the page's table, and the packages in the last cell of each row."""
    page = (PAGES / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?`) \| .+ \| ?(.*?) ?\|$", page, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", cell)) for names, cell in rows for name in re.findall(r"`(\w+)`", names)}


def test_the_table_shows_what_each_package_imports():
    shown = rows_of_the_table()
    assert shown == {name: imported_packages(name) for name in shown}
    assert set(shown) == PACKAGES - {"__init__", "__main__"}


def test_the_drawing_names_every_package():
    drawing = (PAGES / "architecture.svg").read_text(encoding="utf-8")
    assert set(re.findall(r'font-weight="bold".*?>(\w+)<', drawing)) == PACKAGES - {"__init__", "__main__"}
