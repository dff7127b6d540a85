"""The images that a run trains on, and those that it holds out. No framework is imported here."""

import dataclasses

from fashion_gan.arrays import Images
from fashion_gan.config import Config
from fashion_gan.datasets import Dataset, is_fashion_mnist
from fashion_gan.errors import InputError
from fashion_gan.metrics import validation


def check_data(config: Config, dataset: Dataset) -> None:
    """Raise InputError if a run with this configuration cannot train on these images."""
    image_shape = (config.image_size, config.image_size, config.channels)
    if config.evaluate_every_epochs and not is_fashion_mnist(dataset.class_names, image_shape):
        raise InputError("evaluate_every_epochs scores only 28×28 gray images of Fashion-MNIST's classes: leave it out")
    count = len(dataset.images) - (validation.COUNT if config.evaluate_every_epochs else 0)
    if config.batch_size > count:
        raise InputError(f"batch_size={config.batch_size} is more than the {count} training images")
    if config.conditional and len(dataset.class_names) < 2:
        raise InputError("conditional=True needs data with at least two classes: a subfolder of pictures for each")


def split_validation(config: Config, dataset: Dataset) -> tuple[Dataset, Images | None]:
    """The images to train on, and the held-out images (5000, 28, 28, 1) that checkpoints are scored by, or None."""
    if not config.evaluate_every_epochs:
        return dataset, None
    held_out = validation.held_out(dataset.labels)
    rest = dataclasses.replace(dataset, images=dataset.images[~held_out], labels=dataset.labels[~held_out])
    return rest, dataset.images[held_out]
