"""Every example in the package's docstrings prints what the docstring says, and all of the public API has examples."""

import ast
import doctest
import importlib
import inspect
import shutil
from pathlib import Path

import numpy as np
import pytest

import fashion_gan

PACKAGE = Path(fashion_gan.__file__).parent
FIXTURES = Path(__file__).parents[1] / "fixtures"
DEFINITIONS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# Their examples run after "import fashion_gan" and "import numpy as np". Others also use the names of their modules.
PUBLIC = [name for name in fashion_gan.__all__ if callable(getattr(fashion_gan, name))]
SLOW = {"fashion_gan.api.augment_test.augment_test"}  # It trains classifiers.


def docstrings(path: Path) -> dict[str, str]:
    """Return the docstrings of a file that have examples, by the full names of what they describe."""
    text = path.read_text(encoding="utf-8")
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    found: dict[str, str] = {}

    def visit(node: ast.AST, name: str) -> None:
        docstring = ast.get_docstring(node) or ""
        if ">>>" in docstring:
            found[name] = docstring
        for child in ast.iter_child_nodes(node):
            if isinstance(child, DEFINITIONS):
                visit(child, f"{name}.{child.name}")

    if ">>>" in text:
        visit(ast.parse(text), module)
    return found


def module_of(name: str) -> str:
    """Return the module in which a thing is defined."""
    while not (PACKAGE.parent / name.replace(".", "/")).with_suffix(".py").exists():
        if (PACKAGE.parent / name.replace(".", "/") / "__init__.py").exists():
            break
        name = name.rpartition(".")[0]
    return name


def names_for(name: str) -> dict[str, object]:
    """Return the names that the examples of a thing may use."""
    module = module_of(name)
    names: dict[str, object] = {"fashion_gan": fashion_gan, "np": np}
    is_public = name.removeprefix(f"{module}.").split(".")[0] in PUBLIC
    return names if is_public else {**vars(importlib.import_module(module)), **names}


def run_examples(docstring: str, names: dict[str, object], name: str = "test") -> int:
    """Run the examples of a docstring and return their number. Raise AssertionError if an output differs."""
    report: list[str] = []
    test = doctest.DocTestParser().get_doctest(docstring, names, name, None, None)
    result = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert not result.failed, "".join(report)
    return result.attempted


EXAMPLES = {name: text for path in sorted(PACKAGE.rglob("*.py")) for name, text in docstrings(path).items()}


@pytest.fixture
def workplace(toy_run, toy_folder, tmp_path, monkeypatch, fewer_scored_images):
    """The folder of the examples: pictures, a run that was trained on them, an old generator, and two reports."""
    shutil.copytree(toy_folder, tmp_path / "pictures")
    shutil.copytree(toy_run.path, tmp_path / "runs" / "0001-fashion")
    shutil.copyfile(FIXTURES / "keras" / "keras_gan.h5", tmp_path / "old_generator.h5")
    for report in ("first-report", "second-report"):
        shutil.copytree(FIXTURES / "0.1.0" / "report", tmp_path / report)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.full) if name in SLOW else name for name in EXAMPLES]
)
def test_the_examples_of_a_docstring_print_what_it_says(workplace, name):
    assert run_examples(EXAMPLES[name], names_for(name), name)


def test_no_example_of_the_package_is_left_out():
    written = sum(path.read_text(encoding="utf-8").count(">>> ") for path in PACKAGE.rglob("*.py"))
    assert written == sum(text.count(">>> ") for text in EXAMPLES.values())


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_and_class_has_an_example(name):
    assert ">>> " in (inspect.getdoc(getattr(fashion_gan, name)) or "")


@pytest.mark.parametrize("wrong", [">>> 1 + 1\n3", ">>> fashion_gan.Config(epochs=0)", ">>> unknown\n1"])
def test_a_wrong_example_fails(wrong):
    with pytest.raises(AssertionError, match="Failed example"):
        run_examples(wrong, {"fashion_gan": fashion_gan})


def test_a_public_example_has_only_the_names_that_its_reader_has_imported():
    names = names_for("fashion_gan.generator.Generator.mix")
    assert set(names) == {"fashion_gan", "np"}
    assert "resolve" in names_for("fashion_gan.saving.origins.resolve")
