"""The inputs of an imported generator: which input of the network in the file is the latent, and which the class."""

import dataclasses
import math

import keras
import numpy as np

from fashion_gan.arrays import Tensor
from fashion_gan.errors import InputError
from fashion_gan.saving.keras2 import MAX_CLASSES
from fashion_gan.saving.keras2.layers import Shape
from fashion_gan.saving.keras2.network import TrackedTensor

MAX_LATENT_DIM = 1024


@dataclasses.dataclass(frozen=True)
class GeneratorInputs:
    """What the imported network takes, and what the network in the file gets from it.

    Attributes:
        latent_dim: the length of a latent vector.
        network_inputs: the Keras inputs: latents, or [latents, labels].
        tensors: a tensor for each input of the network in the file.
        classes: the length of a one-hot vector of the class. None if the class is a number, or there is none.
    """

    latent_dim: int
    network_inputs: Tensor | list[Tensor]
    tensors: list[TrackedTensor]
    classes: int | None

    @classmethod
    def of(cls, shapes: list[Shape], classes: int | None) -> "GeneratorInputs":
        """The inputs of a network whose inputs have these shapes.

        Raises InputError if it is not clear what they are.
        """
        place = _class_place(shapes, classes)
        latent_shape = next(shape for number, shape in enumerate(shapes) if number != place)
        latent_dim = _latent_dim(latent_shape)
        labels = keras.Input((), dtype="int32", name="labels")
        if place is None and classes is not None:  # One input for both: the latents, then the one-hot class.
            if latent_dim <= classes:
                raise InputError(
                    f"its input has {latent_dim} numbers, which leaves no latents before {classes} classes"
                )
            latents = keras.Input((latent_dim - classes,), name="latents")
            joined = keras.layers.Concatenate()([latents, _one_hot(labels, classes)])
            tensors = [TrackedTensor(reshape(joined, latent_shape))]
            return cls(latent_dim - classes, [latents, labels], tensors, classes)
        latents = keras.Input((latent_dim,), name="latents")
        tensors = [TrackedTensor(reshape(latents, latent_shape))]
        if place is None:
            return cls(latent_dim, latents, tensors, None)
        class_input = labels if classes is None else _one_hot(labels, classes)
        tensors.insert(place, TrackedTensor(reshape(class_input, shapes[place]), is_label=classes is None))
        return cls(latent_dim, [latents, labels], tensors, classes)

    def class_names(self, embedding_rows: list[int]) -> tuple[str, ...]:
        """The class numbers as text. Without a one-hot vector, their number is that of the only embedding's rows."""
        if not isinstance(self.network_inputs, list):
            return ()
        return _class_names(embedding_rows if self.classes is None else [self.classes])


def _class_place(shapes: list[Shape], classes: int | None) -> int | None:
    """The number of the input that is the class. None if there is only one input."""
    if len(shapes) == 1:
        return None
    sizes = [math.prod(shape) for shape in shapes]
    if len(shapes) == 2 and classes is not None and classes in sizes:
        return max(number for number, size in enumerate(sizes) if size == classes)
    is_number = [shape in ((), (1,)) for shape in shapes]
    if len(shapes) == 2 and classes is None and sum(is_number) == 1:
        return is_number.index(True)
    hint = ""
    if len(shapes) == 2 and classes is None and not any(is_number) and all(len(shape) == 1 for shape in shapes):
        hint = f". If the input of {min(sizes)} numbers is a one-hot class, set classes (--classes {min(sizes)})"
    raise InputError(
        f"its inputs have shapes {shapes}, but only a latent vector, with or without a class, can be imported{hint}"
    )


def _one_hot(labels: Tensor, classes: int) -> Tensor:
    """Class numbers (N,) -> one-hot vectors (N, classes)."""
    return keras.layers.Embedding(classes, classes, weights=[np.eye(classes, dtype=np.float32)])(labels)


def _latent_dim(shape: Shape) -> int:
    latent_dim = math.prod(shape)
    if shape not in ((latent_dim,), (1, 1, latent_dim)):
        raise InputError(
            f"its input has shape {shape}, but a generator's input is a vector: the network may take images"
        )
    if latent_dim > MAX_LATENT_DIM:
        raise InputError(f"its latents have {latent_dim} numbers, but at most {MAX_LATENT_DIM} can be imported")
    return latent_dim


def reshape(tensor: Tensor, shape: Shape) -> Tensor:
    """(N, …) -> (N, *shape). A tensor that has the shape already is returned unchanged."""
    return tensor if tuple(tensor.shape[1:]) == shape else keras.layers.Reshape(shape)(tensor)


def _class_names(embedding_rows: list[int]) -> tuple[str, ...]:
    if len(embedding_rows) != 1 or not 0 < embedding_rows[0] <= MAX_CLASSES:
        raise InputError(
            f"its labels need one Embedding layer of at most {MAX_CLASSES} classes, but it has Embedding layers of "
            f"{embedding_rows} classes"
        )
    return tuple(map(str, range(embedding_rows[0])))
