"""Trained generators as files with our configuration inside, for Keras; written, and read back without running code.

Loading a foreign Keras file can run code, ``safe_mode`` or not. So the network is rebuilt from our own code and the
configuration, and of the file only the weights are read, from plain HDF5 data sets or safetensors.
"""

import importlib.util
import io
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras

from fashion_gan.backends import logger_held_back
from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.files import written_whole
from fashion_gan.generator import Generator
from fashion_gan.networks import build_generator
from fashion_gan.networks.settling import settle
from fashion_gan.runs import Run

CONFIG_MEMBER = "fashion_gan.json"  # in the zip that a .keras file is
CONFIG_ATTRIBUTE = "fashion_gan"  # of the root of an .h5 file, and of a .safetensors file's metadata
SAFETENSORS = ".safetensors"
MAX_BYTES = 1 << 30


def save_generator(model: Any, config: Config, path: Path) -> None:
    """Write a generator as ``.keras``, ``.h5`` or ``.safetensors``, which ``load_generator`` reads safely.

    Plain Keras loads the first two. The third holds weights alone, by the names of a generator's variables.
    """
    with written_whole(path) as temporary:
        if path.suffix == ".keras":
            model.save(temporary)
            with zipfile.ZipFile(temporary, "a") as file:
                file.writestr(CONFIG_MEMBER, config.to_json())
        elif path.suffix == SAFETENSORS:
            _save_safetensors(model, config, temporary)
        else:
            _save_h5(model, temporary)
            with h5py.File(temporary, "a") as file:
                file.attrs[CONFIG_ATTRIBUTE] = config.to_json()


def _save_safetensors(model: Any, config: Config, path: Path) -> None:
    from safetensors.numpy import save

    # Whatever the model is called, an averaged generator say, the names are those of a plain one.
    names = [variable.path for variable in build_generator(config).variables]
    weights = dict(zip(names, model.get_weights(), strict=True))
    path.write_bytes(save(weights, {CONFIG_ATTRIBUTE: config.to_json()}))


def _save_h5(model: Any, path: Path) -> None:
    with logger_held_back("absl"):  # Keras advises against .h5, which the field's programs still ask for.
        model.save(path)


def load_generator(source: str | Path, *, raw: bool = False, best: bool = False) -> Generator:
    """Read a generator from a run's folder, or from a ``.keras``, ``.h5`` or ``.safetensors`` file of ours.

    Args:
        source: the run's folder (its newest checkpoint is read) or the file.
        raw: take the weights as trained and not their moving average; in a run's folder only.
        best: read the best checkpoint by ``evaluate_every`` and not the newest; in a run's folder only.

    Raises:
        InputError: there is nothing there, the file is not ours, or it is damaged.
    """
    return as_generator(*load_model(Path(source), raw=raw, best=best))


def load_model(path: Path, *, raw: bool = False, best: bool = False) -> tuple[Any, Config]:
    """The Keras generator, and its configuration, of what ``load_generator`` takes. Raises InputError as it does."""
    if path.is_dir():
        run = Run.open(path)
        return model_of_run(run, raw=raw, best=best), run.config
    try:
        if path.suffix.lower() == SAFETENSORS:
            return _from_safetensors_file(path)
        if zipfile.is_zipfile(path):
            return _from_keras_file(path)
        if h5py.is_hdf5(path):
            return _from_h5_file(path)
    except InputError:
        raise
    except Exception as error:  # A hostile file can make those who read it raise almost anything.
        raise InputError(f"{path} is damaged or does not hold the weights of its network: {error}") from error
    raise InputError(
        f"{path} is not a model file: it must be an .onnx, .keras, .h5 or .safetensors file that fashion-gan wrote"
    )


def as_generator(model: Any, config: Config) -> Generator:
    """A Keras generator model -> a ``Generator``."""
    return Generator(
        lambda inputs: keras.ops.convert_to_numpy(model(inputs, training=False)), config.latent_dim, config.class_names
    )


