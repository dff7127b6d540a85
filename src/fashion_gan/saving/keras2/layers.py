"""The layers, and the arguments of each, that may be imported from a Keras file. Everything else is refused."""

import dataclasses
import math
from collections.abc import Callable
from typing import TypeAlias

import keras

from fashion_gan.arrays import JsonObject, KerasLayer
from fashion_gan.errors import InputError

Shape: TypeAlias = tuple[int, ...]
"""The shape of a tensor without its batch axis, or of a weight."""

Arguments: TypeAlias = JsonObject
"""A layer's checked arguments, by name."""

Check: TypeAlias = Callable[[object], object]
"""Checks and converts the value of an argument in a file. Raises ValueError if the value is not allowed."""

# These mean the same in Keras 2 and Keras 3, and can be written as ONNX. hard_sigmoid differs in Keras 3. TensorFlow's
# converter writes gelu with the operator Erfc, which ONNX does not have.
ACTIVATIONS = (
    *("linear", "relu", "tanh", "sigmoid", "elu", "selu", "softplus", "softsign", "exponential", "swish", "silu"),
    *("leaky_relu", "relu6"),
)
MAX_COUNT = 1 << 20  # of units, filters, rows, or pixels
TRAINING_ONLY_LAYERS = (
    "Dropout",
    "SpatialDropout2D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
)
# Arguments that do not change what a trained layer computes.
IGNORED_ARGUMENTS = (
    *("name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_dtype", "input_length"),
    *("momentum", "renorm_momentum", "fused", "implementation", "virtual_batch_size"),
)
IGNORED_ENDINGS = ("_initializer", "_regularizer", "_constraint")


# ---- Checks of an argument's value ----


def _whole_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -1 <= value <= MAX_COUNT:
        raise ValueError(f"must be a whole number from -1 to {MAX_COUNT:,}")
    return value


def _counts(value: object) -> object:
    """A whole number, or nested lists of whole numbers, such as sizes and paddings."""
    if not isinstance(value, (list, tuple)):
        return _whole_number(value)
    if len(value) > 8:
        raise ValueError("must be a list of at most 8 numbers")
    return tuple(_counts(part) for part in value)


def _pair(value: object, lowest: int = 1) -> tuple[int, int]:
    counts = _counts(value)
    pair = counts if isinstance(counts, tuple) else (counts, counts)
    if len(pair) != 2 or not all(isinstance(size, int) and size >= lowest for size in pair):
        raise ValueError(f"must be one or two whole numbers of at least {lowest}")
    return pair


def _padding(value: object) -> tuple[int, int]:
    return _pair(value, lowest=0)


def _number(value: object) -> float:
    value = value.get("value") if isinstance(value, dict) else value  # Keras 2.1 wrote some numbers as arrays.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError("must be a finite number")
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _one_of(*allowed: object) -> Check:
    def check(value: object) -> object:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(map(str, allowed))}")
        return value

    return check


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _axis(value: object) -> int:
    return _whole_number(value[0] if isinstance(value, list) and len(value) == 1 else value)


def _axes(value: object) -> object:
    return tuple(map(_whole_number, value)) if isinstance(value, list) else _whole_number(value)


def _activation(value: object) -> object:
    if isinstance(value, dict):  # An activation can also be a layer.
        if value.get("class_name") not in ("LeakyReLU", "ReLU", "ELU"):
            raise ValueError("must be the name of an activation, or a LeakyReLU, ReLU or ELU layer")
        return make_layer(value["class_name"], read_arguments(value["class_name"], value.get("config"), "activation"))
    return _one_of(*ACTIVATIONS)("linear" if value is None else value)


# ---- Shapes of a layer's weights ----


def _kernel_and_bias(kernel: Shape, width: int, arguments: Arguments) -> dict[str, Shape]:
    return {"kernel": kernel} | ({"bias": (width,)} if arguments.get("use_bias", True) else {})


