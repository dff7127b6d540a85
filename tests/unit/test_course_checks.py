"""The checks of the course's exercises: right answers pass, and each usual mistake gives one line that names it."""

import numpy as np
import pytest

from fashion_gan.course import check
from fashion_gan.course.checks.core import array, call, exercise, require
from fashion_gan.generator import Generator


@exercise("it is even.", "Divide by 2.")
def even(function):
    number = call(function)
    require(number >= 0, f"{number} is negative", "Count up.")
    require(array(number, ()) % 2 == 0, f"{number} is odd")


def blank_in_a_call():
    return max(2, ...)


class BlankInAMethod:
    def __call__(self):
        return ...


def index_with_an_ellipsis():
    return int(np.zeros((2, 2))[..., 0].sum())


def fails():
    raise ValueError("two\nlines")


# ---- What all checks share ----


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (lambda: 4, "Correct: it is even."),
        (lambda: 3, "Not yet: 3 is odd. Hint: Divide by 2."),
        (lambda: -1, "Not yet: -1 is negative. Hint: Count up."),
        (..., "Not yet: a blank (...) is left. Hint: Divide by 2."),
        (blank_in_a_call, "Not yet: a blank (...) is left. Hint: Divide by 2."),
        (BlankInAMethod, "Not yet: a blank (...) is left. Hint: Divide by 2."),
        (index_with_an_ellipsis, "Correct: it is even."),
        (None, "Not yet: the answer is None, not a function. Hint: Divide by 2."),
        (4, "Not yet: the answer is of type int, not a function. Hint: Divide by 2."),
        (fails, "Not yet: fails stops with ValueError: two lines. Hint: Divide by 2."),
        (lambda: None, "Not yet: <lambda> returns None. Hint: Does it end with return?"),
        (lambda: "four", "Not yet: the answer fails the check with TypeError"),
    ],
)
def test_an_answer_gives_one_line_and_a_verdict(capsys, answer, line):
    verdict = even(answer)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert printed.startswith(line)
    assert bool(verdict) == line.startswith("Correct")


def test_a_notebook_does_not_show_the_verdict(capsys):
    verdict = even(lambda: 4)
    capsys.readouterr()
    assert verdict._ipython_display_() is None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (np.zeros((2, 3)), r"the result has the shape \(2, 3\), not \(N, 1\)"),
        ([[0.0], [np.nan]], "the result holds NaN or infinite values"),
        ([["a"], ["b"]], "not an array of numbers"),
        ([[1], [2, 3]], "not an array"),
    ],
)
def test_an_array_of_another_shape_or_without_numbers_is_a_mistake(value, problem):
    with pytest.raises(Exception, match=problem):
        array(value, (None, 1))


# ---- Chapter 1 ----


def covered_per_point(points, centers):
    return sum((np.linalg.norm(centers - point, axis=1) <= 0.36).any() for point in points)


MISTAKES_1 = [
    (check.loss_of_d, lambda real, fake: np.log(real).mean() + np.log(1 - fake).mean(), "the loss is positive"),
    (check.loss_of_d, lambda real, fake: -np.log(1 - real).mean() - np.log(fake).mean(), "Data should get answers"),
    (check.loss_of_d, lambda real, fake: -np.log(real).mean() / 2 - np.log(1 - fake).mean() / 2, "Add the two means"),
    (check.loss_of_d, lambda real, fake: -np.log(real) - np.log(1 - fake), "the shape (2,), not ()"),
    (check.loss_of_d, lambda real, fake: -np.log(real).sum() - np.log(1 - fake).sum(), "2.773, not 1.386"),
    (check.best_answer, lambda p, q, share: p / (p + q), "Use share"),
    (check.best_answer, lambda p, q, share: p * share / q, "ZeroDivisionError"),
    (check.best_answer, lambda p, q, share: (1 - share) * p / (share * q + (1 - share) * p), "share = 0.8"),
    (check.covered_clusters, lambda points, centers: len(points), "Count centers, not points"),
    (check.covered_clusters, covered_per_point, "Count centers, not points"),
    (check.covered_clusters, lambda points, centers: len(centers), "50 points at one center: the result is 8, not 1"),
    (check.covered_clusters, lambda points, centers: None, "Does it end with return?"),
]

