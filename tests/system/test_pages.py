"""The commands and programs of the README and of the site's pages run as they are written, with small budgets."""

import contextlib
import dataclasses
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from pages import DOCS, PAGES, README, ROOT, blocks, commands, first_of_each_verb, name_of, programs, words_of
from PIL import Image
from processes import command

import fashion_gan
from fashion_gan.cli import app
from fashion_gan.config import Config
from fashion_gan.course import notebooks
from fashion_gan.datasets.fashion_mnist import local_folder
from fashion_gan.metrics.metric_info import METRICS

README_TEXT = README.read_text(encoding="utf-8")
README_COMMANDS = [line for line in commands(README_TEXT) if line.startswith("fashion-gan ")]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES if page.suffix == ".md"}
PAGES_WITH_CODE = [
    page
    for page, text in TEXTS.items()
    if page != README and (programs(text) or any(words_of(line)[0] == "fashion-gan" for line in commands(text)))
]
TUTORIALS = [page for page in PAGES_WITH_CODE if page.parent.name == "tutorials"]
TUTORIALS_IN_ORDER = re.findall(r"^\w+$", TEXTS[ROOT / "docs" / "tutorials" / "index.md"], re.MULTILINE)
BUDGETS = ("--minutes", "--epochs", "--steps")


def skipped(words: list[str]) -> str:
    """Why a command is not run here. Empty if it is."""
    if words[0] == "explore":
        return "serves until it is stopped; test_explorer_page.py tests it"
    if words[0] == "course" and "--no-open" not in words:
        return "opens JupyterLab; test_course.py tests it"
    if "--self-check" in words:
        return "takes minutes; test_self_check.py does the same with fewer images"
    return ""


def shortened(words: list[str], folder) -> list[str]:
    """A command of a page with a small budget and small networks, and with its absolute paths below a folder."""
    words = [re.sub(r"^/(?=data)", f"{folder}/", word) for word in words]
    verb = words[0]
    if "~/datasets/fashion-mnist" in words:
        words[words.index("~/datasets/fashion-mnist")] = str(local_folder())
    if verb == "evaluate":  # The command compare needs a report before it.
        is_fashion_mnist = "--reference" not in words and not words[1].startswith("my-runs/")
        words += ["--protocol", "classes10k" if is_fashion_mnist else "patches", "--force"]
    if verb == "augment-test":
        words[words.index("--real-per-class") + 1] = "3"
        words += ["--steps", "3", "--seeds", "2", "--synthetic-per-class", "3", "--force"]
    if "--per-class" in words:  # So many are enough for an evaluation.
        words[words.index("--per-class") + 1] = "100"
    if verb == "dataset" and "my-runs/0001-fashion" in words:  # It draws noise, of which no class can be told.
        words[words.index("--min-confidence") + 1] = "0"
    if verb == "train" and "--dry-run" not in words:
        words = with_small_budget(words)
    return words


def with_small_budget(words: list[str]) -> list[str]:
    """A training of a few steps with small networks. With validation, it is one epoch of a few large batches."""
    resumes, has_budget = "--resume" in words, bool({*BUDGETS} & {*words})
    for name in ("--backend", *BUDGETS):  # This process has its backend.
        if name in words:
            del words[words.index(name) : words.index(name) + 2]
    if not resumes and "--init-from" not in words:  # The shipped weights fit only their own width.
        words += ["--base-channels", "2"]
    is_fashion_mnist = "my-pictures" not in words
    if not is_fashion_mnist:
        words += ["--batch-size", "50"]  # The toy folder holds 200 pictures.
    if "--evaluate-every-epochs" in words:
        words[words.index("--evaluate-every-epochs") + 1] = "1"
        return [*words, "--epochs", "1", *(["--batch-size", "2500"] if is_fashion_mnist else [])]
    if has_budget or not resumes:
        words += ["--steps", "60" if resumes else "5"]
    return words


def short_program(code: str) -> str:
    """A program of a page with a small budget."""
    code = code.replace("real_per_class=[10, 50]", "real_per_class=[3], steps=3, seeds=2, synthetic_per_class=3")
    if "augment_test" in code:
        return code
    steps = "steps=5" if "init_from" in code or "resume" in code else "steps=5, base_channels=4"
    return re.sub(r"\b(minutes|epochs|steps)=[\d.]+", steps, code)


def run_command(line: str, folder) -> None:
    words = words_of(line)[1:]
    if not skipped(words):
        done = command(*shortened(words, folder), cwd=folder)
        assert done.returncode == 0, f"{line}\n{done.stderr}"


