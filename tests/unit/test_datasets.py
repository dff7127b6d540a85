"""Loading Fashion-MNIST from every source, its errors, and the user's own pictures."""

import base64
import contextlib
import functools
import gzip
import hashlib
import http.server
import io
import json
import shutil
import socket
import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashion_gan.datasets import (
    Dataset,
    PictureOptions,
    fashion_mnist,
    generated,
    load_fashion_mnist,
    load_pictures,
    load_training_images,
)
from fashion_gan.datasets.idx import read_content, read_idx
from fashion_gan.datasets.writers import checksums
from fashion_gan.errors import InputError
from fashion_gan.system import memory, progress

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def error_message(call, *arguments) -> str:
    """The message of the InputError that the call must raise. It has one line."""
    with pytest.raises(InputError) as raised:
        call(*arguments)
    message = str(raised.value)
    assert message
    assert "\n" not in message
    return message


# ---- A small Fashion-MNIST of 20 and 10 images with its own checksums, which tests can damage quickly ----


@pytest.fixture
def contents(monkeypatch) -> dict[str, bytes]:
    """The four files' contents. They are accepted as Fashion-MNIST's during the test."""
    random = np.random.default_rng(0)
    contents = {}
    for prefix, count in (("train", 20), ("t10k", 10)):
        contents[f"{prefix}-images-idx3-ubyte"] = idx(random.integers(0, 256, (count, 28, 28), np.uint8))
        contents[f"{prefix}-labels-idx1-ubyte"] = idx(random.integers(0, 10, count, np.uint8))
    for name, content in contents.items():
        monkeypatch.setitem(fashion_mnist.FASHION_MNIST_SHA256, name, hashlib.sha256(content).hexdigest())
        monkeypatch.setitem(fashion_mnist._SHAPES, name, struct.unpack_from(f">{content[3]}I", content, 4))
    return contents


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path) -> Path:
    """The cache folder, which does not exist yet. No place has the data until a test puts them there."""
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", fashion_mnist.DATA_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "cache"
    monkeypatch.setattr(fashion_mnist, "cache_folder", lambda: folder)
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path / "debian")
    monkeypatch.setattr(fashion_mnist, "MIRRORS", ())
    return folder


def fill(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    return folder


@pytest.fixture
def folder(tmp_path, contents) -> Path:
    return fill(tmp_path / "named", contents)


class Mirror(http.server.ThreadingHTTPServer):
    """Serves bodies by file name on 127.0.0.1. The stated length is ``missing_bytes`` more than it sends."""

    daemon_threads = True

    def __init__(self, bodies: dict[str, bytes], missing_bytes: int = 0):
        self.bodies, self.missing_bytes = bodies, missing_bytes
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self):
        body = self.server.bodies.get(self.path.lstrip("/"))
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + self.server.missing_bytes))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve(monkeypatch):
    """A function that starts mirrors and makes them the only ones."""
    with contextlib.ExitStack() as stack:

        def start(*mirrors: Mirror) -> None:
            for mirror in mirrors:
                threading.Thread(target=functools.partial(mirror.serve_forever, poll_interval=0.01)).start()
                stack.callback(mirror.server_close)
                stack.callback(mirror.shutdown)
            monkeypatch.setattr(fashion_mnist, "MIRRORS", tuple(mirror.url for mirror in mirrors))

        yield start


def gzipped(contents: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(content) for name, content in contents.items()}


# ---- The real dataset ----


@pytest.fixture
def real(monkeypatch):
    """The sources that users have on this machine."""
    monkeypatch.undo()


