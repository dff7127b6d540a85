"""What training images are, from a sample of them: enough to choose a run's settings before all of them are read."""

import dataclasses

import numpy as np

from fashion_gan.arrays import Images, Indices
from fashion_gan.datasets.checked_images import fewest_channels
from fashion_gan.datasets.contents import Size
from fashion_gan.datasets.dataset import Dataset
from fashion_gan.datasets.options import PictureOptions
from fashion_gan.datasets.picture_files import read_header, read_square
from fashion_gan.datasets.picture_sets import PictureSet
from fashion_gan.datasets.training_images import FoundImages
from fashion_gan.errors import InputError

SAMPLE = 300  # images
SAMPLE_SIZE = 64  # pixels that pictures of the sample are read at
MIN_TRANSPARENT = 0.5  # share of pictures that are transparent somewhere, from which on the opacity is kept


@dataclasses.dataclass(frozen=True)
class Survey:
    """What training images are.

    Attributes:
        count: the number of images. Some of them may turn out to be damaged.
        class_counts: the number of images of each class; () if there are no classes.
        size: the width and the height of the median image, by the number of its pixels.
        channels: 1 if all images of the sample are gray, 4 if at least half of them are transparent somewhere, else 3.
    """

    count: int
    class_counts: tuple[int, ...]
    size: Size
    channels: int


def survey(found: FoundImages, options: PictureOptions) -> Survey:
    """Look at up to 300 of the images, chosen at random, but always the same.

    Pictures that cannot be read are left out here: loading all of them names them.

    Args:
        found: the images.
        options: how pictures are read.

    Raises:
        InputError: no image of the sample can be read.
    """
    content = found.content
    if isinstance(content, PictureSet):
        sizes, images = _read_sample(content, options)
        labels, class_names = content.labels, content.class_names
    else:
        dataset = content if isinstance(content, Dataset) else content.dataset(found.source)
        images = [dataset.images[index : index + 1] for index in _sample(len(dataset.images))]
        sizes = [(image.shape[2], image.shape[1]) for image in images]
        labels, class_names = dataset.labels, dataset.class_names
    counts = np.bincount(labels, minlength=len(class_names)).tolist() if class_names else []
    size = sorted(sizes, key=lambda size: size[0] * size[1])[len(sizes) // 2]
    return Survey(len(labels), tuple(counts), size, _channels(images))


def _sample(count: int) -> Indices:
    return np.sort(np.random.default_rng(0).permutation(count)[:SAMPLE])


def _read_sample(pictures: PictureSet, options: PictureOptions) -> tuple[list[Size], list[Images]]:
    """The sizes of some pictures, and the pictures as small squares: uint8 (1, 64, 64, 4)."""
    sizes, images = [], []
    failure = InputError(f"{pictures.place} holds no pictures")
    for index in _sample(len(pictures.paths)):
        name = str(pictures.paths[index])
        try:
            header = read_header(pictures.open(index), name)
            images.append(read_square(pictures.open(index), SAMPLE_SIZE, 4, options=options, name=name)[np.newaxis])
            sizes.append(header.size)
        except InputError as error:
            failure = error
    if not images:
        raise failure
    return sizes, images


def _channels(images: list[Images]) -> int:
    needed = [fewest_channels(image).shape[3] for image in images]
    if np.mean([channels == 4 for channels in needed]) >= MIN_TRANSPARENT:
        return 4
    opaque = [image[..., :3] for image in images]
    return 3 if any(fewest_channels(image).shape[3] > 1 for image in opaque) else 1
