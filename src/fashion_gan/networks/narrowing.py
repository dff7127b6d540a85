"""A trained residual generator -> the slim one that draws most like it, from which training goes on.

Channels are taken away where the rest can best make up for them, as in the optimal brain surgeon (Hassibi and Stork
1992) and the channel pruning of He et al. 2017 (arXiv:1707.06168).
"""

import keras
import numpy as np

RIDGE = 1e-4  # of the features' mean square: what keeps least squares steady where channels say the same
BATCH_SIZE = 256


def narrow(full: keras.Model, slim: keras.Model, inputs: list[np.ndarray]) -> None:
    """Give ``slim`` the weights of ``full``, which was built from the same configuration without ``slim_generator``.

    Upsampling and its convolution become the transposed convolution that equals both. Of the channels between a block's
    two convolutions the better half stays, and the second convolution is fitted anew to what the block added before.

    Args:
        inputs: latents (N, latent_dim) [and labels (N,)] to fit by; a few thousand.
    """
    weights = {variable.path.removeprefix(full.name): variable.numpy() for variable in full.weights}
    weights["_enlarge/kernel"] = _transposed(weights.pop("_narrow/kernel"))
    for block in ("_quarter", "_half"):
        between = slim.get_layer(f"{slim.name}{block}_conv_1").filters
        layers = [full.get_layer(f"{full.name}{block}_{layer}").output for layer in ("relu_2", "conv_2")]
        probe = keras.Model(full.inputs, layers)
        kept, weights[f"{block}_conv_2/kernel"] = _fewer_channels(probe, inputs, between)
        for name in (f"{block}_conv_1/kernel", *(name for name in weights if name.startswith(f"{block}_norm_2"))):
            weights[name] = weights[name][..., kept]
    for variable in slim.weights:
        variable.assign(weights[variable.path.removeprefix(slim.name)])


def _transposed(kernel: np.ndarray) -> np.ndarray:
    """Of a convolution after upsampling by two, (3, 3, in, out) -> (4, 4, out, in), strides 2, that does both."""
    # Which of three neighbours on the large grid are, from where a small pixel stands, one and the same.
    share = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], kernel.dtype)
    return np.einsum("ay,bx,yxio->aboi", share, share, kernel)


def _fewer_channels(probe: keras.Model, inputs: list[np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Which ``count`` channels to keep before a 3×3 convolution, and its kernel (3, 3, count, out) for those.

    ``probe`` gives what the convolution takes and what it made of that.
    """
    gram = cross = np.zeros(())
    for start in range(0, len(inputs[0]), BATCH_SIZE):
        part = [values[start : start + BATCH_SIZE] for values in inputs]
        taken, made = (keras.ops.convert_to_numpy(each).astype(np.float64) for each in probe(part, training=False))
        _, height, width, channels = taken.shape
        padded = np.pad(taken, ((0, 0), (1, 1), (1, 1), (0, 0)))
        places = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
        patches = np.stack(places, axis=-1).reshape(-1, channels * 9)  # A channel's nine side by side.
        gram = gram + patches.T @ patches
        cross = cross + patches.T @ made.reshape(-1, made.shape[-1])
    gram = gram + RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    kept = list(range(channels))
    while True:
        of_kept = np.concatenate([np.arange(9 * channel, 9 * channel + 9) for channel in kept])
        inverse = np.linalg.inv(gram[np.ix_(of_kept, of_kept)])
        kernel = (inverse @ cross[of_kept]).reshape(len(kept), 9, -1)
        if len(kept) == count:
            break
        # How much worse the best fit gets without each channel.
        own = np.stack([inverse[9 * i : 9 * i + 9, 9 * i : 9 * i + 9] for i in range(len(kept))])
        losses = np.einsum("cpo,cpo->c", kernel, np.linalg.solve(own, kernel))
        del kept[int(losses.argmin())]
    return np.array(kept), kernel.transpose(1, 0, 2).reshape(3, 3, count, -1)