@pytest.mark.parametrize(("split", "count"), [("train", 60_000), ("test", 10_000)])
def test_real_splits_have_the_published_shape_and_balance(real, split, count):
    data = load_fashion_mnist(split)
    assert data.images.shape == (count, 28, 28, 1)
    assert (data.images.dtype, data.labels.dtype) == (np.uint8, np.int32)
    assert data.class_names == fashion_mnist.CLASS_NAMES
    assert np.bincount(data.labels).tolist() == [count // 10] * 10


def test_real_pixels_have_the_published_mean_and_standard_deviation(real):
    images = load_fashion_mnist("train").images
    mean = images.mean()
    deviation = np.sqrt(np.square(images, dtype=np.uint16).mean() - mean**2)
    assert mean / 255 == pytest.approx(0.2860, abs=1e-4)
    assert deviation / 255 == pytest.approx(0.3530, abs=1e-4)


# ---- Sources and their order ----


@pytest.mark.parametrize("split", ["train", "test"])
def test_split_has_the_pixels_and_labels_of_its_files(folder, contents, split):
    prefix = {"train": "train", "test": "t10k"}[split]
    data = load_fashion_mnist(split, folder)
    assert data.images.tobytes() == contents[f"{prefix}-images-idx3-ubyte"][16:]
    assert data.labels.tolist() == list(contents[f"{prefix}-labels-idx1-ubyte"][8:])
    assert data.source == str(folder)


def test_only_the_files_of_the_split_are_needed(folder):
    for name in (TRAIN_IMAGES, TRAIN_LABELS):
        (folder / f"{name}.gz").unlink()
    assert len(load_fashion_mnist("test", folder).images) == 10


def test_decompressed_files_are_read_under_either_name(folder, contents):
    compressed = load_fashion_mnist("train", folder).fingerprint
    (folder / f"{TRAIN_IMAGES}.gz").unlink()
    (folder / TRAIN_IMAGES).write_bytes(contents[TRAIN_IMAGES])
    # Safari decompresses a download and keeps its name.
    (folder / f"{TRAIN_LABELS}.gz").write_bytes(contents[TRAIN_LABELS])
    assert load_fashion_mnist("train", folder).fingerprint == compressed


def test_sources_are_tried_in_order(monkeypatch, tmp_path, cache, contents, serve):
    serve(mirror := Mirror(gzipped(contents)))
    assert load_fashion_mnist().source == mirror.url
    debian = fill(tmp_path / "debian", contents)
    shutil.rmtree(cache)
    assert load_fashion_mnist().source == str(debian)
    fill(cache, contents)
    assert load_fashion_mnist().source == str(cache)
    monkeypatch.setenv(fashion_mnist.DATA_VARIABLE, str(fill(tmp_path / "environment", contents)))
    assert load_fashion_mnist().source == str(tmp_path / "environment")
    assert load_fashion_mnist(data=fill(tmp_path / "argument", contents)).source == str(tmp_path / "argument")


def test_bad_implicit_source_is_skipped(cache, tmp_path, contents):
    fill(cache, contents)
    (cache / f"{TRAIN_IMAGES}.gz").write_bytes(b"damaged")
    debian = fill(tmp_path / "debian", contents)
    assert load_fashion_mnist().source == str(debian)


def test_error_lists_every_place_and_the_two_remedies(cache, tmp_path, contents, serve):
    fill(tmp_path / "debian", contents)
    (tmp_path / "debian" / f"{TRAIN_IMAGES}.gz").write_bytes(b"damaged")
    serve(empty := Mirror({}))
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    fashion_mnist.MIRRORS += (closed,)  # undone by the fixture
    message = error_message(load_fashion_mnist)
    for part in (
        f"{cache}: no such folder",
        f"{tmp_path}/debian/{TRAIN_IMAGES}.gz: wrong IDX magic",
        f"{empty.url}{TRAIN_IMAGES}.gz: HTTP Error 404",
        f"{closed}{TRAIN_IMAGES}.gz: [Errno ",
        "data (--data) or FASHION_GAN_DATA",
        "apt-get install dataset-fashion-mnist",
    ):
        assert part in message


def test_unknown_split_is_an_error_that_lists_the_splits():
    assert "'training' is unknown" in (message := error_message(load_fashion_mnist, "training"))
    assert "train, test" in message


def test_fingerprint_depends_on_images_labels_and_shape():
    images, labels = np.arange(16, dtype=np.uint8).reshape(4, 2, 2, 1), np.zeros(4, np.int32)

    def fingerprint(images, labels, source="here"):
        return Dataset(images, labels, (), source).fingerprint

    assert fingerprint(images, labels, "there") == fingerprint(images.copy(), labels.copy())
    different = [(images + 1, labels), (images, labels + 1), (images.reshape(4, 1, 4, 1), labels)]
    assert len({fingerprint(*data) for data in [(images, labels), *different]}) == 4


def test_a_dataset_describes_itself_in_one_line():
    images, labels = np.zeros((1200, 8, 8, 3), np.uint8), np.zeros(1200, np.int32)
    assert repr(Dataset(images, labels, ("a", "b"), "here")) == "Dataset(1,200 images 8×8×3, 2 classes, from here)"
    assert repr(Dataset(images, labels, (), "here")) == "Dataset(1,200 images 8×8×3, no classes, from here)"


def test_a_notebook_shows_a_dataset_as_a_contact_sheet():
    images, labels = np.random.default_rng(0).integers(0, 256, (30, 28, 28, 1), np.uint8), np.arange(30) % 15
    text = Dataset(images, labels, tuple("abcdefghijklmno"), "<here>")._repr_html_()
    assert "from &lt;here&gt;" in text
    content = base64.b64decode(text.partition("base64,")[2].partition('"')[0])
    assert Image.open(io.BytesIO(content)).height == 10 * 58 + 2  # the first ten classes


# ---- Faulty files in a named folder ----


def truncated_archive(folder, contents):
    path = folder / f"{TRAIN_IMAGES}.gz"
    path.write_bytes(path.read_bytes()[:-100])


def flipped_byte_in_archive(folder, contents):
    # A byte of the archive's own checksum.
    path = folder / f"{TRAIN_IMAGES}.gz"
    archive = bytearray(path.read_bytes())
    archive[-6] ^= 1
    path.write_bytes(archive)


def replace(content):
    def make(folder, contents):
        (folder / f"{TRAIN_IMAGES}.gz").write_bytes(gzip.compress(content(contents)))

    return make


def with_byte(position, value):
    return replace(lambda contents: contents[TRAIN_IMAGES][:position] + value + contents[TRAIN_IMAGES][position + 1 :])


FAULTS = {
    "missing": (lambda folder, _: (folder / f"{TRAIN_IMAGES}.gz").unlink(), f": {TRAIN_IMAGES} is missing"),
    "truncated archive": (truncated_archive, ".gz: cannot be decompressed, so it is truncated or damaged"),
    "damaged archive": (flipped_byte_in_archive, ".gz: cannot be decompressed, so it is truncated or damaged"),
    "truncated content": (
        replace(lambda contents: contents[TRAIN_IMAGES][:-100]),
        ".gz: truncated: shape (20, 28, 28)",
    ),
    "truncated header": (replace(lambda contents: contents[TRAIN_IMAGES][:9]), ".gz: truncated: 9 bytes"),
    "empty": (replace(lambda _: b""), ".gz: wrong IDX magic"),
    "trailing bytes": (replace(lambda contents: contents[TRAIN_IMAGES] + b"0"), ".gz: too long: shape (20, 28, 28)"),
    "other split": (replace(lambda contents: contents[TEST_IMAGES]), f"swapped: it holds {TEST_IMAGES}, not"),
    "labels for images": (replace(lambda contents: contents[TRAIN_LABELS]), f"swapped: it holds {TRAIN_LABELS}, not"),
    "altered pixel": (
        with_byte(500, b"\x07"),
        f"altered, or of another data set: its checksum is not that of {TRAIN_IMAGES}",
    ),
    "wrong magic": (with_byte(0, b"\x01"), "wrong IDX magic: it begins with 0x01000803"),
    "wrong type": (with_byte(2, b"\x0d"), "wrong IDX magic: element type 0x0d"),
    "wrong shape": (
        replace(lambda contents: idx(np.zeros((20, 32, 32), np.uint8))),
        f"wrong shape (20, 32, 32): {TRAIN_IMAGES} has (20, 28, 28)",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("named_by", ["argument", "environment"])
def test_error_names_a_fault_in_the_named_folder(monkeypatch, cache, tmp_path, folder, contents, fault, named_by):
    fill(cache, contents)  # a good copy elsewhere must not be used silently
    make, expected = FAULTS[fault]
    make(folder, contents)
    monkeypatch.setenv(fashion_mnist.DATA_VARIABLE, str(folder if named_by == "environment" else tmp_path / "unused"))
    message = error_message(load_fashion_mnist, "train", folder if named_by == "argument" else None)
    assert message.startswith(str(folder))
    assert expected in message
    assert TRAIN_IMAGES in message


def test_named_folder_that_does_not_exist_is_an_error(cache, tmp_path, contents):
    fill(cache, contents)
    assert error_message(load_fashion_mnist, "train", tmp_path / "no-such") == f"{tmp_path}/no-such: no such folder"


def test_file_that_is_too_long_when_decompressed_is_an_error(monkeypatch, folder):
    monkeypatch.setattr(fashion_mnist, "_MAX_FILE_BYTES", 10_000_000)
    (folder / f"{TRAIN_IMAGES}.gz").write_bytes(gzip.compress(bytes(50_000_000), 1))
    assert "too long: 10,000,000 bytes at most" in error_message(load_fashion_mnist, "train", folder)


def test_limit_of_the_length_is_that_of_the_largest_real_file():
    assert max(len(idx(np.empty(shape, np.uint8))) for shape in fashion_mnist._SHAPES.values()) == 47_040_016
    assert fashion_mnist._MAX_FILE_BYTES == 47_040_016


# ---- IDX ----


@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (0, 28, 28)])
def test_idx_returns_the_written_array(shape):
    array = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    read = read_idx(idx(array), "file")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "wrong IDX magic"),
        (b"<!DOCTYPE html>", "wrong IDX magic: it begins with 0x3c21444f"),
        (bytes([0, 0, 9, 1, 0, 0, 0, 1, 5]), "element type 0x09"),
        (bytes([0, 0, 8, 65]) + struct.pack(">65I", *[1] * 65) + b"x", "65 dimensions: at most 8 are read"),
        (bytes([0, 0, 8, 0]), "truncated: 4 bytes cannot hold a shape of 0 dimensions"),
        (bytes([0, 0, 8, 3, 0, 0, 0, 1]), "truncated: 8 bytes cannot hold a shape of 3 dimensions"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3]), "truncated: shape (4,) needs 4 bytes, but there are 3"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 2, 1, 2, 3]), "too long: shape (2,) needs 2 bytes, but there are 3"),
        (bytes([0, 0, 8, 2] + [255] * 8), "truncated: shape (4294967295, 4294967295)"),
    ],
)
def test_idx_with_a_wrong_magic_or_length_is_an_error(data, expected):
    message = error_message(read_idx, data, "labels.gz")
    assert message.startswith("labels.gz: ")
    assert expected in message


