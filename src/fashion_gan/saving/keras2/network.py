"""The architecture in a Keras file -> a network of allowed Keras layers with the file's weights."""

import dataclasses
import math

from fashion_gan.arrays import JsonObject, KerasLayer, Tensor
from fashion_gan.errors import InputError
from fashion_gan.saving.keras2 import layers
from fashion_gan.saving.keras2.architecture import (
    MAX_DEPTH,
    MODELS,
    LayerPath,
    input_names,
    layer_name,
    layers_of,
    read_calls,
)
from fashion_gan.saving.keras2.weights import WeightReader
from fashion_gan.system.backends import network_errors

MAX_LAYERS = 300  # layer calls, in all models together
MAX_OUTPUT = 1 << 21  # numbers in a layer's output, for one latent
VALUE_PRESERVING_LAYERS = ("Reshape", "Flatten", "Permute")


@dataclasses.dataclass(frozen=True)
class TrackedTensor:
    """A tensor, and what is known about its values.

    Attributes:
        tensor: the Keras tensor.
        activation: the activation that produced the values. It tells their range.
        is_label: whether the values are class numbers, unchanged from the input.
    """

    tensor: Tensor
    activation: str = "linear"
    is_label: bool = False


class NetworkBuilder:
    """Builds the network that a file describes, layer by layer.

    Each layer gets its weights as soon as it is made, and only if they fit.

    Attributes:
        embedding_rows: the number of rows of each ``Embedding`` in the network.
    """

    def __init__(self, weights: WeightReader) -> None:
        self.embedding_rows: list[int] = []
        self._weights = weights
        self._calls = 0
        self._layers: dict[LayerPath, KerasLayer] = {}

    def call(self, model: JsonObject, inputs: list[TrackedTensor], path: LayerPath = ()) -> TrackedTensor:
        """Call a model on its inputs.

        Args:
            model: the model's description in the file.
            inputs: one tensor for each input of the model.
            path: the names of the models that contain this one, and its own name. Empty for the outermost model.

        Raises:
            InputError: the model has a part that cannot be imported.
        """
        if len(path) > MAX_DEPTH:
            raise InputError(f"its models are nested over {MAX_DEPTH} deep")
        if model["class_name"] != "Sequential":
            return self._call_functional(model["config"], inputs, path)
        _check_input_count(inputs, 1, path)
        (tensor,) = inputs
        for layer in layers_of(model):
            if layer["class_name"] != "InputLayer":
                tensor = self._call_layer(layer, [tensor], path)
        return tensor

    def _call_functional(self, config: JsonObject, inputs: list[TrackedTensor], path: LayerPath) -> TrackedTensor:
        names = input_names(config["input_layers"])
        waiting, outputs = read_calls(config)
        _check_input_count(inputs, len(names), path)
        if len(outputs) != 1:
            raise InputError(f"it has {len(outputs)} outputs, but a generator has one: its images")
        results = {(name, 0): tensor for name, tensor in zip(names, inputs, strict=True)}
        if len(waiting) > MAX_LAYERS:
            raise InputError(f"it has over {MAX_LAYERS} layers")
        while waiting:
            ready = [call for call in waiting if all(source in results for source in call[2])]
            if not ready:
                raise InputError("its layers form a cycle, or a layer's input does not exist")
            for layer, number, sources in ready:
                results[layer["name"], number] = self._call_layer(layer, [results[source] for source in sources], path)
            waiting = [call for call in waiting if call not in ready]
        return results[outputs[0]]

    def _call_layer(self, layer: JsonObject, inputs: list[TrackedTensor], path: LayerPath) -> TrackedTensor:
        self._calls += 1
        if self._calls > MAX_LAYERS:
            raise InputError(f"it has over {MAX_LAYERS} layers")
        class_name, name = layer["class_name"], layer_name(layer)
        if class_name in MODELS:
            return self.call(layer, inputs, (*path, name))
        layers.check_allowed(class_name, name)
        if class_name not in layers.MERGE_LAYERS:
            _check_input_count(inputs, 1, (*path, name))
        if class_name in layers.TRAINING_ONLY_LAYERS:
            return inputs[0]
        if class_name == "Embedding" and not inputs[0].is_label:
            raise InputError(f"layer {name} is an Embedding, but its input is not the class number")
        tensor = self._apply(layer, inputs, (*path, name))
        if class_name in VALUE_PRESERVING_LAYERS:
            return dataclasses.replace(inputs[0], tensor=tensor)
        activation = layer["config"].get("activation", "linear")
        return TrackedTensor(tensor, activation if isinstance(activation, str) else "linear")

    def _apply(self, layer: JsonObject, inputs: list[TrackedTensor], path: LayerPath) -> Tensor:
        class_name, name, tensors = layer["class_name"], path[-1], [value.tensor for value in inputs]
        try:
            keras_layer = self._keras_layer(layer, inputs[0], path)
            output = keras_layer(tensors if class_name in layers.MERGE_LAYERS else tensors[0])
        except InputError:
            raise
        except network_errors() as error:
            raise InputError(f"layer {name}, {class_name}: it is damaged, or does not fit its input") from error
        _check_output_size(output, name)
        layers.check_exportable(keras_layer, name, tensors[0].shape[1:], output.shape[1:])
        return output

    def _keras_layer(self, layer: JsonObject, layer_input: TrackedTensor, path: LayerPath) -> KerasLayer:
        """The Keras layer with its weights. A layer that is called again is the same object."""
        if path in self._layers:
            return self._layers[path]
        class_name, shape = layer["class_name"], tuple(layer_input.tensor.shape[1:])
        arguments = layers.read_arguments(class_name, layer["config"], path[-1])
        keras_layer = layers.make_layer(class_name, arguments)
        # Weights are read before the layer is built, so that a layer never takes more memory than the file's weights.
        weights = self._weights.read_layer(path, layers.LAYER_RULES[class_name].weight_shapes(arguments, shape))
        if weights:
            keras_layer.build((None, *shape))
            for variable in keras_layer.variables:
                variable.assign(weights[variable.name])
        if class_name == "Embedding":
            self.embedding_rows.append(arguments["input_dim"])
        self._layers[path] = keras_layer
        return keras_layer


def _check_input_count(inputs: list[TrackedTensor], expected: int, path: LayerPath) -> None:
    if len(inputs) != expected:
        raise InputError(f"{'/'.join(path) or 'its model'} gets {len(inputs)} inputs, but takes {expected}")


def _check_output_size(tensor: Tensor, name: str) -> None:
    sizes = tensor.shape[1:]
    if any(size is None or size < 1 for size in sizes) or math.prod(sizes) > MAX_OUTPUT:
        raise InputError(
            f"layer {name} makes {'×'.join(map(str, sizes))} numbers from a latent; the limit is {MAX_OUTPUT:,}"
        )
