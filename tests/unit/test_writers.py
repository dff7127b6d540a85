"""Labeled images in every format, read back as other programs read them, and the checks of IDX data sets."""

import gzip
import io
import json
import sys

import numpy as np
import pytest
from PIL import Image

from fashion_gan.datasets import load_training_images
from fashion_gan.datasets.generated import IDX_IMAGES, IDX_LABELS, MANIFEST
from fashion_gan.datasets.writers import (
    check_format,
    checksums,
    subfolder_names,
    write_files,
)
from fashion_gan.errors import InputError

NAMES = ("T-shirt/top", "Bag", "Coat")
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 6, 5, 1), np.uint8)
COLORS = np.random.default_rng(1).integers(0, 256, (12, 6, 5, 3), np.uint8)
LABELS = np.tile(np.arange(3, dtype=np.int32), 4)


@pytest.fixture
def idx(tmp_path):
    """An IDX data set, with those parts of a manifest that reading needs."""
    write_files(tmp_path, "idx", IMAGES, LABELS, NAMES)
    manifest = {"format": "idx", "class_names": NAMES, "files": checksums(tmp_path)}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    return tmp_path


def test_fashion_mnist_s_own_loader_reads_idx(idx):
    """utils/mnist_reader.py in the repository of Fashion-MNIST has these fixed offsets."""
    with gzip.open(idx / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    with gzip.open(idx / "train-images-idx3-ubyte.gz") as file:
        content = file.read()
    assert np.array_equal(labels, LABELS)
    assert np.array_equal(np.frombuffer(content, np.uint8, offset=16).reshape(12, 6, 5), IMAGES[..., 0])
    assert np.frombuffer(content, ">u4", count=4).tolist() == [0x803, 12, 6, 5]


def test_equal_images_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for format in ("idx", "npz", "folders", "parquet"):  # noqa: A001
            write_files(tmp_path / name, format, IMAGES, LABELS, NAMES)
    assert checksums(tmp_path / "a") == checksums(tmp_path / "b")
    assert len(checksums(tmp_path / "a")) == 2 + 1 + 12 + 1


def test_npz_holds_images_labels_and_names(tmp_path):
    write_files(tmp_path, "npz", COLORS, LABELS, NAMES)
    with np.load(tmp_path / "dataset.npz", allow_pickle=False) as file:
        assert np.array_equal(file["images"], COLORS)
        assert np.array_equal(file["labels"], LABELS)
        assert tuple(file["class_names"]) == NAMES


def test_folders_hold_each_image_under_its_class_and_training_reads_them(tmp_path):
    write_files(tmp_path, "folders", np.repeat(IMAGES[:, :5], 2, axis=1)[:, ::2], LABELS, NAMES)  # 5 × 5
    dataset = load_training_images(tmp_path / "images", 5, 1)
    assert dataset.class_names == ("Bag", "Coat", "T-shirt-top")
    assert np.array_equal(dataset.images[dataset.labels == 2], IMAGES[LABELS == 0][:, :5])


def test_parquet_holds_images_and_class_numbers_with_their_names(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_files(tmp_path, "parquet", COLORS, LABELS, NAMES)
    table = parquet.read_table(tmp_path / "dataset.parquet")
    images = [np.asarray(Image.open(io.BytesIO(row["bytes"]))) for row in table["image"].to_pylist()]
    assert np.array_equal(images, COLORS)
    assert table["label"].to_pylist() == LABELS.tolist()
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["label"]["names"] == list(NAMES)


def test_training_reads_an_idx_data_set_with_the_manifest_s_classes(idx):
    dataset = load_training_images(idx, 28, 1)
    assert np.array_equal(dataset.images, IMAGES)
    assert np.array_equal(dataset.labels, LABELS)
    assert dataset.class_names == NAMES


def test_an_idx_data_set_with_a_file_that_does_not_match_the_manifest_is_an_error(idx):
    content = gzip.decompress((idx / IDX_LABELS).read_bytes())
    (idx / IDX_LABELS).write_bytes(gzip.compress(content[:-1] + b"\0"))
    with pytest.raises(InputError, match=r"train-labels-idx1-ubyte.gz: altered"):
        load_training_images(idx, 28, 1)
    (idx / IDX_IMAGES).unlink()
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte.gz is missing"):
        load_training_images(idx, 28, 1)


@pytest.mark.parametrize("text", ["", "[]", '{"format": "idx"}', '{"format": "npz", "class_names": [], "files": {}}'])
def test_with_a_foreign_manifest_the_classes_have_the_numbers_of_their_labels(idx, text):
    (idx / MANIFEST).write_text(text)
    assert load_training_images(idx, 28, 1).class_names == tuple(str(number) for number in np.unique(LABELS))


@pytest.mark.parametrize(
    ("format", "shape", "names", "words"),
    [
        ("idy", (28, 28, 1), NAMES, "did you mean 'idx'"),
        ("idx", (28, 28, 3), NAMES, "gray images of at most 256 classes"),
        ("idx", (28, 28, 1), [str(number) for number in range(257)], "gray images of at most 256 classes"),
    ],
)
def test_a_format_that_cannot_hold_the_images_is_an_error(format, shape, names, words):
    with pytest.raises(InputError, match=words):
        check_format(format, shape, names)


def test_parquet_without_pyarrow_names_the_package_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs pyarrow: pip install .*\[parquet\]"):
        check_format("parquet", (28, 28, 1), NAMES)


@pytest.mark.parametrize(
    "names", [("..", "a"), ("a/b", "a-b"), ("Bag", "bag"), ("/etc", "../etc"), ("", "a"), ("CON", "a")]
)
def test_subfolders_are_distinct_and_stay_in_the_data_set(names):
    folders = subfolder_names(names)
    assert len({name.casefold() for name in folders}) == 2
    assert not any(set(name) & set("./\\") or name in ("", "CON", "lpt1") for name in folders)
