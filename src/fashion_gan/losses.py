"""The adversarial objectives: pure functions on logits of shape (N, 1), each a pair (discriminator, generator).

``real`` and ``fake`` are the discriminator's logits on real and on generated images: the larger, the more real.
Every function returns a scalar, the mean over the batch.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops

Tensor = Any


class Loss(NamedTuple):
    """One objective. ``discriminator(real, fake)`` and ``generator(real, fake)`` are both to be minimised.

    Of a ``zero_sum`` one the generator's gradient is the discriminator's with the sign turned.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    zero_sum: bool = False


def _mean(values: Tensor) -> Tensor:
    return ops.mean(values)


# −log σ(real) − log(1 − σ(fake)), and the non-saturating −log σ(fake): Goodfellow et al. 2014, arXiv:1406.2661.
bce = Loss(
    discriminator=lambda real, fake: _mean(ops.softplus(-real)) + _mean(ops.softplus(fake)),
    generator=lambda real, fake: _mean(ops.softplus(-fake)),
)

# The same for the discriminator, and for the generator log(1 − σ(fake)), all that it can take from the other: the game
# as Goodfellow et al. 2014 first have it. Where the discriminator is sure of itself the generator learns nothing.
minimax = Loss(
    discriminator=bce.discriminator,
    generator=lambda real, fake: -_mean(ops.softplus(fake)),
    zero_sum=True,
)

# fake − real, and −fake: Arjovsky et al. 2017, arXiv:1701.07875. It needs a penalty to keep D Lipschitz.
wasserstein = Loss(
    discriminator=lambda real, fake: _mean(fake) - _mean(real),
    generator=lambda real, fake: -_mean(fake),
    zero_sum=True,
)

# minimax + 0.1 wasserstein, zero-sum as both are: where the discriminator is sure of an image, the generator's gradient
# falls to 0.1 and not to nothing, as behind the leaky rectifier; so it mends its worst images.
_LEAK = 0.1
leaky_minimax = Loss(
    discriminator=lambda real, fake: minimax.discriminator(real, fake) + _LEAK * wasserstein.discriminator(real, fake),
    generator=lambda real, fake: minimax.generator(real, fake) + _LEAK * wasserstein.generator(real, fake),
    zero_sum=True,
)

# max(0, 1 − real) + max(0, 1 + fake), and −fake: Lim & Ye 2017, arXiv:1705.02894; Miyato et al. 2018.
hinge = Loss(
    discriminator=lambda real, fake: _mean(ops.relu(1.0 - real)) + _mean(ops.relu(1.0 + fake)),
    generator=lambda real, fake: -_mean(fake),
)

# −log σ(real − fake), and −log σ(fake − real), image against image: Jolicoeur-Martineau 2018, arXiv:1807.00734,
# in the pairing form of Huang et al. 2024 (R3GAN), arXiv:2501.05441.
relativistic = Loss(
    discriminator=lambda real, fake: _mean(ops.softplus(fake - real)),
    generator=lambda real, fake: _mean(ops.softplus(real - fake)),
)

LOSSES = {
    "bce": bce,
    "minimax": minimax,
    "leaky-minimax": leaky_minimax,
    "hinge": hinge,
    "wasserstein": wasserstein,
    "relativistic": relativistic,
}


def gradient_penalty(logits: Tensor, logits_nearby: Tensor, sigma: float) -> Tensor:
    """E‖D(x) − D(x + σn)‖² / σ², n ~ N(0, I): what E‖∇D(x)‖² tends to as σ → 0, without a second derivative.

    The zero-centred penalty is R1 on real and R2 on generated images: Mescheder et al. 2018, arXiv:1801.04406.

    Args:
        logits: D(x), shape (N, 1).
        logits_nearby: D(x + σn), shape (N, 1).
        sigma: the deviation σ of the noise, in units of pixels that range over [-1, 1].
    """
    return _mean(ops.square(logits - logits_nearby)) / sigma**2


def classification_loss(labels: Tensor, class_logits: Tensor) -> Tensor:
    """−log p(label | image), which the discriminator learns on real images.

    The auxiliary classifier of Odena et al. 2017, arXiv:1610.09585, taught by real images alone.

    Args:
        labels: int (N,).
        class_logits: (N, classes).
    """
    return _mean(keras.losses.sparse_categorical_crossentropy(labels, class_logits, from_logits=True))


def class_margin_loss(labels: Tensor, class_logits: Tensor) -> Tensor:
    """max(0, 1 + the best other class's logit − the label's own), which the generator learns on its own images.

    Where a picture shows its class by a margin, nothing more is asked, while cross-entropy would go on asking: pictures
    plainer than real ones are told from them. The hinge for many classes of Crammer & Singer 2001 (JMLR 2, 265–292).

    Args:
        labels: int (N,).
        class_logits: (N, classes).
    """
    asked = ops.one_hot(labels, class_logits.shape[-1], dtype=class_logits.dtype)
    own = ops.sum(class_logits * asked, axis=-1)
    best_other = ops.max(class_logits - 1e4 * asked, axis=-1)
    return _mean(ops.relu(1.0 + best_other - own))
