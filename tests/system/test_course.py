"""``fashion-gan course`` gives a learner a folder of notebooks, and never changes the learner's work."""

import json
import re
import sys

import pytest

from fashion_gan import cli
from fashion_gan.api import course
from fashion_gan.course import notebooks
from fashion_gan.errors import InputError

pytest.importorskip("jupytext")


@pytest.fixture
def learner(tmp_path):
    """A learner's folder."""
    course.copy_course(tmp_path / "learner")
    return tmp_path / "learner"


def links_of(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return re.findall(r"\]\((?!https?:|#)([^)#]+)", text)


def test_the_folder_holds_every_chapter_its_answers_and_the_glossary(learner):
    found = {path.relative_to(learner) for path in learner.rglob("*.ipynb")}
    assert found == {notebooks.place(source) for source in notebooks.sources()}
    assert (learner / "glossary.md").read_bytes() == (notebooks.FOLDER / "glossary.md").read_bytes()


def test_the_links_of_a_copied_notebook_lead_to_files_of_the_folder(learner):
    links = [(path, link) for path in learner.rglob("*.ipynb") for link in links_of(path)]
    assert any(link.startswith("library/") for _, link in links)
    assert any(link.endswith(".ipynb") for _, link in links)
    assert not [(path.name, link) for path, link in links if not (path.parent / link).is_file()]


def test_a_second_copy_changes_nothing_and_writes_only_what_is_missing(learner):
    chapter, answers = sorted(learner.glob("chapter_*.ipynb"))[0], next(learner.glob("answers/*"))
    chapter.write_text("my work", encoding="utf-8")
    answers.unlink()
    copied = course.copy_course(learner)
    assert copied.new == (answers.relative_to(learner),)
    assert chapter.read_text(encoding="utf-8") == "my work"
    assert chapter.relative_to(learner) in copied.kept


def test_a_folder_with_other_files_is_refused_and_stays_as_it_is(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(InputError, match="holds other files"):
        course.copy_course(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(("path", "reason"), [("file", "is not a folder"), ("absent/course", "there is no folder")])
def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path, path, reason):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=reason):
        course.copy_course(tmp_path / path)


def test_the_command_copies_without_opening(tmp_path, capsys):
    assert cli.main(["course", str(tmp_path / "new"), "--no-open"]) == 0
    assert f"{tmp_path / 'new'}: " in capsys.readouterr().out
    assert list((tmp_path / "new").glob("chapter_*.ipynb"))


def test_the_command_names_the_extra_that_is_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("fashion_gan.system.installation.is_installed", lambda module: False)
    assert cli.main(["course", str(tmp_path / "new")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fashion-gan: course needs jupytext: pip install ")
    assert "[course]" in error
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("stopped", [False, True], ids=["it ends by itself", "Ctrl-C"])
def test_jupyterlab_runs_in_the_folder_until_it_ends(tmp_path, capsys, monkeypatch, stopped):
    calls = []

    class Process:
        def __init__(self, words, cwd, env):
            calls.append((words, cwd, env))

        def wait(self):
            if stopped and len(calls) == 1:
                calls.append("interrupted")
                raise KeyboardInterrupt
            return 3

        def terminate(self):
            calls.append("terminated")

    monkeypatch.setattr(course, "check_installed", lambda *words: None)
    monkeypatch.setattr(course.subprocess, "Popen", Process)
    assert cli.main(["course", str(tmp_path / "new")]) == (0 if stopped else 3)
    (words, cwd, env), *others = calls
    assert words[:3] == [sys.executable, "-m", "jupyterlab"]
    assert cwd == tmp_path / "new"
    assert env["TF_CPP_MIN_LOG_LEVEL"] == "3"
    assert others == (["interrupted", "terminated"] if stopped else [])