# ---- Chapter 2 ----

SHIPPED = Generator.from_pretrained("fashion")


class Weights:
    """A model of a learner: Dense(3) with weights of a seed."""

    def __init__(self, seed, shape=(4, 3)):
        self.weights = [np.random.default_rng(seed).normal(size=shape), np.zeros(shape[1])]

    def get_weights(self):
        return self.weights


def seconds_for_a_picture(generator, count):
    import time

    start = time.perf_counter()
    generator.generate(count)
    return (time.perf_counter() - start) / count


MISTAKES_2 = [
    (check.boots, SHIPPED.generate(15, labels="Ankle boot", seed=7), "has 15 pictures, not 16"),
    (check.boots, SHIPPED.generate(16, labels="Ankle boot"), "the boots of seed 0, the default"),
    (check.boots, SHIPPED.generate(16, seed=7), "pictures of all classes"),
    (check.boots, SHIPPED.generate(16, labels="Bag", seed=7), "other pictures than the boots of seed 7"),
    (check.boots, None, "an array"),
    (check.speed, seconds_for_a_picture, "the result is seconds for a picture"),
    (check.speed, lambda generator, count: 500.0, "does not call generate"),
    (check.speed, lambda generator, count: generator.generate(1) is not None, "draws [1] pictures, not [50] once"),
    (check.speed, lambda generator, count: 9e9 * len(generator.generate(count)), "gets 4.5e+11"),
    (check.speed, lambda generator, count: len(generator.generate(count)), "gets 50"),
    (check.same_start, lambda seed: Weights(None), "two models of seed 0 have different weights"),
    (check.same_start, lambda seed: Weights(0), "the models of seed 0 and of seed 1 have equal weights"),
    (check.same_start, lambda seed: Weights(seed, (4, 2)), "the kernel of Dense has the shape (4, 2), not (4, 3)"),
    (check.same_start, lambda seed: seed, "build returns int, not a Keras model"),
]

# ---- Chapter 3 ----

MISTAKES_3 = [
    (check.to_pixels, lambda images: (images + 1) * 127.5, "the type float32, not uint8"),
    (check.to_pixels, lambda images: ((images + 1) * 127.5).astype(np.uint8), "Round with np.rint"),
    (check.to_pixels, lambda images: np.rint(images * 255).astype(np.int64).astype(np.uint8), "levels change"),
    (check.to_pixels, lambda images: np.rint((images + 1) * 127.5).astype(np.int64).astype(np.uint8), "not [0, 255]"),
    (check.class_counts, lambda labels: np.bincount(labels), "give 9 counts, not 10"),
    (check.class_counts, lambda labels: np.unique(labels, return_counts=True)[1], "give 3 counts, not 10"),
    (check.class_counts, lambda labels: np.arange(10), "give [0, 1, 2"),
    (check.frechet_1d, lambda first, second: (first.mean() - second.mean()) ** 2, "a set and three times the set"),
    (check.frechet_1d, lambda first, second: abs(first.mean() - second.mean()), "plus 3 have the distance 3, not 9"),
    (check.frechet_1d, lambda first, second: (first.std() - second.std()) ** 2, "plus 3 have the distance"),
]

# ---- Chapter 4 ----


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