def _dense_weights(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    return _kernel_and_bias((shape[-1], arguments["units"]), arguments["units"], arguments)


def _convolution_weights(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    filters = arguments["filters"]
    return _kernel_and_bias((*arguments["kernel_size"], shape[-1], filters), filters, arguments)


def _transposed_weights(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    filters = arguments["filters"]
    return _kernel_and_bias((*arguments["kernel_size"], filters, shape[-1]), filters, arguments)


def _batch_norm_weights(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    names = [name for name, option in (("gamma", "scale"), ("beta", "center")) if arguments.get(option, True)]
    axis = arguments.get("axis", -1)
    return dict.fromkeys([*names, "moving_mean", "moving_variance"], (shape[axis - 1 if axis > 0 else axis],))


def _layer_norm_weights(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    axis = arguments.get("axis", -1)
    axes = sorted(axis % (len(shape) + 1) for axis in (axis if isinstance(axis, tuple) else (axis,)))
    names = [name for name, option in (("gamma", "scale"), ("beta", "center")) if arguments.get(option, True)]
    return dict.fromkeys(names, tuple(shape[axis - 1] for axis in axes))


def _embedding_weights(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    return {"embeddings": (arguments["input_dim"], arguments["output_dim"])}


def _prelu_weights(arguments: Arguments, shape: Shape) -> dict[str, Shape]:
    shared = arguments.get("shared_axes") or ()
    return {"alpha": tuple(1 if axis in shared else size for axis, size in enumerate(shape, start=1))}


# ---- The table ----


@dataclasses.dataclass(frozen=True)
class LayerRule:
    """The arguments and the weights that a layer of one class may have.

    Attributes:
        checks: the check of each allowed argument, by the argument's name.
        weight_shapes: (arguments, the input's shape without the batch) -> the shape of each weight, by its name.
    """

    checks: dict[str, Check] = dataclasses.field(default_factory=dict)
    weight_shapes: Callable[[Arguments, Shape], dict[str, Shape]] = lambda arguments, shape: {}


_BIAS: dict[str, Check] = {"activation": _activation, "use_bias": _flag}
_CONVOLUTION: dict[str, Check] = {
    "filters": _whole_number,
    "kernel_size": _pair,
    "strides": _pair,
    "padding": _one_of("same", "valid"),
    "dilation_rate": _pair,
    "groups": _one_of(1),  # TensorFlow's converter to ONNX supports only 1.
    **_BIAS,
}
_TRANSPOSED: dict[str, Check] = {
    **_CONVOLUTION,
    "dilation_rate": _one_of(1, [1, 1]),  # TensorFlow dilates transposed convolutions only on CPUs with oneDNN.
    "output_padding": _or_none(_padding),
}
_BATCH_NORM: dict[str, Check] = {"axis": _axis, "epsilon": _number, "center": _flag, "scale": _flag}
_LAYER_NORM: dict[str, Check] = {"axis": _axes, "epsilon": _number, "center": _flag, "scale": _flag}
_RELU: dict[str, Check] = {"max_value": _or_none(_number), "negative_slope": _number, "threshold": _number}

# fmt: off
LAYER_RULES = {
    "Dense":              LayerRule({"units": _whole_number, **_BIAS}, _dense_weights),
    "Conv2D":             LayerRule(_CONVOLUTION, _convolution_weights),
    "Conv2DTranspose":    LayerRule(_TRANSPOSED, _transposed_weights),
    "BatchNormalization": LayerRule(_BATCH_NORM, _batch_norm_weights),
    "LayerNormalization": LayerRule(_LAYER_NORM, _layer_norm_weights),
    "Embedding":          LayerRule({"input_dim": _whole_number, "output_dim": _whole_number}, _embedding_weights),
    "Activation":         LayerRule({"activation": _activation}),
    "LeakyReLU":          LayerRule({"alpha": _number, "negative_slope": _number}),
    "ReLU":               LayerRule(_RELU),
    "ELU":                LayerRule({"alpha": _number}),
    "PReLU":              LayerRule({"shared_axes": _or_none(_counts)}, _prelu_weights),
    "Reshape":            LayerRule({"target_shape": _counts}),
    "Flatten":            LayerRule(),
    "Permute":            LayerRule({"dims": _counts}),
    "UpSampling2D":       LayerRule({"size": _pair, "interpolation": _one_of("nearest", "bilinear")}),
    "ZeroPadding2D":      LayerRule({"padding": _counts}),
    "Cropping2D":         LayerRule({"cropping": _counts}),
    "Concatenate":        LayerRule({"axis": _axis}),
    "Add":                LayerRule(),
    "Multiply":           LayerRule(),
    "Subtract":           LayerRule(),
    "Average":            LayerRule(),
    "Maximum":            LayerRule(),
    "Rescaling":          LayerRule({"scale": _number, "offset": _number}),
}
# fmt: on
# The names of arguments in Keras 3. "" drops an argument that Keras 3 does not have; groups is always 1.
RENAMED_ARGUMENTS = {("LeakyReLU", "alpha"): "negative_slope", ("Conv2DTranspose", "groups"): ""}
MERGE_LAYERS = ("Concatenate", "Add", "Multiply", "Subtract", "Average", "Maximum")


def check_allowed(class_name: object, name: str) -> None:
    """Raise InputError if a layer's class cannot be imported."""
    if class_name in LAYER_RULES or class_name in TRAINING_ONLY_LAYERS:
        return
    if class_name in ("Lambda", "TFOpLambda", "TensorFlowOpLayer", "SlicingOpLambda"):
        raise InputError(f"layer {name} is a {class_name}: code in a file is not run")
    allowed = ", ".join(LAYER_RULES)
    raise InputError(f"layer {name} is of class {str(class_name)[:60]}, but only {allowed} can be imported")


def read_arguments(class_name: str, config: JsonObject | None, name: str) -> Arguments:
    """Read and check a layer's arguments.

    Args:
        class_name: a key of ``LAYER_RULES``.
        config: the layer's configuration in the file.
        name: the layer's name, for messages.

    Returns:
        The arguments that affect what the layer computes.

    Raises:
        InputError: an argument is not allowed, or its value is not.
    """
    if not isinstance(config, dict):
        raise InputError(f"layer {name} has no configuration")
    checks, arguments = LAYER_RULES[class_name].checks, {}
    for key, value in config.items():
        try:
            if key in checks:
                arguments[key] = checks[key](value)
            elif key == "data_format":
                _one_of(None, "channels_last")(value)
            elif not (value is None or value is False or key in IGNORED_ARGUMENTS or key.endswith(IGNORED_ENDINGS)):
                raise ValueError("is not an argument that can be imported")
        except (ValueError, TypeError, OverflowError) as error:
            raise InputError(f"layer {name}, {class_name}: {key}={str(value)[:60]} {error}") from error
    return arguments


def make_layer(class_name: str, arguments: Arguments) -> KerasLayer:
    """Make the Keras layer from the result of ``read_arguments``. It has no weights yet."""
    renamed = {RENAMED_ARGUMENTS.get((class_name, key), key): value for key, value in arguments.items()}
    renamed.pop("", None)
    return getattr(keras.layers, class_name)(**renamed)


def check_exportable(layer: KerasLayer, name: str, input_shape: Shape, output_shape: Shape) -> None:
    """Raise InputError if ONNX cannot express a built layer.

    ONNX has no transposed convolution whose output extends beyond the reach of its kernel.

    Args:
        layer: the layer.
        name: its name, for messages.
        input_shape, output_shape: (H, W, C), without the batch.
    """
    if not isinstance(layer, keras.layers.Conv2DTranspose):
        return
    axes = zip(input_shape, output_shape, layer.kernel_size, layer.strides, strict=False)
    if any(after > (before - 1) * stride + size for before, after, size, stride in axes):
        raise InputError(
            f"layer {name}, Conv2DTranspose: its output of {output_shape[0]}×{output_shape[1]} pixels, from "
            f"{input_shape[0]}×{input_shape[1]}, extends beyond the reach of its kernel, which ONNX cannot express"
        )
