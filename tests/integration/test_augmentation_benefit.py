"""Training in four regimes, on images of bars under noise. Bars without noise are the best training images."""

import random

import numpy as np
import pytest
from bars import TEST, TRAIN, bars, replace_classifier

from fashion_gan.datasets import CLASS_NAMES, Dataset
from fashion_gan.metrics.augmentation_benefit import (
    BOTH,
    REAL,
    SYNTHETIC,
    accuracies_by_class,
    flip_and_shift,
    sample_per_class,
)
from fashion_gan.metrics.measures import load_classifiers


def shuffled(dataset, seed):
    labels = np.random.default_rng(seed).permutation(dataset.labels)
    return Dataset(dataset.images, labels, dataset.class_names, dataset.source)


@pytest.fixture
def classifier(monkeypatch):
    return replace_classifier(monkeypatch)


def measure(draw, sizes=(1, 3), seeds=3, steps=7):
    return accuracies_by_class(TRAIN, TEST, draw, sizes, seeds, steps)


def test_synthetic_images_with_correct_labels_help_and_with_wrong_labels_harm(classifier):
    correct = measure(lambda seed: bars(5, seed, noise=0))
    wrong = measure(lambda seed: shuffled(bars(5, seed, noise=0), seed))
    for size in (1, 3):
        assert (correct[size][BOTH].mean(axis=1) > correct[size][REAL].mean(axis=1) + 0.2).all()
        assert (wrong[size][BOTH].mean(axis=1) < wrong[size][REAL].mean(axis=1)).all()
        assert correct[size][SYNTHETIC].mean() > 0.9
        assert np.array_equal(correct[size][REAL], wrong[size][REAL])


def test_all_regimes_share_the_real_images_and_the_number_of_steps(classifier):
    drawn = [bars(2, seed=10 + seed) for seed in range(3)]
    measure(lambda seed: drawn[seed])
    assert len(classifier.trainings) == 3 * (3 * 2 + 1)  # Training on synthetic images only happens once per seed.
    assert classifier.steps == {7}
    for seed, synthetic in enumerate(drawn):
        trainings = [training for training in classifier.trainings if training[2] == seed]
        synthetic_only, *others = [images for images, *_ in trainings]
        assert np.array_equal(synthetic_only, synthetic.images)
        for size, (real, classical, both) in zip((1, 3), (others[:3], others[3:]), strict=True):
            assert len(real) == 10 * size
            assert np.array_equal(classical, real)
            assert np.array_equal(both, np.concatenate([real, synthetic.images]))
        augmentations = [augment for *_, augment in trainings]
        assert augmentations == [None, *2 * (None, flip_and_shift, None)]


def test_seeds_draw_different_real_images(classifier):
    measure(lambda seed: bars(1, seed), sizes=(1,))
    trainings = classifier.trainings[1:]
    first, second = (next(images for images, _, seed, _ in trainings if seed == number) for number in (0, 1))
    assert not np.array_equal(first, second)


def test_a_sample_has_equally_many_images_of_each_class_and_contains_smaller_samples():
    few, many = (sample_per_class(TRAIN, count, seed=4) for count in (2, 5))
    assert np.bincount(many.labels).tolist() == [5] * 10
    labels = {image.tobytes(): label for image, label in zip(many.images, many.labels, strict=True)}
    assert all(labels[image.tobytes()] == label for image, label in zip(few.images, few.labels, strict=True))


def test_flip_and_shift_mirrors_and_moves_by_at_most_two_pixels():
    image = np.zeros((1, 28, 28, 1), np.uint8)
    image[0, 10, 5] = 200
    changed = flip_and_shift(image.repeat(2000, axis=0), np.random.default_rng(0))
    assert changed.shape == (2000, 28, 28, 1)
    assert changed.dtype == np.uint8
    positions = np.argwhere(changed[..., 0] == 200)
    assert len(positions) == 2000
    mirrored = 27 - 5
    expected = {(10 + dy, column + dx) for dy in range(-2, 3) for dx in range(-2, 3) for column in (5, mirrored)}
    assert {(int(row), int(column)) for _, row, column in positions} == expected


def test_flip_and_shift_fills_the_border_with_black():
    changed = flip_and_shift(np.full((50, 28, 28, 1), 255, np.uint8), np.random.default_rng(0))
    assert set(np.unique(changed)) == {0, 255}
    assert (changed[:, 2:-2, 2:-2] == 255).all()


def test_flip_and_shift_fills_the_border_of_images_with_opacity_with_transparent_black():
    changed = flip_and_shift(np.full((50, 16, 16, 4), 255, np.uint8), np.random.default_rng(0))
    assert {tuple(pixel) for pixel in changed.reshape(-1, 4).tolist()} == {(0, 0, 0, 0), (255, 255, 255, 255)}


def test_a_classifier_learns_from_augmented_batches_and_keeps_nothing_of_earlier_trainings():
    train, test = (bars(count, count, noise=10, brightness=150) for count in (4, 20))
    lowered = Dataset(np.roll(train.images, 3, axis=1), train.labels, CLASS_NAMES, "bars")
    classifier = load_classifiers().Classifier((28, 28, 1), 10, base_channels=16, steps=40)

    def trained():
        classifier.train(lowered.images, lowered.labels, 0, "", lambda images, random: np.roll(images, -3, axis=1))
        return classifier.model.get_weights(), classifier.predict_classes(test.images)

    weights, predictions = trained()
    assert (predictions == test.labels).mean() > 0.7
    classifier.train(test.images, test.labels[::-1].copy(), 1, "")
    assert (classifier.predict_classes(test.images) == test.labels).mean() < 0.3
    for before, after in zip(weights, trained()[0], strict=True):
        np.testing.assert_allclose(after, before, atol=1e-3)  # Threads add in any order.


def test_training_leaves_the_random_state_of_the_process_unchanged():
    images = bars(7, seed=0)
    classifiers = load_classifiers()
    random.seed(5)
    np.random.seed(5)
    states = random.getstate(), np.random.get_state()[1].tolist()
    classifiers.train_classifier(images.images, images.labels, seed=1, description="")
    classifiers.Classifier((28, 28, 1), 10, base_channels=2, steps=1).train(images.images, images.labels, 1, "")
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states
