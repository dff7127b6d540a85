"""What environment.json says about the code that a run was trained with."""

import shutil
import subprocess

import pytest

from fashion_gan.system.environment import code_version, environment

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
UNKNOWN = {"git_commit": None, "git_uncommitted_changes": None}


@pytest.fixture
def checkout(tmp_path):
    def git(*words):
        author = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *author, *words], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "code.py").write_text("1", encoding="utf-8")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "A commit")
    return tmp_path, git("rev-parse", "HEAD")


def test_the_commit_is_named(checkout):
    folder, commit = checkout
    assert code_version(folder) == {"git_commit": commit, "git_uncommitted_changes": False}
    (folder / "runs").mkdir()
    (folder / "runs" / "log.csv").touch()
    assert code_version(folder)["git_uncommitted_changes"] is False


@pytest.mark.parametrize("name", ["code.py", "new.py"])
def test_changed_and_new_code_is_noted(checkout, name):
    folder, commit = checkout
    (folder / "src" / name).write_text("2", encoding="utf-8")
    assert code_version(folder) == {"git_commit": commit, "git_uncommitted_changes": True}


def test_the_variables_of_another_repository_are_not_followed(checkout, monkeypatch, tmp_path_factory):
    folder, commit = checkout
    monkeypatch.setenv("GIT_DIR", str(tmp_path_factory.mktemp("other")))
    assert code_version(folder)["git_commit"] == commit


def test_without_a_repository_a_commit_or_git_nothing_is_named(tmp_path, checkout, monkeypatch):
    assert code_version(tmp_path / "absent") == UNKNOWN
    folder, _ = checkout
    monkeypatch.setenv("PATH", "")
    assert code_version(folder) == UNKNOWN
    monkeypatch.undo()
    shutil.rmtree(folder / ".git")
    (folder / ".git").mkdir()
    assert code_version(folder) == UNKNOWN


def test_a_runs_environment_has_both_facts():
    facts = environment("x", "tensorflow")
    assert set(UNKNOWN) <= set(facts)
