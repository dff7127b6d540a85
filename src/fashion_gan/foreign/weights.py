"""Weights of a foreign HDF5 file, read only where they are plain, of the shape that is expected, and finite."""

import re
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fashion_gan.errors import InputError

MOST_BYTES = 128 << 20  # of all weights together: twenty times those of a usual generator
MOST_NAMES = 2000

Array = npt.NDArray[np.float32]


class Weights:
    """The weights in a file, by the layer that they belong to.

    Args:
        file: an open HDF5 file as Keras 2 wrote it: a group for each layer, with the names of its weights.
    """

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._bytes = 0

    def of_layer(self, path: tuple[str, ...], shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
        """A layer's weights by their own names.

        Args:
            path: the layer's name, after the names of the models that it stands in.
            shapes: what its weights must be.

        Raises:
            InputError: one is missing, of another shape, not plain numbers, or not finite.
        """
        if not shapes:
            return {}
        group = _plain(self._file, ["model_weights", path[0]], h5py.Group)
        names = [_text(name) for name in group.attrs.get("weight_names", [])[:MOST_NAMES]]
        return {kind: self._read(group, _named(names, path, kind), shape) for kind, shape in shapes.items()}

    def _read(self, group: h5py.Group, name: str, shape: tuple[int, ...]) -> Array:
        dataset = _plain(group, name.split("/"), h5py.Dataset)
        if dataset.shape != shape:
            raise InputError(f"weight {name} is {dataset.shape}, and its network needs {shape}")
        if dataset.dtype.kind != "f" or dataset.external or dataset.is_virtual:
            raise InputError(f"weight {name} is not plain numbers")
        self._bytes += dataset.nbytes
        if self._bytes > MOST_BYTES:
            raise InputError(f"its weights take over {MOST_BYTES >> 20} MB")
        values = dataset[()].astype(np.float32)
        if not np.isfinite(values).all():
            raise InputError(f"weight {name} holds values that are not finite")
        return values


def _named(names: list[str], path: tuple[str, ...], kind: str) -> str:
    """The one name among a group's that ends in the layer and the kind of weight that are looked for."""
    found = [name for name in names if name.rpartition("/")[2].partition(":")[0] == kind]
    if len(path) > 1:
        # The group is of a model, and the layer's name is the last but one part: sequential/dense/kernel:0.
        # The graphs of TensorFlow 1 numbered names that were taken: dense_1_2 for dense_1.
        ways = (re.escape(path[-1]), re.escape(path[-1]) + r"_\d+")
        of_way = ([name for name in found if re.search(f"(^|/){way}/[^/]+$", name)] for way in ways)
        found = next((names for names in of_way if names), [])
    if len(found) != 1:
        raise InputError(f"layer {path[-1]} has {len(found)} weights called {kind} in the file, and needs one")
    return found[0]


def _plain(group: h5py.Group, parts: list[str], kind: type) -> Any:
    """What stands at a path, when no link on the way leads elsewhere."""
    item: Any = group
    for part in parts:
        if not isinstance(item, h5py.Group) or not isinstance(item.get(part, getlink=True), h5py.HardLink):
            raise InputError(f"{part[:60]} is not a plain part of the file")
        item = item[part]
    if not isinstance(item, kind):
        raise InputError(f"{parts[-1][:60]} is not a plain part of the file")
    return item


def _text(name: Any) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
