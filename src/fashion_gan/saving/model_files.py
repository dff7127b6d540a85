"""Model files of Keras and safetensors: write them, and read them without running code.

Loading a Keras file with Keras can run code from the file, even in ``safe_mode``. This module never does that. It
rebuilds the network from this package's code and the configuration in the file. From the file it reads only weights,
which are plain HDF5 data sets (read in a separate process) or safetensors.
"""

import math
import os
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras.src.legacy.saving.legacy_h5_format import save_model_to_hdf5  # No public function takes an open file.

from fashion_gan.arrays import Array, Inputs, KerasModel, Predict
from fashion_gan.config import Config
from fashion_gan.errors import InputError, one_line
from fashion_gan.generator import Generator
from fashion_gan.networks import build_generator_for_weights
from fashion_gan.runs import Run
from fashion_gan.saving import MODEL_SUFFIXES
from fashion_gan.saving.hdf5 import copy_plain
from fashion_gan.saving.onnx_description import value_texts
from fashion_gan.saving.pickled import predict_from_weights
from fashion_gan.system.array_files import check_member
from fashion_gan.system.atomic_files import atomic_file
from fashion_gan.system.backends import network_errors
from fashion_gan.system.installation import check_installed
from fashion_gan.system.library_settings import default_settings

CONFIG_MEMBER = "fashion_gan.json"  # in a .keras file, which is a zip archive
CONFIG_ATTRIBUTE = "fashion_gan"  # of an .h5 file's root, and of a .safetensors file's metadata
SAFETENSORS = ".safetensors"
MAX_CONFIG_BYTES = 1 << 20
WEIGHTS_MEMBER = "model.weights.h5"  # in a .keras file
MAX_WEIGHTS_BYTES = 1 << 30  # of a .keras file's weights
WIDEST_NUMBER = 8  # bytes of a weight, at most
MAX_OVERHEAD = 8 << 20  # bytes of a .keras file's weights that are not numbers
MAX_REASON = 300  # characters of a library's message


def save_generator(model: KerasModel, config: Config, path: Path) -> None:
    """Write a generator as a ``.keras``, ``.h5`` or ``.safetensors`` file that ``load_generator`` reads.

    Plain Keras also reads the first two. A ``.safetensors`` file holds only weights and the configuration. Its weights
    have the names of a generator's variables.

    Args:
        model: the Keras generator.
        config: the configuration that the generator was built from. It is stored in the file.
        path: the file. It is replaced atomically.
    """
    with atomic_file(path) as temporary:
        if path.suffix == ".keras":
            model.save(temporary)
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(CONFIG_MEMBER, config.to_json())
        elif path.suffix == SAFETENSORS:
            _save_safetensors(model, config, temporary)
        else:
            # Model.save takes only a path, and would lock the file. Not every file system has locks.
            with h5py.File(temporary, "w", locking=False) as file:
                save_model_to_hdf5(model, file)
                file.attrs[CONFIG_ATTRIBUTE] = config.to_json()


def _save_safetensors(model: KerasModel, config: Config, path: Path) -> None:
    from safetensors.numpy import save

    # An averaged generator's variables have different names. The file uses those of a plain generator.
    names = [variable.path for variable in build_generator_for_weights(config).variables]
    weights = dict(zip(names, model.get_weights(), strict=True))
    path.write_bytes(save(weights, {CONFIG_ATTRIBUTE: config.to_json(), **value_texts(config)}))


def load_generator(path: str | Path, *, raw: bool = False, best: bool = False) -> Generator:
    """Read a generator from a run's folder, or from a ``.keras``, ``.h5`` or ``.safetensors`` file of fashion-gan.

    Args:
        path: the run's folder or the file. For a run, the newest checkpoint is read.
        raw: use the weights as trained instead of their moving average. Only for a run's folder.
        best: use the best checkpoint by ``evaluate_every_epochs`` instead of the newest. Only for a run's folder.

    Raises:
        InputError: nothing is there, fashion-gan did not write the file, or it is damaged.
    """
    return as_generator(*load_model(Path(path), raw=raw, best=best))