MISTAKES_4 = [
    (check.accuracy, lambda real, fake: (np.mean(real > 0.5) + np.mean(fake < 0.5)) / 2, "Is 0.5 your limit?"),
    (check.accuracy, lambda real, fake: (np.mean(real > 0) + np.mean(fake > 0)) / 2, "below 0 is the right answer"),
    (check.accuracy, lambda real, fake: 50 * (np.mean(real > 0) + np.mean(fake < 0)), "no percentage"),
    (check.accuracy, lambda real, fake: np.mean(real > 0) + np.mean(fake < 0), "Divide by the number of all pictures"),
    (check.accuracy, lambda real, fake: real > 0, "the shape (5, 1), not ()"),
    (check.accuracy, lambda real, fake: np.mean(real > 0), "The generated pictures count too"),
    (check.accuracy, lambda real, fake: np.mean((real > 0) & (fake < 0)), "are no pair"),
    (check.accuracy, lambda real, fake: np.mean(real > fake), "Compare each with 0"),
    (check.slopes, lambda x: (sigmoid(x) - 1, -sigmoid(x)), "the two slopes are swapped"),
    (check.slopes, lambda x: (sigmoid(x), 1 - sigmoid(x)), "Mind the sign"),
    (check.slopes, lambda x: (-sigmoid(x), -sigmoid(x)), "the non-saturating loss has the slope -4.54e-05"),
    (check.slopes, lambda x: -sigmoid(x), "does not return two arrays"),
]

# ---- Chapter 5 ----


def overlaps_in_the_input(inputs, kernel, stride):
    return np.ones(inputs * stride, int)


