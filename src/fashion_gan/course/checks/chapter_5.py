"""Checks of chapter 5, the generator."""

import numpy as np

from fashion_gan.arrays import Array, KerasModel
from fashion_gan.course.checks import models
from fashion_gan.course.checks.core import array, call, exercise, require

LATENT_SIZE, SIDE = 100, 28


@exercise(
    "100 numbers become a picture in [-1, 1], without an uneven overlap.",
    "Start with Dense(7 * 7 * 64) and Reshape((7, 7, 64)). Then enlarge twice, with BatchNormalization between.",
)
def generator(answer: object) -> None:
    """A model, or a function that builds it: latents (N, 100) -> images (N, 28, 28, 1) in [-1, 1]."""
    model = models.built(answer)
    latents = np.random.default_rng(0).normal(size=(16, LATENT_SIZE)).astype(np.float32)
    _image_shape(models.outputs(model, latents))
    _image_range(models.outputs(model, 1000 * latents))
    _layers(model)
    images = models.outputs(model, 10 * latents)
    require(abs(images[0] - images[1]).max() > 1e-6, "all latent vectors give the same picture")


def _image_shape(images: Array) -> None:
    sides = images.shape[1:3]
    hint: str | None = None
    if images.ndim != 4:
        hint = "Dense gives a row of numbers. Reshape((7, 7, …)) turns it into small maps."
    elif sides != (SIDE, SIDE):
        hint = "Start with 7×7 and double the size twice: 7, 14, 28."
    elif images.shape[3:] != (1,):
        hint = "The last layer needs one filter: a gray picture has one channel."
    problem = f"the output has the shape {models.shape(images)}, not (N, {SIDE}, {SIDE}, 1)"
    require(images.shape[1:] == (SIDE, SIDE, 1), problem, hint)


def _image_range(images: Array) -> None:
    hint = 'Give the last layer activation="tanh": real pictures lie in [-1, 1].'
    problem = f"a pixel reaches {abs(images).max():.4g}, so it leaves [-1, 1]: the last layer has no tanh"
    require(abs(images).max() <= 1, problem, hint)
    problem = "no pixel is negative (a sigmoid or a ReLU at the end?), so nothing can be darker than gray"
    require(images.min() < 0, problem, hint)


def _layers(model: KerasModel) -> None:
    transposed = models.named(model, {"Conv2DTranspose"})
    enlarging = transposed + models.named(model, {"UpSampling2D"})
    hint = "Use UpSampling2D() and Conv2D, or Conv2DTranspose with strides=2."
    require(enlarging, "no layer enlarges the maps", hint)
    for layer in transposed:
        kernel, stride = models.pair(layer.kernel_size)[0], models.pair(layer.strides)[0]
        problem = f"a kernel of {kernel} with a stride of {stride} overlaps unevenly: it makes checkerboards"
        require(kernel % stride == 0, problem, f"Take a kernel size that {stride} divides, such as {2 * stride}.")
    hint = "Add BatchNormalization() after Dense or Reshape, and after each enlarging layer but the last."
    norms = models.named(model, {"BatchNormalization"})
    require(norms, "the model has no batch normalization", hint)
    problem = "a batch normalization is the last layer, so the pixels can leave [-1, 1]"
    require(norms[-1] is not models.flat(model)[-1], problem, "End in tanh.")
    learned = transposed + models.named(model, models.CONVOLUTIONS)
    hint = "UpSampling2D only repeats numbers. Put a Conv2D after each."
    require(len(learned) > 1, "only the Dense layer and at most one other layer learn", hint)
    bends = [name for name in models.activations(model) if name != "tanh"]
    require(bends, "no function bends between the layers", "Put LeakyReLU(0.2) after each batch normalization.")


@exercise(
    "you can now tell from two numbers whether a layer makes a checkerboard.",
    "Input number i adds 1 to the outputs from stride * i to stride * i + kernel - 1.",
)
def overlaps(function: object) -> None:
    """A function (inputs, kernel, stride) -> how many inputs reach each output of a transposed convolution."""
    for inputs, kernel, stride in ((5, 3, 2), (5, 4, 2), (4, 3, 1), (3, 2, 3)):
        counts = array(call(function, inputs, kernel, stride)).reshape(-1)
        right = np.zeros(stride * (inputs - 1) + kernel, int)
        for start in range(0, stride * inputs, stride):
            right[start : start + kernel] += 1
        case = f"{inputs} inputs, kernel {kernel}, stride {stride}"
        problem = f"{case}: the result has {len(counts)} counts, not {len(right)}"
        require(len(counts) == len(right), problem, "The last input starts at stride * (inputs - 1).")
        require(np.array_equal(counts, right), f"{case}: the result is {counts.tolist()}, not {right.tolist()}")


@exercise(
    "each channel has its own mean and spread, and a constant channel does no harm.",
    "Each channel has one mean and one variance, over all axes but the last. gamma multiplies, beta is added.",
)
def batch_norm(function: object) -> None:
    """A function (x, gamma, beta) -> x with the mean beta and the standard deviation gamma in each channel."""
    random = np.random.default_rng(0)
    x = random.normal(2, 3, (16, 5, 5, 3)) * [1, 5, 0.5] + random.normal(size=(1, 5, 5, 1))
    x += random.normal(0, 4, (16, 1, 1, 1))  # Some pictures are brighter.
    gamma, beta = np.array([1.0, 2.0, 0.5]), np.array([0.0, -1.0, 3.0])
    y = array(call(function, x.copy(), gamma.copy(), beta.copy()), x.shape)
    per_place = abs(y.mean(axis=0) - beta).max() < 1e-3
    problem = "each place has its own mean, not each channel"
    require(not per_place, problem, "Take the mean over the axes (0, 1, 2): the batch, the rows and the columns.")
    per_picture = abs(y.mean(axis=(1, 2)) - beta).max() < 1e-3
    problem = "each picture has its own mean, so dark and bright ones become alike"
    require(not per_picture, problem, "The batch counts too: take the mean over the axes (0, 1, 2).")
    centered = x - x.mean(axis=(0, 1, 2))
    spread, added = np.sqrt(x.var(axis=(0, 1, 2)) + 1e-3), "The last line multiplies by gamma and adds beta."
    wrong_root = gamma * centered / np.sqrt(x.std(axis=(0, 1, 2)) + 1e-3) + beta
    for wrong, problem, hint in (
        (centered / spread, "gamma and beta have no effect", added),
        (centered / spread * beta + gamma, "gamma and beta are exchanged", added),
        (wrong_root, "the spread is that of the root of a deviation", "The variance is x.var(…), not x.std(…)."),
    ):
        require(abs(y - wrong).max() > 0.01, problem, hint)
    for name, found, right in (("mean", y.mean(axis=(0, 1, 2)), beta), ("deviation", y.std(axis=(0, 1, 2)), gamma)):
        shown = f"{found.round(2).tolist()}, not {right.tolist()}"
        require(abs(found - right).max() < 0.02, f"the channels have the {name} {shown}")
    with np.errstate(divide="ignore", invalid="ignore"):
        constant = call(function, np.ones((4, 2, 2, 3)), gamma.copy(), beta.copy())
    finite = np.isfinite(np.asarray(constant, float)).all()
    require(finite, "a channel of equal numbers gives NaN", "Add a small number such as 1e-3 to the variance.")
