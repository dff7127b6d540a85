"""Batches in parts, of which each process of a training reads one."""

import itertools

import numpy as np
import pytest

from fashion_gan.training.batches import stream_batches

COUNT, BATCH_SIZE = 50, 12


class RecordedImages(np.ndarray):
    """Images that record which of them are read."""

    def __getitem__(self, key):
        self.read.extend(np.atleast_1d(key).tolist())
        return np.asarray(self)[key]


def images(count=COUNT):
    """Return images of one pixel each, whose values are their numbers."""
    values = np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1).view(RecordedImages)
    values.read = []
    return values


def streams(parts, *, steps=1, held_out=None):
    """Return the first batches of each part: a list of dictionaries for each."""
    labels = np.arange(COUNT, dtype=np.int32)
    settings = {"batch_size": BATCH_SIZE, "seed": 3, "first_step": 2, "steps_per_execution": steps}
    found = []
    for part in parts:
        stream = stream_batches(images(), labels, **settings, held_out=held_out, part=part)
        found.append([batch for (batch,) in itertools.islice(iter(stream), 8 // steps)])
    return found


@pytest.mark.parametrize("count", [1, 2, 4])
def test_the_parts_of_a_batch_together_are_the_whole_batch(count):
    held_out = (np.arange(100, 110, dtype=np.uint8).reshape(10, 1, 1, 1), np.arange(10, dtype=np.int32))
    (whole,) = streams([(0, 1)], held_out=held_out)
    parts = streams([(number, count) for number in range(count)], held_out=held_out)
    for expected, *batches in zip(whole, *parts, strict=True):
        assert len(batches[0]["labels"]) == BATCH_SIZE // count
        for select in (lambda batch: batch, lambda batch: batch["held_out"]):
            for name in ("images", "labels"):
                joined = np.concatenate([select(batch)[name] for batch in batches])
                np.testing.assert_array_equal(joined, select(expected)[name])


def test_a_single_part_is_what_one_device_gets(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "torch")  # It takes plain batches.
    (part,), (plain,) = streams([(0, 1)]), streams([None])
    for left, right in zip(part, plain, strict=True):
        np.testing.assert_array_equal(left["images"], right["images"])


def test_several_steps_are_stacked():
    (single,), (stacked,) = streams([(1, 2)]), streams([(1, 2)], steps=4)
    for number, batch in enumerate(stacked):
        assert batch["images"].shape == (4, BATCH_SIZE // 2, 1, 1, 1)
        expected = np.stack([other["images"] for other in single[4 * number : 4 * number + 4]])
        np.testing.assert_array_equal(batch["images"], expected)


def test_only_the_images_of_the_part_are_read():
    own = images()
    stream = stream_batches(own, np.arange(COUNT), batch_size=BATCH_SIZE, seed=3, part=(1, 2))
    batches = [batch for (batch,) in itertools.islice(stream, 4)]
    assert sorted(own.read) == sorted(int(value) for batch in batches for value in batch["images"].ravel())
    assert len(own.read) == 4 * BATCH_SIZE // 2
