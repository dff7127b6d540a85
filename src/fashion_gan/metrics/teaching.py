"""A few real images, and generated ones -> classifiers taught in four ways, tried on real test images.

What a classifier learns from generated images alone is the classification accuracy score of Ravuri & Vinyals 2019
(arXiv:1905.10887); whether it learns more from real images with generated ones beside them is what users ask.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.datasets import Dataset
from fashion_gan.metrics.measures import load_fresh_networks

Images = npt.NDArray[np.uint8]
Shares = npt.NDArray[np.float64]

REAL, CLASSICAL, BOTH, SYNTHETIC = "real", "real_flipped_shifted", "real_and_synthetic", "synthetic"
WAYS = {
    REAL: "real only",
    CLASSICAL: "real, flipped and shifted",
    BOTH: "real and synthetic",
    SYNTHETIC: "synthetic only",
}
WIDTH = 16  # half of the classifier's of GAN-train: dozens are trained, and a user waits
MOST_SHIFT = 2  # pixels


def shares_right(
    train: Dataset, test: Dataset, draw: Callable[[int], Dataset], sizes: Sequence[int], seeds: int, steps: int
) -> dict[int, dict[str, Shares]]:
    """Teach a classifier in every way, with every number of real images, for every seed, and try it.

    A seed settles the real images (the fewer are among the more), the synthetic ones, the first weights and the order,
    so that within a seed the ways differ in nothing but what they teach. Each trains for as many steps of 64 images.

    Args:
        train: where real images are taken from.
        test: the images to be tried on, some of every class.
        draw: a seed -> synthetic images, some of every class.
        sizes: numbers of real images per class, none above what ``train`` has.
        seeds: how many; from 0 on.
        steps: of each training.

    Returns:
        By size and way: the share of the test images of each class that the classifier tells right, (seeds, classes).
        What synthetic images alone teach does not depend on the size: it is the same in each.
    """
    found: dict[int, dict[str, list[Shares]]] = {size: {way: [] for way in WAYS} for size in sizes}
    pupil = load_fresh_networks().Pupil(len(test.class_names), WIDTH, steps)
    for seed in range(seeds):
        about = f"seed {seed + 1} of {seeds}"
        synthetic = draw(seed)
        by_synthetic = _taught(pupil, synthetic, test, seed, f"{about}: {WAYS[SYNTHETIC]}")
        for size in sizes:
            real = of_each_class(train, size, seed)
            about_size = f"{about}, {size:,} real a class"
            for way in (REAL, CLASSICAL, BOTH):
                taught_by = together(real, synthetic) if way == BOTH else real
                vary = flipped_and_shifted if way == CLASSICAL else None
                found[size][way].append(_taught(pupil, taught_by, test, seed, f"{about_size}: {WAYS[way]}", vary))
            found[size][SYNTHETIC].append(by_synthetic)
    return {size: {way: np.stack(shares) for way, shares in ways.items()} for size, ways in found.items()}


def of_each_class(dataset: Dataset, count: int, seed: int) -> Dataset:
    """``count`` images of each class at random; those of a smaller count are among those of a larger one."""
    random = np.random.default_rng(seed)
    classes = range(len(dataset.class_names))
    chosen = np.concatenate([random.permutation(np.flatnonzero(dataset.labels == label))[:count] for label in classes])
    return Dataset(dataset.images[chosen], dataset.labels[chosen], dataset.class_names, dataset.source)


def together(real: Dataset, synthetic: Dataset) -> Dataset:
    """One data set of both, each image of which is seen as often as any other."""
    images, labels = ([getattr(one, name) for one in (real, synthetic)] for name in ("images", "labels"))
    return Dataset(np.concatenate(images), np.concatenate(labels), real.class_names, real.source)


def flipped_and_shifted(images: Images, random: np.random.Generator) -> Images:
    """Each image mirrored or not, and moved by up to two pixels in both directions; black comes in from outside.

    Args:
        images: uint8 (N, H, W, C).
        random: what the changes are drawn from.

    Returns:
        As many, of the same shape.
    """
    count, height, width = images.shape[:3]
    flipped = random.integers(0, 2, (count, 1, 1, 1)).astype(bool)
    images = np.where(flipped, images[:, :, ::-1], images)
    margin = (MOST_SHIFT, MOST_SHIFT)
    framed = np.pad(images, ((0, 0), margin, margin, (0, 0)))
    top, left = random.integers(0, 2 * MOST_SHIFT + 1, (2, count, 1, 1))
    rows, columns = top + np.arange(height)[:, np.newaxis], left + np.arange(width)
    return framed[np.arange(count)[:, np.newaxis, np.newaxis], rows, columns]


def _taught(pupil: Any, taught_by: Dataset, test: Dataset, seed: int, description: str, vary: Any = None) -> Shares:
    """The share of the test images of each class that a pupil taught by some images tells right: (classes,)."""
    pupil.learn(taught_by.images, taught_by.labels, seed, description, vary)
    right = pupil.predicted(test.images) == test.labels
    return np.array([right[test.labels == label].mean() for label in range(len(test.class_names))])
