"""Augmentation: none at first, gradients through it, black and grey where they belong, no more than is needed."""

import numpy as np
import pytest
from keras import ops
from test_gan import toy_batch, toy_config

from fashion_gan.augment import Augmentation
from fashion_gan.errors import InputError
from fashion_gan.training import build_gan


def changed(images, probability, seed=0):
    augmentation = Augmentation(seed)
    augmentation.probability.assign(probability)
    return ops.convert_to_numpy(augmentation(images))


def noise(count=400, size=16, channels=1):
    return np.random.default_rng(0).uniform(-0.9, 0.9, (count, size, size, channels)).astype("float32")


def test_nothing_is_changed_until_the_probability_rises():
    images = noise()
    np.testing.assert_allclose(changed(images, 0.0), images, atol=1e-6)


@pytest.mark.parametrize("probability", [0.3, 1.0])
def test_the_probability_is_the_share_of_images_that_are_cut(probability):
    images = noise()
    grey = (changed(images, probability) == 0).mean(axis=(1, 2, 3))
    assert (grey > 0).mean() == pytest.approx(probability, abs=0.07)
    assert grey.max() <= 0.25 + 1e-6  # half of the size, squared


@pytest.mark.parametrize("channels", [1, 3])
def test_shifts_are_by_up_to_an_eighth_with_black_coming_in_and_half_are_mirrored(monkeypatch, channels):
    monkeypatch.setattr(Augmentation, "_cut", lambda self, images: images)
    images = noise(channels=channels)
    found = changed(images, 1.0)
    seen, mirrored = set(), 0
    for before, after in zip(images, found, strict=True):
        framed = {flip: np.pad(before[:, ::flip], ((2, 2), (2, 2), (0, 0)), constant_values=-1.0) for flip in (1, -1)}
        matches = [
            (2 - top, 2 - left, flip)
            for flip, frame in framed.items()
            for top in range(5)
            for left in range(5)
            if np.allclose(frame[top : top + 16, left : left + 16], after, atol=1e-6)
        ]
        assert len(matches) == 1
        seen.add(matches[0][:2])
        mirrored += matches[0][2] == -1
    assert len(seen) == 25
    assert mirrored / 400 == pytest.approx(0.5, abs=0.1)


def test_gradients_reach_the_pixels_that_are_still_to_be_seen():
    import tensorflow as tf

    images, augmentation = tf.constant(noise(8)), Augmentation(0)
    augmentation.probability.assign(1.0)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = ops.sum(ops.square(augmentation(images)))
    gradient = tape.gradient(total, images).numpy()
    share = (gradient != 0).mean()
    assert 0.4 < share < 1.0


def test_the_probability_follows_how_many_real_images_are_known():
    augmentation = Augmentation(0)
    for _ in range(3):
        augmentation.follow(np.ones((50, 1), "float32"))
    assert float(augmentation.probability.numpy()) == pytest.approx(150 / 100_000)
    half = np.concatenate([np.ones((25, 1)), -np.ones((25, 1))]).astype("float32")
    for _ in range(9):
        augmentation.follow(half)
    assert float(augmentation.probability.numpy()) == 0


def test_an_augmented_game_trains_both_networks_and_keeps_its_probability_in_the_state():
    gan = build_gan(toy_config(augment=True))
    gan.augmentation.probability.assign(0.5)
    before = [np.copy(ops.convert_to_numpy(v)) for v in gan.trainable_variables]
    gan.train_on_batch(toy_batch())
    after = [ops.convert_to_numpy(v) for v in gan.trainable_variables]
    assert not any(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    other = build_gan(toy_config(augment=True))
    other.load_state(gan.state())
    assert float(other.augmentation.probability.numpy()) == float(gan.augmentation.probability.numpy()) > 0


def test_losses_whose_logits_have_no_zero_are_refused():
    with pytest.raises(InputError, match="augment=True cannot tell overfitting"):
        toy_config(augment=True, loss="relativistic")
