"""Libraries that report their use are imported only with that turned off."""

import ast
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from fashion_gan.system import telemetry

PACKAGE = Path(__file__).parents[2] / "src" / "fashion_gan"
REPORTING = ("onnxruntime", "openvino")


def imported_packages(code: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(code)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


def test_no_module_imports_such_a_library_directly():
    wrong = {str(path): imported_packages(path.read_text()) & set(REPORTING) for path in PACKAGE.rglob("*.py")}
    assert {path: names for path, names in wrong.items() if names} == {}


@pytest.mark.parametrize("value", [None, "0"], ids=["unset", "set by the user"])
def test_onnxruntime_is_imported_with_the_variable_set_and_the_environment_is_restored(monkeypatch, value):
    monkeypatch.delenv(telemetry.ONNX_RUNTIME_VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(telemetry.ONNX_RUNTIME_VARIABLE, value)
    before, during = dict(os.environ), []

    def import_module(name):
        during.append((name, os.environ[telemetry.ONNX_RUNTIME_VARIABLE]))
        return ModuleType(name)

    monkeypatch.setattr(telemetry.importlib, "import_module", import_module)
    assert telemetry.import_onnxruntime().__name__ == "onnxruntime"
    assert during == [("onnxruntime", value or "1")]
    assert dict(os.environ) == before


def test_openvino_is_imported_without_its_telemetry_package(monkeypatch):
    for name in ("openvino", "openvino_telemetry"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    during = []

    def import_module(name):
        during.append(sys.modules["openvino_telemetry"])
        return ModuleType(name)

    monkeypatch.setattr(telemetry.importlib, "import_module", import_module)
    assert telemetry.import_openvino().__name__ == "openvino"
    assert during == [None]
    assert "openvino_telemetry" not in sys.modules
