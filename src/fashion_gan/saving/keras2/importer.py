"""A generator in a file of Keras 2 or Keras 3 -> an ``.onnx`` file: latents (and labels) in, images in [-1, 1] out."""

import dataclasses
import io
import json
import math
import tempfile
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

from fashion_gan.arrays import JsonObject, KerasModel, Tensor
from fashion_gan.config import Config
from fashion_gan.errors import InputError, one_line
from fashion_gan.latents import draw_latents
from fashion_gan.networks import build_generator_for_weights
from fashion_gan.saving.export import save
from fashion_gan.saving.hdf5 import copy_plain
from fashion_gan.saving.keras2.architecture import MODELS, input_shapes, layer_name, split_combined
from fashion_gan.saving.keras2.inputs import GeneratorInputs, reshape
from fashion_gan.saving.keras2.layers import Shape
from fashion_gan.saving.keras2.network import NetworkBuilder
from fashion_gan.saving.keras2.weights import Keras2Weights, Keras3Weights, WeightReader
from fashion_gan.saving.model_files import (
    CONFIG_ATTRIBUTE,
    CONFIG_MEMBER,
    WEIGHTS_MEMBER,
    check_readable,
    load_plain_weights,
    predict_function,
    read_member,
)
from fashion_gan.system.backends import network_errors, seeded
from fashion_gan.version import __version__

ARCHITECTURE_MEMBER = "config.json"  # in a .keras file
OWN_FILE = "fashion-gan wrote it: use fashion-gan export to write it as .onnx"
MAX_FILE_BYTES = 1 << 30
MAX_ARCHITECTURE_BYTES = 4 << 20
SMALLEST_SIDE, LARGEST_SIDE = 4, 1024  # pixels
MAX_REASON = 200  # characters of Keras's message
MEASURED_IMAGES = 64  # to measure the range of the pixels
ACTIVATION_RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
USUAL_RANGES = ((0.0, 1.0), (-1.0, 1.0))  # of networks whose last activation does not tell the range
OVERSHOOT = 0.05  # Pixels may lie outside a usual range by this share of it. Pixels outside are clipped.
BYTE_RANGE = (0.0, 255.0)
# If the brightest pixel is above this, pixels are bytes. A maximum of 2, say, means another range, not dark images.
MIN_BYTE_MAXIMUM = 16.0


@dataclasses.dataclass(frozen=True)
class ImportedGenerator:
    """A generator that was imported from a file of Keras.

    Attributes:
        latent_dim: the length of a latent vector.
        class_names: the class numbers as text. Empty if the generator is unconditional.
        image_shape: the shape of an image, (H, W, C).
        pixel_range: the lowest and the highest pixel value of the network in the file. The import scales it to [-1, 1].
        part: the name of the generator in the file's model, if a discriminator follows it there. Otherwise "".
        largest_difference: the largest difference between a pixel drawn by Keras and by ONNX Runtime. Pixels are in
            [-1, 1].
    """

    latent_dim: int
    class_names: tuple[str, ...]
    image_shape: Shape
    pixel_range: tuple[float, float]
    part: str = ""
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


