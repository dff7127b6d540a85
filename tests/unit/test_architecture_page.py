"""The page about the architecture shows the modules and the imports that the code has."""

import ast
import re
from pathlib import Path

from fashion_gan.course import notebooks

ROOT = Path(__file__).parents[2]
PAGES, PACKAGE = ROOT / "docs" / "explanation", ROOT / "src" / "fashion_gan"
NOT_SHOWN = {"errors", "version", "arrays", "config", "system", "__init__", "__main__"}
PACKAGES = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}


def imported_packages(name: str) -> set[str]:
    """The packages that a package's modules import, inside functions too. The course's notebooks do not count."""
    files = [PACKAGE / f"{name}.py"] if (PACKAGE / f"{name}.py").exists() else (PACKAGE / name).rglob("*.py")
    modules = set()
    for file in set(files) - set(notebooks.sources()):
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


def modules_of_tree(text: str) -> set[str]:
    """The paths of the modules that an annotated tree of folders names.

    A line that starts with a folder opens it. The lines below belong to it if they are indented more.
    """
    modules, folders = set(), []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        folders = [(start, folder) for start, folder in folders if start < indent]
        first = line.split()[0].rstrip(":") if line.strip() else ""
        if first.endswith("/"):
            folders.append((indent, first))
        modules.update("".join(folder for _, folder in folders) + name for name in re.findall(r"\b\w+\.py\b", line))
    return modules


def test_the_annotated_tree_names_every_module():
    page = (PAGES / "architecture.md").read_text(encoding="utf-8")
    (tree,) = re.findall(r"^```text\n(src/fashion_gan/\n.+?)^```", page, re.MULTILINE | re.DOTALL)
    modules = set(PACKAGE.rglob("*.py")) - set(notebooks.sources())
    paths = {path.relative_to(ROOT).as_posix() for path in modules if not path.stem.startswith("__")}
    assert modules_of_tree(tree) == paths


def test_a_module_in_the_wrong_folder_of_a_tree_does_not_count():
    tree = "src/\n  api/   train.py\n         inner/: load.py\n  cli/   evaluate.py\nrun.py"
    assert modules_of_tree(tree) == {"src/api/train.py", "src/api/inner/load.py", "src/cli/evaluate.py", "run.py"}
