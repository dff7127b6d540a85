"""Pictures of any kind to score: from a model, a folder of pictures, an array file, or an array in memory."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashion_gan.api.image_files import read_labels
from fashion_gan.api.load import load_with_config
from fashion_gan.api.real_pictures import checked_dataset, read_pictures, refuse_image_size
from fashion_gan.api.sources import about_run, is_model, refuse_labels
from fashion_gan.arrays import Images, JsonObject, Labels, Shape
from fashion_gan.classes import class_numbers, match_classes
from fashion_gan.datasets import Dataset
from fashion_gan.datasets.checked_images import checked_pictures
from fashion_gan.datasets.labeled_files import read_labeled_images
from fashion_gan.datasets.sharded import ShardedImages
from fashion_gan.errors import InputError, as_array, show
from fashion_gan.metrics.pictures.reference import FEWEST_PICTURES
from fashion_gan.runs import Run
from fashion_gan.saving.origins import resolve
from fashion_gan.system.paths import user_path

DrawPictures = Callable[[int, int, Labels | None], tuple[Images, Labels | None]]
"""(count, seed, the classes that a model is asked for) -> pictures (count, H, W, C) and their classes, or None."""


@dataclasses.dataclass(frozen=True)
class PictureSource:
    """Pictures to score.

    Attributes:
        name: the name that the user gave.
        shape: height, width and channels of each picture.
        draw: gives pictures. Those of a file or an array come in random order, whatever classes are asked for.
        available: the number of pictures; None for a generator, which draws any number.
        has_labels: whether ``draw`` returns classes.
        run: the run, if the source is one.
        about: other facts: the weights, the checkpoint, the step.
        all_images: gives all pictures part by part. None for anything but a data set of shards.
    """

    name: str
    shape: Shape
    draw: DrawPictures
    available: int | None
    has_labels: bool
    run: Run | None = None
    about: JsonObject = dataclasses.field(default_factory=dict)
    all_images: ShardedImages | None = None


def open_picture_source(
    source: str | Path | npt.ArrayLike | Dataset,
    class_names: tuple[str, ...],
    *,
    labels: str | Path | npt.ArrayLike | None = None,
    image_size: int | None = None,
    raw: bool = False,
    best: bool = False,
) -> PictureSource:
    """Open pictures of any kind.

    Args:
        source: a shipped model's name, a run's folder, a model file, a folder of pictures or of shards, an ``.npz``,
            ``.npy`` or Parquet file, a ``Dataset``, or an array of pictures.
        class_names: the classes of the real pictures; () if they have none. Classes are matched by their names.
        labels: the classes of pictures that come without them, as for ``open_source``.
        image_size: height and width that a folder's pictures are read at. None: their own, which must be the same.
        raw, best: which weights of a run, as for ``open_source``.

    Raises:
        InputError: nothing is there, it cannot be read, or a class is not one of the real pictures'.
    """
    if isinstance(source, (str, os.PathLike)):
        path = user_path("source", source)
        if raw or best or is_model(path):
            refuse_image_size(image_size)
            if labels is not None:
                raise InputError("labels are for pictures: a model draws its classes in turn")
            return _from_model(os.fspath(source), class_names, raw=raw, best=best)
        if (sharded := ShardedImages.find(path)) is not None:
            refuse_image_size(image_size)
            refuse_labels(labels, path)
            return _from_shards(sharded, class_names)
        return _from_dataset(_read_path(path, image_size), class_names, labels)
    refuse_image_size(image_size)
    if isinstance(source, Dataset):
        return _from_dataset(checked_dataset(source), class_names, labels)
    images = checked_pictures(as_array("images", source))
    return _from_images("images", images, _read(labels, class_names, len(images)))


def _read_path(path: Path, image_size: int | None) -> Dataset:
    """The pictures of a folder or a file."""
    if path.is_dir():
        return read_pictures(path, image_size)
    if not path.is_file():
        raise InputError(
            f"{path} is not a shipped model, a run, a model file, a folder of pictures or an .npz: nothing is there"
        )
    refuse_image_size(image_size)
    return read_labeled_images(path).dataset(path)


def _from_dataset(
    dataset: Dataset, class_names: tuple[str, ...], labels: str | Path | npt.ArrayLike | None
) -> PictureSource:
    if labels is not None:
        numbers = _read(labels, class_names, len(dataset.images))
    elif dataset.class_names and class_names:
        numbers = _matched(dataset.source, dataset.class_names, class_names)[dataset.labels]
    else:
        numbers = None
    return _from_images(dataset.source, dataset.images, numbers)


def _from_shards(sharded: ShardedImages, class_names: tuple[str, ...]) -> PictureSource:
    name = str(sharded.folder)
    _check_count(name, len(sharded))
    numbers = _matched(name, sharded.class_names, class_names) if class_names else None

    def draw(count: int, seed: int, requested: Labels | None) -> tuple[Images, Labels | None]:
        images, labels = sharded.draw(count, seed)
        return images, None if numbers is None else numbers[labels]

    return PictureSource(name, sharded.shape, draw, len(sharded), numbers is not None, all_images=sharded)


def _check_count(name: str, count: int) -> None:
    if count < FEWEST_PICTURES:
        raise InputError(f"{name}: {count} pictures are too few to score: at least {FEWEST_PICTURES} are needed")


def _from_images(name: str, images: Images, labels: Labels | None) -> PictureSource:
    _check_count(name, len(images))

    def draw(count: int, seed: int, requested: Labels | None) -> tuple[Images, Labels | None]:
        indices = np.random.default_rng(seed).permutation(len(images))[:count]
        return images[indices], None if labels is None else labels[indices]

    return PictureSource(name, images.shape[1:], draw, len(images), labels is not None)


def _from_model(name: str, class_names: tuple[str, ...], *, raw: bool, best: bool) -> PictureSource:
    run = resolve(name, raw=raw, best=best).open_run()
    generator, _ = load_with_config(name, raw=raw, best=best)
    numbers = None
    if generator.class_names and class_names:
        # The model's number of each real class.
        numbers = _matched(f"the data that {name} is compared with", class_names, generator.class_names)

    def draw(count: int, seed: int, requested: Labels | None) -> tuple[Images, Labels | None]:
        if numbers is None or requested is None:
            return generator.generate(count, None, seed), None
        return generator.generate(count, numbers[requested], seed), requested

    about = {} if run is None else about_run(run, raw=raw, best=best)
    return PictureSource(name, generator.image_shape, draw, None, numbers is not None, run, about)


def _matched(name: str, own: tuple[str, ...], others: tuple[str, ...]) -> Labels:
    """The number among others of each class of one's own, by its name.

    If no name fits, and all are numbers, they are the numbers themselves. Raises InputError if a class is missing among
    the others.
    """
    numbers: Sequence[int | None] = match_classes(own, others)
    if not any(number is not None for number in numbers):
        numbers = [_number(label, others) for label in own]
    if None in numbers:
        missing = own[numbers.index(None)]
        raise InputError(f"{name}: the class {show(missing)} is missing on the other side, which has {show(others)}")
    return np.array(numbers, np.int32)


def _number(label: str, others: tuple[str, ...]) -> int | None:
    """The number that a class is called by, if there are so many classes."""
    return int(label) if label.isdecimal() and int(label[:9]) < len(others) else None


def _read(labels: str | Path | npt.ArrayLike | None, class_names: tuple[str, ...], count: int) -> Labels | None:
    """Labels that the user gives: class numbers or names, or a file of numbers."""
    if labels is None:
        return None
    if not class_names:
        raise InputError("labels are given, but the real pictures have no classes: leave them out")
    if isinstance(labels, (str, os.PathLike)):
        numbers = read_labels(user_path("labels", labels), count)
    else:
        numbers = class_numbers(labels, class_names)
    if len(numbers) != count:
        raise InputError(f"{count} pictures and {len(numbers)} labels: there must be one label for each")
    return numbers