@pytest.mark.parametrize(
    ("images_shape", "labels", "expected"),
    [
        ((4, 2), [0] * 4, "train-images-idx3-ubyte.gz: wrong shape (4, 2): images must be (N, H, W), at least one"),
        ((0, 2, 2), [], "train-images-idx3-ubyte.gz: wrong shape (0, 2, 2)"),
        ((4, 2, 2), [0] * 3, "train-labels-idx1-ubyte.gz: wrong shape (3,): there are 4 images"),
        ((4, 2, 2), [0, 1, 2, 0], "train-labels-idx1-ubyte.gz: unknown label 2: manifest.json names 2 classes"),
    ],
)
def test_a_generated_data_set_whose_parts_do_not_fit_is_an_error(tmp_path, images_shape, labels, expected):
    arrays = {generated.IDX_IMAGES: np.zeros(images_shape, np.uint8), generated.IDX_LABELS: np.array(labels, np.uint8)}
    for name, array in arrays.items():
        (tmp_path / name).write_bytes(gzip.compress(idx(array)))
    manifest = {"format": "idx", "class_names": ["a", "b"], "files": checksums(tmp_path)}
    (tmp_path / generated.MANIFEST).write_text(json.dumps(manifest))
    assert expected in error_message(load_training_images, tmp_path, 2, 1)


