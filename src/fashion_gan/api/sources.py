"""Images to score, from any source: a model, a folder of pictures, an array file, or an array in memory."""

import dataclasses
import math
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashion_gan.api.image_files import labels_by_name, number_of_class, read_images, read_labels
from fashion_gan.api.load import load_with_config
from fashion_gan.arrays import Images, JsonObject, Labels
from fashion_gan.classes import class_numbers, same_classes
from fashion_gan.config import Config
from fashion_gan.datasets import (
    CLASS_NAMES,
    IMAGE_SHAPE,
    TRAINING_FINGERPRINT,
    Dataset,
    fashion_mnist_labels,
    list_pictures,
    read_header,
    read_pixels,
)
from fashion_gan.datasets.sharded import ShardedImages
from fashion_gan.errors import InputError, as_array, check_flag, show
from fashion_gan.hub.address import is_address
from fashion_gan.metrics.checks import as_small
from fashion_gan.runs import Run
from fashion_gan.saving import MODEL_SUFFIXES
from fashion_gan.saving.origins import ModelSource, is_shipped, resolve
from fashion_gan.system.memory import check_memory
from fashion_gan.system.paths import user_path
from fashion_gan.system.progress import bar, notice

RGB = 3
COMPARE_OTHERS = "name real pictures to compare with by reference (--reference)"
# `fashion-gan generate --format png` names its files like this. The name is left out if the class is Fashion-MNIST's.
CLASS_IN_NAME = re.compile(r"_class_(?:(\d)|\d+_(.+))$")


@dataclasses.dataclass(frozen=True)
class Source:
    """Images to score.

    Attributes:
        name: the name that the user gave.
        draw: (count, seed) -> uint8 images (count, 28, 28, 1), and int32 labels (count,) or None. Images of a file or
            an array are returned as they are, and checked later.
        available: the number of images; None for a generator, which draws any number.
        has_labels: whether ``draw`` returns labels.
        run: the run, if the source is one.
        about: other facts: the weights, the checkpoint, the step, the size at which images were drawn.
        all_images: gives all images part by part. None for anything but a data set of shards.
    """

    name: str
    draw: Callable[[int, int], tuple[Images, Labels | None]]
    available: int | None
    has_labels: bool
    run: Run | None = None
    about: JsonObject = dataclasses.field(default_factory=dict)
    all_images: ShardedImages | None = None


def open_source(
    source: str | Path,
    *,
    labels: str | Path | npt.ArrayLike | None = None,
    raw: bool = False,
    best: bool = False,
) -> Source:
    """Open a model or a file of images by its name or path.

    Args:
        source: a shipped model's name, a run's folder, a model file, a folder of 28×28 pictures, an ``.npz`` of images
            and optionally labels, an ``.npy`` of images, or a Parquet file of images. A folder holds its pictures
            directly, or in one subfolder for each class; or the shards of a data set.
        labels: the classes of images that come without them: a file with one label for each image (``.npy``, ``.npz``,
            text or CSV), or class numbers (N,) or (N, 1), or one-hot rows.
        raw: take the trained weights of a run, not their moving average.
        best: take the best checkpoint of a run, not the newest.

    Raises:
        InputError: nothing is there, or it cannot be read.
    """
    path = user_path("source", source)
    if check_flag("raw", raw) | check_flag("best", best) or is_address(source) or is_model(path):
        model = resolve(source, raw=raw, best=best)
        if labels is not None:
            raise InputError("labels are for images: a model draws its classes in turn")
        return _model_source(os.fspath(source), model, raw, best)
    if (sharded := ShardedImages.find(path)) is not None:
        refuse_labels(labels, path)
        return _sharded_source(sharded)
    if path.is_dir():
        images, own_labels = _read_folder(path)
    elif path.is_file():
        images, own_labels = read_images(path)
    else:
        raise InputError(
            f"{path} is not a shipped model, a run, a model file, a folder of pictures or an .npz: nothing is there"
        )
    return images_source(str(path), images, own_labels if labels is None else labels)


def is_model(path: Path) -> bool:
    """Whether a path is a run, a model file, or the name of a shipped model."""
    return Run.is_run(path) or is_shipped(path) or path.suffix.lower() in MODEL_SUFFIXES


def images_source(name: str, images: npt.ArrayLike, labels: str | Path | npt.ArrayLike | None = None) -> Source:
    """Make a source of images in memory.

    Args:
        name: the name of the source in messages and reports.
        images: (N, 28, 28) or (N, 28, 28, 1).
        labels: their classes, if they are known: names or numbers (N,) or (N, 1), one-hot rows, or a file as for
            ``open_source``.

    Raises:
        InputError: the images are a single value, or there is not exactly one label for each image.
    """
    images = as_array("images", images)
    if not images.ndim:
        raise InputError(f"{name} holds one value, not an array of images")
    numbers = None
    if labels is not None:
        if isinstance(labels, (str, os.PathLike)):
            numbers = read_labels(user_path("labels", labels), len(images))
        else:
            numbers = class_numbers(labels, CLASS_NAMES)
        if len(numbers) != len(images):
            raise InputError(
                f"{name}: {len(images)} images and {len(numbers)} labels: there must be one label for each"
            )

    def draw(count: int, seed: int) -> tuple[Images, Labels | None]:
        # In random order, because files are often sorted by class.
        indices = np.random.default_rng(seed).permutation(len(images))[:count]
        return images[indices], None if numbers is None else numbers[indices]

    return Source(name, draw, len(images), numbers is not None)


