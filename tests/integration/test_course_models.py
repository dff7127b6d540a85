"""The checks of the course's networks: right ones pass, and each usual mistake gives one line that names it."""

import pytest
from keras import Input, Sequential, layers

from fashion_gan.course import check


def discriminator(filters=(32, 64, 128), between=None, end=None, strides=2, rate=0.3):
    """A model of a learner. The defaults are right."""
    hidden = []
    for count in filters:
        hidden += [layers.Conv2D(count, 4, strides=strides, padding="same"), (between or layers.LeakyReLU)()]
        hidden += [layers.Dropout(rate)] if rate else []
    return Sequential([Input((28, 28, 1)), *hidden, *(end or [layers.Flatten(), layers.Dense(1)])])


def generator(base=7, filters=(8, 1), enlarge=None, norm=None, between=None, end="tanh"):
    """A model of a learner. The defaults are right."""
    middle = []
    for number, count in enumerate(filters):
        middle += [(norm or layers.BatchNormalization)(), (between or layers.LeakyReLU)()]
        last = number == len(filters) - 1
        make = enlarge or (lambda count: layers.Conv2DTranspose(count, 4, strides=2, padding="same"))
        middle += [make(count), *([layers.Activation(end)] if last else [])]
    return Sequential([Input((100,)), layers.Dense(base * base * 8), layers.Reshape((base, base, 8)), *middle])


def only_repeats():
    start = [Input((100,)), layers.Dense(49), layers.BatchNormalization(), layers.LeakyReLU()]
    return Sequential([*start, layers.Reshape((7, 7, 1)), layers.UpSampling2D(4), layers.Activation("tanh")])


def in_blocks():
    """A right discriminator whose convolutions are models of their own, with the activation as an argument."""
    settings = {"strides": 2, "padding": "same", "activation": layers.LeakyReLU(0.2)}
    blocks = [Sequential([layers.Conv2D(count, 4, **settings), layers.Dropout(0.3)]) for count in (32, 64, 128)]
    return Sequential([Input((28, 28, 1)), *blocks, layers.Flatten(), layers.Dense(1)])


def returns_a_list():
    return [layers.Dense(1)]


def returns_nothing():
    pass


def has_a_wrong_size():
    return Sequential([Input((100,)), layers.Dense(10), layers.Reshape((7, 7, 8))])


def flat(*last):
    return [layers.Flatten(), *last]


DISCRIMINATORS = [
    (lambda: discriminator(end=flat(layers.Dense(1, activation="sigmoid"))), "a probability between 0 and 1"),
    (lambda: discriminator(end=flat(layers.Dense(1), layers.Activation("sigmoid"))), "a probability between 0 and 1"),
    (lambda: discriminator(end=flat(layers.Dense(1, activation="tanh"))), "always lies between -1 and 1"),
    (lambda: discriminator(end=flat(layers.Dense(1, activation="relu"))), "the last layer has the activation relu"),
    (lambda: discriminator(end=flat(layers.Dense(10))), "the shape (N, 10), not (N, 1)"),
    (lambda: discriminator(end=[layers.Dense(1)]), "Put Flatten() before Dense(1)"),
    (lambda: discriminator(filters=(8, 8)), "has 2 convolutions, not 3"),
    (lambda: discriminator(filters=(8, 8, 8)), "[8, 8, 8] filters, not [32, 64, 128]"),
    (
        lambda: discriminator(between=layers.Identity, end=[*3 * [layers.LeakyReLU()], *flat(layers.Dense(1))]),
        "1 of the 3 convolutions are followed by LeakyReLU",
    ),
    (lambda: Sequential([Input((28, 28, 1)), *flat(layers.Dense(1))]), "the model has no convolution"),
    (lambda: discriminator(strides=1), "gives maps of 28×28, not 4×4"),
    (lambda: discriminator(between=layers.ReLU), "ReLU passes no gradient"),
    (lambda: discriminator(between=layers.Identity), "0 of the 3 convolutions are followed by LeakyReLU"),
    (lambda: discriminator(rate=0), "the model has no dropout"),
    (returns_a_list, "of type list, not a Keras model"),
    (returns_nothing, "returns None"),
]

GENERATORS = [
    (lambda: generator(base=14), "the shape (N, 56, 56, 1), not (N, 28, 28, 1)"),
    (lambda: generator(filters=(8, 3)), "the last layer needs one filter"),
    (lambda: Sequential([Input((100,)), layers.Dense(784, activation="tanh")]), "Reshape((7, 7, …))"),
    (lambda: generator(end="linear"), "the last layer has no tanh"),
    (lambda: generator(end="sigmoid"), "no pixel is negative"),
    (
        lambda: generator(enlarge=lambda count: layers.Conv2DTranspose(count, 3, strides=2, padding="same")),
        "a kernel of 3 with a stride of 2 overlaps unevenly",
    ),
    (lambda: generator(norm=layers.Identity), "the model has no batch normalization"),
    (
        lambda: Sequential([Input((100,)), layers.Dense(784, activation="tanh"), layers.Reshape((28, 28, 1))]),
        "no layer enlarges the maps",
    ),
    (lambda: generator(filters=(8, 8), enlarge=lambda count: layers.UpSampling2D()), "the shape (N, 28, 28, 8)"),
    (only_repeats, "only the Dense layer and at most one other layer learn"),
    (lambda: generator(between=layers.Identity), "no function bends between the layers"),
    (has_a_wrong_size, "has_a_wrong_size stops with ValueError"),
]


@pytest.mark.parametrize(
    ("examine", "answer", "problem"),
    [
        *((check.discriminator, answer, problem) for answer, problem in DISCRIMINATORS),
        *((check.generator, answer, problem) for answer, problem in GENERATORS),
    ],
)
def test_a_mistake_in_a_network_is_named(capsys, examine, answer, problem):
    assert not examine(answer)
    printed = capsys.readouterr().out
    assert printed.startswith("Not yet: ")
    assert problem.lower() in printed.lower()
    assert printed.count("\n") == 1


@pytest.mark.parametrize(
    ("examine", "answer"),
    [
        (check.discriminator, discriminator),
        (check.discriminator, discriminator()),
        (check.discriminator, in_blocks),
        (check.generator, generator),
        (check.generator, generator()),
    ],
)
def test_a_right_network_passes_as_a_model_and_as_a_function(examine, answer):
    assert examine(answer)
