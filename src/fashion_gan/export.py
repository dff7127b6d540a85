"""A trained generator -> the formats that people deploy, each checked in its own runtime after it is written."""

import dataclasses
import importlib.metadata
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fashion_gan.backends import default_backend, error_output_held_back, logger_held_back
from fashion_gan.config import BACKENDS
from fashion_gan.errors import InputError, suggestion
from fashion_gan.explorer import single_file
from fashion_gan.files import folder_written_whole, written_whole
from fashion_gan.generator import CONFIG_KEY, INPUT_NAMES, open_onnx
from fashion_gan.latents import draw_inputs

LARGEST_DIFFERENCE = 1e-3  # of pixels that range over [-1, 1]: an eighth of a grey level
CHECKED_IMAGES = 20
CONFIG_FILE = "fashion_gan.json"  # in every folder that is written here

Predict = Callable[[Any], Any]
Packages = dict[str, tuple[str, ...]]  # by Keras's backend


class Described(Protocol):
    """What is stored beside a network: a ``Config``, or what is known of an imported one."""

    @property
    def latent_dim(self) -> int: ...

    @property
    def class_names(self) -> tuple[str, ...]: ...

    def to_json(self) -> str: ...


@dataclasses.dataclass(frozen=True)
class Format:
    """One way to store a generator.

    Attributes:
        suffix: what the name of its file, or of its folder, ends in.
        needs: by Keras's backend, the packages that writing and reading it take; a backend that is left out cannot.
        write: (Keras model, what is stored beside it, path) -> nothing.
        read: the path -> what draws, as ``Generator`` takes it; in the format's own runtime.
        folder_of: the names of what lies in it, where it is a folder.
        unreadable: characters that its runtime does not take as they are in a path.
        by_onnx: whether it is made from an ONNX file; ``write`` gets that file's path in the place of the model.
    """

    suffix: str
    needs: Packages
    write: Callable[[Any, Any, Path], None]
    read: Callable[[Path], Predict]
    folder_of: tuple[str, ...] = ()
    unreadable: str = ""
    by_onnx: bool = False


def save(model: Any, config: Described, kind: str, path: Path) -> float:
    """Write a generator in a format, with its configuration inside where the format has a place for it.

    Args:
        model: the Keras generator.
        config: what it was built from; "onnx" takes an ``Imported`` too.
        kind: a name in ``FORMATS``.
        path: the file, or the folder; it is left as it was unless all goes well.

    Returns:
        The largest difference of a pixel in [-1, 1] between Keras and the format's own runtime, on 20 latents.

    Raises:
        InputError: an unknown format, a path that is not for it, a library that is missing, or a difference above 1e-3.
    """
    asked = _asked(kind, path)
    _check_needs(kind, asked.needs)
    if not asked.by_onnx:
        return _write_checked(kind, model, config, path, lambda inputs: _drawn_by_keras(model, inputs))
    _check_needs("onnx", FORMATS["onnx"].needs)
    with tempfile.TemporaryDirectory() as folder:
        onnx_path = Path(folder) / f"{path.stem}.onnx"
        save(model, config, "onnx", onnx_path)
        return _write_checked(kind, onnx_path, config, path, lambda inputs: _drawn_by_keras(model, inputs))


def save_from_onnx(onnx_path: Path, kind: str, path: Path) -> float:
    """As ``save``, of an ``.onnx`` file of ours, without Keras; in the formats that are made from one."""
    asked = _asked(kind, path)
    if not asked.by_onnx:
        able = " and ".join(name for name, other in FORMATS.items() if other.by_onnx)
        raise InputError(
            f"{onnx_path} is an .onnx file, and of those {able} alone are made: name the run, or the .keras, .h5 or "
            ".safetensors file that it came from; of an imported generator there is none"
        )
    _check_needs(kind, asked.needs)
    predict, config = open_onnx(onnx_path)
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / f"{path.stem}.onnx"
        shutil.copyfile(onnx_path, named)
        return _write_checked(kind, named, config, path, predict)


