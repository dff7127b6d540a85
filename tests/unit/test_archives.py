"""Zip and tar archives of pictures: what is taken, and that hostile ones do no harm."""

import contextlib
import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashion_gan.datasets import PictureOptions, archives, load_pictures, load_training_images
from fashion_gan.datasets.picture_listing import Tally
from fashion_gan.errors import InputError
from fashion_gan.system import memory

SKIP = PictureOptions(skip_damaged=True)
TAR_MODES = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}
KINDS = ("zip", *TAR_MODES)


def png(level: int, size: int = 4) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (size, size), level).save(stream, "PNG")
    return stream.getvalue()


def write(path: Path, files: dict[str, bytes]) -> Path:
    """Write an archive of the kind that the suffix names, with these files in this order."""
    kind = next(kind for kind in KINDS if path.name.endswith(f".{kind}"))
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, TAR_MODES[kind]) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def levels(data) -> list[int]:
    return data.images[:, 0, 0, 0].tolist()


def left_out(data) -> dict[str, tuple[int, str]]:
    return {row.reason: (row.count, row.example) for row in data.contents.left_out}


def error_message(call, *arguments) -> str:
    with pytest.raises(InputError) as raised:
        call(*arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


# ---- What is taken ----


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_is_read_as_a_folder_of_the_same_files_would_be(tmp_path, kind):
    files = {"dogs/b.png": png(3), "cats/2.png": png(2), "dogs/a.png": png(4), "cats/1.png": png(1), "notes.txt": b"x"}
    for name, content in files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    archive = load_training_images(write(tmp_path / f"in.{kind}", files), 4, 1)
    folder = load_training_images(tmp_path / "in", 4, 1)
    assert archive.class_names == ("cats", "dogs")
    assert levels(archive) == [1, 2, 4, 3]
    assert archive.fingerprint == folder.fingerprint
    assert archive.contents == folder.contents
    assert archive.source == str(tmp_path / f"in.{kind}")


def test_the_only_folder_of_an_archive_is_opened(tmp_path):
    files = {
        "pets/cats/1.png": png(1),
        "pets/dogs/1.png": png(2),
        "__MACOSX/pets/cats/._1.png": b"x",
        "README.md": b"about",
    }
    data = load_pictures(write(tmp_path / "pets.zip", files), 4, 1)
    assert (data.class_names, levels(data)) == (("cats", "dogs"), [1, 2])
    assert left_out(data)[".md files, which are not read"] == (1, "README.md")


def test_pictures_in_the_only_folder_of_an_archive_have_no_classes(tmp_path):
    data = load_pictures(write(tmp_path / "a.zip", {"all/2.png": png(2), "all/1.png": png(1)}), 4, 1)
    assert (data.class_names, levels(data)) == ((), [1, 2])


def test_an_archive_may_hold_train_and_test(tmp_path):
    files = {f"{part}/{name}/0.png": png(1) for part in ("train", "test") for name in ("a", "b")}
    path = write(tmp_path / "set.zip", files)
    assert len(load_pictures(path, 4, 1).images) == 2
    assert load_pictures(path, 4, 1, test=True).class_names == ("a", "b")


def test_backslashes_of_windows_separate_folders(tmp_path):
    data = load_pictures(write(tmp_path / "a.zip", {"cats\\1.png": png(1), "dogs\\1.png": png(2)}), 4, 1)
    assert data.class_names == ("cats", "dogs")


def test_a_damaged_member_is_named(tmp_path):
    path = write(tmp_path / "a.zip", {"1.png": png(1), "2.png": png(2)})
    content = path.read_bytes()
    place = content.index(b"2.png") + len(b"2.png")
    path.write_bytes(content[:place] + b"\xff" * 8 + content[place + 8 :])
    assert error_message(load_pictures, path, 4, 1).startswith(f"{path}/2.png cannot be read as a picture: ")
    assert levels(load_pictures(path, 4, 1, SKIP)) == [1]


def test_a_zip_of_arrays_is_no_archive_of_pictures(tmp_path):
    with open(tmp_path / "arrays", "wb") as file:
        np.savez(file, images=np.zeros((2, 8, 8), np.uint8))
    assert not archives.is_archive(tmp_path / "arrays")
    assert load_training_images(tmp_path / "arrays", 8, 1).images.shape == (2, 8, 8, 1)


# ---- Hostile archives ----


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
@pytest.mark.parametrize(
    "name", ["../evil.png", "/evil.png", "a/../../evil.png", "C:/evil.png", "..\\evil.png", "\\evil.png", "c:evil.png"]
)
def test_a_path_that_leads_out_of_the_archive_is_left_out_and_nothing_is_written(tmp_path, kind, name):
    (tmp_path / "in").mkdir()
    data = load_pictures(write(tmp_path / "in" / f"a.{kind}", {"1.png": png(1), name: png(2)}), 4, 1)
    assert levels(data) == [1]
    (example,) = [example for _, example in left_out(data).values()]
    assert left_out(data) == {"the path leads out of the archive": (1, example)}
    assert example.endswith("evil.png")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"a.{kind}"]


