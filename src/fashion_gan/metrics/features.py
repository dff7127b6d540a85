"""Images -> feature vectors and class logits, by our own small network, run by ONNX Runtime."""

import dataclasses
import functools
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan import progress
from fashion_gan.cores import on_all_cores
from fashion_gan.errors import InputError

NETWORK = Path(__file__).with_name("feature_network.onnx")
NETWORK_SHA256 = "e5e229e16a062ef60aa4f94bcb3da34bc0ed7c0b639079b74f2eacf959540baa"
FEATURE_COUNT = 320  # 128 of texture and place, 64 of parts, 128 of class
BATCH_SIZE = 50  # more is no faster, and takes more memory


@dataclasses.dataclass(frozen=True, eq=False)
class Features:
    """What the network sees in images.

    Attributes:
        vectors: float32 (N, 320); on Fashion-MNIST's training set they have mean 0 and a total variance of 100, a
            third of it at each of three depths.
        logits: float32 (N, 10), of the classes.
    """

    vectors: npt.NDArray[np.float32]
    logits: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, chosen: Any) -> "Features":
        return Features(self.vectors[chosen], self.logits[chosen])

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """The most likely class of each image: (N,)."""
        return self.logits.argmax(axis=1)

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """Of each class: (N, 10), each row adds up to 1."""
        likelihoods = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        return likelihoods / likelihoods.sum(axis=1, keepdims=True)


@functools.cache
def _session() -> Any:
    import onnxruntime

    content = NETWORK.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != NETWORK_SHA256:
        raise InputError(f"{NETWORK} is not the network that scores are made with: its SHA-256 is {digest}")
    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = False
    options.intra_op_num_threads = 1  # each core has images of its own
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def extract(images: npt.NDArray[np.uint8], description: str = "features") -> Features:
    """Run the network.

    Args:
        images: uint8 (N, 28, 28, 1), from ``checks.checked_images``.
        description: what the progress bar says, where there are many; without one there is no bar.

    Raises:
        InputError: the installed network is not the published one.
    """
    session = _session()
    name = session.get_inputs()[0].name
    vectors = np.empty((len(images), FEATURE_COUNT), np.float32)
    logits = np.empty((len(images), 10), np.float32)

    def run(part: slice) -> Any:
        return session.run(None, {name: images[part].astype(np.float32)})

    parts = [slice(start, start + BATCH_SIZE) for start in range(0, len(images), BATCH_SIZE)]
    shown = {"unit_scale": BATCH_SIZE, "total": len(parts), "disable": not description}
    found = progress.bar(on_all_cores(run, parts), description, "images", **shown)
    for part, of_part in zip(parts, found, strict=True):
        vectors[part], logits[part] = of_part
    return Features(vectors, logits)
