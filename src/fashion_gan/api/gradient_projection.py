"""Refine projected pictures by gradient descent on their latents, with Keras."""

import numpy as np

from fashion_gan.arrays import Images
from fashion_gan.editing.projection import Projection, mean_squares
from fashion_gan.generator import Generator
from fashion_gan.rendering.images import to_uint8
from fashion_gan.saving.origins import ModelSource
from fashion_gan.system.backends import default_backend, use_backend


def refine_by_gradient(
    source: ModelSource, generator: Generator, images: Images, found: Projection, steps: int
) -> Projection:
    """Go on from what a search found. A picture keeps its latent if the descent does not improve it.

    Args:
        source: the model.
        generator: its generator.
        images: the pictures, uint8 (N, H, W, C).
        found: what ``Generator.project`` found for them.
        steps: steps of Adam.

    Raises:
        InputError: Keras is not installed, or the model is an ``.onnx`` file, which has no gradients.
    """
    use_backend(default_backend())
    from fashion_gan.saving import model_files
    from fashion_gan.training.latent_descent import descend

    network, _ = model_files.load_model(source.model_file("generator.keras"))
    targets = images.astype(np.float32) / np.float32(127.5) - 1
    latents = descend(network, targets, found.latents, found.labels, steps)
    drawn = generator.enlarged(None).decode(latents, found.labels, as_float=True)
    errors = 127.5 * np.sqrt(mean_squares(drawn, targets))
    better = errors < found.errors
    return Projection(
        np.where(better[:, np.newaxis], latents, found.latents),
        found.labels,
        np.where(better[:, np.newaxis, np.newaxis, np.newaxis], to_uint8(drawn), found.images),
        np.minimum(errors, found.errors),
    )
