"""The architecture that a foreign file describes -> a network of Keras layers on our list, with the file's weights."""

import dataclasses
import math
from typing import Any

from fashion_gan.errors import InputError
from fashion_gan.foreign import layers
from fashion_gan.foreign.weights import Weights

MODELS = ("Sequential", "Functional", "Model")
DEEPEST = 8  # models within models
MOST_LAYERS = 300
LARGEST_OUTPUT = 1 << 21  # numbers that a layer may make of one latent
KEEPS_VALUES = ("Reshape", "Flatten", "Permute", *layers.IDENTITIES)


@dataclasses.dataclass(frozen=True)
class Value:
    """A tensor, and what is known of its numbers.

    Attributes:
        activation: the one that they came through last: what it says of the range.
        is_label: whether they are the numbers of classes, as they were given.
    """

    tensor: Any
    activation: str = "linear"
    is_label: bool = False


class Network:
    """Builds what a file describes, a layer at a time; each gets its weights at once, and only if they fit.

    Attributes:
        classes: rows of each ``Embedding`` on the way.
    """

    def __init__(self, weights: Weights) -> None:
        self.classes: list[int] = []
        self._weights = weights
        self._calls = 0
        self._built: dict[tuple[str, ...], Any] = {}

    def call(self, model: Any, inputs: list[Value], path: tuple[str, ...] = ()) -> Value:
        """What a model makes of its inputs. Raises InputError where it is not made of what can be imported."""
        if len(path) > DEEPEST:
            raise InputError(f"models stand in one another over {DEEPEST} deep")
        if model["class_name"] == "Sequential":
            _check_count(inputs, 1, path)
            (value,) = inputs
            for layer in layers_of(model):
                if layer["class_name"] != "InputLayer":
                    value = self._layer(layer, [value], path)
            return value
        return self._functional(model["config"], inputs, path)

    def _functional(self, config: Any, inputs: list[Value], path: tuple[str, ...]) -> Value:
        names, outputs = names_of(config["input_layers"]), _references(config["output_layers"])
        _check_count(inputs, len(names), path)
        if len(outputs) != 1:
            raise InputError(f"it has {len(outputs)} outputs, and a generator has one: its pictures")
        done = {(name, 0): value for name, value in zip(names, inputs, strict=True)}
        waiting = [
            (layer, number, _sources(node))
            for layer in layers_of({"config": config})
            for number, node in enumerate(layer.get("inbound_nodes", []))
        ]
        if len(waiting) > MOST_LAYERS:
            raise InputError(f"it has over {MOST_LAYERS} layers")
        while waiting:
            ready = [call for call in waiting if all(source in done for source in call[2])]
            if not ready:
                raise InputError("its layers wait for one another")
            for layer, number, sources in ready:
                done[layer["name"], number] = self._layer(layer, [done[source] for source in sources], path)
            waiting = [call for call in waiting if call not in ready]
        return done[outputs[0]]

    def _layer(self, layer: Any, inputs: list[Value], path: tuple[str, ...]) -> Value:
        self._calls += 1
        if self._calls > MOST_LAYERS:
            raise InputError(f"it has over {MOST_LAYERS} layers")
        kind, name = layer["class_name"], str(layer.get("name") or layer["config"]["name"])
        if kind in MODELS:
            return self.call(layer, inputs, (*path, name))
        layers.check_kind(kind, name)
        if kind not in layers.MERGES:
            _check_count(inputs, 1, (*path, name))
        if kind in layers.IDENTITIES:  # Nothing, outside of training.
            return inputs[0]
        if kind == "Embedding" and not inputs[0].is_label:
            raise InputError(f"layer {name} is an Embedding of something else than a class's number")
        tensor = self._tensor(layer, inputs, (*path, name))
        if kind in KEEPS_VALUES:
            return dataclasses.replace(inputs[0], tensor=tensor)
        activation = layer["config"].get("activation", "linear")
        return Value(tensor, activation if isinstance(activation, str) else "linear")

    def _tensor(self, layer: Any, inputs: list[Value], path: tuple[str, ...]) -> Any:
        kind, name, tensors = layer["class_name"], path[-1], [value.tensor for value in inputs]
        try:
            built = self._build(layer, inputs[0], path)
            tensor = built(tensors if kind in layers.MERGES else tensors[0])
        except InputError:
            raise
        except Exception as error:  # Keras raises almost anything.
            raise InputError(f"layer {name}, {kind}: it is damaged, or does not fit what it is given") from error
        _check_size(tensor, name)
        layers.check_output(built, name, tensors[0].shape[1:], tensor.shape[1:])
        return tensor

    def _build(self, layer: Any, value: Value, path: tuple[str, ...]) -> Any:
        if path in self._built:
            return self._built[path]
        kind, config, shape = layer["class_name"], layer["config"], tuple(value.tensor.shape[1:])
        arguments = layers.arguments_of(kind, config, path[-1])
        made = layers.make(kind, arguments)
        # Read before the layer is built: what a file asks for takes no more memory than the file has weights.
        found = self._weights.of_layer(path, layers.KINDS[kind].weights(arguments, shape))
        if found:
            made.build((None, *shape))
            for variable in made.variables:
                variable.assign(found[variable.name])
        if kind == "Embedding":
            self.classes.append(arguments["input_dim"])
        self._built[path] = made
        return made


