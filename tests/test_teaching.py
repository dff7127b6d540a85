"""Four ways to teach, on a world of bars under noise whose prototypes are the best teachers."""

import types

import numpy as np
import pytest

from fashion_gan.datasets import CLASS_NAMES, Dataset
from fashion_gan.metrics import teaching
from fashion_gan.metrics.measures import load_fresh_networks
from fashion_gan.metrics.teaching import BOTH, REAL, SYNTHETIC, flipped_and_shifted, of_each_class


def bars(per_class, seed, noise=60, brightness=20):
    """A class is the height of a faint bar in grey noise, which nearly hides it."""
    random = np.random.default_rng(seed)
    labels = np.tile(np.arange(10, dtype=np.int32), per_class)
    images = 60 + random.integers(-noise, noise + 1, (len(labels), 28, 28, 1))
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label] += brightness
    return Dataset(images.astype(np.uint8), labels, CLASS_NAMES, "bars")


def shuffled(dataset, seed):
    labels = np.random.default_rng(seed).permutation(dataset.labels)
    return Dataset(dataset.images, labels, dataset.class_names, dataset.source)


class NearestImages:
    """In the place of the network: the class of the nearest image that was taught; keeps what it was taught."""

    def __init__(self):
        self.lessons, self.steps = [], set()

    def pupil(self, classes, width, steps):
        self.steps.add(steps)
        return self

    def learn(self, images, labels, seed, description, vary):
        self.lessons.append((images, labels, seed, vary))
        self.taught, self.labels = images.reshape(len(images), -1).astype(float), labels

    def predicted(self, images):
        tried = images.reshape(len(images), -1).astype(float)
        distances = (self.taught**2).sum(axis=1) - 2 * tried @ self.taught.T
        return self.labels[distances.argmin(axis=1)]


def stand_in(monkeypatch):
    teacher = NearestImages()
    monkeypatch.setattr(teaching, "load_fresh_networks", lambda: types.SimpleNamespace(Pupil=teacher.pupil))
    return teacher


@pytest.fixture
def teacher(monkeypatch):
    return stand_in(monkeypatch)


TRAIN, TEST = bars(30, seed=1), bars(20, seed=2)


def shares(draw, sizes=(1, 3), seeds=3, steps=7):
    return teaching.shares_right(TRAIN, TEST, draw, sizes, seeds, steps)


def test_synthetic_images_of_the_right_classes_teach_more_and_of_wrong_ones_less(teacher):
    right = shares(lambda seed: bars(5, seed, noise=0))
    wrong = shares(lambda seed: shuffled(bars(5, seed, noise=0), seed))
    for size in (1, 3):
        assert (right[size][BOTH].mean(axis=1) > right[size][REAL].mean(axis=1) + 0.2).all()
        assert (wrong[size][BOTH].mean(axis=1) < wrong[size][REAL].mean(axis=1)).all()
        assert right[size][SYNTHETIC].mean() > 0.9
        assert np.array_equal(right[size][REAL], wrong[size][REAL])


def test_every_way_learns_from_the_same_real_images_for_as_many_steps(teacher):
    drawn = [bars(2, seed=10 + seed) for seed in range(3)]
    shares(lambda seed: drawn[seed])
    assert len(teacher.lessons) == 3 * (3 * 2 + 1)  # What synthetic images alone teach is learnt once a seed.
    assert teacher.steps == {7}
    for seed, synthetic in enumerate(drawn):
        of_seed = [lesson for lesson in teacher.lessons if lesson[2] == seed]
        alone, *others = [images for images, *_ in of_seed]
        assert np.array_equal(alone, synthetic.images)
        for size, (real, classical, both) in zip((1, 3), (others[:3], others[3:]), strict=True):
            assert len(real) == 10 * size
            assert np.array_equal(classical, real)
            assert np.array_equal(both, np.concatenate([real, synthetic.images]))
        varied = [vary for *_, vary in of_seed]
        assert varied == [None, *2 * (None, flipped_and_shifted, None)]


def test_seeds_draw_other_real_images(teacher):
    shares(lambda seed: bars(1, seed), sizes=(1,))
    first, second = (next(one[0] for one in teacher.lessons[1:] if one[2] == seed) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_fewer_real_images_are_among_more_and_as_many_of_each_class():
    few, many = (of_each_class(TRAIN, count, seed=4) for count in (2, 5))
    assert np.bincount(many.labels).tolist() == [5] * 10
    known = {image.tobytes(): label for image, label in zip(many.images, many.labels, strict=True)}
    assert all(known[image.tobytes()] == label for image, label in zip(few.images, few.labels, strict=True))


def test_classical_augmentation_mirrors_and_moves_by_up_to_two_pixels_and_no_more():
    image = np.zeros((1, 28, 28, 1), np.uint8)
    image[0, 10, 5] = 200
    changed = flipped_and_shifted(image.repeat(2000, axis=0), np.random.default_rng(0))
    assert changed.shape == (2000, 28, 28, 1)
    assert changed.dtype == np.uint8
    places = np.argwhere(changed[..., 0] == 200)
    assert len(places) == 2000
    found = {(int(row), int(column)) for _, row, column in places}
    mirrored = 27 - 5
    expected = {(10 + dy, column + dx) for dy in range(-2, 3) for dx in range(-2, 3) for column in (5, mirrored)}
    assert found == expected


def test_black_comes_in_from_outside():
    changed = flipped_and_shifted(np.full((50, 28, 28, 1), 255, np.uint8), np.random.default_rng(0))
    assert set(np.unique(changed)) == {0, 255}
    assert (changed[:, 2:-2, 2:-2] == 255).all()


def test_a_pupil_learns_what_changed_batches_show_and_forgets_it_whole():
    train, test = (bars(count, count, noise=10, brightness=150) for count in (4, 20))
    lowered = Dataset(np.roll(train.images, 3, axis=1), train.labels, CLASS_NAMES, "bars")
    pupil = load_fresh_networks().Pupil(10, width=16, steps=40)

    def taught():
        pupil.learn(lowered.images, lowered.labels, 0, "", lambda images, random: np.roll(images, -3, axis=1))
        return pupil.model.get_weights(), pupil.predicted(test.images)

    weights, found = taught()
    assert (found == test.labels).mean() > 0.7
    pupil.learn(test.images, test.labels[::-1].copy(), 1, "")
    assert (pupil.predicted(test.images) == test.labels).mean() < 0.3
    for before, after in zip(weights, taught()[0], strict=True):
        np.testing.assert_allclose(after, before, atol=1e-3)  # Threads add in any order.
