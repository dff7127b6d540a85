"""What can be scored -- a run, a model file, a folder of pictures, an ``.npz`` -- as a way to draw images from it."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan import launch, origins
from fashion_gan.datasets import CLASS_NAMES, list_pictures, read_pixels
from fashion_gan.errors import InputError
from fashion_gan.files import DAMAGED
from fashion_gan.progress import bar
from fashion_gan.runs import Run

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32] | None

# What files that are damaged, or were made to do harm, make NumPy and zipfile raise.
UNREADABLE = (*DAMAGED, RuntimeError, NotImplementedError, MemoryError)

SIZE = 28  # of the images that the metrics know
_CLASS_IN_NAME = re.compile(r"_class_(\d)$")  # as `fashion-gan generate --format png` names its files


@dataclasses.dataclass(frozen=True)
class Source:
    """Images to be scored.

    Attributes:
        name: what the user called it.
        draw: (count, seed) -> images uint8 (count, 28, 28, 1), and int32 labels (count,) or None.
        available: how many there are; None where a generator draws as many as are asked for.
        labelled: whether ``draw`` gives labels.
        run: the run, where it is one.
        about: what else there is to say of it.
    """

    name: str
    draw: Callable[[int, int], tuple[Images, Labels]]
    available: int | None
    labelled: bool
    run: Run | None = None
    about: dict[str, Any] = dataclasses.field(default_factory=dict)


def open_source(path: str | Path, *, labels: str | Path | None = None, raw: bool = False, best: bool = False) -> Source:
    """Find out what a path holds, and read it.

    Args:
        path: a shipped model's name; a run's folder; a model file of ours; a folder of
            28×28 pictures, at its top or in a subfolder a class; or an ``.npz`` with "images" and perhaps "labels", or
            an ``.npy`` of images.
        labels: a file of one label an image, ``.npy`` or text, for images that do not carry them.
        raw, best: which weights of a run, see ``load_generator``.

    Raises:
        InputError: there is nothing there, or it cannot be read.
    """
    path = Path(path)
    is_run = path.is_dir() and (path / "config.json").is_file()
    if is_run or origins.is_shipped(path) or path.suffix.lower() in launch.MODEL_SUFFIXES:
        if labels is not None:
            raise InputError("labels are for images: a model is asked for its classes in turn")
        return _of_model(path, raw, best)
    if raw or best:
        raise InputError(f"raw and best choose among a run's weights, and {path} is no run")
    if path.is_dir():
        images, found = _read_folder(path)
    elif path.is_file():
        images, found = _read_arrays(path)
    else:
        raise InputError(f"{path} is neither a run, a model file, a folder of pictures nor an .npz: nothing is there")
    return of_images(str(path), images, found if labels is None else _read_labels(Path(labels)))


def of_images(name: str, images: Any, labels: Any = None) -> Source:
    """Images in memory, (N, 28, 28) or (N, 28, 28, 1), and perhaps their labels (N,)."""
    images = np.asarray(images)
    if not images.ndim:
        raise InputError(f"{name} holds no array of images but one value")
    if labels is not None and np.shape(labels) != (len(images),):
        raise InputError(f"{name}: {len(images)} images and labels of shape {np.shape(labels)}: there must be one each")

    def draw(count: int, seed: int) -> tuple[Images, Labels]:
        # At random: files are often in the order of their classes.
        chosen = np.random.default_rng(seed).permutation(len(images))[:count]
        return images[chosen], None if labels is None else np.asarray(labels)[chosen]

    return Source(name, draw, len(images), labels is not None)


def _of_model(path: Path, raw: bool, best: bool) -> Source:
    generator = launch.load_generator(path, raw=raw, best=best)
    ours = generator.class_names == CLASS_NAMES

    def draw(count: int, seed: int) -> tuple[Images, Labels]:
        return as_small(generator.generate(count, None, seed)), generator.labels(count) if ours else None

    if not path.is_dir():
        return Source(str(path), draw, None, ours)
    run = Run.open(path)
    step, _ = run.load_best() if best else run.load_checkpoint()
    about = {"weights": "raw" if raw else "averaged", "checkpoint": "best" if best else "newest", "step": step}
    if run.config.image_size > SIZE:
        about["drawn_at"] = run.config.image_size
    return Source(str(path), draw, None, ours, run, about)


def as_small(images: Images) -> Images:
    """The 28×28 pictures whose enlargement is nearest to the given ones, uint8 (N, H, W, C) with H = W.

    A network that draws 64×64 clothes has seen Fashion-MNIST enlarged, and is scored by undoing that: least squares
    give a real image back as it was, where the ordinary ways to make it smaller leave it blurred. Images of 28×28, and
    what is smaller or not square, come back as they are.
    """
    height, width = images.shape[1:3]
    if height != width or height <= SIZE:
        return images
    shrink = np.linalg.pinv(_enlargement(SIZE, height)).astype(np.float32)
    small = np.einsum("ij,njkc,lk->nilc", shrink, images.astype(np.float32), shrink, optimize=True)
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)


def _enlargement(small: int, large: int) -> npt.NDArray[np.float64]:
    """What training enlarges a row of pixels by: bilinear weights (large, small), pixels' middles at a half."""
    places = (np.arange(large) + 0.5) * small / large - 0.5
    return np.maximum(0.0, 1.0 - np.abs(np.clip(places, 0, small - 1)[:, None] - np.arange(small)))


def _read_arrays(path: Path) -> tuple[Any, Any]:
    try:
        with open(path, "rb") as file:
            found = np.load(file, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return found, None
            if "images" not in found.files:
                raise InputError(f'{path} holds {", ".join(found.files)}, and no array "images"')
            return found["images"], found["labels"] if "labels" in found.files else None
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(f"{path} cannot be read as an .npz or .npy of images: {error}") from error


def _read_labels(path: Path) -> npt.NDArray[Any]:
    try:
        with open(path, "rb") as file:
            is_npy = file.read(6) == b"\x93NUMPY"
        return np.load(path, allow_pickle=False) if is_npy else np.array(path.read_text().split(), np.int64)
    except UNREADABLE as error:
        raise InputError(f"{path} cannot be read as labels, a number from 0 to 9 for each image: {error}") from error


def _read_folder(folder: Path) -> tuple[Images, Labels]:
    classes = list_pictures(folder)
    paths = [path for found in classes.values() for path in found]
    images = [read_pixels(path) for path in bar(paths, f"reading {folder}", "pictures")]
    shapes = sorted({image.shape for image in images})
    if len(shapes) > 1:
        raise InputError(f"{folder} holds pictures of several sizes or kinds: {shapes[0]} and {shapes[-1]}")
    if "" in classes:
        numbers = [_CLASS_IN_NAME.search(path.stem) for path in paths]
        labels = None if None in numbers else np.array([int(found[1]) for found in numbers if found], np.int32)
    else:
        labels = np.repeat([_class_number(folder, name) for name in classes], [len(f) for f in classes.values()])
    return np.stack(images), labels


def _class_number(folder: Path, name: str) -> int:
    """A subfolder's class: its number, or its name with what a folder cannot be called left out."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    by_name = {re.sub(r"[^a-z0-9]", "", known.lower()): number for number, known in enumerate(CLASS_NAMES)}
    by_name |= {str(number): number for number in range(len(CLASS_NAMES))}
    if plain not in by_name:
        raise InputError(f"{folder / name} is not called as a class: a number from 0 to 9, or one of {CLASS_NAMES}")
    return by_name[plain]
