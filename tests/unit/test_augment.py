"""Augmentation: its probability, its changes to the pixels, and its gradients."""

import numpy as np
import pytest
from keras import ops
from toys import toy_config

from fashion_gan.errors import InputError
from fashion_gan.training.augment import Augmentation


def augment(images, probability, seed=0):
    augmentation = Augmentation(seed)
    augmentation.probability.assign(probability)
    return ops.convert_to_numpy(augmentation(images))


def noise(count=400, size=16, channels=1):
    return np.random.default_rng(0).uniform(-0.9, 0.9, (count, size, size, channels)).astype("float32")


def test_images_are_unchanged_at_probability_zero():
    images = noise()
    np.testing.assert_allclose(augment(images, 0.0), images, atol=1e-6)


@pytest.mark.parametrize("probability", [0.3, 1.0])
def test_the_probability_is_the_fraction_of_images_with_a_cutout(probability):
    images = noise()
    gray = (augment(images, probability) == 0).mean(axis=(1, 2, 3))
    assert (gray > 0).mean() == pytest.approx(probability, abs=0.07)
    assert gray.max() <= 0.25 + 1e-6  # A square of half the image's size.


@pytest.mark.parametrize("channels", [1, 3])
def test_shifts_are_up_to_an_eighth_with_black_margins_and_half_of_the_images_are_mirrored(monkeypatch, channels):
    monkeypatch.setattr(Augmentation, "_cut", lambda self, images: images)
    images = noise(channels=channels)
    shifts, mirrored = set(), 0
    for before, after in zip(images, augment(images, 1.0), strict=True):
        framed = {flip: np.pad(before[:, ::flip], ((2, 2), (2, 2), (0, 0)), constant_values=-1.0) for flip in (1, -1)}
        matches = [
            (2 - top, 2 - left, flip)
            for flip, frame in framed.items()
            for top in range(5)
            for left in range(5)
            if np.allclose(frame[top : top + 16, left : left + 16], after, atol=1e-6)
        ]
        assert len(matches) == 1
        shifts.add(matches[0][:2])
        mirrored += matches[0][2] == -1
    assert len(shifts) == 25
    assert mirrored / 400 == pytest.approx(0.5, abs=0.1)


def test_gradients_reach_the_pixels_that_stay_visible():
    import tensorflow as tf

    images, augmentation = tf.constant(noise(8)), Augmentation(0)
    augmentation.probability.assign(1.0)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = ops.sum(ops.square(augmentation(images)))
    gradient = tape.gradient(total, images).numpy()
    assert 0.4 < (gradient != 0).mean() < 1.0


def test_the_probability_rises_if_the_discriminator_recognizes_real_images_and_falls_otherwise():
    augmentation = Augmentation(0)
    for _ in range(3):
        augmentation.update_probability(np.ones((50, 1), "float32"))
    assert float(augmentation.probability.numpy()) == pytest.approx(150 / 100_000)
    half = np.concatenate([np.ones((25, 1)), -np.ones((25, 1))]).astype("float32")
    for _ in range(9):
        augmentation.update_probability(half)
    assert float(augmentation.probability.numpy()) == 0


def test_losses_whose_logits_have_no_zero_are_refused():
    with pytest.raises(InputError, match="augment=True cannot measure overfitting"):
        toy_config(augment=True, loss="relativistic")
