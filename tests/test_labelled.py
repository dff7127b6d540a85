"""Exact quotas of each class, and what the filters refuse, with networks worked out by hand."""

import numpy as np
import pytest

from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.labelled import PIECE, Filters, LabelledImages, draw_labelled
from fashion_gan.metrics.features import Features


def painter(inputs):
    """A 'network' whose image of 2 × 2 pixels is the first four latents, and whose last pixel tells the class."""
    images = np.tanh(inputs[0][:, :4]).reshape(-1, 2, 2, 1)
    images[:, 1, 1, 0] = inputs[1] / 10
    return images


def one_image_a_class(inputs):
    return np.tile((inputs[1] / 10).reshape(-1, 1, 1, 1), (1, 28, 28, 1))


THREE = Generator(painter, latent_dim=5, class_names=("a", "b", "c"))
ALWAYS_ALIKE = Generator(one_image_a_class, latent_dim=5, class_names=CLASS_NAMES)


def counts(drawn: LabelledImages) -> list[int]:
    return np.bincount(drawn.labels).tolist()


def test_without_filters_the_images_are_those_that_generate_gives_for_the_seed():
    drawn = draw_labelled(THREE, PIECE, seed=4, truncation=0.7)
    assert np.array_equal(drawn.images, THREE.generate(3 * PIECE, seed=4, truncation=0.7))
    assert np.array_equal(drawn.labels, THREE.labels(3 * PIECE))


def test_every_class_gets_its_quota_exactly_whatever_the_filter_refuses():
    drawn = draw_labelled(THREE, 50, filters=Filters(least_difference=8.0))
    assert counts(drawn) == [50, 50, 50]
    assert sum(tally.duplicates for tally in drawn.tallies) > 0
    for tally in drawn.tallies:
        assert tally.kept == 50
        assert tally.drawn == tally.kept + tally.unsure + tally.duplicates


def test_an_image_keeps_the_label_that_it_was_asked_for():
    drawn = draw_labelled(THREE, 50, filters=Filters(least_difference=8.0))
    shown = np.rint((drawn.images[:, 1, 1, 0] / 127.5 - 1) * 10)
    assert shown.tolist() == drawn.labels.tolist()


def test_kept_images_of_a_class_are_as_far_apart_as_was_asked():
    drawn = draw_labelled(THREE, 40, filters=Filters(least_difference=12.0))
    for label in range(3):
        vectors = drawn.images[drawn.labels == label].reshape(40, 4).astype(float)
        distances = np.sqrt(((vectors[:, None] - vectors) ** 2).mean(axis=2))
        assert distances[~np.eye(40, dtype=bool)].min() >= 12.0


def test_an_image_is_refused_only_for_one_that_was_kept_before_it():
    everything = draw_labelled(THREE, 40)
    filtered = draw_labelled(THREE, 40, filters=Filters(least_difference=12.0))
    candidates = everything.images[everything.labels == 0].reshape(40, 4).astype(float)
    kept: list[np.ndarray] = []
    for one in candidates:
        if all(((one - other) ** 2).mean() >= 144 for other in kept):
            kept.append(one)
    found = filtered.images[filtered.labels == 0].reshape(-1, 4)
    assert 1 < len(kept) < 40
    assert np.array_equal(found[: len(kept)], kept)


def test_the_classifier_s_doubts_are_refused_and_counted(monkeypatch):
    """The 'classifier' gives the class asked for 0.9 where the first pixel is bright, and else 0.1."""

    def doubting(images, description=""):
        right = np.rint((images[:, 1, 1, 0] / 127.5 - 1) * 10).astype(int)
        sure = np.where(images[:, 0, 0, 0] > 127, 0.9, 0.1)
        probabilities = np.repeat((1 - sure[:, np.newaxis]) / 9, 10, axis=1)
        probabilities[np.arange(len(images)), right] = sure
        return Features(np.zeros((len(images), 1)), np.log(probabilities))

    def large(inputs):
        return np.tile(painter(inputs), (1, 14, 14, 1))

    monkeypatch.setattr("fashion_gan.metrics.features.extract", doubting)
    generator = Generator(large, latent_dim=5, class_names=CLASS_NAMES)
    drawn = draw_labelled(generator, 30, filters=Filters(min_confidence=0.5))
    assert counts(drawn) == [30] * 10
    assert (drawn.images[:, 0, 0, 0] > 127).all()
    for tally in drawn.tallies:
        assert 0 < tally.unsure == tally.drawn - 30


def test_a_filter_that_hardly_an_image_passes_ends_and_says_how_many_did():
    with pytest.raises(InputError, match=r"1,000 of each class .* least_difference=10: 10 of .* passed"):
        draw_labelled(ALWAYS_ALIKE, 1000, filters=Filters(least_difference=10.0))


def test_few_images_of_which_few_pass_end_too():
    with pytest.raises(InputError, match="fewer than one in fifty"):
        draw_labelled(ALWAYS_ALIKE, 2, filters=Filters(least_difference=255.0))


@pytest.mark.parametrize(
    ("generator", "settings", "words"),
    [
        (Generator(lambda z: z.reshape(-1, 1, 5, 1), 5), {}, "need a model with classes"),
        (THREE, {"per_class": 0}, "per_class=0 is out of range"),
        (THREE, {"per_class": 10**9}, "per_class=1000000000 is out of range"),
        (THREE, {"seed": -1}, "seed=-1 is out of range"),
        (THREE, {"truncation": 0.0}, "truncation=0.0 is out of range"),
        (THREE, {"filters": Filters(min_confidence=0.5)}, "needs 28×28 grey images of Fashion-MNIST's classes"),
    ],
)
def test_what_cannot_be_drawn_is_refused(generator, settings, words):
    with pytest.raises(InputError, match=words):
        draw_labelled(generator, **{"per_class": 2, **settings})


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
def test_filters_out_of_range_are_refused(settings):
    with pytest.raises(InputError, match="out of range"):
        Filters(**settings)
