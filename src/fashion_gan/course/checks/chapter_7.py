"""Checks of chapter 7, generating and beyond."""

import numpy as np

from fashion_gan.arrays import Array
from fashion_gan.course.checks.core import array, call, exercise, require
from fashion_gan.latents import mix


@exercise(
    "the walk stays on the sphere, and its steps are equal.",
    "The angle is np.arccos(first @ second / (np.linalg.norm(first) * np.linalg.norm(second))).",
)
def slerp(function: object) -> None:
    """A function: (first, second, share) -> the vector on the arc between them."""
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 100)).astype(np.float32)
    second *= np.linalg.norm(first) / np.linalg.norm(second)

    def walked(share: float) -> Array:
        return array(call(function, first.copy(), second.copy(), share), (100,))

    require(np.allclose(walked(0.0), first, atol=1e-3), "share 0 does not give the first vector")
    require(np.allclose(walked(1.0), second, atol=1e-3), "share 1 does not give the second vector")
    length, right = np.linalg.norm(walked(0.5)), np.linalg.norm(first)
    straight = np.allclose(walked(0.5), (first + second) / 2, atol=1e-3)
    require(not straight, f"the middle lies on the straight line, its length is {length:.1f}, not {right:.1f}")
    require(abs(length - right) < 0.01, f"the length of the middle is {length:.1f}, not {right:.1f}")
    quarter = np.allclose(walked(0.25), mix(first, second, 0.25), atol=1e-3)
    require(quarter, "share 0.25 does not lie at a quarter of the arc", "Use share in both sines: 1 - share and share.")


@exercise(
    "each picture finds its original.",
    "For one picture: ((training - picture) ** 2).sum(axis=(1, 2, 3)).argmin(), with both as float32.",
)
def nearest(function: object) -> None:
    """A function: (images, training), both uint8 -> the number of the nearest training image for each image."""
    random = np.random.default_rng(0)
    training = random.integers(0, 256, (40, 28, 28, 1), dtype=np.uint8)
    right, far = random.permutation(40)[:12].reshape(2, 6)
    noise = random.integers(-10, 11, (6, 28, 28, 1))
    images = np.clip(training[right] + noise, 0, 255).astype(np.uint8)
    training[far] = images + np.uint8(128)  # As bytes, the squares of these differences are 0.
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
        require(False, f"{int((found != right).sum())} of 6 pictures get a wrong number", hint)


@exercise(
    "both losses of the least-squares GAN.",
    "D's loss is mean((real - 1) ** 2) plus the mean of the squares of fake. G's loss is mean((fake - 1) ** 2).",
)
def least_squares(function: object) -> None:
    """A function: logits (real, fake) -> the losses of D and of G."""
    from keras import ops

    real, fake = np.array([[1.5], [-1.0], [3.0]], np.float32), np.array([[0.5], [-2.0], [1.0]], np.float32)
    losses = call(function, ops.convert_to_tensor(real), ops.convert_to_tensor(fake))
    is_pair = isinstance(losses, (tuple, list)) and len(losses) == 2
    require(is_pair, "the function does not return two losses", "End with: return loss_of_d, loss_of_g.")
    d_loss, g_loss = (_number(loss, name) for loss, name in zip(losses, ("D's loss", "G's loss"), strict=True))
    right_d, right_g = float(((real - 1) ** 2).mean() + (fake**2).mean()), float(((fake - 1) ** 2).mean())
    swapped = np.allclose((d_loss, g_loss), (right_g, right_d), atol=1e-4)
    require(not swapped, "the losses are swapped", "Return D's loss first.")
    require(abs(d_loss - right_d) < 1e-4, f"D's loss is {d_loss:.4g}, not {right_d:.4g}")
    require(abs(g_loss - right_g) < 1e-4, f"G's loss is {g_loss:.4g}, not {right_g:.4g}", "G wants the logits to be 1.")


def _number(loss: object, name: str) -> float:
    numbers = array(loss, name=name)
    require(numbers.ndim == 0, f"{name} has the shape {numbers.shape}, not one number", "Take the mean over the batch.")
    return float(numbers)
