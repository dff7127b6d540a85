"""The parts that all architectures share: their inputs, how a class enters a network, and the two output heads."""

import keras
from keras import initializers, layers

from fashion_gan.arrays import KerasModel, Tensor
from fashion_gan.config import Config

EMBEDDING_DIM = 50


def latent_inputs(config: Config, name: str) -> tuple[list[Tensor], Tensor]:
    """The generator's inputs, and the vector that its first layer reads: the latents, and the embedded class if any."""
    latents = keras.Input((config.latent_dim,), name="latents")
    if not config.class_names:
        return [latents], latents
    labels = keras.Input((), dtype="int32", name="labels")
    embedded = _embedding(config, labels, EMBEDDING_DIM, initializers.RandomNormal(stddev=0.05), name)
    return [latents, labels], layers.Concatenate(name=f"{name}_concatenate")([latents, embedded])


def _embedding(config: Config, labels: Tensor, dim: int, initializer: initializers.Initializer, name: str) -> Tensor:
    """A learned vector for each class: int labels (N,) -> (N, dim).

    A dense layer on one-hot labels, not an ``Embedding``: TensorFlow makes that layer's gradient sparse, with an entry
    for each occurrence of a class in the batch, and Adam's steps then differ from those of the other backends.
    """
    one_hot = layers.CategoryEncoding(len(config.class_names), output_mode="one_hot", name=f"{name}_one_hot")(labels)
    return layers.Dense(dim, use_bias=False, kernel_initializer=initializer, name=f"{name}_embedding")(one_hot)


def class_axis(path: str) -> int | None:
    """The axis of a weight that has an entry for each class. None if it has none.

    Args:
        path: the variable's path, with or without the network's name.

    Example:
        >>> class_axis("generator_embedding/kernel"), class_axis("discriminator_classes/kernel")
        (0, 1)
    """
    layer, _, variable = path.rpartition("/")
    if layer.endswith("_embedding"):
        return 0
    return (0 if variable == "bias" else 1) if layer.endswith("_classes") else None


def image_inputs(config: Config) -> tuple[list[Tensor], Tensor | None]:
    """The discriminator's inputs, and the labels among them (None if the run is unconditional)."""
    images = keras.Input((config.image_size, config.image_size, config.channels), name="images")
    if not config.class_names:
        return [images], None
    labels = keras.Input((), dtype="int32", name="labels")
    return [images, labels], labels


def to_pixels(x: Tensor, name: str, gain: float = 1.0) -> Tensor:
    """The generator's output head: tanh, in float32 whatever the precision of the layers before.

    Args:
        x: the last layer's output, of any shape.
        name: the model's name.
        gain: factor for values above 0, which are then clipped at 1. With a gain above 1, pixels can be fully white, as
            some are in most real images. Negative values keep plain tanh, so that the darkest levels stay distinct.
    """
    images = layers.Activation("tanh", dtype="float32", name=f"{name}_tanh")(x)
    if gain > 1:  # In plain layers, which every file format knows: −relu(−tanh) + min(gain · relu(tanh), 1).
        light = layers.Rescaling(gain, dtype="float32", name=f"{name}_reach")(images)
        light = layers.ReLU(max_value=1.0, dtype="float32", name=f"{name}_light")(light)
        dark = layers.Rescaling(-1.0, dtype="float32", name=f"{name}_negative")(images)
        dark = layers.ReLU(dtype="float32", name=f"{name}_dark")(dark)
        images = layers.Subtract(dtype="float32", name=f"{name}_images")([light, dark])
    return images


def build_model(inputs: list[Tensor], outputs: Tensor, name: str) -> KerasModel:
    """The Keras model. A single input is passed bare, not in a list."""
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=name)


def logit_model(config: Config, inputs: list[Tensor], features: Tensor, labels: Tensor | None, name: str) -> KerasModel:
    """The discriminator's output head: one logit, (N, 1).

    A conditional network adds the dot product of the features and a class embedding (projection: Miyato & Koyama 2018,
    arXiv:1802.05637). With ``config.classifier_weight`` there is a second output, (N, classes): the logits of the
    classes.
    """
    logits = layers.Dense(1, dtype="float32", name=f"{name}_logit")(features)
    if labels is not None:
        dim = features.shape[-1]
        # With this standard deviation the initial projection has about the scale of a dense layer's logit.
        embedded = _embedding(config, labels, dim, initializers.RandomNormal(stddev=dim**-0.5), name)
        projection = layers.Dot(axes=-1, dtype="float32", name=f"{name}_projection")([features, embedded])
        logits = layers.Add(dtype="float32", name=f"{name}_conditional_logit")([logits, projection])
    if config.classifier_weight:
        class_logits = layers.Dense(len(config.class_names), dtype="float32", name=f"{name}_classes")(features)
        logits = [logits, class_logits]
    return build_model(inputs, logits, name)
