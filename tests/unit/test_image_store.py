"""Images that take much of the memory: they are stored in a file once, and read from it batch by batch."""

import errno
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from fashion_gan.datasets import (
    Dataset,
    PictureOptions,
    fashion_mnist,
    image_store,
    load_pictures,
    load_training_images,
    mapped_images,
    picture_sets,
)
from fashion_gan.datasets.image_store import Store
from fashion_gan.datasets.mapped_images import MappedRows, is_mapped, select_images
from fashion_gan.errors import InputError
from fashion_gan.system import memory

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (40, 8, 8, 3), np.uint8)
BYTES = IMAGES.nbytes  # 7,680


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The user's cache folder."""
    monkeypatch.setattr(fashion_mnist, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "images"


@pytest.fixture(autouse=True)
def little_memory(monkeypatch):
    """Memory for the pictures while they are read, of which the images would take too large a share."""
    monkeypatch.setattr(memory, "available_memory", lambda: 15_000.0)


@pytest.fixture
def folder(tmp_path):
    for number, image in enumerate(IMAGES):
        path = tmp_path / "in" / "ab"[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return tmp_path / "in"


def stored(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def store(key="key", **settings) -> Store:
    return Store("forty images", "take fewer", None if key is None else lambda: key, **settings)


def fill(store, images=IMAGES, facts=None):
    def rows(found):
        found.update(facts or {})
        yield from images

    return store.fill(len(images), images.shape[1:], rows)


def fail(*_):
    pytest.fail("pictures were read again")
    yield


# ---- Files ----


def test_images_that_take_much_memory_are_mapped_and_equal_to_those_in_memory(cache, folder, monkeypatch):
    mapped = load_pictures(folder, 8, 3)
    assert is_mapped(mapped.images)
    assert not mapped.images.flags.writeable  # codespell:ignore
    monkeypatch.setattr(memory, "available_memory", lambda: float("inf"))
    in_memory = load_pictures(folder, 8, 3)
    assert not is_mapped(in_memory.images)
    np.testing.assert_array_equal(mapped.images, in_memory.images)
    assert (mapped.fingerprint, mapped.contents) == (in_memory.fingerprint, in_memory.contents)
    assert [name.rpartition(".")[2] for name in stored(cache)] == ["images", "json"]


def test_the_second_time_no_picture_is_read(cache, folder, monkeypatch):
    first = load_pictures(folder, 8, 3)
    monkeypatch.setattr(picture_sets, "read_square", fail)
    assert load_pictures(folder, 8, 3).fingerprint == first.fingerprint


@pytest.mark.parametrize("change", ["size", "channels", "fit", "background", "time", "name", "fewer"])
def test_any_change_gives_another_file(cache, folder, change):
    load_pictures(folder, 8, 3)
    settings = {"image_size": 12 if change == "size" else 8, "channels": 4 if change == "channels" else 3}
    options = PictureOptions(
        fit="pad" if change == "fit" else "crop", background="red" if change == "background" else "white"
    )
    path = folder / "a" / "00.png"
    if change == "time":
        os.utime(path, (1, 1))
    elif change == "name":
        path.rename(path.with_name("000.png"))
    elif change == "fewer":
        path.unlink()
    assert is_mapped(load_pictures(folder, **settings, options=options).images)
    assert len(stored(cache)) == 4


def test_damaged_pictures_are_told_the_second_time_too(cache, folder, monkeypatch):
    path = folder / "a" / "00.png"
    path.write_bytes(path.read_bytes()[:60])
    first = load_pictures(folder, 8, 3, PictureOptions(skip_damaged=True))
    assert len(first.images) == 39
    monkeypatch.setattr(picture_sets, "read_square", fail)
    second = load_pictures(folder, 8, 3, PictureOptions(skip_damaged=True))
    assert second.contents == first.contents
    with pytest.raises(InputError, match=r"a/00.png cannot be read"):
        load_pictures(folder, 8, 3)


def damage(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda images, facts: damage(images),
        lambda images, facts: facts.unlink(),
        lambda images, facts: facts.write_text("[]"),
        lambda images, facts: facts.write_text(json.dumps({**json.loads(facts.read_text()), "version": 0})),
        lambda images, facts: images.unlink(),
    ],
)
def test_a_damaged_file_is_written_again(cache, spoil):
    fill(store())
    spoil(cache / "key.images", cache / "key.json")
    np.testing.assert_array_equal(fill(store())[0], IMAGES)
    assert stored(cache) == ["key.images", "key.json"]


def test_images_of_an_unknown_origin_leave_no_file(cache):
    images, _ = fill(store(None))
    np.testing.assert_array_equal(images, IMAGES)
    assert is_mapped(images)
    assert stored(cache) == []


def test_no_image_at_all_gives_an_empty_array(cache):
    images, facts = store().fill(40, (8, 8, 3), lambda facts: iter(()))
    assert (images.shape, facts) == ((0, 8, 8, 3), {})


def test_an_interrupted_writing_leaves_no_file(cache):
    def rows(facts):
        yield IMAGES[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store().fill(40, (8, 8, 3), rows)
    assert stored(cache) == []


# ---- Room ----


def test_the_files_that_were_used_least_recently_are_deleted(cache, monkeypatch):
    monkeypatch.setattr(image_store, "MAX_CACHE_BYTES", 3 * BYTES)
    for number, name in enumerate("abc"):
        fill(store(name))
        os.utime(cache / f"{name}.images", (number, number))
    fill(store("a"))  # It is used again.
    fill(store("d"))
    assert stored(cache) == ["a.images", "a.json", "c.images", "c.json", "d.images", "d.json"]


def test_a_set_larger_than_the_limit_takes_the_place_of_all_others(cache, monkeypatch):
    monkeypatch.setattr(image_store, "MAX_CACHE_BYTES", BYTES // 2)
    fill(store("a"))
    fill(store("b"))
    assert stored(cache) == ["b.images", "b.json"]


def disk(monkeypatch, free):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, free))


def test_without_room_on_the_disk_images_stay_in_memory_if_they_fit(cache, monkeypatch):
    disk(monkeypatch, free=100)
    assert not is_mapped(fill(store())[0])


def test_without_room_on_the_disk_and_in_memory_there_is_an_error_of_one_line(cache, monkeypatch):
    disk(monkeypatch, free=100)
    monkeypatch.setattr(memory, "available_memory", lambda: 5_000.0)
    message = f"forty images take 1 MB, but 1 MB of memory are available, and 1 MB of disk in {cache}: take fewer"
    with pytest.raises(InputError, match=f"^{message}$"):
        fill(store())


def test_a_disk_that_becomes_full_is_an_error_of_one_line(cache):
    def rows(facts):
        yield IMAGES[0]
        raise OSError(errno.ENOSPC, "No space left on device", str(cache / "key.images"))

    with pytest.raises(InputError, match=r"are stored in .*: No space left on device: take fewer"):
        store().fill(40, (8, 8, 3), rows)
    assert stored(cache) == []


@pytest.mark.parametrize("folder", [None, "a file"])
def test_without_a_cache_folder_images_must_fit_into_memory(tmp_path, monkeypatch, folder):
    if folder is not None:
        (tmp_path / folder).write_text("")
    place = None if folder is None else tmp_path / folder
    monkeypatch.setattr(fashion_mnist, "cache_folder", lambda: place)
    assert not is_mapped(fill(store())[0])
    monkeypatch.setattr(memory, "available_memory", lambda: 5_000.0)
    with pytest.raises(InputError, match=r"^forty images take 1 MB of memory, but 1 MB are available: take fewer$"):
        fill(store())


# ---- Other sources ----


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_is_stored_image_by_image(cache, tmp_path, save):
    labels = np.arange(40) % 4
    save(tmp_path / "a.npz", images=IMAGES, labels=labels)
    data = load_training_images(tmp_path / "a.npz", 8, 3)
    assert is_mapped(data.images)
    np.testing.assert_array_equal(data.images, IMAGES)
    assert len(stored(cache)) == 2
    resized = load_training_images(tmp_path / "a.npz", 12, 3)
    assert is_mapped(resized.images)
    assert len(stored(cache)) == 4
    np.testing.assert_array_equal(resized.images, load_training_images(IMAGES, 12, 3).images)


def test_an_npy_is_mapped_as_it_is(cache, tmp_path):
    np.save(tmp_path / "a.npy", IMAGES)
    data = load_training_images(tmp_path / "a.npy", 8, 3)
    assert is_mapped(data.images)
    assert data.fingerprint == Dataset(IMAGES, data.labels, (), "").fingerprint
    assert not cache.exists()


# ---- Parts ----


def test_many_mapped_images_are_not_copied(cache, monkeypatch):
    images, _ = fill(store())
    indices = RANDOM.permutation(40)[:30]
    np.testing.assert_array_equal(select_images(images, indices), IMAGES[indices])
    assert not isinstance(select_images(images, indices), MappedRows)
    monkeypatch.setattr(mapped_images, "MAX_COPIED_BYTES", 1000)
    rows = select_images(images, indices)
    assert isinstance(rows, MappedRows)
    assert is_mapped(rows)
    assert (rows.shape, len(rows), rows.ndim, rows.dtype) == ((30, 8, 8, 3), 30, 4, np.uint8)
    expected = IMAGES[indices]
    for key in (3, slice(2, 9), np.array([4, 4, 1]), expected[:, 0, 0, 0] > 99):
        np.testing.assert_array_equal(rows[key], expected[key])
    np.testing.assert_array_equal(select_images(rows, np.arange(20))[:], expected[:20])
    np.testing.assert_array_equal(np.asarray(rows), expected)
    labels = np.zeros(30, np.int32)
    assert Dataset(rows, labels, (), "").fingerprint == Dataset(expected, labels, (), "").fingerprint


def test_the_fingerprint_of_mapped_images_is_computed_once(cache, monkeypatch):
    data = Dataset(fill(store())[0], np.zeros(40, np.int32), (), "")
    first = data.fingerprint
    monkeypatch.setattr(Dataset, "_compute_fingerprint", fail)
    assert data.fingerprint == first


@pytest.mark.parametrize("hashed", [1, 500, 10**6])
def test_a_fingerprint_does_not_depend_on_the_parts_that_are_hashed(monkeypatch, hashed):
    labels = np.zeros(40, np.int32)
    expected = Dataset(IMAGES, labels, (), "").fingerprint
    monkeypatch.setattr("fashion_gan.datasets.dataset.HASHED_TOGETHER", hashed)
    assert Dataset(IMAGES, labels, (), "").fingerprint == expected
