"""Scores of pictures of any kind during training: progress, overfitting, copying, and which checkpoint can be best."""

import numpy as np
import pytest
from toys import smooth_dataset, smooth_pictures

from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.pictures.feature_networks import FeatureNetwork
from fashion_gan.metrics.pictures.reference import PictureReference
from fashion_gan.metrics.pictures.validation import PictureValidation


def validation_of(train, held_out=None):
    return PictureValidation(train, held_out)


def copies_of(dataset, count=300):
    return dataset.images[np.arange(count) % len(dataset.images)]


def test_the_scores_are_the_distances_to_held_out_and_to_as_many_training_pictures():
    train, held_out = smooth_dataset(250), smooth_dataset(60, seed=1)
    generated = smooth_pictures(300, seed=2)
    scores = validation_of(train, held_out).score(generated)
    reference = PictureReference(train, held_out, FeatureNetwork.random())
    vectors = reference.vectors(generated, "")
    some = reference.train_vectors[reference.training_sample(60)]
    for name, real in (("frechet_validation", reference.target_vectors), ("frechet_training", some)):
        assert scores.values[name] == pytest.approx(frechet_distance(gaussian(real), gaussian(vectors)), rel=1e-6)
    assert list(scores.values) == ["frechet_validation", "frechet_training", "closer_than_real"]
    assert scores.value == scores.values["frechet_validation"]
    assert 0.3 < scores.values["closer_than_real"] < 0.7
    assert (scores.can_be_best, scores.note) == (True, "")


def test_with_held_out_pictures_a_copying_checkpoint_is_named_and_can_be_the_best():
    train = smooth_dataset(250)
    scores = validation_of(train, smooth_dataset(60, seed=1)).score(copies_of(train))
    assert scores.values["closer_than_real"] == 1
    assert scores.can_be_best  # Its distance to the held-out pictures counts.
    assert scores.note == "copies training pictures: 100% lie closer to one than other real pictures do"


def test_without_held_out_pictures_a_copying_checkpoint_is_not_the_best():
    train = smooth_dataset(120)
    validation = validation_of(train)
    fresh, mixed, copied = (
        validation.score(images)
        for images in (
            smooth_pictures(300, seed=1),
            np.concatenate([smooth_pictures(90, seed=1), copies_of(train, 210)]),
            copies_of(train),
        )
    )
    assert validation.name == fresh.name == "frechet_training"
    assert "frechet_validation" not in fresh.values
    assert fresh.values["closer_than_real"] < 0.75 < mixed.values["closer_than_real"] < 1
    assert copied.value < mixed.value < fresh.value  # The distance alone would choose the copies.
    assert [scores.can_be_best for scores in (fresh, mixed, copied)] == [True, False, False]
    assert copied.note.startswith("copies training pictures: 100%")


def test_overfitting_is_named():
    train, held_out = smooth_dataset(250), smooth_dataset(60, seed=1)
    held_out.images[:, :8] //= 2  # The held-out pictures are unlike the training pictures.
    validation = validation_of(train, held_out)
    between = np.concatenate([smooth_pictures(200, seed=2), np.tile(held_out.images, (3, 1, 1, 1))])
    assert validation.score(between).note == ""
    scores = validation.score(smooth_pictures(300, seed=3))
    assert scores.note == "overfits: only the distance to training pictures falls"


def test_the_score_does_not_depend_on_earlier_ones():
    train = smooth_dataset(120)
    used = validation_of(train)
    used.score(copies_of(train))
    generated = smooth_pictures(300, seed=1)
    assert used.score(generated).values == validation_of(train).score(generated).values
