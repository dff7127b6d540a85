"""Feature vectors and class logits of images, from a small feature network run by ONNX Runtime."""

import dataclasses
import functools
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Array, Images, Indices, Mask, Vectors
from fashion_gan.errors import InputError
from fashion_gan.system import progress
from fashion_gan.system.parallel import parallel_map
from fashion_gan.system.telemetry import import_onnxruntime

NETWORK = Path(__file__).with_name("feature_network.onnx")
NETWORK_SHA256 = "e5e229e16a062ef60aa4f94bcb3da34bc0ed7c0b639079b74f2eacf959540baa"
FEATURE_COUNT = 320  # 128 for texture and position, 64 for parts, 128 for the class
BATCH_SIZE = 50  # A larger batch is no faster and takes more memory.


@dataclasses.dataclass(frozen=True, eq=False)
class Features:
    """The outputs of the feature network for N images. Indexing selects images.

    Attributes:
        vectors: float32 (N, 320). On Fashion-MNIST's training set they have mean 0 and a total variance of 100, a third
            of it from each of three depths of the network.
        logits: class logits, float32 (N, 10).
    """

    vectors: Vectors
    logits: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, selection: slice | Indices | Mask) -> "Features":
        return Features(self.vectors[selection], self.logits[selection])

    @property
    def classes(self) -> Indices:
        """The most likely class of each image: (N,)."""
        return self.logits.argmax(axis=1)

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """The probability of each class: (N, 10). Each row adds up to 1."""
        exponentials = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)


@functools.cache
def _session() -> Any:
    """The ``onnxruntime.InferenceSession`` of the feature network. ONNX Runtime publishes no types."""
    onnxruntime = import_onnxruntime()

    content = NETWORK.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != NETWORK_SHA256:
        raise InputError(f"{NETWORK} is not the published feature network: its SHA-256 is {digest}")
    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = False
    options.intra_op_num_threads = 1  # Each core works on its own batch of images.
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def extract(images: Images, description: str = "features") -> Features:
    """Run the feature network.

    Args:
        images: uint8 (N, 28, 28, 1), from ``checks.checked_images``.
        description: the text of the progress bar. An empty text shows no bar.

    Raises:
        InputError: the installed network is not the published one.

    Example:
        >>> extract(np.zeros((2, 28, 28, 1), np.uint8)).vectors.shape
        (2, 320)
    """
    session = _session()
    name = session.get_inputs()[0].name
    vectors = np.empty((len(images), FEATURE_COUNT), np.float32)
    logits = np.empty((len(images), 10), np.float32)

    def run(batch: slice) -> list[Array]:
        outputs: list[Array] = session.run(None, {name: images[batch].astype(np.float32)})
        return outputs

    batches = [slice(start, start + BATCH_SIZE) for start in range(0, len(images), BATCH_SIZE)]
    settings = {"unit_scale": BATCH_SIZE, "total": len(batches), "disable": not description}
    outputs = progress.bar(parallel_map(run, batches), description, "images", **settings)
    for batch, (batch_vectors, batch_logits) in zip(batches, outputs, strict=True):
        vectors[batch], logits[batch] = batch_vectors, batch_logits
    return Features(vectors, logits)
