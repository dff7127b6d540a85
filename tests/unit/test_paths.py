"""Paths that users give."""

from pathlib import Path

import click
import pytest

from fashion_gan.api.image_files import read_labels
from fashion_gan.cli import app, options
from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.runs import Run
from fashion_gan.saving.origins import is_shipped
from fashion_gan.system.paths import user_path


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_a_tilde_is_the_home_folder(home):
    assert user_path("out", "~/runs") == user_path("out", Path("~/runs")) == home / "runs"
    assert user_path("out", "~") == home


def test_other_paths_stay_as_they_are(home):
    for path in ("runs", "/tmp/~/x", "a~", "../x"):
        assert user_path("out", path) == Path(path)


def test_a_name_that_begins_with_a_tilde_can_be_written_with_its_folder(home, tmp_path):
    assert user_path("out", "./~") == tmp_path / "~"
    assert user_path("out", user_path("out", "./~old")) == tmp_path / "~old"


def test_the_home_folder_of_an_unknown_user_is_an_error_unless_that_name_exists(home, tmp_path):
    with pytest.raises(
        InputError, match=r"^data='~nobody-here/x' has no meaning: the home folder of ~nobody-here is not"
    ):
        user_path("data", "~nobody-here/x")
    (tmp_path / "~nobody-here").mkdir()
    assert user_path("data", "~nobody-here") == tmp_path / "~nobody-here"


def test_every_path_of_the_command_replaces_a_tilde():
    parameters = [parameter for verb in app.commands.values() for parameter in verb.params]
    paths = [parameter for parameter in parameters if isinstance(parameter.type, click.Path)]
    assert len(paths) > 15
    for parameter in paths:
        assert isinstance(parameter.type, (options.UserPath, options.Model)), parameter.name


def test_a_model_and_a_folder_of_the_command_may_begin_with_a_tilde(home):
    option = click.Option(["--model"])
    assert options.Model().convert("~/run", option, None) == str(home / "run")
    assert options.Model().convert("fashion", option, None) == "fashion"
    assert options.Folder().convert("~/data", option, None) == home / "data"


@pytest.mark.parametrize("path", ["", None, 3, b"x", ["x"], "a\0b", object()])
def test_a_value_that_is_no_path_is_an_error(path):
    with pytest.raises(InputError, match=r"^out=.* must be the path of a file or a folder$"):
        user_path("out", path)


@pytest.mark.parametrize(
    ("path", "fault"), [("x" * 256, "too long"), ("x/" * 5000, "too long"), ("a\ud800", "a character that cannot be")]
)
def test_a_path_that_no_file_can_have_is_an_error(path, fault):
    with pytest.raises(InputError, match=f"^out='.*must be the path of a file or a folder: .*{fault}"):
        user_path("out", path)


def test_a_run_is_taken_where_its_path_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = Config.from_preset("transposed")
    assert user_path("model", Run("runs/0001-transposed", config)) == Path("runs/0001-transposed")
    assert user_path("model", Run(tmp_path, config)) == tmp_path
    assert not is_shipped(Run("fashion", config))  # Only the bare name is that of the shipped model.


def test_labels_without_numbers_are_refused_in_a_short_message(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(str(list(range(10_000))))
    with pytest.raises(InputError, match="it holds no numbers") as error:
        read_labels(path, 10_000)
    assert len(str(error.value)) < len(str(path)) + 200
