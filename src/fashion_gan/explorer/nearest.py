"""A picture -> the training images that are most like it, so that what was learnt by heart can be seen."""

import base64
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.datasets import CLASS_NAMES, Dataset, load_training_images, local_folder
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.runs import Run

SHOWN = 6

Images = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float32]


class NearestImages:
    """The training images, got ready in the background when they are first asked for.

    Args:
        generator: what draws.
        run: the run that it comes from, if any, for the data that it was trained on.
    """

    def __init__(self, generator: Generator, run: Run | None) -> None:
        self._generator, self._run = generator, run
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
        if self._find is not None:
            return self._find(image)
        if self._failure:
            return {"message": self._failure, "again": False}
        return {"message": "The training images are being read.", "again": True}

    def _get_ready(self) -> None:
        try:
            self._find = self._finder()
        except InputError as error:
            self._failure = str(error)
        except Exception as error:  # In a thread nobody else would tell of it.
            self._failure = f"the training images cannot be read: {error}"

    def _finder(self) -> Callable[[Images], dict[str, Any]]:
        dataset = self._own_pictures()
        if dataset is not None:
            return _finder(dataset.images, _pixels(dataset.images), _pixels, "pixels")
        from fashion_gan.metrics.features import extract
        from fashion_gan.metrics.reference import Reference
        from fashion_gan.sources import as_small

        folder = local_folder()
        if folder is None:
            raise InputError("Fashion-MNIST is not on this computer: `fashion-gan data` fetches it")
        reference = Reference.load(folder)
        vectors = reference.train_features.vectors
        return _finder(reference.train.images, vectors, lambda images: extract(as_small(images)).vectors, "features")

    def _own_pictures(self) -> Dataset | None:
        """What the run was trained on, where that is not Fashion-MNIST."""
        if self._run is not None and self._run.config.data:
            config = self._run.config
            dataset = load_training_images(config.data, config.image_size, config.channels)
            if dataset.class_names != CLASS_NAMES:
                return dataset
        elif self._generator.class_names not in ((), CLASS_NAMES):
            raise InputError("this model's own training images are not known: open its run's folder to see them")
        return None


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


def _pixels(images: Images) -> Vectors:
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def _like(images: Images, shape: tuple[int, ...]) -> Images:
    """Images in the size and the channels of another, the nearest pixel for each."""
    rows, columns = (np.arange(new) * old // new for new, old in zip(shape[:2], images.shape[1:3], strict=True))
    return np.broadcast_to(images[:, rows][:, :, columns], (len(images), *shape))
