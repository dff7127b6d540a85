"""The rule that holds out a part of the user's own pictures, from which no generator learns."""

import numpy as np

from fashion_gan.arrays import Labels, Mask

SHARE = 10  # A tenth is held out.
SMALLEST = 50  # pictures that are held out at least
FEWEST = 200  # Of fewer pictures, none is held out.
LARGEST = 5_000  # pictures that are held out at most


def held_out_pictures(labels: Labels) -> Mask | None:
    """Choose the pictures to hold out, the same for every run: a tenth of each class, at least 50 in all.

    Args:
        labels: the class of each picture, int32 (N,); all 0 if there are no classes.

    Returns:
        A mask (N,), True for a held-out picture. None if there are fewer than 200 pictures: then all are needed for
        training, and the figures say so.

    Example:
        >>> int(held_out_pictures(np.zeros(1000, np.int32)).sum())
        100
    """
    count = len(labels)
    if count < FEWEST:
        return None
    wanted = min(max(count // SHARE, SMALLEST), LARGEST)
    # The shuffled pictures of each class are spread evenly from 0 to 1. The lowest positions take of each class alike.
    random = np.random.default_rng(0)
    positions = np.empty(count)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        positions[members] = (np.arange(len(members)) + 0.5) / len(members)
    mask = np.zeros(count, bool)
    mask[np.argsort(positions, kind="stable")[:wanted]] = True
    return mask
