"""Images with their labels."""

import dataclasses
import functools
import hashlib
import math

import numpy as np

from fashion_gan.arrays import Images, Labels
from fashion_gan.datasets.contents import Contents
from fashion_gan.datasets.mapped_images import is_mapped
from fashion_gan.rendering.images import contact_sheet, html_figure

MAX_SHOWN_CLASSES = 10
HASHED_TOGETHER = 1 << 24  # bytes of the images


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images with their labels. A notebook shows a dataset as a contact sheet.

    Attributes:
        images: uint8 (N, H, W, C) in [0, 255]. They are in memory, or mapped into it from a file, and then read-only.
        labels: int32 (N,), each the index of a class name. All are 0 if there are no classes.
        class_names: the classes in the order of their labels, or ().
        source: the folder, the file or the URL that the images came from.
        contents: what the user's own pictures are, and what was left out. None for data in MNIST's files.

    Example:
        >>> test = fashion_gan.load_fashion_mnist("test")
        >>> test
        Dataset(10,000 images 28×28×1, 10 classes, from ...)
        >>> test.class_names[test.labels[0]]
        'Ankle boot'
    """

    images: Images
    labels: Labels
    class_names: tuple[str, ...]
    source: str
    contents: Contents | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of the images' shape, the images and the labels. Equal data have equal fingerprints."""
        return self._mapped_fingerprint if is_mapped(self.images) else self._compute_fingerprint()

    @functools.cached_property
    def _mapped_fingerprint(self) -> str:
        return self._compute_fingerprint()  # Mapped images are read-only, and reading all of them takes long.

    def _compute_fingerprint(self) -> str:
        digest = hashlib.sha256(repr(tuple(self.images.shape)).encode())
        count = max(1, HASHED_TOGETHER // max(1, math.prod(self.images.shape[1:])))
        for start in range(0, len(self.images), count):
            digest.update(np.ascontiguousarray(self.images[start : start + count]).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()

    def __repr__(self) -> str:
        size = "×".join(map(str, self.images.shape[1:]))
        classes = f"{len(self.class_names):,} classes" if self.class_names else "no classes"
        return f"Dataset({len(self.images):,} images {size}, {classes}, from {self.source})"

    def _repr_html_(self) -> str:
        """The first ten classes as a contact sheet."""
        return html_figure(contact_sheet(self.images, self.labels, self.class_names[:MAX_SHOWN_CLASSES]), repr(self))
