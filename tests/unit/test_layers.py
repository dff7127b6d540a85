"""The package is built in layers: a module imports only from its own layer and from earlier ones."""

import ast
from pathlib import Path

import pytest

from fashion_gan.course import notebooks

PACKAGE = notebooks.PACKAGE
LAYERS = (
    {"errors", "version", "arrays", "classes"},
    {"config"},
    {"latents"},
    {"system"},
    {"hub"},
    {"pretrained"},
    {"networks"},
    {"runs"},
    {"rendering"},
    {"editing"},
    {"datasets"},
    {"loaders"},
    {"generator"},
    {"metrics"},
    {"webpage"},
    {"saving"},
    {"training"},
    {"course"},
    {"api"},
    {"explorer"},
    {"cli"},
    {"__init__", "__main__"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def imports_from_later_layers(code: str, layer: str) -> list[str]:
    """Return the modules of later layers that a layer's code imports, inside functions too."""
    modules = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            modules += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            modules += [f"{node.module}.{name.name}" for name in node.names]
    parts = [module.split(".") for module in modules if module.split(".")[0] == "fashion_gan"]
    # A name of the package itself, such as fashion_gan.train, comes from the package's __init__, which is last.
    return [".".join(part) for part in parts if LEVEL.get((*part, "")[1], len(LAYERS)) > LEVEL[layer]]


def modules() -> list[Path]:
    """All modules. The chapters of the course are notebooks, which import the package as its users do."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path not in notebooks.sources()]


def test_each_module_imports_only_from_its_own_and_earlier_layers():
    wrong = {}
    for path in modules():
        layer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        wrong[str(path.relative_to(PACKAGE))] = imports_from_later_layers(path.read_text(), layer)
    assert {path: modules for path, modules in wrong.items() if modules} == {}


def test_each_module_belongs_to_one_layer():
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert sorted(names) == sorted(name for layer in LAYERS for name in layer)


@pytest.mark.parametrize(
    ("code", "module"),
    [
        ("from fashion_gan.training.gan import GAN", "fashion_gan.training.gan.GAN"),
        ("from fashion_gan import config, training", "fashion_gan.training"),
        ("import fashion_gan.training", "fashion_gan.training"),
        ("import fashion_gan", "fashion_gan"),
        ("from fashion_gan import load_gan", "fashion_gan.load_gan"),
        ("def build():\n    from fashion_gan.training import trainer", "fashion_gan.training.trainer"),
    ],
)
def test_an_import_from_a_later_layer_is_found(code, module):
    assert imports_from_later_layers(code, "metrics") == [module]


def test_imports_from_earlier_layers_and_other_packages_are_allowed():
    code = "import numpy\nfrom fashion_gan.config import Config\nfrom fashion_gan import datasets, metrics"
    assert imports_from_later_layers(code, "metrics") == []
