"""Bring pictures in: find the latents, and the classes, that a generator draws them from."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fashion_gan.api.load import load_generator, onnx_generator
from fashion_gan.arrays import Floats, Images, Indices, Picture
from fashion_gan.datasets import Dataset, PictureOptions
from fashion_gan.datasets.picture_files import brightest, read_header, read_square
from fashion_gan.editing import PROJECTION_STEPS
from fashion_gan.errors import InputError, check_choice, show
from fashion_gan.generator import Generator, LabelsLike
from fashion_gan.rendering.images import grid
from fashion_gan.saving.origins import resolve
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.memory import check_memory
from fashion_gan.system.paths import user_path

if TYPE_CHECKING:
    from fashion_gan.editing.projection import Projection

MAX_PICTURES = 10_000
METHODS = ("onnx", "keras")
COMPARISON_COLUMNS = 16  # pairs in a row of the picture


@dataclasses.dataclass(frozen=True, eq=False)
class NearestTraining:
    """The training pictures nearest to the given and to the redrawn pictures, by their pixels.

    Attributes:
        of_given, of_redrawn: their positions in the training set, (N,).
        errors: root mean square difference of each given picture to the training picture nearest to it, in gray levels.
    """

    of_given: Indices
    of_redrawn: Indices
    errors: Floats

    @property
    def same(self) -> Indices:
        """1 where the given and the redrawn picture have the same nearest training picture, 0 elsewhere."""
        return (self.of_given == self.of_redrawn).astype(np.int64)


@dataclasses.dataclass(frozen=True, eq=False)
class ProjectedPictures:
    """Pictures, and what ``project`` found for them.

    Attributes:
        names: the names of the files.
        pictures: the pictures at the generator's size, uint8 (N, H, W, C).
        projection: their latents, classes, redrawn pictures and errors.
        class_names: the generator's classes.
        usual_error: the median error of real pictures that were held out, in gray levels. None if the generator has no
            encoder.
        nearest: the nearest training pictures. None if no training pictures were given.
    """

    names: tuple[str, ...]
    pictures: Images
    projection: "Projection"
    class_names: tuple[str, ...]
    usual_error: float | None
    nearest: NearestTraining | None

    def comparison(self, scale: int = 2) -> Picture:
        """A grid of pairs: each given picture, and next to it the redrawn one."""
        pairs = np.stack([self.pictures, self.projection.images], axis=1).reshape(-1, *self.pictures.shape[1:])
        return grid(pairs, columns=2 * min(COMPARISON_COLUMNS, len(self.pictures)), scale=scale)


@default_settings()
def project(
    model: str | Path,
    pictures: Sequence[str | Path],
    *,
    labels: LabelsLike | None = None,
    steps: int = PROJECTION_STEPS,
    method: str = "onnx",
    options: PictureOptions | None = None,
    invert: bool = False,
    training: Dataset | None = None,
) -> ProjectedPictures:
    """Find latents, and classes, from which a generator draws pictures that are as near as possible to those of files.

    Args:
        model: the generator, as ``load_generator`` takes it.
        pictures: the files, from 1 to 10,000. Each becomes a square of the generator's size.
        labels, steps: as in ``Generator.project``.
        method: what computes the gradients. "onnx" needs no framework, and finds a latent for each depth. "keras" finds
            one latent for all depths, of any network that Keras can load.
        options: how pictures become squares.
        invert: turn dark into light first. Fashion-MNIST shows light clothes on black.
        training: training pictures of the generator's size, for ``nearest``.

    Returns:
        The pictures as they are projected; what was found; the error that is usual; and the nearest training pictures.

    Raises:
        InputError: a picture cannot be read, the model cannot be loaded, or an argument is out of range.

    Example:
        >>> projected = fashion_gan.project("fashion", ["pictures/left/00.png"])
        >>> projected.projection.latents.shape, projected.names
        ((1, 5, 100), ('00.png',))
    """
    check_choice("method", method, METHODS)
    paths = _check_paths(pictures)
    source = resolve(model)
    generator = load_generator(model) if method == "keras" else onnx_generator(model, source)
    images = read_pictures(paths, generator, options or PictureOptions())
    if invert:
        images = invert_colors(images)
    if method == "keras":
        from fashion_gan.api.keras_projection import project_with_keras

        found = project_with_keras(source, generator, images, labels, steps)
    else:
        found = generator.project(images, labels, steps=steps)
    usual = None if generator.encoder is None else generator.encoder.median_error
    nearest = None if training is None else nearest_training(images, found.images, training)
    names = tuple(path.name for path in paths)
    return ProjectedPictures(names, images, found, generator.class_names, usual, nearest)


def _check_paths(pictures: Sequence[str | Path]) -> list[Path]:
    if isinstance(pictures, (str, bytes)) or not isinstance(pictures, Sequence) or not pictures:
        raise InputError(f"pictures={show(pictures)} must be a list of picture files")
    if len(pictures) > MAX_PICTURES:
        raise InputError(f"at most {MAX_PICTURES:,} pictures are projected at once, got {len(pictures):,}")
    paths = [user_path("pictures", path) for path in pictures]
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path} is not a picture: {'it is a folder' if path.is_dir() else 'no such file exists'}")
    return paths


def read_pictures(paths: Sequence[Path], generator: Generator, options: PictureOptions) -> Images:
    """Read files as squares of a generator's size. Raises InputError, which names the file that cannot be read."""
    height, width, channels = generator.enlarged(None).image_shape
    if height != width:
        raise InputError(f"pictures are read as squares, but this model draws {width}×{height} pixels")
    images = []
    for path in paths:
        header = read_header(path)
        check_memory(header.bytes_while_read, f"{path}: reading it", "make it smaller")
        # Deep gray levels lose as many bits as the brightest one has above eight.
        shift = max(0, brightest(path).bit_length() - 8) if header.is_deep_gray else 8
        images.append(read_square(path, height, channels, shift, options))
    return np.stack(images)


def invert_colors(images: Images) -> Images:
    """Turn dark into light. The opacity of images with four channels stays as it is."""
    inverted = images.copy()
    colors = inverted[..., :3] if images.shape[-1] >= 3 else inverted
    np.subtract(255, colors, out=colors)
    return inverted


def nearest_training(given: Images, redrawn: Images, training: Dataset) -> NearestTraining:
    """Find the training pictures nearest to given and to redrawn ones.

    Raises:
        InputError: the training pictures have another shape.
    """
    from fashion_gan.metrics.memorization import nearest

    if training.images.shape[1:] != given.shape[1:]:
        raise InputError(
            f"{training.source} holds pictures {training.images.shape[1:]}, but the model draws {given.shape[1:]}"
        )
    vectors = np.asarray(training.images.reshape(len(training.images), -1), np.float32)
    both = nearest(np.concatenate([given, redrawn]).reshape(2 * len(given), -1).astype(np.float32), vectors)
    count = len(given)
    errors = np.sqrt(both.squares[:count] / vectors.shape[1])
    return NearestTraining(both.indices[:count], both.indices[count:], errors)
