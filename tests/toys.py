"""Toy settings, configurations and batches. Training with them takes a second for 100 steps and uses every part."""

import dataclasses

import numpy as np

from fashion_gan.config import Config

# Without the learning rate's decay, the first steps of a long run are the steps of a short one.
TOY = {"image_size": 16, "base_channels": 4, "latent_dim": 8, "batch_size": 8, "decay_fraction": 0.0}
TOY_FLAGS = [f"--{name.replace('_', '-')}={value}" for name, value in TOY.items()]
TRAIN_FLAGS = ["train", "--preset", "fashion", *TOY_FLAGS]
TOY_CLASSES = ("left", "right")


def toy_config(architecture="residual", conditional=True, **settings) -> Config:
    """Return the toys' configuration, without a penalty unless the settings name one."""
    defaults = {"r1_weight": 0.0, "penalty_every_steps": 1, "conditional": conditional}
    defaults["class_names"] = TOY_CLASSES if conditional else ()
    return Config.from_preset("fashion", architecture=architecture, **{**TOY, **defaults, **settings})


def toy_batch(count=8, size=16, seed=0) -> dict[str, np.ndarray]:
    """Return a batch of noise images, uint8 (count, size, size, 1), and their labels, 0 and 1 in turn."""
    images = np.random.default_rng(seed).integers(0, 256, (count, size, size, 1), np.uint8)
    return {"images": images, "labels": np.arange(count, dtype=np.int32) % 2}


def score_fewer_images(patch) -> None:
    """Let protocols that score 10,000 images score 1,000, and trainings hold out 500 images instead of 5,000.

    Args:
        patch: pytest's ``MonkeyPatch``.
    """
    from fashion_gan.metrics import validation
    from fashion_gan.metrics.protocols import PROTOCOLS
    from fashion_gan.metrics.reference import Reference

    cached = Reference.cached

    def cached_except_baselines(self, entry, compute):
        # The names of cached real baselines do not contain the number of images.
        return compute() if entry.startswith("floor-") else cached(self, entry, compute)

    patch.setattr(Reference, "cached", cached_except_baselines)
    for name, protocol in PROTOCOLS.items():
        if protocol.count == 10_000:
            patch.setitem(PROTOCOLS, name, dataclasses.replace(protocol, count=1000))
    patch.setattr(validation, "COUNT", 500)


def smooth_pictures(count=60, height=16, width=16, channels=3, seed=0) -> np.ndarray:
    """Return random smooth pictures with a little noise, uint8 (count, height, width, channels).

    Two sets of them with different seeds are samples of one distribution, as generated and real pictures should be.
    """
    from fashion_gan.rendering.resize import resize_matrix

    random = np.random.default_rng(seed)
    corners = random.integers(0, 256, (count, 3, 3, channels))
    pixels = np.einsum("yh,nhwc,xw->nyxc", resize_matrix(3, height), corners, resize_matrix(3, width), optimize=True)
    return np.clip(pixels + random.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)


def smooth_dataset(count=60, classes=0, **settings):
    """Return ``smooth_pictures`` as a data set. With classes, they take turns, and each has its own brightness."""
    from fashion_gan.datasets import Dataset

    labels = np.arange(count, dtype=np.int32) % max(classes, 1)
    images = smooth_pictures(count, **settings)
    if classes:
        images = (images * np.linspace(0.5, 1, classes)[labels][:, None, None, None]).astype(np.uint8)
    return Dataset(images, labels, tuple(f"class {label}" for label in range(classes)), f"{count} smooth pictures")
