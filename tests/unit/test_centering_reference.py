"""The page about centering has a NumPy reference. The layers compute the same images."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

import fashion_gan
from fashion_gan.networks.centering import EMPTY_LEVEL, center_images

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "centering.md"


@pytest.fixture(scope="module")
def reference():
    """The function ``center`` of the page: an image (H, W, C) -> the centered image."""
    (program,) = re.findall(r"^```python\n(.+?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names = {}
    exec(compile(program, str(PAGE), "exec"), names)
    return names["center"]


def center(images):
    """Apply the layers to uint8 images (N, H, W, C)."""
    inputs = keras.Input(images.shape[1:])
    outputs = keras.Model(inputs, center_images(inputs, "toy"))(images / np.float32(127.5) - 1)
    return np.rint((keras.ops.convert_to_numpy(outputs) + 1) * 127.5).astype(np.uint8)


def assert_reference_equals_layers(reference, images):
    np.testing.assert_array_equal(np.stack([reference(image) for image in images]), center(images))


@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 12, 1), (12, 9, 3)])
def test_reference_equals_the_layers_on_random_images(reference, shape):
    random = np.random.default_rng(0)
    images = np.zeros((300, *shape), np.uint8)
    for image in images:
        # Single pixels, some of them faint, and few enough that whole rows and columns are empty.
        for _ in range(random.integers(0, 12)):
            place = tuple(random.integers(0, size) for size in shape)
            image[place] = random.choice([1, EMPTY_LEVEL, EMPTY_LEVEL + 1, 128, 255])
    assert_reference_equals_layers(reference, images)


def test_reference_equals_the_layers_on_drawn_clothes(reference):
    random = np.random.default_rng(0)
    drawn = fashion_gan.Generator.from_pretrained("fashion").generate(40, seed=0)
    moved = np.stack([np.roll(image, random.integers(-6, 7, 2), axis=(0, 1)) for image in drawn])
    faint = random.integers(0, EMPTY_LEVEL + 1, drawn.shape) * (random.random(drawn.shape) < 0.05)
    images = np.maximum(moved, faint.astype(np.uint8))
    # One of them is so high and wide that it has no margins to make equal.
    assert (center(images) != images).any(axis=(1, 2, 3)).sum() >= 35
    assert_reference_equals_layers(reference, images)


def test_reference_equals_the_layers_on_a_black_image(reference):
    assert_reference_equals_layers(reference, np.zeros((1, 28, 28, 1), np.uint8))
