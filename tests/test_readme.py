"""The README's commands, run as written."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import keras
import pytest
from conftest import TOY_FLAGS, command

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [
    line.split(" #")[0].strip()
    for language, text in BLOCKS
    if language == "bash"
    for line in text.splitlines()
    if line.startswith("fashion-gan ")
]


@pytest.fixture(scope="module")
def place(tmp_path_factory, toy_folder):
    """A folder where README's run exists already, made in seconds, and pictures of one's own."""
    place = tmp_path_factory.mktemp("readme")
    done = command("train", "--preset", "fashion", "--width=2", "--steps=20", "--out=runs", cwd=place)
    assert done.returncode == 0, done.stderr
    (place / "my-pictures").symlink_to(toy_folder)
    layers = [keras.Input((4,)), keras.layers.Dense(16, activation="tanh"), keras.layers.Reshape((4, 4, 1))]
    keras.Sequential(layers).save(place / "old_generator.h5")
    done = command("evaluate", "runs/0001-fashion", "--protocol", "classes10k", cwd=place)
    assert done.returncode == 0, done.stderr
    (place / "runs" / "0002-transposed").symlink_to("0001-fashion")
    return place


def test_the_readme_shows_the_commands_that_it_is_about():
    verbs = {shlex.split(line)[1] for line in COMMANDS}
    assert verbs == {
        "train",
        "generate",
        "data",
        "evaluate",
        "compare",
        "dataset",
        "augment-test",
        "export",
        "import",
        "explore",
    }


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_does_what_it_says(place, line):
    words = shlex.split(line)[1:]
    if words[0] == "explore":
        pytest.skip("serves until it is stopped; test_explorer_page.py does that")
    if "--self-check" in words:
        pytest.skip("takes minutes; test_canaries.py does the same with fewer images")
    if words[0] == "augment-test":
        pytest.skip("trains for minutes; test_trial.py does the same with toys")
    if words[0] == "evaluate":
        words += ["--protocol", "classes10k", "--force"]  # It was evaluated already, so that it could be compared.
    if words[0] == "train" and not {"--minutes", "--resume", "--dry-run"} & set(words):
        words.append("--dry-run")  # It would train for long; that it is understood is what can be seen in seconds.
    if "--minutes" in words:
        words[words.index("--minutes") + 1] = "0.05"
        # The shipped weights are of networks of their own width.
        words += [flag for flag in TOY_FLAGS if "--width" in flag and "--start-from" not in words]
    done = command(*words, cwd=place)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", [text for language, text in BLOCKS if language == "python"])
def test_python_of_the_readme_runs(place, code):
    short = code.replace("epochs=50", "steps=5, width=4")
    done = subprocess.run([sys.executable, "-c", short], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_figure_is_left_to_fill_in():
    assert "@@" not in README


def test_the_annotated_tree_names_every_module():
    source = ROOT / "src" / "fashion_gan"
    for path in [*source.glob("*.py"), *source.glob("*/*.py")]:
        if not path.stem.startswith("__"):
            assert path.name in README, path.name


@pytest.mark.parametrize(
    "link", re.findall(r"\]\((?!https?:|#)([^)#]+)", README) + re.findall(r'src="([^"]+)"', README)
)
def test_a_link_of_the_readme_leads_somewhere(link):
    assert (ROOT / link).exists()
