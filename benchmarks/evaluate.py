"""Time and peak memory of an evaluation. What is computed from the real images is in the cache already.

python benchmarks/evaluate.py          # the standard protocols, on 10,000 images
python benchmarks/evaluate.py --full   # also GAN-train, the two-sample test and ffd50k_train, on 50,000 images
"""

import sys
import tempfile
from pathlib import Path

import click
import numpy as np
from processes import COMMAND, run_measured

from fashion_gan import load_fashion_mnist

# Loads the libraries and the data that every evaluation needs, and measures nothing.
BASE = """
import sys
import fashion_gan.api.evaluate
from fashion_gan.api.sources import open_source
from fashion_gan.metrics.features import _session
from fashion_gan.metrics.reference import Reference
source, reference, session = open_source(sys.argv[1]), Reference.load(), _session()
"""


@click.command()
@click.option("--full", is_flag=True, help="Measure the protocols of --protocol full, on 50,000 images.")
@click.option("--rounds", default=3, show_default=True, help="Measured evaluations, after one that fills the cache.")
def main(full, rounds):
    with tempfile.TemporaryDirectory() as folder:
        images, labels = brightened_training_images(50_000 if full else 10_000)
        path = Path(folder) / "images.npz"
        np.savez(path, images=images, labels=labels)
        protocol = "full" if full else "standard"
        command = [*COMMAND, "evaluate", path, "--protocol", protocol, "--force", "--report", folder]
        run_measured(command, quiet=True)  # Fills the cache.
        measurements = [run_measured(command, quiet=True) for _ in range(rounds)]
        _, base = run_measured([sys.executable, "-c", BASE, path], quiet=True)
    seconds, peaks = (sorted(values) for values in zip(*measurements, strict=True))
    print(f"seconds {seconds[len(seconds) // 2]:.1f} ({seconds[0]:.1f} to {seconds[-1]:.1f})")
    print(f"peak memory {peaks[-1]:.0f} MB, {peaks[-1] - base:.0f} MB beyond the base of {base:.0f} MB")


def brightened_training_images(count):
    """The first training images, each slightly brightened. Their scores do not matter, only the time."""
    train = load_fashion_mnist("train")
    return np.minimum(train.images[:count], 235) + np.uint8(20), train.labels[:count]


if __name__ == "__main__":
    main()