def layers_of(model: Any) -> list[Any]:
    """A model's layers, as dictionaries."""
    config = model["config"]
    return config if isinstance(config, list) else config["layers"]  # A list, up to Keras 2.2.


def input_shapes(model: Any) -> list[tuple[int, ...]]:
    """The shapes of a model's inputs, without the batch. Raises InputError where they are not fixed."""
    if model["class_name"] == "Sequential":
        first = layers_of(model)[0]
        if first["class_name"] in MODELS:
            return input_shapes(first)
        fallback = model["config"].get("build_input_shape") if isinstance(model["config"], dict) else None
        return [_input_shape(first, fallback)]
    by_name = {layer["name"]: layer for layer in layers_of(model)}
    return [_input_shape(by_name[name]) for name in names_of(model["config"]["input_layers"])]


def names_of(references: Any) -> list[str]:
    return [name for name, _ in _references(references)]


def _input_shape(layer: Any, fallback: Any = None) -> tuple[int, ...]:
    config = layer["config"]
    shape = config.get("batch_input_shape") or config.get("batch_shape") or fallback
    sizes = shape[1:] if isinstance(shape, list) else [None]
    if not all(isinstance(size, int) and 0 < size <= layers.LARGEST_COUNT for size in sizes):
        raise InputError(f"the shape of its input is not known: {str(shape)[:60]}")
    return tuple(sizes)


def _references(found: Any) -> list[tuple[str, int]]:
    """[["name", node, tensor], ...], or one of them alone -> (name, node) of each."""
    several = found if found and isinstance(found[0], list) else [found]
    return [(str(name), int(node)) for name, node, *_ in several]


def _sources(node: Any) -> list[tuple[str, int]]:
    """Which calls a call takes its inputs from: nested lists in Keras 2, dictionaries in Keras 3."""
    if isinstance(node, dict):
        given = node["args"][0]
        return _references([_history(tensor) for tensor in (given if isinstance(given, list) else [given])])
    for _, _, _, *keywords in node:
        if any(value not in (None, False) for value in (keywords[0] if keywords else {}).values()):
            raise InputError("a layer is called with arguments, which cannot be imported")
    return _references(node)


def _history(tensor: Any) -> Any:
    return tensor["config"]["keras_history"]


def _check_count(inputs: list[Value], taken: int, path: tuple[str, ...]) -> None:
    if len(inputs) != taken:
        raise InputError(f"{'/'.join(path) or 'its model'} is given {len(inputs)} inputs, and takes {taken}")


def _check_size(tensor: Any, name: str) -> None:
    sizes = tensor.shape[1:]
    if any(size is None or size < 1 for size in sizes) or math.prod(sizes) > LARGEST_OUTPUT:
        raise InputError(f"layer {name} makes {'×'.join(map(str, sizes))} numbers of a latent, over {LARGEST_OUTPUT:,}")
