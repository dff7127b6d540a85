"""Scores of pictures of any kind during training: progress, overfitting and copying."""

import functools
from pathlib import Path

from fashion_gan.arrays import Images
from fashion_gan.datasets import Dataset
from fashion_gan.metrics.distances import Gaussian, frechet_distance, gaussian
from fashion_gan.metrics.memorization import closer_shares, nearest
from fashion_gan.metrics.pictures.feature_networks import FeatureNetwork
from fashion_gan.metrics.pictures.reference import PictureReference
from fashion_gan.metrics.validation import Scores

COUNT = 1_000  # pictures that are generated and scored
HELD_OUT, TRAINING, CLOSER = "frechet_validation", "frechet_training", "closer_than_real"
# Half of the generated pictures are closer to a training picture than another real picture is. From this share on, a
# checkpoint copies, and is not kept as the best one.
MAX_CLOSER = 0.75
OVERFITS = 1.1  # The distance to held-out pictures is so many times the lowest one, while the other fell.


class PictureValidation:
    """The Fréchet distance of generated pictures to held-out ones, and to as many training pictures.

    As long as both fall, the generator makes progress. If the first grows while the second falls, it overfits. With no
    pictures held out, there is only the distance to the training pictures, which copies bring to zero. So copies are
    measured too, and a checkpoint that copies is not the best one.

    Args:
        train: the training pictures.
        held_out: the held-out pictures; None if there are none.
        cache: the folder of cached features. None stores nothing.

    Attributes:
        name: the score that chooses the best checkpoint.
        count: how many pictures are generated and scored.
    """

    count = COUNT

    def __init__(self, train: Dataset, held_out: Dataset | None, cache: Path | None = None) -> None:
        self._reference = PictureReference(train, held_out, FeatureNetwork.random(), cache)
        self.name = TRAINING if held_out is None else HELD_OUT
        self._lowest: dict[str, float] | None = None

    def score(self, images: Images) -> Scores:
        """Score generated pictures, uint8 (1000, H, W, C)."""
        vectors = self._reference.vectors(images, description="")
        generated = gaussian(vectors)
        values = {TRAINING: frechet_distance(self._training, generated)}
        if self._reference.held_out is not None:
            values = {HELD_OUT: frechet_distance(self._reference.target_gaussian, generated), **values}
        to_training = nearest(vectors, self._reference.train_vectors)
        real = self._reference.real_nearest_training
        values[CLOSER] = float(closer_shares(to_training.squares, real.squares).mean())
        can_be_best = self._reference.held_out is not None or values[CLOSER] <= MAX_CLOSER
        return Scores(values, self.name, can_be_best, self._note(values))

    @functools.cached_property
    def _training(self) -> Gaussian:
        """As many training pictures as are held out, so that both distances have the same bias."""
        count = len(self._reference.target_vectors)
        return gaussian(self._reference.train_vectors[self._reference.training_sample(count)])

    def _note(self, values: dict[str, float]) -> str:
        """What the scores say, compared with those of the best checkpoint so far."""
        lowest = self._lowest
        if lowest is None or values[self.name] <= lowest[self.name]:
            self._lowest = values
        if values[CLOSER] > MAX_CLOSER:
            return f"copies training pictures: {values[CLOSER]:.0%} lie closer to one than other real pictures do"
        if lowest is None or self.name == TRAINING:
            return ""
        overfits = values[HELD_OUT] > OVERFITS * lowest[HELD_OUT] and values[TRAINING] < lowest[TRAINING]
        return "overfits: only the distance to training pictures falls" if overfits else ""
