"""The adversarial losses: pure functions of logits (N, 1), each a pair (discriminator, generator).

``real`` and ``fake`` are the discriminator's logits for real and for generated images. A larger logit means more real.
Every function returns a scalar, the mean over the batch.
"""

from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import ops

from fashion_gan.arrays import Tensor


class Loss(NamedTuple):
    """A loss for each network, ``discriminator(real, fake)`` and ``generator(real, fake)``. Both are minimized.

    If it is ``zero_sum``, the generator's gradient is the discriminator's with the opposite sign.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    zero_sum: bool = False


# −log σ(real) − log(1 − σ(fake)), and the non-saturating −log σ(fake): Goodfellow et al. 2014, arXiv:1406.2661.
bce = Loss(
    discriminator=lambda real, fake: ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake)),
    generator=lambda real, fake: ops.mean(ops.softplus(-fake)),
)

# The discriminator's loss of bce, and log(1 − σ(fake)) for the generator: the zero-sum game that Goodfellow et al. 2014
# begin with. If the discriminator is certain, the generator's gradient vanishes.
minimax = Loss(
    discriminator=bce.discriminator,
    generator=lambda real, fake: -ops.mean(ops.softplus(fake)),
    zero_sum=True,
)

# fake − real, and −fake: Arjovsky et al. 2017, arXiv:1701.07875. It needs a penalty that keeps D Lipschitz.
wasserstein = Loss(
    discriminator=lambda real, fake: ops.mean(fake) - ops.mean(real),
    generator=lambda real, fake: -ops.mean(fake),
    zero_sum=True,
)

# minimax + 0.1 wasserstein; zero-sum, because both are. If the discriminator is certain that an image is generated, the
# generator's gradient falls to 0.1 and not to 0, like that of a leaky ReLU. So the generator improves its worst images
# too.
_LEAK = 0.1
leaky_minimax = Loss(
    discriminator=lambda real, fake: minimax.discriminator(real, fake) + _LEAK * wasserstein.discriminator(real, fake),
    generator=lambda real, fake: minimax.generator(real, fake) + _LEAK * wasserstein.generator(real, fake),
    zero_sum=True,
)

# max(0, 1 − real) + max(0, 1 + fake), and −fake: Lim & Ye 2017, arXiv:1705.02894; Miyato et al. 2018.
hinge = Loss(
    discriminator=lambda real, fake: ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake)),
    generator=lambda real, fake: -ops.mean(fake),
)

# −log σ(real − fake), and −log σ(fake − real), for pairs of images: Jolicoeur-Martineau 2018, arXiv:1807.00734, in the
# form of Huang et al. 2024 (R3GAN), arXiv:2501.05441.
relativistic = Loss(
    discriminator=lambda real, fake: ops.mean(ops.softplus(fake - real)),
    generator=lambda real, fake: ops.mean(ops.softplus(real - fake)),
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
    """E‖D(x) − D(x + σn)‖² / σ², n ~ N(0, I). It tends to E‖∇D(x)‖² as σ → 0, and needs no second derivative.

    The zero-centered penalty is called R1 on real images and R2 on generated ones: Mescheder et al. 2018,
    arXiv:1801.04406.

    Args:
        logits: D(x), shape (N, 1).
        logits_nearby: D(x + σn), shape (N, 1).
        sigma: standard deviation σ of the noise, for pixels in [-1, 1].
    """
    return ops.mean(ops.square(logits - logits_nearby)) / sigma**2


def classification_loss(labels: Tensor, class_logits: Tensor) -> Tensor:
    """−log p(label | image), the discriminator's class loss on real images.

    The auxiliary classifier of Odena et al. 2017, arXiv:1610.09585, trained on real images only.

    Args:
        labels: int (N,).
        class_logits: (N, classes).
    """
    return ops.mean(keras.losses.sparse_categorical_crossentropy(labels, class_logits, from_logits=True))


def class_margin_loss(labels: Tensor, class_logits: Tensor) -> Tensor:
    """max(0, 1 + the largest other logit − the label's logit), the generator's class loss on its own images.

    The loss is zero once an image shows its class by a margin. Cross-entropy would keep falling, and push the generator
    toward images that show their class more clearly than real ones, which the discriminator recognizes. This is the
    multi-class hinge loss of Crammer & Singer 2001 (JMLR 2, 265–292).

    Args:
        labels: int (N,).
        class_logits: (N, classes).
    """
    target = ops.one_hot(labels, class_logits.shape[-1], dtype=class_logits.dtype)
    own = ops.sum(class_logits * target, axis=-1)
    best_other = ops.max(class_logits - 1e4 * target, axis=-1)
    return ops.mean(ops.relu(1.0 + best_other - own))
