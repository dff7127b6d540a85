"""Which pictures are held out, what is compared with, and which figures may be compared with each other."""

import dataclasses
import json

import numpy as np
import pytest
from toys import smooth_dataset, smooth_pictures

from fashion_gan.datasets import Dataset
from fashion_gan.errors import InputError
from fashion_gan.metrics.comparison import StoredMetrics, compare_metrics, read_metrics
from fashion_gan.metrics.evaluate import find_protocols
from fashion_gan.metrics.metric_info import MetricValue
from fashion_gan.metrics.pictures.feature_networks import FeatureNetwork
from fashion_gan.metrics.pictures.held_out import held_out_pictures
from fashion_gan.metrics.pictures.protocols import picture_protocols
from fashion_gan.metrics.pictures.reference import PictureReference, halves, split

NETWORK = FeatureNetwork.random()


def reference_of(*counts, cache=None, classes=0, **settings):
    parts = [smooth_dataset(count, classes, seed=seed, **settings) for seed, count in enumerate(counts)]
    return PictureReference(parts[0], parts[1] if len(parts) > 1 else None, NETWORK, cache)


# ---- Held out ----


@pytest.mark.parametrize(
    ("count", "held_out"),
    [(0, None), (199, None), (200, 50), (499, 50), (510, 51), (1000, 100), (50_000, 5000), (60_000, 5000)],
)
def test_a_tenth_is_held_out_at_least_50_and_none_of_fewer_than_200(count, held_out):
    mask = held_out_pictures(np.zeros(count, np.int32))
    assert (None if mask is None else mask.sum()) == held_out


def test_each_class_is_held_out_alike_and_in_every_call():
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 3], [600, 300, 99, 1])).astype(np.int32)
    mask = held_out_pictures(labels)
    assert abs(np.bincount(labels[mask], minlength=4) - [60, 30, 9.9, 0.1]).max() <= 1
    assert mask.sum() == 100
    np.testing.assert_array_equal(held_out_pictures(labels.copy()), mask)
    assert 0.2 < np.flatnonzero(mask).mean() / 1000 < 0.8  # From everywhere, not from the start.


def test_a_data_set_is_split_without_loss():
    dataset = smooth_dataset(250, classes=2)
    train, held_out = split(dataset)
    assert (len(train.images), len(held_out.images)) == (200, 50)
    both = np.concatenate([train.images, held_out.images])
    assert sorted(map(bytes, both)) == sorted(map(bytes, dataset.images))
    assert split(smooth_dataset(199))[1] is None


# ---- The reference ----


def test_requested_classes_are_as_frequent_as_among_the_real_pictures():
    labels = np.repeat([0, 1, 3], [50, 25, 25]).astype(np.int32)
    target = Dataset(smooth_pictures(100), labels, ("a", "b", "never", "c"), "unequal classes")
    reference = PictureReference(smooth_dataset(60, 4), target, NETWORK)
    requested = reference.real_labels(1001)
    assert requested.dtype == np.int32
    assert abs(np.bincount(requested, minlength=4) - [500.5, 250.25, 0, 250.25]).max() < 1
    assert len(requested) == 1001
    assert len(set(requested[:20].tolist())) == 3  # In random order.
    np.testing.assert_array_equal(requested, reference.real_labels(1001))
    assert reference_of(60).real_labels(10) is None


def test_a_part_has_the_features_of_the_whole():
    whole = reference_of(120, 60, classes=2)
    first, second = halves(60)
    part = whole.part(np.arange(100), second)
    np.testing.assert_array_equal(part.train_vectors, whole.train_vectors[:100])
    np.testing.assert_array_equal(part.target_vectors, whole.target_vectors[second])
    np.testing.assert_array_equal(part.vectors(whole.held_out.images[first], ""), whole.target_vectors[first])
    assert sorted([*first, *second]) == list(range(60))
    alone = whole.part(np.arange(50), None)
    assert alone.held_out is None
    np.testing.assert_array_equal(alone.target_vectors, whole.train_vectors[:50])


def test_the_fingerprint_depends_on_the_data_the_network_and_the_size(tmp_path):
    base = reference_of(60, 50)
    other_labels = dataclasses.replace(base.train, labels=base.train.labels + 1)
    network = FeatureNetwork("other", NETWORK._content + b" ")
    others = [
        reference_of(60),
        reference_of(60, 51),
        reference_of(60, 50, channels=4),
        reference_of(60, 50, height=20),
        PictureReference(other_labels, base.held_out, NETWORK),
        PictureReference(base.held_out, base.train, NETWORK),
        PictureReference(base.train, base.held_out, network),
    ]
    assert len({base.key, *(other.key for other in others)}) == 1 + len(others)
    assert reference_of(60, 50).key == base.key
    assert base.fingerprint["size"] == "16×16×3"


def test_the_features_are_cached_for_the_next_time(tmp_path, monkeypatch):
    first = reference_of(60, 50, cache=tmp_path)
    expected = first.train_vectors
    assert [path.name for path in tmp_path.iterdir()] == [f"pictures-{first.key}-features.npz"]
    generated = first.vectors(smooth_pictures(50, seed=5), "")
    (tmp_path / f"pictures-{first.key}-features.npz").write_bytes(b"damaged")
    np.testing.assert_array_equal(reference_of(60, 50, cache=tmp_path).train_vectors, expected)
    monkeypatch.setattr(PictureReference, "_compute_features", lambda self: pytest.fail("computed again"))
    again = reference_of(60, 50, cache=tmp_path)
    np.testing.assert_array_equal(again.vectors(smooth_pictures(50, seed=5), ""), generated)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"height": 15, "width": 64}, "the pictures are 64×15; pictures from 16 to 512 pixels wide and high"),
        ({"height": 16, "width": 513}, "the pictures are 513×16"),
        ({"count": 49}, "49 smooth pictures has 49 pictures to compare with; at least 50 are needed"),
    ],
)
def test_pictures_that_cannot_be_measured_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        PictureReference(smooth_dataset(**{"count": 50, **settings}), None, NETWORK).check()
    PictureReference(smooth_dataset(50, height=16, width=512), None, NETWORK).check()


