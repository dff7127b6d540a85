"""Weights of a Keras 2 file, read only if they are plain, finite, and of the expected shape."""

import re
from typing import Any, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt

from fashion_gan.errors import InputError
from fashion_gan.saving.keras2.layers import Shape

MAX_BYTES = 128 << 20  # of all weights together: twenty times those of a usual generator
MAX_NAMES = 2000

Weights: TypeAlias = npt.NDArray[np.float32]


class WeightReader:
    """Reads a file's weights, one layer at a time.

    Args:
        file: an open HDF5 file of Keras 2. It has one group for each layer, which lists the names of the weights.
    """

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._bytes_read = 0

    def read_layer(self, path: tuple[str, ...], shapes: dict[str, Shape]) -> dict[str, Weights]:
        """Read a layer's weights.

        Args:
            path: the layer's name, after the names of the models that contain it.
            shapes: the expected shape of each weight, by its name, such as "kernel".

        Returns:
            The weights, by the same names.

        Raises:
            InputError: a weight is missing, of another shape, not plain numbers, or not finite.
        """
        if not shapes:
            return {}
        group = _get_plain(self._file, ["model_weights", path[0]], h5py.Group)
        full_names = [_decode(name) for name in group.attrs.get("weight_names", [])[:MAX_NAMES]]
        return {name: self._read(group, _find_name(full_names, path, name), shape) for name, shape in shapes.items()}

    def _read(self, group: h5py.Group, name: str, shape: Shape) -> Weights:
        dataset = _get_plain(group, name.split("/"), h5py.Dataset)
        if dataset.shape != shape:
            raise InputError(f"weight {name} has shape {dataset.shape}, but its layer needs {shape}")
        if dataset.dtype.kind != "f" or dataset.external or dataset.is_virtual:
            raise InputError(f"weight {name} is not plain numbers")
        self._bytes_read += dataset.nbytes
        if self._bytes_read > MAX_BYTES:
            raise InputError(f"its weights take over {MAX_BYTES >> 20} MB")
        values = dataset[()].astype(np.float32)
        if not np.isfinite(values).all():
            raise InputError(f"weight {name} holds values that are not finite")
        return values


def _find_name(full_names: list[str], path: tuple[str, ...], weight: str) -> str:
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


def _get_plain(group: h5py.Group, parts: list[str], item_type: type) -> Any:
    """The item at a path in a group. Raises InputError if a part is missing, a link, or of another type."""
    item: Any = group
    for part in parts:
        if not isinstance(item, h5py.Group) or not isinstance(item.get(part, getlink=True), h5py.HardLink):
            raise InputError(f"{part[:60]} is missing from the file, or is a link or of another kind")
        item = item[part]
    if not isinstance(item, item_type):
        raise InputError(f"{parts[-1][:60]} is missing from the file, or is a link or of another kind")
    return item


def _decode(name: object) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
