"""A trained residual generator -> the weights of a slim one, from which training goes on.

Of the channels within a block the ones go whose loss the others make up for best, one by one: the optimal brain surgeon
(Hassibi and Stork 1992) for channels, as those of He et al. 2017, arXiv:1707.06168, are chosen.
"""

import keras
import numpy as np
from keras import ops

RIDGE = 1e-4  # of the features' mean square: what keeps least squares steady where channels say the same
PATCHES_AT_ONCE = 16_384  # bounds the memory: 75 MB of 64 channels


def narrow(full: keras.Model, slim: keras.Model, inputs: list[np.ndarray]) -> None:
    """Give ``slim`` weights made from those of ``full``, built from the same configuration without ``slim_generator``.

    Upsampling and its convolution become the transposed convolution that equals both. Each block by itself is left with
    fewer channels between its convolutions, and the second is fitted anew to what it made of all of them.

    Args:
        inputs: latents (N, latent_dim) [and labels (N,)] to fit by; a few thousand.
    """
    weights = {variable.path.removeprefix(full.name): ops.convert_to_numpy(variable) for variable in full.weights}
    weights["_enlarge/kernel"] = _transposed(weights.pop("_narrow/kernel"))
    for block in ("_quarter", "_half"):
        layers = [full.get_layer(f"{full.name}{block}_{layer}").output for layer in ("relu_2", "conv_2")]
        gram, cross = _moments(keras.Model(full.inputs, layers), inputs)
        kept, kernel = _eliminate(gram, cross, slim.get_layer(f"{slim.name}{block}_conv_1").filters)
        weights[f"{block}_conv_2/kernel"] = kernel
        for name in (f"{block}_conv_1/kernel", *(name for name in weights if name.startswith(f"{block}_norm_2"))):
            weights[name] = weights[name][..., kept]
    for variable in slim.weights:
        variable.assign(weights[variable.path.removeprefix(slim.name)])


def _transposed(kernel: np.ndarray) -> np.ndarray:
    """Of a convolution after upsampling by two, (3, 3, in, out) -> (4, 4, out, in), strides 2, that does both."""
    # Which of three neighbours on the large grid are, from where a small pixel stands, one and the same.
    share = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], kernel.dtype)
    return np.einsum("ay,bx,yxio->aboi", share, share, kernel)


def _moments(probe: keras.Model, inputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Of what a 3×3 convolution takes, a channel's nine places side by side: its products with itself (9 in, 9 in) and
    with what was made of it (9 in, out). ``probe`` gives both."""
    _, height, width, channels = probe.outputs[0].shape
    gram, cross = np.zeros((9 * channels, 9 * channels)), np.zeros((9 * channels, probe.outputs[1].shape[-1]))
    count = max(1, PATCHES_AT_ONCE // (height * width))
    for start in range(0, len(inputs[0]), count):
        part = [values[start : start + count] for values in inputs]
        taken, made = (ops.convert_to_numpy(ops.cast(each, "float32")) for each in probe(part, training=False))
        padded = np.pad(taken, ((0, 0), (1, 1), (1, 1), (0, 0))).astype(np.float64)
        places = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
        patches = np.stack(places, axis=-1).reshape(-1, 9 * channels)
        gram += patches.T @ patches
        cross += patches.T @ made.reshape(len(patches), -1)
    return gram, cross


def _eliminate(gram: np.ndarray, cross: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Which ``count`` channels stay, and the kernel (3, 3, count, out) that fits best with those."""
    kept = np.arange(len(gram) // 9)
    inverse = np.linalg.inv(gram + RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram)))
    while True:
        places = (9 * kept[:, None] + np.arange(9)).ravel()
        kernel = (inverse @ cross[places]).reshape(len(kept), 9, -1)
        if len(kept) == count:
            return kept, kernel.transpose(1, 0, 2).reshape(3, 3, count, -1)
        # How much worse the best fit gets without each channel.
        own = np.stack([inverse[i : i + 9, i : i + 9] for i in range(0, len(inverse), 9)])
        worst = int(np.einsum("cpo,cpo->c", kernel, np.linalg.solve(own, kernel)).argmin())
        gone = np.isin(np.arange(len(inverse)), np.arange(9 * worst, 9 * worst + 9))
        between = inverse[np.ix_(~gone, gone)]
        inverse = inverse[np.ix_(~gone, ~gone)] - between @ np.linalg.solve(own[worst], between.T)
        kept = np.delete(kept, worst)
