"""Project pictures by gradient descent with Keras, for networks that cannot be differentiated in their ONNX file."""

import numpy as np

from fashion_gan.arrays import Images
from fashion_gan.editing.projection import MAX_STEPS, Projection, find_start, mean_squares
from fashion_gan.errors import check_whole_number
from fashion_gan.generator import Generator, LabelsLike
from fashion_gan.rendering.images import to_uint8
from fashion_gan.saving.origins import ModelSource
from fashion_gan.system.backends import default_backend, use_backend


def project_with_keras(
    source: ModelSource, generator: Generator, images: Images, labels: LabelsLike | None, steps: int
) -> Projection:
    """Find one latent for each picture, which all depths read.

    Args:
        source: the model.
        generator: its generator.
        images: the pictures, uint8 (N, H, W, C), checked.
        labels: as in ``Generator.project``.
        steps: steps of Adam, from 1 to 10,000.

    Raises:
        InputError: Keras is not installed, the model is an ``.onnx`` file, or a label is refused.
    """
    steps = check_whole_number("steps", steps, 1, MAX_STEPS)
    use_backend(default_backend())
    from fashion_gan.saving import model_files
    from fashion_gan.training.latent_descent import descend

    network, _ = model_files.load_model(source.model_file("generator.keras"))
    targets = images.astype(np.float32) / np.float32(127.5) - 1
    numbers = None if labels is None else generator.labels(len(images), labels)
    sizes = (generator.latent_dim, len(generator.class_names))
    start, classes = find_start(generator.encoder, generator.decode, targets, sizes, numbers)
    latents = descend(network, targets, start, classes, steps)
    drawn = generator.enlarged(None).decode(latents, classes, as_float=True)
    errors = 127.5 * np.sqrt(mean_squares(drawn, targets))
    return Projection(latents, classes, to_uint8(drawn), errors)
