"""The standard FID, KID and Inception score, by torch-fidelity with the canonical weights."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.datasets import cache_folder
from fashion_gan.errors import InputError
from fashion_gan.files import sha256

WEIGHTS_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
)
WEIGHTS_SHA256_START = "6726825d"  # as the file's name says; PyTorch's downloads check no more
WEIGHTS_VARIABLE = "FASHION_GAN_INCEPTION_WEIGHTS"  # a file that was fetched already, for machines without a network


def scores(
    generated: npt.NDArray[np.uint8], real: npt.NDArray[np.uint8], real_name: str, with_kid_and_is: bool
) -> dict[str, float]:
    """Score images as papers do.

    Grey is repeated to three channels, with its values kept; the resizing to 299 pixels is the library's, which follows
    the original network's.

    Args:
        generated: uint8 (N, 28, 28, 1).
        real: uint8 (M, 28, 28, 1).
        real_name: names the real images in the library's cache.
        with_kid_and_is: whether to work out more than the FID.

    Returns:
        "fid", and "kid" and "is" where asked for.

    Raises:
        InputError: torch-fidelity cannot be imported, or the weights cannot be fetched or read.

    Source: Heusel et al. 2017, arXiv:1706.08500; Bińkowski et al. 2018, arXiv:1801.01401; Salimans et al. 2016,
    arXiv:1606.03498; Obukhov et al. 2020, torch-fidelity.
    """
    try:
        import torch
        import torch_fidelity
    except (ImportError, RuntimeError, OSError) as error:  # A torchvision of another build raises RuntimeError.
        raise InputError(f"torch-fidelity cannot be used: {error}") from error

    class Pictures(torch.utils.data.Dataset[Any]):
        def __init__(self, images: npt.NDArray[np.uint8]) -> None:
            self.images = images

        def __len__(self) -> int:
            return len(self.images)

        def __getitem__(self, index: int) -> Any:
            return torch.from_numpy(self.images[index].transpose(2, 0, 1).repeat(3, axis=0))  # (3, 28, 28)

    weights = _weights_file()
    try:
        found = torch_fidelity.calculate_metrics(
            input1=Pictures(generated),
            input2=Pictures(real),
            fid=True,
            kid=with_kid_and_is,
            isc=with_kid_and_is,
            kid_subset_size=min(1000, len(generated), len(real)),
            batch_size=64,
            cuda=torch.cuda.is_available(),
            cache=True,
            cache_root=str(cache_folder() / "torch-fidelity"),
            input2_cache_name=real_name,
            feature_extractor_weights_path=weights,
            save_cpu_ram=True,
            verbose=True,
        )
    except (OSError, RuntimeError, KeyError) as error:
        raise InputError(
            f"the standard Inception weights cannot be fetched or read: {error}; fetch {WEIGHTS_URL} on another "
            f"machine and name the file in {WEIGHTS_VARIABLE}; every other figure is measured without them"
        ) from error
    names = {
        "fid": "frechet_inception_distance",
        "kid": "kernel_inception_distance_mean",
        "is": "inception_score_mean",
    }
    return {short: float(found[long]) for short, long in names.items() if long in found}


def _weights_file() -> str | None:
    """The file that the user names; only the canonical weights, since others' scores would not be the standard ones.

    It is a pickle, which could run code: one more reason to read no other.
    """
    name = os.environ.get(WEIGHTS_VARIABLE)
    if not name:
        return None
    try:
        digest = sha256(Path(name))
    except OSError as error:
        raise InputError(f"{WEIGHTS_VARIABLE}={name!r} cannot be read: {error.strerror}") from error
    if not digest.startswith(WEIGHTS_SHA256_START):
        raise InputError(f"{WEIGHTS_VARIABLE}={name!r} is not the file that {WEIGHTS_URL} names: SHA-256 {digest}")
    return name
