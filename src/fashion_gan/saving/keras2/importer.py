"""A generator in a Keras 2 file -> an ``.onnx`` file: latents (and labels) in, images in [-1, 1] out."""

import dataclasses
import json
import math
from pathlib import Path

import h5py
import keras
import numpy as np

from fashion_gan.arrays import JsonObject, KerasModel, Tensor
from fashion_gan.errors import InputError, one_line
from fashion_gan.latents import draw_latents
from fashion_gan.saving.export import save
from fashion_gan.saving.keras2.layers import Shape
from fashion_gan.saving.keras2.network import MODELS, NetworkBuilder, TrackedTensor, input_shapes
from fashion_gan.saving.keras2.weights import WeightReader
from fashion_gan.saving.model_files import CONFIG_ATTRIBUTE, predict_function
from fashion_gan.system.backends import seeded
from fashion_gan.version import __version__

MAX_FILE_BYTES = 1 << 30
MAX_ARCHITECTURE_BYTES = 4 << 20
MAX_LATENT_DIM = 1024
SMALLEST_SIDE, LARGEST_SIDE = 4, 1024  # pixels
MAX_CLASSES = 1000
MEASURED_IMAGES = 64  # to measure the range of the pixels
ACTIVATION_RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
USUAL_RANGES = ((0.0, 1.0), (-1.0, 1.0))  # of networks whose last activation does not tell the range
OVERSHOOT = 0.05  # Pixels may lie outside a usual range by this share of it. Pixels outside are clipped.
BYTE_RANGE = (0.0, 255.0)
# If the brightest pixel is above this, pixels are bytes. A maximum of 2, say, means another range, not dark images.
MIN_BYTE_MAXIMUM = 16.0


@dataclasses.dataclass(frozen=True)
class ImportedGenerator:
    """A generator that was imported from a Keras 2 file.

    Attributes:
        latent_dim: the length of a latent vector.
        class_names: the class numbers as text. Empty if the generator is unconditional.
        image_shape: the shape of an image, (H, W, C).
        pixel_range: the lowest and the highest pixel value of the network in the file. The import scales it to [-1, 1].
        largest_difference: the largest difference between a pixel drawn by Keras and by ONNX Runtime. Pixels are in
            [-1, 1].
    """

    latent_dim: int
    class_names: tuple[str, ...]
    image_shape: Shape
    pixel_range: tuple[float, float]
    largest_difference: float = 0.0

    def __repr__(self) -> str:
        size = "×".join(map(str, self.image_shape))
        lowest, highest = self.pixel_range
        return (
            f"<ImportedGenerator: latents of {self.latent_dim} numbers, {len(self.class_names) or 'no'} classes, "
            f"{size} images, pixels in [{lowest:.4g}, {highest:.4g}], difference {self.largest_difference:.1e}>"
        )

    def to_json(self) -> str:
        """The configuration in the ``.onnx`` file: what ``Generator.load`` needs.

        It has no other settings of a ``Config``, because they are not known.
        """
        return json.dumps(
            {"version": __version__, "latent_dim": self.latent_dim, "class_names": self.class_names}, indent=2
        )


