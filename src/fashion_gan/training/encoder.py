"""Train an encoder for a generator that stays as it is: images -> the latents and the class that redraw them."""

import itertools
import math
from collections.abc import Iterator

import keras
import numpy as np

from fashion_gan.arrays import Array, Images, KerasModel, Labels
from fashion_gan.config import Config
from fashion_gan.latents import draw_latents
from fashion_gan.networks.batch_norm_folding import fold_batch_norm
from fashion_gan.networks.encoder import build_encoder
from fashion_gan.system.progress import bar
from fashion_gan.training.optimizers import Adam

BATCH_SIZE = 128
PEAK_LEARNING_RATE = 2e-3
WARM_UP = 0.03  # of the steps
# Weights of the three losses. The squared error of redrawn pictures is the aim. The other two keep the latents where
# the generator has learned to draw.
LATENTS_WEIGHT = 0.01
CLASS_WEIGHT = 0.01


def train_encoder(
    generator: KerasModel,
    config: Config,
    images: Images,
    labels: Labels,
    *,
    steps: int,
    seed: int = 0,
) -> KerasModel:
    """Train an encoder. The learning rate rises, then falls to zero (half a cosine).

    It learns three things at once. Of real pictures: to find latents from which the generator redraws them, and their
    class. Of generated pictures: to find the latents they were drawn from.

    Args:
        generator: the Keras generator. Its weights stay as they are.
        config: the configuration that the generator was built from.
        images: real pictures, uint8 (N, H, W, C).
        labels: their classes (N,). Unused if the generator is unconditional.
        steps: training steps, of up to 128 real and as many generated pictures.
        seed: of the weights and the batches.

    Returns:
        The encoder, see ``networks.encoder``.

    Source: Zhu et al. 2016, arXiv:1609.03552 (an encoder that learns to redraw real pictures).
    """
    keras.utils.set_random_seed(seed)
    encoder = build_encoder(config)
    model = _joint_model(encoder, fold_batch_norm(generator), config)
    optimizer = Adam(PEAK_LEARNING_RATE)
    model.compile(optimizer, loss=_losses(config), loss_weights=_weights(config))
    batches = itertools.islice(_batches(images, labels, config, seed), steps)
    with bar(batches, "training the encoder", "steps", total=steps) as progress:
        for step, (inputs, targets) in enumerate(progress):
            optimizer.learning_rate = PEAK_LEARNING_RATE * _schedule(step / steps)
            losses = model.train_on_batch(inputs, targets, return_dict=True)
            progress.set_postfix({"redrawn": f"{float(losses['redrawn_loss']):.4f}"}, refresh=False)
    return encoder


def _schedule(share: float) -> float:
    """The learning rate as a share of its peak."""
    return min(share / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * share))


def _joint_model(encoder: KerasModel, generator: KerasModel, config: Config) -> KerasModel:
    """Real images, their labels and latents -> redrawn images, latents of drawn images, and class logits."""
    generator.trainable = False
    images, latents = keras.Input(encoder.input_shape[1:], name="images"), keras.Input((config.latent_dim,))
    redrawn, found = keras.layers.Identity(name="redrawn"), keras.layers.Identity(name="found")
    if not config.class_names:
        outputs = {"redrawn": redrawn(generator(encoder(images))), "found": found(encoder(generator(latents)))}
        return keras.Model([images, latents], outputs)
    labels = keras.Input((), dtype="int32", name="labels")
    codes, logits = encoder(images)
    found_codes, _ = encoder(generator([latents, labels]))
    outputs = {
        "redrawn": redrawn(generator([codes, labels])),
        "found": found(found_codes),
        "classes": keras.layers.Identity(name="classes")(logits),
    }
    return keras.Model([images, latents, labels], outputs)


def _losses(config: Config) -> dict[str, object]:
    losses: dict[str, object] = {"redrawn": "mean_squared_error", "found": "mean_squared_error"}
    if config.class_names:
        losses["classes"] = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return losses


def _weights(config: Config) -> dict[str, float]:
    weights = {"redrawn": 1.0, "found": LATENTS_WEIGHT}
    return weights | ({"classes": CLASS_WEIGHT} if config.class_names else {})


def _batches(
    images: Images, labels: Labels, config: Config, seed: int
) -> Iterator[tuple[list[Array], dict[str, Array]]]:
    """Endless batches of inputs and targets, in a new order at each pass over the images."""
    size = min(BATCH_SIZE, len(images))
    for epoch in itertools.count():
        order = np.random.default_rng((seed, epoch)).permutation(len(images))
        for number, start in enumerate(range(0, len(images) - size + 1, size)):
            indices = np.sort(order[start : start + size])
            real = images[indices].astype(np.float32) / 127.5 - 1
            latents = draw_latents(size, config.latent_dim, seed=(seed << 64) + (epoch << 32) + number)
            targets: dict[str, Array] = {"redrawn": real, "found": latents}
            if config.class_names:
                targets["classes"] = labels[indices]
            yield [real, latents, labels[indices]][: 3 if config.class_names else 2], targets
