"""Checks of chapter 2, the environment."""

import time
from typing import Any

import numpy as np

from fashion_gan.course.checks.core import array, call, exercise, require
from fashion_gan.generator import Generator


@exercise(
    "these are the sixteen boots of seed 7.",
    'generator.generate takes the number of pictures, then labels="Ankle boot" and seed=7.',
)
def boots(images: object) -> None:
    """16 ankle boots of seed 7."""
    pixels = array(images, (None, 28, 28, 1), "boots")
    require(len(pixels) == 16, f"boots has {len(pixels)} pictures, not 16")
    generator = Generator.from_pretrained("fashion")
    if not np.array_equal(pixels, generator.generate(16, labels="Ankle boot", seed=7)):
        same_class = np.array_equal(pixels, generator.generate(16, labels="Ankle boot"))
        require(not same_class, "these are the boots of seed 0, the default")
        mixed = np.array_equal(pixels, generator.generate(16, seed=7))
        require(not mixed, "these are pictures of all classes", "Name the class: labels=…")
        require(False, "these are other pictures than the boots of seed 7")


class _SlowGenerator:
    """A generator that takes a tenth of a second for each call."""

    seconds = 0.1

    def __init__(self) -> None:
        self.counts: list[object] = []
        self.elapsed = 0.0

    def generate(self, count: int, *others: object, **settings: object) -> Any:
        self.counts.append(count)
        start = time.perf_counter()
        time.sleep(self.seconds)
        self.elapsed = time.perf_counter() - start  # On a busy computer, longer than the pause.
        return np.zeros((count, 28, 28, 1), np.uint8)


@exercise(
    "the function returns pictures a second.",
    "Take time.perf_counter() before and after generator.generate(count), then divide count by the difference.",
)
def speed(function: object) -> None:
    """A function (generator, count) -> pictures a second."""
    generator, count = _SlowGenerator(), 50
    result = call(function, generator, count)
    value = float(array(result, (), "the result"))
    require(generator.counts, "the function does not call generate of the generator that it is given")
    require(generator.counts == [count], f"the function draws {generator.counts} pictures, not [{count}] once")
    right = count / generator.elapsed
    turned_over = value > 0 and right / 2 < 1 / value < 1.1 * right
    require(not turned_over, "the result is seconds for a picture", "Turn the fraction over.")
    exact = right / 2 < value < 1.1 * right
    require(exact, f"a generator of {right:.0f} pictures a second gets {value:,.3g}")


@exercise(
    "the same seed gives the same weights, and another seed other weights.",
    "Call keras.utils.set_random_seed(seed) before the layers are made.",
)
def same_start(build: object) -> None:
    """A function: seed -> a model with Dense(3) for inputs of length 4."""
    first, again, other = (_weights(call(build, seed)) for seed in (0, 0, 1))
    require(np.array_equal(first, again), "two models of seed 0 have different weights")
    require(not np.array_equal(first, other), "the models of seed 0 and of seed 1 have equal weights", "Use the seed.")


def _weights(model: Any) -> np.ndarray[Any, np.dtype[Any]]:
    require(hasattr(model, "get_weights"), f"build returns {type(model).__name__}, not a Keras model")
    weights = model.get_weights()
    require(len(weights) == 2, f"the model has {len(weights)} arrays of weights, not 2: a kernel and a bias")
    return array(weights[0], (4, 3), "the kernel of Dense")