def model_of_run(run: Run, *, raw: bool = False, best: bool = False) -> Any:
    """The Keras generator of a run's newest, or best, checkpoint. Raises InputError where there is none."""
    name = "generator" if raw else "averaged_generator"
    model = build_generator(run.config, name)
    _, state = run.load_best() if best else run.load_checkpoint()
    for variable in model.variables:
        matches = [key for key in state if key.endswith(f"|{variable.path}")]
        if len(matches) != 1 or state[matches[0]].shape != tuple(variable.shape):
            raise InputError(f"{run.path} holds a checkpoint of another architecture: {variable.path} does not fit")
        variable.assign(state[matches[0]])
    if not raw:
        settle(model, run.config)
    return model


def _from_keras_file(path: Path) -> tuple[Any, Config]:
    with zipfile.ZipFile(path) as file:
        if CONFIG_MEMBER not in file.namelist():
            raise _not_ours(path)
        config = Config.from_json(_member(file, CONFIG_MEMBER, 1 << 20).decode(), path)
        weights = _member(file, "model.weights.h5", MAX_BYTES)
    with tempfile.TemporaryDirectory() as folder:
        weights_path = Path(folder) / "model.weights.h5"
        weights_path.write_bytes(weights)
        return _with_weights(config, weights_path, io.BytesIO(weights))


def _member(file: zipfile.ZipFile, name: str, limit_bytes: int) -> bytes:
    if file.getinfo(name).file_size > limit_bytes:
        raise InputError(f"{file.filename} holds a {name} of over {limit_bytes:,} bytes, which no model of ours does")
    return file.read(name)


def _from_h5_file(path: Path) -> tuple[Any, Config]:
    with h5py.File(path, "r") as file:
        text = file.attrs.get(CONFIG_ATTRIBUTE)
    if not isinstance(text, str):
        raise _not_ours(path)
    return _with_weights(Config.from_json(text, path), path, path)


def _from_safetensors_file(path: Path) -> tuple[Any, Config]:
    if importlib.util.find_spec("safetensors") is None:
        raise InputError(f"{path} needs safetensors to be read: pip install safetensors")
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        text = (file.metadata() or {}).get(CONFIG_ATTRIBUTE)
        if text is None:
            raise _not_ours(path)
        config = Config.from_json(text, path)
        model = build_generator(config)
        for variable in model.variables:
            found = file.get_slice(variable.path)
            if found.get_dtype() != "F32" or tuple(found.get_shape()) != tuple(variable.shape):
                raise ValueError(f"{variable.path} is {found.get_dtype()} {found.get_shape()}")
            variable.assign(file.get_tensor(variable.path))
    return model, config


def _with_weights(config: Config, path: Path, hdf5: Any) -> tuple[Any, Config]:
    model = build_generator(config)
    with h5py.File(hdf5, "r") as file:
        _refuse_unusual_storage(file)
    with warnings.catch_warnings():
        # Keras only warns where it finds no weights for a layer, and leaves that layer random.
        warnings.filterwarnings("error", category=UserWarning, module="keras")
        try:
            model.load_weights(path)
        except UserWarning as warning:
            raise ValueError(warning) from warning
    return model, config


def _refuse_unusual_storage(group: h5py.Group) -> None:
    """Refuse links and data sets that reach into other files, and sizes that no model of ours has."""
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise InputError(f"{group.file.filename} holds a link ({name}): only plain weights are read")
        item = group[name]
        if isinstance(item, h5py.Group):
            _refuse_unusual_storage(item)
        elif not isinstance(item, h5py.Dataset) or item.external or item.is_virtual or item.nbytes > MAX_BYTES:
            raise InputError(f"{group.file.filename} holds a data set ({name}) that is not plain weights")


def _not_ours(path: Path) -> InputError:
    return InputError(
        f"{path} was not written by fashion-gan, and loading a foreign model file can run code: fashion-gan import "
        "takes plain generators from .h5 files; of others, if you trust them, "
        "load the network in Python with keras.models.load_model and wrap it: "
        "fashion_gan.Generator(model.predict, latent_dim)"
    )