def import_generator(
    path: str | Path, out: str | Path, *, classes: int | None = None, like: str | None = None
) -> ImportedGenerator:
    """Read a generator from a file of Keras, and write it as an ``.onnx`` file of fashion-gan.

    No code in the file is run. The architecture is read as text, and only layers from a fixed list are built. Each
    layer gets its weights from the file if they fit.

    Args:
        path: an ``.h5`` file of Keras 2, tf.keras or Keras 3, or a ``.keras`` file. It holds a whole Sequential or
            functional generator, or a generator with a discriminator after it. The inputs are a latent vector and, if
            the generator is conditional, a class: a number, or a one-hot vector. The output is an image.
        out: the ``.onnx`` file. It is replaced only if the import succeeds.
        classes: the number of classes, if a one-hot vector of that length is an input, or follows the latents in the
            only input. None: there is no such vector.
        like: a preset whose generator the file holds the weights of, if it holds only weights.

    Raises:
        InputError: the file holds no such generator, is damaged, or has a part that cannot be imported.
        OSError: ``out`` cannot be written.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} cannot be imported: there is no such file")
    check_readable(path)
    try:
        model, imported = _read(path, classes) if like is None else _read_weights(path, like, classes)
    except network_errors() as error:
        # Messages of the libraries are for programmers. An InputError may quote a name from the file, with newlines.
        reason = one_line(error) if isinstance(error, InputError) else "it is damaged, or in another format"
        raise InputError(f"{path} cannot be imported: {reason}") from error
    return dataclasses.replace(imported, largest_difference=save(model, imported, "onnx", Path(out)))


def _read(path: Path, classes: int | None) -> tuple[KerasModel, ImportedGenerator]:
    """Read a file that holds a whole model."""
    _check_size(path)
    with h5py.File(io.BytesIO(), "w") as copy:
        if zipfile.is_zipfile(path):
            architecture = _read_archive(path, copy)
            return _convert(architecture, Keras3Weights(copy, architecture), classes)
        if not h5py.is_hdf5(path):
            raise InputError("it is neither an .h5 nor a .keras file of Keras; pickles and code are not run")
        copy_plain(path, copy)
        return _convert(_read_architecture(copy), Keras2Weights(copy), classes)


def _read_weights(path: Path, like: str, classes: int | None) -> tuple[KerasModel, ImportedGenerator]:
    """Read the weights of a preset's generator. Its width, latents and channels may differ from the preset's."""
    _check_size(path)
    if not h5py.is_hdf5(path):
        raise InputError("it is not an .h5 file of weights")
    class_names = tuple(map(str, range(classes or 0)))
    config = Config.from_preset(like, conditional=bool(classes), class_names=class_names)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.h5"
        with h5py.File(plain, "w", locking=False) as copy:
            copy_plain(path, copy)
            rows, columns = _largest_matrix(copy)
            # Keras 3 has a group "layers", and Keras 2 a group for each layer. Keras reads the layout from the name.
            name = WEIGHTS_MEMBER if "layers" in copy else "model.h5"
        plain = plain.rename(plain.with_name(name))
        network = build_generator_for_weights(config)
        matrices = [variable.shape for variable in network.variables if len(variable.shape) == 2]
        preset_rows, preset_columns = max(matrices, key=math.prod)
        latent_dim = config.latent_dim + rows - preset_rows
        base_channels = max(config.base_channels * columns // preset_columns, 1)
        for channels in (1, 3):
            try:
                changes = {"latent_dim": latent_dim, "base_channels": base_channels, "channels": channels}
                model = build_generator_for_weights(dataclasses.replace(config, **changes))
                load_plain_weights(model, plain)
            except (ValueError, LookupError) as error:
                reason = one_line(error)[:MAX_REASON]
            else:
                return model, ImportedGenerator(latent_dim, class_names, tuple(model.output_shape[1:]), (-1.0, 1.0))
    raise InputError(f"its weights do not fit the generator of preset {like}: {reason}")


def _largest_matrix(file: h5py.File) -> Shape:
    """The shape of the largest kernel of a dense layer: in every preset, that of the layer that takes the latents.

    Raises InputError if the file holds none.
    """
    shapes: list[Shape] = []

    def add(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and len(item.shape) == 2:
            shapes.append(item.shape)

    file.visititems(add)
    if not shapes:
        raise InputError("it holds no weights of a generator")
    return max(shapes, key=math.prod)


def _check_size(path: Path) -> None:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"it is larger than {MAX_FILE_BYTES >> 30} GiB")


def _read_archive(path: Path, copy: h5py.File) -> JsonObject:
    """The architecture in a ``.keras`` file. Its weights are copied."""
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        if CONFIG_MEMBER in archive.namelist():
            raise InputError(OWN_FILE)
        if not {ARCHITECTURE_MEMBER, WEIGHTS_MEMBER} <= set(archive.namelist()):
            raise InputError(f"it is not a .keras file: it lacks {ARCHITECTURE_MEMBER} or {WEIGHTS_MEMBER}")
        text = read_member(archive, ARCHITECTURE_MEMBER, MAX_ARCHITECTURE_BYTES).decode()
        stored = Path(folder) / "stored.h5"
        stored.write_bytes(read_member(archive, WEIGHTS_MEMBER, MAX_FILE_BYTES))
        copy_plain(stored, copy)
    return _parse_architecture(text)


def _read_architecture(file: h5py.File) -> JsonObject:
    if CONFIG_ATTRIBUTE in file.attrs:
        raise InputError(OWN_FILE)
    text = file.attrs.get("model_config")
    if text is None:
        raise InputError("it holds no architecture (model_config), only weights: name their preset with like (--like)")
    return _parse_architecture(text)


def _parse_architecture(text: str) -> JsonObject:
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
def _convert(
    architecture: JsonObject, weights: WeightReader, classes: int | None
) -> tuple[KerasModel, ImportedGenerator]:
    """Build the generator that an architecture describes, with pixels in [-1, 1]."""
    generator = split_combined(architecture) or architecture
    is_part = generator is not architecture
    shapes = input_shapes(generator)
    inputs = GeneratorInputs.of(shapes, classes)
    builder = NetworkBuilder(weights)
    output = builder.call(generator, inputs.tensors, (layer_name(generator),) if is_part else ())
    images = _as_images(output.tensor)
    image_shape = tuple(images.shape[1:])
    if math.prod(image_shape) == inputs.latent_dim:
        raise InputError(
            f"its input and its output both have {inputs.latent_dim} numbers: it transforms images, and is not a "
            "generator"
        )
    class_names = inputs.class_names(builder.embedding_rows)
    measured_range = _measure_range(keras.Model(inputs.network_inputs, images), inputs.latent_dim, len(class_names))
    pixel_range = ACTIVATION_RANGES.get(output.activation) or _usual_range(*measured_range)
    model = keras.Model(inputs.network_inputs, _rescale_pixels(images, *pixel_range))
    part = layer_name(generator) if is_part else ""
    return model, ImportedGenerator(inputs.latent_dim, class_names, image_shape, pixel_range, part)


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
    return reshape(tensor, shape)


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
