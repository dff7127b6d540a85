"""Exact numbers of images of each class, and the filters, with networks whose output is computed by hand."""

import numpy as np
import pytest

from fashion_gan.api.labeled_images import DRAWN_TOGETHER, Filters, LabeledImages, draw_labeled
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.metrics.features import Features


def painter(inputs):
    """A network whose images of 2 × 2 pixels show the first three latents, and the class in the last pixel."""
    images = np.tanh(inputs[0][:, :4]).reshape(-1, 2, 2, 1)
    images[:, 1, 1, 0] = inputs[1] / 10
    return images


def one_image_per_class(inputs):
    return np.tile((inputs[1] / 10).reshape(-1, 1, 1, 1), (1, 28, 28, 1))


THREE = Generator(painter, latent_dim=5, class_names=("a", "b", "c"))
IDENTICAL = Generator(one_image_per_class, latent_dim=5, class_names=CLASS_NAMES)


def counts(drawn: LabeledImages) -> list[int]:
    return np.bincount(drawn.labels).tolist()


def test_without_filters_the_images_equal_those_of_generate():
    drawn = draw_labeled(THREE, DRAWN_TOGETHER, seed=4, truncation=0.7)
    assert np.array_equal(drawn.images, THREE.generate(3 * DRAWN_TOGETHER, seed=4, truncation=0.7))
    assert np.array_equal(drawn.labels, THREE.labels(3 * DRAWN_TOGETHER))


def test_every_class_has_the_exact_number_of_images_after_filtering():
    drawn = draw_labeled(THREE, 50, filters=Filters(least_difference=8.0))
    assert counts(drawn) == [50, 50, 50]
    assert sum(tally.duplicates for tally in drawn.tallies) > 0
    for tally in drawn.tallies:
        assert tally.kept == 50
        assert tally.drawn == tally.kept + tally.unsure + tally.duplicates


def test_an_image_keeps_the_label_that_it_was_drawn_with():
    drawn = draw_labeled(THREE, 50, filters=Filters(least_difference=8.0))
    shown = np.rint((drawn.images[:, 1, 1, 0] / 127.5 - 1) * 10)
    assert shown.tolist() == drawn.labels.tolist()


def test_kept_images_of_a_class_differ_by_at_least_the_filter_s_difference():
    drawn = draw_labeled(THREE, 40, filters=Filters(least_difference=12.0))
    for label in range(3):
        vectors = drawn.images[drawn.labels == label].reshape(40, 4).astype(float)
        distances = np.sqrt(((vectors[:, None] - vectors) ** 2).mean(axis=2))
        assert distances[~np.eye(40, dtype=bool)].min() >= 12.0


def test_an_image_is_compared_only_with_images_kept_before_it():
    everything = draw_labeled(THREE, 40)
    filtered = draw_labeled(THREE, 40, filters=Filters(least_difference=12.0))
    candidates = everything.images[everything.labels == 0].reshape(40, 4).astype(float)
    kept: list[np.ndarray] = []
    for image in candidates:
        if all(((image - earlier) ** 2).mean() >= 144 for earlier in kept):
            kept.append(image)
    images = filtered.images[filtered.labels == 0].reshape(-1, 4)
    assert 1 < len(kept) < 40
    assert np.array_equal(images[: len(kept)], kept)


def test_images_that_the_classifier_is_unsure_of_are_not_kept_and_counted(monkeypatch):
    """This classifier gives the right class 0.9 if the first pixel is bright, and 0.1 otherwise."""

    def extract(images, description=""):
        right = np.rint((images[:, 1, 1, 0] / 127.5 - 1) * 10).astype(int)
        sure = np.where(images[:, 0, 0, 0] > 127, 0.9, 0.1)
        probabilities = np.repeat((1 - sure[:, np.newaxis]) / 9, 10, axis=1)
        probabilities[np.arange(len(images)), right] = sure
        return Features(np.zeros((len(images), 1)), np.log(probabilities))

    def large(inputs):
        return np.tile(painter(inputs), (1, 14, 14, 1))

    monkeypatch.setattr("fashion_gan.metrics.features.extract", extract)
    generator = Generator(large, latent_dim=5, class_names=CLASS_NAMES)
    drawn = draw_labeled(generator, 30, filters=Filters(min_confidence=0.5))
    assert counts(drawn) == [30] * 10
    assert (drawn.images[:, 0, 0, 0] > 127).all()
    for tally in drawn.tallies:
        assert 0 < tally.unsure == tally.drawn - 30


def test_another_classifier_may_decide_which_images_are_kept():
    """It knows the classes in the last pixel of THREE, and is sure of images with a bright first pixel."""

    def probabilities(images):
        shown = np.rint((images[:, 1, 1, 0] / 127.5 - 1) * 10).astype(int)
        table = np.full((len(images), 3), 0.2)
        table[np.arange(len(images)), shown] = np.where(images[:, 0, 0, 0] > 127, 0.6, 0.1)
        return table

    drawn = draw_labeled(THREE, 30, filters=Filters(min_confidence=0.6), probabilities=probabilities)
    assert counts(drawn) == [30] * 3
    assert (drawn.images[:, 0, 0, 0] > 127).all()
    assert all(0 < tally.unsure == tally.drawn - 30 for tally in drawn.tallies)


def test_a_classifier_is_asked_only_if_a_confidence_is_required():
    drawn = draw_labeled(THREE, 3, probabilities=lambda images: pytest.fail("it was asked"))
    assert counts(drawn) == [3] * 3


def test_drawing_ends_with_an_error_if_hardly_an_image_passes_the_filter():
    with pytest.raises(InputError, match=r"1,000 images of each class .* least_difference=10: 10 of .* passed"):
        draw_labeled(IDENTICAL, 1000, filters=Filters(least_difference=10.0))


def test_drawing_few_images_ends_too_if_hardly_one_passes():
    with pytest.raises(InputError, match="fewer than one in fifty"):
        draw_labeled(IDENTICAL, 2, filters=Filters(least_difference=255.0))


@pytest.mark.parametrize(
    ("generator", "settings", "words"),
    [
        (Generator(lambda z: z.reshape(-1, 1, 5, 1), 5), {}, "need a model with classes"),
        (THREE, {"per_class": 0}, "per_class=0 is out of range"),
        (THREE, {"per_class": 10**9}, "per_class=1000000000 is out of range"),
        (THREE, {"seed": -1}, "seed=-1 is out of range"),
        (THREE, {"truncation": 0.0}, "truncation=0.0 is out of range"),
        (THREE, {"filters": Filters(min_confidence=0.5)}, "needs 28×28 gray images of Fashion-MNIST's classes"),
    ],
)
def test_a_request_that_cannot_be_met_is_an_error(generator, settings, words):
    with pytest.raises(InputError, match=words):
        draw_labeled(generator, **{"per_class": 2, **settings})


@pytest.mark.parametrize(
    "settings",
    [
        {"min_confidence": -0.1},
        {"min_confidence": 1.1},
        {"min_confidence": float("nan")},
        {"least_difference": 0.0},
        {"least_difference": 256.0},
    ],
)
def test_filters_out_of_range_are_errors(settings):
    with pytest.raises(InputError, match="out of range"):
        Filters(**settings)