def load_model(path: Path, *, raw: bool = False, best: bool = False) -> tuple[KerasModel, Config]:
    """Read the Keras generator and its configuration. The arguments and the errors are those of ``load_generator``."""
    if path.is_dir():
        run = Run.open(path)
        return run.load_generator_model(raw=raw, best=best), run.config
    check_readable(path)
    read = _reader(path)
    if read is None:
        suffixes = f"{', '.join(MODEL_SUFFIXES[:-1])} or {MODEL_SUFFIXES[-1]}"
        raise InputError(f"{path} is not a model file: it must be an {suffixes} file that fashion-gan wrote")
    try:
        model, config = read(path)
        _check_finite(model)
    except InputError:
        raise
    except network_errors() as error:
        reason = one_line(error)[:MAX_REASON]
        raise InputError(f"{path} is damaged or does not hold the weights of its network: {reason}") from error
    return model, config


def check_readable(path: Path) -> None:
    """Raise InputError if a path is no file that can be read. A pipe, for example, would be waited for."""
    if not path.is_file():
        raise InputError(f"{path} is not a file")
    try:
        open(path, "rb").close()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _reader(path: Path) -> Callable[[Path], tuple[KerasModel, Config]] | None:
    """The function that reads a file, by its suffix or its first bytes. None if it is of another kind."""
    if path.suffix.lower() == SAFETENSORS:
        return _read_safetensors
    if zipfile.is_zipfile(path):
        return _read_keras
    return _read_h5 if h5py.is_hdf5(path) else None


def as_generator(model: KerasModel, config: Config) -> Generator:
    """Wrap a Keras generator model as a ``Generator``."""
    return Generator(KerasPredict(model, config), config.latent_dim, config.class_names)


def predict_function(model: KerasModel) -> Predict:
    """Return the function that draws with a Keras generator model: inputs -> a NumPy array of images in [-1, 1]."""
    return KerasPredict(model)


class KerasPredict:
    """A function that draws with a Keras generator model. With a configuration it can be pickled.

    Args:
        model: the Keras generator.
        config: the configuration that the generator was built from.
    """

    def __init__(self, model: KerasModel, config: Config | None = None) -> None:
        self.model, self.config = model, config
        self._process = os.getpid()

    @default_settings()
    def __call__(self, inputs: Inputs) -> Array:
        if self._process != os.getpid():  # The backends' threads do not survive a fork: the call would never end.
            raise InputError(
                "a Keras model cannot draw in a forked process: start the process with multiprocessing's 'spawn', or "
                "export the model as .onnx and load that file"
            )
        images: Array = keras.ops.convert_to_numpy(self.model(inputs, training=False))
        return images

    def __reduce__(self) -> tuple[Callable[..., Predict], tuple[object, ...]]:
        if self.config is None:
            raise TypeError("a Keras model can be pickled only with the configuration of its network")
        return predict_from_weights, (keras.backend.backend(), self.config, self.model.get_weights())


def _read_keras(path: Path) -> tuple[KerasModel, Config]:
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        if CONFIG_MEMBER not in archive.namelist():
            raise _unknown_origin(path)
        config = Config.from_json(read_member(archive, CONFIG_MEMBER, MAX_CONFIG_BYTES).decode(), path)
        model = build_generator_for_weights(config)
        weights_bytes = sum(math.prod(variable.shape) * WIDEST_NUMBER for variable in model.variables)
        stored = Path(folder) / "stored.h5"
        stored.write_bytes(read_member(archive, WEIGHTS_MEMBER, min(weights_bytes + MAX_OVERHEAD, MAX_WEIGHTS_BYTES)))
        plain = Path(folder) / WEIGHTS_MEMBER  # Keras reads the layout of Keras 3 from a file of this name.
        _copy_weights(stored, plain, path)
        load_plain_weights(model, plain)
    return model, config


