"""Time and memory of scoring 10,000 images on this machine, with the real side in the cache already.

python benchmarks/evaluate.py          # every figure but GAN-train, the two-sample test and Inception
python benchmarks/evaluate.py --full   # those two as well; 50,000 images
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from fashion_gan import load_fashion_mnist

# What every program that holds the data and the libraries needs, before anything is measured.
BASE = """
import sys
from fashion_gan import evaluation, sources
from fashion_gan.metrics.reference import Reference
from fashion_gan.metrics.features import _session
source, reference, session = sources.open_source(sys.argv[1]), Reference.load(), _session()
"""


@click.command()
@click.option("--full", is_flag=True)
@click.option("--rounds", default=3, show_default=True)
def main(full, rounds):
    with tempfile.TemporaryDirectory() as folder:
        images, labels = some_images(50_000 if full else 10_000)
        path = Path(folder) / "images.npz"
        np.savez(path, images=images, labels=labels)
        protocols = ["--protocol", "full" if full else "standard"]
        command = [sys.executable, "-m", "fashion_gan", "evaluate", path, *protocols, "--force", "--report", folder]
        measured(command)  # Fills the cache.
        found = [measured(command) for _ in range(rounds)]
        _, base = measured([sys.executable, "-c", BASE, path])
    seconds, peaks = (sorted(values) for values in zip(*found, strict=True))
    print(f"seconds {seconds[len(seconds) // 2]:.1f} ({seconds[0]:.1f} to {seconds[-1]:.1f})")
    print(f"peak memory {peaks[-1]:.0f} MB, {peaks[-1] - base:.0f} MB beyond the base of {base:.0f} MB")


def some_images(count):
    """Training images, each brightened a little: what they score does not matter, only how long it takes."""
    train = load_fashion_mnist("train")
    return np.minimum(train.images[:count], 235) + np.uint8(20), train.labels[:count]


def measured(command):
    """Wall-clock seconds and peak memory, in MB, of a process."""
    started = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1e3


if __name__ == "__main__":
    main()
