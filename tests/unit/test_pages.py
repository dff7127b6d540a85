"""The README, the site's pages and the cards: their commands have known options, and their links lead somewhere."""

import re
import tomllib
from pathlib import Path

import click
import pytest
from pages import (
    DOCS,
    PAGES,
    README,
    ROOT,
    anchors,
    code_spans,
    commands,
    links,
    name_of,
    words_of,
)

from fashion_gan.cli import app
from fashion_gan.errors import InputError

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
TEXTS = {name_of(page): page.read_text(encoding="utf-8") for page in PAGES}
# The lab book names the options of its day.
TODAY = [name for name in TEXTS if not name.startswith("docs/lab/") and name != "CHANGELOG.md"]
OPTION = r"(?<![\w-])--[a-z][a-z0-9-]*"
OF_CLICK_AND_PIP = {"--help", "--constraint"}
SET_UP = ["python3 -m venv .venv", ". .venv/bin/activate"]
COMPLETIONS = re.compile(r'(eval "\$\()?_FASHION_GAN_COMPLETE=(bash|zsh|fish)_source fashion-gan(\)"| \| source)')
# The pages lie in these folders when a reader follows their links. The template becomes the card of a shipped model.
FOLDERS = {"tools/card.md.jinja": ROOT / "src" / "fashion_gan" / "pretrained" / "fashion"}


def check_command(line: str) -> None:
    """Raise an error if a command is unknown, or has an unknown option or a value that cannot be right."""
    if line in SET_UP or COMPLETIONS.fullmatch(line):
        return
    match words_of(line):
        case ["fashion-gan", verb, *words]:
            app.commands[verb].make_context(verb, words)
        case ["pip", "install", *packages]:
            extras = [extra for package in packages for extra in re.findall(r"[\w-]+", package.partition("[")[2])]
            assert {package.partition("[")[0] for package in packages} <= {"."}, line
            assert set(extras) <= PROJECT["optional-dependencies"].keys(), line
        case ["make", *words]:
            assert {word for word in words if "=" not in word} <= set(TARGETS), line
        case ["python", program, *options]:
            code = (ROOT / program).read_text(encoding="utf-8")
            names = [option.removeprefix("--").partition("=")[0] for option in options if option.startswith("--")]
            assert all(re.search(rf"\b{name}\b", code.replace("_", "-")) for name in names), line
        case _:
            pytest.fail(f"unknown command: {line}")


@pytest.fixture
def folder_with_old_files(tmp_path, monkeypatch):
    """The current folder. It has the files that `fashion-gan import` is asked for: it checks that they exist."""
    monkeypatch.chdir(tmp_path)
    for name in ("old_generator.h5", "cgan.h5", "old.weights.h5"):
        Path(name).touch()


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if commands(text)])
def test_the_commands_of_a_page_have_only_known_options(name, folder_with_old_files):
    for line in commands(TEXTS[name]):
        check_command(line)


@pytest.mark.parametrize(
    "line",
    [
        "fashion-gan generate --colour red",
        "fashion-gan train --preset fashon",
        "TMPDIR=/data fashion-gan train --minuets 5",
        'pip install ".[trian]"',
        "pip install fashion-gan",
        "make coffee",
        "python benchmarks/leaderboard.py --fast",
        "python benchmarks/no_such_file.py",
        "rm -rf /",
    ],
)
def test_a_page_with_an_unknown_command_or_option_fails(line):
    (command,) = commands(f"1. Do this:\n\n   ```bash\n   {line}   # a comment\n   ```\n")
    with pytest.raises((click.ClickException, InputError, AssertionError, OSError, pytest.fail.Exception)):
        check_command(command)


@pytest.mark.parametrize("name", TODAY)
def test_sentences_name_only_options_that_exist(name):
    parameters = [*app.params, *(parameter for verb in app.commands.values() for parameter in verb.params)]
    known = {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}
    spans = code_spans(TEXTS[name])
    programs = [span for span in spans if re.search(r"\bpython (benchmarks|tools)/", span)]
    for span in programs:
        check_command(" ".join(span.split()))
    named = {option for span in spans if span not in programs for option in re.findall(OPTION, span)}
    assert named <= {*known, *OF_CLICK_AND_PIP}


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if links(text)])
def test_the_links_of_a_page_lead_to_files_and_headings(name):
    folder = FOLDERS.get(name, (ROOT / name).parent)
    assert [link for link in links(TEXTS[name]) if broken(link, folder, TEXTS[name])] == []


def broken(link: str, folder: Path, text: str) -> bool:
    """Whether a link's file does not exist, or has no such heading."""
    path, _, anchor = link.partition("#")
    target = folder / path
    if path and not target.exists():
        return True
    if path and target.suffix != ".md":
        return False
    in_docs = (target if path else folder).resolve().is_relative_to(ROOT / "docs")
    headings = anchors(target.read_text(encoding="utf-8") if path else text, deepest=3 if in_docs else 6)
    return bool(anchor) and anchor not in headings


def test_a_broken_link_is_found(tmp_path):
    text = "# One title\n\n## A `b`, c\n\n## A `b`, c\n"
    (tmp_path / "other.md").write_text(text)
    for link in ("other.md", "other.md#one-title", "#a-b-c", "other.md#a-b-c-1", "."):
        assert not broken(link, tmp_path, text), link
    for link in ("another.md", "other.md#two-titles", "#a-b-c-2", "pictures/none.png"):
        assert broken(link, tmp_path, text), link


def test_links_in_code_and_links_to_the_web_are_not_followed():
    text = '`[a](b)` ![two\nlines](c.png) [d](https://e.f) <img src="g.png">\n```text\n[h](i)\n```\n[j]( k.md "title")'
    assert links(text) == ["c.png", "g.png", "k.md"]


def test_each_page_of_the_site_has_one_title():
    for page in DOCS:
        lines = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL).splitlines()
        assert [line for line in lines if line.startswith("# ")] == lines[:1], name_of(page)


def test_the_readme_has_at_most_150_lines():
    assert len(TEXTS[name_of(README)].splitlines()) <= 150


def test_the_first_screen_of_the_readme_says_what_it_is_shows_it_and_how_to_draw():
    screen = "\n".join(TEXTS[name_of(README)].splitlines()[:24])
    assert re.search(r"^\*\*[^*]*GAN[^*]*\*\*$", screen, re.MULTILINE)
    assert "real_and_generated.png" in screen
    assert {("pip", "install"), ("fashion-gan", "generate")} <= {tuple(words_of(line)[:2]) for line in commands(screen)}


def test_the_readme_shows_a_command_for_each_verb():
    shown = {words_of(line)[1] for line in commands(TEXTS[name_of(README)]) if line.startswith("fashion-gan ")}
    assert shown == app.commands.keys()