def _asked(kind: str, path: Path) -> Format:
    if kind not in FORMATS:
        raise InputError(f"format={kind!r} is unknown: {suggestion(kind, list(FORMATS))}")
    check_path(kind, path)
    return FORMATS[kind]


def _write_checked(kind: str, source: Any, config: Described, path: Path, expect: Predict) -> float:
    """Write a format from a Keras model or from an ONNX file, and compare what it draws with what is expected."""
    asked, inputs = FORMATS[kind], _inputs(config)
    expected = expect(inputs)  # Before the export: Keras exports only what was called once.
    names = asked.folder_of
    written = folder_written_whole(path, names, marker=CONFIG_FILE, force=True) if names else written_whole(path)
    with written as temporary:
        with error_output_held_back(), warnings.catch_warnings():
            # Converters advise their makers: of names that NumPy has dropped, of runtimes that will move.
            warnings.simplefilter("ignore")
            asked.write(source, config, temporary)
            if names:
                (temporary / CONFIG_FILE).write_text(config.to_json() + "\n")
            found = asked.read(temporary)(inputs)
        difference = float(np.abs(expected - found).max())
        if not difference <= LARGEST_DIFFERENCE:
            raise InputError(f"the exported {kind} draws other images than its source: they differ by {difference:.2g}")
    return difference


def _check_needs(kind: str, needs: Packages) -> None:
    backend = default_backend()
    if backend not in needs:
        able = " or ".join(needs)
        raise InputError(f"{kind} is written from Keras on {able}, not on {backend}: set KERAS_BACKEND={able}")
    if missing := [name for name in needs[backend] if not _is_installed(name)]:
        raise InputError(f"{kind} needs {' and '.join(missing)}: pip install {' '.join(missing)}")


def _is_installed(package: str) -> bool:
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def check_path(kind: str, path: Path) -> None:
    """Raises InputError where a format cannot be written to a path."""
    asked = FORMATS[kind]
    try:
        text = path.absolute().as_posix()
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{os.fsencode(path)!r} is not UTF-8: name another --out") from error
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {path.parent}")
    if not asked.folder_of and path.suffix != asked.suffix:
        raise InputError(f"{path} must end in {asked.suffix}")
    if set(asked.unreadable) & set(text):
        raise InputError(f"{text} cannot be a {kind}: its runtime reads no path with any of {asked.unreadable} in it")


def _inputs(config: Described) -> Any:
    inputs = draw_inputs(CHECKED_IMAGES, config.latent_dim, len(config.class_names))
    return inputs if config.class_names else inputs[0]


def _by_name(inputs: Any) -> dict[str, Any]:
    return dict(zip(INPUT_NAMES, inputs if isinstance(inputs, list) else [inputs], strict=False))


# ---- How each is written, and read back ----


def _write_onnx(model: Any, config: Described, path: Path) -> None:
    import onnx

    from fashion_gan.networks.folding import folded

    model = folded(model)
    _drawn_by_keras(model, _inputs(config))  # Keras exports only what was called once.
    with logger_held_back("tf2onnx"):  # Of what it does not know, it writes the name alone, and says so on its own.
        model.export(path, format="onnx", verbose=False)
    exported = onnx.load(path)
    # Nodes of other domains are functions of a converter's own, which it writes into the file.
    operators = {node.op_type for node in exported.graph.node if not node.domain}
    if unknown := sorted(name for name in operators if not onnx.defs.has(name)):
        raise InputError(f"the network cannot be written as onnx, which has no operator {' or '.join(unknown)}")
    entry = exported.metadata_props.add()
    entry.key, entry.value = CONFIG_KEY, config.to_json()
    onnx.save(exported, path)


def _read_onnx(path: Path) -> Predict:
    return open_onnx(path)[0]


def _write_model_file(model: Any, config: Any, path: Path) -> None:
    from fashion_gan import model_files

    model_files.save_generator(model, config, path)


def _read_keras(path: Path) -> Predict:
    import keras

    model = keras.models.load_model(path, compile=False)  # Our own file, and as those who have Keras alone read it.
    return lambda inputs: _drawn_by_keras(model, inputs)


