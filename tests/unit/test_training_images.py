"""Data that people have, as training images: arrays, tables, nested folders, fits, and damaged pictures."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fashion_gan
from fashion_gan.config import Config
from fashion_gan.datasets import (
    CLASS_NAMES,
    Dataset,
    PictureOptions,
    array_images,
    image_arrays,
    load_fashion_mnist,
    load_pictures,
    load_test_images,
    load_training_images,
    parquet_files,
    picture_sets,
)
from fashion_gan.datasets.contents import ClassContents
from fashion_gan.datasets.generated import MANIFEST
from fashion_gan.datasets.writers import WRITERS, checksums, write_files
from fashion_gan.errors import InputError

RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(0, 256, (6, 8, 8), np.uint8)
COLORS = RANDOM.integers(0, 256, (6, 12, 8, 3), np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2], np.int32)


def error_message(call, *arguments, **settings) -> str:
    with pytest.raises(InputError) as raised:
        call(*arguments, **settings)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def picture(path: Path, array) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array)).save(path)
    return path


def notes(data: Dataset) -> tuple[str, ...]:
    return data.contents.notes


# ---- Fits ----

HALVES = np.zeros((4, 8, 3), np.uint8)  # wide: left half dark, right half bright
HALVES[:, 4:] = 200


@pytest.mark.parametrize("tall", [False, True])
def test_crop_pad_and_stretch(tmp_path, tall):
    pixels = HALVES.swapaxes(0, 1) if tall else HALVES
    picture(tmp_path / "a.png", pixels)

    def read(fit, **options):
        image = load_training_images(tmp_path, 8, 3, fit=fit, **options).images[0].astype(int)
        return image.swapaxes(0, 1) if tall else image

    padded = read("pad", background="#00ff00")
    assert (padded[:2] == [0, 255, 0]).all()
    assert (padded[6:] == [0, 255, 0]).all()
    np.testing.assert_array_equal(padded[2:6], HALVES)
    stretched = read("stretch")
    assert (stretched[:, :3] < 20).all()
    assert (stretched[:, 5:] > 180).all()
    assert not np.array_equal(read("crop"), stretched)
    np.testing.assert_array_equal(read("crop"), read("crop", background="red"))


@pytest.mark.parametrize(("fit", "note"), [("crop", "their central square is taken"), ("pad", "they get a border")])
def test_contents_say_how_pictures_become_squares(tmp_path, fit, note):
    picture(tmp_path / "a.png", HALVES)
    contents = load_training_images(tmp_path, 4, 3, fit=fit).contents
    assert contents.notes == (f"1 of the pictures are not square: {note}",)


def test_pictures_that_are_padded_are_enlarged_only_if_their_longer_side_is_smaller(tmp_path):
    picture(tmp_path / "a.png", HALVES)
    assert len(notes(load_training_images(tmp_path, 8, 3, fit="pad"))) == 1
    assert len(notes(load_training_images(tmp_path, 8, 3, fit="crop"))) == 2


@pytest.mark.parametrize(
    ("background", "channels", "expected"),
    [("white", 3, [255] * 3), ("#102030", 3, [16, 32, 48]), ("black", 1, [0]), ("red", 4, [0, 0, 0, 0])],
)
@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_transparent_parts_and_the_border_get_the_background(tmp_path, fit, background, channels, expected):
    clear = np.zeros((8, 8, 4), np.uint8)
    clear[:, 4:] = [9, 9, 9, 255]
    picture(tmp_path / "a.png", clear if fit != "pad" else clear[:, 4:])
    image = load_training_images(tmp_path, 8, channels, fit=fit, background=background).images[0]
    assert image[4, 0].tolist() == expected


def test_unknown_fits_and_colors_are_errors(tmp_path):
    picture(tmp_path / "a.png", HALVES)
    assert "(one of crop, pad, stretch)" in error_message(load_training_images, tmp_path, 8, 3, fit="squash")
    for color in ("nocolor", "#12", "#ffffff80"):
        message = error_message(load_training_images, tmp_path, 8, 3, background=color)
        assert message == f"background='{color}' is not a color: a name such as 'white' and '#rrggbb' are taken"
        assert error_message(Config, background=color) == message


# ---- Damaged pictures ----


def test_all_damaged_pictures_are_named_at_once(tmp_path):
    for number in range(30):
        path = picture(tmp_path / f"{number:02d}.png", GRAY[0])
        if number % 6:
            path.write_bytes(path.read_bytes()[: 40 if number % 2 else 4])  # damaged pixels, or a damaged header
    message = error_message(load_training_images, tmp_path, 8, 1)
    start = (
        f"{tmp_path}: 25 of 30 pictures cannot be read: mend or remove them, or leave them out with skip_damaged "
        "(--skip-damaged): 01.png ("
    )
    assert message.startswith(start)
    assert message.endswith(", and 5 more")
    assert message.count(".png (") == picture_sets.MAX_NAMED
    data = load_training_images(tmp_path, 8, 1, skip_damaged=True)
    assert len(data.images) == 5
    assert [(row.reason, row.count) for row in data.contents.left_out] == [("cannot be read", 25)]


def test_settings_stored_before_there_was_the_choice_leave_out_damaged_pictures():
    settings = json.loads(Config().to_json())
    assert Config.from_json(json.dumps(settings), "here").skip_damaged is False
    del settings["skip_damaged"]
    assert Config.from_json(json.dumps(settings), "here").skip_damaged is True


# ---- train/ and test/ ----


def fill(folder: Path, *names: str) -> Path:
    for level, name in enumerate(names):
        picture(folder / name, np.full((8, 8), 40 * level, np.uint8))
    return folder


def test_training_takes_train_and_metrics_take_test(tmp_path):
    fill(tmp_path, "train/a/0.png", "train/b/0.png", "test/b/0.png", "val/a/0.png")
    data = load_training_images(tmp_path, 8, 1)
    assert (data.class_names, data.images[:, 0, 0, 0].tolist()) == (("a", "b"), [0, 40])
    test = load_test_images(tmp_path, data.class_names, 8, 1)
    assert (test.class_names, test.labels.tolist(), test.images[0, 0, 0, 0]) == (("a", "b"), [1], 80)
    assert notes(data) == (
        "train/ holds the training pictures; test/ is held out, and metrics compare with it; val/ is not used",
    )


@pytest.mark.parametrize("name", ["val", "valid", "validation", "testing", "TEST"])
def test_the_folder_of_test_pictures_may_have_other_names(tmp_path, name):
    data = load_training_images(fill(tmp_path, "Train/0.png", f"{name}/0.png"), 8, 1)
    assert (data.class_names, len(data.images)) == ((), 1)
    assert len(load_test_images(tmp_path, (), 8, 1).images) == 1


def test_without_test_pictures_there_are_none(tmp_path):
    fill(tmp_path, "train/a/0.png", "train/b/0.png")
    assert load_training_images(tmp_path, 8, 1).class_names == ("a", "b")
    assert load_test_images(tmp_path, ("a", "b"), 8, 1) is None
    assert "holds no test pictures" in error_message(load_pictures, tmp_path, 8, 1, test=True)


def test_train_can_be_a_class_among_others(tmp_path):
    data = load_training_images(fill(tmp_path, "bus/0.png", "train/0.png", "test/0.png"), 8, 1)
    assert data.class_names == ("bus", "test", "train")
    assert load_test_images(tmp_path, data.class_names, 8, 1) is None


def test_a_test_picture_of_another_class_is_an_error(tmp_path):
    fill(tmp_path, "train/a/0.png", "train/b/0.png", "test/c/0.png")
    message = error_message(load_test_images, tmp_path, ("a", "b"), 8, 1)
    assert message == f"{tmp_path}: test pictures are of the class 'c', which no other picture has"


# ---- Arrays ----


def test_gray_squares_stay_as_they_are(tmp_path):
    data = load_training_images(GRAY, 16, 3, labels=LABELS)
    np.testing.assert_array_equal(data.images, GRAY[..., np.newaxis])
    assert (data.class_names, data.labels.tolist(), data.source) == (("0", "1", "2"), LABELS.tolist(), "images")
    assert data.contents.classes[0] == ClassContents("0", 2, (8, 8), (8, 8))
    assert notes(data) == ("all pictures are gray and 8×8, and stay so: training enlarges them",)
    assert notes(load_training_images(GRAY, 8, 1)) == ()


def test_other_images_become_squares_as_pictures_in_folders_do(tmp_path):
    for number, image in enumerate(COLORS):
        picture(tmp_path / f"{number}.png", image)
    for fit in ("crop", "pad", "stretch"):
        data = load_training_images(COLORS, 8, 3, fit=fit, background="red")
        folder = load_training_images(tmp_path, 8, 3, fit=fit, background="red")
        np.testing.assert_array_equal(data.images, folder.images)
        assert data.fingerprint == folder.fingerprint
    assert notes(load_training_images(COLORS, 8, 1)) == (
        "all images become 8×8 with 1 channels instead of 3: their central square is taken",
    )


def test_large_gray_squares_are_resized(tmp_path):
    assert load_training_images(np.zeros((3, 32, 32), np.uint8), 16, 1).images.shape == (3, 16, 16, 1)


def test_images_of_the_right_shape_are_not_copied():
    images = np.zeros((3, 8, 8, 3), np.uint8)
    assert np.shares_memory(load_training_images(images, 8, 3).images, images)


def test_transparent_arrays_get_the_background():
    images = np.zeros((2, 8, 8, 4), np.uint8)
    assert (load_training_images(images, 8, 3, background="#0000ff").images == [0, 0, 255]).all()


@pytest.mark.parametrize(
    "labels",
    [
        ["b", "a", "c", "b", "a", "c"],
        np.array(["b", "a", "c", "b", "a", "c"], object),
        np.array([["b"], ["a"], ["c"], ["b"], ["a"], ["c"]]),
    ],
)
def test_labels_may_be_names(labels):
    data = load_training_images(GRAY, 8, 1, labels=labels)
    assert (data.class_names, data.labels.tolist()) == (("a", "b", "c"), [1, 0, 2, 1, 0, 2])


@pytest.mark.parametrize("labels", [LABELS, LABELS.tolist(), LABELS[:, np.newaxis], np.eye(3)[LABELS], LABELS * 1.0])
def test_labels_may_be_numbers_of_every_common_form(labels):
    data = load_training_images(GRAY, 8, 1, labels=labels)
    assert (data.class_names, data.labels.tolist(), data.labels.dtype) == (("0", "1", "2"), LABELS.tolist(), np.int32)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (GRAY / 255, "floats in [0, 1]: multiply them by 255, then round"),
        (np.zeros((2, 3, 8, 8), np.uint8), "channels come first (CHW); move them to the end"),
        (np.zeros((8, 8, 3), np.uint8), "a single picture needs an axis N"),
        (np.zeros((2, 8), np.uint8), "must be a folder, a file, an array of images"),
        (np.zeros((0, 8, 8), np.uint8), "there are no images"),
        (GRAY.astype(int) + 1, "pixels must be in [0, 255]"),
        ({"images": 3}, "must be an array or a list of numbers"),
        (["a.png", "b.png"], "must be a folder, a file, an array of images"),
    ],
)
def test_arrays_that_are_no_images_are_refused_with_the_remedy(images, words):
    assert words in error_message(load_training_images, images, 8, 1)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (LABELS[:5], "6 images and 5 labels"),
        (LABELS - 1, "one label from 0 up"),
        (LABELS + 0.5, "no whole class number"),
        ("a", "must be a list or an array with a class for each image"),
        (["two\nlines"] * 6, "cannot be the names of the classes"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, words):
    assert words in error_message(load_training_images, GRAY, 8, 1, labels=labels)


def test_labels_are_only_for_arrays(tmp_path):
    picture(tmp_path / "a.png", GRAY[0])
    for data in (tmp_path, Dataset(GRAY[..., np.newaxis], LABELS, ("a", "b", "c"), "here")):
        assert "labels are for arrays" in error_message(load_training_images, data, 8, 1, labels=LABELS)


def test_a_dataset_is_taken_with_its_classes_and_contents(tmp_path):
    data = load_training_images(fill(tmp_path, "a/0.png", "b/0.png"), 8, 1)
    again = load_training_images(data, 8, 1)
    assert (again.fingerprint, again.class_names, again.contents) == (data.fingerprint, data.class_names, data.contents)
    assert load_training_images(data, 4, 1).images.shape == (2, 4, 4, 1)


def test_fashion_mnist_in_an_array_gets_its_names(monkeypatch):
    data = load_fashion_mnist("train")
    named = load_training_images(data.images[..., 0], 28, 1, labels=data.labels)
    assert named.class_names == CLASS_NAMES
    assert named.fingerprint == data.fingerprint
    monkeypatch.setattr(image_arrays, "TRAINING_FINGERPRINT", "")
    assert load_training_images(data.images, 28, 1, labels=data.labels).class_names == tuple("0123456789")


# ---- Files of arrays ----


@pytest.mark.parametrize(
    ("images", "labels"),
    [("images", "labels"), ("x_train", "y_train"), ("X_train", "y_train"), ("train_images", "train_labels")],
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_is_read_by_the_names_of_its_arrays(tmp_path, images, labels, save):
    others = {} if images == "images" else {images.replace("train", "test"): GRAY[:2], "y_test": LABELS[:2]}
    save(tmp_path / "a.npz", **{images: GRAY, labels: LABELS}, **others)
    data = load_training_images(tmp_path / "a.npz", 8, 1)
    assert np.array_equal(data.images[..., 0], GRAY)
    assert (data.class_names, data.labels.tolist()) == (("0", "1", "2"), LABELS.tolist())


def test_the_test_images_of_an_npz_are_held_out(tmp_path):
    arrays = {"x_train": COLORS, "y_train": LABELS, "x_test": COLORS[:3], "y_test": LABELS[2:5]}
    np.savez(tmp_path / "a.npz", **arrays)
    test = load_test_images(tmp_path / "a.npz", ("0", "1", "2"), 8, 3)
    assert (test.images.shape, test.labels.tolist()) == ((3, 8, 8, 3), [2, 0, 1])
    np.savez(tmp_path / "b.npz", images=COLORS)
    assert load_test_images(tmp_path / "b.npz", (), 8, 3) is None


def test_an_npz_may_name_its_classes(tmp_path):
    np.savez(tmp_path / "a.npz", images=GRAY, labels=LABELS, class_names=["cat", "dog", "bird"])
    assert load_training_images(tmp_path / "a.npz", 8, 1).class_names == ("cat", "dog", "bird")
    np.savez(tmp_path / "b.npz", images=GRAY, labels=np.array(["dog", "cat"] * 3))
    assert load_training_images(tmp_path / "b.npz", 8, 1).class_names == ("cat", "dog")


def test_an_npy_is_read(tmp_path):
    np.save(tmp_path / "a.npy", COLORS)
    data = load_training_images(tmp_path / "a.npy", 8, 3)
    np.testing.assert_array_equal(data.images, load_training_images(COLORS, 8, 3).images)


def test_objects_in_arrays_are_not_read(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, {}], object))
    np.savez(tmp_path / "a.npz", images=np.array([{}, {}], object))
    for name in ("a.npy", "a.npz"):
        message = error_message(load_training_images, tmp_path / name, 8, 1)
        assert "holds Python objects, which are not read" in message


def test_an_array_that_states_too_much_is_refused_by_its_header(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((100, 100, 100), np.uint8))
    monkeypatch.setattr(array_images, "MAX_BYTES", 1000)
    assert "the limit is " in error_message(load_training_images, tmp_path / "a.npz", 8, 1)


# ---- CSV files of pixels ----


def csv(path: Path, rows: np.ndarray, header: str = "") -> Path:
    with open(path, "w", encoding="utf-8") as file:
        file.write(header)
        np.savetxt(file, rows, "%d", ",")
    return path


FLAT = GRAY.reshape(6, 64)
KAGGLE = "label," + ",".join(f"pixel{number}" for number in range(1, 65)) + "\n"


@pytest.mark.parametrize(
    ("header", "before"),
    [
        (KAGGLE, LABELS),
        ("\ufeff" + KAGGLE.replace("label", '"label"'), LABELS),
        ("label," + ",".join(f"{row}x{column}" for row in range(8) for column in range(8)) + "\n", LABELS),
        ("", LABELS),
    ],
)
def test_a_csv_of_pixels_is_read(tmp_path, monkeypatch, header, before):
    monkeypatch.setattr("fashion_gan.datasets.pixel_tables.ROWS_TOGETHER", 3)
    data = load_training_images(csv(tmp_path / "a.csv", np.c_[before, FLAT], header), 8, 1)
    assert np.array_equal(data.images[..., 0], GRAY)
    assert (data.class_names, data.labels.tolist()) == (("0", "1", "2"), LABELS.tolist())


@pytest.mark.parametrize("header", ["", KAGGLE.removeprefix("label,")])
def test_a_csv_without_labels_has_no_classes(tmp_path, header):
    data = load_training_images(csv(tmp_path / "a.csv", FLAT, header), 8, 1)
    assert (data.class_names, np.array_equal(data.images[..., 0], GRAY)) == ((), True)


def test_other_columns_of_a_csv_are_told(tmp_path):
    rows = np.c_[np.arange(1000, 1006), FLAT, LABELS]
    header = "id," + KAGGLE.strip().removeprefix("label,") + ",label\n"
    data = load_training_images(csv(tmp_path / "a.csv", rows, header), 8, 1)
    assert np.array_equal(data.images[..., 0], GRAY)
    assert notes(data) == ("columns that are not read: 'id'",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        (KAGGLE, "it has no rows"),
        ("label,pixel1,pixel2\n0,1,2\n", "has 2 columns of pixels, which are no square"),
        ("name,value\na,1\n", "has 0 columns of pixels"),
        ("label,pixel1\n0,256\n", "could not convert string '256'"),
        ("label,pixel1\n0,x\n", "could not convert string 'x'"),
        ("label,pixel1\n0\n", "cannot be read as a table of pixels"),
        ("label,pixel1\n0,\udcff\n", "cannot be read as a table of pixels"),
    ],
)
def test_other_csv_files_are_errors_of_one_line(tmp_path, text, words):
    (tmp_path / "a.csv").write_bytes(text.encode(errors="surrogateescape"))
    message = error_message(load_training_images, tmp_path / "a.csv", 8, 1)
    assert message.startswith(f"{tmp_path}/a.csv ")
    assert words in message


# ---- Data sets that `dataset` wrote ----

NAMES = ("T-shirt/top", "Bag", "Coat")


def write_generated(folder: Path, format: str, images, names=NAMES) -> Path:
    if format == "parquet":
        pytest.importorskip("pyarrow")
    folder.mkdir()
    write_files(folder, format, images, LABELS, names)
    manifest = {"format": format, "class_names": list(names), "files": checksums(folder)}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize("format", WRITERS)
def test_a_generated_data_set_is_the_same_in_every_format(tmp_path, format):
    data = load_training_images(write_generated(tmp_path / "set", format, GRAY[..., np.newaxis]), 16, 3)
    assert data.class_names == NAMES
    assert np.array_equal(data.labels, LABELS)
    assert np.array_equal(data.images, GRAY[..., np.newaxis])


@pytest.mark.parametrize("format", ["npz", "folders", "parquet"])
@pytest.mark.parametrize("names", [NAMES, ("train", "test", "val"), ("con", "a", "A")])
def test_a_generated_data_set_in_color_keeps_its_order(tmp_path, format, names):
    images = RANDOM.integers(0, 256, (6, 8, 8, 3), np.uint8)
    data = load_training_images(write_generated(tmp_path / "set", format, images, names), 8, 3)
    assert (data.class_names, data.labels.tolist()) == (names, LABELS.tolist())
    assert np.array_equal(data.images, images)


@pytest.mark.parametrize("format", ["idx", "npz", "parquet"])
def test_an_altered_generated_data_set_is_an_error(tmp_path, format):
    folder = write_generated(tmp_path / "set", format, GRAY[..., np.newaxis])
    path = next(path for path in sorted(folder.iterdir()) if path.name != MANIFEST)
    path.write_bytes(path.read_bytes() + b" ")
    assert f"{path}: altered" in error_message(load_training_images, folder, 8, 1)


def test_generated_pictures_that_a_user_deletes_are_left_out(tmp_path):
    folder = write_generated(tmp_path / "set", "folders", GRAY[..., np.newaxis])
    (folder / "images" / "Bag" / "000001.png").unlink()
    data = load_training_images(folder, 8, 1)
    assert data.labels.tolist() == [0, 2, 0, 1, 2]
    assert np.array_equal(data.images[..., 0], GRAY[[0, 2, 3, 4, 5]])


# ---- Parquet, and the library datasets ----


def png(image) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def write_parquet(path: Path, images, columns=None, names=None, **options) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    cells = [{"bytes": content, "path": "/etc/passwd"} for content in images]
    table = pyarrow.table({"image": cells, **(columns or {})})
    features = {column: {"_type": "ClassLabel", "names": own} for column, own in (names or {}).items()}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    parquet.write_table(table.replace_schema_metadata(metadata), path, **options)
    return path


def test_pictures_of_any_size_in_parquet_become_squares_in_their_order(tmp_path, monkeypatch):
    pictures = [RANDOM.integers(0, 256, (8 + number, 10, 3), np.uint8) for number in range(5)]
    for number, image in enumerate(pictures):
        picture(tmp_path / "in" / f"{number}.png", image)
    labels = {"label": [1, 0, 1, 0, 1]}
    path = write_parquet(tmp_path / "a.parquet", map(png, pictures), labels, {"label": ["a", "b"]}, row_group_size=2)
    data = load_training_images(path, 8, 3, fit="pad")
    assert (data.class_names, data.labels.tolist()) == (("a", "b"), labels["label"])
    np.testing.assert_array_equal(data.images, load_training_images(tmp_path / "in", 8, 3, fit="pad").images)
    assert data.contents.classes[1] == ClassContents("b", 3, (10, 8), (10, 12))


def test_gray_squares_in_parquet_stay_as_they_are(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", map(png, GRAY), {"label": ["x", "y"] * 3})
    data = load_training_images(path, 64, 3)
    assert (data.class_names, np.array_equal(data.images[..., 0], GRAY)) == (("x", "y"), True)


def test_a_damaged_picture_in_parquet_is_named_by_its_row_and_paths_are_not_followed(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", [png(GRAY[0]), None, b"no picture"])
    message = error_message(load_training_images, path, 8, 1)
    assert message.startswith(f"{path}: 2 of 3 pictures cannot be read: ")
    assert ": row 1 (" in message
    assert ", row 2 (" in message
    assert len(load_training_images(path, 8, 1, skip_damaged=True).images) == 1


def test_the_only_column_with_named_classes_is_taken(tmp_path):
    columns = {"fine": [0, 1, 0, 1, 0, 1], "coarse": [0] * 6}
    one, two = {"fine": ["a", "b"]}, {"fine": ["a", "b"], "coarse": ["c"]}
    path = write_parquet(tmp_path / "a.parquet", map(png, GRAY), columns, one)
    assert load_training_images(path, 8, 1).class_names == ("a", "b")
    data = load_training_images(write_parquet(tmp_path / "b.parquet", map(png, GRAY), columns, two), 8, 1)
    assert data.class_names == ()
    assert notes(data) == ("no classes are read: to read one of the columns fine, coarse, rename it to label",)


@pytest.mark.parametrize("subfolder", ["", "data"])
def test_the_parquet_files_of_a_folder_are_one_table(tmp_path, subfolder):
    folder = tmp_path / "set" / subfolder
    folder.mkdir(parents=True)
    for number, name in enumerate(("train-00000-of-00002", "train-00001-of-00002", "validation-0", "test-0")):
        part = GRAY[number : number + 2]
        write_parquet(folder / f"{name}.parquet", map(png, part), {"label": [1, number % 2]}, {"label": ["a", "b"]})
    data = load_training_images(tmp_path / "set", 8, 1)
    assert np.array_equal(data.images[..., 0], GRAY[[0, 1, 1, 2]])
    assert (data.class_names, data.labels.tolist()) == (("a", "b"), [1, 0, 1, 1])
    test = load_test_images(tmp_path / "set", data.class_names, 8, 1)
    assert np.array_equal(test.images[..., 0], GRAY[3:5])
    write_parquet(folder / "train-2.parquet", map(png, GRAY), {"label": [0] * 6}, {"label": ["c"]})
    assert "its files name different classes" in error_message(load_training_images, tmp_path / "set", 8, 1)


def test_a_folder_of_pictures_with_a_table_is_a_folder_of_pictures(tmp_path):
    fill(tmp_path, "a/0.png", "b/0.png")
    write_parquet(tmp_path / "metadata.parquet", map(png, GRAY))
    assert load_training_images(tmp_path, 8, 1).class_names == ("a", "b")


def test_a_row_group_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_files, "MAX_GROUP_BYTES", 100)
    path = write_parquet(tmp_path / "a.parquet", map(png, GRAY))
    assert "write the file with smaller row groups" in error_message(load_training_images, path, 8, 1)


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1 no table PAR1", b"PAR1" + bytes(200) + b"PAR1"])
def test_damaged_parquet_is_an_error_of_one_line(tmp_path, content):
    pytest.importorskip("pyarrow")
    (tmp_path / "a.parquet").write_bytes(content)
    assert error_message(load_training_images, tmp_path / "a.parquet", 8, 1).startswith(f"{tmp_path}/a.parquet ")


class ClassLabel:
    """The feature of the library ``datasets`` that names classes."""

    def __init__(self, names):
        self.names = names


class HuggingFaceDataset:
    """What ``datasets.Dataset`` has of what is used. Its decoder may fail."""

    def __init__(self, columns, names=None):
        self._columns = columns
        self.column_names = list(columns)
        self.features = {name: ClassLabel(names) if name == "label" else object() for name in columns}

    def __len__(self):
        return len(next(iter(self._columns.values())))

    def __getitem__(self, key):
        if isinstance(key, str):
            return self._columns[key]
        row = {name: column[key] for name, column in self._columns.items()}
        if any(isinstance(cell, Exception) for cell in row.values()):
            raise next(cell for cell in row.values() if isinstance(cell, Exception))
        return row


def test_a_data_set_of_hugging_face_is_read_as_parquet_is(tmp_path):
    pictures = [RANDOM.integers(0, 256, (8 + number, 10, 3), np.uint8) for number in range(4)]
    path = write_parquet(tmp_path / "a.parquet", map(png, pictures), {"label": [1, 0, 1, 0]}, {"label": ["a", "b"]})
    data = HuggingFaceDataset({"image": [*map(Image.fromarray, pictures)], "label": [1, 0, 1, 0]}, ["a", "b"])
    read = load_training_images(data, 8, 3)
    assert read.fingerprint == load_training_images(path, 8, 3).fingerprint
    assert (read.class_names, read.source) == (("a", "b"), "dataset")
    assert len(load_training_images(HuggingFaceDataset({"image": [*map(Image.fromarray, GRAY)]}), 64, 3).images[0]) == 8


def test_a_picture_that_the_library_cannot_decode_is_named(tmp_path):
    data = HuggingFaceDataset({"image": [Image.fromarray(GRAY[0]), RuntimeError("broken\nfile"), None]})
    message = error_message(load_training_images, data, 8, 1)
    assert "row 1 (broken file), row 2 (" in message
    assert len(load_training_images(data, 8, 1, skip_damaged=True).images) == 1


def test_kinds_of_hugging_face_that_have_no_order_or_several_parts_are_refused():
    class Stream:
        column_names, features = ["image"], {}

    class Parts(dict):
        column_names = property(lambda parts: {part: ["image"] for part in parts})

    assert "load it with streaming=False" in error_message(load_training_images, Stream(), 8, 1)
    assert "data=dataset['train']" in error_message(load_training_images, Parts(train=1), 8, 1)
    assert "holds no rows" in error_message(load_training_images, HuggingFaceDataset({"image": []}), 8, 1)
    assert "no pictures in one called image" in error_message(
        load_training_images, HuggingFaceDataset({"text": ["a"]}), 8, 1
    )


def test_the_command_data_shows_any_file_and_names_what_train_would_refuse(tmp_path, capsys):
    from fashion_gan.cli import main

    fill(tmp_path / "in", "a/0.png", "b/0.png")
    (tmp_path / "in" / "a" / "1.png").write_bytes(b"no picture")
    np.savez(tmp_path / "a.npz", images=COLORS, labels=LABELS)
    assert main(["data", "--data", str(tmp_path / "in"), "--fit", "pad", "--out", str(tmp_path / "1.png")]) == 0
    assert "train refuses pictures that cannot be read, unless it gets --skip-damaged" in capsys.readouterr().out
    assert main(["data", "--data", str(tmp_path / "a.npz"), "--out", str(tmp_path / "2.png")]) == 0
    assert "all 3 classes         6" in capsys.readouterr().out
    assert main(["data", "--data", str(tmp_path / "a.npz"), "--background", "x", "--force"]) == 2
    assert fashion_gan.load_training_images(tmp_path / "in", 8, 1, **vars(PictureOptions(skip_damaged=True)))
