"""A trained generator without the batch norms that other layers can replace: the same images, faster."""

import keras
import numpy as np
from keras import layers

from fashion_gan.arrays import KerasLayer, KerasModel, Tensor
from fashion_gan.system.backends import seeded


@seeded(0)
def fold_batch_norm(generator: KerasModel) -> KerasModel:
    """Fold batch norms into the modulation layers that follow them.

    A trained batch norm maps x to (x - μ) / σ. A modulation layer then maps y to gain · y + shift, where dense layers
    compute gain and shift. If they compute gain / σ and shift - gain · μ / σ instead, the result is the same, and two
    passes over x are saved. A batch norm stays if no modulation layer follows it.

    Args:
        generator: a generator of any architecture. Python's random numbers stay as they are.

    Returns:
        A copy whose outputs differ only by rounding; the generator itself if no batch norm can be folded.
    """
    names = {layer.name for layer in generator.layers}
    norms = [
        layer
        for layer in generator.layers
        if isinstance(layer, layers.BatchNormalization) and {f"{layer.name}_gain", f"{layer.name}_shift"} <= names
    ]
    if not norms:
        return generator

    def clone(layer: KerasLayer) -> KerasLayer:
        return layers.Identity(name=layer.name) if layer in norms else type(layer).from_config(layer.get_config())

    def call(layer: KerasLayer, *inputs: Tensor, **options: object) -> Tensor:
        # The options of a batch norm's call are unknown to the identity that replaces it.
        return layer(*inputs) if isinstance(layer, layers.Identity) else layer(*inputs, **options)

    copy = keras.models.clone_model(generator, clone_function=clone, call_function=call)
    for layer in generator.layers:
        if layer not in norms:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    for norm in norms:
        mean, variance = norm.get_weights()  # These norms have no gains and shifts of their own.
        factor = 1 / np.sqrt(variance + norm.epsilon)
        gain, shift = (copy.get_layer(f"{norm.name}_{suffix}") for suffix in ("gain", "shift"))
        gains = [weights * factor for weights in gain.get_weights()]  # Kernel and bias; the channel is the last axis.
        gain.set_weights(gains)
        shift.set_weights([weights - mean * scaled for weights, scaled in zip(shift.get_weights(), gains, strict=True)])
    return copy
