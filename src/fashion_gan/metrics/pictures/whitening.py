"""Turns raw features of pictures into the few numbers that the figures compare."""

import dataclasses

import numpy as np

from fashion_gan.arrays import Floats, Vectors

DIMENSIONS = 32
PICTURES_PER_DIMENSION = 10  # With fewer pictures, a covariance says little. So fewer dimensions are compared.
TOTAL_VARIANCE = 100.0  # A Fréchet distance then reads as hundredths of the real pictures' variance.


@dataclasses.dataclass(frozen=True, eq=False)
class Whitening:
    """A linear map from raw features to features that are uncorrelated and of equal variance on the real pictures.

    Each raw feature is divided by its deviation, so that none outweighs the others. The first principal components of
    the result are kept, and each is divided by its own deviation. So a rare difference counts as much as a common one.

    Attributes:
        mean: the raw features' means (D,).
        matrix: the map (D, d). On the real pictures, each of the d features has the variance 100 / d.
    """

    mean: Floats
    matrix: Floats

    @classmethod
    def fit(cls, vectors: Vectors) -> "Whitening":
        """Fit the map to the raw features of the real pictures (N, D), N at least 2.

        With less than 320 pictures, d is a tenth of their number. With fewer components that differ at all, it is their
        number, at least 1.
        """
        count = len(vectors)
        values = vectors.astype(np.float64)
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        differs = deviation > 1e-6 * max(1e-6, float(deviation.max()))
        scale = np.where(differs, 1 / np.where(differs, deviation, 1.0), 0.0)
        scaled = (values - mean) * scale
        variances, directions = np.linalg.eigh(scaled.T @ scaled / (count - 1))
        wanted = max(1, min(DIMENSIONS, count // PICTURES_PER_DIMENSION))
        kept = [index for index in range(len(variances) - 1, -1, -1) if variances[index] > 1e-9][:wanted]
        if not kept:  # All pictures are equal.
            return cls(mean, np.ones((len(mean), 1)))
        root = np.sqrt(TOTAL_VARIANCE / len(kept) / variances[kept])
        return cls(mean, scale[:, None] * directions[:, kept] * root)

    def apply(self, vectors: Vectors) -> Vectors:
        """Raw features (N, D) -> float32 (N, d)."""
        return ((vectors.astype(np.float64) - self.mean) @ self.matrix).astype(np.float32)
