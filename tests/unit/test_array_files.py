"""Files of arrays: good ones are read back, and each damaged or hostile one raises an error that callers expect."""

import io
import random
import struct
import zipfile

import numpy as np
import pytest

from fashion_gan.system.array_files import open_arrays, read_arrays
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS

ARRAYS = {"images": np.arange(300, dtype=np.uint8).reshape(3, 10, 10), "labels": np.arange(3), "score": np.array(1.5)}
HEADER = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }"


def npy(shape, data=b"", header=HEADER):
    text = header % shape
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def archive(path, content, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("a.npy", content)
    return path


def damaged(data, rng):
    """Return the bytes with one to sixteen of them flipped, set, deleted or doubled, or cut off."""
    data = bytearray(data)
    kind = rng.randrange(6)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        place = rng.randrange(len(data) or 1)
        if kind == 0 and data:
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[place : place + 1] = bytes([rng.randrange(256)])
        elif kind == 2:
            del data[place : place + rng.choice([1, 4, 50])]
        elif kind == 3:
            data[place:place] = data[place : place + rng.choice([1, 8, 100])]
        elif kind == 4:
            del data[place:]
        else:
            data[place : place + 8] = bytes(rng.choice([0, 255]) for _ in range(8))
    return bytes(data)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_read_back(tmp_path, save):
    save(tmp_path / "a.npz", **ARRAYS, fortran=np.asfortranarray(np.eye(3)))
    arrays = read_arrays(tmp_path / "a.npz")
    assert list(arrays) == [*ARRAYS, "fortran"]
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
    assert np.array_equal(arrays["fortran"], np.eye(3))
    with open_arrays(tmp_path / "a.npz") as file:
        assert file.shapes == {name: array.shape for name, array in arrays.items()}


def test_every_damaged_file_is_read_or_raises_an_expected_error(tmp_path):
    whole = []
    for save in (np.savez, np.savez_compressed):
        content = io.BytesIO()
        save(content, **ARRAYS)
        whole.append(content.getvalue())
    rng, path, failures = random.Random(0), tmp_path / "a.npz", 0
    good = npy(b"3, 4", bytes(48))
    for number in range(1500):
        if number % 3 == 2:  # A damaged array in a sound archive: no checksum finds it.
            archive(path, damaged(good, rng))
        else:
            path.write_bytes(damaged(whole[number % 3], rng))
        try:
            read_arrays(path)
        except CORRUPT_FILE_ERRORS:
            failures += 1
    assert failures > 1000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (npy(b"1 << 40,", b"1234"), "no header of a plain array"),
        (npy(b"1099511627776,", b"1234"), "not as long as its header says"),
        (npy(b"0, 1099511627776", b"1234"), "not as long as its header says"),
        (npy(b"2,", b"1234"), "not as long as its header says"),
        (npy(b"1,", b"12345678", b"{'descr': '|O', 'fortran_order': False, 'shape': (%s), }"), "Python objects"),
        (b"\x93NUMPY\x03\x00\xff\xff\xff\xff", "no header of a plain array"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * 50, "no header of a plain array"),
        (b"", "no header of a plain array"),
        (b"not an array", "no header of a plain array"),
    ],
)
def test_an_array_that_is_not_what_its_header_says_is_refused(tmp_path, content, words):
    with pytest.raises(ValueError, match=words):
        read_arrays(archive(tmp_path / "a.npz", content))


def test_arrays_above_the_bound_are_refused_before_they_are_read(tmp_path):
    """A megabyte of zeros takes a kilobyte in a file."""
    archive(tmp_path / "a.npz", npy(b"1048576,", bytes(4 << 20)), zipfile.ZIP_DEFLATED)
    assert (tmp_path / "a.npz").stat().st_size < 10_000
    with pytest.raises(ValueError, match="the limit is 1,000,000"):
        read_arrays(tmp_path / "a.npz", max_bytes=1_000_000)


def test_a_large_array_cannot_hide_behind_a_small_member_of_the_same_name(tmp_path):
    path = archive(tmp_path / "a.npz", npy(b"1048576,", bytes(4 << 20)), zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("a", npy(b"", bytes(4)))
    with pytest.raises(ValueError, match=r"a is not an array: its name does not end in \.npy"):
        read_arrays(path)
    with open_arrays(path, all_or_none=False) as file:
        assert file.shapes == {"a": (1 << 20,)}


def test_an_encrypted_archive_is_refused(tmp_path):
    path = archive(tmp_path / "a.npz", npy(b"1,", b"1234"))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="encrypted"):
        read_arrays(path)