def test_links_and_devices_in_a_tar_are_left_out(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(9))
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind, target in (
            ("soft.png", tarfile.SYMTYPE, str(secret)),
            ("hard.png", tarfile.LNKTYPE, str(secret)),
            ("device.png", tarfile.CHRTYPE, ""),
            ("pipe.png", tarfile.FIFOTYPE, ""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)
        member = tarfile.TarInfo("1.png")
        member.size = len(png(1))
        archive.addfile(member, io.BytesIO(png(1)))
    data = load_pictures(tmp_path / "a.tar", 4, 1)
    assert levels(data) == [1]
    assert left_out(data) == {"links or devices in the archive": (4, "soft.png")}


def test_links_in_a_zip_are_left_out(tmp_path):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1.png", png(1))
        archive.writestr(link, str(tmp_path / "secret.png"))
    data = load_pictures(tmp_path / "a.zip", 4, 1)
    assert (levels(data), left_out(data)) == ([1], {"links or devices in the archive": (1, "link.png")})


def test_members_that_are_too_many_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 300)
    files = {f"{number}.png": b"" for number in range(301)}
    for kind in ("zip", "tar"):
        path = write(tmp_path / f"a.{kind}", files)
        assert error_message(load_pictures, path, 4, 1) == (
            f"{path} holds more than 300 members: unpack it into a folder"
        )


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_pictures_that_are_much_longer_than_their_archive_are_refused_before_they_are_read(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archives, "MIN_LIMIT", 1000)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("a member was read"))
    path = write(tmp_path / f"a.{kind}", {"1.bmp": bytes(3_000_000), "2.bmp": bytes(3_000_000)})
    assert "which is much for an archive of this size" in error_message(load_pictures, path, 4, 1)


def test_a_picture_file_that_is_too_long_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 2 << 20)
    path = write(tmp_path / "a.zip", {"1.png": png(1), "2.bmp": bytes(3 << 20)})
    data = load_pictures(path, 4, 1)
    assert levels(data) == [1]
    assert [example for _, example in left_out(data).values()] == ["2.bmp"]


def test_a_zip_member_gives_no_more_bytes_than_it_states(tmp_path):
    """A bomb states a small size. What follows is not read, and its checksum is wrong."""
    path = write(tmp_path / "a.zip", {"1.png": png(1), "2.png": bytes(1_000_000)})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = content.rindex(signature) + offset
        content[place : place + 4] = struct.pack("<I", 100)
    path.write_bytes(content)
    assert levels(load_pictures(path, 4, 1, SKIP)) == [1]
    assert "2.png cannot be read as a picture" in error_message(load_pictures, path, 4, 1)


def test_a_compressed_tar_that_does_not_fit_into_memory_is_refused_while_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 4e6)
    path = write(tmp_path / "a.tar.gz", {"1.png": png(1), "bomb.txt": bytes(9_000_000)})
    message = error_message(load_pictures, path, 4, 1)
    assert message.startswith(f"{path} is compressed as a whole, and too large for the memory")


