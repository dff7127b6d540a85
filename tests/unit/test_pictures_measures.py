"""Whitening, diversity and copies of pictures agree with their formulas, also for degenerate pictures."""

import numpy as np
import pytest
from toys import smooth_dataset, smooth_pictures

from fashion_gan.datasets import Dataset
from fashion_gan.metrics.memorization import closer_shares
from fashion_gan.metrics.pictures import measures
from fashion_gan.metrics.pictures.feature_networks import FeatureNetwork
from fashion_gan.metrics.pictures.measures import PictureSample, kernel_bandwidth, vendi_score
from fashion_gan.metrics.pictures.reference import PictureReference
from fashion_gan.metrics.pictures.whitening import Whitening

RANDOM = np.random.default_rng(0)


# ---- Whitening ----


@pytest.mark.parametrize(("count", "features", "kept"), [(1000, 50, 32), (319, 50, 31), (40, 90, 4), (12, 90, 1)])
def test_whitened_features_are_uncorrelated_and_have_equal_variances(count, features, kept):
    raw = (RANDOM.standard_normal((count, features)) @ RANDOM.standard_normal((features, features))).astype(np.float32)
    raw = raw * np.logspace(-3, 3, features, dtype=np.float32) + 5
    whitened = Whitening.fit(raw).apply(raw)
    assert whitened.shape == (count, kept)
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=1e-3)
    covariance = np.cov(whitened, rowvar=False).reshape(kept, kept)
    np.testing.assert_allclose(covariance, 100 / kept * np.eye(kept), atol=1e-3 * 100 / kept)


def test_whitening_agrees_with_the_singular_value_decomposition():
    raw = (RANDOM.standard_normal((500, 40)) * np.arange(1, 41)).astype(np.float32)
    scaled = (raw - raw.mean(axis=0, dtype=float)) / raw.std(axis=0, dtype=float)
    components, _, _ = np.linalg.svd(scaled, full_matrices=False)
    expected = components[:, :32] * np.sqrt(499 * 100 / 32)
    np.testing.assert_allclose(np.abs(Whitening.fit(raw).apply(raw)), np.abs(expected), rtol=1e-3, atol=1e-3)


def test_features_that_never_change_are_left_out_whatever_other_pictures_have_there():
    raw = RANDOM.standard_normal((400, 40)).astype(np.float32)
    with_constants = np.concatenate([raw, np.full((400, 3), 1e4, np.float32)], axis=1)
    whitening = Whitening.fit(with_constants)
    np.testing.assert_allclose(
        np.abs(whitening.apply(with_constants)), np.abs(Whitening.fit(raw).apply(raw)), rtol=1e-3, atol=1e-3
    )
    assert (whitening.matrix[40:] == 0).all()


def test_fewer_different_components_than_dimensions_are_kept_and_one_of_equal_pictures():
    in_a_plane = RANDOM.standard_normal((400, 2)) @ RANDOM.standard_normal((2, 40))
    assert Whitening.fit(in_a_plane.astype(np.float32)).apply(in_a_plane).shape == (400, 2)
    equal = np.full((60, 40), 3.3, np.float32)
    np.testing.assert_allclose(Whitening.fit(equal).apply(equal), np.zeros((60, 1)), atol=1e-6)


# ---- Diversity ----


def test_the_vendi_score_is_the_entropy_of_the_kernels_eigenvalues():
    vectors = RANDOM.standard_normal((30, 5))
    kernel = np.array([[np.exp(-((x - y) ** 2).sum() / 7) for y in vectors] for x in vectors])
    shares = np.linalg.svd(kernel / 30, compute_uv=False)
    assert vendi_score(vectors, 7) == pytest.approx(np.exp(-sum(p * np.log(p) for p in shares if p > 1e-12)), rel=1e-6)


def test_the_vendi_score_counts_the_different_vectors():
    assert vendi_score(np.ones((20, 3)), 1.0) == pytest.approx(1)
    assert vendi_score(1000 * np.eye(20), 1.0) == pytest.approx(20)
    assert vendi_score(np.repeat(1000 * np.eye(20)[:4], 5, axis=0), 1.0) == pytest.approx(4)


def test_the_bandwidth_is_half_the_median_unless_most_pictures_are_equal():
    vectors = RANDOM.standard_normal((40, 6))
    squares = [((x - y) ** 2).sum() for number, x in enumerate(vectors) for y in vectors[:number]]
    assert kernel_bandwidth(vectors) == pytest.approx(np.median(squares) / 2)
    vectors[:35] = vectors[0]
    squares = [((x - y) ** 2).sum() for number, x in enumerate(vectors) for y in vectors[:number]]
    assert kernel_bandwidth(vectors) == pytest.approx(np.mean(squares) / 200)
    assert kernel_bandwidth(np.zeros((40, 6))) == 1
    # Rounding differs between the pairs of equal vectors. It is no distance.
    equal = np.tile(RANDOM.standard_normal(50), (40, 1))
    assert vendi_score(equal, kernel_bandwidth(equal)) == pytest.approx(1, abs=0.01)


