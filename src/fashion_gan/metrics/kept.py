"""Results that are worked out once and kept in a folder, under names that say what they depend on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan.datasets import cache_folder
from fashion_gan.files import DAMAGED, read_arrays, written_whole


def folder() -> Path:
    """Where the metrics keep theirs: in the user's cache."""
    return cache_folder() / "metrics"


def kept(cache: Path | None, name: str, work_out: Callable[[], dict[str, Any]]) -> dict[str, npt.NDArray[Any]]:
    """Named arrays from the folder, or worked out and then kept there; None keeps nothing."""
    path = None if cache is None else cache / f"{name}.npz"
    if path is not None:
        try:
            return read_arrays(path)
        except DAMAGED:
            pass  # Not there yet, or damaged: it is made anew.
    arrays = {name: np.asarray(value) for name, value in work_out().items()}
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(path) as temporary:
                np.savez(temporary, allow_pickle=False, **arrays)
        except OSError:
            pass  # A folder that cannot be written, or a full disk, costs time and nothing else.
    return arrays
