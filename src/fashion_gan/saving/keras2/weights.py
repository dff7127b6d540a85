"""Weights of a Keras file, read only if they are finite and of the expected shape."""

import itertools
import re
from typing import Any, Protocol, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import JsonObject
from fashion_gan.errors import InputError
from fashion_gan.saving.keras2.architecture import MAX_DEPTH, MODELS, LayerPath, layer_name, layers_of
from fashion_gan.saving.keras2.layers import Shape

MAX_NAMES = 20_000

Weights: TypeAlias = npt.NDArray[np.float32]


class WeightReader(Protocol):
    """Reads the weights of a file, one layer at a time."""

    def read_layer(self, path: LayerPath, shapes: dict[str, Shape]) -> dict[str, Weights]:
        """Read a layer's weights.

        Args:
            path: the layer's name, after the names of the models that contain it.
            shapes: the expected shape of each weight, by its name, such as "kernel".

        Returns:
            The weights, by the same names.

        Raises:
            InputError: a weight is missing, of another shape, or not finite.
        """


class Keras2Weights:
    """The weights of an ``.h5`` file. It has one group for each layer, which lists the names of the weights.

    Args:
        file: a plain copy of the file.
    """

    def __init__(self, file: h5py.File) -> None:
        self._file = file

    def read_layer(self, path: LayerPath, shapes: dict[str, Shape]) -> dict[str, Weights]:
        if not shapes:
            return {}
        group = _get(self._file, ["model_weights", path[0]])
        full_names = _weight_names(group)
        weights = {}
        for name, shape in shapes.items():
            full_name = _find_name(full_names, path, name)
            weights[name] = _read(_get(group, full_name.split("/")), full_name, shape)
        return weights


class Keras3Weights:
    """The weights of a ``.keras`` file. A group for each layer holds the weights by number, in a fixed order.

    The groups have the names of the layers' classes, numbered in the order of the architecture.

    Args:
        file: a plain copy of the file's weights.
        architecture: the model's description in the file.
    """

    def __init__(self, file: h5py.File, architecture: JsonObject) -> None:
        self._file = file
        self._groups: dict[LayerPath, list[str]] = {}
        self._add_groups(architecture, (), [])

    def _add_groups(self, model: JsonObject, path: LayerPath, group: list[str]) -> None:
        """Find the group of each layer of a model, and of the models in it."""
        container = "layers" if "layers" in _get(self._file, group) else "_layer_checkpoint_dependencies"
        counts: dict[str, int] = {}
        for layer in layers_of(model):
            class_name = _snake_case(layer["class_name"])
            number = counts[class_name] = counts.get(class_name, -1) + 1
            layer_path = (*path, layer_name(layer))
            layer_group = [*group, container, f"{class_name}_{number}" if number else class_name]
            if layer["class_name"] in MODELS and len(path) < MAX_DEPTH:
                self._add_groups(layer, layer_path, layer_group)
            self._groups[layer_path] = layer_group

    def read_layer(self, path: LayerPath, shapes: dict[str, Shape]) -> dict[str, Weights]:
        group = self._groups[path]
        return {
            name: _read(_get(self._file, [*group, "vars", str(number)]), "/".join((*path, name)), shape)
            for number, (name, shape) in enumerate(shapes.items())
        }


def _read(dataset: Any, name: str, shape: Shape) -> Weights:
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind != "f":
        raise InputError(f"weight {name} is not plain numbers")
    if dataset.shape != shape:
        raise InputError(f"weight {name} has shape {dataset.shape}, but its layer needs {shape}")
    values = dataset[()].astype(np.float32)
    if not np.isfinite(values).all():
        raise InputError(f"weight {name} holds values that are not finite")
    return values


def _weight_names(group: h5py.Group) -> list[str]:
    """The names of a group's weights. Keras splits a list that is too long for one attribute."""
    if "weight_names" in group.attrs:
        return [str(name) for name in group.attrs["weight_names"][:MAX_NAMES]]
    parts = itertools.takewhile(group.attrs.__contains__, (f"weight_names{number}" for number in itertools.count()))
    return [str(name) for part in parts for name in group.attrs[part]][:MAX_NAMES]


def _snake_case(class_name: str) -> str:
    """The name of a class as Keras writes it in a file: ``LeakyReLU`` -> ``leaky_re_lu``."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def _find_name(full_names: list[str], path: LayerPath, weight: str) -> str:
    """The single full name in a group, such as "sequential/dense/kernel:0", that belongs to a layer's weight."""
    matches = [name for name in full_names if name.rpartition("/")[2].partition(":")[0] == weight]
    if len(path) > 1:
        # The group belongs to a model that contains the layer. The layer's name is the second-to-last part.
        # TensorFlow 1 numbered names that were in use already: dense_1_2 instead of dense_1.
        patterns = (re.escape(path[-1]), re.escape(path[-1]) + r"_\d+")
        matches_by_pattern = (
            [name for name in matches if re.search(f"(^|/){pattern}/[^/]+$", name)] for pattern in patterns
        )
        matches = next((names for names in matches_by_pattern if names), [])
    if len(matches) != 1:
        raise InputError(f"layer {path[-1]} needs one weight called {weight}, but the file has {len(matches)}")
    return matches[0]


def _get(group: h5py.Group, parts: list[str]) -> Any:
    """The item at a path in a group. Raises InputError if a part is missing."""
    item: Any = group
    for part in parts:
        if not isinstance(item, h5py.Group) or part not in item:
            raise InputError(f"{part[:60]} is missing from the file, or is a link or not plain numbers")
        item = item[part]
    return item
