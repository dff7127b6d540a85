"""A picture -> the training images that are most like it, so that what was learnt by heart can be seen."""

import base64
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fashion_gan.datasets import load_training_images, local_folder
from fashion_gan.errors import InputError
from fashion_gan.runs import Run

SHOWN = 6
SOON_SECONDS = 0.05
FASHION_MNIST = "76704e3cd579f18220850c5b89d8de54ba3b661eb231367c7621b287b1171569"  # its training set's fingerprint

Images = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]


class NearestImages:
    """The training images, got ready in the background when they are first asked for.

    Args:
        run: the run that the pictures come from, if any, for the data that it was trained on.
        shipped: whether they come from a shipped model; those were trained on Fashion-MNIST.
    """

    def __init__(self, run: Run | None, *, shipped: bool = False) -> None:
        self._run, self._shipped = run, shipped
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._failure = ""
        self._find: Callable[[Images], dict[str, Any]] | None = None

    def answer(self, image: Images) -> dict[str, Any]:
        """What a page shows of an image (H, W, C): "message", "again" if it may ask soon, and the nearest images."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._get_ready, daemon=True)
                self._thread.start()
            self._thread.join(SOON_SECONDS)  # What fails at once is told at once.
            if self._thread.is_alive():
                return {"message": "The training images are being read.", "again": True}
            if self._find is None:
                self._thread = None  # What was missing may be there when it is asked for again.
                return {"message": self._failure, "again": False}
        try:
            return self._find(image)
        except Exception as error:  # The rest of the page has no need of this.
            return {"message": f"the training images cannot be compared with this picture: {error}", "again": False}

    def _get_ready(self) -> None:
        try:
            self._find = self._finder()
        except InputError as error:
            self._failure = str(error)
        except Exception as error:  # In a thread nobody else would tell of it.
            self._failure = f"the training images cannot be read: {error}"

    def _finder(self) -> Callable[[Images], dict[str, Any]]:
        if self._run is None:
            if not self._shipped:
                raise InputError("this model's training images are not known: open its run's folder to see them")
            return _among_fashion_mnist(local_folder(), None)
        config = self._run.config
        if self._run.data_fingerprint == FASHION_MNIST:
            return _among_fashion_mnist(local_folder() or config.data, config.image_size)
        if config.data is None:
            raise InputError(f"{self._run.path} does not say which images it was trained on")
        dataset = load_training_images(config.data, config.image_size, config.channels)
        if dataset.fingerprint != self._run.data_fingerprint:
            raise InputError(f"{config.data} holds other images than this run was trained on")
        return _by_pixels(dataset.images, config.image_size)


def _among_fashion_mnist(folder: str | Path | None, image_size: int | None) -> Callable[[Images], dict[str, Any]]:
    """By features where the pictures have the size for them or more, and else by pixels."""
    from fashion_gan.metrics.features import extract
    from fashion_gan.metrics.reference import Reference
    from fashion_gan.sources import SIZE, as_small

    if folder is None:
        raise InputError("Fashion-MNIST is not on this computer: `fashion-gan data` fetches it")
    reference = Reference.load(folder)
    images = reference.train.images
    if image_size is not None and image_size < SIZE:
        return _by_pixels(images, image_size)
    return _finder(
        images, reference.train_features.vectors, lambda drawn: extract(as_small(_grey(drawn))).vectors, "features"
    )


def _by_pixels(images: Images, image_size: int) -> Callable[[Images], dict[str, Any]]:
    """At the smaller one of the sizes of the training images and of what is drawn."""
    size, channels = min(image_size, images.shape[1]), images.shape[-1]

    def embed(images: Images) -> Vectors:
        same = _resized(images if images.shape[-1] == channels else _grey(images), size)
        return same.reshape(len(same), -1).astype(np.float32) / np.float32(255)

    return _finder(images, embed(images), embed, "pixels")


def _finder(
    images: Images, vectors: Vectors, embed: Callable[[Images], Vectors], what: str
) -> Callable[[Images], dict[str, Any]]:
    squares = np.einsum("nd,nd->n", vectors, vectors)

    def find(image: Images) -> dict[str, Any]:
        vector = embed(image[np.newaxis])[0]
        distances = squares - 2 * (vectors @ vector) + vector @ vector
        first = np.argpartition(distances, min(SHOWN, len(images) - 1))[:SHOWN]
        first = first[np.argsort(distances[first])]
        found = _like(images[first], image.shape)
        return {
            "message": f"The most alike of {len(images):,}, by their {what}; the nearest first.",
            "again": False,
            "numbers": first.tolist(),
            "distances": np.sqrt(np.maximum(distances[first], 0)).tolist(),
            "pixels": base64.b64encode(found.tobytes()).decode(),
        }

    return find


def _grey(images: Images) -> Images:
    return np.rint(images.mean(axis=-1, keepdims=True)).astype(np.uint8)


def _resized(images: Images, size: int) -> Images:
    """Images (N, H, W, C) as (N, size, size, C), bilinear and smoothed, as training makes them smaller."""
    if images.shape[1:3] == (size, size):
        return images
    shown = [Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image) for image in images]
    small = [np.asarray(image.resize((size, size), Image.Resampling.BILINEAR)) for image in shown]
    return np.stack(small).reshape(len(images), size, size, -1)


def _like(images: Images, shape: tuple[int, ...]) -> Images:
    """Images in the size and the channels of another, the nearest pixel for each."""
    rows, columns = (np.arange(new) * old // new for new, old in zip(shape[:2], images.shape[1:3], strict=True))
    return np.broadcast_to(images[:, rows][:, :, columns], (len(images), *shape))