# ---- Copies ----


def test_closer_shares_are_the_shares_of_all_pairs():
    generated, real = (RANDOM.integers(0, 9, count).astype(float) for count in (50, 31))
    expected = [np.mean([(square < other) + (square == other) / 2 for other in real]) for square in generated]
    np.testing.assert_allclose(closer_shares(generated, real), expected)
    assert closer_shares(np.zeros(5), np.ones(5)).tolist() == [1.0] * 5
    assert closer_shares(np.ones(5), np.ones(5)).tolist() == [0.5] * 5
    alike = [closer_shares(RANDOM.random(200), RANDOM.random(200)).mean() for _ in range(50)]
    assert np.mean(alike) == pytest.approx(0.5, abs=0.02)


@pytest.fixture(scope="module")
def reference():
    """240 training pictures and 60 held-out ones, of three classes."""
    network = FeatureNetwork.random()
    return PictureReference(smooth_dataset(240, classes=3), smooth_dataset(60, classes=3, seed=1), network)


def copies(images, reference):
    return measures.copies(PictureSample(images, None, reference), reference)


def test_copies_of_training_pictures_are_seen_and_shown(reference):
    fresh = smooth_dataset(100, classes=3, seed=2).images
    copied = np.concatenate([fresh[:60], reference.train.images[100:140]])
    without, some, only = (copies(images, reference) for images in (fresh, copied, reference.train.images[:100]))
    for name in ("copying", "closer_than_real", "nearer_train"):
        values = [result.metrics[name].value for result in (without, some, only)]
        assert sorted(values, reverse=name == "copying") == values, name
    assert only.metrics["closer_than_real"].value == 1
    assert only.metrics["nearer_train"].value == pytest.approx(1)
    assert only.metrics["copying"].value < -5
    pairs = some.details["suspicious"]
    assert min(pairs["generated"]) >= 60
    assert [100 + number - 60 for number in pairs["generated"]] == pairs["training"]
    np.testing.assert_allclose(pairs["distance_training"], 0, atol=0.01)


def test_pictures_at_the_same_distance_from_both_sets_are_no_copies():
    dataset = smooth_dataset(60)
    same = PictureReference(dataset, dataset, FeatureNetwork.random())
    assert copies(dataset.images, same).metrics["nearer_train"].value == pytest.approx(0)


def test_without_held_out_pictures_copies_are_compared_with_the_other_training_pictures():
    reference = PictureReference(smooth_dataset(80), None, FeatureNetwork.random())
    vectors = reference.train_vectors.astype(float)
    squares = ((vectors[:, None] - vectors) ** 2).sum(axis=2) + np.diag(np.full(80, np.inf))
    np.testing.assert_allclose(reference.real_nearest_training.squares, squares.min(axis=1), rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(reference.real_nearest_training.indices, squares.argmin(axis=1))
    result = copies(reference.train.images[:50], reference)
    assert result.metrics["closer_than_real"].value == 1
    assert set(result.metrics) == {"copying", "closer_than_real"}
    assert "test" not in result.details["suspicious"]


# ---- Classes ----


def within_classes(images, labels, reference):
    return measures.within_classes(PictureSample(images, labels, reference), reference)


def test_wrong_labels_lower_the_coverage_within_classes(reference):
    fresh = smooth_dataset(240, classes=3, seed=3)
    right = within_classes(fresh.images, fresh.labels, reference)
    wrong = within_classes(fresh.images, (fresh.labels + 1) % 3, reference)
    assert right.metrics["class_coverage"].value > wrong.metrics["class_coverage"].value + 0.1
    rows = right.details["within_classes"]
    assert [row["asked"] for row in rows] == [80, 80, 80]
    assert np.mean([row["coverage"] for row in rows]) == pytest.approx(right.metrics["class_coverage"].value)


def test_a_class_without_generated_pictures_has_no_variety_and_one_with_few_real_ones_is_left_out():
    labels = np.repeat([0, 1, 2], [120, 100, 5]).astype(np.int32)
    real = Dataset(smooth_pictures(225), labels, ("a", "b", "c"), "three classes")
    reference = PictureReference(real, None, FeatureNetwork.random())
    generated = within_classes(smooth_pictures(225, seed=1), np.zeros(225, np.int32), reference)
    first, second, third = generated.details["within_classes"]
    assert (second["recall"], second["coverage"]) == (0, 0)
    assert "recall" not in third
    assert generated.metrics["class_coverage"].value == pytest.approx(first["coverage"] * 120 / 220)


def test_classes_that_are_all_too_small_have_no_values():
    small = PictureReference(smooth_dataset(60, classes=4), None, FeatureNetwork.random())
    fresh = smooth_dataset(60, classes=4, seed=1)
    assert within_classes(fresh.images, fresh.labels, small).metrics == {}
