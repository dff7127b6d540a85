"""Images/s of our ``fit`` against a plain TensorFlow loop of the same networks, batch and optimizer.

The plain loop is the TensorFlow tutorial's: one ``tf.function``, two gradient tapes, a shuffled float32 dataset. The
two take turns, a whole epoch each, the start and end of ``fit`` included; the medians and their ratio are printed,
and how near the processor's own peak, in a large matrix product, each comes.

    python benchmarks/throughput.py                      # five whole epochs of each: about 20 minutes
    python benchmarks/throughput.py --images 12800       # shorter, noisier
"""

import os
import statistics
import time

import click

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from fashion_gan import networks
from fashion_gan.batches import batches, steps_in_epoch, steps_per_execution
from fashion_gan.config import Config
from fashion_gan.datasets import load_fashion_mnist
from fashion_gan.training import build_gan


def ours(config, dataset):
    """Our way: a function that trains for one epoch."""
    gan = build_gan(config)
    steps = steps_in_epoch(len(dataset.images), config.batch_size)
    gan.steps_per_execution = steps_per_execution(steps)

    def epoch():
        stream = batches(dataset.images, dataset.labels, batch_size=config.batch_size, seed=config.seed)
        gan.fit(stream, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)

    return epoch, steps


def plain(config, dataset):
    """The tutorial's way: a function that trains for one epoch."""
    generator, discriminator = networks.build_generator(config), networks.build_discriminator(config)
    adam_g, adam_d = (keras.optimizers.Adam(config.learning_rate, beta_1=config.beta_1) for _ in range(2))
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    images = (dataset.images.astype("float32") - 127.5) / 127.5
    stream = (
        tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(config.batch_size, drop_remainder=True)
    )

    @tf.function
    def step(real):
        latents = tf.random.normal([config.batch_size, config.latent_dim])
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = generator(latents, training=True)
            real_logits = discriminator(real, training=True)
            fake_logits = discriminator(fake, training=True)
            g_loss = cross_entropy(tf.ones_like(fake_logits), fake_logits)
            d_loss = cross_entropy(tf.ones_like(real_logits), real_logits)
            d_loss += cross_entropy(tf.zeros_like(fake_logits), fake_logits)
        for adam, tape, loss, network in ((adam_g, g_tape, g_loss, generator), (adam_d, d_tape, d_loss, discriminator)):
            weights = network.trainable_variables
            adam.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    def epoch():
        for real in stream:
            step(real)

    return epoch, len(images) // config.batch_size


def forward_flops(model):
    """Floating-point operations of one image's forward pass, in convolutions and dense layers."""
    flops = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            flops += 2 * layer.input.shape[1] * layer.input.shape[2] * layer.kernel.shape.num_elements()
        elif isinstance(layer, keras.layers.Conv2D):
            flops += 2 * layer.output.shape[1] * layer.output.shape[2] * layer.kernel.shape.num_elements()
        elif isinstance(layer, keras.layers.Dense):
            flops += 2 * layer.kernel.shape.num_elements()
    return flops


def step_flops(config):
    """Operations that one image costs a step: G forward and twice back; D twice forward, four times and once back."""
    generator, discriminator = networks.build_generator(config), networks.build_discriminator(config)
    return 3 * forward_flops(generator) + 7 * forward_flops(discriminator)


def peak_gflops(size=3072, repeats=5):
    """GFLOP/s of a large float32 matrix product, the best of several."""
    a, b = tf.random.normal((size, size)), tf.random.normal((size, size))
    multiply = tf.function(lambda: tf.reduce_sum(a @ b))
    multiply()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        multiply().numpy()
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds) / 1e9


@click.command()
@click.option("--preset", default="transposed", show_default=True)
@click.option("--batch-size", type=int, help="the preset's own")
@click.option("--images", default=60000, show_default=True, help="training images in an epoch")
@click.option("--rounds", default=5, show_default=True)
def main(preset, batch_size, images, rounds):
    config = Config.from_preset(preset, batch_size=batch_size, conditional=False, backend="tensorflow")
    dataset = load_fashion_mnist("train")
    dataset = type(dataset)(dataset.images[:images], dataset.labels[:images], dataset.class_names, dataset.source)
    contestants = {"plain loop": plain(config, dataset), "fashion-gan": ours(config, dataset)}
    rates = {name: [] for name in contestants}
    for epoch, _ in contestants.values():
        epoch()  # Compile, and warm up.
    peaks = [peak_gflops()]
    for round_number in range(rounds):
        for name, (epoch, steps) in contestants.items():
            start = time.perf_counter()
            epoch()
            rates[name].append(steps * config.batch_size / (time.perf_counter() - start))
        peaks.append(peak_gflops())
        print(
            f"round {round_number + 1}:",
            *(f"{name} {rate[-1]:.1f} images/s " for name, rate in rates.items()),
            flush=True,
        )
    peak, cost = statistics.median(peaks), step_flops(config) / 1e9
    print(
        f"\n{preset}, batch {config.batch_size}, {images} images an epoch, {rounds} rounds, {os.cpu_count()} processors"
    )
    print(f"{cost:.3f} GFLOP an image; a large matrix product runs at {peak:.0f} GFLOP/s")
    for name, rate in rates.items():
        median = statistics.median(rate)
        achieved = median * cost
        print(f"{name:<12} median {median:7.1f} images/s  {achieved:6.1f} GFLOP/s  {achieved / peak:4.0%} of that")
    ratios = [a / b for a, b in zip(rates["fashion-gan"], rates["plain loop"], strict=True)]
    middle, least, most = statistics.median(ratios), min(ratios), max(ratios)
    print(f"ratio, fashion-gan to plain loop: median {middle:.3f} ({least:.3f} to {most:.3f})")


if __name__ == "__main__":
    main()
