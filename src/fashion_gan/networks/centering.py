"""Layers without weights at the end of a generator, which center the content of each image.

The makers of Fashion-MNIST centered every image to the pixel (Xiao et al. 2017, arXiv:1708.07747). A convolutional
network cannot do that: it draws the left edge of a shape without knowing how wide the shape will be.
"""

from keras import layers

from fashion_gan.arrays import Tensor

# A row or column counts as empty if none of its levels (0 to 255) is above this one. In 95% of the real images, the
# outermost row or column that is not all black has a brighter pixel.
EMPTY_LEVEL = 24
# The slope of a ramp that acts as a step function: 0 up to EMPTY_LEVEL, 1 above. The ramp is so steep that no float32
# lies on it, so no gradient flows through it. That is wanted, because the gradient would be as large as the slope. The
# slope is a power of two, because multiplying by one is exact.
STEP_SLOPE = 2.0**40


def center_images(x: Tensor, name: str) -> Tensor:
    """Move each image by whole pixels, until its margins are equal, or the right or lower one is smaller by one.

    Rows and columns without a level above 24 count as empty and become black, even inside the content. The layers are
    plain ones that every file format knows, in float32 whatever the precision of the layers before.

    Args:
        x: images (N, H, W, C) in [-1, 1]; black is -1.
        name: the model's name.

    Returns:
        Images of the same shape. Black that leaves at one side enters at the other.
    """
    _, height, width, channels = x.shape
    name = f"{name}_centre"
    lines = _float32(layers.Reshape, (height, width * channels), name=f"{name}_lines")(x)
    lines = _float32(layers.Rescaling, 1.0, 1.0, name=f"{name}_light")(lines)  # Black becomes 0.
    for direction, size, other_size in (("down", height, width), ("right", width, height)):
        lines = _center_lines(lines, size, f"{name}_{direction}")
        # After the second transposition, the lines are rows again.
        lines = _transpose(lines, size, other_size, channels, f"{name}_{direction}")
    lines = _float32(layers.Rescaling, 1.0, -1.0, name=f"{name}_dark")(lines)
    return _float32(layers.Reshape, (height, width, channels), name=f"{name}_images")(lines)


def _float32(layer: type[layers.Layer], *arguments: object, name: str, **named: object) -> layers.Layer:
    return layer(*arguments, dtype="float32", name=name, **named)


def _transpose(lines: Tensor, size: int, other_size: int, channels: int, name: str) -> Tensor:
    """Lines along one axis -> lines along the other: (N, size, other_size · C) -> (N, other_size, size · C)."""
    if channels == 1:
        return _float32(layers.Permute, (2, 1), name=f"{name}_turned")(lines)
    x = _float32(layers.Reshape, (size, other_size, channels), name=f"{name}_places")(lines)
    x = _float32(layers.Permute, (2, 1, 3), name=f"{name}_turned")(x)
    return _float32(layers.Reshape, (other_size, size * channels), name=f"{name}_turned_lines")(x)


def _center_lines(lines: Tensor, size: int, name: str) -> Tensor:
    """Shift lines (N, size, M), where 0 is black, until their margins are equal, or the first is larger by one.

    The margins are the empty lines at the start and at the end.
    """
    # Whether each line holds anything: (N, size), 1 or 0.
    pixels = _float32(layers.Permute, (2, 1), name=f"{name}_pixels")(lines)
    highest = _float32(layers.GlobalMaxPooling1D, name=f"{name}_highest")(pixels)
    above = _float32(layers.Rescaling, STEP_SLOPE, -STEP_SLOPE * 2 * EMPTY_LEVEL / 255, name=f"{name}_above")(highest)
    lit = _float32(layers.ReLU, max_value=1.0, name=f"{name}_lit")(above)

    # Empty lines at the start minus empty lines at the end: (N, 1). That is the number of the last lit line minus the
    # number of the first one, if the first is counted from the other end.
    numbers = [float(number) for number in range(1, size + 1)]
    last, first = (_largest(lit, numbers[::step], f"{name}_{end}") for end, step in (("last", 1), ("first", -1)))
    difference = _float32(layers.Subtract, name=f"{name}_more")([last, first])

    matrix = _shift_matrix(difference, size, name)
    mask = _float32(layers.Reshape, (size, 1), name=f"{name}_kept")(lit)
    lines = _float32(layers.Multiply, name=f"{name}_trimmed")([lines, mask])
    return _float32(layers.Dot, (2, 1), name=f"{name}_moved")([matrix, lines])


def _shift_matrix(difference: Tensor, size: int, name: str) -> Tensor:
    """The matrix that moves lines back by half of a difference (N, 1), rounded down: (N, size, size)."""
    # The shift m as a one-hot vector (N, size + 1). Entry k stands for m = k or, in the second half, for
    # m = k - size - 1.
    period = size + 1
    shifts = [k if 2 * k <= size else k - period for k in range(period)]
    difference = _float32(layers.RepeatVector, period, name=f"{name}_each")(difference)
    difference = _float32(layers.Reshape, (period,), name=f"{name}_each_move")(difference)
    # The distance from the middle between 2m and 2m + 1: a half if the difference is one of the two, else 1.5 or more.
    distance = _float32(layers.Rescaling, 1.0, [-2.0 * m - 0.5 for m in shifts], name=f"{name}_distance")(difference)
    square = _float32(layers.Multiply, name=f"{name}_square")([distance, distance])
    near = _float32(layers.Rescaling, -1.0, 1.25, name=f"{name}_near")(square)
    one_hot = _float32(layers.ReLU, name=f"{name}_move")(near)

    # The matrix takes line i + m to line i. Each of its rows is the row above, moved by one entry. Such rows
    # result if a sequence that repeats after ``size + 1`` entries is cut into pieces of ``size`` entries.
    sequence = _float32(layers.RepeatVector, size, name=f"{name}_repeated")(one_hot)
    sequence = _float32(layers.Reshape, (size * period, 1), name=f"{name}_sequence")(sequence)
    sequence = _float32(layers.Cropping1D, (0, size), name=f"{name}_cropped")(sequence)
    return _float32(layers.Reshape, (size, size), name=f"{name}_matrix")(sequence)


def _largest(lit: Tensor, numbers: list[float], name: str) -> Tensor:
    """The largest number whose entry is 1, or 0 if no entry is: (N, size) -> (N, 1)."""
    x = _float32(layers.Rescaling, numbers, name=f"{name}_numbers")(lit)
    x = _float32(layers.Reshape, (len(numbers), 1), name=f"{name}_column")(x)
    return _float32(layers.GlobalMaxPooling1D, name=name)(x)
