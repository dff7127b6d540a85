"""Real pictures of any kind that generated ones are compared with: from a folder, a file, or the data of a run."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

from fashion_gan.arrays import Shape
from fashion_gan.config import IN_MEMORY
from fashion_gan.datasets import (
    IMAGE_SHAPE,
    TRAINING_FINGERPRINT,
    Dataset,
    PictureOptions,
    holds_fashion_mnist,
    load_fashion_mnist,
    load_test_images,
    load_training_images,
    requested_folder,
)
from fashion_gan.datasets.archives import is_archive
from fashion_gan.datasets.checked_images import checked_pictures, fewest_channels
from fashion_gan.datasets.generated import load_generated, read_manifest
from fashion_gan.datasets.image_arrays import with_classes_of
from fashion_gan.datasets.labeled_files import read_labeled_images, read_test_images
from fashion_gan.datasets.picture_sets import UNREADABLE, PictureSet, load_picture_set, picture_sizes
from fashion_gan.datasets.training_images import find_picture_set
from fashion_gan.errors import InputError, show
from fashion_gan.metrics.cache import metrics_cache_folder
from fashion_gan.metrics.checks import checked_labels
from fashion_gan.metrics.pictures.feature_networks import FeatureNetwork
from fashion_gan.metrics.pictures.reference import PictureReference, split
from fashion_gan.rendering.resize import enlarge_images
from fashion_gan.runs import Run
from fashion_gan.system.paths import user_path
from fashion_gan.system.progress import notice

# A comparison goes on without pictures that cannot be read, and says so.
LENIENT = PictureOptions(skip_damaged=True)
FASHION_MNIST = "fashion-mnist"  # the name of Fashion-MNIST as a reference, wherever it is found

Load = Callable[[Shape], tuple[Dataset, Dataset | None]]
"""Height, width and channels -> the training pictures and the test pictures. None: the data have no test pictures."""


@dataclasses.dataclass(frozen=True)
class RealPictures:
    """Real pictures that are found, but not read at their final size.

    Attributes:
        name: where they are.
        class_names: their classes; () if there are none.
        load: reads them at the size and with the channels of the pictures that are compared with them.
        own_shape: the size of a folder's pictures, None for their own -> the shape that they have by themselves.
    """

    name: str
    class_names: tuple[str, ...]
    load: Load
    own_shape: Callable[[int | None], Shape]

    def reference(self, shape: Shape, network: FeatureNetwork, run: Run | None = None) -> PictureReference:
        """Read the pictures, and make them a reference.

        Without test pictures of their own, a part is held out by the rule of ``held_out_pictures``, unless the run that
        is scored learned from all of them.

        Args:
            shape: height, width and channels of the pictures that are compared with them.
            network: computes the features.
            run: the run that is scored. None if it is none, or one with other data.

        Raises:
            InputError: the pictures cannot be read at this shape, or there are too few.
        """
        train, held_out = self.load(shape)
        _tell_damage(train, held_out)
        if held_out is None and not _learned_from_all(train, run):
            train, held_out = split(train)
        reference = PictureReference(train, held_out, network, metrics_cache_folder())
        reference.check()
        return reference


def _tell_damage(*parts: Dataset | None) -> None:
    """Print a line about pictures that are left out because they cannot be read."""
    for part in parts:
        contents = None if part is None else part.contents
        for row in () if contents is None else contents.left_out:
            if row.reason == UNREADABLE:
                notice(f"{part and part.source}: {row.count:,} pictures cannot be read, such as {row.example}")


def _learned_from_all(train: Dataset, run: Run | None) -> bool:
    """Whether a run learned from these pictures and held none of them out."""
    return run is not None and run.config.evaluate_every_epochs is None and run.data_fingerprint == train.fingerprint


def find_real_pictures(data: str | Path | Dataset, argument: str = "reference") -> RealPictures:
    """Find real pictures, and read the names of their classes.

    Args:
        data: "fashion-mnist"; a folder as ``load_training_images`` takes it; an ``.npz``, ``.npy`` or Parquet file; or
            a ``Dataset``.
        argument: the name of the user's argument, for messages.

    Raises:
        InputError: there is nothing, or it cannot be used.
    """
    if isinstance(data, Dataset):
        return _from_arrays(checked_dataset(data), None)
    if not isinstance(data, (str, os.PathLike)):
        raise InputError(f"{argument}={show(data)} must be a folder, a file of images or a Dataset")
    if os.fspath(data) == FASHION_MNIST:
        return _fashion_mnist(None)
    path = user_path(argument, data)
    if not path.exists():
        raise InputError(f"{argument}={str(path)!r} is not a folder of pictures or a file of images: nothing is there")
    if path.is_file() and not is_archive(path):
        train = read_labeled_images(path).dataset(path)
        test = read_test_images(path)
        return _from_arrays(train, None if test is None else with_classes_of(test.dataset(path), train.class_names))
    if path.is_dir() and holds_fashion_mnist(path):
        return _fashion_mnist(path)
    manifest = read_manifest(path)
    if manifest is not None:
        return _from_arrays(load_generated(path, manifest), None)
    if path.is_dir() and any("idx3-ubyte" in entry.name for entry in path.iterdir()):
        train = load_training_images(path, image_size=IMAGE_SHAPE[0], channels=1)
        return _from_arrays(train, load_test_images(path, train.class_names, *IMAGE_SHAPE[1:]))
    return _from_pictures(path)


def checked_dataset(dataset: Dataset) -> Dataset:
    """Check a data set that the user made. Raises InputError if its pictures or labels cannot be used."""
    try:
        images = checked_pictures(dataset.images)
        labels = checked_labels(dataset.labels, len(images), max(1, len(dataset.class_names)))
    except InputError as error:
        raise InputError(f"{dataset.source}: {error}") from error
    return dataclasses.replace(dataset, images=images, labels=labels)


def refuse_image_size(image_size: int | None) -> None:
    """Raise InputError if a size is given for pictures that have one already."""
    if image_size is not None:
        raise InputError(f"image_size={show(image_size)} is for a folder of pictures: these have a size already")


def real_pictures_of_run(run: Run, argument: str = "reference") -> RealPictures:
    """The data of a run, as it was trained on them. Of Fashion-MNIST, the test images too.

    Args:
        run: the run.
        argument: the user's argument that names other real pictures, for messages.

    Raises:
        InputError: the data are gone, or they have changed.
    """
    config = run.config
    folder = None if config.data in (None, IN_MEMORY) else requested_folder(config.data)
    is_there = folder is not None and folder.exists()
    if config.data is None or run.data_fingerprint == TRAINING_FINGERPRINT:
        return _fashion_mnist(folder if is_there else None)
    others = f"name real pictures with {argument} (--{argument})"
    if not is_there:
        gone = "images in memory" if folder is None else f"{folder}, which is no longer there"
        raise InputError(f"{run.path} was trained on {gone}: {others}")
    options = PictureOptions.from_config(config)

    def load(shape: Shape) -> tuple[Dataset, Dataset | None]:
        train = load_training_images(config.data, config.image_size, config.channels, **vars(options))
        if train.fingerprint != run.data_fingerprint:
            raise InputError(f"{train.source} has changed since {run.path} was trained: {others}")
        test = load_test_images(config.data, train.class_names, config.image_size, config.channels, options)
        return _fitted(train, shape), None if test is None else _fitted(test, shape)

    shape = (config.image_size, config.image_size, config.channels)
    class_names = config.data_classes or config.class_names
    return RealPictures(f"the data of {run.path}", class_names, load, lambda image_size: shape)


def _fashion_mnist(folder: Path | None) -> RealPictures:
    pictures = _from_arrays(load_fashion_mnist("train", folder), load_fashion_mnist("test", folder))
    return dataclasses.replace(pictures, name=FASHION_MNIST)


def _from_pictures(place: Path) -> RealPictures:
    """The pictures in a folder or an archive."""

    def load(shape: Shape) -> tuple[Dataset, Dataset | None]:
        train, test = (_load_pictures(place, shape, test=test) for test in (False, True))
        assert train is not None  # Only test pictures may be missing.
        return train, None if test is None else with_classes_of(test, train.class_names)

    found = find_picture_set(place)
    assert found is not None
    return RealPictures(
        str(place), found.class_names, load, lambda image_size: read_pictures(place, image_size).images.shape[1:]
    )


def _from_arrays(train: Dataset, test: Dataset | None) -> RealPictures:
    def load(shape: Shape) -> tuple[Dataset, Dataset | None]:
        return _fitted(train, shape), None if test is None else _fitted(test, shape)

    def own_shape(image_size: int | None) -> Shape:
        refuse_image_size(image_size)
        return train.images.shape[1:]

    return RealPictures(train.source, train.class_names, load, own_shape)


def _load_pictures(place: Path, shape: Shape, *, test: bool) -> Dataset | None:
    """The training pictures or the test pictures in a folder or an archive. None if there are none."""
    found = find_picture_set(place, test=test)
    if found is None:
        return None
    height, width, channels = shape
    if height != width:
        raise InputError(
            f"{place} holds pictures, which are read as squares, but the pictures to compare are {width}×{height}: "
            "name an .npz file with pictures of that size"
        )
    return _fitted(_load_with_notices(found, height, channels), shape)


def _load_with_notices(found: PictureSet, image_size: int, channels: int) -> Dataset:
    """Load pictures, and say what is left out, cropped or enlarged: the user may think of other pictures."""
    dataset = load_picture_set(found, image_size, channels, LENIENT)
    assert dataset.contents is not None  # All pictures in folders and archives have them.
    for row in dataset.contents.left_out:
        notice(f"{dataset.source}: {row.count:,} left out ({row.reason}), such as {row.example}")
    for note in dataset.contents.notes:
        notice(f"{dataset.source}: {note}")
    return dataset


def _fitted(dataset: Dataset, shape: Shape) -> Dataset:
    """The pictures at a shape. Gray becomes color, and gray squares are enlarged, as in training."""
    own: Shape = dataset.images.shape[1:]
    if own == shape:
        return dataset
    same_size = own[:2] == shape[:2]
    can_grow = own[0] == own[1] <= shape[0] == shape[1]
    if own[2] != 1 or not (same_size or can_grow):
        remedy = "convert one side" if same_size else "the way of resizing changes the figures, so resize one side"
        raise InputError(
            f"{dataset.source}: the real pictures are {own[1]}×{own[0]} with {own[2]} channels, but those to compare "
            f"are {shape[1]}×{shape[0]} with {shape[2]}: {remedy}"
        )
    return dataclasses.replace(dataset, images=enlarge_images(dataset.images, shape))


def read_pictures(place: Path, image_size: int | None) -> Dataset:
    """Pictures with as few channels as they all need: 1 (gray), 3 (color) or 4 (color and opacity)."""
    found = find_picture_set(place)
    assert found is not None
    if image_size is None:
        sizes = sorted(picture_sizes(found, skip_damaged=True))
        if len(sizes) > 1 or sizes[0][0] != sizes[0][1]:
            kind = f"of several sizes: {sizes[0]} and {sizes[-1]}" if len(sizes) > 1 else f"of {sizes[0]} pixels"
            raise InputError(
                f"{place} holds pictures {kind}; name the size that their central squares are compared at with "
                "image_size (--image-size)"
            )
        image_size = sizes[0][0]
    dataset = _load_with_notices(found, image_size, channels=4)
    return dataclasses.replace(dataset, images=fewest_channels(dataset.images))
