"""Fashion-MNIST from every source, what is refused, and the user's own pictures."""

import contextlib
import functools
import gzip
import hashlib
import http.server
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashion_gan import progress
from fashion_gan.datasets import Dataset, fashion_mnist, load_fashion_mnist, load_pictures, load_training_images
from fashion_gan.datasets.idx import read_idx
from fashion_gan.errors import InputError

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def refusal(call, *arguments) -> str:
    """The message of the InputError that the call must raise: always one line."""
    with pytest.raises(InputError) as raised:
        call(*arguments)
    message = str(raised.value)
    assert message
    assert "\n" not in message
    return message


# ---- A small Fashion-MNIST: 20 and 10 images, with checksums of its own, so that a broken one is cheap to make ----


@pytest.fixture
def contents(monkeypatch) -> dict[str, bytes]:
    """The four files' contents, which pass for Fashion-MNIST's while the test runs."""
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
def nowhere(monkeypatch, tmp_path) -> Path:
    """No implicit source has the data, but for what a test puts there; returns the cache folder, not yet made."""
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", fashion_mnist.DATA_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    cache = tmp_path / "cache"
    monkeypatch.setattr(fashion_mnist, "cache_folder", lambda: cache)
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path / "debian")
    monkeypatch.setattr(fashion_mnist, "MIRRORS", ())
    return cache


