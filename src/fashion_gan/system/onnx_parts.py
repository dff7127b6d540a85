"""Cut a part out of an ONNX file without the package onnx: the same weights, from other inputs to other outputs."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from fashion_gan.errors import InputError
from fashion_gan.system.protobuf import byte_fields, encode_bytes, encode_varint, text, texts, varint, varints

# Numbers of fields in onnx.proto.
IR_VERSION, GRAPH, OPERATOR_SETS, FUNCTIONS = 1, 7, 8, 25
NODE, GRAPH_NAME, INITIALIZER, SPARSE_INITIALIZER, INPUT, OUTPUT = 1, 2, 5, 15, 11, 12
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR, NODE_ATTRIBUTE = 1, 2, 4, 5
ATTRIBUTE_GRAPHS = (6, 11)
ATTRIBUTE_NAME, ATTRIBUTE_INT, ATTRIBUTE_STRING, ATTRIBUTE_INTS, ATTRIBUTE_TYPE = 1, 3, 4, 8, 20
INT, STRING, INTS = 2, 3, 7  # types of attributes
TENSOR_DIMS, TENSOR_NAME = 1, 8
VALUE_NAME, VALUE_TYPE, TENSOR_TYPE, ELEMENT_TYPE, FLOAT = 1, 2, 1, 1, 1


@dataclasses.dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        operator: its name, such as "Conv".
        inputs, outputs: the names of the values that it reads and computes. "" marks an omitted input.
        content: its message.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    content: memoryview


class OnnxGraph:
    """The nodes of an ONNX file, in the order in which they are computed.

    Args:
        content: the bytes of the file. It must have been opened before, by ``onnx_guard.open_plain``.

    Raises:
        InputError: it has loops or branches, which no generator of fashion-gan has.
        ValueError: it is damaged.
    """

    def __init__(self, content: bytes) -> None:
        model = memoryview(content)
        self._header = encode_varint(IR_VERSION, varint(model, IR_VERSION)) + b"".join(
            encode_bytes(number, value) for number, value in byte_fields(model) if number in (OPERATOR_SETS, FUNCTIONS)
        )
        (graph,) = (value for number, value in byte_fields(model) if number == GRAPH)
        parts: dict[int, list[memoryview]] = {}
        for number, value in byte_fields(graph):
            parts.setdefault(number, []).append(value)
        self.nodes = [_read_node(value) for value in parts.get(NODE, [])]
        self._weights = {text(value, TENSOR_NAME): value for value in parts.get(INITIALIZER, [])}
        self._inputs = {text(value, VALUE_NAME): value for value in parts.get(INPUT, [])}
        self.outputs = [text(value, VALUE_NAME) for value in parts.get(OUTPUT, [])]
        if SPARSE_INITIALIZER in parts:
            raise InputError("the network has sparse weights")

    def consumers(self, value: str) -> list[int]:
        """The positions of the nodes that read a value."""
        return [number for number, node in enumerate(self.nodes) if value in node.inputs]

    def longest_paths(self, operators: Collection[str]) -> dict[str, int]:
        """For each value, the most nodes of some kinds between it and the output."""
        lengths: dict[str, int] = {}
        for node in reversed(self.nodes):
            length = max(lengths.get(name, 0) for name in node.outputs) + (node.operator in operators)
            for name in node.inputs:
                lengths[name] = max(lengths.get(name, 0), length)
        return lengths

    def needed(
        self, inputs: Iterable[str], outputs: Iterable[str], renamed: Mapping[int, tuple[str, str]] | None = None
    ) -> list[Node]:
        """The nodes that lead from some values to others, in the order in which they are computed.

        Args:
            inputs, outputs: names of values.
            renamed: for the position of a node, the name of an input that it reads, and the name that replaces it.
        """
        known, needed, renamed = set(inputs), set(outputs) - set(inputs), renamed or {}
        kept = []
        for number in reversed(range(len(self.nodes))):
            node = self.nodes[number]
            if needed.isdisjoint(node.outputs):
                continue
            if number in renamed:
                node = _with_input(node, *renamed[number])
            kept.append(node)
            needed |= set(node.inputs) - known
        return kept[::-1]

    def write(
        self, nodes: Iterable[Node], inputs: Iterable[str], outputs: Iterable[str], others: Iterable[bytes] = ()
    ) -> bytes:
        """Write nodes as an ONNX file, with the weights that they read.

        Args:
            nodes: nodes of ``needed``.
            inputs: names of the file's inputs; or of other values, or of new ones. Those are float32.
            outputs: names of float32 values.
            others: further nodes, as ``encode_node`` writes them. They read only weights that the nodes read, too.

        Raises:
            InputError: the nodes need another input of the file.
        """
        inputs, nodes = list(inputs), list(nodes)
        read = {name for node in nodes for name in node.inputs}
        if missing := sorted(read & self._inputs.keys() - self._weights.keys() - set(inputs)):
            raise InputError(f"this part of the network also reads {', '.join(missing)}")
        graph = [encode_bytes(NODE, node.content) for node in nodes] + [encode_bytes(NODE, node) for node in others]
        graph.append(encode_bytes(GRAPH_NAME, b"part"))
        graph += [encode_bytes(INITIALIZER, self._weights[name]) for name in sorted(read & self._weights.keys())]
        graph += [encode_bytes(INPUT, self._inputs.get(name) or _float_value(name)) for name in inputs]
        graph += [encode_bytes(OUTPUT, _float_value(name)) for name in outputs]
        return self._header + encode_bytes(GRAPH, b"".join(graph))

    def shape_of_weights(self, name: str) -> tuple[int, ...] | None:
        """The shape of a constant. None if the value is computed."""
        weights = self._weights.get(name)
        return None if weights is None else tuple(varints(weights, TENSOR_DIMS))


def attributes_of(node: Node) -> dict[str, Any]:
    """A node's attributes that are a whole number, several of them, or a text. Others are left out.

    The text "NOTSET" is the same as no attribute.
    """
    found: dict[str, Any] = {}
    for number, attribute in byte_fields(node.content):
        if number != NODE_ATTRIBUTE:
            continue
        name, kind = text(attribute, ATTRIBUTE_NAME), varint(attribute, ATTRIBUTE_TYPE)
        if kind == INT:
            found[name] = varint(attribute, ATTRIBUTE_INT)
        elif kind == INTS:
            found[name] = varints(attribute, ATTRIBUTE_INTS)
        elif kind == STRING and text(attribute, ATTRIBUTE_STRING) != "NOTSET":
            found[name] = text(attribute, ATTRIBUTE_STRING)
    return found


def encode_node(
    operator: str, inputs: Iterable[str], output: str, attributes: Mapping[str, int | Sequence[int]]
) -> bytes:
    """The message of a node with one output."""
    parts = [encode_bytes(NODE_INPUT, name.encode()) for name in inputs]
    parts += [encode_bytes(NODE_OUTPUT, output.encode()), encode_bytes(NODE_OPERATOR, operator.encode())]
    for name, value in attributes.items():
        attribute = encode_bytes(ATTRIBUTE_NAME, name.encode())
        if isinstance(value, int):
            attribute += encode_varint(ATTRIBUTE_INT, value) + encode_varint(ATTRIBUTE_TYPE, INT)
        else:
            attribute += b"".join(encode_varint(ATTRIBUTE_INTS, number) for number in value)
            attribute += encode_varint(ATTRIBUTE_TYPE, INTS)
        parts.append(encode_bytes(NODE_ATTRIBUTE, attribute))
    return b"".join(parts)


def _read_node(content: memoryview) -> Node:
    """Read a node. Raises InputError if it holds graphs of its own, whose values could come from anywhere."""
    for number, attribute in byte_fields(content):
        if number == NODE_ATTRIBUTE and any(field in ATTRIBUTE_GRAPHS for field, _ in byte_fields(attribute)):
            raise InputError("the network has loops or branches")
    inputs, outputs = tuple(texts(content, NODE_INPUT)), tuple(texts(content, NODE_OUTPUT))
    return Node(text(content, NODE_OPERATOR), inputs, outputs, content)


def _with_input(node: Node, old: str, new: str) -> Node:
    """A node that reads another value. No order between fields of different numbers is required."""
    names = tuple(new if name == old else name for name in node.inputs)
    others = [encode_bytes(number, value) for number, value in byte_fields(node.content) if number != NODE_INPUT]
    content = b"".join([*(encode_bytes(NODE_INPUT, name.encode()) for name in names), *others])
    return dataclasses.replace(node, inputs=names, content=memoryview(content))


def _float_value(name: str) -> bytes:
    """The message of a float32 input or output of any shape."""
    tensor = encode_bytes(TENSOR_TYPE, encode_varint(ELEMENT_TYPE, FLOAT))
    return encode_bytes(VALUE_NAME, name.encode()) + encode_bytes(VALUE_TYPE, tensor)