def run_page(text: str, folder) -> None:
    """Run all commands and programs of a page in their order. Programs share their names, as in a notebook."""
    names: dict[str, object] = {}
    for kind, content in blocks(text):
        if kind == "python":
            with contextlib.chdir(folder):
                exec(short_program(content), names)
        elif kind == "bash":
            for line in commands(f"```bash\n{content}```\n"):
                if words_of(line)[0] == "fashion-gan":
                    run_command(line, folder)


def write_old_generators(folder):
    """Write the files that the pages import: a whole model, one with one-hot classes, and weights only."""
    import keras

    from fashion_gan.networks import build_generator

    noise, classes = keras.Input((4,)), keras.Input((10,))
    body = keras.Sequential([keras.layers.Dense(16, activation="tanh"), keras.layers.Reshape((4, 4, 1))])
    keras.Model(noise, body(noise)).save(folder / "old_generator.h5")
    joined = keras.layers.Concatenate()([noise, classes])
    outputs = keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16, activation="tanh")(joined))
    keras.Model([noise, classes], outputs).save(folder / "cgan.h5")
    build_generator(Config(base_channels=2), "generator").save_weights(folder / "old.weights.h5")


def write_pictures(folder):
    """Write two classes of 100 gray pictures of noise. So many are needed for some of them to be held out."""
    random = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (folder / name).mkdir(parents=True)
        for number in range(100):
            Image.fromarray(random.integers(0, 256, (16, 16), np.uint8)).save(folder / name / f"{number}.png")


@pytest.fixture
def new_workplace(made_once, tmp_path, fewer_scored_images):
    """Return a function that makes a folder with three runs, pictures, a data set of boots and old generators.

    The first run is trained in seconds with the given options. The others are links to it.
    """

    def make(folder, *options):
        done = command("train", "--preset", "fashion", "--base-channels=2", "--out=runs", *options, cwd=folder)
        assert done.returncode == 0, done.stderr
        write_pictures(folder / "my-pictures")
        np.save(folder / "faces.npy", np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8))
        write_old_generators(folder)
        done = command("evaluate", "runs/0001-fashion", "--protocol", "classes10k", cwd=folder)
        assert done.returncode == 0, done.stderr
        for name in ("0001-pictures", "0002-transposed"):
            (folder / "runs" / name).symlink_to("0001-fashion")

    def new(*options):
        template = made_once("workplace" + "".join(options), lambda folder: make(folder, *options))
        return shutil.copytree(template, tmp_path / "workplace", symlinks=True)

    return new


def of_the_readme():
    """The README's commands. `make test` runs the first of each verb, but no augment-test, which takes ten seconds."""
    for line, first in first_of_each_verb(README_COMMANDS):
        in_make_test = first and words_of(line)[1] != "augment-test"
        yield pytest.param(line, marks=[] if in_make_test else pytest.mark.full)


@pytest.mark.parametrize("line", list(of_the_readme()))
def test_a_command_of_the_readme_succeeds(new_workplace, line):
    if reason := skipped(words_of(line)[1:]):
        pytest.skip(reason)
    run_after_what_it_needs(line, new_workplace("--steps=20"))


def run_after_what_it_needs(line, workplace):
    """Run a command of the README, after the earlier commands whose files it reads."""
    for earlier in README_COMMANDS[: README_COMMANDS.index(line)]:
        if made_by(earlier) & set(words_of(line)):
            run_after_what_it_needs(earlier, workplace)
    run_command(line, workplace)


def made_by(line: str) -> set[str]:
    """The file or the folder that a command names for its results."""
    words = words_of(line)
    return {words[words.index(option) + 1] for option in ("--out", "--report") if option in words}


@pytest.mark.parametrize("code", programs(README_TEXT))
def test_a_program_of_the_readme_runs(new_workplace, code):
    with contextlib.chdir(new_workplace("--steps=20")):
        exec(short_program(code), {})


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_the_tutorials_work_one_after_the_other_in_an_empty_folder(tmp_path, fewer_scored_images):
    assert sorted(page.stem for page in TUTORIALS) == sorted(TUTORIALS_IN_ORDER)
    for name in TUTORIALS_IN_ORDER:
        run_page(TEXTS[ROOT / "docs" / "tutorials" / f"{name}.md"], tmp_path)


@pytest.mark.full
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("page", [page for page in PAGES_WITH_CODE if page not in TUTORIALS], ids=name_of)
def test_the_commands_and_programs_of_a_page_work_in_their_order(page, new_workplace):
    run_page(TEXTS[page], new_workplace("--epochs=1", "--batch-size=2500", "--evaluate-every-epochs=1"))


