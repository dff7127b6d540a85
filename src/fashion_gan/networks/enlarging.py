"""A layer without weights at the end of a generator, which enlarges the images.

Fashion-MNIST holds 28×28 pixels of information. Training at a larger size enlarges its images by linear interpolation.
So a generator that draws 28×28 images and enlarges them in the same way loses nothing, and costs as little as one for
28×28.
"""

from keras import layers

from fashion_gan.arrays import KerasModel, Tensor
from fashion_gan.networks.heads import build_model


def enlarge_images(x: Tensor, size: int, name: str) -> Tensor:
    """Images (N, h, w, C) -> (N, size, size, C), by linear interpolation. It equals ``rendering.resize.resize_matrix``.

    Args:
        x: images in [-1, 1].
        size: height and width afterwards, at least as large as before.
        name: the model's name.
    """
    return layers.Resizing(size, size, interpolation="bilinear", dtype="float32", name=f"{name}_enlarged")(x)


def enlarged(generator: KerasModel, size: int) -> KerasModel:
    """A generator that shares its weights with another one, and whose images have this size.

    Returns:
        A model of the same name; or the generator itself, if its images have the size already.
    """
    if generator.output_shape[1] == size:
        return generator
    return build_model(generator.inputs, enlarge_images(generator.outputs[0], size, generator.name), generator.name)
