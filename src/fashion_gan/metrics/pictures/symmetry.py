"""Decides whether pictures may be mirrored: whether mirror images of them could belong to the same data set.

Augmentation that mirrors letters teaches the generator to draw mirrored letters. So pictures are compared with their
mirror images. Nothing is trained, and the answer takes seconds.
"""

import dataclasses

import numpy as np

from fashion_gan.arrays import Floats, Images, Labels
from fashion_gan.metrics.pictures.feature_networks import FeatureNetwork, halved, with_opacity

MOST_PICTURES = 1_000  # that are compared
FEWEST_PICTURES = 100  # Fewer pictures can look symmetric by chance.
MAX_SIDE = 64  # pixels. Larger pictures are halved until they fit.
RANDOM_SIGNS = 999
SIGNIFICANCE = 0.01


@dataclasses.dataclass(frozen=True)
class Symmetry:
    """The result of comparing pictures with their mirror images.

    Attributes:
        p_value: the probability of a difference this large if mirroring changed nothing, from 0.001 to 1. None if there
            are too few pictures.
        count: the number of pictures that were compared.
    """

    p_value: float | None
    count: int

    @property
    def is_symmetric(self) -> bool:
        """Whether the pictures may be mirrored: no difference was found, and there were enough pictures to find one."""
        return self.p_value is not None and self.p_value > SIGNIFICANCE

    def __str__(self) -> str:
        if self.p_value is None:
            return f"{self.count} pictures are too few to tell whether they may be mirrored"
        if self.is_symmetric:
            return f"mirror images do not differ from the pictures (p = {self.p_value:.3f})"
        return f"mirror images differ from the pictures (p = {self.p_value:.3f})"


def mirror_symmetry(images: Images, labels: Labels) -> Symmetry:
    """Test whether pictures and their mirror images come from one distribution.

    Each picture gives the difference d between its features and those of its mirror image. If mirroring changes
    nothing, d and -d are equally likely. So the statistic, the sum of d·d' over all pairs of pictures, is compared with
    its values for random signs of every d. That test is exact, whatever the features and the number of pictures.
    Pairs of the same class count twice: classes that are each other's mirror images do not cancel out.

    The features are those of the random network. The mirror stands at the axis of the mean picture, and not always in
    the middle: icons that all lie one pixel beside the middle may be mirrored.

    Args:
        images: uint8 (N, H, W, C), C = 1, 3 or 4. At most 1,000 of them are used.
        labels: the class of each picture (N,); all 0 if there are no classes.

    Returns:
        The result. With fewer than 100 pictures it is open.

    Example:
        >>> noise = np.random.default_rng(0).integers(0, 256, (100, 16, 16, 1), np.uint8)
        >>> mirror_symmetry(noise, np.zeros(100)).is_symmetric
        True

    Source: Gretton et al. 2012 (the statistic is a squared maximum mean discrepancy with a linear kernel).
    """
    random = np.random.default_rng(0)
    chosen = random.permutation(len(images))[:MOST_PICTURES]
    if len(chosen) < FEWEST_PICTURES:
        return Symmetry(None, len(chosen))
    pictures = images[chosen]
    while max(pictures.shape[1:3]) > MAX_SIDE:
        pictures = halved(pictures.astype(np.float32)).astype(np.uint8)
    network = FeatureNetwork.random()
    features, of_mirrored = (network.extract(part, "") for part in _mirror_pairs(pictures))
    differences = features.astype(np.float64) - of_mirrored
    return Symmetry(_p_value(differences, labels[chosen], random), len(chosen))


def _mirror_pairs(images: Images) -> tuple[Images, Images]:
    """Pictures and their mirror images, both cut to the columns that both have.

    The mirror stands at the axis of the mean picture, at most a sixteenth of the width beside the middle.
    """
    width = images.shape[2]
    profile = np.sum([with_opacity(part).sum(axis=(0, 1)) for part in np.array_split(images, 10)], axis=0)
    shifts = sorted(range(-(width // 8), width // 8 + 1), key=abs)

    def asymmetry(shift: int) -> float:
        part = profile[_columns(width, shift)]
        return float(((part - part[::-1]) ** 2).mean())

    axis = _columns(width, min(shifts, key=asymmetry))
    return images[:, :, axis], images[:, :, axis][:, :, ::-1]


def _columns(width: int, shift: int) -> slice:
    """The columns that lie evenly around an axis ``shift / 2`` pixels to the right of the middle."""
    return slice(max(0, shift), width + min(0, shift))


def _p_value(differences: Floats, labels: Labels, random: np.random.Generator) -> float:
    """The share of random signs whose statistic is at least that of the differences (N, D)."""
    size = np.sqrt((differences**2).mean(axis=0))
    # No feature outweighs the others. One that is the same in all mirror images counts nothing.
    scaled = differences / np.maximum(size, 1e-6 * max(1e-6, float(size.max())))
    products = scaled @ scaled.T * (1 + (labels[:, None] == labels))
    np.fill_diagonal(products, 0)
    signs = random.choice([-1.0, 1.0], (RANDOM_SIGNS, len(products)))
    values = np.einsum("ri,ri->r", signs @ products, signs)
    return float((1 + (values >= products.sum()).sum()) / (1 + RANDOM_SIGNS))