def test_a_zip_in_a_zip_is_not_opened(tmp_path):
    inner = write(tmp_path / "inner.zip", {"9.png": png(9)}).read_bytes()
    data = load_pictures(write(tmp_path / "a.zip", {"1.png": png(1), "inner.zip": inner}), 4, 1)
    assert (levels(data), left_out(data)) == ([1], {".zip files, which are not read": (1, "inner.zip")})


def test_folders_that_are_very_deep_are_left_out(tmp_path):
    data = load_pictures(write(tmp_path / "a.zip", {"1.png": png(1), "a/" * 5000 + "2.png": png(2)}), 4, 1)
    assert levels(data) == [1]
    assert left_out(data)["more than 32 folders deep"][0] == 1


def test_an_encrypted_member_is_left_out(tmp_path):
    path = write(tmp_path / "a.zip", {"1.png": png(1), "2.png": png(2)})
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    data = load_pictures(path, 4, 1)
    assert left_out(data) == {"encrypted, or compressed in a way that is not read": (1, "2.png")}


def test_a_file_and_a_folder_of_the_same_name_do_no_harm(tmp_path):
    data = load_pictures(write(tmp_path / "a.zip", {"a.png": png(1), "a.png/b.png": png(2), "c/1.png": png(3)}), 4, 1)
    assert data.class_names == ("a.png", "c")


def test_control_characters_in_names_are_shown_as_escapes(tmp_path):
    data = load_pictures(write(tmp_path / "a.tar", {"1.png": png(1), "\x1b[31m.txt": b""}), 4, 1)
    assert r"\x1b[31m.txt" in str(data.contents)
    assert "\x1b" not in str(data.contents)


@pytest.mark.parametrize("length", [2000, 2048, 2500, 2580])
def test_a_tar_that_is_cut_off_is_refused(tmp_path, length):
    path = write(tmp_path / "a.tar", {f"{number}.png": png(number) for number in range(3)})
    path.write_bytes(path.read_bytes()[:length])
    message = error_message(load_pictures, path, 4, 1, SKIP)
    assert message.startswith(f"{path} ")
    assert "is cut off: the mark of its end is missing" in message or "unexpected end of data" in message


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.xz"])
@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04", b"\x1f\x8b\x08", b"\xfd7zXZ\0", bytes(2000)])
def test_a_damaged_archive_is_an_error_of_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    message = error_message(load_training_images, tmp_path / name, 4, 1)
    assert message.startswith(f"{tmp_path / name} ")


@pytest.mark.parametrize("kind", KINDS)
def test_any_damage_is_an_error_or_leaves_pictures_out(tmp_path, kind):
    random = np.random.default_rng(0)
    whole = write(tmp_path / f"a.{kind}", {f"{number}.png": png(number) for number in range(4)}).read_bytes()
    for number in range(30):
        content = bytearray(whole)
        for place in random.integers(0, len(content), 1 + number % 8):
            content[place] = random.integers(0, 256)
        content = content[: random.integers(1, len(content))] if number % 3 == 0 else content
        (tmp_path / f"a.{kind}").write_bytes(content)
        with contextlib.suppress(InputError):
            load_pictures(tmp_path / f"a.{kind}", 4, 1, SKIP)


def test_a_checksum_that_is_wrong_is_damage(tmp_path):
    path = write(tmp_path / "a.zip", {"1.png": png(1), "2.png": png(2)})
    content = path.read_bytes()
    crc = struct.pack("<I", zlib.crc32(png(2)))
    path.write_bytes(content.replace(crc, bytes(4)))
    assert levels(load_pictures(path, 4, 1, SKIP)) == [1]


def test_a_tally_adds_the_files_of_another(tmp_path):
    one, other = Tally(tmp_path), Tally(tmp_path)
    one.add("hidden", tmp_path / "a")
    other.add("hidden", tmp_path / "b")
    one.update(other)
    assert [(row.count, row.example) for row in one.rows()] == [(2, "a")]
