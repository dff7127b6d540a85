"""An encoder's ``.onnx`` file: pictures -> the latents, and the class, from which a search for them starts."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from fashion_gan.arrays import FloatImages, JsonObject, Labels, Latents, Shape
from fashion_gan.errors import InputError, one_line
from fashion_gan.system import onnx_guard
from fashion_gan.system.onnx_predict import OnnxPredict

KEY = "fashion_gan_encoder"  # in the file's metadata: how it was trained, and the errors that were measured
INPUT_NAMES = ("images",)
BATCH_SIZE = 32


@dataclasses.dataclass(frozen=True, eq=False)
class Encoder:
    """An encoder.

    Attributes:
        network: images (N, H, W, C) in [-1, 1] -> latents (N, latent_dim) and, if it knows classes, their logits.
        about: how it was trained, and the errors that were measured.
    """

    network: OnnxPredict
    about: JsonObject

    @property
    def median_error(self) -> float | None:
        """The median error of held-out real pictures that are projected, in gray levels. None if it is not known."""
        error = self.about.get("median_error")
        return float(error) if isinstance(error, (int, float)) else None

    def encode(self, images: FloatImages) -> tuple[Latents, Labels | None]:
        """The latents of pictures, and their classes. None if the encoder knows no classes."""
        parts = [
            self.network.outputs(images[start : start + BATCH_SIZE]) for start in range(0, len(images), BATCH_SIZE)
        ]
        latents, *logits = (np.concatenate(part) for part in zip(*parts, strict=True))
        return latents, logits[0].argmax(axis=1).astype(np.int32) if logits else None


def _errors() -> tuple[type[Exception], ...]:
    """What reading a file that is no encoder raises."""
    return (OSError, KeyError, RecursionError, *onnx_guard.errors())


def open_encoder(path: Path, image_shape: Shape, latent_dim: int, classes: int) -> Encoder:
    """Open an encoder's file.

    Args:
        path: the file.
        image_shape: height, width and channels of the generator's images.
        latent_dim: the length of its latents.
        classes: the number of its classes. 0 if it is unconditional.

    Raises:
        InputError: the file cannot be read, fashion-gan did not write it, or it is the encoder of another generator.
    """
    try:
        if path.stat().st_size > onnx_guard.MAX_FILE_BYTES:
            raise InputError(f"it is larger than {onnx_guard.MAX_FILE_BYTES >> 30} GiB")
        content = path.read_bytes()
        session = onnx_guard.open_plain(content)
        about = json.loads(session.get_modelmeta().custom_metadata_map[KEY])
        if not isinstance(about, dict) or tuple(value.name for value in session.get_inputs()) != INPUT_NAMES:
            raise InputError("fashion-gan did not write it")
        guard = onnx_guard.Guard()
        example = np.zeros((2, *image_shape), np.float32)
        shapes = [output.shape for output in guard.probe(session, {INPUT_NAMES[0]: example})]
    except _errors() as error:
        reason = one_line(error) if isinstance(error, (InputError, OSError)) else "it is damaged, or of another kind"
        raise InputError(f"{path} cannot be read as an encoder: {reason}") from error
    if shapes != [(2, latent_dim), *([(2, classes)] if classes else [])]:
        raise InputError(f"{path} is the encoder of another generator: train it again with fashion-gan train-encoder")
    return Encoder(OnnxPredict(content, guard.seconds_per_image, INPUT_NAMES), about)
