"""The hand-written pages of the reference name everything that the code has."""

import json
import re
from pathlib import Path

import pytest

import fashion_gan
from fashion_gan import runs
from fashion_gan.datasets.picture_files import PICTURE_SUFFIXES
from fashion_gan.datasets.writers import CARD, NPZ, PARQUET
from fashion_gan.system.environment import code_version

ROOT = Path(__file__).parents[2]
PACKAGE, REFERENCE = ROOT / "src" / "fashion_gan", ROOT / "docs" / "reference"
OLD = ROOT / "tests" / "fixtures" / "0.1.0"
# Names in the code of a variable that is read: os.environ["X"], os.environ.get("X"), os.environ.setdefault("X", …).
READ_VARIABLE = re.compile(r"os\.environ(?:\.\w+\(|\[)\"(\w+)\"|_VARIABLE = \"(\w+)\"|\"(\w+)\" not in os\.environ")


def read(path: Path) -> dict[str, object]:
    return json.loads(path.read_text(encoding="utf-8"))


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def words(name: str) -> set[str]:
    """Return the words that a page's sentences and tables show as code."""
    prose = re.sub(r"^```.*?^```", "", page(name), flags=re.DOTALL | re.MULTILINE)
    return {word for code in re.findall(r"`([^`]+)`", prose) for word in re.split(r"[\s/,]+", code)}


def variables_in_code() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    return {name for text in texts for names in READ_VARIABLE.findall(text) for name in names if name}


def test_the_page_of_the_run_folder_names_every_part_of_a_run():
    assert set(runs.PARTS) - words("run_folder") == set()


def test_the_page_of_environment_variables_names_every_variable_that_the_code_reads():
    variables = variables_in_code()
    assert {"FASHION_GAN_DATA", "KERAS_BACKEND", "MALLOC_TRIM_THRESHOLD_", "TF_NUM_INTRAOP_THREADS"} <= variables
    assert variables - words("environment_variables") == set()


@pytest.mark.parametrize("name", [name for name in fashion_gan.__all__ if name != "__version__"])
def test_the_page_of_the_api_names_every_public_thing(name):
    directive = re.search(rf"^\.\. auto\w+:: {name}$", page("python_api"), re.MULTILINE)
    assert directive or f"fashion_gan.{name}" in words("python_api")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("a log", runs.LOG_COLUMNS),
        ("an environment", (*read(OLD / "run" / "environment.json"), *code_version(Path("no checkout")))),
        ("a dataset", (CARD, NPZ, PARQUET, *read(OLD / "dataset" / "manifest.json"))),
        ("a report", {"figures", "floor", *read(OLD / "report" / "metrics.json")}),
        ("pictures", set(PICTURE_SUFFIXES) - {".avif"}),
    ],
)
def test_the_page_of_file_formats_names_every_part_of(kind, names):
    assert set(names) - words("file_formats") == set(), kind
