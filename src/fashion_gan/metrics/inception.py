"""The standard FID, KID and Inception score, by torch-fidelity with the canonical weights."""

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from fashion_gan.arrays import Images, Tensor
from fashion_gan.datasets import cache_folder
from fashion_gan.errors import InputError, one_line
from fashion_gan.rendering.images import on_white
from fashion_gan.system.atomic_files import sha256

WEIGHTS_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
)
# The file's name holds the start of its checksum. PyTorch's downloads check no more than that.
WEIGHTS_SHA256_START = "6726825d"
# An environment variable that holds the path of downloaded weights, for machines without a network.
WEIGHTS_VARIABLE = "FASHION_GAN_INCEPTION_WEIGHTS"

RESULT_KEYS = {
    "fid": "frechet_inception_distance",
    "kid": "kernel_inception_distance_mean",
    "is": "inception_score_mean",
}


def scores(generated: Images, real: Images, real_name: str, with_kid_and_is: bool) -> dict[str, float]:
    """Compute the scores that papers report.

    Gray images are repeated to three channels with the same values. Transparent ones are laid on white. The library
    resizes them to 299 pixels as the original network's code does.

    Args:
        generated: uint8 (N, H, W, C), C = 1, 3 or 4.
        real: uint8 (M, H, W, C).
        real_name: the name of the real images in the library's cache.
        with_kid_and_is: compute the KID and the Inception score too, not only the FID.

    Returns:
        "fid". With ``with_kid_and_is`` also "kid" and "is".

    Raises:
        InputError: torch-fidelity cannot be imported, or the weights cannot be downloaded or read.

    Source: Heusel et al. 2017, arXiv:1706.08500; Bińkowski et al. 2018, arXiv:1801.01401; Salimans et al. 2016,
    arXiv:1606.03498; Obukhov et al. 2020, torch-fidelity.
    """
    torch, torch_fidelity = _load_libraries()
    weights, folder = _weights_file(), cache_folder()
    try:
        results = torch_fidelity.calculate_metrics(
            input1=_torch_dataset(torch, generated),
            input2=_torch_dataset(torch, real),
            fid=True,
            kid=with_kid_and_is,
            isc=with_kid_and_is,
            kid_subset_size=min(1000, len(generated), len(real)),
            batch_size=64,
            cuda=torch.cuda.is_available(),
            cache=folder is not None,
            cache_root=None if folder is None else str(folder / "torch-fidelity"),
            input2_cache_name=real_name,
            feature_extractor_weights_path=weights,
            save_cpu_ram=True,
            verbose=True,
        )
    except (OSError, RuntimeError, KeyError) as error:
        raise InputError(
            f"the standard Inception weights cannot be downloaded or read: {one_line(error)}; download {WEIGHTS_URL} "
            f"on another machine, copy it here and set {WEIGHTS_VARIABLE} to its path; every other metric is measured "
            "without them"
        ) from error
    return {name: float(results[key]) for name, key in RESULT_KEYS.items() if key in results}


def _load_libraries() -> tuple[ModuleType, ModuleType]:
    """Import ``torch`` and ``torch_fidelity``, or raise InputError."""
    try:
        import torch
        import torch_fidelity
    except (ImportError, RuntimeError, OSError) as error:  # A torchvision of another build raises RuntimeError.
        raise InputError(f"torch-fidelity cannot be used: {one_line(error)}") from error
    return torch, torch_fidelity


def _torch_dataset(torch: ModuleType, images: Images) -> Any:
    """A ``torch.utils.data.Dataset`` of uint8 tensors (3, H, W)."""
    opaque = on_white(images)

    class ColorImages(torch.utils.data.Dataset):  # type: ignore[name-defined]
        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, index: int) -> Tensor:
            pixels = np.broadcast_to(opaque[index], (*opaque.shape[1:3], 3))
            return torch.from_numpy(pixels.transpose(2, 0, 1).copy())

    return ColorImages()


def _weights_file() -> str | None:
    """The weights file that the environment variable names, or None.

    Only the canonical weights are accepted, for two reasons: scores with other weights are not the standard ones, and
    the file is a pickle, which can run code.
    """
    name = os.environ.get(WEIGHTS_VARIABLE)
    if not name:
        return None
    try:
        digest = sha256(Path(name))
    except OSError as error:
        raise InputError(f"{WEIGHTS_VARIABLE}={name!r} cannot be read: {error.strerror}") from error
    if not digest.startswith(WEIGHTS_SHA256_START):
        raise InputError(f"{WEIGHTS_VARIABLE}={name!r} is not the file of {WEIGHTS_URL}: its SHA-256 is {digest}")
    return name