def fill(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    return folder


@pytest.fixture
def folder(tmp_path, contents) -> Path:
    return fill(tmp_path / "given", contents)


class Mirror(http.server.ThreadingHTTPServer):
    """Serves bodies by file name on 127.0.0.1, and says ``missing_bytes`` more than it sends."""

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
    """Makes mirrors of the given bodies the only ones."""
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
    """The machine's own sources, as a user has them."""
    monkeypatch.undo()


@pytest.mark.parametrize(("split", "count"), [("train", 60_000), ("test", 10_000)])
def test_real_splits_have_the_published_shape_and_balance(real, split, count):
    data = load_fashion_mnist(split)
    assert data.images.shape == (count, 28, 28, 1)
    assert (data.images.dtype, data.labels.dtype) == (np.uint8, np.int32)
    assert data.class_names == fashion_mnist.CLASS_NAMES
    assert np.bincount(data.labels).tolist() == [count // 10] * 10


def test_real_pixels_have_the_published_mean_and_deviation(real):
    images = load_fashion_mnist("train").images
    mean = images.mean()
    deviation = np.sqrt(np.square(images, dtype=np.uint16).mean() - mean**2)
    assert mean / 255 == pytest.approx(0.2860, abs=1e-4)
    assert deviation / 255 == pytest.approx(0.3530, abs=1e-4)


def test_loading_the_training_split_adds_less_than_150_megabytes_to_the_peak(real):
    # VmHWM and not ru_maxrss: the latter is inherited from the process that runs the tests, and would hide it all.
    program = """
import re
from fashion_gan.datasets import load_fashion_mnist
def peak_bytes():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
before = peak_bytes()
data = load_fashion_mnist("train")
print(peak_bytes() - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    added_bytes = int(done.stdout)
    assert 47e6 < added_bytes < 150e6  # the images alone are 47 MB: less would mean that nothing was measured


# ---- Sources and their order ----


@pytest.mark.parametrize("split", ["train", "test"])
def test_split_holds_its_own_files_pixels_and_labels(folder, contents, split):
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
    (folder / f"{TRAIN_LABELS}.gz").write_bytes(contents[TRAIN_LABELS])  # what Safari makes of a download
    assert load_fashion_mnist("train", folder).fingerprint == compressed


def test_sources_are_tried_in_order(monkeypatch, tmp_path, nowhere, contents, serve):
    serve(mirror := Mirror(gzipped(contents)))
    assert load_fashion_mnist().source == mirror.url
    debian = fill(tmp_path / "debian", contents)
    shutil.rmtree(nowhere)
    assert load_fashion_mnist().source == str(debian)
    fill(nowhere, contents)
    assert load_fashion_mnist().source == str(nowhere)
    monkeypatch.setenv(fashion_mnist.DATA_VARIABLE, str(fill(tmp_path / "environment", contents)))
    assert load_fashion_mnist().source == str(tmp_path / "environment")
    assert load_fashion_mnist(data=fill(tmp_path / "argument", contents)).source == str(tmp_path / "argument")


def test_bad_implicit_source_is_passed_over(nowhere, tmp_path, contents):
    fill(nowhere, contents)
    (nowhere / f"{TRAIN_IMAGES}.gz").write_bytes(b"damaged")
    debian = fill(tmp_path / "debian", contents)
    assert load_fashion_mnist().source == str(debian)


def test_error_lists_every_place_and_the_two_ways_out(nowhere, tmp_path, contents, serve):
    fill(tmp_path / "debian", contents)
    (tmp_path / "debian" / f"{TRAIN_IMAGES}.gz").write_bytes(b"damaged")
    serve(empty := Mirror({}))
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    fashion_mnist.MIRRORS += (closed,)  # undone by the fixture
    message = refusal(load_fashion_mnist)
    for part in (
        f"{nowhere}: no such folder",
        f"{tmp_path}/debian/{TRAIN_IMAGES}.gz: wrong IDX magic",
        f"{empty.url}{TRAIN_IMAGES}.gz: HTTP Error 404",
        f"{closed}{TRAIN_IMAGES}.gz: [Errno ",
        "--data or FASHION_GAN_DATA",
        "apt-get install dataset-fashion-mnist",
    ):
        assert part in message


def test_unknown_split_is_refused_with_what_is_allowed():
    assert "'training' is unknown" in (message := refusal(load_fashion_mnist, "training"))
    assert "train, test" in message


def test_fingerprint_follows_images_labels_and_shape():
    images, labels = np.arange(16, dtype=np.uint8).reshape(4, 2, 2, 1), np.zeros(4, np.int32)

    def fingerprint(images, labels, source="here"):
        return Dataset(images, labels, (), source).fingerprint

    assert fingerprint(images, labels, "there") == fingerprint(images.copy(), labels.copy())
    different = [(images + 1, labels), (images, labels + 1), (images.reshape(4, 1, 4, 1), labels)]
    assert len({fingerprint(*data) for data in [(images, labels), *different]}) == 4


# ---- Files that are not what they should be, in the folder that was asked for ----


def truncated_archive(folder, contents):
    path = folder / f"{TRAIN_IMAGES}.gz"
    path.write_bytes(path.read_bytes()[:-100])


def flipped_byte_in_archive(folder, contents):
    # A byte of the checksum that the archive itself carries.
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
    "truncated archive": (truncated_archive, ".gz: cannot be decompressed, truncated or damaged"),
    "damaged archive": (flipped_byte_in_archive, ".gz: cannot be decompressed, truncated or damaged"),
    "truncated content": (
        replace(lambda contents: contents[TRAIN_IMAGES][:-100]),
        ".gz: truncated: shape (20, 28, 28)",
    ),
    "truncated header": (replace(lambda contents: contents[TRAIN_IMAGES][:9]), ".gz: truncated: 9 bytes"),
    "empty": (replace(lambda _: b""), ".gz: wrong IDX magic"),
    "trailing bytes": (replace(lambda contents: contents[TRAIN_IMAGES] + b"0"), ".gz: too long: shape (20, 28, 28)"),
    "other split": (replace(lambda contents: contents[TEST_IMAGES]), f"swapped: it holds {TEST_IMAGES}, not"),
    "labels for images": (replace(lambda contents: contents[TRAIN_LABELS]), f"swapped: it holds {TRAIN_LABELS}, not"),
    "altered pixel": (with_byte(500, b"\x07"), f"altered: its checksum differs from that of {TRAIN_IMAGES}"),
    "wrong magic": (with_byte(0, b"\x01"), "wrong IDX magic: it begins with 0x01000803"),
    "wrong type": (with_byte(2, b"\x0d"), "wrong IDX magic: element type 0x0d"),
    "wrong shape": (
        replace(lambda contents: idx(np.zeros((20, 32, 32), np.uint8))),
        f"wrong shape (20, 32, 32): {TRAIN_IMAGES} has (20, 28, 28)",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("given_by", ["argument", "environment"])
def test_fault_in_the_folder_asked_for_is_named_at_once(
    monkeypatch, nowhere, tmp_path, folder, contents, fault, given_by
):
    fill(nowhere, contents)  # a good copy elsewhere must not be taken silently
    make, expected = FAULTS[fault]
    make(folder, contents)
    monkeypatch.setenv(fashion_mnist.DATA_VARIABLE, str(folder if given_by == "environment" else tmp_path / "unused"))
    message = refusal(load_fashion_mnist, "train", folder if given_by == "argument" else None)
    assert message.startswith(str(folder))
    assert expected in message
    assert TRAIN_IMAGES in message


def test_folder_asked_for_that_does_not_exist_is_refused(nowhere, tmp_path, contents):
    fill(nowhere, contents)
    assert refusal(load_fashion_mnist, "train", tmp_path / "no-such") == f"{tmp_path}/no-such: no such folder"


def test_file_that_grows_without_end_when_decompressed_is_refused(monkeypatch, folder):
    monkeypatch.setattr(fashion_mnist, "_LARGEST_FILE_BYTES", 10_000_000)
    (folder / f"{TRAIN_IMAGES}.gz").write_bytes(gzip.compress(bytes(50_000_000), 1))
    assert "too long: 10000000 bytes at most" in refusal(load_fashion_mnist, "train", folder)


def test_limit_of_a_files_length_is_the_largest_real_file():
    assert max(len(idx(np.empty(shape, np.uint8))) for shape in fashion_mnist._SHAPES.values()) == 47_040_016
    assert fashion_mnist._LARGEST_FILE_BYTES == 47_040_016


# ---- IDX ----


@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (0, 28, 28)])
def test_idx_gives_back_the_array_that_was_written(shape):
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
        (bytes([0, 0, 8, 0]), "truncated: 4 bytes hold no shape of 0 dimensions"),
        (bytes([0, 0, 8, 3, 0, 0, 0, 1]), "truncated: 8 bytes hold no shape of 3 dimensions"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3]), "truncated: shape (4,) needs 4 bytes, it has 3"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 2, 1, 2, 3]), "too long: shape (2,) needs 2 bytes, it has 3"),
        (bytes([0, 0, 8, 2] + [255] * 8), "truncated: shape (4294967295, 4294967295)"),
    ],
)
def test_idx_of_wrong_magic_or_length_is_refused(data, expected):
    message = refusal(read_idx, data, "labels.gz")
    assert message.startswith("labels.gz: ")
    assert expected in message


# ---- Download ----


def test_download_is_kept_under_its_name_alone_and_used_again(nowhere, contents, serve, capsys):
    serve(mirror := Mirror(gzipped(contents)))
    downloaded = load_fashion_mnist("train")
    assert downloaded.source == mirror.url
    assert sorted(path.name for path in nowhere.iterdir()) == [f"{TRAIN_IMAGES}.gz", f"{TRAIN_LABELS}.gz"]
    progress = capsys.readouterr()
    assert f"{TRAIN_IMAGES}.gz: 100%" in progress.err
    assert not progress.out

    mirror.bodies.clear()
    again = load_fashion_mnist("train")
    assert again.source == str(nowhere)
    assert again.fingerprint == downloaded.fingerprint


def test_file_is_complete_and_verified_before_it_gets_its_name(nowhere, contents, serve, monkeypatch):
    serve(Mirror(gzipped(contents)))
    seen = []

    def verify(path, name, place, verified=fashion_mnist._read_verified):
        if path.parent == nowhere:
            seen.append((path.name.endswith(".part"), (nowhere / f"{name}.gz").exists()))
        return verified(path, name, place)

    monkeypatch.setattr(fashion_mnist, "_read_verified", verify)
    load_fashion_mnist("train")
    assert seen == [(True, False)] * 2


def spoiled(contents):
    return gzip.compress(contents[TRAIN_IMAGES][:-1] + bytes([contents[TRAIN_IMAGES][-1] ^ 1]))


@pytest.mark.parametrize(
    ("body", "missing_bytes", "expected"),
    [
        (lambda contents: gzip.compress(contents[TRAIN_IMAGES])[:-50], 50, "truncated or damaged"),
        (lambda contents: gzip.compress(contents[TRAIN_IMAGES])[:-50], 0, "truncated or damaged"),
        (spoiled, 0, "altered: its checksum differs"),
        (lambda contents: gzip.compress(contents[TEST_IMAGES]), 0, f"swapped: it holds {TEST_IMAGES}"),
        (lambda contents: b"<html>Log in to this network</html>", 0, "wrong IDX magic"),
    ],
    ids=["connection lost", "truncated", "altered", "other file", "captive portal"],
)
def test_spoiled_download_is_named_and_never_kept(nowhere, contents, serve, body, missing_bytes, expected):
    serve(mirror := Mirror({f"{TRAIN_IMAGES}.gz": body(contents)}, missing_bytes))
    message = refusal(load_fashion_mnist, "train")
    assert f"{mirror.url}{TRAIN_IMAGES}.gz: " in message
    assert expected in message
    assert list(nowhere.iterdir()) == []


def test_next_mirror_is_asked_where_one_is_spoiled(nowhere, contents, serve):
    serve(Mirror({f"{TRAIN_IMAGES}.gz": spoiled(contents)}), good := Mirror(gzipped(contents)))
    assert load_fashion_mnist("train").source == good.url


def test_download_replaces_a_damaged_file_in_the_cache(nowhere, contents, serve):
    fill(nowhere, contents)
    (nowhere / f"{TRAIN_IMAGES}.gz").write_bytes(b"damaged")
    serve(Mirror(gzipped(contents)))
    load_fashion_mnist("train")
    assert gzip.decompress((nowhere / f"{TRAIN_IMAGES}.gz").read_bytes()) == contents[TRAIN_IMAGES]


def test_endless_download_is_cut_off(monkeypatch, nowhere, contents, serve):
    monkeypatch.setattr(fashion_mnist, "_LARGEST_FILE_BYTES", 100_000)
    monkeypatch.setattr(fashion_mnist, "_read_verified", lambda *_: pytest.fail("it was downloaded to its end"))
    serve(Mirror({f"{TRAIN_IMAGES}.gz": bytes(200_000)}))
    assert "too long: 100000 bytes at most" in refusal(load_fashion_mnist, "train")
    assert list(nowhere.iterdir()) == []


def test_silent_mirror_is_given_up_after_the_time_out(monkeypatch, contents):
    monkeypatch.setattr(fashion_mnist, "TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(fashion_mnist, "MIRRORS", (f"http://127.0.0.1:{silent.getsockname()[1]}/",))
        started = time.monotonic()
        assert f"{TRAIN_IMAGES}.gz: timed out" in refusal(load_fashion_mnist, "train")
        assert time.monotonic() - started < 4


def test_interrupted_download_leaves_nothing_behind(monkeypatch, nowhere, contents, serve):
    def interrupt(*_):
        raise KeyboardInterrupt

    serve(Mirror(gzipped(contents)))
    monkeypatch.setattr(fashion_mnist, "_read_verified", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load_fashion_mnist("train")
    assert list(nowhere.iterdir()) == []


def test_cache_folder_that_cannot_be_made_is_named(nowhere, contents, serve):
    nowhere.write_text("a file where the folder should be")
    serve(mirror := Mirror(gzipped(contents)))
    assert f"{mirror.url}{TRAIN_IMAGES}.gz: [Errno 17] File exists: '{nowhere}'" in refusal(load_fashion_mnist)


# ---- The user's own pictures ----


def picture(path: Path, array, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array)).save(path, **options)
    return path


def flat(level, shape=(8, 8)):
    return np.full(shape, level, np.uint8)


def test_pictures_at_the_top_come_in_the_order_of_their_names_without_classes(tmp_path):
    for level, name in ((30, "c.PNG"), (10, "a.png"), (20, "b.bmp"), (99, ".hidden.png")):
        picture(tmp_path / "in" / name, flat(level))
    (tmp_path / "in" / "README.txt").write_text("no picture")
    data = load_pictures(tmp_path / "in", 8, 1)
    assert data.images.shape == (3, 8, 8, 1)
    assert data.images[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert (data.labels.tolist(), data.class_names, data.source) == ([0, 0, 0], (), str(tmp_path / "in"))


def test_subfolders_with_pictures_are_classes_in_the_order_of_their_names(tmp_path):
    for level, name in ((1, "shoes/b.png"), (2, "shoes/a.png"), (3, "bags/z.png"), (4, ".git/x.png")):
        picture(tmp_path / "in" / name, flat(level))
    (tmp_path / "in" / "notes").mkdir()
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
    chequered = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    picture(tmp_path / "in" / "a.png", chequered)
    resized = load_pictures(tmp_path / "in", 8, 1).images.astype(int)
    assert np.abs(resized - 127).max() <= 3


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_any_mode_get_the_channels_asked_for(tmp_path, channels):
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    picture(tmp_path / "in" / "colour.png", red)
    picture(tmp_path / "in" / "grey.png", flat(100))
    Image.fromarray(red).quantize(4).save(tmp_path / "in" / "palette.png")
    images = load_pictures(tmp_path / "in", 8, channels).images
    expected = [[76], [100], [76]] if channels == 1 else [[255, 0, 0], [100] * 3, [255, 0, 0]]
    assert images[:, 4, 4].tolist() == expected


def test_transparent_parts_become_white(tmp_path):
    clear = np.zeros((8, 8, 4), np.uint8)
    clear[:, 4:, 3] = 255
    picture(tmp_path / "in" / "a.png", clear)
    assert load_pictures(tmp_path / "in", 8, 1).images[0, 4, [0, 7], 0].tolist() == [255, 0]


def test_pictures_of_16_bits_keep_their_levels(tmp_path):
    levels = np.arange(64, dtype=np.uint16).reshape(8, 8) * 4
    picture(tmp_path / "in" / "a.png", levels * 257)
    np.testing.assert_array_equal(load_pictures(tmp_path / "in", 8, 1).images[0, ..., 0], levels)


def test_camera_held_on_its_side_gives_an_upright_picture(tmp_path):
    pixels = flat(0)
    pixels[:, :4] = 255  # white at the left; turned to the right as the camera says, white at the top
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(tmp_path / "in" / "a.png", pixels, exif=exif)
    assert load_pictures(tmp_path / "in", 8, 1).images[0, [0, 7], 4, 0].tolist() == [255, 0]


def test_large_photograph_resizes_to_nearly_what_full_decoding_gives(tmp_path):
    blocks = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    photograph = blocks.repeat(32, 0).repeat(32, 1)
    picture(tmp_path / "in" / "a.jpg", photograph, quality=95)
    whole = Image.fromarray(photograph).resize((256, 256), Image.Resampling.LANCZOS)
    error = load_pictures(tmp_path / "in", 256, 3).images[0].astype(int) - np.asarray(whole)
    assert np.abs(error).mean() < 1.5


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(20), b"%!PS-Adobe-3.0\n"])
def test_unreadable_picture_is_named(tmp_path, content):
    picture(tmp_path / "in" / "a.png", flat(1))
    (tmp_path / "in" / "b.png").write_bytes(content)
    assert refusal(load_pictures, tmp_path / "in", 8, 1).startswith(
        f"{tmp_path}/in/b.png cannot be read as a picture: "
    )


def test_truncated_picture_is_named(tmp_path):
    path = picture(tmp_path / "in" / "a.jpg", np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8))
    path.write_bytes(path.read_bytes()[:-500])
    assert f"{path} cannot be read as a picture" in refusal(load_pictures, tmp_path / "in", 8, 1)


def test_picture_without_a_known_range_is_named(tmp_path):
    path = picture(tmp_path / "in" / "a.tif", np.zeros((8, 8), np.float32))
    assert f"{path} cannot be read as a picture: pixels of 32 bits" in refusal(load_pictures, tmp_path / "in", 8, 1)


def test_file_of_a_format_that_is_not_read_is_refused_under_any_name(tmp_path):
    path = picture(tmp_path / "in" / "a.png", flat(1), format="PCX")
    assert f"{path} cannot be read as a picture" in refusal(load_pictures, tmp_path / "in", 8, 1)


@pytest.mark.filterwarnings("ignore")  # as where nobody made Pillow's warning an error
@pytest.mark.parametrize("limit", [40, 20])  # 64 pixels: Pillow warns above its limit, and refuses above its double
def test_picture_so_large_that_it_may_be_an_attack_is_refused(monkeypatch, tmp_path, limit):
    path = picture(tmp_path / "in" / "a.png", flat(1))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    expected = f"{path} is too large a picture: at most {limit} pixels are read"
    assert refusal(load_pictures, tmp_path / "in", 8, 1) == expected


def test_pictures_both_at_the_top_and_in_subfolders_are_refused_with_the_layouts(tmp_path):
    picture(tmp_path / "in" / "a.png", flat(1))
    picture(tmp_path / "in" / "bags" / "b.png", flat(1))
    message = refusal(load_pictures, tmp_path / "in", 8, 1)
    assert "both at its top and in subfolders" in message
    assert "pictures at its top, or one subfolder of pictures a class" in message


def test_folder_without_pictures_is_refused_with_the_layouts(tmp_path):
    picture(tmp_path / "in" / "deep" / "deeper" / "a.png", flat(1))
    message = refusal(load_pictures, tmp_path / "in", 8, 1)
    assert message.startswith(f"{tmp_path}/in holds no pictures: ")
    assert "one subfolder of pictures a class" in message


def test_channels_other_than_grey_or_colour_are_refused(tmp_path):
    picture(tmp_path / "a.png", flat(1))
    assert refusal(load_pictures, tmp_path, 8, 2) == "channels=2 is not allowed: 1 for grey, 3 for colour"


@pytest.mark.parametrize("slow", [False, True])
def test_progress_is_shown_where_reading_takes_long(tmp_path, capsys, monkeypatch, slow):
    monkeypatch.setattr(progress, "SHOWN_AFTER_SECONDS", 0.0 if slow else 60.0)
    picture(tmp_path / "in" / "0.png", flat(1, (2, 2)))
    assert len(load_pictures(tmp_path / "in", 2, 1).images) == 1
    assert ("pictures" in capsys.readouterr().err) == slow


# ---- What a run trains on ----


def test_training_images_are_the_training_split(folder):
    data = load_training_images(folder, 64, 3)
    assert data.images.shape == (20, 28, 28, 1)  # the model resizes batch by batch
    assert data.fingerprint == load_fashion_mnist("train", folder).fingerprint


def test_training_images_without_a_folder_are_found(nowhere, contents):
    fill(nowhere, contents)
    assert load_training_images(None, 28, 1).source == str(nowhere)


@pytest.mark.parametrize("given_by", ["argument", "environment"])
def test_training_images_can_be_own_pictures(monkeypatch, tmp_path, given_by):
    picture(tmp_path / "in" / "a.png", flat(7))
    if given_by == "environment":
        monkeypatch.setenv(fashion_mnist.DATA_VARIABLE, str(tmp_path / "in"))
    data = load_training_images(str(tmp_path / "in") if given_by == "argument" else None, 16, 3)
    assert data.images.tolist() == np.full((1, 16, 16, 3), 7).tolist()


def test_folder_that_lacks_one_file_of_the_dataset_is_not_taken_for_pictures(folder):
    for name in (TRAIN_IMAGES, TRAIN_LABELS, TEST_LABELS):
        (folder / f"{name}.gz").unlink()
    assert f"{folder}: {TRAIN_IMAGES} is missing" in refusal(load_training_images, folder, 28, 1)


def test_training_data_that_is_no_folder_is_refused_with_the_layouts(tmp_path):
    for path in (tmp_path / "no-such", picture(tmp_path / "a.png", flat(1))):
        message = refusal(load_training_images, path, 28, 1)
        assert message.startswith(f"data='{path}' is no folder: a data folder holds the four Fashion-MNIST files")