def dataset_source(dataset: Dataset) -> Source:
    """Make a source of a data set. Raises InputError if a class is not one of Fashion-MNIST's."""
    labels = labels_by_name(dataset.source, dataset.labels, dataset.class_names) if dataset.class_names else None
    return images_source(dataset.source, dataset.images, labels)


def refuse_labels(labels: object, folder: Path) -> None:
    """Raise InputError if labels are given for a data set of shards."""
    if labels is not None:
        raise InputError(f"labels are for images that come without them: the shards in {folder} have their own")


def _sharded_source(sharded: ShardedImages) -> Source:
    """Make a source of a data set of shards. Raises InputError if a class is not one of Fashion-MNIST's."""
    name = str(sharded.folder)
    if sharded.shape != IMAGE_SHAPE:
        raise InputError(f"{name} holds images of shape {sharded.shape}, not {IMAGE_SHAPE}: {COMPARE_OTHERS}")
    labels_of_classes = labels_by_name(name, np.arange(len(sharded.class_names), dtype=np.int32), sharded.class_names)

    def draw(count: int, seed: int) -> tuple[Images, Labels | None]:
        images, labels = sharded.draw(count, seed)
        return images, labels_of_classes[labels]

    return Source(name, draw, len(sharded), True, all_images=sharded)


def _model_source(name: str, model: ModelSource, raw: bool, best: bool) -> Source:
    run = model.open_run()
    if model.config is not None:
        _check_classes(name, model.config, run)
    generator, config = load_with_config(name, raw=raw, best=best)
    _check_classes(name, config, run)
    # The classes decide, not the size: larger images are shrunk to 28×28 and scored too.
    has_all_classes = same_classes(generator.class_names, CLASS_NAMES)
    labels_of_classes = fashion_mnist_labels(generator.class_names) if has_all_classes else None

    def draw(count: int, seed: int) -> tuple[Images, Labels | None]:
        images, labels = as_small(generator.generate(count, None, seed)), generator.labels(count)
        return images, None if labels_of_classes is None else labels_of_classes[labels]

    if run is None:
        return Source(name, draw, None, has_all_classes)
    about = about_run(run, raw=raw, best=best)
    if run.config.image_size > IMAGE_SHAPE[0]:
        about["drawn_at"] = run.config.image_size
    return Source(name, draw, None, has_all_classes, run, about)


def about_run(run: Run, *, raw: bool, best: bool) -> JsonObject:
    """Which weights of a run are scored."""
    return {
        "weights": "raw" if raw else "averaged",
        "checkpoint": "best" if best else "newest",
        "step": run.generator_step(raw=raw, best=best),
    }


def _check_classes(name: str, config: Config, run: Run | None) -> None:
    """Raise InputError if a model was trained on pictures of other classes than Fashion-MNIST's."""
    classes = trained_on_other_classes(config, run)
    if classes is not None:
        shown = f"of the classes {show(', '.join(classes))}" if classes else "without classes"
        raise InputError(f"{name} was trained on pictures {shown}, not on Fashion-MNIST: {COMPARE_OTHERS}")


def trained_on_other_classes(config: Config, run: Run | None) -> tuple[str, ...] | None:
    """The classes of a model's training images, if they are not Fashion-MNIST's. None if they are, or are unknown."""
    classes = _trained_classes(config, run)
    return None if classes is None or fashion_mnist_labels(classes) is not None else classes


def _trained_classes(config: Config, run: Run | None) -> tuple[str, ...] | None:
    """The classes of the images that a model was trained on. None if they are not recorded."""
    if config.data_classes is not None:
        return config.data_classes
    if run is not None and not config.class_names:  # An unconditional run of version 0.1.0.
        return CLASS_NAMES if run.data_fingerprint == TRAINING_FINGERPRINT else ()
    are_numbers = config.class_names == tuple(map(str, range(len(config.class_names))))
    # An imported generator's classes are only numbers.
    return None if run is None and are_numbers else config.class_names


def _read_folder(folder: Path) -> tuple[Images, Labels | None]:
    """Pictures, and their classes if the names of the subfolders or of the files contain them."""
    listing = list_pictures(folder)
    for row in listing.left_out.rows():
        notice(f"{folder}: {row.count:,} left out ({row.reason}), such as {row.example}")
    sizes = sorted({read_header(path).size for path in listing.paths})
    if len(sizes) > 1:
        raise InputError(f"{folder} holds pictures of several sizes: {sizes[0]} and {sizes[-1]}")
    needed = 2 * len(listing.paths) * math.prod(sizes[0]) * RGB
    check_memory(needed, f"{folder}: {len(listing.paths):,} pictures of {sizes[0]}", "score fewer pictures")
    images = [read_pixels(path) for path in bar(listing.paths, f"reading {folder}", "pictures")]
    if len({image.shape for image in images}) > 1:
        raise InputError(f"{folder} holds both gray pictures and pictures in color")
    if "" in listing.classes:
        return np.stack(images), _labels_from_names(listing.paths)
    numbers = [number_of_class(folder / name, name) for name in listing.classes]
    counts = [len(paths) for paths in listing.classes.values()]
    return np.stack(images), np.repeat(np.array(numbers, np.int32), counts)


def _labels_from_names(paths: list[Path]) -> Labels | None:
    """The class numbers in the files' names; None if a name has none."""
    matches = [CLASS_IN_NAME.search(path.stem) for path in paths]
    if None in matches:
        return None
    named = [(path, match[1] or match[2]) for path, match in zip(paths, matches, strict=True) if match]
    return np.array([number_of_class(path, name) for path, name in named], np.int32)
