"""Start-up time of the light generator's commands, and its drawing speed compared with Keras.

Measures whole commands from a cold shell, in seconds. Then measures images/s of the shipped generator in ONNX Runtime,
and of ``predict`` on the TensorFlow tutorial's network. The two take turns.

    python benchmarks/light_generator.py
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import click
from contestants import tutorial_config
from processes import run_measured

import fashion_gan
from fashion_gan import cli

PREDICT_BATCH_SIZE = 256
COMMANDS = {
    "fashion-gan --help": ["-m", "fashion_gan", "--help"],
    "import fashion_gan": ["-c", "import fashion_gan"],
    "fashion-gan generate --count 64": ["-m", "fashion_gan", "generate", "--count", "64", "--force", "--out"],
}


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True, help="Measurements of each.")
@click.option("--images", type=click.IntRange(min=1), default=60_000, show_default=True, help="Images of each turn.")
@click.option("--model", default="fashion", show_default=True, help="A shipped model's name, or an .onnx file.")
def main(rounds, images, model):
    light = fashion_gan.load_generator(model)
    measure_commands(rounds)
    latents = light.latents(images)
    draw_by = {
        "light generator, ONNX Runtime": lambda: light.decode(latents),
        "tutorial's network, keras predict": tutorial_predict(latents),
    }
    rates = {name: [] for name in draw_by}
    for _ in range(rounds):
        for name, draw in draw_by.items():
            started = time.perf_counter()
            draw()
            rates[name].append(images / (time.perf_counter() - started))
    for name, rate in rates.items():
        print(f"{name:<35}{statistics.median(rate):,.0f} images/s ({min(rate):,.0f} to {max(rate):,.0f})")
    ratios = [light_rate / keras_rate for light_rate, keras_rate in zip(*rates.values(), strict=True)]
    print(f"ratio: median {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")


def measure_commands(rounds):
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in COMMANDS.items():
            out = [Path(folder) / "grid.png"] if arguments[-1] == "--out" else []
            command = [sys.executable, *arguments, *out]
            seconds = [run_measured(command, quiet=True)[0] for _ in range(rounds)]
            print(f"{name:<33}median {statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f}) s")


def tutorial_predict(latents):
    """A function that draws all latents with the tutorial's network, already compiled."""
    from fashion_gan.networks import build_generator

    model = build_generator(tutorial_config())
    model.predict(batched(latents[:1000]), verbose=0)  # The first call compiles.
    return lambda: model.predict(batched(latents), verbose=0)


def batched(latents):
    """Batches for ``predict``, with autotune off.

    With autotune, as on a plain array, ``predict`` can wait idly at its end, for up to as long as it has computed.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    starts = tf.data.Dataset.range(0, len(latents), PREDICT_BATCH_SIZE)
    stream = starts.map(lambda start: tf.constant(latents)[start : start + PREDICT_BATCH_SIZE])
    return stream.prefetch(1).with_options(options)


if __name__ == "__main__":
    sys.exit(cli.run(main, "light_generator.py"))
