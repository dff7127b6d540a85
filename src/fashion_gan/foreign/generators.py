"""A foreign file's network -> a generator of ours: latents (and labels) in, images in [-1, 1] out, as ONNX."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from fashion_gan import export
from fashion_gan.errors import InputError
from fashion_gan.foreign.network import MODELS, Network, Value, input_shapes
from fashion_gan.foreign.weights import Weights
from fashion_gan.latents import draw_latents

MOST_BYTES = 1 << 30  # of a file
MOST_TEXT = 4 << 20  # of its architecture
LONGEST_LATENT = 1024
MEASURED_IMAGES = 64
SMALLEST_SIDE, LARGEST_SIDE = 4, 1024
MOST_CLASSES = 1000
RANGES = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
USUAL_RANGES = ((0.0, 1.0), (-1.0, 1.0))  # of networks whose last layer does not tell
OVERSHOOT = 0.05  # how far beyond these pixels may lie, as a share of the range; what does is cut off
BYTES = (0.0, 255.0)
LEAST_OF_BYTES = 16.0  # what the brightest pixel must be above: 2, say, is no dark picture but another range


@dataclasses.dataclass(frozen=True)
class Imported:
    """What is known of an imported generator.

    Attributes:
        latent_dim: length of a latent.
        class_names: the classes' numbers, as texts; empty if unconditional.
        shape: of an image, (H, W, C).
        lowest, highest: the range of its pixels, as the file's network makes them.
        difference: the largest of a pixel in [-1, 1] between Keras and ONNX Runtime.
    """

    latent_dim: int
    class_names: tuple[str, ...]
    shape: tuple[int, ...] = ()
    lowest: float = -1.0
    highest: float = 1.0
    difference: float = 0.0

    def to_json(self) -> str:
        """What ``Generator.load`` needs to know, and all that is known: no setting of a run of ours fits."""
        return json.dumps({"latent_dim": self.latent_dim, "class_names": self.class_names})


def import_generator(path: str | Path, out: str | Path) -> Imported:
    """Read a generator that Keras 2 or tf.keras saved as ``.h5``, and write it as an ``.onnx`` file of ours.

    Nothing in the file is run: its architecture is read as text, built from a list of plain layers, and given the
    file's weights where they fit.

    Args:
        path: a Sequential or functional generator: a latent vector, and perhaps a class's number, in; an image out.
        out: the ``.onnx`` file; it is left as it was unless all goes well.

    Raises:
        InputError: the file is not such a generator, is damaged, or holds what cannot be imported.
        OSError: ``out`` cannot be written.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} cannot be imported: there is no such file")
    try:
        model, imported = _read(path)
    except Exception as error:  # A hostile file can make HDF5, JSON and Keras raise almost anything.
        # What they say is for programmers; what is ours may hold a name from the file.
        reason = " ".join(str(error).split()) if isinstance(error, InputError) else "it is damaged, or not plain"
        raise InputError(f"{path} cannot be imported: {reason}") from error
    return dataclasses.replace(imported, difference=export.save(model, imported, "onnx", Path(out)))


def _read(path: Path) -> tuple[Any, Imported]:
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"it has over {MOST_BYTES >> 30} GiB")
    if not h5py.is_hdf5(path):
        raise InputError("it is not an HDF5 file, as Keras's .h5 files are; pickles and code are not run")
    with h5py.File(path, "r") as file:
        return _convert(_architecture(file), Weights(file))


def _architecture(file: h5py.File) -> Any:
    if "fashion_gan" in file.attrs:
        raise InputError("it is a file of ours already: fashion-gan export writes it as .onnx")
    text = file.attrs.get("model_config")
    if text is None:
        raise InputError("it holds no architecture (model_config): save the whole model, not its weights alone")
    if len(text) > MOST_TEXT:
        raise InputError(f"its architecture is a text of over {MOST_TEXT >> 20} MB")
    model = json.loads(text)
    if model["class_name"] not in MODELS:
        raise InputError(
            f"its model is a {str(model['class_name'])[:60]}, a class of its own: code in a file is not run"
        )
    return model