def _drawn_by_keras(model: Any, inputs: Any) -> Any:
    import keras

    return keras.ops.convert_to_numpy(model(inputs, training=False))


def _read_safetensors(path: Path) -> Predict:
    from fashion_gan import model_files

    return model_files.load_generator(path).predict


def _write_saved_model(model: Any, config: Described, path: Path) -> None:
    model.export(path, format="tf_saved_model", verbose=False)


def _read_saved_model(path: Path) -> Predict:
    import tensorflow

    loaded = tensorflow.saved_model.load(path)

    def predict(inputs: Any) -> Any:  # A signature takes tensors by name, and lives only as long as what was loaded.
        tensors = {name: tensorflow.constant(value) for name, value in _by_name(inputs).items()}
        return _only(loaded.signatures["serving_default"](**tensors))

    return predict


def _write_litert(model: Any, config: Described, path: Path) -> None:
    model.export(path, format="litert", verbose=False)


def _read_litert(path: Path) -> Predict:
    import tensorflow

    draw = tensorflow.lite.Interpreter(model_path=str(path)).get_signature_runner()
    return lambda inputs: _only(draw(**_by_name(inputs)))


def _only(outputs: dict[str, Any]) -> Any:
    (images,) = outputs.values()
    return np.asarray(images)


def _write_openvino(onnx_path: Path, config: Described, path: Path) -> None:
    import openvino

    converted = openvino.Core().read_model(onnx_path)
    converted.set_rt_info(config.to_json(), [CONFIG_KEY])
    openvino.save_model(converted, path / "generator.xml", compress_to_fp16=False)


def _read_openvino(path: Path) -> Predict:
    import openvino

    # Where the processor can, OpenVINO computes in bfloat16 unless told otherwise, and draws slightly other images.
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(path / "generator.xml", "CPU", exact)
    return lambda inputs: compiled(_by_name(inputs))[0]


def _write_html(onnx_path: Path, config: Described, path: Path) -> None:
    path.write_text(single_file.page_of(onnx_path), encoding="utf-8")


_NOTHING: Packages = dict.fromkeys(BACKENDS, ())
_ONNX: Packages = {"tensorflow": ("onnx", "tf2onnx"), "jax": ("onnx", "jax2onnx"), "torch": ("onnx", "onnxscript")}
_OPENVINO: Packages = dict.fromkeys(BACKENDS, ("openvino",))
_HTML: Packages = dict.fromkeys(BACKENDS, ("onnx", "mini-racer"))
_SAFETENSORS: Packages = dict.fromkeys(BACKENDS, ("safetensors",))
_TENSORFLOW: Packages = {"tensorflow": ()}
_PATTERNS = "*?[]\\"  # TensorFlow looks for a folder's variables by a pattern that its path is part of.

_SAVED_FILES = ("fingerprint.pb", "saved_model.pb", "variables/variables.*")
_IR_FILES = ("generator.bin", "generator.xml")  # OpenVINO's intermediate representation

# fmt: off
FORMATS = {
    "onnx":        Format(".onnx",        _ONNX,        _write_onnx,        _read_onnx),
    "keras":       Format(".keras",       _NOTHING,     _write_model_file,  _read_keras),
    "h5":          Format(".h5",          _NOTHING,     _write_model_file,  _read_keras),
    "safetensors": Format(".safetensors", _SAFETENSORS, _write_model_file,  _read_safetensors),
    "litert":      Format(".tflite",      _TENSORFLOW,  _write_litert,      _read_litert),
    "saved_model": Format("_saved_model", _TENSORFLOW,  _write_saved_model, _read_saved_model, _SAVED_FILES, _PATTERNS),
    "html":        Format(".html",        _HTML,        _write_html,        single_file.open_page, (), "", True),
    "openvino":    Format("_openvino",    _OPENVINO,    _write_openvino,    _read_openvino,    _IR_FILES,    "", True),
}
# fmt: on
