"""Training images/s of fashion-gan's ``fit``, compared with a plain TensorFlow loop.

The plain loop is the TensorFlow tutorial's: one ``tf.function``, two gradient tapes, a shuffled float32 dataset. It
trains the same networks with the same batch size and optimizer; with --tutorial, it trains the tutorial's networks with
the tutorial's settings. The two take turns of one epoch each, including the start and the end of ``fit``. The script
prints the medians and their ratio. It also prints the floating-point operations per second of each, as a share of those
that a large matrix product reaches on the same machine. Each contestant has its own process; the plain loop has
TensorFlow's default threads.

    python benchmarks/throughput.py                                # five whole epochs of each: about 20 minutes
    python benchmarks/throughput.py --images 12800                 # shorter, and noisier
    python benchmarks/throughput.py --preset fashion --tutorial    # the preset against the tutorial's networks
    python benchmarks/throughput.py --preset fashion --tutorial --mixed-precision  # bfloat16, on a CPU with AMX
    KERAS_BACKEND=jax python benchmarks/throughput.py --preset fashion --alone  # no plain loop, for example on a GPU
"""

import dataclasses
import math
import statistics
import sys
import time

import click
from contestants import FashionGan, PlainLoop, SeparateProcess, require_tensorflow, tutorial_config

from fashion_gan import cli
from fashion_gan.config import Config
from fashion_gan.datasets import load_fashion_mnist
from fashion_gan.system.backends import accelerator, default_backend
from fashion_gan.system.parallel import available_cpus

# The functions below import Keras late: a contestant's process imports this module before it sets its threads.


@click.command()
@click.option("--preset", default="transposed", show_default=True, help="Preset to train.")
@click.option("--batch-size", type=int, help="Images in a batch. Default: the preset's.")
@click.option("--tutorial", is_flag=True, help="The plain loop trains the tutorial's networks, with batches of 256.")
@click.option("--mixed-precision", is_flag=True, help="fashion-gan computes in bfloat16.")
@click.option("--alone", is_flag=True, help="Measure fashion-gan only. Needed on backends other than TensorFlow.")
@click.option("--images", default=60000, show_default=True, help="Training images in an epoch.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Measured epochs of each.")
def main(preset, batch_size, tutorial, mixed_precision, alone, images, rounds):
    backend = default_backend()
    if not alone:
        require_tensorflow()
    if tutorial and alone:
        raise click.UsageError("--tutorial is for the plain loop, and --alone leaves it out: give one of them")
    dataset = load_fashion_mnist("train")
    dataset = dataclasses.replace(dataset, images=dataset.images[:images], labels=dataset.labels[:images])
    config = Config.from_preset(preset, batch_size=batch_size, backend=backend)
    if (tutorial or alone) and config.conditional:
        config = dataclasses.replace(config, class_names=dataset.class_names)
    else:  # The plain loop is unconditional, so fashion-gan trains the same networks without classes.
        config = dataclasses.replace(config, conditional=False)
    plain_config = None if alone else tutorial_config() if tutorial else config  # In float32, as in the tutorial.
    contestants = start_contestants(dataclasses.replace(config, mixed_precision=mixed_precision), plain_config, dataset)
    rates, peak = measure(contestants, rounds)
    machine = accelerator(backend) or f"{available_cpus()} processors"
    print(f"\n{preset}, {images} images an epoch, {rounds} rounds, {machine}")
    report({name: contestant.config for name, (contestant, _) in contestants.items()}, rates, peak)


def start_contestants(config, plain_config, dataset):
    """Each contestant and its steps per epoch, by name. Raises UsageError if the images do not fill a batch of each."""
    from fashion_gan.training.batches import steps_in_epoch

    steps = steps_in_epoch(len(dataset.images), config.batch_size)
    plain_steps = len(dataset.images) // plain_config.batch_size if plain_config else None
    if not steps or plain_steps == 0:
        raise click.UsageError(f"{len(dataset.images)} images do not fill a batch of each")
    contestants = {}
    if plain_config:
        contestants["plain loop"] = SeparateProcess(PlainLoop, plain_config, dataset), plain_steps
    contestants["fashion-gan"] = SeparateProcess(FashionGan, config, dataset, steps), steps
    return contestants


