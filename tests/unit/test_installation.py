"""Messages about missing packages name a command that works for this installation."""

import importlib.metadata
import json
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fashion_gan.errors import InputError
from fashion_gan.system import backends, installation
from fashion_gan.system.installation import check_installed, install_command, is_installed

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Pretend that the package is installed, with what pip recorded about its source; None: nothing is known."""
    monkeypatch.setattr(installation, "CHECKOUT", tmp_path)

    def pretend(origin):
        class Distribution:
            def read_text(self, name):
                return None if origin == {} else json.dumps(origin)

        def distribution(name):
            if origin is None:
                raise importlib.metadata.PackageNotFoundError(name)
            return Distribution()

        monkeypatch.setattr(importlib.metadata, "distribution", distribution)

    return pretend


def test_a_checkout_is_installed_again_from_its_own_folder(monkeypatch, tmp_path):
    folder = tmp_path / "my checkout"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    monkeypatch.setattr(installation, "CHECKOUT", folder)
    assert shlex.split(install_command("train")) == ["pip", "install", "-e", f"{folder}[train]"]


def test_this_copy_runs_from_its_checkout():
    assert install_command("train") == f"pip install -e '{Path(__file__).parents[2]}[train]'"


@pytest.mark.parametrize(
    ("origin", "requirement"),
    [
        ({}, "fashion-gan[html]"),
        (None, "fashion-gan[html]"),
        ({"url": "file:///gone", "dir_info": {}}, "fashion-gan[html]"),
        (
            {
                "url": "https://host/gan.git",
                "vcs_info": {"vcs": "git", "commit_id": "abc"},
            },
            "fashion-gan[html] @ git+https://host/gan.git@abc",
        ),
        ({"url": "https://host/gan.whl", "archive_info": {}}, "fashion-gan[html] @ https://host/gan.whl"),
    ],
)
def test_the_command_names_the_source_of_the_installation(installed, origin, requirement):
    installed(origin)
    assert shlex.split(install_command("html")) == ["pip", "install", requirement]
    if "/gone" not in requirement and not requirement.startswith("/"):
        assert Requirement(requirement).extras == {"html"}


@pytest.mark.parametrize("name", ["a folder", "fashion_gan-0.2.0-py3-none-any.whl"])
def test_a_local_source_that_is_still_there_is_named_by_its_path(installed, tmp_path, name):
    path = tmp_path / name
    path.mkdir()
    installed({"url": path.as_uri(), "dir_info": {}})
    assert shlex.split(install_command("html")) == ["pip", "install", f"{path}[html]"]


def test_windows_gets_double_quotes(installed, monkeypatch):
    installed({})
    monkeypatch.setattr(sys, "platform", "win32")
    assert install_command("html") == 'pip install "fashion-gan[html]"'


def test_a_missing_module_is_one_line_with_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(InputError, match=r"measuring needs scipy: pip install -e '[^\n]*\[evaluate\]'$"):
        check_installed("scipy", "measuring", "evaluate")


def test_a_folder_with_a_modules_name_is_not_the_module(monkeypatch, tmp_path):
    (tmp_path / "absent_module").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not is_installed("absent_module")


def test_every_extra_in_the_code_exists():
    source = Path(installation.__file__).parents[1]
    code = "\n".join(path.read_text(encoding="utf-8") for path in source.rglob("*.py"))
    named = re.findall(r'check_installed\([^)]*"(\w+)"\)', code) + list(backends.EXTRAS.values())
    assert len(named) > 6
    assert set(named) <= set(PROJECT["optional-dependencies"])


# ---- The backend of each system ----

SYSTEMS = [
    ("linux", "x86_64"),
    ("linux", "aarch64"),
    ("darwin", "arm64"),
    ("darwin", "x86_64"),
    ("win32", "AMD64"),
]


def installed_by_train(system, machine, python):
    """The names of the packages that the extra "train" adds on a system, without those of nested extras but JAX's."""
    environment = {"sys_platform": system, "platform_machine": machine, "python_version": python, "extra": ""}
    names = []
    for line in PROJECT["optional-dependencies"]["train"]:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            names += sorted(requirement.extras) or [requirement.name]
    return names


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize(("system", "machine"), SYSTEMS)
def test_the_extra_train_installs_one_backend_on_each_system(system, machine, python):
    _, backend = installed_by_train(system, machine, python)
    version = tuple(map(int, python.split(".")))
    assert backend.startswith("tensorflow") == backends.tensorflow_exists(system, machine, version)
    assert backend in ("tensorflow", "tensorflow-cpu", "jax")
    assert (backend == "tensorflow-cpu") == ((system, machine) == ("linux", "x86_64") and python != "3.14")


def test_no_extra_pins_a_version():
    lines = [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
    assert not [line for line in lines if "==" in str(Requirement(line).specifier)]


def test_without_tensorflow_for_a_system_the_error_says_so(monkeypatch):
    monkeypatch.setattr(backends, "is_installed", lambda name: False)
    with pytest.raises(InputError, match=r"^backend 'tensorflow' is not installed: pip install .*\[train\]'$"):
        backends.check_backend("tensorflow")
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(InputError, match=r"'tensorflow' does not exist for Python 3\.\d+\.\d+ on \w+ riscv64: pip "):
        backends.check_backend("tensorflow")
    with pytest.raises(InputError, match=r"^backend 'jax' is not installed: pip install .*\[jax\]'$"):
        backends.check_backend("jax")


def test_the_default_backend_is_the_first_one_installed(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(backends, "is_installed", lambda name: name in ("jax", "torch"))
    assert backends.default_backend() == "jax"
