"""Model files of Keras and safetensors: write them, and read them without running code.

Loading a Keras file with Keras can run code from the file, even in ``safe_mode``. This module never does that. It
rebuilds the network from this package's code and the configuration in the file. From the file it reads only weights,
which are plain HDF5 data sets or safetensors.
"""

import importlib.util
import io
import os
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import h5py
import keras
from keras.src.legacy.saving.legacy_h5_format import save_model_to_hdf5  # No public function takes an open file.

from fashion_gan.arrays import Array, Inputs, KerasModel, Predict
from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.networks import build_generator_for_weights
from fashion_gan.runs import Run
from fashion_gan.saving import MODEL_SUFFIXES
from fashion_gan.saving.pickled import predict_from_weights
from fashion_gan.system.atomic_files import atomic_file
from fashion_gan.system.library_settings import default_settings

CONFIG_MEMBER = "fashion_gan.json"  # in a .keras file, which is a zip archive
CONFIG_ATTRIBUTE = "fashion_gan"  # of an .h5 file's root, and of a .safetensors file's metadata
SAFETENSORS = ".safetensors"
MAX_CONFIG_BYTES = 1 << 20
MAX_WEIGHTS_BYTES = 1 << 30  # of a .keras file's weights, and of one HDF5 data set


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
    path.write_bytes(save(weights, {CONFIG_ATTRIBUTE: config.to_json()}))


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
    try:
        if path.suffix.lower() == SAFETENSORS:
            return _read_safetensors(path)
        if zipfile.is_zipfile(path):
            return _read_keras(path)
        if h5py.is_hdf5(path):
            return _read_h5(path)
    except InputError:
        raise
    except Exception as error:  # The libraries can raise almost any exception on a malicious file.
        raise InputError(f"{path} is damaged or does not hold the weights of its network: {error}") from error
    suffixes = f"{', '.join(MODEL_SUFFIXES[:-1])} or {MODEL_SUFFIXES[-1]}"
    raise InputError(f"{path} is not a model file: it must be an {suffixes} file that fashion-gan wrote")


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
    with zipfile.ZipFile(path) as archive:
        if CONFIG_MEMBER not in archive.namelist():
            raise _unknown_origin(path)
        config = Config.from_json(_read_member(archive, CONFIG_MEMBER, MAX_CONFIG_BYTES).decode(), path)
        weights = _read_member(archive, "model.weights.h5", MAX_WEIGHTS_BYTES)
    with tempfile.TemporaryDirectory() as folder:
        weights_path = Path(folder) / "model.weights.h5"
        weights_path.write_bytes(weights)
        return _build_with_weights(config, weights_path, io.BytesIO(weights)), config


def _read_member(archive: zipfile.ZipFile, name: str, max_bytes: int) -> bytes:
    if archive.getinfo(name).file_size > max_bytes:
        raise InputError(
            f"{archive.filename} holds a {name} of over {max_bytes:,} bytes: fashion-gan writes no file of that size"
        )
    return archive.read(name)


def _read_h5(path: Path) -> tuple[KerasModel, Config]:
    with h5py.File(path, "r") as file:
        text = file.attrs.get(CONFIG_ATTRIBUTE)
    if not isinstance(text, str):
        raise _unknown_origin(path)
    config = Config.from_json(text, path)
    return _build_with_weights(config, path, path), config


def _read_safetensors(path: Path) -> tuple[KerasModel, Config]:
    if importlib.util.find_spec("safetensors") is None:
        raise InputError(f"reading {path} needs safetensors: pip install safetensors")
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        text = (file.metadata() or {}).get(CONFIG_ATTRIBUTE)
        if text is None:
            raise _unknown_origin(path)
        config = Config.from_json(text, path)
        model = build_generator_for_weights(config)
        for variable in model.variables:
            stored = file.get_slice(variable.path)
            if stored.get_dtype() != "F32" or tuple(stored.get_shape()) != tuple(variable.shape):
                raise ValueError(f"{variable.path} is {stored.get_dtype()} {stored.get_shape()}")
            variable.assign(file.get_tensor(variable.path))
    return model, config


def _build_with_weights(config: Config, weights_path: Path, hdf5: Path | BinaryIO) -> KerasModel:
    """Build the network of a configuration and load its weights.

    Args:
        config: the configuration.
        weights_path: the file that Keras loads the weights from.
        hdf5: the same file's content, which is checked first.
    """
    model = build_generator_for_weights(config)
    with h5py.File(hdf5, "r") as file:
        _check_plain_weights(file)
    with warnings.catch_warnings():
        # If a layer has no weights in the file, Keras only warns and leaves that layer random.
        warnings.filterwarnings("error", category=UserWarning, module="keras")
        try:
            model.load_weights(weights_path)
        except UserWarning as warning:
            raise ValueError(warning) from warning
    return model


def _check_plain_weights(group: h5py.Group) -> None:
    """Raise InputError for links, for data sets that read from other files, and for implausibly large data sets."""
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise InputError(f"{group.file.filename} holds a link ({name}): only plain weights are read")
        item = group[name]
        if isinstance(item, h5py.Group):
            _check_plain_weights(item)
        elif not isinstance(item, h5py.Dataset) or item.external or item.is_virtual or item.nbytes > MAX_WEIGHTS_BYTES:
            raise InputError(f"{group.file.filename} holds a data set ({name}) that is not plain weights")


def _unknown_origin(path: Path) -> InputError:
    return InputError(
        f"{path} was not written by fashion-gan, and another program's model file can run code when it is loaded. "
        "If it is an .h5 file with a plain generator, use fashion-gan import. If you trust the file, load it in Python "
        "with keras.models.load_model and wrap the network: fashion_gan.Generator(model.predict, latent_dim)"
    )
