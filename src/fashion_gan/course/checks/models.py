"""What the checks ask of a learner's Keras models. Keras itself is not imported."""

from collections.abc import Sequence
from typing import Any

from fashion_gan.arrays import Array, KerasModel
from fashion_gan.course.checks.core import array, call, require

CONVOLUTIONS = {"Conv2D", "SeparableConv2D"}


def built(answer: Any) -> KerasModel:
    """The model that an answer is, or that it builds if it is a function."""
    model = answer if hasattr(answer, "layers") else call(answer)
    require(hasattr(model, "layers"), f"the answer is of type {type(model).__name__}, not a Keras model")
    return model


def outputs(model: KerasModel, inputs: Array, **settings: object) -> Array:
    """What a model makes of inputs. Its mistakes become one line."""

    def the_model(values: Array) -> object:
        return model(values, **settings)

    return array(call(the_model, inputs), name="the output")


def shape(values: Array) -> str:
    """An array's shape, with N for its length: "(N, 28, 28, 1)"."""
    return f"(N{''.join(f', {length}' for length in values.shape[1:])})"


def kind(layer: Any) -> str:
    """The name of a layer's class, such as "Conv2D"."""
    return type(layer).__name__


def flat(model: KerasModel) -> list[Any]:
    """All layers in their order. A model inside the model is replaced by its own layers."""
    parts = (flat(layer) if hasattr(layer, "layers") else [layer] for layer in model.layers)
    return [layer for part in parts for layer in part]


def named(model: KerasModel, kinds: set[str]) -> list[Any]:
    """The layers of some classes."""
    return [layer for layer in flat(model) if kind(layer) in kinds]


def activations(model: KerasModel) -> list[str]:
    """The activations in a model, as layers of their own or as arguments: "relu", "leaky_relu", "tanh" and so on."""
    return [name for layer in flat(model) if (name := activation(layer)) != "linear"]


def activation(layer: Any) -> str:
    """The name of a layer's activation, "linear" without one. It can be a layer itself."""
    spellings = {"ReLU": "relu", "LeakyReLU": "leaky_relu"}
    function = getattr(layer, "activation", None)
    return spellings.get(kind(layer)) or spellings.get(kind(function)) or str(getattr(function, "__name__", "linear"))


def pair(value: Any) -> tuple[int, ...]:
    """Strides or a kernel size as two numbers."""
    return tuple(value) if isinstance(value, Sequence) else (value, value)
