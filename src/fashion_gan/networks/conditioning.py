"""What every family shares: the inputs, the way a class enters a network, and the two output heads."""

import keras
from keras import initializers, layers

from fashion_gan.config import Config

EMBEDDING_DIM = 50


def latent_inputs(config: Config, name: str):
    """The generator's inputs, and the vector that its first layer reads: latents, with the embedded class beside."""
    latents = keras.Input((config.latent_dim,), name="latents")
    if not config.class_names:
        return [latents], latents
    labels = keras.Input((), dtype="int32", name="labels")
    embedded = _embedding(config, labels, EMBEDDING_DIM, initializers.RandomNormal(stddev=0.05), name)
    return [latents, labels], layers.Concatenate(name=f"{name}_concatenate")([latents, embedded])


def _embedding(config: Config, labels, width: int, start, name: str):
    """A learnt vector for each class: int labels (N,) -> (N, width).

    A dense layer on one-hot labels, since what TensorFlow makes of an ``Embedding``'s gradient, a sparse one in which
    a class stands as often as the batch holds it, made Adam's steps other than those of the other backends.
    """
    one_hot = layers.CategoryEncoding(len(config.class_names), output_mode="one_hot", name=f"{name}_one_hot")(labels)
    return layers.Dense(width, use_bias=False, kernel_initializer=start, name=f"{name}_embedding")(one_hot)


def image_inputs(config: Config):
    """The discriminator's inputs, and the labels among them (None where it is unconditional)."""
    images = keras.Input((config.image_size, config.image_size, config.channels), name="images")
    if not config.class_names:
        return [images], None
    labels = keras.Input((), dtype="int32", name="labels")
    return [images, labels], labels


def squashed(x, name: str, reach: float = 1.0):
    """Squash a generator's last layer to [-1, 1], in float32 whatever the precision of the layers before.

    Args:
        x: the layer's output, of any shape.
        name: the model's.
        reach: what tanh is multiplied by where it is above 0, before it is cut off at 1. With more than 1 pixels come
            to be wholly white, as in most real pictures some are; tanh alone never makes one. Black it does make, and
            it tells the darkest levels apart, which a cut would not.
    """
    images = layers.Activation("tanh", dtype="float32", name=f"{name}_tanh")(x)
    if reach > 1:  # In plain layers, which every file format knows: −relu(−tanh) + min(reach · relu(tanh), 1).
        light = layers.Rescaling(reach, dtype="float32", name=f"{name}_reach")(images)
        light = layers.ReLU(max_value=1.0, dtype="float32", name=f"{name}_light")(light)
        dark = layers.Rescaling(-1.0, dtype="float32", name=f"{name}_negative")(images)
        dark = layers.ReLU(dtype="float32", name=f"{name}_dark")(dark)
        images = layers.Subtract(dtype="float32", name=f"{name}_images")([light, dark])
    return images


def model(inputs, outputs, name: str):
    """The model of the inputs; a single one is taken bare, not in a list."""
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=name)


def logit_model(config: Config, inputs, features, labels, name: str):
    """One logit; a conditional one adds the projection of the features on the class (Miyato & Koyama 2018).

    With ``config.classification`` a second output beside it, (N, classes): the logits of the class that it shows.
    """
    logits = layers.Dense(1, dtype="float32", name=f"{name}_logit")(features)
    if labels is not None:
        width = features.shape[-1]
        # Scaled so that the projection of unit features starts as small as a dense logit does.
        start = initializers.RandomNormal(stddev=width**-0.5)
        embedded = _embedding(config, labels, width, start, name)
        projection = layers.Dot(axes=-1, dtype="float32", name=f"{name}_projection")([features, embedded])
        logits = layers.Add(dtype="float32", name=f"{name}_conditional_logit")([logits, projection])
    if config.classification:
        shown = layers.Dense(len(config.class_names), dtype="float32", name=f"{name}_classes")(features)
        logits = [logits, shown]
    return model(inputs, logits, name)
