"""Write a generator in an export format, then check that the format's own runtime draws the same images."""

import dataclasses
import importlib.metadata
import os
import shutil
import tempfile
import warnings
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from fashion_gan.arrays import KerasModel, Predict
from fashion_gan.config import IMAGE_SIZES, Config
from fashion_gan.errors import InputError, check_choice
from fashion_gan.generator import open_onnx
from fashion_gan.saving.formats import FORMATS, GeneratorInfo, example_inputs
from fashion_gan.system.atomic_files import atomic_file, atomic_folder
from fashion_gan.system.backends import default_backend, suppressed_stderr

MAX_DIFFERENCE = 1e-3  # between pixels in [-1, 1]: an eighth of a gray level
CONFIG_FILE = "fashion_gan.json"  # in every folder that an export writes


def save(model: KerasModel, config: GeneratorInfo, format: str, path: Path) -> float:
    """Write a Keras generator in a format, and check it in the format's own runtime.

    The configuration is stored with it, if the format has a place for it.

    Args:
        model: the Keras generator.
        config: the configuration that the generator was built from. For "onnx" it may be an ``ImportedGenerator``.
        format: a key of ``FORMATS``.
        path: the file or the folder. It is replaced only if the check succeeds.

    Returns:
        The largest difference between a pixel drawn by Keras and by the format's runtime, on 20 latents. Pixels are in
        [-1, 1].

    Raises:
        InputError: the format is unknown, the path does not fit it, a package is missing, or the difference is above
            1e-3.
    """
    from fashion_gan.saving.model_files import predict_function

    check_path(format, path)
    _check_packages(format)
    predict = predict_function(model)
    if not FORMATS[format].from_onnx:
        return _write_and_check(format, model, config, path, predict)
    _check_packages("onnx")
    with tempfile.TemporaryDirectory() as folder:
        onnx_path = Path(folder) / f"{path.stem}.onnx"
        save(model, config, "onnx", onnx_path)
        return _write_and_check(format, onnx_path, config, path, predict)


def save_from_onnx(onnx_path: Path, format: str, path: Path) -> float:
    """Convert an ``.onnx`` file of fashion-gan to "html" or "openvino", without Keras.

    Args:
        onnx_path: the file.
        format, path: as for ``save``.

    Returns:
        The largest difference between a pixel drawn by ONNX Runtime and by the format's runtime, on the same 20 latents
        as for ``save``. Pixels are in [-1, 1].

    Raises:
        InputError: as for ``save``; or the format cannot be made from an ONNX file, or the file cannot be read.
    """
    check_path(format, path)
    if not FORMATS[format].from_onnx:
        convertible = " and ".join(name for name, row in FORMATS.items() if row.from_onnx)
        raise InputError(
            f"{onnx_path} is an .onnx file, and only {convertible} can be made from one: give the run, or the .keras, "
            ".h5 or .safetensors file, that it came from (an imported generator has none)"
        )
    _check_packages(format)
    predict, config = open_onnx(onnx_path)
    with tempfile.TemporaryDirectory() as folder:
        # The page's heading is the ONNX file's name.
        renamed = Path(folder) / f"{path.stem}.onnx"
        shutil.copyfile(onnx_path, renamed)
        return _write_and_check(format, renamed, config, path, predict)


def enlarge(model: KerasModel, config: Config, size: int) -> tuple[KerasModel, Config]:
    """A Keras generator with a last layer that enlarges its images to ``size`` × ``size``, and its configuration.

    Raises:
        InputError: the size is not allowed, or smaller than the images.
    """
    from fashion_gan.networks.enlarging import enlarged

    own = config.core.image_size
    sizes = [allowed for allowed in IMAGE_SIZES if allowed >= own]
    if size not in sizes:
        raise InputError(
            f"size={size} must be a multiple of 4 from {sizes[0]} to {sizes[-1]}: the images have {own} pixels"
        )
    larger = dataclasses.replace(config, image_size=size, core_size=own)
    return enlarged(model, size), larger


def check_path(format: str, path: Path) -> None:
    """Raise InputError if the format is unknown or cannot be written to the path."""
    row = FORMATS[check_choice("format", format, FORMATS)]
    try:
        text = path.absolute().as_posix()
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{os.fsencode(path)!r} is not UTF-8: choose another path") from error
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {path.parent}")
    if not row.folder_files and path.suffix != row.suffix:
        raise InputError(f"{path} must end in {row.suffix}")
    if set(row.forbidden_characters) & set(text):
        raise InputError(
            f"{text} cannot hold a {format}: its runtime cannot read a path with any of {row.forbidden_characters}"
        )


def missing_packages(format: str, backend: str) -> list[str]:
    """The packages that the format needs on a Keras backend and that are not installed."""
    return [name for name in FORMATS[format].packages[backend] if not _is_installed(name)]


def _check_packages(format: str) -> None:
    backend, packages = default_backend(), FORMATS[format].packages
    if backend not in packages:
        names = " or ".join(packages)
        raise InputError(f"{format} needs Keras on {names}, but Keras runs on {backend}: set KERAS_BACKEND={names}")
    if missing := missing_packages(format, backend):
        raise InputError(f"{format} needs {' and '.join(missing)}: pip install {' '.join(missing)}")


def _is_installed(package: str) -> bool:
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _write_and_check(
    format: str,
    source: KerasModel | Path,
    config: GeneratorInfo,
    path: Path,
    predict: Predict,
) -> float:
    """Write the format from a Keras model or an ONNX file, and compare its images with those of ``predict``."""
    row, inputs = FORMATS[format], example_inputs(config)
    expected = predict(inputs)  # Before the export: Keras exports only models that have been called.
    with _temporary_output(format, path) as temporary:
        with suppressed_stderr(), warnings.catch_warnings():
            # The converters warn about their own code, such as deprecated NumPy names.
            warnings.simplefilter("ignore")
            row.write(source, config, temporary)
            if row.folder_files:
                (temporary / CONFIG_FILE).write_text(config.to_json() + "\n", encoding="utf-8")
            images = row.read(temporary)(inputs)
        difference = float(np.abs(expected - images).max())
        if not difference <= MAX_DIFFERENCE:  # Written so that NaN fails too.
            raise InputError(
                f"the exported {format} draws different images from its source: pixels differ by up to {difference:.2g}"
            )
    return difference


def _temporary_output(format: str, path: Path) -> AbstractContextManager[Path]:
    """A temporary file or folder that replaces ``path`` if the block succeeds."""
    files = FORMATS[format].folder_files
    return atomic_folder(path, files, marker=CONFIG_FILE, force=True) if files else atomic_file(path)
