"""Read a generator's ONNX graph and reduce it to what runtime.js needs: a list of operators, and the weights."""

import dataclasses
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from fashion_gan.arrays import Array, JsonObject
from fashion_gan.errors import InputError
from fashion_gan.system.telemetry import import_onnxruntime

Attribute: TypeAlias = int | float | str | list[int]

# The operators that runtime.js computes, each with the attributes that it reads.
# fmt: off
OPERATORS: dict[str, set[str]] = {
    "Abs": set(), "Add": set(), "BatchNormalization": {"epsilon"}, "Cast": {"to"}, "Clip": set(), "Concat": {"axis"},
    "Conv": {"strides", "pads"}, "ConvTranspose": {"strides", "pads", "output_padding"}, "Div": set(), "Exp": set(),
    "Expand": set(), "Flatten": {"axis"}, "Gather": {"axis"}, "Gemm": {"alpha", "beta", "transA", "transB"},
    "GlobalMaxPool": set(), "GreaterOrEqual": set(), "Identity": set(), "LeakyRelu": {"alpha"}, "MatMul": set(),
    "Max": set(), "Min": set(), "Mul": set(), "Neg": set(), "OneHot": set(), "Pow": set(), "Reciprocal": set(),
    "ReduceMax": {"axes", "keepdims"}, "Relu": set(), "Reshape": set(),
    "Resize": {"mode", "coordinate_transformation_mode", "nearest_mode"}, "Shape": set(), "Sigmoid": set(),
    "Slice": set(), "Sqrt": set(), "Squeeze": {"axes"}, "Sub": set(), "Tanh": set(), "Tile": set(),
    "Transpose": {"perm"}, "Unsqueeze": {"axes"}, "Where": set(),
}
# Attributes that runtime.js does not read. They have no effect at these values (None: at any value); at other values
# they would change the result.
IGNORED_ATTRIBUTES: dict[str, list[Attribute] | None] = {
    "allowzero": [0], "antialias": [0], "auto_pad": ["NOTSET"], "axis": [-1], "cubic_coeff_a": None,
    "dilations": [[1, 1]], "exclude_outside": [0], "extrapolation_value": None, "group": [1],
    "keep_aspect_ratio_policy": ["stretch"],
    "kernel_shape": None, "momentum": None, "noop_with_empty_axes": [0], "saturate": [1], "start": [0],
    "training_mode": [0],
}
# Attributes that runtime.js reads but supports only at these values. The types of "to" are float32, int32, int64, bool.
SUPPORTED_VALUES: dict[str, list[Attribute]] = {
    "coordinate_transformation_mode": ["asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"],
    "mode": ["nearest", "linear"],
    "to": [1, 6, 7, 9],
}
# fmt: on


@dataclasses.dataclass(frozen=True)
class Graph:
    """A graph in the form that the class ``Network`` of runtime.js takes.

    Attributes:
        structure: the constants, the nodes and the output's name, as plain values for JSON.
        weights: all float constants as little-endian float32, one after the other. ``structure`` holds the byte
            offset of each.
    """

    structure: JsonObject
    weights: bytes


def simplify(path: Path, out: Path) -> None:
    """Rewrite an ONNX file with constant folding: compute everything in it that does not depend on its inputs.

    Converters leave many such computations in a graph.
    """
    onnxruntime = import_onnxruntime()

    options = onnxruntime.SessionOptions()
    # This level writes standard operators only.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(out)
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def read_graph(path: Path) -> Graph:
    """Read a generator's ONNX file.

    Raises:
        InputError: the file cannot be read, or runtime.js does not support something in it; the message names it.
    """
    import onnx

    try:
        graph = onnx.load(path).graph
    except Exception as error:  # protobuf raises many types.
        raise InputError(f"{path} cannot be read as ONNX: it is damaged, or of an unknown kind") from error
    names = _ShortNames([value.name for value in graph.input])
    weights = bytearray()
    constants = [_constant(names[item.name], onnx.numpy_helper.to_array(item), weights) for item in graph.initializer]
    nodes = []
    for node in graph.node:
        attributes = {item.name: _decode(onnx.helper.get_attribute_value(item)) for item in node.attribute}
        if node.op_type == "Constant" and set(attributes) == {"value"}:
            value = onnx.numpy_helper.to_array(attributes["value"])
            constants.append(_constant(names[node.output[0]], value, weights))
        else:
            nodes.append(
                {
                    "operator": node.op_type,
                    "inputs": [names[name] for name in node.input],
                    "output": names[node.output[0]],
                    "attributes": _supported_attributes(node.op_type, attributes),
                }
            )
    return Graph({"constants": constants, "nodes": nodes, "output": names[graph.output[0].name]}, bytes(weights))


class _ShortNames(dict[str, str]):
    """Short names for values. Inputs keep their names, "" still marks an omitted input, all others are numbered."""

    def __init__(self, inputs: list[str]) -> None:
        super().__init__({name: name for name in ["", *inputs]})

    def __missing__(self, name: str) -> str:
        self[name] = str(len(self))
        return self[name]


def _constant(name: str, values: Array, weights: bytearray) -> JsonObject:
    """Describe a constant for ``Graph.structure``. Floats are appended to ``weights``."""
    if values.dtype.kind == "i":
        return {"name": name, "shape": list(values.shape), "integers": values.ravel().tolist()}
    if values.dtype.kind != "f":
        raise InputError(f"a page cannot hold a generator with constants of {values.dtype}")
    offset = len(weights)
    weights += np.ascontiguousarray(values, "<f4").tobytes()
    return {"name": name, "shape": list(values.shape), "offset": offset}


def _decode(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _supported_attributes(operator: str, attributes: JsonObject) -> JsonObject:
    """Select the attributes that runtime.js reads.

    Raises:
        InputError: runtime.js does not know the operator, or would compute it wrongly with these attributes.
    """
    if operator not in OPERATORS:
        raise InputError(
            f"a page cannot run this generator: its ONNX graph has the operator {operator}, which pages do not support"
        )
    for name, value in attributes.items():
        allowed = SUPPORTED_VALUES.get(name) if name in OPERATORS[operator] else IGNORED_ATTRIBUTES.get(name, [])
        value = list(value) if isinstance(value, (list, tuple)) else value
        if allowed is not None and value not in allowed:
            raise InputError(
                f"a page cannot run this generator: its ONNX graph has {operator} with {name}={value!r}, "
                "which pages do not support"
            )
    return {name: value for name, value in attributes.items() if name in OPERATORS[operator]}
