"""Files of images with labels, read at the images' own size: ``.npz``, ``.npy``, Parquet, and CSV files of pixels."""

from pathlib import Path

from fashion_gan.datasets.archives import ZIP_MAGIC
from fashion_gan.datasets.array_images import KINDS, read_npy, read_npz
from fashion_gan.datasets.image_arrays import LabeledImages
from fashion_gan.datasets.parquet_files import PARQUET_MAGIC, read_parquet
from fashion_gan.datasets.pixel_tables import read_pixel_table
from fashion_gan.errors import InputError, one_line
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS

NPY_MAGIC = b"\x93NUMPY"


def read_labeled_images(path: Path) -> LabeledImages:
    """Read the images of a file, and their labels if it has them.

    An ``.npz`` may name its arrays as most tools do, or hold only one array that can be images.

    Raises:
        InputError: the file cannot be read, is of another kind, or does not tell which of its arrays the images are.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(len(NPY_MAGIC))
        if start.startswith(ZIP_MAGIC) and (images := read_npz(path)) is not None:
            return images
        if start == NPY_MAGIC:
            return read_npy(path)
        if start.startswith(PARQUET_MAGIC):
            return read_parquet(path)
    except InputError:
        raise
    except CORRUPT_FILE_ERRORS as error:
        raise InputError(f"{path} cannot be read as {KINDS}: {one_line(error)}") from error
    if path.suffix.lower() == ".csv":
        return read_pixel_table(path)
    raise InputError(f"{path} cannot be read as {KINDS}: save the images with numpy.savez(path, images=…, labels=…)")


def read_test_images(path: Path) -> LabeledImages | None:
    """Read the images that a file calls test images, such as ``x_test``. None if it has none.

    Raises:
        InputError: as ``read_labeled_images``.
    """
    try:
        with open(path, "rb") as file:
            is_npz = file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
        return read_npz(path, test=True) if is_npz else None
    except InputError:
        raise
    except CORRUPT_FILE_ERRORS as error:
        raise InputError(f"{path} cannot be read as {KINDS}: {one_line(error)}") from error