def import_generator(path: str | Path, out: str | Path) -> ImportedGenerator:
    """Read a generator from an ``.h5`` file of Keras 2 or tf.keras, and write it as an ``.onnx`` file of fashion-gan.

    No code in the file is run. The architecture is read as text, and only layers from a fixed list are built. Each
    layer gets its weights from the file if they fit.

    Args:
        path: the file. It holds a whole Sequential or functional generator. The inputs are a latent vector and,
            if the generator is conditional, a class number. The output is an image.
        out: the ``.onnx`` file. It is replaced only if the import succeeds.

    Raises:
        InputError: the file holds no such generator, is damaged, or has a part that cannot be imported.
        OSError: ``out`` cannot be written.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} cannot be imported: there is no such file")
    try:
        model, imported = _read(path)
    except Exception as error:  # On a malicious file HDF5, JSON and Keras can raise almost any exception.
        # Messages of the libraries are for programmers. An InputError may quote a name from the file, with newlines.
        reason = one_line(error) if isinstance(error, InputError) else "it is damaged, or in another format"
        raise InputError(f"{path} cannot be imported: {reason}") from error
    return dataclasses.replace(imported, largest_difference=save(model, imported, "onnx", Path(out)))


def _read(path: Path) -> tuple[KerasModel, ImportedGenerator]:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"it is larger than {MAX_FILE_BYTES >> 30} GiB")
    if not h5py.is_hdf5(path):
        raise InputError("it is not an HDF5 file, as Keras's .h5 files are; pickles and code are not run")
    with h5py.File(path, "r") as file:
        return _convert(_read_architecture(file), WeightReader(file))


def _read_architecture(file: h5py.File) -> JsonObject:
    if CONFIG_ATTRIBUTE in file.attrs:
        raise InputError("fashion-gan wrote it: use fashion-gan export to write it as .onnx")
    text = file.attrs.get("model_config")
    if text is None:
        raise InputError("it holds no architecture (model_config): save the whole model, not only its weights")
    if len(text) > MAX_ARCHITECTURE_BYTES:
        raise InputError(f"its architecture is a text of over {MAX_ARCHITECTURE_BYTES >> 20} MB")
    model: JsonObject = json.loads(text)
    if model["class_name"] not in MODELS:
        raise InputError(
            f"its model is of class {str(model['class_name'])[:60]}, but only Sequential and functional models can be "
            "imported: code in a file is not run"
        )
    return model


@seeded(0)  # Layers draw their initial weights, which are replaced.
def _convert(architecture: JsonObject, weights: WeightReader) -> tuple[KerasModel, ImportedGenerator]:
    shapes = input_shapes(architecture)
    is_conditional = _is_conditional(shapes)
    latent_shape = max(shapes, key=math.prod)
    latent_dim = _latent_dim(latent_shape)
    latents, labels = keras.Input((latent_dim,), name="latents"), keras.Input((), dtype="int32", name="labels")
    network_inputs = [
        TrackedTensor(_reshape(latents, shape))
        if shape == latent_shape
        else TrackedTensor(_reshape(labels, shape), is_label=True)
        for shape in shapes
    ]
    builder = NetworkBuilder(weights)
    output = builder.call(architecture, network_inputs)
    images = _as_images(output.tensor)
    image_shape = tuple(images.shape[1:])
    if math.prod(image_shape) == latent_dim:
        raise InputError(
            f"its input and its output both have {latent_dim} numbers: it transforms images, and is not a generator"
        )
    inputs = [latents, labels] if is_conditional else latents
    class_names = _class_names(builder.embedding_rows) if is_conditional else ()
    measured_range = _measure_range(keras.Model(inputs, images), latent_dim, len(class_names))
    pixel_range = ACTIVATION_RANGES.get(output.activation) or _usual_range(*measured_range)
    model = keras.Model(inputs, _rescale_pixels(images, *pixel_range))
    return model, ImportedGenerator(latent_dim, class_names, image_shape, pixel_range)


def _latent_dim(shape: Shape) -> int:
    latent_dim = math.prod(shape)
    if shape not in ((latent_dim,), (1, 1, latent_dim)):
        raise InputError(
            f"its input has shape {shape}, but a generator's input is a vector: the network may take images"
        )
    if latent_dim > MAX_LATENT_DIM:
        raise InputError(f"its latents have {latent_dim} numbers, but at most {MAX_LATENT_DIM} can be imported")
    return latent_dim


def _reshape(tensor: Tensor, shape: Shape) -> Tensor:
    """(N, …) -> (N, *shape). A tensor that has the shape already is returned unchanged."""
    return tensor if tuple(tensor.shape[1:]) == shape else keras.layers.Reshape(shape)(tensor)


def _is_conditional(shapes: list[Shape]) -> bool:
    if len(shapes) == 1:
        return False
    if len(shapes) == 2 and sorted(shape in ((), (1,)) for shape in shapes) == [False, True]:
        return True
    raise InputError(
        f"its inputs have shapes {shapes}, but only a latent vector, with or without a class number, can be imported"
    )


def _class_names(embedding_rows: list[int]) -> tuple[str, ...]:
    if len(embedding_rows) != 1 or not 0 < embedding_rows[0] <= MAX_CLASSES:
        raise InputError(
            f"its labels need one Embedding layer of at most {MAX_CLASSES} classes, but it has Embedding layers of "
            f"{embedding_rows} classes"
        )
    return tuple(map(str, range(embedding_rows[0])))


def _as_images(tensor: Tensor) -> Tensor:
    """Reshape an output to (N, H, W, C), from (N, H, W) or from (N, H·H) of square gray images."""
    shape = tuple(tensor.shape[1:])
    if len(shape) == 2:
        shape = (*shape, 1)
    elif len(shape) == 1 and (side := math.isqrt(shape[0])) ** 2 == shape[0]:
        shape = (side, side, 1)
    if (
        len(shape) != 3
        or shape[-1] not in (1, 3)
        or not all(SMALLEST_SIDE <= length <= LARGEST_SIDE for length in shape[:2])
    ):
        raise InputError(
            f"its output has shape {shape}, which is not an image: it must be height × width × 1 or 3, with "
            f"{SMALLEST_SIDE} to {LARGEST_SIDE} pixels a side"
        )
    return _reshape(tensor, shape)


def _measure_range(model: KerasModel, latent_dim: int, classes: int) -> tuple[float, float]:
    """The lowest and the highest pixel of 64 images. Raises InputError if they are not finite, or equal."""
    latents = draw_latents(MEASURED_IMAGES, latent_dim, seed=0)
    labels = np.arange(MEASURED_IMAGES, dtype=np.int32) % max(classes, 1)
    images = predict_function(model)([latents, labels] if classes else latents)
    lowest, highest = float(images.min()), float(images.max())
    if not math.isfinite(highest - lowest):
        raise InputError("it draws pixels that are not finite")
    if lowest == highest:
        raise InputError(f"all pixels that it draws are {lowest:g}")
    return lowest, highest


def _usual_range(lowest: float, highest: float) -> tuple[float, float]:
    """The usual range that contains the measured pixels, or the measured range if none does."""
    for low, high in USUAL_RANGES:
        overshoot = OVERSHOOT * (high - low)
        if low - overshoot <= lowest and highest <= high + overshoot:
            return low, high
    if BYTE_RANGE[0] <= lowest and MIN_BYTE_MAXIMUM < highest <= BYTE_RANGE[1]:
        return BYTE_RANGE
    return lowest, highest


def _rescale_pixels(images: Tensor, lowest: float, highest: float) -> Tensor:
    """Scale pixels from [lowest, highest] to [-1, 1]."""
    if (lowest, highest) == (-1.0, 1.0):
        return images
    scale = 2.0 / (highest - lowest)
    return keras.layers.Rescaling(scale, offset=-1.0 - lowest * scale)(images)
