"""Folders of the user's own pictures: what is taken, what is left out and why, and what is told."""

import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features
from PIL.PngImagePlugin import PngImageFile

from fashion_gan.config import Config
from fashion_gan.datasets import PictureOptions, fashion_mnist, load_pictures, picture_files, read_pixels
from fashion_gan.datasets.contents import MAX_ROWS, ClassContents, Contents, LeftOut
from fashion_gan.datasets.picture_listing import list_pictures
from fashion_gan.errors import InputError
from fashion_gan.system import memory

SKIP = PictureOptions(skip_damaged=True)


def picture(path: Path, array=None, **options) -> Path:
    """Write a picture of 9 × 9 gray pixels, or of the given ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((9, 9), 7, np.uint8) if array is None else np.asarray(array)).save(path, **options)
    return path


def error_message(call, *arguments) -> str:
    """The message of the InputError that the call must raise. It has one line."""
    with pytest.raises(InputError) as raised:
        call(*arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def left_out(contents: Contents) -> dict[str, tuple[int, str]]:
    return {row.reason: (row.count, row.example) for row in contents.left_out}


# ---- Classes ----


def test_a_class_whose_pictures_are_all_in_deeper_folders_takes_them(tmp_path):
    for name in ("a/0.png", "b/2024/may/1.png", "b/2025/0.png", "c/0.png"):
        picture(tmp_path / name)
    data = load_pictures(tmp_path, 8, 1)
    assert (data.class_names, data.labels.tolist()) == (("a", "b", "c"), [0, 1, 1, 2])
    assert f"b: all 2 pictures are in folders inside its own, as {tmp_path}/b/2024/may/1.png" in data.contents.notes


def test_pictures_deeper_than_those_of_their_class_are_left_out_and_counted(tmp_path):
    for name in ("a/0.png", "a/masks/0.png", "a/masks/old/1.png", "a/.cache/2.png", "b/0.png"):
        picture(tmp_path / name)
    data = load_pictures(tmp_path, 8, 1)
    assert data.labels.tolist() == [0, 1]
    assert left_out(data.contents)["pictures in a folder inside a folder of pictures"] == (2, "a/masks/0.png")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda folder: folder.mkdir(), "it is empty"),
        (lambda folder: picture(folder / ".hidden.png"), "it holds only files that are left out (hidden: "),
        (lambda folder: picture(folder / "x.png").rename(folder / "x.heic"), "(.heic files, which are not read)"),
        (lambda folder: picture(folder / "x.png").rename(folder / "x"), "(files without a suffix, which are not read)"),
        (lambda folder: picture(folder / "x.png").write_bytes(b"no picture"), "(cannot be read)"),
        (lambda folder: (folder.mkdir(), (folder / "x.png").symlink_to("nowhere")), "(links to nothing)"),
        (lambda folder: picture(folder / "2024" / "x.png").write_bytes(b"no picture"), "(cannot be read)"),
        (lambda folder: (folder / "2024" / "may").mkdir(parents=True), "it is empty"),
        (lambda folder: (folder.mkdir(), os.mkfifo(folder / "x.png")), "(neither a file nor a folder)"),
    ],
)
def test_a_class_without_pictures_is_an_error_that_names_it_and_the_remedies(tmp_path, make, expected):
    picture(tmp_path / "a" / "0.png")
    make(tmp_path / "b")
    picture(tmp_path / "c" / "0.png")
    message = error_message(load_pictures, tmp_path, 8, 1, SKIP)
    assert message.startswith(f"{tmp_path}/b would be a class without pictures: ")
    assert expected in message
    assert message.endswith("add pictures to it, remove it, or let its name begin with a dot")


def test_classes_one_level_too_deep_are_an_error_that_names_the_folder_with_pictures(tmp_path):
    picture(tmp_path / "photos" / "a" / "0.png")
    picture(tmp_path / "photos" / "b" / "0.png")
    message = error_message(load_pictures, tmp_path, 8, 1)
    assert message.startswith(
        f"{tmp_path} holds no pictures: there are some in {tmp_path}/photos/a; "
        "name the folder whose subfolders are the classes: "
    )


def test_files_of_mnist_one_level_too_deep_are_an_error_that_names_their_folder(tmp_path):
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"")
    message = error_message(load_pictures, tmp_path, 28, 1)
    expected = f"there is train-images-idx3-ubyte in {tmp_path}/MNIST/raw; name that folder: "
    assert message.startswith(f"{tmp_path} holds no pictures: {expected}")


def test_folders_that_systems_make_are_no_classes(tmp_path):
    for name in ("a/0.png", "b/0.png", "__MACOSX/a/._0.png", "@eaDir/0.png", "lost+found/0.png", ".git/0.png"):
        picture(tmp_path / name)
    assert load_pictures(tmp_path, 8, 1).class_names == ("a", "b")


@pytest.mark.parametrize(
    "name", ["Robe\u00a0rouge", "服\u3000装", "👩\u200d🔬", "می\u200cخواهم", "🏴\U000e0067\U000e007f", "T-shirt"]
)
def test_a_class_may_have_any_name_of_one_line(tmp_path, name):
    for folder in (name, "other"):
        picture(tmp_path / folder / "0.png")
    names = load_pictures(tmp_path, 8, 1).class_names
    assert set(names) == {name, "other"}
    config = Config.from_preset("fashion", class_names=names)
    assert Config.from_json(config.to_json(), "config.json").class_names == names


@pytest.mark.parametrize("name", ["two\nlines", "bell\a", "line\u2028separator", os.fsdecode(b"caf\xe9")])
def test_a_class_with_a_name_of_several_lines_or_bytes_is_an_error(tmp_path, name):
    for folder in (name, "other"):
        picture(tmp_path / folder / "0.png")
    assert "cannot name a class: its name holds a control character" in error_message(load_pictures, tmp_path, 8, 1)


def test_an_unreadable_folder_is_an_error_that_names_it(tmp_path, monkeypatch):
    picture(tmp_path / "a" / "0.png")

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert error_message(list_pictures, tmp_path) == f"{tmp_path}: Permission denied"


# ---- What is left out, and what is told ----


def test_everything_that_is_left_out_is_told_with_its_reason(tmp_path):
    for name in ("a/0.png", "a/1.jfif", "b/0.png"):
        picture(tmp_path / name)
    for name in ("a/x.heic", "b/y.HEIC", "a/notes.txt", "README", "b/broken.png"):
        (tmp_path / name).write_bytes(b"no picture")
    (tmp_path / "a" / "link.png").symlink_to(tmp_path / "nowhere.png")
    picture(tmp_path / "a" / "._0.png")
    data = load_pictures(tmp_path, 8, 1, SKIP)
    assert data.labels.tolist() == [0, 0, 1]
    assert left_out(data.contents) == {
        ".heic files, which are not read": (2, "a/x.heic"),
        ".txt files, which are not read": (1, "a/notes.txt"),
        "files without a suffix, which are not read": (1, "README"),
        "links to nothing": (1, "a/link.png"),
        "hidden: the name begins with a dot, or is that of a system folder": (1, "a/._0.png"),
        "cannot be read": (1, f"b/broken.png (cannot be read as a picture: it is no {FORMATS})"),
    }


FORMATS = f"{', '.join(picture_files.PICTURE_FORMATS[:-1])} or {picture_files.PICTURE_FORMATS[-1]}"


def test_control_characters_in_the_names_of_files_are_shown_as_escapes(tmp_path):
    picture(tmp_path / "0.png")
    (tmp_path / "\x1b[31m\n.txt").write_text("")
    assert left_out(load_pictures(tmp_path, 8, 1).contents) == {
        ".txt files, which are not read": (1, r"\x1b[31m\n.txt")
    }


@pytest.mark.skipif(not features.check("avif"), reason="Pillow is built without AVIF")
def test_avif_is_read_if_pillow_reads_it(tmp_path):
    picture(tmp_path / "0.avif")
    assert len(load_pictures(tmp_path, 8, 1).images) == 1


def test_contents_tell_sizes_and_how_pictures_are_changed(tmp_path):
    picture(tmp_path / "a" / "0.png", np.zeros((20, 40), np.uint8))
    picture(tmp_path / "a" / "1.png", np.zeros((4, 4), np.uint8))
    frames = [Image.new("L", (8, 8), level) for level in (0, 200)]
    frames[0].save(tmp_path / "a" / "2.gif", save_all=True, append_images=frames[1:])
    picture(tmp_path / "b" / "0.png", np.full((8, 8), 4095, np.uint16))
    contents = load_pictures(tmp_path, 8, 1).contents
    assert contents.classes == (ClassContents("a", 3, (4, 4), (40, 20)), ClassContents("b", 1, (8, 8), (8, 8)))
    assert contents.notes == (
        "1 of the pictures are not square: their central square is taken",
        "1 of the pictures are smaller than 8×8 and are enlarged",
        "1 of the pictures are animated: their first frame is taken",
        "1 of the pictures are of 16-bit or 32-bit gray: level 4,095 becomes 255",
    )


def test_contents_of_a_thousand_classes_are_a_short_table():
    classes = tuple(ClassContents(f"{number:04d}", 3, (8, 8), (9, 8)) for number in range(1000))
    lines = str(Contents(classes, (LeftOut("hidden", 2, ".x"),), ("a note",))).splitlines()
    assert lines[:2] == ["class              pictures  width×height", "0000                      3  8×8 to 9×8"]
    assert lines[MAX_ROWS + 1 :] == [
        "980 more classes      2,940",
        "all 1,000 classes     3,000",
        "",
        "left out  files  such as",
        "hidden        2  .x",
        "",
        "a note",
    ]


def test_contents_without_classes_are_one_row():
    assert str(Contents((ClassContents("", 5, (8, 8), (8, 8)),))).splitlines()[1:] == ["(no classes)         5  8×8"]


# ---- Gray levels of 16 bits ----


@pytest.mark.parametrize("name", ["0.png", "0.tif"])
@pytest.mark.parametrize(("bits", "shift"), [(8, 0), (10, 2), (12, 4), (16, 8)])
def test_gray_levels_of_any_number_of_bits_become_8_bits(tmp_path, name, bits, shift):
    levels = (np.arange(64, dtype=np.uint16).reshape(8, 8) * 4 + 3) << shift
    picture(tmp_path / name, levels | (1 << shift) - 1)
    assert levels.max().item().bit_length() == bits
    np.testing.assert_array_equal(load_pictures(tmp_path, 8, 1).images[0, ..., 0], levels >> shift)


def test_one_factor_serves_all_pictures_of_16_bits(tmp_path):
    picture(tmp_path / "a" / "dark.png", np.full((8, 8), 160, np.uint16))
    picture(tmp_path / "b" / "bright.png", np.full((8, 8), 4000, np.uint16))
    picture(tmp_path / "b" / "eight_bits.png", np.full((8, 8), 99, np.uint8))
    assert load_pictures(tmp_path, 8, 1).images[:, 0, 0, 0].tolist() == [10, 250, 99]


def test_gray_of_32_bits_is_scaled_too_and_levels_below_0_are_left_out(tmp_path):
    picture(tmp_path / "a.tif", np.full((8, 8), 2**20 - 1, np.int32))
    picture(tmp_path / "b.tif", np.full((8, 8), -1, np.int32))
    data = load_pictures(tmp_path, 8, 1, SKIP)
    assert data.images[:, 0, 0, 0].tolist() == [255]
    assert "its levels go down to -1" in left_out(data.contents)["cannot be read"][1]


def test_a_16_bit_pgm_is_read(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 2 2 65535\n" + np.array([0, 257, 65535, 514], ">u2").tobytes())
    assert load_pictures(tmp_path, 2, 1).images.reshape(-1).tolist()[2] == 255


def png_of_16_bit_colors(pixels) -> bytes:
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_colors_of_16_bits_are_read_unless_they_would_come_out_black(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 2**16, (8, 8, 3), np.uint16)
    (tmp_path / "a.png").write_bytes(png_of_16_bit_colors(pixels))
    np.testing.assert_array_equal(load_pictures(tmp_path, 8, 3).images[0], pixels >> 8)
    (tmp_path / "a.png").write_bytes(png_of_16_bit_colors(pixels >> 4))
    message = error_message(load_pictures, tmp_path, 8, 3)
    assert "a.png has 16 bits per color, of which at most 12 are used in these 1 pictures" in message


# ---- Other kinds of pixels ----


@pytest.mark.parametrize("alpha", [255, 254])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_pixels_with_an_alpha_of_255_everywhere_are_opaque(tmp_path, mode, alpha):
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).convert(mode)
    image.putalpha(alpha)
    image.save(tmp_path / "a.png")
    if alpha == 255:
        assert read_pixels(tmp_path / "a.png").reshape(-1).tolist() == list(range(64))
    else:
        assert "only opaque 8-bit gray or RGB pictures" in error_message(read_pixels, tmp_path / "a.png")


def test_an_opaque_palette_with_transparency_is_opaque(tmp_path):
    Image.fromarray(np.full((4, 4, 3), 9, np.uint8)).quantize(2).save(tmp_path / "a.png", transparency=b"\xff\xff")
    assert read_pixels(tmp_path / "a.png").reshape(-1).tolist() == [9] * 16


@pytest.mark.parametrize(
    ("mode", "suffix"), [("1", "png"), ("CMYK", "jpg"), ("CMYK", "tif"), ("LA", "png"), ("P", "gif")]
)
def test_pixels_of_every_usual_kind_are_read(tmp_path, mode, suffix):
    Image.new("L", (8, 8), 255).convert(mode).save(tmp_path / f"a.{suffix}")
    assert load_pictures(tmp_path, 8, 3).images.min() >= 254


# ---- Damaged and hostile pictures ----


def exif_of_a_rotated_camera() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "Maker", 72.0
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    return exif.tobytes()


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_sound_pixels_are_read_whatever_their_exif_data_hold(tmp_path, suffix):
    exif = exif_of_a_rotated_camera()
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (8, 8, 3), np.uint8)
    for _ in range(40):
        damaged = bytearray(exif)
        for position in random.integers(8, len(exif), 3):
            damaged[position] = random.choice([0, 1, 2, 5, 7, 12, 255])
        picture(tmp_path / f"a.{suffix}", pixels, exif=bytes(damaged))
        data = load_pictures(tmp_path, 8, 3)
        assert len(data.images) == 1


@pytest.mark.parametrize("fault", ["checksum", "long text", "long text at the end", "profile"])
def test_sound_pixels_of_a_png_are_read_whatever_its_other_metadata_hold(tmp_path, fault):
    def chunk(kind, content, checksum=None):
        checksum = zlib.crc32(kind + content) if checksum is None else checksum
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    metadata = {
        "checksum": chunk(b"tEXt", b"a\0b", checksum=0),
        "long text": chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2 << 20))),
        "long text at the end": chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2 << 20))),
        "profile": chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2 << 20))),
    }[fault]
    content = picture(tmp_path / "a.png").read_bytes()
    place = content.index(b"IEND" if "end" in fault else b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(content[:place] + metadata + content[place:])
    assert load_pictures(tmp_path, 9, 1).images.tolist() == np.full((1, 9, 9, 1), 7).tolist()
    assert read_pixels(io.BytesIO((tmp_path / "a.png").read_bytes()), "a").shape == (9, 9, 1)


def test_reading_damaged_pictures_prints_nothing(tmp_path, capfd):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    image.save(tmp_path / "a.tif", compression="tiff_lzw")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[200:6000:50] = b"\xff" * len(content[200:6000:50])
    (tmp_path / "a.tif").write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        message = error_message(load_pictures, tmp_path, 8, 1)
    assert message.startswith(f"{tmp_path}/a.tif cannot be read as a picture: ")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("limit", [Image.MAX_IMAGE_PIXELS, None])  # Many notebooks set it to None.
@pytest.mark.parametrize("size", [(1, 70_000), (10_000, 9_000)])
def test_a_picture_that_would_take_much_memory_is_refused_by_its_header(tmp_path, monkeypatch, size, limit):
    Image.new("1", size).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    monkeypatch.setattr(PngImageFile, "load", lambda image: pytest.fail("its pixels were read"))
    assert f"{tmp_path}/a.png is too large" in error_message(load_pictures, tmp_path, 8, 1)


def test_a_file_in_memory_is_read_and_named(tmp_path):
    content = io.BytesIO(picture(tmp_path / "a.png").read_bytes())
    assert read_pixels(content, "row 3").shape == (9, 9, 1)
    assert error_message(read_pixels, io.BytesIO(b"no picture"), "row 3").startswith(
        "row 3 cannot be read as a picture: "
    )


def test_pictures_that_do_not_fit_into_memory_are_refused_before_they_are_read(tmp_path, monkeypatch):
    for number in range(4):
        picture(tmp_path / f"{number}.png")
    monkeypatch.setattr(memory, "available_memory", lambda: 190_000.0)
    monkeypatch.setattr(fashion_mnist, "cache_folder", lambda: None)
    message = error_message(load_pictures, tmp_path, 128, 3)
    assert message.startswith(f"{tmp_path}: 4 pictures at 128×128×3 take 1 MB of memory, but 1 MB are available: ")
    assert message.endswith("choose a smaller image_size, 1 channel instead of 3, or fewer pictures")
