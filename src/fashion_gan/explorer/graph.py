"""A generator's ONNX graph -> the little that the page's own runtime needs: a list of operators, and the weights."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan.errors import InputError

# What runtime.js computes, and the attributes that it reads.
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
# Attributes that say nothing at these values, or at any (None), and would change what is computed at others.
WITHOUT_EFFECT: dict[str, list[Any] | None] = {
    "allowzero": [0], "antialias": [0], "auto_pad": ["NOTSET"], "axis": [-1], "cubic_coeff_a": None,
    "dilations": [[1, 1]], "exclude_outside": [0], "group": [1], "keep_aspect_ratio_policy": ["stretch"],
    "kernel_shape": None, "momentum": None, "noop_with_empty_axes": [0], "saturate": [1], "start": [0],
    "training_mode": [0],
}
# The values that are understood of attributes that are read, where not all are: "to" is float32, int32, int64 and bool.
UNDERSTOOD: dict[str, list[Any]] = {
    "coordinate_transformation_mode": ["asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"],
    "mode": ["nearest", "linear"],
    "to": [1, 6, 7, 9],
}
# fmt: on


@dataclasses.dataclass(frozen=True)
class Graph:
    """What ``Network`` of runtime.js takes.

    Attributes:
        structure: constants, nodes and the output's name; plain values, for JSON.
        weights: float32, one after the other, little-endian; ``structure`` says where each constant starts.
    """

    structure: dict[str, Any]
    weights: bytes


def simplify(path: Path, out: Path) -> None:
    """Write an ONNX graph again without what does not depend on its inputs: converters leave much of that behind."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # standard operators alone
    options.optimized_model_filepath = str(out)
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def read_graph(path: Path) -> Graph:
    """Read an ONNX file of a generator.

    Raises:
        InputError: the file cannot be read, or it holds what runtime.js does not compute; the message names it.
    """
    import onnx

    try:
        graph = onnx.load(path).graph
    except Exception as error:  # Of protobuf, which has many.
        raise InputError(f"{path} cannot be read as ONNX: it is damaged, or of an unknown kind") from error
    names = _Names([value.name for value in graph.input])
    weights = bytearray()
    constants = [_constant(names[item.name], onnx.numpy_helper.to_array(item), weights) for item in graph.initializer]
    nodes = []
    for node in graph.node:
        attributes = {item.name: _plain(onnx.helper.get_attribute_value(item)) for item in node.attribute}
        if node.op_type == "Constant" and set(attributes) == {"value"}:
            value = onnx.numpy_helper.to_array(attributes["value"])
            constants.append(_constant(names[node.output[0]], value, weights))
        else:
            nodes.append(
                {
                    "operator": node.op_type,
                    "inputs": [names[name] for name in node.input],
                    "output": names[node.output[0]],
                    "attributes": _checked_attributes(node.op_type, attributes),
                }
            )
    return Graph({"constants": constants, "nodes": nodes, "output": names[graph.output[0].name]}, bytes(weights))


class _Names(dict[str, str]):
    """Short names for values: the inputs keep theirs, "" stays what is left out, and all others are numbered."""

    def __init__(self, inputs: list[str]) -> None:
        super().__init__({name: name for name in ["", *inputs]})

    def __missing__(self, name: str) -> str:
        self[name] = str(len(self))
        return self[name]


def _constant(name: str, values: Any, weights: bytearray) -> dict[str, Any]:
    if values.dtype.kind == "i":
        return {"name": name, "shape": list(values.shape), "integers": values.ravel().tolist()}
    if values.dtype.kind != "f":
        raise InputError(f"a page cannot hold a generator with constants of {values.dtype}")
    offset = len(weights)
    weights += np.ascontiguousarray(values, "<f4").tobytes()
    return {"name": name, "shape": list(values.shape), "offset": offset}


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _checked_attributes(operator: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes that runtime.js reads. Raises InputError for what it would compute wrongly."""
    if operator not in OPERATORS:
        raise InputError(f"a page cannot run this generator: its ONNX graph has the operator {operator}, unknown to it")
    for name, value in attributes.items():
        known = UNDERSTOOD.get(name) if name in OPERATORS[operator] else WITHOUT_EFFECT.get(name, [])
        value = list(value) if isinstance(value, (list, tuple)) else value
        if known is not None and value not in known:
            raise InputError(
                f"a page cannot run this generator: its ONNX graph has {operator} with {name}={value!r}, unknown to it"
            )
    return {name: value for name, value in attributes.items() if name in OPERATORS[operator]}
