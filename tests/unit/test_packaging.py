"""The project's files about packages agree with each other."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import index_readme
import lower_bounds
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, SETUPTOOLS = SETTINGS["project"], SETTINGS["tool"]["setuptools"]
NOT_LOCKED = {"torch", "torchvision", "torch-fidelity", "mpmath", "networkx", "sympy"}  # with PyTorch only
TRACKERS = {"wandb", "mlflow", "aim"}  # Neither installed nor locked by continuous integration.
ONLY_LOCKED = {"setuptools", "wheel"}  # TensorFlow requires them. pip freeze leaves them out.


def versions(name: str) -> dict[str, str]:
    """The pinned version of each package in a file."""
    lines = re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in lines}


def test_the_lock_has_the_tested_versions():
    locked, tested = versions("requirements-dev.lock"), versions("constraints.txt")
    assert {name: version for name, version in locked.items() if tested.get(name) != version}.keys() == ONLY_LOCKED
    assert tested.keys() - locked.keys() == NOT_LOCKED | TRACKERS


def test_each_locked_package_has_a_hash():
    text = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\w)", text.strip())
    assert len(blocks) == len(versions("requirements-dev.lock"))
    assert not [block for block in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}", block)]


def test_each_requirement_allows_the_tested_version_and_has_a_lower_bound():
    tested = versions("constraints.txt")
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for name, extra in extras.items() for line in extra if name != "dev")]
    for requirement in map(Requirement, lines):
        if requirement.name != "fashion-gan" and (requirement.marker is None or requirement.marker.evaluate()):
            assert requirement.specifier.contains(tested[canonicalize_name(requirement.name)]), requirement
            assert any(specifier.operator == ">=" for specifier in requirement.specifier), requirement


def test_the_lower_bounds_are_those_of_the_project():
    bounds = lower_bounds.lower_bounds()
    assert bounds["anyio"] == "4.2"
    assert bounds["keras"] == "3.15"


def test_the_source_distribution_holds_every_file_of_the_repository():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout")
    words = ["git", "-C", str(ROOT), "ls-files", "-z"]
    files = subprocess.run(words, capture_output=True, check=True).stdout.decode().split("\0")
    manifest = (ROOT / "MANIFEST.in").read_text(encoding="utf-8")
    folders = {"src", *re.findall(r"^graft (\S+)$", manifest, re.MULTILINE)}
    patterns = re.findall(r"^include (.+)$", manifest, re.MULTILINE)[0].split()
    named = {"pyproject.toml", "LICENSE", "MANIFEST.in"}
    left_out = [
        file
        for file in filter(None, files)
        if file.split("/")[0] not in folders | named and not any(Path(file).match(pattern) for pattern in patterns)
    ]
    assert left_out == [".gitignore"]


def test_the_wheel_holds_every_file_of_the_package():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout")
    package = ROOT / "src" / "fashion_gan"
    words = ["git", "-C", str(package), "ls-files", "-z"]
    files = subprocess.run(words, capture_output=True, check=True).stdout.decode().split("\0")
    patterns = SETUPTOOLS["package-data"]["fashion_gan"]
    found = {str(path.relative_to(package)) for pattern in patterns for path in package.glob(pattern)}
    left_out = [file for file in filter(None, files) if not file.endswith(".py") and file not in found]
    assert left_out == []


def test_each_action_of_the_workflows_is_named_by_its_commit():
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    uses = [line for path in workflows for line in re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))]
    assert uses
    assert not [line for line in uses if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)]


@pytest.mark.parametrize(
    ("written", "in_an_index"),
    [
        ("[a page](docs/a.md#b)", "[a page](https://a.b/o/n/blob/v1/docs/a.md#b)"),
        ("![two\nlines](docs/a.png)", "![two\nlines](https://a.b/o/n/raw/v1/docs/a.png)"),
        ('<img src="docs/a.png" width="9">', '<img src="https://a.b/o/n/raw/v1/docs/a.png" width="9">'),
        ('<img width="9" src="docs/a.png">', '<img width="9" src="https://a.b/o/n/raw/v1/docs/a.png">'),
        ("[![x](a.png)](b.md)", "[![x](https://a.b/o/n/raw/v1/a.png)](https://a.b/o/n/blob/v1/b.md)"),
        ("[web](https://x.y/z) [here](#results)", "[web](https://x.y/z) [here](#results)"),
        ("```\n[code](a.md)\n```\n", "```\n[code](a.md)\n```\n"),
    ],
)
def test_in_a_package_index_links_and_pictures_of_the_readme_have_full_addresses(written, in_an_index):
    assert index_readme.with_full_addresses(written, "https://a.b/o/n/", "v1") == in_an_index


@pytest.mark.parametrize("arguments", [[], ["https://github.com"], ["github.com/o/n"], ["https://a.b/o/n", "v1"]])
def test_a_missing_or_wrong_address_for_the_index_is_refused(capsys, arguments):
    assert index_readme.main(arguments) == 2
    assert "https://github.com/OWNER/NAME" in capsys.readouterr().err
