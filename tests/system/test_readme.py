"""The README's commands and programs run as they are written, and its tree names every module."""

import contextlib
import re
import shlex
import shutil
from pathlib import Path

import keras
import pytest
from processes import command
from toys import TOY_FLAGS

from fashion_gan import cli
from fashion_gan.config import Config
from fashion_gan.networks import build_generator

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [
    line.split(" #")[0].strip()
    for language, text in BLOCKS
    if language == "bash"
    for line in text.splitlines()
    if line.startswith("fashion-gan ")
]


def first_of_each_verb(commands):
    """Mark all commands except the first one of each verb as ``full``."""
    verbs = [line.split()[1] for line in commands]
    is_first = [verb not in verbs[:number] for number, verb in enumerate(verbs)]
    return [
        pytest.param(line, marks=[] if first else pytest.mark.full)
        for line, first in zip(commands, is_first, strict=True)
    ]


def write_old_generators(folder):
    """Write the files that the README imports: a whole model, one with one-hot classes, and weights only."""
    noise, classes = keras.Input((4,)), keras.Input((10,))
    body = keras.Sequential([keras.layers.Dense(16, activation="tanh"), keras.layers.Reshape((4, 4, 1))])
    keras.Model(noise, body(noise)).save(folder / "old_generator.h5")
    joined = keras.layers.Concatenate()([noise, classes])
    outputs = keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16, activation="tanh")(joined))
    keras.Model([noise, classes], outputs).save(folder / "cgan.h5")
    build_generator(Config(base_channels=2), "generator").save_weights(folder / "old.weights.h5")


@pytest.fixture
def workplace(made_once, toy_folder, tmp_path, fewer_scored_images):
    """A folder with the README's run, trained in seconds, with pictures, and with old generators."""

    def make(folder):
        done = command("train", "--preset", "fashion", "--base-channels=2", "--steps=20", "--out=runs", cwd=folder)
        assert done.returncode == 0, done.stderr
        (folder / "my-pictures").symlink_to(toy_folder)
        write_old_generators(folder)
        done = command("evaluate", "runs/0001-fashion", "--protocol", "classes10k", cwd=folder)
        assert done.returncode == 0, done.stderr
        (folder / "runs" / "0002-transposed").symlink_to("0001-fashion")

    return shutil.copytree(made_once("readme", make), tmp_path / "readme", symlinks=True)


def test_the_readme_shows_a_command_for_each_verb():
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
def test_a_command_of_the_readme_has_only_known_options(line, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("old_generator.h5", "cgan.h5", "old.weights.h5"):
        Path(name).touch()  # The verb import checks that its file exists.
    verb, *words = shlex.split(line)[1:]
    cli.app.commands[verb].make_context(verb, words)


@pytest.mark.parametrize("line", first_of_each_verb(COMMANDS))
def test_a_command_of_the_readme_succeeds(workplace, line):
    words = shlex.split(line)[1:]
    if words[0] == "explore":
        pytest.skip("serves until it is stopped; test_explorer_page.py tests it")
    if "--self-check" in words:
        pytest.skip("takes minutes; test_self_check.py does the same with fewer images")
    if words[0] == "augment-test":
        pytest.skip("trains for minutes; test_augment_test.py does the same with toys")
    if words[0] == "evaluate":
        words += ["--protocol", "classes10k", "--force"]  # The run has been evaluated for the command compare.
    if words[0] == "train" and not {"--minutes", "--resume", "--dry-run"} & set(words):
        words.append("--dry-run")  # The training would take long. A dry run tests the options in seconds.
    if "my-pictures" in words:
        words += ["--batch-size", "8"]  # The toy folder holds 40 pictures.
    if "--minutes" in words:
        words[words.index("--minutes") + 1] = "0.05"
        # The shipped weights fit only their own width.
        words += [flag for flag in TOY_FLAGS if "--base-channels" in flag and "--init-from" not in words]
    if words[:2] == ["evaluate", "clothes.npz"]:
        (earlier,) = (line for line in COMMANDS if line.endswith("--out clothes.npz"))
        assert command(*shlex.split(earlier)[1:], cwd=workplace).returncode == 0
    done = command(*words, cwd=workplace)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", [text for language, text in BLOCKS if language == "python"])
def test_a_program_of_the_readme_runs(workplace, code):
    short = code.replace("epochs=50", "steps=5, base_channels=4")
    with contextlib.chdir(workplace):
        exec(short, {})


def test_no_placeholder_is_left():
    assert "@@" not in README


def modules_of_tree(text: str) -> set[str]:
    """Return the paths of the modules that an annotated tree of folders names.

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
    (tree,) = (text for _, text in BLOCKS if text.startswith("src/fashion_gan/"))
    package = ROOT / "src" / "fashion_gan"
    paths = {path.relative_to(ROOT).as_posix() for path in package.rglob("*.py") if not path.stem.startswith("__")}
    assert {path for path in modules_of_tree(tree) if path.startswith("src/")} == paths


def test_a_module_in_the_wrong_folder_of_a_tree_does_not_count():
    tree = "src/\n  api/   train.py\n         inner/: load.py\n  cli/   evaluate.py\nrun.py"
    assert modules_of_tree(tree) == {"src/api/train.py", "src/api/inner/load.py", "src/cli/evaluate.py", "run.py"}


@pytest.mark.parametrize(
    "link", re.findall(r"\]\((?!https?:|#)([^)#]+)", README) + re.findall(r'src="([^"]+)"', README)
)
def test_a_link_of_the_readme_leads_to_a_file(link):
    assert (ROOT / link).exists()
