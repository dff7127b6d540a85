"""Trains classifiers on real and synthetic images in four regimes, and tests them on real images.

The accuracy of a classifier trained only on synthetic images is the classification accuracy score of Ravuri & Vinyals
2019 (arXiv:1905.10887). Most users ask a different question: does a classifier that is trained on a few real images
become better if synthetic images are added to them?
"""

from collections.abc import Callable, Sequence

import numpy as np

from fashion_gan.arrays import Floats, Images
from fashion_gan.datasets import Dataset
from fashion_gan.metrics.measures import load_classifiers

REAL, CLASSICAL, BOTH, SYNTHETIC = "real", "real_flipped_shifted", "real_and_synthetic", "synthetic"
REGIMES = {
    REAL: "real only",
    CLASSICAL: "real, flipped and shifted",
    BOTH: "real and synthetic",
    SYNTHETIC: "synthetic only",
}
BASE_CHANNELS = 16  # half as many as GAN-train's classifier has, because dozens are trained while a user waits
MAX_SHIFT = 2  # pixels


def accuracies_by_class(
    train: Dataset, test: Dataset, draw: Callable[[int], Dataset], sizes: Sequence[int], seeds: int, steps: int
) -> dict[int, dict[str, Floats]]:
    """Train and test a classifier for each seed, each number of real images and each regime.

    The seed determines the real images (a smaller set is part of a larger one), the synthetic images, the initial
    weights and the order of the images. Within a seed, the regimes therefore differ only in their training images. Each
    training takes the same number of steps, with 64 images in each step.

    Args:
        train: the real training images are drawn from these.
        test: the test images, some of every class.
        draw: a function from a seed to synthetic images, some of every class.
        sizes: numbers of real training images per class, at most as many as ``train`` has.
        seeds: the number of seeds. The seeds are 0, 1, …
        steps: the number of steps of each training.

    Returns:
        For each size and each regime, the accuracy on the test images of each class: (seeds, classes). Training on
        synthetic images only does not depend on the size, so its accuracies are the same for every size.
    """
    accuracies: dict[int, dict[str, list[Floats]]] = {size: {regime: [] for regime in REGIMES} for size in sizes}
    trainer = _Trainer(test, steps)
    for seed in range(seeds):
        text = f"seed {seed + 1} of {seeds}"
        synthetic = draw(seed)
        synthetic_only = trainer.accuracies(synthetic, seed, f"{text}: {REGIMES[SYNTHETIC]}")
        for size in sizes:
            real = sample_per_class(train, size, seed)
            for regime in (REAL, CLASSICAL, BOTH):
                training = combine(real, synthetic) if regime == BOTH else real
                augment = flip_and_shift if regime == CLASSICAL else None
                description = f"{text}, {size:,} real images per class: {REGIMES[regime]}"
                accuracies[size][regime].append(trainer.accuracies(training, seed, description, augment))
            accuracies[size][SYNTHETIC].append(synthetic_only)
    return {size: {name: np.stack(rows) for name, rows in regimes.items()} for size, regimes in accuracies.items()}


class _Trainer:
    """Trains one classifier again and again, and measures its accuracy on the same test images."""

    def __init__(self, test: Dataset, steps: int) -> None:
        self.test = test
        self.classifier = load_classifiers().Classifier(
            test.images.shape[1:], len(test.class_names), BASE_CHANNELS, steps
        )

    def accuracies(
        self,
        train: Dataset,
        seed: int,
        description: str,
        augment: Callable[[Images, np.random.Generator], Images] | None = None,
    ) -> Floats:
        """The accuracy on the test images of each class, after a new training: (classes,)."""
        self.classifier.train(train.images, train.labels, seed, description, augment)
        correct = self.classifier.predict_classes(self.test.images) == self.test.labels
        labels = range(len(self.test.class_names))
        return np.array([correct[self.test.labels == label].mean() for label in labels])


def sample_per_class(dataset: Dataset, count: int, seed: int) -> Dataset:
    """Draw ``count`` images of each class at random. With the same seed, a smaller sample is part of a larger one."""
    random = np.random.default_rng(seed)
    labels = range(len(dataset.class_names))
    indices = np.concatenate([random.permutation(np.flatnonzero(dataset.labels == label))[:count] for label in labels])
    return Dataset(dataset.images[indices], dataset.labels[indices], dataset.class_names, dataset.source)


def combine(real: Dataset, synthetic: Dataset) -> Dataset:
    """Join two data sets of the same classes. Training sees each image of both equally often."""
    images = np.concatenate([real.images, synthetic.images])
    labels = np.concatenate([real.labels, synthetic.labels])
    return Dataset(images, labels, real.class_names, real.source)


def flip_and_shift(images: Images, random: np.random.Generator) -> Images:
    """Mirror each image with probability one half, and shift it by up to two pixels horizontally and vertically.

    The border is filled with black. In images with a channel of opacity it is transparent.

    Args:
        images: uint8 (N, H, W, C).
        random: the random generator that decides the changes.

    Returns:
        The changed images, of the same shape.
    """
    count, height, width = images.shape[:3]
    flipped = random.integers(0, 2, (count, 1, 1, 1)).astype(bool)
    images = np.where(flipped, images[:, :, ::-1], images)
    margin = (MAX_SHIFT, MAX_SHIFT)
    padded = np.pad(images, ((0, 0), margin, margin, (0, 0)))
    top, left = random.integers(0, 2 * MAX_SHIFT + 1, (2, count, 1, 1))
    rows, columns = top + np.arange(height)[:, np.newaxis], left + np.arange(width)
    return padded[np.arange(count)[:, np.newaxis, np.newaxis], rows, columns]
