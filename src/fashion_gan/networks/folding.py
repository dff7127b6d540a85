"""A trained generator without the batch norms whose work other layers can do: the same pictures, sooner."""

import keras
import numpy as np
from keras import layers


def folded(generator: keras.Model) -> keras.Model:
    """A copy in which gains and shifts chosen by the latent do what the batch norms before them did.

    A batch norm that has learnt takes x to (x - μ) / σ, and what follows takes y to gain · y + shift, with both from
    dense layers: gain / σ and shift - gain · μ / σ, from dense layers too, save two passes over x. Where no such layers
    follow a batch norm, it stays.

    Args:
        generator: of any family.

    Returns:
        A model of the same inputs and outputs, which differ by rounding alone; the generator itself where none of its
        batch norms has such layers.
    """
    names = {layer.name for layer in generator.layers}
    norms = [
        layer
        for layer in generator.layers
        if isinstance(layer, layers.BatchNormalization) and {f"{layer.name}_gain", f"{layer.name}_shift"} <= names
    ]
    if not norms:
        return generator

    def copied(layer):
        return layers.Identity(name=layer.name) if layer in norms else type(layer).from_config(layer.get_config())

    def called(layer, *inputs, **options):  # A batch norm was called with options that nothing else takes.
        return layer(*inputs) if isinstance(layer, layers.Identity) else layer(*inputs, **options)

    copy = keras.models.clone_model(generator, clone_function=copied, call_function=called)
    for layer in generator.layers:
        if layer not in norms:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    for norm in norms:
        mean, variance = norm.get_weights()  # As these norms have no gains and shifts of their own.
        factor = 1 / np.sqrt(variance + norm.epsilon)
        gain, shift = (copy.get_layer(f"{norm.name}_{kind}") for kind in ("gain", "shift"))
        gains = [weights * factor for weights in gain.get_weights()]  # Kernel and bias, by channel last.
        gain.set_weights(gains)
        shift.set_weights([one - mean * other for one, other in zip(shift.get_weights(), gains, strict=True)])
    return copy
