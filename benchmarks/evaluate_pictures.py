"""Time and peak memory of an evaluation of pictures of any kind, with an empty cache.

python benchmarks/evaluate_pictures.py                           # 5,000 pictures of 64×64 in color against 5,000
python benchmarks/evaluate_pictures.py --size 256 --count 1000   # larger and fewer
"""

import os
import sys
import tempfile
from pathlib import Path

import click
import numpy as np
from processes import COMMAND, run_measured

from fashion_gan.rendering.resize import resize_matrix

CORNERS = 4  # A smooth picture is enlarged from so many pixels in each direction.
# Loads the libraries that every evaluation needs, and measures one picture.
BASE = """
import numpy as np
import scipy.linalg, scipy.ndimage, scipy.stats
import fashion_gan.api.evaluate
from fashion_gan.metrics.pictures.feature_networks import FeatureNetwork
FeatureNetwork.random().extract(np.zeros((1, 16, 16, 3), np.uint8))
"""


@click.command()
@click.option("--count", default=5000, show_default=True, help="Number of generated and of real pictures.")
@click.option("--size", default=64, show_default=True, help="Height and width of the pictures.")
@click.option("--channels", default=3, show_default=True, help="Channels of the pictures: 1, 3 or 4.")
@click.option("--rounds", default=1, show_default=True, help="Measured evaluations, each with an empty cache.")
def main(count, size, channels, rounds):
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.npz" for name in ("generated", "real")]
        for seed, path in enumerate(paths):
            np.savez(path, images=smooth_pictures(count, size, channels, seed))
        command = [*COMMAND, "evaluate", paths[0], "--reference", paths[1], "--force", "--report", folder]
        measurements = []
        for number in range(rounds):
            os.environ["XDG_CACHE_HOME"] = f"{folder}/cache-{number}"
            measurements.append(run_measured(command, quiet=True))
        _, base = run_measured([sys.executable, "-c", BASE], quiet=True)
    seconds, peaks = (sorted(values) for values in zip(*measurements, strict=True))
    print(f"seconds {seconds[len(seconds) // 2]:.1f} ({seconds[0]:.1f} to {seconds[-1]:.1f})")
    print(f"peak memory {peaks[-1]:.0f} MB, {peaks[-1] - base:.0f} MB beyond the libraries' {base:.0f} MB")


def smooth_pictures(count, size, channels, seed):
    """Random smooth pictures. Their scores do not matter, only the time."""
    random, matrix = np.random.default_rng(seed), resize_matrix(CORNERS, size).astype(np.float32)
    images = np.empty((count, size, size, channels), np.uint8)
    for image in images:
        corners = random.integers(0, 256, (CORNERS, CORNERS, channels)).astype(np.float32)
        image[:] = np.einsum("yh,hwc,xw->yxc", matrix, corners, matrix, optimize=True)
    return images


if __name__ == "__main__":
    main()
