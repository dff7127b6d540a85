"""Arrays that are computed once and stored in a folder, under names that say what they depend on."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashion_gan.arrays import Array
from fashion_gan.datasets import cache_folder
from fashion_gan.system.array_files import read_arrays
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS, atomic_file


def metrics_cache_folder() -> Path | None:
    """The folder of the metrics' cached arrays, inside the user's cache folder. None if there is none."""
    folder = cache_folder()
    return None if folder is None else folder / "metrics"


def cached(folder: Path | None, name: str, compute: Callable[[], Mapping[str, npt.ArrayLike]]) -> dict[str, Array]:
    """Read named arrays from the cache. If they are missing or damaged, compute and store them.

    Args:
        folder: the cache. None: compute the arrays and store nothing.
        name: the entry's name. It must change with everything that the arrays depend on.
        compute: returns the arrays by their names.
    """
    path = None if folder is None else folder / f"{name}.npz"
    if path is not None:
        try:
            return read_arrays(path)
        except CORRUPT_FILE_ERRORS:
            pass  # The entry is missing or damaged: compute it.
    arrays = {key: np.asarray(value) for key, value in compute().items()}
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(path) as temporary:
                np.savez(temporary, allow_pickle=False, **arrays)
        except OSError:
            pass  # If the folder is read-only or the disk full, the next run computes the arrays again.
    return arrays
