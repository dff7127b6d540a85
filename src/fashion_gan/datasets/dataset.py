"""Images in memory, with their labels."""

import dataclasses
import hashlib

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Images in memory, with their labels.

    Attributes:
        images: uint8 (N, H, W, C) in [0, 255].
        labels: int32 (N,), each the index of a class name; zeros where there are no classes.
        class_names: the classes in the order of their labels, or ().
        source: the folder or the address that the images came from.
    """

    images: Bytes
    labels: npt.NDArray[np.int32]
    class_names: tuple[str, ...]
    source: str

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of the images' shape, the images and the labels: the same data, the same fingerprint."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()