def read_member(archive: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    """Read a member of a zip archive. Raises InputError if it is missing or larger than allowed."""
    if name not in archive.namelist():
        raise InputError(f"{archive.filename} holds no {name}")
    check_member(archive.getinfo(name))
    size = archive.getinfo(name).file_size
    if size > max_bytes:
        raise InputError(f"{archive.filename} holds a {name} of over {max_bytes:,} bytes, which is more than it needs")
    with archive.open(name) as member:
        return member.read(size)  # Without a size, zipfile may decompress more than the archive declares.


def _read_h5(path: Path) -> tuple[KerasModel, Config]:
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "model.h5"
        _copy_weights(path, plain, path)
        with h5py.File(plain, "r", locking=False) as file:
            text = file.attrs.get(CONFIG_ATTRIBUTE)
        if not isinstance(text, str):
            raise _unknown_origin(path)
        config = Config.from_json(text, path)
        model = build_generator_for_weights(config)
        load_plain_weights(model, plain)
    return model, config


def _read_safetensors(path: Path) -> tuple[KerasModel, Config]:
    check_installed("safetensors", f"reading {path}", "export")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(CONFIG_ATTRIBUTE)
            if text is None:
                raise _unknown_origin(path)
            config = Config.from_json(text, path)
            model = build_generator_for_weights(config)
            _assign_weights(model, file)
    except SafetensorError as error:
        raise ValueError(error) from error
    return model, config


def _assign_weights(model: KerasModel, file: Any) -> None:
    """Give a network the weights of an open safetensors file. Raises ValueError if one has another type or shape."""
    for variable in model.variables:
        stored = file.get_slice(variable.path)
        if stored.get_dtype() != "F32" or tuple(stored.get_shape()) != tuple(variable.shape):
            raise ValueError(f"{variable.path} is {stored.get_dtype()} {stored.get_shape()}")
        variable.assign(file.get_tensor(variable.path))


def save_weights(model: KerasModel, path: Path) -> None:
    """Write only the weights of a network, as safetensors."""
    check_installed("safetensors", f"writing {path.name}", "export")
    from safetensors.numpy import save_file

    weights = zip(model.variables, model.get_weights(), strict=True)
    save_file({variable.path: np.asarray(value, order="C") for variable, value in weights}, path)


def load_weights(model: KerasModel, path: Path) -> None:
    """Read the weights that ``save_weights`` wrote. Raises InputError if they do not fit, or if the file is damaged."""
    check_readable(path)
    check_installed("safetensors", f"reading {path.name}", "export")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            _assign_weights(model, file)
        _check_finite(model)
    except (SafetensorError, ValueError, OSError) as error:
        raise InputError(f"{path} does not hold the weights of its network: {one_line(error)[:MAX_REASON]}") from error


def _copy_weights(stored: Path, plain: Path, path: Path) -> None:
    """Copy the plain content of an HDF5 file of any origin. Errors name ``path``, which holds that file."""
    try:
        with h5py.File(plain, "w", locking=False) as copy:
            left_out = copy_plain(stored, copy)
    except InputError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if left_out:
        raise InputError(f"{path} holds {one_line(left_out[0])[:60]}, which is a link, or not plain weights")


def load_plain_weights(model: KerasModel, plain: Path) -> None:
    """Load all weights of a model from a plain copy. Raises ValueError if they do not fit."""
    with warnings.catch_warnings():
        # If a layer has no weights in the file, Keras only warns and leaves that layer random.
        warnings.filterwarnings("error", category=UserWarning, module="keras")
        try:
            model.load_weights(plain)
        except UserWarning as warning:
            raise ValueError(warning) from warning


def _check_finite(model: KerasModel) -> None:
    """Raise ValueError if a weight is NaN or infinite: the model would draw black images."""
    for variable in model.variables:
        if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
            raise ValueError(f"{variable.path} holds values that are not finite")


def _unknown_origin(path: Path) -> InputError:
    return InputError(
        f"{path} was not written by fashion-gan, and another program's model file can run code when it is loaded. "
        "If it is an .h5 or .keras file with a plain generator, use fashion-gan import. If you trust the file, load "
        "it in Python with keras.models.load_model and wrap the network: "
        "fashion_gan.Generator(model.predict, latent_dim)"
    )
