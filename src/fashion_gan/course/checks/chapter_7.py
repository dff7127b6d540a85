"""Checks of chapter 7, generating and beyond."""

import numpy as np

from fashion_gan.arrays import Array
from fashion_gan.course.checks.core import array, call, exercise, number, require
from fashion_gan.latents import mix


@exercise(
    "the walk stays on the sphere, and its steps are equal.",
    "First the angle, by np.arccos of its cosine. Then the formula: it has share in both sines.",
)
def slerp(function: object) -> None:
    """A function: (first, second, share) -> the vector on the arc between them."""
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 100)).astype(np.float32)
    second *= np.linalg.norm(first) / np.linalg.norm(second)

    def walked(share: float) -> Array:
        return array(call(function, first.copy(), second.copy(), share), (100,))

    ends = "1 - share belongs to first, share to second. The whole sum is divided by sin(a)."
    require(np.allclose(walked(0.0), first, atol=1e-3), "share 0 does not give the first vector", ends)
    require(np.allclose(walked(1.0), second, atol=1e-3), "share 1 does not give the second vector", ends)
    length, right = np.linalg.norm(walked(0.5)), np.linalg.norm(first)
    straight = np.allclose(walked(0.5), (first + second) / 2, atol=1e-3)
    angle = "Is the angle right? It is np.arccos of the dot product divided by both lengths."
    require(not straight, f"the middle lies on the straight line, its length is {length:.1f}, not {right:.1f}", angle)
    require(abs(length - right) < 0.01, f"the length of the middle is {length:.1f}, not {right:.1f}", angle)
    quarter = np.allclose(walked(0.25), mix(first, second, 0.25), atol=1e-3)
    require(quarter, "share 0.25 does not lie at a quarter of the arc", "Use share in both sines: 1 - share and share.")


@exercise(
    "each picture finds its original.",
    "For one picture, add the squared differences of all pixels, as float32. Then find the place of the smallest sum.",
)
def nearest(function: object) -> None:
    """A function: (images, training), both uint8 -> the number of the nearest training image for each image."""
    random = np.random.default_rng(0)
    training = random.integers(0, 256, (40, 28, 28, 1), dtype=np.uint8)
    right, far, farthest = random.permutation(40)[:18].reshape(3, 6)
    noise = random.integers(-10, 11, (6, 28, 28, 1))
    images = np.clip(training[right] + noise, 0, 255).astype(np.uint8)
    training[far] = images + np.uint8(128)  # As bytes, the squares of these differences are 0.
    training[farthest] = np.where(images < 128, 255, 0)
    found = array(call(function, images.copy(), training.copy()))
    require(
        found.shape == (6,), f"6 pictures give a result of the shape {found.shape}, not (6,)", "One number a picture."
    )
    require(
        found.dtype.kind in "iu", f"the numbers are {found.dtype}, not whole", "argmin gives the place of the minimum."
    )
    if not np.array_equal(found, right):
        differences = training[:, np.newaxis] - images  # They wrap around.
        wrapped = np.array_equal(found, (differences**2).sum(axis=(2, 3, 4)).argmin(axis=0))
        hint = "uint8 wraps around: use .astype(np.float32) before you subtract." if wrapped else None
        if np.array_equal(found, farthest):
            hint = "These are the least similar pictures. Look for the smallest sum."
        require(False, f"{int((found != right).sum())} of 6 pictures get a wrong number", hint)


@exercise(
    "both losses of the least-squares GAN.",
    "Each miss is (logit - target) ** 2. D has the targets 1 and 0, G has the target 1. Take the mean of each kind.",
)
def least_squares(function: object) -> None:
    """A function: logits (real, fake) -> the losses of D and of G."""
    from keras import ops

    real, fake = np.array([[1.5], [-1.0], [3.0]], np.float32), np.array([[0.5], [-2.0], [1.0]], np.float32)
    losses = call(function, ops.convert_to_tensor(real), ops.convert_to_tensor(fake))
    is_pair = isinstance(losses, (tuple, list)) and len(losses) == 2
    require(is_pair, "the function does not return two losses", "End with: return loss_of_d, loss_of_g.")
    d_loss, g_loss = (number(loss, name) for loss, name in zip(losses, ("D's loss", "G's loss"), strict=True))
    right_d, right_g = _squares(real, 1) + _squares(fake, 0), _squares(fake, 1)
    swapped = np.allclose((d_loss, g_loss), (right_g, right_d), atol=1e-4)
    require(not swapped, "the losses are swapped", "Return D's loss first.")
    hints = {
        right_d / 2: "There is no factor of one half here.",
        right_d * len(real): "Take the means over the batch, not the sums.",
        _squares(_sigmoid(real), 1) + _squares(_sigmoid(fake), 0): "Use the logits themselves, without a sigmoid.",
        _squares(real, 0) + _squares(fake, 1): "Real pictures have the target 1, and generated ones 0.",
    }
    hint = next((hint for wrong, hint in hints.items() if abs(d_loss - wrong) < 1e-4), None)
    require(abs(d_loss - right_d) < 1e-4, f"D's loss is {d_loss:.4g}, not {right_d:.4g}", hint)
    require(abs(g_loss - right_g) < 1e-4, f"G's loss is {g_loss:.4g}, not {right_g:.4g}", "G wants the logits to be 1.")


def _squares(logits: Array, target: float) -> float:
    return float(((logits - target) ** 2).mean())


def _sigmoid(logits: Array) -> Array:
    return 1 / (1 + np.exp(-logits))
