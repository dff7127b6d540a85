"""Images/s of our ``fit`` against a plain TensorFlow loop.

The plain loop is the TensorFlow tutorial's: one ``tf.function``, two gradient tapes, a shuffled float32 dataset. It
trains the same networks with the same batch and optimizer, or with --tutorial the tutorial's own. The two take turns, a
whole epoch each, the start and end of ``fit`` included; the medians and their ratio are printed, and how near the
processor's own peak, in a large matrix product, each comes. Each has a process of its own, with TensorFlow's usual
threads for the plain loop.

    python benchmarks/throughput.py                                # five whole epochs of each: about 20 minutes
    python benchmarks/throughput.py --images 12800                 # shorter, noisier
    python benchmarks/throughput.py --preset fashion --tutorial    # the preset against the tutorial's networks
    python benchmarks/throughput.py --preset fashion --tutorial --mixed-precision  # ours in bfloat16, on a CPU with AMX
    KERAS_BACKEND=jax python benchmarks/throughput.py --preset fashion --alone  # on a GPU, say: ours, no plain loop
"""

import dataclasses
import math
import statistics
import sys
import time

import click
import keras
from contestants import Apart, Ours, PlainLoop, need_tensorflow, tutorial_config
from keras import ops

from fashion_gan import cli, cores
from fashion_gan.backends import accelerator, default_backend
from fashion_gan.batches import steps_in_epoch
from fashion_gan.config import Config
from fashion_gan.datasets import load_fashion_mnist
from fashion_gan.training import build_gan


def forward_flops(model):
    """Floating-point operations of one image's forward pass, in convolutions and dense layers."""
    flops = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2DTranspose):
            flops += 2 * layer.input.shape[1] * layer.input.shape[2] * math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.Conv2D):
            flops += 2 * layer.output.shape[1] * layer.output.shape[2] * math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.Dense):
            flops += 2 * math.prod(layer.kernel.shape)
    return flops


def step_flops(config, ours):
    """Operations that one image costs a step: G forward and twice back; D twice forward, four times and once back.

    Where the loss is zero-sum (as our ``fit`` takes it), without that once. With a gradient penalty, D also once
    forward and twice back at every so many steps, on noisy images, and again on generated ones as they are.
    """
    gan = build_gan(config)
    one_pass = ours and gan.one_pass
    penalties = 3 * (gan.penalty > 0) + (6 if one_pass else 3) * (gan.fake_penalty > 0) if ours else 0
    passes = 6 + (not one_pass) + penalties / gan.penalty_interval
    return 3 * forward_flops(gan.generator) + passes * forward_flops(gan.discriminator)


def peak_gflops(repeats=5):
    """GFLOP/s of a large float32 matrix product, in the precision that the backend takes for it; the best of some."""
    size = 16384 if accelerator(default_backend()) else 3072
    a, b = (keras.random.normal((size, size), seed=seed) for seed in (1, 2))
    seconds = []
    for _ in range(repeats + 1):  # The first one compiles.
        start = time.perf_counter()
        ops.convert_to_numpy(ops.matmul(a, b)[0, 0])
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds) / 1e9


@click.command()
@click.option("--preset", default="transposed", show_default=True)
@click.option("--batch-size", type=int, help="the preset's own")
@click.option("--tutorial", is_flag=True, help="the plain loop trains the tutorial's networks, batches of 256")
@click.option("--mixed-precision", is_flag=True, help="ours in bfloat16")
@click.option("--alone", is_flag=True, help="ours alone, on whatever backend; the plain loop is TensorFlow's")
@click.option("--images", default=60000, show_default=True, help="training images in an epoch")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
def main(preset, batch_size, tutorial, mixed_precision, alone, images, rounds):
    backend = default_backend()
    if not alone:
        need_tensorflow()
    if tutorial and alone:
        raise click.UsageError("--tutorial is for the plain loop, and --alone leaves it out: give one of them")
    dataset = load_fashion_mnist("train")
    dataset = dataclasses.replace(dataset, images=dataset.images[:images], labels=dataset.labels[:images])
    config = Config.from_preset(preset, batch_size=batch_size, backend=backend)
    if (tutorial or alone) and config.conditional:
        config = dataclasses.replace(config, class_names=dataset.class_names)
    else:  # The plain loop is unconditional, and so are the same networks on our side.
        config = dataclasses.replace(config, conditional=False)
    steps = steps_in_epoch(len(dataset.images), config.batch_size)
    plain_config = tutorial_config() if tutorial else config  # In float32, as the tutorial is.
    plain_steps = len(dataset.images) // plain_config.batch_size
    if not (steps and plain_steps):
        raise click.UsageError(f"{len(dataset.images)} images do not fill a batch of each")
    config = dataclasses.replace(config, mixed_precision=mixed_precision)
    contestants = {} if alone else {"plain loop": (Apart(PlainLoop, plain_config, dataset), plain_steps)}
    contestants["fashion-gan"] = Apart(Ours, config, dataset, steps), steps
    rates = {name: [] for name in contestants}
    for contestant, steps in contestants.values():
        contestant.train(steps)  # Compile, and warm up.
    peaks = [peak_gflops()]
    for round_number in range(rounds):
        for name, (contestant, steps) in contestants.items():
            start = time.perf_counter()
            contestant.train(steps)
            rates[name].append(steps * contestant.config.batch_size / (time.perf_counter() - start))
        peaks.append(peak_gflops())
        print(
            f"round {round_number + 1}:",
            *(f"{name} {rate[-1]:.1f} images/s " for name, rate in rates.items()),
            flush=True,
        )
    peak = statistics.median(peaks)
    machine = accelerator(backend) or f"{cores.usable()} processors"
    print(f"\n{preset}, {images} images an epoch, {rounds} rounds, {machine}")
    print(f"a large matrix product runs at {peak:.0f} GFLOP/s")
    for name, rate in rates.items():
        trained = contestants[name][0].config
        cost = step_flops(trained, ours=name == "fashion-gan") / 1e9
        median = statistics.median(rate)
        print(
            f"{name:<12} batch {trained.batch_size:>3}  median {median:7.1f} images/s  "
            f"{cost:.3f} GFLOP an image  {median * cost:6.1f} GFLOP/s  {median * cost / peak:5.1%} of that"
        )
    if alone:
        return
    ratios = [a / b for a, b in zip(rates["fashion-gan"], rates["plain loop"], strict=True)]
    middle, least, most = statistics.median(ratios), min(ratios), max(ratios)
    print(f"ratio, fashion-gan to plain loop: median {middle:.3f} ({least:.3f} to {most:.3f})")


if __name__ == "__main__":
    sys.exit(cli.run(main, "throughput.py"))
