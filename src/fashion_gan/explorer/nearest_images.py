"""Find the training images nearest to a picture, so that users can see whether the generator memorized it."""

import base64
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fashion_gan.arrays import Images, JsonObject, Picture, Vectors
from fashion_gan.config import IN_MEMORY
from fashion_gan.datasets import (
    IMAGE_SHAPE,
    TRAINING_FINGERPRINT,
    PictureOptions,
    load_training_images,
    local_folder,
)
from fashion_gan.datasets.mapped_images import is_mapped
from fashion_gan.errors import InputError
from fashion_gan.rendering.resize import resize_matrix
from fashion_gan.runs import Run

MAX_SHOWN = 6
FAILURE_WAIT_SECONDS = 0.05
_BLOCK_SIZE = 4096  # images that are resized at once, which bounds the memory

Find: TypeAlias = Callable[[Picture], JsonObject]


class NearestImages:
    """Finds training images that are similar to a picture. A background thread loads them at the first request.

    Args:
        run: the run that the pictures come from, if any. It names the training data.
        shipped: whether the pictures come from a shipped model. Those were trained on Fashion-MNIST.
    """

    def __init__(self, run: Run | None, *, shipped: bool = False) -> None:
        self._run, self._shipped = run, shipped
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._failure = ""
        self._find: Find | None = None

    def answer(self, image: Picture) -> JsonObject:
        """Find the training images nearest to a picture.

        Args:
            image: uint8 (H, W, C).

        Returns:
            What the page shows: "message", "again" (whether to ask again soon), and if there are images, their
            "numbers", "distances" and "pixels".
        """
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._load, daemon=True)
                self._thread.start()
            self._thread.join(FAILURE_WAIT_SECONDS)  # An immediate failure is reported in this answer.
            if self._thread.is_alive():
                return {"message": "The training images are being loaded.", "again": True}
            if self._find is None:
                self._thread = None  # The next request tries again: the data may be there by then.
                return {"message": self._failure, "again": False}
        try:
            return self._find(image)
        except Exception as error:  # The rest of the page works without this.
            return {"message": f"the training images cannot be compared with this picture: {error}", "again": False}

    def _load(self) -> None:
        try:
            self._find = self._load_finder()
        except InputError as error:
            self._failure = str(error)
        except Exception as error:  # An exception in a thread reaches nobody else.
            self._failure = f"the training images cannot be read: {error}"

    def _load_finder(self) -> Find:
        if self._run is None:
            if not self._shipped:
                raise InputError("this model's training images are unknown: open its run's folder to see them")
            return _fashion_mnist_finder(local_folder(), None)
        config = self._run.config
        if self._run.data_fingerprint == TRAINING_FINGERPRINT:
            folder = local_folder() or (None if config.data == IN_MEMORY else config.data)
            return _fashion_mnist_finder(folder, config.image_size)
        if config.data in (None, IN_MEMORY):
            raise InputError(f"{self._run.path} does not record its training images")
        options = PictureOptions.from_config(config)
        dataset = load_training_images(config.data, config.image_size, config.channels, **vars(options))
        if dataset.fingerprint != self._run.data_fingerprint:
            raise InputError(f"{config.data} does not hold the images that this run was trained on")
        if is_mapped(dataset.images):
            raise InputError("the training images are too many to be compared in memory")
        return _pixel_finder(dataset.images, config.image_size)


def _fashion_mnist_finder(folder: str | Path | None, image_size: int | None) -> Find:
    """Compare by features. Pictures below 28×28 are compared by pixels."""
    from fashion_gan.metrics.checks import as_small
    from fashion_gan.metrics.features import extract
    from fashion_gan.metrics.reference import Reference

    if folder is None:
        raise InputError("Fashion-MNIST is not on this computer: `fashion-gan data` fetches it")
    reference = Reference.load(folder)
    images = reference.train.images
    if image_size is not None and image_size < IMAGE_SHAPE[0]:
        return _pixel_finder(images, image_size)

    def embed(pictures: Images) -> Vectors:
        return extract(as_small(_to_gray(pictures))).vectors

    return _vector_finder(images, reference.train_features.vectors, embed, "features")


def _pixel_finder(images: Images, image_size: int) -> Find:
    """Compare pixels at the smaller size of the training images and the drawn pictures."""
    size, channels = min(image_size, images.shape[1]), images.shape[-1]

    def embed(pictures: Images) -> Vectors:
        resized = _resize(pictures if pictures.shape[-1] == channels else _to_gray(pictures), size)
        return resized.reshape(len(resized), -1).astype(np.float32) / np.float32(255)

    return _vector_finder(images, embed(images), embed, "pixels")


def _vector_finder(images: Images, vectors: Vectors, embed: Callable[[Images], Vectors], space: str) -> Find:
    """Compare by Euclidean distance between vectors.

    Args:
        images: the training images, uint8 (N, H, W, C).
        vectors: their vectors, (N, D).
        embed: computes the vectors of pictures.
        space: what the vectors hold, for the message.
    """
    squared_norms = np.einsum("nd,nd->n", vectors, vectors)

    def find(image: Picture) -> JsonObject:
        vector = embed(image[np.newaxis])[0]
        distances = squared_norms - 2 * (vectors @ vector) + vector @ vector
        nearest = np.argpartition(distances, min(MAX_SHOWN, len(images) - 1))[:MAX_SHOWN]
        nearest = nearest[np.argsort(distances[nearest])]
        return {
            "message": f"The nearest of {len(images):,} training images, closest first, compared by {space}.",
            "again": False,
            "numbers": nearest.tolist(),
            "distances": np.sqrt(np.maximum(distances[nearest], 0)).tolist(),
            "pixels": base64.b64encode(_match_shape(images[nearest], image.shape).tobytes()).decode(),
        }

    return find


def _to_gray(images: Images) -> Images:
    return np.rint(images.mean(axis=-1, keepdims=True)).astype(np.uint8)


def _resize(images: Images, size: int) -> Images:
    """Resize images (N, H, W, C) to (N, size, size, C) by linear interpolation, without aliasing."""
    height, width = images.shape[1:3]
    if (height, width) == (size, size):
        return images
    rows, columns = (resize_matrix(length, size).astype(np.float32) for length in (height, width))
    resized = np.empty((len(images), size, size, images.shape[-1]), np.uint8)
    for start in range(0, len(images), _BLOCK_SIZE):
        block = images[start : start + _BLOCK_SIZE].astype(np.float32)
        resized[start : start + _BLOCK_SIZE] = np.rint(
            np.einsum("ih,nhwc,jw->nijc", rows, block, columns, optimize=True)
        )
    return resized


def _match_shape(images: Images, shape: tuple[int, ...]) -> Images:
    """Return images in the size and channels of ``shape`` (H, W, C), by the nearest pixel."""
    rows, columns = (np.arange(new) * old // new for new, old in zip(shape[:2], images.shape[1:3], strict=True))
    return np.broadcast_to(images[:, rows][:, :, columns], (len(images), *shape))
