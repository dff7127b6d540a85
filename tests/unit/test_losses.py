"""Each loss against numbers computed by hand."""

import math

import numpy as np
import pytest
from keras import ops

from fashion_gan import config
from fashion_gan.training.losses import LOSSES, class_margin_loss, classification_loss, gradient_penalty

REAL = np.array([[2.0], [-1.0]], "float32")
FAKE = np.array([[0.5], [-3.0]], "float32")


def softplus(x):
    return math.log1p(math.exp(x))


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        (
            "bce",
            (softplus(-2) + softplus(1)) / 2 + (softplus(0.5) + softplus(-3)) / 2,
            (softplus(-0.5) + softplus(3)) / 2,
        ),
        (
            "minimax",
            (softplus(-2) + softplus(1)) / 2 + (softplus(0.5) + softplus(-3)) / 2,
            -(softplus(0.5) + softplus(-3)) / 2,
        ),
        (
            "leaky-minimax",
            (softplus(-2) + softplus(1)) / 2 + (softplus(0.5) + softplus(-3)) / 2 + 0.1 * (-1.25 - 0.5),
            -(softplus(0.5) + softplus(-3)) / 2 + 0.1 * 1.25,
        ),
        ("hinge", (0 + 2) / 2 + (1.5 + 0) / 2, 1.25),
        ("wasserstein", -1.25 - 0.5, 1.25),
        ("relativistic", (softplus(-1.5) + softplus(-2)) / 2, (softplus(1.5) + softplus(2)) / 2),
    ],
)
def test_a_loss_equals_the_number_computed_by_hand(name, discriminator, generator):
    assert float(LOSSES[name].discriminator(REAL, FAKE)) == pytest.approx(discriminator, abs=1e-6)
    assert float(LOSSES[name].generator(REAL, FAKE)) == pytest.approx(generator, abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_stays_finite_on_huge_logits(name):
    for real, fake in ((1e4, -1e4), (-1e4, 1e4)):
        logits = ops.full((3, 1), real), ops.full((3, 1), fake)
        assert np.isfinite(float(LOSSES[name].discriminator(*logits)))
        assert np.isfinite(float(LOSSES[name].generator(*logits)))


@pytest.mark.parametrize("name", LOSSES)
def test_the_discriminator_prefers_separated_logits_and_the_generator_swapped_ones(name):
    separated, swapped = (REAL + 3, FAKE - 3), (FAKE - 3, REAL + 3)
    assert float(LOSSES[name].discriminator(*separated)) < float(LOSSES[name].discriminator(*swapped))
    assert float(LOSSES[name].generator(*swapped)) < float(LOSSES[name].generator(*separated))


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_zero_sum_if_the_generator_gains_what_the_discriminator_loses(name):
    loss, step = LOSSES[name], 0.25
    discriminator_change, generator_change = (
        float(side(REAL, FAKE + step)) - float(side(REAL, FAKE)) for side in (loss.discriminator, loss.generator)
    )
    assert loss.zero_sum == (generator_change == pytest.approx(-discriminator_change, rel=1e-5))


def test_the_penalty_approximates_the_squared_gradient_of_a_linear_discriminator():
    random = np.random.default_rng(0)
    slope, images, sigma = random.normal(size=(5, 1)), random.normal(size=(200_000, 5)), 0.05
    nearby = images + sigma * random.normal(size=images.shape)
    penalty = float(gradient_penalty(images @ slope, nearby @ slope, sigma))
    assert penalty == pytest.approx(float((slope**2).sum()), rel=0.02)


def test_the_classification_loss_is_the_mean_negative_log_probability_of_the_labels():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]], "float32"))
    expected = (math.log(2) + math.log(10)) / 2
    assert float(classification_loss(np.array([0, 2]), logits)) == pytest.approx(expected, abs=1e-6)


def test_the_class_margin_loss_is_zero_from_a_margin_of_one_on():
    logits = np.array([[3.0, 1.0, -2.0], [0.5, 0.2, 0.1], [-1.0, 4.0, 0.0]], "float32")
    expected = [0.0, 1 + 0.2 - 0.5, 1 + 4.0 - 0.0]  # Margins of 2, 0.3 and -4.
    for row, (label, loss) in enumerate(zip((0, 0, 2), expected, strict=True)):
        result = float(class_margin_loss(np.array([label], "int32"), logits[row : row + 1]))
        assert result == pytest.approx(loss, abs=1e-6)
    mean = float(class_margin_loss(np.array([0, 0, 2], "int32"), logits))
    assert mean == pytest.approx(sum(expected) / 3, abs=1e-6)


def test_the_configuration_and_the_module_name_the_same_losses():
    assert tuple(LOSSES) == config.LOSSES
