"""The architecture in a Keras file, as Keras 2 and Keras 3 describe it: models, layers, and their calls."""

from typing import Any, TypeAlias

from fashion_gan.arrays import JsonObject
from fashion_gan.errors import InputError
from fashion_gan.saving.keras2.layers import MAX_COUNT, Shape

MODELS = ("Sequential", "Functional", "Model")
MAX_DEPTH = 8  # models nested in models
VECTOR_LAYERS = ("Dense", "Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D")

LayerPath: TypeAlias = tuple[str, ...]
"""A layer's name, after the names of the models that contain it."""

Reference: TypeAlias = tuple[str, int]
"""A call of a layer: the layer's name, and the number of the call."""

Call: TypeAlias = tuple[JsonObject, int, list[Reference]]
"""A layer, the number of its call, and the calls whose outputs it takes."""


def layer_name(layer: JsonObject) -> str:
    """A layer's name. Sequential models of Keras 2 store it only in the layer's configuration."""
    return str(layer.get("name") or layer["config"]["name"])


def layers_of(model: JsonObject) -> list[JsonObject]:
    """The descriptions of a model's layers."""
    config = model["config"]
    return config if isinstance(config, list) else config["layers"]  # Up to Keras 2.2 the configuration is a list.


def input_shapes(model: JsonObject) -> list[Shape]:
    """The shapes of a model's inputs, without the batch. Raises InputError if they are not fixed."""
    if model["class_name"] == "Sequential":
        first = layers_of(model)[0]
        if first["class_name"] in MODELS:
            return input_shapes(first)
        fallback = model["config"].get("build_input_shape") if isinstance(model["config"], dict) else None
        return [_input_shape(first, fallback)]
    by_name = {layer["name"]: layer for layer in layers_of(model)}
    return [_input_shape(by_name[name]) for name in input_names(model["config"]["input_layers"])]


def input_names(references: object) -> list[str]:
    """The names of the layers that an ``input_layers`` entry refers to."""
    return [name for name, _ in read_references(references)]


def _input_shape(layer: JsonObject, fallback: object = None) -> Shape:
    config = layer["config"]
    shape = config.get("batch_input_shape") or config.get("batch_shape") or fallback
    sizes = shape[1:] if isinstance(shape, list) else [None]
    if not all(isinstance(size, int) and 0 < size <= MAX_COUNT for size in sizes):
        raise InputError(f"the shape of its input is not known: {str(shape)[:60]}")
    return tuple(sizes)


def read_references(entry: Any) -> list[Reference]:
    """Read one reference ["name", call, tensor], or a list of them."""
    references = entry if entry and isinstance(entry[0], list) else [entry]
    return [(str(name), int(number)) for name, number, *_ in references]


def read_calls(config: JsonObject) -> tuple[list[Call], list[Reference]]:
    """The calls of all layers of a functional model, and the calls whose outputs are the model's outputs.

    A file lists the calls of each layer in order. Other calls refer to them by numbers, which TensorFlow starts at 1
    for a nested model, because the model's own input counts as call 0. Here they start at 0 for all layers.
    """
    calls = [
        (layer, number, _read_sources(node))
        for layer in layers_of({"config": config})
        for number, node in enumerate(layer.get("inbound_nodes", []))
    ]
    outputs = read_references(config["output_layers"])
    references = {reference for _, _, sources in calls for reference in sources} | set(outputs)
    numbers: dict[str, list[int]] = {}
    for name, number in sorted(references):
        numbers.setdefault(name, []).append(number)
    counts = {layer["name"]: len(layer.get("inbound_nodes", [])) for layer in layers_of({"config": config})}

    def renumber(reference: Reference) -> Reference:
        name, number = reference
        # A call that nothing refers to leaves the numbers as they are.
        return (name, numbers[name].index(number)) if len(numbers[name]) == counts.get(name) else reference

    renumbered = [(layer, number, [renumber(source) for source in sources]) for layer, number, sources in calls]
    return renumbered, [renumber(output) for output in outputs]


def _read_sources(node: Any) -> list[Reference]:
    """The calls whose outputs a call takes: nested lists in Keras 2, dictionaries in Keras 3."""
    if isinstance(node, dict):
        argument, *others = node["args"]
        _check_no_arguments(others, node.get("kwargs") or {})
        tensors = argument if isinstance(argument, list) else [argument]
        return read_references([tensor["config"]["keras_history"] for tensor in tensors])
    for _, _, _, *keywords in node:
        _check_no_arguments([], keywords[0] if keywords else {})
    return read_references(node)


def _check_no_arguments(positional: list[Any], keywords: JsonObject) -> None:
    """Raise InputError if a layer is called with more than its input. Keras writes unused masks, such as [None]."""
    mask = keywords.get("mask")
    unused = ["mask"] if isinstance(mask, list) and not any(mask) else []
    values = [*positional, *(value for name, value in keywords.items() if name not in unused)]
    if any(value not in (None, False) for value in values):
        raise InputError("a layer is called with arguments, which cannot be imported")


def split_combined(model: JsonObject) -> JsonObject | None:
    """The generator in a model that puts a discriminator after it, as GANs are trained. None if it is another model."""
    nested = [layer for layer in layers_of(model) if layer["class_name"] in MODELS]
    if len(nested) < 2 or not _ends_in_vector(nested[-1]):
        return None
    if model["class_name"] == "Sequential":
        return nested[-2]
    feeding = {name for node in nested[-1]["inbound_nodes"] for name, _ in _read_sources(node)}
    generators = [layer for layer in nested[:-1] if layer_name(layer) in feeding]
    return generators[0] if len(generators) == 1 else None


def _ends_in_vector(model: JsonObject) -> bool:
    """Whether a model's last layer, apart from activations, makes a vector, as a discriminator does."""
    classes = [layer["class_name"] for layer in layers_of(model)]
    last = next((name for name in reversed(classes) if name not in ("Activation", "Dropout", "LeakyReLU")), "")
    return last in VECTOR_LAYERS