def measure(contestants, rounds):
    """Train in turns. Returns the images/s of each round by contestant, and the median GFLOP/s of a matrix product."""
    rates = {name: [] for name in contestants}
    for contestant, steps in contestants.values():
        contestant.train(steps)  # Compiles and warms up.
    peaks = [peak_gflops()]
    for round_number in range(1, rounds + 1):
        for name, (contestant, steps) in contestants.items():
            start = time.perf_counter()
            contestant.train(steps)
            rates[name].append(steps * contestant.config.batch_size / (time.perf_counter() - start))
        peaks.append(peak_gflops())
        latest = (f"{name} {rate[-1]:.1f} images/s " for name, rate in rates.items())
        print(f"round {round_number}:", *latest, flush=True)
    return rates, statistics.median(peaks)


def report(configs, rates, peak):
    print(f"a large matrix product runs at {peak:.0f} GFLOP/s")
    for name, rate in rates.items():
        cost = step_flops(configs[name], uses_fit=name == "fashion-gan") / 1e9
        median = statistics.median(rate)
        print(
            f"{name:<12} batch {configs[name].batch_size:>3}  median {median:7.1f} images/s  "
            f"{cost:.3f} GFLOP an image  {median * cost:6.1f} GFLOP/s  {median * cost / peak:5.1%} of the product's"
        )
    if "plain loop" in rates:
        ratios = [fit / plain for fit, plain in zip(rates["fashion-gan"], rates["plain loop"], strict=True)]
        median, least, most = statistics.median(ratios), min(ratios), max(ratios)
        print(f"ratio, fashion-gan to plain loop: median {median:.3f} ({least:.3f} to {most:.3f})")


def forward_flops(model):
    """Floating-point operations of one image's forward pass, in convolutions and dense layers."""
    import keras

    flops = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            flops += 2 * layer.input.shape[1] * layer.input.shape[2] * math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.Conv2D):
            flops += 2 * layer.output.shape[1] * layer.output.shape[2] * math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.Dense):
            flops += 2 * math.prod(layer.kernel.shape)
    return flops


def step_flops(config, uses_fit):
    """Floating-point operations of a training step, per image.

    In units of a forward pass, a backward pass costs 2, or 1 if only the gradient of the images is needed. G costs 3:
    one pass forward and one backward. D costs 7: forward and backward on real and on generated images (6), and back to
    the generated images for G's loss (1).

    In fashion-gan's ``fit``, a zero-sum loss saves the last 1. A gradient penalty adds 3 for D on noisy real images, at
    one step in ``penalty_every_steps``. A penalty on generated images adds 3 more, or 6 if the loss is zero-sum: it
    then needs the images without noise too.
    """
    from fashion_gan.training.build import build_gan

    gan = build_gan(config)
    objective = gan.objective
    shares_one_pass = uses_fit and objective.shares_one_pass
    penalties = 0
    if uses_fit:
        penalties = 3 * (objective.r1_weight > 0) + (6 if shares_one_pass else 3) * (objective.r2_weight > 0)
    passes = 6 + (not shares_one_pass) + penalties / objective.penalty_every_steps
    return 3 * forward_flops(gan.generator) + passes * forward_flops(gan.discriminator)


def peak_gflops(repeats=5):
    """GFLOP/s of a large float32 matrix product, in the backend's default precision: the best of several."""
    import keras
    from keras import ops

    size = 16384 if accelerator(default_backend()) else 3072
    a, b = (keras.random.normal((size, size), seed=seed) for seed in (1, 2))
    seconds = []
    for _ in range(repeats + 1):  # The first one compiles.
        start = time.perf_counter()
        ops.convert_to_numpy(ops.matmul(a, b)[0, 0])
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds) / 1e9


if __name__ == "__main__":
    sys.exit(cli.run(main, "throughput.py"))
