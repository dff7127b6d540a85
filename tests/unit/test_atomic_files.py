"""Files and folders are written atomically, to regular files only, and never over what exists unless forced."""

import errno
import os
from pathlib import Path

import pytest

from fashion_gan.errors import InputError
from fashion_gan.system.atomic_files import atomic_file, atomic_folder, check_new_path, unused_path


def write(path, text="new"):
    with atomic_file(path) as temporary:
        temporary.write_text(text)


@pytest.mark.parametrize("name", ["", ".", "/", "..", "a/.."])
def test_a_path_without_a_name_is_refused(name):
    for call in (lambda: write(Path(name)), lambda: check_new_path(Path(name), force=True)):
        with pytest.raises(InputError, match="is not the name of a file or a folder"):
            call()


def test_the_root_folder_is_never_replaced():
    with pytest.raises(InputError, match="is not the name of a file"), atomic_folder(Path("/"), ["*"], force=True):
        pass


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "link to a device", "link to a folder", "loop"])
def test_only_a_regular_file_is_replaced(tmp_path, kind):
    path = tmp_path / "there"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path(os.devnull)
    else:
        path.symlink_to({"link to a device": os.devnull, "link to a folder": tmp_path, "loop": path}[kind])
    before = path.lstat()
    with pytest.raises(InputError, match=r"is (a folder|not a regular file): choose another name$"):
        write(path)
    assert (path.lstat().st_mode, path.lstat().st_ino) == (before.st_mode, before.st_ino)


@pytest.mark.parametrize("exists", [True, False])
def test_the_file_that_a_link_leads_to_is_written_and_the_link_stays(tmp_path, exists):
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    target.parent.mkdir()
    if exists:
        target.write_text("old")
    link.symlink_to(target)
    write(link)
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_a_name_of_255_bytes_is_written_and_a_longer_one_is_an_error_that_names_it(tmp_path):
    write(tmp_path / ("x" * 251 + ".png"))
    path = tmp_path / ("x" * 252 + ".png")
    with pytest.raises(OSError, match="File name too long") as caught:
        write(path)
    assert caught.value.filename == str(path)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_whose_name_has_255_bytes_is_written(tmp_path):
    path = tmp_path / ("x" * 255)
    for text in ("old", "new"):
        with atomic_folder(path, ["*.txt"], force=True) as temporary:
            (temporary / "a.txt").write_text(text)
    assert (path / "a.txt").read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EXDEV])
def test_a_file_that_is_mounted_by_itself_is_written_in_place(tmp_path, monkeypatch, number):
    def fail(*arguments):
        raise OSError(number, os.strerror(number))

    path = tmp_path / "file"
    path.write_text("the old text, which is longer")
    monkeypatch.setattr(os, "replace", fail)
    write(path)
    assert path.read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_new_path_is_checked_before_any_work(tmp_path):
    path = tmp_path / "file"
    check_new_path(path, force=False)
    path.touch()
    with pytest.raises(InputError, match=r"already exists: choose another path, or set force \(--force\)"):
        check_new_path(path, force=False)
    check_new_path(path, force=True)
    for parent in (path, tmp_path / "absent"):
        with pytest.raises(InputError, match="there is no folder"):
            check_new_path(parent / "file", force=True)


def test_an_unused_path_has_the_first_free_number(tmp_path):
    names = []
    for _ in range(3):
        path = unused_path(tmp_path / "generated.png")
        path.touch()
        names.append(path.name)
    assert names == ["generated.png", "generated-2.png", "generated-3.png"]
