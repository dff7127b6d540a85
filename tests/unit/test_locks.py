"""Training on file systems without locks, without fsync, and the reasons of errors in words."""

import errno
import fcntl
import os

import pytest
from toys import toy_config

from fashion_gan.errors import InputError
from fashion_gan.runs import Run
from fashion_gan.system import atomic_files
from fashion_gan.system.atomic_files import atomic_file


def failing(number):
    def fail(*arguments):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES, errno.EIO])
def test_a_run_is_trained_without_a_lock_if_the_file_system_has_none(tmp_path, monkeypatch, capsys, number):
    monkeypatch.setattr(fcntl, "flock", failing(number))
    with Run(tmp_path, toy_config()).locked():
        pass
    errors = capsys.readouterr().err
    assert f"without a lock, because its file system has none ({os.strerror(number)})" in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_locked_run_is_refused(tmp_path, capsys):
    run = Run(tmp_path, toy_config())
    with run.locked(), pytest.raises(InputError, match="is being trained by another process"), run.locked():
        pass
    assert not capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EROFS])
def test_a_file_system_without_fsync_keeps_the_file(tmp_path, monkeypatch, number):
    monkeypatch.setattr(os, "fsync", failing(number))
    with atomic_file(tmp_path / "file") as temporary:
        temporary.write_text("text")
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.parametrize("number", atomic_files.STORAGE_ERRORS)
def test_an_error_of_the_disk_keeps_the_old_file_and_names_it(tmp_path, monkeypatch, number):
    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", failing(number))
    with pytest.raises(OSError, match=os.strerror(number)) as caught, atomic_file(path) as temporary:
        temporary.write_text("new")
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