def test_equal_pictures_are_no_reference():
    equal = Dataset(np.full((60, 16, 16, 3), 9, np.uint8), np.zeros(60, np.int32), (), "gray walls")
    reference = PictureReference(equal, None, NETWORK)
    with pytest.raises(InputError, match="gray walls: all pictures to compare with are equal"):
        reference.check()


# ---- Protocols ----


def names(reference, available):
    return {name: protocol.name for name, protocol in picture_protocols(reference, available).items()}


def test_the_names_of_the_protocols_carry_the_numbers_of_pictures():
    reference = reference_of(200, 60)
    assert names(reference, None)["distances"] == "distances200_to_60"
    assert names(reference, 70)["distances"] == "distances70_to_60"
    assert names(reference, 900)["distances"] == "distances200_to_60"
    assert names(reference, 70)["training_distance"] == "training_distance70_to_200"
    assert names(reference, None)["neighbors"] == "neighbors60_to_60"  # At most as many as there are real ones.
    assert names(reference_of(80), None)["diversity"] == "diversity80_to_80"


def reasons(reference, available=None, has_labels=True):
    """Why each protocol cannot be measured."""
    found = {}
    for name, protocol in picture_protocols(reference, available).items():
        try:
            dataclasses.replace(protocol, needs="").check(protocol.count, has_labels)
        except InputError as error:
            found[name] = str(error).removeprefix(protocol.name)
    assert found.pop("all_images").startswith(" is for a data set of shards")  # These references are none.
    return found


def test_a_protocol_that_cannot_be_measured_says_why():
    few = "no picture is held out, because there are fewer than 200"
    no_classes = " cannot be measured: the real pictures have no classes"
    needs_200 = " cannot be measured: it needs 200 pictures, there are 80"
    assert reasons(reference_of(80)) == {
        "training_distance": f" cannot be measured: {few}",
        "within_classes": no_classes,
        "gan_train": f" cannot be measured: {few}",
        "two_sample": needs_200,
    }
    assert reasons(reference_of(210, 50)) == {"within_classes": no_classes, "gan_train": no_classes}
    assert reasons(reference_of(160, 50, classes=5)) == {
        "within_classes": " cannot be measured: no class has 20 real pictures to compare with; the largest has 10",
        "gan_train": " cannot be measured: each class needs 50 training pictures; the smallest has 32",
        "two_sample": " cannot be measured: it needs 200 pictures, there are 160",
    }
    assert reasons(reference_of(210, 50, classes=2)) == {}
    assert "needs the class of each image" in reasons(reference_of(210, 50, classes=2), has_labels=False)["gan_train"]


def test_protocols_of_pictures_are_found_by_name():
    assert find_protocols(["distances", "standard"], for_pictures=True)["distances"] is True
    assert find_protocols(["full"], for_pictures=True)["two_sample"] is False
    with pytest.raises(InputError, match="did you mean 'distances'"):
        find_protocols(["distance"], for_pictures=True)
    with pytest.raises(InputError, match="ffd10k_test"):
        find_protocols(["ffd10k_test"], for_pictures=True)


# ---- Comparison ----


def stored(name, value, **fingerprint):
    parts = {"version": 1, "data_sha256": "a", "features_sha256": "b", "size": "16×16×3", "counts": [60, 200, 50]}
    return StoredMetrics(name, {**parts, **fingerprint}, {"frechet": MetricValue(value, 0.5, (value - 1, value + 1))})


@pytest.mark.parametrize("part", [{"size": "16×16×4"}, {"counts": [60, 200, 51]}, {"data_sha256": "c"}])
def test_figures_of_other_numbers_or_sizes_are_not_compared(part):
    with pytest.raises(InputError, match=f"these metrics cannot be compared: {next(iter(part))}") as caught:
        compare_metrics(stored("first", 1.0), stored("second", 2.0, **part))
    assert "\n" not in str(caught.value)


def test_figures_of_pictures_are_compared_and_never_with_those_of_fashion_mnist():
    assert compare_metrics(stored("first", 1.0), stored("second", 9.0)).verdict == "first"
    fashion = dataclasses.replace(stored("third", 1.0), fingerprint={"version": 1, "data_sha256": "a"})
    with pytest.raises(InputError, match="cannot be compared"):
        compare_metrics(stored("first", 1.0), fashion)


def test_metrics_are_read_with_and_without_the_parts_of_pictures(tmp_path):
    values = {"value": 1.0, "standard_error": None, "interval": None, "real_baseline": 2.0, "by_seed": []}
    metrics = {"frechet": {**values, "deviation": None}}
    parts = {"version": 1, "data_sha256": "a", "features_sha256": "b"}
    for fingerprint in (parts, {**parts, "size": "16×16×3", "counts": [1, 2, 3]}):
        text = json.dumps({"source": {"name": "x"}, "fingerprint": {**fingerprint, "new": 1}, "metrics": metrics})
        (tmp_path / "metrics.json").write_text(text)
        read = read_metrics(tmp_path)
        assert read.fingerprint == fingerprint
        assert read.metrics["frechet"].real_baseline == 2.0
