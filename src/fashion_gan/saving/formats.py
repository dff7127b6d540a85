"""The export formats: one row each in ``FORMATS``, with the functions that write and read it."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np

from fashion_gan.arrays import Array, Inputs, KerasModel, Predict
from fashion_gan.config import BACKENDS, Config
from fashion_gan.errors import InputError
from fashion_gan.generator import CONFIG_KEY, INPUT_NAMES, open_onnx
from fashion_gan.latents import draw_inputs
from fashion_gan.saving.onnx_description import describe, value_texts
from fashion_gan.system.backends import seeded, suppressed_logger
from fashion_gan.system.telemetry import import_onnxruntime, import_openvino
from fashion_gan.webpage import single_file

CHECKED_IMAGES = 20

PackagesByBackend: TypeAlias = Mapping[str, tuple[str, ...]]
"""The packages that a format needs, for each Keras backend that can write it."""


class GeneratorInfo(Protocol):
    """What a model file says about its network: a ``Config``, or an ``ImportedGenerator``."""

    @property
    def latent_dim(self) -> int: ...

    @property
    def class_names(self) -> tuple[str, ...]: ...

    def to_json(self) -> str: ...


@dataclasses.dataclass(frozen=True)
class Format:
    """How a generator is stored in one format.

    Attributes:
        suffix: the end of the file's name, or of the folder's name.
        packages: the packages that writing and reading need, by Keras backend. A backend that is not a key cannot write
            the format.
        write: (Keras model, ``GeneratorInfo``, path) -> None. If ``from_onnx`` is true, the first argument is the path
            of an ONNX file instead of a model.
        read: path -> a function that draws in the format's own runtime.
        folder_files: patterns of the files in the folder, if the format is a folder. Empty for a single file.
        forbidden_characters: characters that the runtime cannot read in a path.
        from_onnx: whether the format is made from an ONNX file.
    """

    suffix: str
    packages: PackagesByBackend
    write: Callable[[Any, Any, Path], None]
    read: Callable[[Path], Predict]
    folder_files: tuple[str, ...] = ()
    forbidden_characters: str = ""
    from_onnx: bool = False


def example_inputs(config: GeneratorInfo) -> Inputs:
    """The 20 inputs on which an export is compared with its source."""
    inputs = draw_inputs(CHECKED_IMAGES, config.latent_dim, len(config.class_names))
    return inputs if config.class_names else inputs[0]


def _inputs_by_name(inputs: Inputs) -> dict[str, Array]:
    return dict(zip(INPUT_NAMES, inputs if isinstance(inputs, list) else [inputs], strict=False))


def _single_output(outputs: dict[str, Any]) -> Array:
    (images,) = outputs.values()
    return np.asarray(images)


# ---- ONNX ----


def _write_onnx(model: KerasModel, config: GeneratorInfo, path: Path) -> None:
    import onnx

    from fashion_gan.networks.batch_norm_folding import fold_batch_norm
    from fashion_gan.saving.model_files import predict_function

    import_onnxruntime()  # Before a converter imports it.
    model = fold_batch_norm(model)
    predict_function(model)(example_inputs(config))  # Keras exports only models that have been called.
    with suppressed_logger("tf2onnx"):  # It logs unknown operators and writes them anyway. They are refused below.
        model.export(path, format="onnx", verbose=False)
    exported = onnx.load(path)
    # Nodes of other domains are functions that the converter defines in the file.
    operators = {node.op_type for node in exported.graph.node if not node.domain}
    if unknown := sorted(name for name in operators if not onnx.defs.has(name)):
        raise InputError(f"the network cannot be written as onnx, which has no operator {' or '.join(unknown)}")
    exported.metadata_props.add(key=CONFIG_KEY, value=config.to_json())
    describe(exported, config)
    onnx.save(exported, path)


def _read_onnx(path: Path) -> Predict:
    return open_onnx(path)[0]


# ---- Keras and safetensors ----


def _write_model_file(model: KerasModel, config: Config, path: Path) -> None:
    from fashion_gan.saving.model_files import save_generator

    save_generator(model, config, path)


@seeded(0)  # Keras draws initial weights before it reads those in the file.
def _read_keras(path: Path) -> Predict:
    import keras

    from fashion_gan.saving.model_files import predict_function

    # Plain Keras reads the file, to check that users without fashion-gan can. The file was just written, so it is safe.
    return predict_function(keras.models.load_model(path, compile=False))


def _read_safetensors(path: Path) -> Predict:
    from fashion_gan.saving.model_files import load_generator

    return load_generator(path).predict


# ---- TensorFlow ----


def _write_saved_model(model: KerasModel, config: GeneratorInfo, path: Path) -> None:
    model.export(path, format="tf_saved_model", verbose=False)


def _read_saved_model(path: Path) -> Predict:
    import tensorflow

    loaded = tensorflow.saved_model.load(path)

    def predict(inputs: Inputs) -> Array:
        tensors = {name: tensorflow.constant(value) for name, value in _inputs_by_name(inputs).items()}
        # Look the signature up at each call: it is valid only while the loaded object is alive.
        return _single_output(loaded.signatures["serving_default"](**tensors))

    return predict


def _write_litert(model: KerasModel, config: GeneratorInfo, path: Path) -> None:
    model.export(path, format="litert", verbose=False)


def _read_litert(path: Path) -> Predict:
    import tensorflow

    run = tensorflow.lite.Interpreter(model_path=str(path)).get_signature_runner()
    return lambda inputs: _single_output(run(**_inputs_by_name(inputs)))


# ---- Formats that are made from an ONNX file ----


def _write_html(onnx_path: Path, config: GeneratorInfo, path: Path) -> None:
    path.write_text(single_file.build_page(onnx_path), encoding="utf-8")


def _write_openvino(onnx_path: Path, config: GeneratorInfo, path: Path) -> None:
    openvino = import_openvino()

    model = openvino.Core().read_model(onnx_path)
    model.set_rt_info(config.to_json(), [CONFIG_KEY])
    for name, text in value_texts(config).items():
        model.set_rt_info(text, ["values", name])
    openvino.save_model(model, path / "generator.xml", compress_to_fp16=False)


def _read_openvino(path: Path) -> Predict:
    openvino = import_openvino()

    # By default OpenVINO computes in bfloat16 if the processor can, and then the images differ slightly.
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().compile_model(path / "generator.xml", "CPU", options)
    return lambda inputs: model(_inputs_by_name(inputs))[0]


# ---- The table ----

_NO_PACKAGES: PackagesByBackend = dict.fromkeys(BACKENDS, ())
_ONNX: PackagesByBackend = {
    "tensorflow": ("onnx", "tf2onnx"),
    "jax": ("onnx", "jax2onnx"),
    "torch": ("onnx", "onnxscript"),
}
_SAFETENSORS: PackagesByBackend = dict.fromkeys(BACKENDS, ("safetensors",))
_TENSORFLOW: PackagesByBackend = {"tensorflow": ()}
_HTML: PackagesByBackend = dict.fromkeys(BACKENDS, ("onnx", "mini-racer"))
_OPENVINO: PackagesByBackend = dict.fromkeys(BACKENDS, ("openvino",))

_GLOB = "*?[]\\"  # TensorFlow finds a folder's variables by a pattern that contains the folder's path.

_TF_FILES = ("fingerprint.pb", "saved_model.pb", "variables/variables.*")
_IR_FILES = ("generator.bin", "generator.xml")  # OpenVINO's intermediate representation

# fmt: off
FORMATS = {
    "onnx":        Format(".onnx",        _ONNX,        _write_onnx,        _read_onnx),
    "keras":       Format(".keras",       _NO_PACKAGES, _write_model_file,  _read_keras),
    "h5":          Format(".h5",          _NO_PACKAGES, _write_model_file,  _read_keras),
    "safetensors": Format(".safetensors", _SAFETENSORS, _write_model_file,  _read_safetensors),
    "litert":      Format(".tflite",      _TENSORFLOW,  _write_litert,      _read_litert),
    "saved_model": Format("_saved_model", _TENSORFLOW,  _write_saved_model, _read_saved_model, _TF_FILES, _GLOB),
    "html":        Format(".html",        _HTML,        _write_html,        single_file.open_page, from_onnx=True),
    "openvino":    Format("_openvino",    _OPENVINO,    _write_openvino,    _read_openvino, _IR_FILES, from_onnx=True),
}
# fmt: on
