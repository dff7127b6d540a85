"""Differentiate an ONNX network by its inputs: the backward pass as more ONNX nodes, with the network's own weights.

A convolution and a transposed convolution are each other's backward pass with the same weights, so the file needs no
others. ONNX Runtime then computes gradients without a training framework.
"""

from collections.abc import Callable, Mapping, Sequence

from fashion_gan.arrays import Shape
from fashion_gan.errors import InputError
from fashion_gan.system.onnx_parts import Node, attributes_of, encode_node

CONSTANT = frozenset({"Shape", "GlobalMaxPool", "ReduceMax"})
"""Operators whose outputs are piecewise constant, or treated so: sizes, and the numbers that centering moves by."""
TARGET = "target"  # the input that the output is compared with
FLOAT = 1  # the number of float32 in ONNX
RESHAPING = ("Reshape", "Squeeze", "Unsqueeze", "Flatten")
TWO_INPUTS = ("Add", "Sub", "Mul", "MatMul")


class Gradient:
    """Writes the backward pass of a network.

    Args:
        nodes: the network's nodes, in the order in which they are computed.
        inputs: the values to differentiate by.
        output: the network's output.

    Raises:
        InputError: the network has an operator whose derivative is not known here.
    """

    def __init__(self, nodes: Sequence[Node], inputs: Sequence[str], output: str) -> None:
        self._inputs, self._output = list(inputs), output
        self._active = set(inputs)
        self._nodes: list[Node] = []
        for node in nodes:
            if node.operator in CONSTANT or self._active.isdisjoint(node.inputs):
                continue
            if node.operator not in _RULES:
                raise InputError(f"the derivative of {node.operator} is not known")
            self._active.update(node.outputs)
            self._nodes.append(node)
        if output not in self._active:
            raise InputError("the output does not depend on the inputs")

    @property
    def measured(self) -> list[str]:
        """The values whose shapes ``backward`` needs. All are float32."""
        partners = {name for node in self._nodes if node.operator in TWO_INPUTS for name in node.inputs}
        return sorted(partners | {name for node in self._nodes for name in (*node.inputs[:1], *node.outputs)})

    def backward(self, shapes: Mapping[str, Shape]) -> tuple[list[bytes], list[str]]:
        """The nodes that compute the gradient of half the sum of (output - target)².

        Args:
            shapes: those of the ``measured`` values, for any number of images.

        Returns:
            The nodes; and the names of the gradients, one for each input.
        """
        self._shapes, self._written, self._gradients = shapes, [], {}
        self._add(self._output, self._node("Sub", self._output, TARGET))
        for node in reversed(self._nodes):
            gradient = self._gradients.get(node.outputs[0])
            if gradient is not None:
                _RULES[node.operator](self, node, gradient)
        return self._written, [self._gradients[name] for name in self._inputs]

    _shapes: Mapping[str, Shape]
    _written: list[bytes]
    _gradients: dict[str, str]

    def _node(self, operator: str, *inputs: str, **attributes: int | Sequence[int]) -> str:
        """Write a node, and return the name of its output."""
        name = f"gradient_{len(self._written)}"
        self._written.append(encode_node(operator, inputs, name, attributes))
        return name

    def _add(self, value: str, gradient: str) -> None:
        """Add to the gradient of a value. It does nothing if the value does not depend on the inputs."""
        if value in self._active:
            earlier = self._gradients.get(value)
            self._gradients[value] = gradient if earlier is None else self._node("Add", earlier, gradient)

    def _add_summed(self, value: str, gradient: str, shape: Shape) -> None:
        """Add a gradient of the output's shape, summed over the axes along which the value was repeated."""
        if value not in self._active:
            return
        own = self._shapes[value]
        axes = [axis for axis, (length, one) in enumerate(zip(shape, own, strict=True)) if one == 1 < length]
        if axes:
            gradient = self._node("ReduceSum", gradient, self._node("Constant", value_ints=axes))
        self._add(value, gradient)

    def _swapped(self, value: str) -> str:
        """A matrix, or matrices, transposed."""
        *others, rows, columns = range(len(self._shapes[value]))
        return self._node("Transpose", value, perm=[*others, columns, rows])

    # ---- The derivative of each operator: (node, gradient of its output) ----

    def _of_add(self, node: Node, gradient: str) -> None:
        for value in node.inputs:
            self._add_summed(value, gradient, self._shapes[node.outputs[0]])

    def _of_sub(self, node: Node, gradient: str) -> None:
        first, second = node.inputs
        self._add_summed(first, gradient, self._shapes[node.outputs[0]])
        if second in self._active:
            self._add_summed(second, self._node("Neg", gradient), self._shapes[node.outputs[0]])

    def _of_mul(self, node: Node, gradient: str) -> None:
        first, second = node.inputs
        for value, other in ((first, second), (second, first)):
            if value in self._active:
                self._add_summed(value, self._node("Mul", gradient, other), self._shapes[node.outputs[0]])

    def _of_matmul(self, node: Node, gradient: str) -> None:
        first, second = node.inputs
        if first in self._active:
            self._add(first, self._node("MatMul", gradient, self._swapped(second)))
        if second in self._active:
            self._add(second, self._node("MatMul", self._swapped(first), gradient))

    def _of_reshape(self, node: Node, gradient: str) -> None:
        self._add(node.inputs[0], self._node("Reshape", gradient, self._node("Shape", node.inputs[0])))

    def _of_transpose(self, node: Node, gradient: str) -> None:
        order = attributes_of(node)["perm"]
        inverse = sorted(range(len(order)), key=order.__getitem__)
        self._add(node.inputs[0], self._node("Transpose", gradient, perm=inverse))

    def _of_relu(self, node: Node, gradient: str) -> None:
        self._add(node.inputs[0], self._node("Mul", gradient, self._node("Sign", node.outputs[0])))

    def _of_tanh(self, node: Node, gradient: str) -> None:
        square = self._node("Mul", node.outputs[0], node.outputs[0])
        self._add(node.inputs[0], self._node("Sub", gradient, self._node("Mul", gradient, square)))

    def _of_clip(self, node: Node, gradient: str) -> None:
        """The gradient passes where the value is inside of the limits."""
        same = self._node("Equal", node.inputs[0], node.outputs[0])
        self._add(node.inputs[0], self._node("Mul", gradient, self._node("Cast", same, to=FLOAT)))

    def _of_identity(self, node: Node, gradient: str) -> None:
        self._add(node.inputs[0], gradient)

    def _of_conv(self, node: Node, gradient: str) -> None:
        settings = attributes_of(node)
        if any(stride != 1 for stride in settings.get("strides", ())) or settings.get("auto_pad"):
            raise InputError("the derivative of this convolution is not known")
        self._add(node.inputs[0], self._node("ConvTranspose", gradient, node.inputs[1], **settings))

    def _of_conv_transpose(self, node: Node, gradient: str) -> None:
        settings = {name: value for name, value in attributes_of(node).items() if name != "output_padding"}
        if settings.get("auto_pad") or "output_shape" in settings:
            raise InputError("the derivative of this transposed convolution is not known")
        self._add(node.inputs[0], self._node("Conv", gradient, node.inputs[1], **settings))


_RULES: dict[str, Callable[[Gradient, Node, str], None]] = {
    "Add": Gradient._of_add,
    "Clip": Gradient._of_clip,
    "Conv": Gradient._of_conv,
    "ConvTranspose": Gradient._of_conv_transpose,
    "Identity": Gradient._of_identity,
    "MatMul": Gradient._of_matmul,
    "Max": Gradient._of_clip,
    "Min": Gradient._of_clip,
    "Mul": Gradient._of_mul,
    "Relu": Gradient._of_relu,
    "Sub": Gradient._of_sub,
    "Tanh": Gradient._of_tanh,
    "Transpose": Gradient._of_transpose,
    **dict.fromkeys(RESHAPING, Gradient._of_reshape),
}
