"""How long a user of the light generator waits, and how fast it draws beside Keras.

Seconds of whole commands from a cold shell, and images/s of the shipped generator in ONNX Runtime beside ``predict`` of
the TensorFlow tutorial's network, in turns.

    python benchmarks/light_generator.py
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from contestants import tutorial_config

import fashion_gan
from fashion_gan import cli
from fashion_gan.networks import build_generator

PREDICT_BATCH_SIZE = 256
COMMANDS = {
    "fashion-gan --help": ["-m", "fashion_gan", "--help"],
    "import fashion_gan": ["-c", "import fashion_gan"],
    "fashion-gan generate --count 64": ["-m", "fashion_gan", "generate", "--count", "64", "--force", "--out"],
}


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True)
@click.option("--images", type=click.IntRange(min=1), default=60_000, show_default=True)
@click.option("--model", default="fashion", show_default=True, help="shipped model, or an .onnx file")
def main(rounds, images, model):
    light = fashion_gan.load_generator(model)
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in COMMANDS.items():
            out = [str(Path(folder) / "grid.png")] if arguments[-1] == "--out" else []
            print(f"{name:<33}{summary([seconds([sys.executable, *arguments, *out]) for _ in range(rounds)])} s")
    config = tutorial_config()
    keras_model, latents = build_generator(config), light.latents(images)
    keras_model.predict(in_batches(latents[:1000]), verbose=0)  # It compiles at its first call.
    rates = {"light generator, ONNX Runtime": [], "tutorial's network, keras predict": []}
    for _ in range(rounds):
        for rate, draw in zip(
            rates.values(),
            (lambda: light.decode(latents), lambda: keras_model.predict(in_batches(latents), verbose=0)),
            strict=True,
        ):
            started = time.perf_counter()
            draw()
            rate.append(images / (time.perf_counter() - started))
    for name, rate in rates.items():
        print(f"{name:<35}{statistics.median(rate):,.0f} images/s ({min(rate):,.0f} to {max(rate):,.0f})")
    ratios = [ours / theirs for ours, theirs in zip(*rates.values(), strict=True)]
    print(f"ratio: median {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")


def in_batches(latents):
    """Batches for ``predict`` without autotune: on an array it waits at its end, idle, for up to as long again."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    starts = tf.data.Dataset.range(0, len(latents), PREDICT_BATCH_SIZE)
    stream = starts.map(lambda start: tf.constant(latents)[start : start + PREDICT_BATCH_SIZE])
    return stream.prefetch(1).with_options(options)


def seconds(command):
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def summary(values):
    return f"median {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    sys.exit(cli.run(main, "light_generator.py"))