# ---- Other data sets in files of the same kind ----


def write_idx(folder: Path, images: np.ndarray, labels: list[int], name: str = "{}-{}-ubyte.gz") -> Path:
    """Write training files; the first {} of ``name`` is train-images or train-labels, the second is the kind."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, kind, array in (("train-images", "idx3", images), ("train-labels", "idx1", np.array(labels, np.uint8))):
        path = folder / name.format(part, kind)
        path.write_bytes(gzip.compress(idx(array)) if path.suffix == ".gz" else idx(array))
    return folder


@pytest.mark.parametrize(
    "name", ["{}-{}-ubyte.gz", "{}-{}-ubyte", "{}.{}-ubyte", "emnist-digits-{}-{}-ubyte.gz", "Train-{}-{}-ubyte"]
)
def test_any_data_set_in_mnist_s_files_is_loaded_with_its_numbers_as_classes(tmp_path, contents, name):
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    data = load_training_images(write_idx(tmp_path / "in", images, [7, 0, 9, 7, 3], name), 28, 1)
    upright = images.swapaxes(1, 2) if name.startswith("emnist") else images
    np.testing.assert_array_equal(data.images, upright[..., np.newaxis])
    assert data.class_names == ("0", "3", "7", "9")
    assert (data.labels.tolist(), data.labels.dtype) == ([2, 0, 3, 2, 1], np.int32)
    assert data.source == str(tmp_path / "in")


def test_a_folder_that_is_named_like_a_file_of_images_is_not_one(tmp_path, contents):
    folder = write_idx(tmp_path, np.zeros((3, 4, 4), np.uint8), [0, 1, 2], "{}.{}-ubyte")
    (folder / "train-images-idx3-ubyte").mkdir()  # Some archives hold each file in a folder of its name.
    assert len(load_training_images(folder, 28, 1).images) == 3


def test_labels_that_begin_at_1_are_counted_from_the_data(tmp_path, contents):
    data = load_training_images(
        write_idx(tmp_path, np.zeros((3, 4, 4), np.uint8), [26, 1, 2], "emnist-letters-{}-{}-ubyte"), 28, 1
    )
    assert (data.class_names, data.labels.tolist()) == (("1", "2", "26"), [2, 0, 1])


def test_the_mapping_of_emnist_names_its_classes(tmp_path, contents):
    folder = write_idx(tmp_path, np.zeros((2, 4, 4), np.uint8), [2, 1], "emnist-letters-{}-{}-ubyte")
    (folder / "emnist-letters-mapping.txt").write_text("1 65 97\n2 66 98\n")
    assert load_training_images(folder, 28, 1).class_names == ("A", "B")
    (folder / "emnist-letters-mapping.txt").write_text("1 65 97\n")
    assert "emnist-letters-mapping.txt does not name the classes: 2" in error_message(
        load_training_images, folder, 28, 1
    )


@pytest.mark.parametrize("altered", [TRAIN_IMAGES, TRAIN_LABELS])
def test_fashion_mnist_with_an_altered_file_is_not_taken_for_another_data_set(folder, contents, altered):
    content = bytearray(contents[altered])
    content[-1] ^= 1
    (folder / f"{altered}.gz").write_bytes(gzip.compress(content))
    message = error_message(load_training_images, folder, 28, 1)
    assert message.startswith(f"{folder}/{altered}.gz: altered")


def test_several_data_sets_in_one_folder_are_an_error_that_names_them(tmp_path, contents):
    for name in ("letters", "digits"):
        write_idx(tmp_path, np.zeros((1, 4, 4), np.uint8), [0], f"emnist-{name}-{{}}-{{}}-ubyte")
    assert error_message(load_training_images, tmp_path, 28, 1) == (
        f"{tmp_path} holds several data sets (emnist-digits-train-images-idx3-ubyte, "
        "emnist-letters-train-images-idx3-ubyte): move each to a folder of its own"
    )


@pytest.mark.parametrize(
    ("images_shape", "labels", "expected"),
    [
        ((2, 4), [0, 1], "train-images-idx3-ubyte.gz: wrong shape (2, 4): images must be (N, H, W), at least one"),
        ((0, 4, 4), [], "train-images-idx3-ubyte.gz: wrong shape (0, 4, 4)"),
        ((2, 4, 4), [0], "train-labels-idx1-ubyte.gz: wrong shape (1,): there are 2 images"),
    ],
)
def test_other_data_sets_whose_parts_do_not_fit_are_an_error(tmp_path, contents, images_shape, labels, expected):
    folder = write_idx(tmp_path, np.zeros(images_shape, np.uint8), labels)
    assert expected in error_message(load_training_images, folder, 28, 1)


def test_a_file_of_images_without_its_labels_is_an_error_that_names_the_missing_file(tmp_path, contents):
    folder = write_idx(tmp_path, np.zeros((1, 4, 4), np.uint8), [0])
    (folder / f"{TRAIN_LABELS}.gz").unlink()
    assert error_message(load_training_images, folder, 28, 1) == f"{folder}: {TRAIN_LABELS} is missing (plain or .gz)"


def test_an_idx_file_is_refused_by_its_header_before_it_takes_memory(tmp_path, monkeypatch):
    header = struct.pack(">4B3I", 0, 0, 8, 3, 1_000_000, 28, 28)
    (tmp_path / "bomb").write_bytes(gzip.compress(header + bytes(50_000_000), 1))
    expected = "bomb: too long: its header says 784,000,016 bytes; the limit is 100,000,000"
    assert error_message(read_content, tmp_path / "bomb", "bomb", 100_000_000) == expected
    monkeypatch.setattr(memory, "available_memory", lambda: 1e8)
    message = error_message(read_content, tmp_path / "bomb", "bomb", 2**40)
    assert message.startswith("bomb: its bytes take 785 MB of memory, but 100 MB are available")


def test_an_idx_file_that_is_longer_than_its_header_says_is_not_read_to_its_end(tmp_path):
    header = struct.pack(">4B3I", 0, 0, 8, 3, 10, 28, 28)
    (tmp_path / "bomb").write_bytes(gzip.compress(header + bytes(50_000_000), 1))
    assert len(read_content(tmp_path / "bomb", "bomb", 100_000_000)) <= 1 << 20


# ---- Download ----


def test_download_is_stored_under_its_final_name_only_and_used_again(cache, contents, serve, capsys):
    serve(mirror := Mirror(gzipped(contents)))
    downloaded = load_fashion_mnist("train")
    assert downloaded.source == mirror.url
    assert sorted(path.name for path in cache.iterdir()) == [f"{TRAIN_IMAGES}.gz", f"{TRAIN_LABELS}.gz"]
    progress = capsys.readouterr()
    assert f"{TRAIN_IMAGES}.gz: 100%" in progress.err
    assert not progress.out

    mirror.bodies.clear()
    again = load_fashion_mnist("train")
    assert again.source == str(cache)
    assert again.fingerprint == downloaded.fingerprint


def test_download_is_complete_and_verified_before_it_gets_its_final_name(cache, contents, serve, monkeypatch):
    serve(Mirror(gzipped(contents)))
    states = []

    def verify(path, name, place, original=fashion_mnist._read_verified):
        if path.parent == cache:
            states.append((path.name.endswith(".part"), (cache / f"{name}.gz").exists()))
        return original(path, name, place)

    monkeypatch.setattr(fashion_mnist, "_read_verified", verify)
    load_fashion_mnist("train")
    assert states == [(True, False)] * 2


def spoiled(contents):
    return gzip.compress(contents[TRAIN_IMAGES][:-1] + bytes([contents[TRAIN_IMAGES][-1] ^ 1]))


@pytest.mark.parametrize(
    ("body", "missing_bytes", "expected"),
    [
        (lambda contents: gzip.compress(contents[TRAIN_IMAGES])[:-50], 50, "truncated or damaged"),
        (lambda contents: gzip.compress(contents[TRAIN_IMAGES])[:-50], 0, "truncated or damaged"),
        (spoiled, 0, "altered, or of another data set"),
        (lambda contents: gzip.compress(contents[TEST_IMAGES]), 0, f"swapped: it holds {TEST_IMAGES}"),
        (lambda contents: b"<html>Log in to this network</html>", 0, "wrong IDX magic"),
    ],
    ids=["connection lost", "truncated", "altered", "other file", "captive portal"],
)
def test_error_names_a_spoiled_download_and_nothing_is_stored(cache, contents, serve, body, missing_bytes, expected):
    serve(mirror := Mirror({f"{TRAIN_IMAGES}.gz": body(contents)}, missing_bytes))
    message = error_message(load_fashion_mnist, "train")
    assert f"{mirror.url}{TRAIN_IMAGES}.gz: " in message
    assert expected in message
    assert list(cache.iterdir()) == []


def test_after_a_spoiled_mirror_the_next_one_is_tried(cache, contents, serve):
    serve(Mirror({f"{TRAIN_IMAGES}.gz": spoiled(contents)}), good := Mirror(gzipped(contents)))
    assert load_fashion_mnist("train").source == good.url


def test_download_replaces_a_damaged_file_in_the_cache(cache, contents, serve):
    fill(cache, contents)
    (cache / f"{TRAIN_IMAGES}.gz").write_bytes(b"damaged")
    serve(Mirror(gzipped(contents)))
    load_fashion_mnist("train")
    assert gzip.decompress((cache / f"{TRAIN_IMAGES}.gz").read_bytes()) == contents[TRAIN_IMAGES]


def test_too_long_download_is_stopped(monkeypatch, cache, contents, serve):
    monkeypatch.setattr(fashion_mnist, "_MAX_FILE_BYTES", 100_000)
    monkeypatch.setattr(fashion_mnist, "_read_verified", lambda *_: pytest.fail("the whole file was downloaded"))
    serve(Mirror({f"{TRAIN_IMAGES}.gz": bytes(200_000)}))
    assert "too long: 100,000 bytes at most" in error_message(load_fashion_mnist, "train")
    assert list(cache.iterdir()) == []


def test_silent_mirror_is_abandoned_after_the_timeout(monkeypatch, contents):
    monkeypatch.setattr(fashion_mnist, "TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(fashion_mnist, "MIRRORS", (f"http://127.0.0.1:{silent.getsockname()[1]}/",))
        started = time.monotonic()
        assert f"{TRAIN_IMAGES}.gz: timed out" in error_message(load_fashion_mnist, "train")
        assert time.monotonic() - started < 4


def test_interrupted_download_leaves_no_file(monkeypatch, cache, contents, serve):
    def interrupt(*_):
        raise KeyboardInterrupt

    serve(Mirror(gzipped(contents)))
    monkeypatch.setattr(fashion_mnist, "_read_verified", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_fashion_mnist("train")
    assert list(cache.iterdir()) == []


def test_error_names_a_cache_folder_that_cannot_be_made(cache, contents, serve):
    cache.write_text("a file where the folder should be")
    serve(mirror := Mirror(gzipped(contents)))
    assert f"{mirror.url}{TRAIN_IMAGES}.gz: [Errno 17] File exists: '{cache}'" in error_message(load_fashion_mnist)


# ---- The user's own pictures ----


def picture(path: Path, array, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array)).save(path, **options)
    return path


def flat(level, shape=(8, 8)):
    return np.full(shape, level, np.uint8)


def test_pictures_at_the_top_are_sorted_by_name_and_have_no_classes(tmp_path):
    for level, name in ((30, "c.PNG"), (10, "a.png"), (20, "b.bmp"), (99, ".hidden.png")):
        picture(tmp_path / "in" / name, flat(level))
    (tmp_path / "in" / "README.txt").write_text("no picture")
    data = load_pictures(tmp_path / "in", 8, 1)
    assert data.images.shape == (3, 8, 8, 1)
    assert data.images[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert (data.labels.tolist(), data.class_names, data.source) == ([0, 0, 0], (), str(tmp_path / "in"))


def test_subfolders_with_pictures_are_classes_sorted_by_name(tmp_path):
    for level, name in ((1, "shoes/b.png"), (2, "shoes/a.png"), (3, "bags/z.png"), (4, ".git/x.png")):
        picture(tmp_path / "in" / name, flat(level))
    data = load_pictures(tmp_path / "in", 8, 1)
    assert data.class_names == ("bags", "shoes")
    assert data.labels.tolist() == [0, 1, 1]
    assert data.labels.dtype == np.int32
    assert data.images[:, 0, 0, 0].tolist() == [3, 2, 1]


@pytest.mark.parametrize("wide", [True, False])
def test_picture_is_cropped_to_its_central_square(tmp_path, wide):
    pixels = flat(0, (10, 30))
    pixels[:, 10:20] = 200
    picture(tmp_path / "in" / "a.png", pixels if wide else pixels.T)
    np.testing.assert_array_equal(load_pictures(tmp_path / "in", 10, 1).images[0, ..., 0], flat(200, (10, 10)))


def test_resizing_averages_instead_of_skipping_pixels(tmp_path):
    checkered = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    picture(tmp_path / "in" / "a.png", checkered)
    resized = load_pictures(tmp_path / "in", 8, 1).images.astype(int)
    assert np.abs(resized - 127).max() <= 3


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_any_mode_get_the_requested_channels(tmp_path, channels):
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    picture(tmp_path / "in" / "color.png", red)
    picture(tmp_path / "in" / "gray.png", flat(100))
    Image.fromarray(red).quantize(4).save(tmp_path / "in" / "palette.png")
    images = load_pictures(tmp_path / "in", 8, channels).images
    expected = [[76], [100], [76]] if channels == 1 else [[255, 0, 0], [100] * 3, [255, 0, 0]]
    assert images[:, 4, 4].tolist() == expected


def test_transparent_parts_become_white(tmp_path):
    clear = np.zeros((8, 8, 4), np.uint8)
    clear[:, 4:, 3] = 255
    picture(tmp_path / "in" / "a.png", clear)
    assert load_pictures(tmp_path / "in", 8, 1).images[0, 4, [0, 7], 0].tolist() == [255, 0]


def test_pictures_with_16_bits_keep_their_levels(tmp_path):
    levels = np.arange(64, dtype=np.uint16).reshape(8, 8) * 4
    picture(tmp_path / "in" / "a.png", levels * 257)
    np.testing.assert_array_equal(load_pictures(tmp_path / "in", 8, 1).images[0, ..., 0], levels)


def test_picture_of_a_rotated_camera_is_turned_upright(tmp_path):
    pixels = flat(0)
    pixels[:, :4] = 255  # white at the left; after the rotation in the EXIF data, white at the top
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(tmp_path / "in" / "a.png", pixels, exif=exif)
    assert load_pictures(tmp_path / "in", 8, 1).images[0, [0, 7], 4, 0].tolist() == [255, 0]


def test_large_photograph_is_resized_almost_as_after_full_decoding(tmp_path):
    blocks = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    photograph = blocks.repeat(32, 0).repeat(32, 1)
    picture(tmp_path / "in" / "a.jpg", photograph, quality=95)
    whole = Image.fromarray(photograph).resize((256, 256), Image.Resampling.LANCZOS)
    error = load_pictures(tmp_path / "in", 256, 3).images[0].astype(int) - np.asarray(whole)
    assert np.abs(error).mean() < 1.5


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(20), b"%!PS-Adobe-3.0\n"])
def test_an_unreadable_picture_is_left_out_and_named(tmp_path, content):
    picture(tmp_path / "in" / "a.png", flat(1))
    (tmp_path / "in" / "b.png").write_bytes(content)
    data = load_pictures(tmp_path / "in", 8, 1, PictureOptions(skip_damaged=True))
    assert data.images[:, 0, 0, 0].tolist() == [1]
    [left_out] = data.contents.left_out
    assert (left_out.reason, left_out.count) == ("cannot be read", 1)
    assert left_out.example.startswith("b.png (cannot be read as a picture: ")


def test_error_names_the_first_picture_if_none_can_be_read(tmp_path):
    for name in ("b.png", "c.png"):
        picture(tmp_path / "in" / name, flat(1)).write_bytes(b"not a picture")
    message = error_message(load_pictures, tmp_path / "in", 8, 1, PictureOptions(skip_damaged=True))
    assert message.startswith(f"{tmp_path}/in/b.png cannot be read as a")


def test_error_names_a_truncated_picture(tmp_path):
    path = picture(tmp_path / "in" / "a.jpg", np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8))
    path.write_bytes(path.read_bytes()[:-500])
    assert f"{path} cannot be read as a picture" in error_message(load_pictures, tmp_path / "in", 8, 1)


def test_error_names_a_picture_without_a_known_range(tmp_path):
    path = picture(tmp_path / "in" / "a.tif", np.zeros((8, 8), np.float32))
    message = error_message(load_pictures, tmp_path / "in", 8, 1)
    assert f"{path} cannot be read as a picture: pixels of 32 bits" in message


def test_unsupported_format_is_an_error_under_any_suffix(tmp_path):
    path = picture(tmp_path / "in" / "a.png", flat(1), format="PCX")
    assert f"{path} cannot be read as a picture" in error_message(load_pictures, tmp_path / "in", 8, 1)


@pytest.mark.filterwarnings("ignore")  # Outside of tests, Pillow's warning is not an error.
@pytest.mark.parametrize("limit", [40, 20])  # 64 pixels: Pillow warns above its limit, and raises above twice the limit
def test_picture_so_large_that_it_may_be_an_attack_is_an_error(monkeypatch, tmp_path, limit):
    path = picture(tmp_path / "in" / "a.png", flat(1))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    expected = f"{path} is too large: at most {limit} pixels are read: mend or remove it, or leave it out with"
    assert error_message(load_pictures, tmp_path / "in", 8, 1).startswith(expected)


def test_an_error_about_the_path_in_the_environment_names_the_variable(monkeypatch):
    monkeypatch.setenv(fashion_mnist.DATA_VARIABLE, "x" * 300)
    assert error_message(load_fashion_mnist, "train").startswith("FASHION_GAN_DATA='xxx")


def test_pictures_both_at_the_top_and_in_subfolders_are_an_error_that_describes_the_layouts(tmp_path):
    picture(tmp_path / "in" / "a.png", flat(1))
    picture(tmp_path / "in" / "bags" / "b.png", flat(1))
    message = error_message(load_pictures, tmp_path / "in", 8, 1)
    assert "both at its top and in subfolders" in message
    assert "pictures at its top, or one subfolder of pictures for each class" in message


def test_folder_without_pictures_is_an_error_that_describes_the_layouts(tmp_path):
    picture(tmp_path / "in" / "deep" / "deeper" / "a.png", flat(1))
    message = error_message(load_pictures, tmp_path / "in", 8, 1)
    assert message.startswith(f"{tmp_path}/in holds no pictures: ")
    assert "one subfolder of pictures for each class" in message


def test_channels_other_than_gray_or_color_are_an_error(tmp_path):
    picture(tmp_path / "a.png", flat(1))
    message = "channels=2 is not allowed: 1 for gray, 3 for color, 4 for color and opacity"
    assert error_message(load_pictures, tmp_path, 8, 2) == message


@pytest.mark.parametrize("slow", [False, True])
def test_progress_is_shown_if_reading_takes_long(tmp_path, capsys, monkeypatch, slow):
    monkeypatch.setattr(progress, "SHOWN_AFTER_SECONDS", 0.0 if slow else 60.0)
    picture(tmp_path / "in" / "0.png", flat(1, (2, 2)))
    assert len(load_pictures(tmp_path / "in", 2, 1).images) == 1
    assert ("pictures" in capsys.readouterr().err) == slow


# ---- Training images ----


def test_training_images_are_the_training_split(folder):
    data = load_training_images(folder, 64, 3)
    assert data.images.shape == (20, 28, 28, 1)  # the model resizes batch by batch
    assert data.fingerprint == load_fashion_mnist("train", folder).fingerprint


def test_training_images_without_a_folder_are_found(cache, contents):
    fill(cache, contents)
    assert load_training_images(None, 28, 1).source == str(cache)


@pytest.mark.parametrize("named_by", ["argument", "environment"])
def test_training_images_can_be_the_user_s_own_pictures(monkeypatch, tmp_path, named_by):
    picture(tmp_path / "in" / "a.png", flat(7))
    if named_by == "environment":
        monkeypatch.setenv(fashion_mnist.DATA_VARIABLE, str(tmp_path / "in"))
    data = load_training_images(str(tmp_path / "in") if named_by == "argument" else None, 16, 3)
    assert data.images.tolist() == np.full((1, 16, 16, 3), 7).tolist()


def test_folder_with_some_files_of_fashion_mnist_is_not_read_as_pictures(folder):
    for name in (TRAIN_IMAGES, TRAIN_LABELS, TEST_LABELS):
        (folder / f"{name}.gz").unlink()
    assert f"{folder}: {TRAIN_IMAGES} is missing" in error_message(load_training_images, folder, 28, 1)


def test_data_that_do_not_exist_are_an_error_that_describes_the_layouts(tmp_path):
    message = error_message(load_training_images, tmp_path / "no-such", 28, 1)
    expected = f"data='{tmp_path}/no-such' is neither a folder nor a file: a data folder holds the four Fashion-MNIST"
    assert message.startswith(expected)
    assert "a data file is an archive of pictures (.zip, .tar), .npz, .npy, .parquet, or a .csv of pixels" in message


def test_a_file_of_another_kind_is_an_error_that_names_the_kinds(tmp_path):
    path = picture(tmp_path / "a.png", flat(1))
    message = error_message(load_training_images, path, 28, 1)
    assert message.startswith(f"data='{path}' is not of a kind that is read: a data file is an archive of pictures (")


def test_one_file_of_a_set_of_mnist_is_an_error_that_names_the_folder(folder):
    path = folder / f"{TRAIN_IMAGES}.gz"
    assert error_message(load_training_images, path, 28, 1).endswith(f"name its folder, '{folder}'")
