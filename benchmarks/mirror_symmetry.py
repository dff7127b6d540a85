"""How often the test of mirror symmetry is right: letters, icons and clothes, as they are and mirrored at random.

    python benchmarks/picture_sets.py sets
    python benchmarks/mirror_symmetry.py sets

It prints p for all pictures of each kind, and how many of several small sets are found to be asymmetric.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np

from fashion_gan.datasets import Dataset, load_training_images
from fashion_gan.metrics.pictures.symmetry import Symmetry, mirror_symmetry

SMALL_SETS = (("letters", 100), ("clothes", 100), ("icons", 100), ("icons", 200))
SETS = 20  # of pictures as they are
MIRRORED_SETS = 100
COUNT = 100  # pictures in a set that was mirrored at random


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, help="the folder that picture_sets.py wrote")
    folder = parser.parse_args().sets
    kinds = {
        "letters": load_training_images(folder / "letters", 64, 1),
        "icons": load_training_images(folder / "emoji", 64, 4),
        "clothes": load_training_images(None, 28, 1),
    }
    for name, dataset in kinds.items():
        for kind, pictures in ((name, dataset), (f"{name}, mirrored at random", mirrored_at_random(dataset, 0))):
            start = time.perf_counter()
            p = symmetry(pictures).p_value
            print(f"| {kind} | {len(dataset.images):,} | {p:.3f} | {time.perf_counter() - start:.1f} |", flush=True)
    for name, count in SMALL_SETS:
        found = [is_asymmetric(sample(kinds[name], count, seed)) for seed in range(SETS)]
        print(f"| {name} | {count} | {np.mean(found):.0%} |", flush=True)
    for name in ("letters", "icons"):
        sets = (mirrored_at_random(sample(kinds[name], COUNT, seed), seed) for seed in range(MIRRORED_SETS))
        print(f"| {name}, mirrored at random | {COUNT} | {sum(map(is_asymmetric, sets))} of {MIRRORED_SETS} sets |")


def symmetry(dataset: Dataset) -> Symmetry:
    return mirror_symmetry(dataset.images, dataset.labels)


def is_asymmetric(dataset: Dataset) -> bool:
    return not symmetry(dataset).is_symmetric


def sample(dataset: Dataset, count: int, seed: int) -> Dataset:
    chosen = np.random.default_rng(seed).permutation(len(dataset.images))[:count]
    return dataclasses.replace(dataset, images=dataset.images[chosen], labels=dataset.labels[chosen])


def mirrored_at_random(dataset: Dataset, seed: int) -> Dataset:
    """The data set, each picture mirrored with probability 0.5, so that it is symmetric."""
    chosen = np.random.default_rng(seed).random(len(dataset.images)) < 0.5
    images = np.where(chosen[:, None, None, None], dataset.images[:, :, ::-1], dataset.images)
    return dataclasses.replace(dataset, images=images)


if __name__ == "__main__":
    main()