@pytest.mark.parametrize(
    "block", ["```bash\nfashion-gan generate --colour red\n```\n", "```python\nimport fashion_gn\n```\n"]
)
def test_a_page_whose_command_or_program_fails_does_not_pass(block, tmp_path):
    with pytest.raises((AssertionError, ImportError)):
        run_page(block, tmp_path)


def test_no_placeholder_is_left_in_the_readme():
    assert "@@" not in README_TEXT


def test_the_tables_of_results_are_those_of_the_measured_figures(tmp_path):
    for name in ("README.md", "benchmarks", "docs/results/leaderboard.json", "docs/results.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    subprocess.run([sys.executable, "benchmarks/leaderboard.py", "--tables"], cwd=tmp_path, check=True)
    for name in ("README.md", "docs/results.md"):
        assert (tmp_path / name).read_text() == (ROOT / name).read_text()
    assert "| TensorFlow tutorial, 5 min |" in README_TEXT


@pytest.fixture(scope="session")
def site(made_once):
    """The site, built as `make docs` does. A warning is an error."""
    pytest.importorskip("sphinx")

    def make(folder):
        words = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "--doctree-dir", folder / "doctrees"]
        done = subprocess.run([sys.executable, *words, ROOT / "docs", folder / "site"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    return made_once("site", make) / "site"


@pytest.mark.full
def test_the_site_has_every_page_and_a_search_that_works_offline(site):
    pages = {page.relative_to(ROOT / "docs").with_suffix(".html") for page in DOCS}
    assert {page for page in pages if not (site / page).exists()} == set()
    assert 'Search.setIndex({"' in (site / "searchindex.js").read_text()
    assert 'src="searchindex.js"' in (site / "search.html").read_text()


@pytest.mark.full
def test_no_page_of_the_site_loads_anything_from_the_network(site):
    loads = re.compile(r'<(?:script|img|iframe|source)[^>]*\ssrc="(?:https?:)?//|<link[^>]*\shref="(?:https?:)?//')
    assert [path for path in site.rglob("*.html") if loads.search(path.read_text(encoding="utf-8"))] == []
    loads = re.compile(r"url\(\s*[\"']?(?:https?:)?//|@import")
    assert [path for path in site.rglob("*.css") if loads.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.full
def test_the_live_page_of_the_course_is_on_the_site_in_frames_and_behind_links(site):
    html = (site / "course" / "chapter_1_what_a_gan_is.html").read_text(encoding="utf-8")
    presets = {"works", "collapse", "oscillate", "saturate", "onlyD"}
    assert set(re.findall(r'<iframe [^>]*src="live_gan/index.html#(\w+)"', html)) == presets
    assert set(re.findall(r'<a [^>]*href="live_gan/index.html#(\w+)"', html)) == presets
    files = {path.name: path.read_bytes() for path in notebooks.PAGE.iterdir()}
    assert {path.name: path.read_bytes() for path in (site / "course" / "live_gan").iterdir()} == files


@pytest.mark.full
def test_each_chapter_of_the_course_can_be_downloaded_from_its_page(site):
    for page in sorted((site / "course").glob("chapter_*.html")):
        (link,) = re.findall(r'<p class="open-elsewhere"><a href="([^"]+)">', page.read_text(encoding="utf-8"))
        assert json.loads((page.parent / link).read_text(encoding="utf-8"))["cells"]


@pytest.mark.full
def test_every_public_name_is_on_the_page_of_the_python_api(site):
    html = (site / "reference" / "python_api.html").read_text(encoding="utf-8")
    described = {name for name in fashion_gan.__all__ if f'id="fashion_gan.{name}"' in html}
    assert set(fashion_gan.__all__) - described == {"CLASS_NAMES", "PRESETS", "__version__"}
    assert all(f"fashion_gan.{name}" in html for name in ("CLASS_NAMES", "PRESETS"))


@pytest.mark.full
def test_every_verb_setting_and_metric_is_on_its_page_of_the_reference(site):
    described = {
        "command_line": [f'id="{verb}"' for verb in app.commands],
        "settings": [f'id="setting-{field.name.replace("_", "-")}"' for field in dataclasses.fields(Config)],
        "metrics": METRICS,
    }
    for page, names in described.items():
        html = (site / "reference" / f"{page}.html").read_text(encoding="utf-8")
        assert [name for name in names if name not in html] == []
