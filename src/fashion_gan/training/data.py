"""The images that a run trains on, and those that it holds out. No framework is imported here."""

import dataclasses
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Mask
from fashion_gan.config import Config, default_augmentations
from fashion_gan.datasets import Dataset, is_fashion_mnist
from fashion_gan.errors import InputError
from fashion_gan.metrics import validation
from fashion_gan.metrics.pictures import reference
from fashion_gan.metrics.pictures.held_out import held_out_pictures
from fashion_gan.metrics.pictures.symmetry import MOST_PICTURES, Symmetry, mirror_symmetry
from fashion_gan.metrics.pictures.validation import PictureValidation
from fashion_gan.rendering.resize import enlarge_images
from fashion_gan.system.installation import check_installed


def check_data(config: Config, dataset: Dataset) -> None:
    """Raise InputError if a run with this configuration cannot train on these images."""
    if config.evaluate_every_epochs:
        check_installed("scipy", "evaluate_every_epochs", "train")
        if not _is_fashion_mnist(config, dataset):
            _check_size(config)
    held_out = held_out_count(config, dataset)
    count = len(dataset.images) - held_out
    if config.overfitting_from == "held-out" and not held_out:
        raise InputError("overfitting_from='held-out', but no picture is held out, because there are fewer than 200")
    if config.batch_size > count:
        raise InputError(f"batch_size={config.batch_size} is more than the {count} training images")
    if config.conditional and len(dataset.class_names) < 2:
        raise InputError("conditional=True needs data with at least two classes: a subfolder of pictures for each")


def held_out_count(config: Config, dataset: Dataset) -> int:
    """How many images a run holds out for its scores during training."""
    return int(_held_out_mask(config, dataset).sum())


def _check_size(config: Config) -> None:
    if not reference.SMALLEST_SIDE <= config.image_size <= reference.LARGEST_SIDE:
        raise InputError(
            f"evaluate_every_epochs scores images from {reference.SMALLEST_SIDE} to {reference.LARGEST_SIDE} pixels, "
            f"not of {config.image_size}: leave it out"
        )


def _is_fashion_mnist(config: Config, dataset: Dataset, count: int | None = None) -> bool:
    """Whether a run draws Fashion-MNIST's clothes, of which there are enough to hold out as many as its scores need.

    Args:
        config: the run's configuration.
        dataset: the images, or a part of them.
        count: the number of all images. None: those of the data set.
    """
    core, count = config.core, len(dataset.labels) if count is None else count
    image_shape = (core.image_size, core.image_size, core.channels)
    return is_fashion_mnist(dataset.class_names, image_shape) and count > validation.COUNT


def _held_out_mask(config: Config, dataset: Dataset) -> Mask:
    """Which images are held out: for 28×28 Fashion-MNIST 500 of each class, otherwise by the rule for all pictures.

    Without ``evaluate_every_epochs``, none is.
    """
    if not config.evaluate_every_epochs:
        return np.zeros(len(dataset.labels), bool)
    if _is_fashion_mnist(config, dataset):
        return validation.held_out(dataset.labels)
    mask = held_out_pictures(dataset.labels)
    return np.zeros(len(dataset.labels), bool) if mask is None else mask


def split_validation(config: Config, dataset: Dataset) -> tuple[Dataset, Dataset | None]:
    """The images to train on, and those that are held out, by which checkpoints are scored.

    Returns:
        The training images, and the held-out ones. None is held out without ``evaluate_every_epochs``, or of fewer than
        200 pictures.
    """
    mask = _held_out_mask(config, dataset)
    if not mask.any():
        return dataset, None
    return reference.select(dataset, np.flatnonzero(~mask)), reference.select(dataset, np.flatnonzero(mask))


def choose_augmentation(config: Config, dataset: Dataset) -> tuple[Config, Symmetry | None]:
    """Choose the settings of ``augment`` that are None from the data.

    Mirroring is used only if the training pictures are found to be symmetric.

    Returns:
        The configuration, and what was found out about the pictures' symmetry. None if that decides nothing.
    """
    if not config.augment:
        return config, None
    mask = _held_out_mask(config, dataset)
    overfitting_from = config.overfitting_from or ("held-out" if mask.any() else "training")
    config = dataclasses.replace(config, overfitting_from=overfitting_from)
    if config.augmentations is not None:
        return config, None
    chosen = np.random.default_rng(0).permutation(np.flatnonzero(~mask))[:MOST_PICTURES]
    symmetry = mirror_symmetry(dataset.images[chosen], dataset.labels[chosen])
    changes = default_augmentations(config.channels, is_symmetric=symmetry.is_symmetric)
    return dataclasses.replace(config, augmentations=changes), symmetry


def make_validation(
    config: Config, train: Dataset, held_out: Dataset | None, cache: Path | None
) -> validation.Validation | PictureValidation:
    """What scores the checkpoints of a run with ``evaluate_every_epochs``.

    Args:
        config: the run's configuration.
        train, held_out: from ``split_validation``.
        cache: the folder of cached statistics. None stores nothing.
    """
    if held_out is not None and _is_fashion_mnist(config, held_out, len(train.labels) + len(held_out.labels)):
        return validation.Validation(held_out.images, cache)
    shape = (config.core.image_size, config.core.image_size, config.channels)
    parts = [
        None if part is None else dataclasses.replace(part, images=enlarge_images(part.images, shape))
        for part in (train, held_out)
    ]
    assert parts[0] is not None
    return PictureValidation(parts[0], parts[1], cache)