def _convert(architecture: Any, weights: Weights) -> tuple[Any, Imported]:
    shapes = input_shapes(architecture)
    conditional = _is_conditional(shapes)
    latent_shape = max(shapes, key=math.prod)
    latent_dim = _latent_dim(latent_shape)
    latents, labels = keras.Input((latent_dim,), name="latents"), keras.Input((), dtype="int32", name="labels")
    given = [
        Value(_reshaped(latents, shape)) if shape == latent_shape else Value(_reshaped(labels, shape), is_label=True)
        for shape in shapes
    ]
    network = Network(weights)
    output = network.call(architecture, given)
    images = _as_images(output.tensor)
    if math.prod(images.shape[1:]) == latent_dim:
        raise InputError(f"it takes as many numbers as it makes, {latent_dim}: pictures, then, and no latents")
    inputs = [latents, labels] if conditional else latents
    names = _class_names(network.classes) if conditional else ()
    imported = Imported(latent_dim, names, tuple(images.shape[1:]))
    measured = _measured_range(keras.Model(inputs, images), imported)
    lowest, highest = RANGES.get(output.activation) or _usual_range(*measured)
    model = keras.Model(inputs, _to_unit_range(images, lowest, highest))
    return model, dataclasses.replace(imported, lowest=lowest, highest=highest)


def _latent_dim(shape: tuple[int, ...]) -> int:
    latent_dim = math.prod(shape)
    if shape not in ((latent_dim,), (1, 1, latent_dim)):
        raise InputError(
            f"its input is {shape}, and a generator's is a vector: it may be a network that takes pictures"
        )
    if latent_dim > LONGEST_LATENT:
        raise InputError(f"its latents have {latent_dim} numbers, and at most {LONGEST_LATENT} can be imported")
    return latent_dim


def _reshaped(tensor: Any, shape: tuple[int, ...]) -> Any:
    """(N, …) as (N, *shape), where it is not that already."""
    return tensor if tuple(tensor.shape[1:]) == shape else keras.layers.Reshape(shape)(tensor)


def _is_conditional(shapes: list[tuple[int, ...]]) -> bool:
    if len(shapes) == 1:
        return False
    if len(shapes) == 2 and sorted(shape in ((), (1,)) for shape in shapes) == [False, True]:
        return True
    raise InputError(f"its inputs are {shapes}: a latent, and perhaps a class's number, can be imported")


def _class_names(rows: list[int]) -> tuple[str, ...]:
    if len(rows) != 1 or not 0 < rows[0] <= MOST_CLASSES:
        raise InputError(
            f"its labels enter by Embedding layers of {rows} classes: one of at most {MOST_CLASSES} can be"
        )
    return tuple(map(str, range(rows[0])))


def _as_images(tensor: Any) -> Any:
    """(N, H, W, C) as it is; (N, H, W), and (N, H·H) of square grey pictures, as such."""
    shape = tuple(tensor.shape[1:])
    side = math.isqrt(shape[0])
    if len(shape) == 2:
        shape = (*shape, 1)
    elif len(shape) == 1 and side * side == shape[0]:
        shape = (side, side, 1)
    if (
        len(shape) != 3
        or shape[-1] not in (1, 3)
        or not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in shape[:2])
    ):
        raise InputError(
            f"its output is {shape}: no picture, height × width × 1 or 3, of {SMALLEST_SIDE} to {LARGEST_SIDE} pixels "
            "a side"
        )
    return _reshaped(tensor, shape)


def _measured_range(model: Any, imported: Imported) -> tuple[float, float]:
    """The range that its pixels are seen to have. Raises InputError where they are none, or all the same."""
    latents = draw_latents(MEASURED_IMAGES, imported.latent_dim, seed=0)
    labels = np.arange(MEASURED_IMAGES, dtype=np.int32) % max(len(imported.class_names), 1)
    images = keras.ops.convert_to_numpy(model([latents, labels] if imported.class_names else latents, training=False))
    lowest, highest = float(images.min()), float(images.max())
    if not math.isfinite(highest - lowest):
        raise InputError("it draws pixels that are not finite")
    if lowest == highest:
        raise InputError(f"it draws nothing but {lowest:g}")
    return lowest, highest


def _usual_range(lowest: float, highest: float) -> tuple[float, float]:
    """The usual range that such pixels are of, or their own where they keep to none."""
    for low, high in USUAL_RANGES:
        beyond = OVERSHOOT * (high - low)
        if low - beyond <= lowest and highest <= high + beyond:
            return low, high
    if BYTES[0] <= lowest and LEAST_OF_BYTES < highest <= BYTES[1]:
        return BYTES
    return lowest, highest


def _to_unit_range(images: Any, lowest: float, highest: float) -> Any:
    if (lowest, highest) == (-1.0, 1.0):
        return images
    scale = 2.0 / (highest - lowest)
    return keras.layers.Rescaling(scale, offset=-1.0 - lowest * scale)(images)
