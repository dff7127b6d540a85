"""HDF5 files of any origin: their plain content is copied, and a hostile file costs little time and memory."""

import io
import itertools
import resource
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from fashion_gan.errors import InputError
from fashion_gan.saving import hdf5
from fashion_gan.saving.hdf5 import copy_plain

HANGING = Path(__file__).parents[1] / "fixtures" / "hostile" / "hang.h5"  # A flipped bit makes libhdf5 loop.


@pytest.fixture
def source(tmp_path):
    """A new file."""
    with h5py.File(tmp_path / "source.h5", "w") as file:
        yield file


def copied(file):
    """Return a plain copy of an open file, which is then closed, and the paths that are left out."""
    path = Path(file.filename)
    file.close()
    copy = h5py.File(io.BytesIO(), "w")
    return copy, copy_plain(path, copy)


def test_groups_texts_and_numbers_of_every_type_are_copied(source):
    source.attrs["text"], source.attrs["bytes"], source.attrs["number"] = "é", np.bytes_(b"b"), 5
    source.create_group("a/b").attrs["names"] = [b"one", b"two"]
    source["a"].attrs["none"] = np.array([], "S1")
    arrays = {
        "a/half": np.arange(3, dtype="float16"),
        "a/b/big_endian": np.arange(6, dtype=">f4").reshape(2, 3),
        "scalar": np.array(7, "int64"),
        "empty": np.zeros((0, 3), "uint8"),
        "flags": np.array([True, False]),
    }
    for name, array in arrays.items():
        source[name] = array
    source.create_dataset("packed", data=np.arange(1000.0), chunks=(10,), compression="gzip")
    source["optimizer_weights/m"] = np.zeros(3)
    copy, left_out = copied(source)
    assert left_out == []
    assert dict(copy.attrs) == {"text": "é", "bytes": "b"}
    assert list(copy["a/b"].attrs["names"]) == ["one", "two"]
    assert len(copy["a"].attrs["none"]) == 0
    for name, array in arrays.items():
        assert copy[name].dtype == array.dtype
        np.testing.assert_array_equal(copy[name], array)
    np.testing.assert_array_equal(copy["packed"], np.arange(1000.0))
    assert "optimizer_weights" not in copy


def test_links_text_and_data_of_other_files_are_left_out(source, tmp_path):
    source["outside"], source["soft"] = h5py.ExternalLink("other.h5", "/x"), h5py.SoftLink("/text")
    source["text"] = np.array([b"x", b"y"])
    source["objects"] = np.array(["x"], h5py.string_dtype())
    source.create_dataset("elsewhere", (4,), "float32", external=[(str(tmp_path / "secret"), 0, 16)])
    source["kept"] = np.ones(2)
    copy, left_out = copied(source)
    assert sorted(left_out) == ["/elsewhere", "/objects", "/outside", "/soft", "/text"]
    assert list(copy) == ["kept"]


def test_a_file_that_makes_the_library_loop_is_refused_at_the_deadline(monkeypatch):
    monkeypatch.setattr(hdf5, "READ_SECONDS", 0.5)
    start = time.monotonic()
    with pytest.raises(InputError, match="damaged, or made to do harm"):
        copy_plain(HANGING, h5py.File(io.BytesIO(), "w"))
    assert time.monotonic() - start < 10


def test_groups_that_hold_each_other_are_refused(source):
    """Forty groups with two links each to the next are a trillion paths."""
    groups = [source.create_group(f"g{number}") for number in range(40)]
    for group, following in itertools.pairwise(groups):
        group["left"] = group["right"] = following
    with pytest.raises(InputError, match="over 10,000 groups"):
        copied(source)


def test_a_group_that_holds_itself_is_refused(source):
    group = source.create_group("a")
    group["again"] = group
    with pytest.raises(InputError, match="nested over 40 deep"):
        copied(source)


def test_data_that_are_declared_but_not_stored_are_refused_without_taking_memory(source):
    source.create_dataset("zeros", (1 << 30,), "float32", chunks=(1 << 20,))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="weights take over 128 MB"):
        copied(source)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


@pytest.mark.parametrize("content", [b"", b"text", "cut"])
def test_a_damaged_file_raises_a_value_error(source, content):
    source["a"] = np.ones(1000)
    path = Path(source.filename)
    source.close()
    path.write_bytes(path.read_bytes()[:3000] if content == "cut" else content)
    with pytest.raises(ValueError, match="damaged"):
        copy_plain(path, h5py.File(io.BytesIO(), "w"))


def test_a_program_that_embeds_python_finds_an_interpreter(monkeypatch):
    monkeypatch.setattr(hdf5.sys, "executable", "/usr/lib/R/bin/exec/R")
    assert Path(hdf5._python()).stem.startswith("python")
    monkeypatch.setattr(hdf5.sys, "exec_prefix", "/nowhere")
    with pytest.raises(InputError, match="no interpreter at /nowhere"):
        hdf5._python()
