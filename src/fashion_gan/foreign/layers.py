"""The layers that may stand in a foreign file, and the arguments that they may have; everything else is refused."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import keras

from fashion_gan.errors import InputError

Shape = tuple[int, ...]
Arguments = dict[str, Any]

# Those that mean the same in Keras 2 and 3, as hard_sigmoid, for one, does not, and that ONNX knows: not so gelu.
ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "elu", "selu", "softplus", "swish", "silu", "leaky_relu")
LARGEST_COUNT = 1 << 20
IDENTITIES = (
    "Dropout",
    "SpatialDropout2D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
)
WITHOUT_EFFECT = (
    *("name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_dtype", "input_length"),
    *("momentum", "renorm_momentum", "fused", "implementation", "virtual_batch_size"),
)
ENDINGS = ("_initializer", "_regularizer", "_constraint")


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -1 <= value <= LARGEST_COUNT:
        raise ValueError(f"must be a whole number up to {LARGEST_COUNT:,}")
    return value


def _counts(value: Any) -> Any:
    """A whole number, or nested lists of them, as sizes and paddings are."""
    if not isinstance(value, (list, tuple)):
        return _count(value)
    if len(value) > 8:
        raise ValueError("must be a list of few numbers")
    return tuple(_counts(part) for part in value)


def _pair(value: Any, least: int = 1) -> tuple[int, int]:
    found = _counts(value)
    pair = found if isinstance(found, tuple) else (found, found)
    if len(pair) != 2 or not all(isinstance(size, int) and size >= least for size in pair):
        raise ValueError(f"must be one or two whole numbers from {least} on")
    return pair


def _padding(value: Any) -> tuple[int, int]:
    return _pair(value, least=0)


def _number(value: Any) -> float:
    value = value.get("value") if isinstance(value, dict) else value  # An array of one, as Keras 2.1 wrote some.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("must be a finite number")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _one_of(*allowed: Any) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(map(str, allowed))}")
        return value

    return checked


def _or_none(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else check(value)


def _axis(value: Any) -> int:
    return _count(value[0] if isinstance(value, list) and len(value) == 1 else value)


def _activation(value: Any) -> Any:
    if isinstance(value, dict):  # A layer in an activation's place.
        if value.get("class_name") not in ("LeakyReLU", "ReLU", "ELU"):
            raise ValueError("must be plain")
        return make(value["class_name"], arguments_of(value["class_name"], value.get("config"), "activation"))
    return _one_of(*ACTIVATIONS)("linear" if value is None else value)


def _with_bias(kernel: Shape, width: int, arguments: Arguments) -> dict[str, Shape]:
    return {"kernel": kernel} | ({"bias": (width,)} if arguments.get("use_bias", True) else {})


def _dense(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    return _with_bias((shape[-1], arguments["units"]), arguments["units"], arguments)


def _convolution(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    filters = arguments["filters"]
    return _with_bias((*arguments["kernel_size"], shape[-1], filters), filters, arguments)


def _transposed(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    filters = arguments["filters"]
    return _with_bias((*arguments["kernel_size"], filters, shape[-1]), filters, arguments)


def _norm(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    names = [name for name, option in (("gamma", "scale"), ("beta", "center")) if arguments.get(option, True)]
    axis = arguments.get("axis", -1)
    return dict.fromkeys([*names, "moving_mean", "moving_variance"], (shape[axis - 1 if axis > 0 else axis],))


def _embedding(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    return {"embeddings": (arguments["input_dim"], arguments["output_dim"])}


def _prelu(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    shared = arguments.get("shared_axes") or ()
    return {"alpha": tuple(1 if axis in shared else size for axis, size in enumerate(shape, start=1))}


@dataclasses.dataclass(frozen=True)
class Kind:
    """What may be said of a layer.

    Attributes:
        arguments: how each is checked, by its name.
        weights: (arguments, the input's shape without the batch) -> the shapes of its weights by their names.
    """

    arguments: dict[str, Callable[[Any], Any]] = dataclasses.field(default_factory=dict)
    weights: Callable[[Arguments, Shape], dict[str, Shape]] = lambda arguments, shape: {}


_BIAS: dict[str, Callable[[Any], Any]] = {"activation": _activation, "use_bias": _flag}
_WINDOW: dict[str, Callable[[Any], Any]] = {
    "filters": _count,
    "kernel_size": _pair,
    "strides": _pair,
    "padding": _one_of("same", "valid"),
    "dilation_rate": _pair,
    "groups": _one_of(1),  # TensorFlow's converter to ONNX knows no others.
    **_BIAS,
}

# fmt: off
KINDS = {
    "Dense":              Kind({"units": _count, **_BIAS}, _dense),
    "Conv2D":             Kind(_WINDOW, _convolution),
    "Conv2DTranspose":    Kind({**_WINDOW, "output_padding": _or_none(_padding)}, _transposed),
    "BatchNormalization": Kind({"axis": _axis, "epsilon": _number, "center": _flag, "scale": _flag}, _norm),
    "Embedding":          Kind({"input_dim": _count, "output_dim": _count}, _embedding),
    "Activation":         Kind({"activation": _activation}),
    "LeakyReLU":          Kind({"alpha": _number, "negative_slope": _number}),
    "ReLU":               Kind({"max_value": _or_none(_number), "negative_slope": _number, "threshold": _number}),
    "ELU":                Kind({"alpha": _number}),
    "PReLU":              Kind({"shared_axes": _or_none(_counts)}, _prelu),
    "Reshape":            Kind({"target_shape": _counts}),
    "Flatten":            Kind(),
    "Permute":            Kind({"dims": _counts}),
    "UpSampling2D":       Kind({"size": _pair, "interpolation": _one_of("nearest")}),
    "ZeroPadding2D":      Kind({"padding": _counts}),
    "Cropping2D":         Kind({"cropping": _counts}),
    "Concatenate":        Kind({"axis": _axis}),
    "Add":                Kind(),
    "Multiply":           Kind(),
}
# fmt: on
# What Keras 3 calls otherwise, or (groups, which are 1) does not know.
RENAMED = {("LeakyReLU", "alpha"): "negative_slope", ("Conv2DTranspose", "groups"): ""}
MERGES = ("Concatenate", "Add", "Multiply")


def check_kind(class_name: Any, name: str) -> None:
    """Raises InputError where a layer is not one that may be built."""
    if class_name in KINDS or class_name in IDENTITIES:
        return
    if class_name in ("Lambda", "TFOpLambda", "TensorFlowOpLayer", "SlicingOpLambda"):
        raise InputError(f"layer {name} is a {class_name}: code in a file is not run")
    raise InputError(f"layer {name} is a {str(class_name)[:60]}, and only {', '.join(KINDS)} can be imported")


def arguments_of(class_name: str, config: Any, name: str) -> Arguments:
    """What a layer's configuration says of what it computes. Raises InputError where it says more than is allowed."""
    if not isinstance(config, dict):
        raise InputError(f"layer {name} has no configuration")
    allowed, found = KINDS[class_name].arguments, {}
    for key, value in config.items():
        try:
            if key in allowed:
                found[key] = allowed[key](value)
            elif key == "data_format":
                _one_of(None, "channels_last")(value)
            elif not (value is None or value is False or key in WITHOUT_EFFECT or key.endswith(ENDINGS)):
                raise ValueError("is not an argument that can be imported")
        except (ValueError, TypeError) as error:
            raise InputError(f"layer {name}, {class_name}: {key}={str(value)[:60]} {error}") from error
    return found


def make(class_name: str, arguments: Arguments) -> Any:
    """The Keras layer of what ``arguments_of`` found; its weights are still to come."""
    renamed = {RENAMED.get((class_name, key), key): value for key, value in arguments.items()}
    renamed.pop("", None)
    return getattr(keras.layers, class_name)(**renamed)


def check_output(layer: Any, name: str, before: Shape, after: Shape) -> None:
    """Raises InputError where a layer, as Keras built it, makes of (H, W, C) what ONNX has no words for."""
    if not isinstance(layer, keras.layers.Conv2DTranspose):
        return
    windows = zip(before, after, layer.kernel_size, layer.strides, layer.dilation_rate, strict=False)
    if any(out > (size - 1) * stride + (kernel - 1) * dilation + 1 for size, out, kernel, stride, dilation in windows):
        raise InputError(
            f"layer {name}, Conv2DTranspose: it makes {after[0]}×{after[1]} of {before[0]}×{before[1]}, which is more "
            "than its kernel reaches and cannot be written as onnx"
        )
