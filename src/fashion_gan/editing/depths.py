"""A generator whose layers take different latents, by their depth, and mixed classes. It is cut from its ONNX file.

In our residual networks each layer reads the latent and the class, through the gains and shifts of its batch norm. The
early layers decide the shape, the late ones the texture. So layers can read different latents: the style mixing of
Karras et al. 2019, arXiv:1812.04948, section 3.1.
"""

import functools

import numpy as np

from fashion_gan.arrays import Array, FloatImages, Floats, Latents, Shape
from fashion_gan.errors import InputError
from fashion_gan.system.onnx_gradient import TARGET, Gradient
from fashion_gan.system.onnx_parts import Node, OnnxGraph
from fashion_gan.system.onnx_predict import OnnxPredict

CONVOLUTIONS = ("Conv", "ConvTranspose")
DENSE = ("MatMul", "Gemm")
PASSED_THROUGH = ("Concat", "Identity", "Cast")  # They lead from the latents to the vector that the layers read.
MAX_HOPS = 10


class DepthNetwork:
    """A conditional or unconditional generator, with a latent and class weights for each depth.

    Layers are at the same depth if as many convolutions follow them. Depth 0 comes first, and has the most.

    Args:
        network: the generator's network.
        classes: the number of its classes. 0 if it is unconditional.

    Raises:
        InputError: the layers that read the latents cannot be told apart in this network.
    """

    def __init__(self, network: OnnxPredict, classes: int) -> None:
        self._network, self._classes = network, classes
        try:
            self._graph = OnnxGraph(network.content)
            self._condition = self._find_condition()
            self._readers = self._find_readers()
        except (InputError, ValueError, LookupError) as error:
            raise InputError(f"the layers of this model cannot be found in its ONNX file: {error}") from error

    @property
    def depth(self) -> int:
        """The number of depths, at least 1."""
        return len(self._readers)

    def draw(self, latents: Latents, weights: Floats | None) -> FloatImages:
        """Draw images.

        Args:
            latents: (N, depth, latent_dim).
            weights: the share of each class (N, depth, classes). None if the network is unconditional.
        """
        images: FloatImages = self._draw(self._all_conditions(latents, weights))
        return images

    def _all_conditions(self, latents: Latents, weights: Floats | None) -> list[Array]:
        return [
            self._conditions(latents[:, depth], None if weights is None else weights[:, depth])
            for depth in range(self.depth)
        ]

    def check_gradient(self) -> None:
        """Raise InputError if the network cannot be differentiated."""
        try:
            _ = self._gradient
        except (InputError, ValueError, LookupError) as error:
            raise InputError(f"this model cannot be differentiated in its ONNX file: {error}") from error

    def gradients(self, latents: Latents, weights: Floats | None, targets: FloatImages) -> tuple[FloatImages, Latents]:
        """Draw images, and differentiate half the sum of their squared differences to targets by the latents.

        Args:
            latents, weights: as in ``draw``.
            targets: (N, H, W, C) in [-1, 1].

        Returns:
            The images, and the gradient (N, depth, latent_dim).
        """
        images, *gradients = self._gradient.outputs([*self._all_conditions(latents, weights), targets])
        by_latents = [gradient @ self._condition_by_latent.T for gradient in gradients]
        return images, np.stack(by_latents, axis=1)

    @functools.cached_property
    def _condition_by_latent(self) -> Array:
        """How the vector that the layers read changes with each number of the latent, (latent_dim, width)."""
        dim = self.latent_dim
        units = np.eye(1 + dim, dim, -1, dtype=np.float32)  # Zeros, then each unit vector.
        conditions = self._conditions(units, self._first_class(1 + dim))
        return conditions[1:] - conditions[0]

    def responses(self, latents: Latents, label: int) -> list[list[Array]]:
        """For each depth, the outputs of its dense layers, which read the latents. Each is (N, units).

        Args:
            latents: (N, latent_dim).
            label: the class of all of them. Unused if the network is unconditional.
        """
        labels = [np.full(len(latents), label, np.int32)] if self._classes else []
        outputs = iter(self._responses.outputs([latents, *labels]))
        return [[next(outputs) for _ in readers] for readers in self._readers]

    def _conditions(self, latents: Latents, weights: Floats | None) -> Array:
        """The vectors that the layers read: the latents, and the average of the classes' embeddings."""
        if weights is None:
            return self._condition_of([latents])
        # The latents and the class are next to each other in this vector, so that they can be computed apart.
        table = self._class_table
        first = np.zeros(len(latents), np.int32)
        conditions: Array = self._condition_of([latents, first]) - table[0] + weights.astype(np.float32) @ table
        return conditions

    @functools.cached_property
    def _class_table(self) -> Array:
        """The vector that the layers read for each class, with a latent of zeros."""
        zeros = np.zeros((self._classes, self.latent_dim), np.float32)
        return self._condition_of([zeros, np.arange(self._classes, dtype=np.int32)])

    @property
    def latent_dim(self) -> int:
        """The length of a latent."""
        return int(self._network.session.get_inputs()[0].shape[1])

    @functools.cached_property
    def _condition_of(self) -> OnnxPredict:
        return self._part(self._own_inputs, [self._condition])

    @functools.cached_property
    def _responses(self) -> OnnxPredict:
        outputs = [self._graph.nodes[reader].outputs[0] for readers in self._readers for reader in readers]
        return self._part(self._own_inputs, outputs)

    @functools.cached_property
    def _draw(self) -> OnnxPredict:
        return self._predict(self._graph.write(self._drawing_nodes, self._names, self._graph.outputs), self._names)

    @functools.cached_property
    def _gradient(self) -> OnnxPredict:
        """Conditions and target images -> images, and the gradient by each condition."""
        (output,) = self._graph.outputs
        gradient = Gradient(self._drawing_nodes, self._names, output)
        nodes, names = gradient.backward(self._shapes(gradient.measured))
        inputs = (*self._names, TARGET)
        return self._predict(self._graph.write(self._drawing_nodes, inputs, [output, *names], nodes), inputs)

    def _shapes(self, values: list[str]) -> dict[str, Shape]:
        """The shapes of values of the drawing part, for two images."""
        shapes = {name: shape for name in values if (shape := self._graph.shape_of_weights(name)) is not None}
        computed = [name for name in values if name not in shapes and name not in self._names]
        part = self._predict(self._graph.write(self._drawing_nodes, self._names, computed), self._names)
        example = self._conditions(np.zeros((2, self.latent_dim), np.float32), self._first_class(2))
        arrays = part.outputs([example] * self.depth)
        shapes |= {name: array.shape for name, array in zip(computed, arrays, strict=True)}
        return shapes | dict.fromkeys(self._names, example.shape)

    def _first_class(self, count: int) -> Floats | None:
        return np.eye(self._classes)[np.zeros(count, int)] if self._classes else None

    @property
    def _own_inputs(self) -> tuple[str, ...]:
        return self._network.names[: 2 if self._classes else 1]

    @functools.cached_property
    def _names(self) -> tuple[str, ...]:
        """The inputs of the drawing part: the vector that the layers of each depth read."""
        return tuple(f"condition_{depth}" for depth in range(self.depth))

    @functools.cached_property
    def _drawing_nodes(self) -> list[Node]:
        renamed = {
            reader: (self._condition, name)
            for name, readers in zip(self._names, self._readers, strict=True)
            for reader in readers
        }
        return self._graph.needed(self._names, self._graph.outputs, renamed)

    def _part(self, inputs: tuple[str, ...], outputs: list[str]) -> OnnxPredict:
        return self._predict(self._graph.write(self._graph.needed(inputs, outputs), inputs, outputs), inputs)

    def _predict(self, content: bytes, inputs: tuple[str, ...]) -> OnnxPredict:
        part = OnnxPredict(content, self._network.guard.seconds_per_image, inputs)
        part.guard = self._network.guard  # Who stops the network's calls also stops those of its parts.
        return part

    def __reduce__(self) -> tuple[type["DepthNetwork"], tuple[OnnxPredict, int]]:
        return DepthNetwork, (self._network, self._classes)

    def _find_condition(self) -> str:
        """The vector that the dense layers read: the latents, joined with the embedded class if there is one."""
        value = self._network.names[0]
        for _ in range(MAX_HOPS):
            consumers = self._graph.consumers(value)
            if consumers and all(self._graph.nodes[consumer].operator in DENSE for consumer in consumers):
                return value
            (only,) = consumers
            node = self._graph.nodes[only]
            if node.operator not in PASSED_THROUGH:
                raise InputError(f"its latents enter a layer of the kind {node.operator}")
            value = node.outputs[0]
        raise InputError("its latents enter no dense layer")

    def _find_readers(self) -> list[list[int]]:
        """The positions of the nodes that read the vector, by their depth."""
        convolutions = self._graph.longest_paths(CONVOLUTIONS)
        depths: dict[int, list[int]] = {}
        for reader in self._graph.consumers(self._condition):
            depths.setdefault(convolutions[self._graph.nodes[reader].outputs[0]], []).append(reader)
        return [depths[key] for key in sorted(depths, reverse=True)]