def normalized(axis, epsilon=1e-3, root=np.sqrt):
    """A batch norm of a learner. With the axes (0, 1, 2) it is right."""

    def batch_norm(x, gamma, beta):
        mean = x.mean(axis=axis, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return gamma * (x - mean) / root(x.var(axis=axis, keepdims=True) + epsilon) + beta

    return batch_norm


MISTAKES_5 = [
    (check.overlaps, overlaps_in_the_input, "the result has 10 counts, not 11"),
    (check.overlaps, lambda inputs, kernel, stride: np.ones(stride * (inputs - 1) + kernel), "not [1, 1, 2, 1, 2, 1"),
    (check.batch_norm, normalized(axis=0), "each place has its own mean, not each channel"),
    (check.batch_norm, normalized(axis=None), "the channels have the mean"),
    (check.batch_norm, normalized(axis=(0, 1, 2), root=lambda variance: variance), "the channels have the deviation"),
    (check.batch_norm, normalized(axis=(0, 1, 2), epsilon=0), "gives NaN"),
    (check.batch_norm, normalized(axis=(1, 2)), "each picture has its own mean"),
    (check.batch_norm, lambda x, gamma, beta: normalized((0, 1, 2))(x, 1, 0), "gamma and beta have no effect"),
    (check.batch_norm, lambda x, gamma, beta: normalized((0, 1, 2))(x, beta, gamma), "gamma and beta are exchanged"),
    (check.batch_norm, lambda x, gamma, beta: x.mean(axis=(0, 1, 2)), "the shape (3,), not (16, 5, 5, 3)"),
]


# ---- Chapter 6: the mistakes that need TensorFlow are in tests/course/chapter_6.py ----

MISTAKES_6 = [
    (check.missing_classes, lambda counts: counts < 0.01 * counts.sum(), "True or False for each class"),
    (check.missing_classes, lambda counts: np.flatnonzero(counts >= 0.01 * counts.sum()), "the classes that appear"),
    (check.missing_classes, lambda counts: np.flatnonzero(counts == 0), "give [1], not [1, 4]"),
    (check.missing_classes, lambda counts: np.flatnonzero(counts < 0.02 * counts.sum()), "give [1, 4, 9], not [1, 4]"),
    (check.missing_classes, lambda counts: np.flatnonzero(counts < 0.2 * counts.sum()), "not [1, 4]. Hint: Compare"),
    (check.missing_classes, lambda counts: np.flatnonzero(counts < 10), "the counts [10, 20, 5, 5, 5, 1"),
    (check.missing_classes, lambda counts: len(np.flatnonzero(counts < 0.01 * counts.sum())), "give [2], not [1, 4]"),
]

# ---- Chapter 7 ----


def line_between(first, second, share):
    return (1 - share) * first + share * second


def arc_that_ignores_the_share_once(first, second, share):
    angle = np.arccos(first @ second / np.linalg.norm(first) / np.linalg.norm(second))
    back = 1 - share if share in (0, 0.5, 1) else 0.5
    return (np.sin(back * angle) * first + np.sin(share * angle) * second) / np.sin(angle)


def arc_with_the_cosine_as_angle(first, second, share):
    angle = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    return (np.sin((1 - share) * angle) * first + np.sin(share * angle) * second) / np.sin(angle)


def nearest_with_wrapped_bytes(images, training):
    return np.array([((training - image) ** 2).sum(axis=(1, 2, 3)).argmin() for image in images])


def largest_distances(images, training):
    return ((training.astype(float)[:, np.newaxis] - images) ** 2).sum(axis=(2, 3, 4)).argmax(axis=0)


def smallest_distances(images, training):
    differences = training.astype(float)[:, np.newaxis] - images
    return (differences**2).sum(axis=(2, 3, 4)).min(axis=0)


def squares_of_answers(real, fake):
    return squares(sigmoid(np.asarray(real)), 1) + squares(sigmoid(np.asarray(fake)), 0), 0.0


def squares(values, target):
    return ((np.asarray(values) - target) ** 2).mean()


MISTAKES_7 = [
    (check.slerp, line_between, "the middle lies on the straight line"),
    (check.slerp, lambda first, second, share: line_between(second, first, share), "share 0 does not give the first"),
    (check.slerp, lambda first, second, share: first, "share 1 does not give the second"),
    (check.slerp, arc_that_ignores_the_share_once, "share 0.25 does not lie at a quarter"),
    (check.slerp, arc_with_the_cosine_as_angle, "Is the angle right?"),
    (check.slerp, lambda first, second, share: 0.5, "the result has the shape (), not (100,)"),
    (check.nearest, nearest_with_wrapped_bytes, "uint8 wraps around"),
    (check.nearest, largest_distances, "These are the least similar pictures"),
    (check.nearest, smallest_distances, "the numbers are float64, not whole"),
    (check.nearest, lambda images, training: np.arange(6), "of 6 pictures get a wrong number"),
    (check.nearest, lambda images, training: 3, "the shape (), not (6,)"),
    (check.least_squares, lambda real, fake: squares(real, 1) + squares(fake, 0), "does not return two losses"),
    (check.least_squares, lambda real, fake: (squares(fake, 1), squares(real, 1) + squares(fake, 0)), "are swapped"),
    (check.least_squares, lambda real, fake: (squares(real, 1), squares(fake, 1)), "D's loss is 2.75, not"),
    (
        check.least_squares,
        lambda real, fake: (squares(real, 0) + squares(fake, 1), 0.0),
        "Real pictures have the target",
    ),
    (check.least_squares, lambda real, fake: ((squares(real, 1) + squares(fake, 0)) / 2, 0.0), "no factor of one half"),
    (check.least_squares, squares_of_answers, "without a sigmoid"),
    (check.least_squares, lambda real, fake: (squares(real, 1) + squares(fake, 0), squares(fake, 0)), "G's loss is"),
    (check.least_squares, lambda real, fake: (real, fake), "D's loss has the shape (3, 1), not one number"),
]

MISTAKES = MISTAKES_1 + MISTAKES_2 + MISTAKES_3 + MISTAKES_4 + MISTAKES_5 + MISTAKES_6 + MISTAKES_7


@pytest.mark.parametrize(("examine", "answer", "problem"), MISTAKES)
def test_a_usual_mistake_is_named(capsys, examine, answer, problem):
    assert not examine(answer)
    printed = capsys.readouterr().out
    assert printed.startswith("Not yet: ")
    assert problem in printed
    assert printed.count("\n") == 1
