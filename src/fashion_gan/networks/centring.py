"""A last layer, without weights, that moves what is drawn to the middle of the picture.

Fashion-MNIST's makers put each of their pictures there to the pixel (Xiao et al. 2017, arXiv:1708.07747). A network of
convolutions cannot: it draws a shape's left edge without knowing how wide the shape will be.
"""

from keras import layers

EMPTY = 24  # of 255 levels: a row or a column with none above is empty. 95 % of the real pictures' outermost have one.
# What lies above that becomes 1, cut off there, and all else 0: so steep that no float32 lies between, and a power of
# two, so that it is exact. No gradient goes this way, and none of this slope should.
STEEP = 2.0**40


def centred(x, name: str):
    """Move each picture by whole pixels, so that its margins are equal or the right or lower one is smaller by one.

    Margins are rows and columns in which no level is above 24, and become black.

    In plain layers, which every file format knows, and in float32 whatever the precision of the layers before.

    Args:
        x: (N, H, W, C) in [-1, 1]; black is -1.
        name: the model's.

    Returns:
        As many pictures of the same shape. What is black at one side comes in at the other.
    """
    _, height, width, channels = x.shape
    name = f"{name}_centre"
    lines = _float32(layers.Reshape, (height, width * channels), name=f"{name}_lines")(x)
    lines = _float32(layers.Rescaling, 1.0, 1.0, name=f"{name}_light")(lines)  # black is 0
    for way, size, other in (("down", height, width), ("right", width, height)):
        lines = _moved(lines, size, f"{name}_{way}")
        lines = _turned(lines, size, other, channels, f"{name}_{way}")  # The second time, rows are lines again.
    lines = _float32(layers.Rescaling, 1.0, -1.0, name=f"{name}_dark")(lines)
    return _float32(layers.Reshape, (height, width, channels), name=f"{name}_images")(lines)


def _float32(kind, *arguments, name: str, **named):
    return kind(*arguments, dtype="float32", name=name, **named)


def _turned(lines, size: int, other: int, channels: int, name: str):
    """Lines along one axis -> along the other: (N, size, other · C) -> (N, other, size · C)."""
    if channels == 1:
        return _float32(layers.Permute, (2, 1), name=f"{name}_turned")(lines)
    x = _float32(layers.Reshape, (size, other, channels), name=f"{name}_places")(lines)
    x = _float32(layers.Permute, (2, 1, 3), name=f"{name}_turned")(x)
    return _float32(layers.Reshape, (other, size * channels), name=f"{name}_turned_lines")(x)


def _moved(lines, size: int, name: str):
    """Lines (N, size, M), 0 where black, moved until as many are empty at the start as at the end, or one more."""
    # How many more are empty at the start: the number of the last one with light, less that of the first one, when it
    # is counted from the other end.
    pixels = _float32(layers.Permute, (2, 1), name=f"{name}_pixels")(lines)
    highest = _float32(layers.GlobalMaxPooling1D, name=f"{name}_highest")(pixels)  # (N, size)
    above = _float32(layers.Rescaling, STEEP, -STEEP * 2 * EMPTY / 255, name=f"{name}_above")(highest)
    lit = _float32(layers.ReLU, max_value=1.0, name=f"{name}_lit")(above)
    numbers = [float(number) for number in range(1, size + 1)]
    last, first = (_largest(lit, numbers[::step], f"{name}_{end}") for end, step in (("last", 1), ("first", -1)))
    more = _float32(layers.Subtract, name=f"{name}_more")([last, first])  # (N, 1)

    # By how many lines to move back, one-hot: half of that, rounded down. Of size + 1 entries the one of number m
    # stands for m or, in the second half, for m - size - 1.
    period = size + 1
    moves = [move if 2 * move <= size else move - period for move in range(period)]
    more = _float32(layers.RepeatVector, period, name=f"{name}_each")(more)
    more = _float32(layers.Reshape, (period,), name=f"{name}_each_move")(more)
    # From the middle between 2m and 2m + 1: half where it is one of the two, else at least one and a half.
    distance = _float32(layers.Rescaling, 1.0, [-2.0 * m - 0.5 for m in moves], name=f"{name}_distance")(more)
    square = _float32(layers.Multiply, name=f"{name}_square")([distance, distance])
    near = _float32(layers.Rescaling, -1.0, 1.25, name=f"{name}_near")(square)
    move = _float32(layers.ReLU, name=f"{name}_move")(near)  # 1 there, and else 0

    # As a matrix that takes line i + m to i. Each of its rows is the one above it, begun one entry earlier; so are
    # stretches of ``size`` entries of a sequence that repeats after ``size + 1``.
    sequence = _float32(layers.RepeatVector, size, name=f"{name}_repeated")(move)
    sequence = _float32(layers.Reshape, (size * period, 1), name=f"{name}_sequence")(sequence)
    sequence = _float32(layers.Cropping1D, (0, size), name=f"{name}_cropped")(sequence)
    matrix = _float32(layers.Reshape, (size, size), name=f"{name}_matrix")(sequence)
    kept = _float32(layers.Reshape, (size, 1), name=f"{name}_kept")(lit)
    lines = _float32(layers.Multiply, name=f"{name}_trimmed")([lines, kept])
    return _float32(layers.Dot, (2, 1), name=f"{name}_moved")([matrix, lines])


def _largest(lit, numbers: list[float], name: str):
    """The largest number of an entry that is 1, and 0 where none is: (N, size) -> (N, 1)."""
    x = _float32(layers.Rescaling, numbers, name=f"{name}_numbers")(lit)
    x = _float32(layers.Reshape, (len(numbers), 1), name=f"{name}_column")(x)
    return _float32(layers.GlobalMaxPooling1D, name=name)(x)
