"""What the shards of a data set cost, and from that what 10⁶ and 10⁹ images cost.

Shards of several sizes are drawn, each by a process of its own. A line through their times gives the start of a job and
the time of an image. Then the shards are verified and read.

python benchmarks/shards.py                       # the shipped model, three sizes, all formats
python benchmarks/shards.py --formats parquet --sizes 4000,32000
python benchmarks/shards.py --scores              # the time and the memory of evaluate --protocol all_images
"""

import shutil
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from processes import COMMAND, run_measured

from fashion_gan.api.make_dataset import make_dataset
from fashion_gan.api.shards import merge_dataset
from fashion_gan.datasets.sharded import ShardedImages
from fashion_gan.datasets.shards import FORMATS
from fashion_gan.rendering.tables import format_table
from fashion_gan.system.parallel import available_cpus

PLANNED = (10**6, 10**9)
SHARD_IMAGES = 10**6  # of the planned data sets, in a shard


def measure(format, sizes, model):
    """Draw a shard of each size. Returns the seconds, the peak memory in MB and the bytes of each."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "set"
            flags = ["--count", size, "--shard", "1/1", "--format", format, "--model", model, "--out", out]
            seconds, peak = run_measured([*COMMAND, "dataset", *flags], quiet=True)
            rows.append((seconds, peak, sum(path.stat().st_size for path in out.iterdir())))
            if size == max(sizes):
                start = time.perf_counter()
                merge_dataset(out)
                verified = time.perf_counter() - start
                start = time.perf_counter()
                assert sum(len(labels) for _, labels in ShardedImages.find(out).parts()) == size
                read = time.perf_counter() - start
            shutil.rmtree(out)
    return rows, size / verified, size / read


def plan(count, per_image, start, size):
    """The core-hours and the GB of a data set, in words."""
    shards = max(1, count // SHARD_IMAGES)
    hours = (count * per_image + shards * start) * available_cpus() / 3600
    return f"{hours:,.1f} h, {count * size / 1e9:,.1f} GB"


def measure_scores(sizes, model):
    """Score all images of a data set of each size, in four shards. Returns the seconds and the peak memory in MB."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            out, report = Path(folder) / "set", Path(folder) / "report"
            for number in range(1, 5):
                make_dataset(out, count=size, shard=f"{number}/4", format="npz", model=model)
            merge_dataset(out)
            words = ["evaluate", out, "--protocol", "all_images", "--report", report]
            rows.append(run_measured([*COMMAND, *words], quiet=True))
    return rows


@click.command()
@click.option("--model", default="fashion", show_default=True, help="The model that draws.")
@click.option("--formats", default=",".join(FORMATS), show_default=True, help="Formats.")
@click.option("--sizes", default="4000,16000,64000", show_default=True, help="Images of the shards.")
@click.option("--scores", is_flag=True, help="Measure the scores of all images instead.")
def main(model, formats, sizes, scores):
    sizes = [int(size) for size in sizes.split(",")]
    shown = ", ".join(f"{size:,}" for size in sizes)
    if scores:
        rows = measure_scores(sizes, model)
        per_image, start = np.polyfit(sizes, [seconds for seconds, _ in rows], 1)
        memory = ", ".join(f"{peak:.0f} MB" for _, peak in rows)
        print(f"{available_cpus()} processors; the memory is that of {shown} images")
        print(f"{1 / per_image:,.0f} images/s after {start:.1f} s; {memory}")
        return
    table = [["format", "start", "images/s", "MB of memory", "bytes/image", "verified/s", "read/s"]]
    plans = [["format", *(f"{count:,} images" for count in PLANNED)]]
    for name in formats.split(","):
        rows, verified, read = measure(name, sizes, model)
        per_image, start = np.polyfit(sizes, [seconds for seconds, _, _ in rows], 1)
        size = rows[-1][2] / max(sizes)
        memory = " ".join(f"{peak:.0f}" for _, peak, _ in rows)
        speeds = [f"{speed:,.0f}" for speed in (1 / per_image, verified, read)]
        table.append([name, f"{start:.1f} s", speeds[0], memory, f"{size:.0f}", *speeds[1:]])
        plans.append([name, *(plan(count, per_image, max(0.0, start), size) for count in PLANNED)])
    print(f"{available_cpus()} processors; the memory is that of shards of {shown} images")
    print(format_table(table, "lrrrrrr"))
    print(f"\ncore-hours, and size, in shards of {SHARD_IMAGES:,} images")
    print(format_table(plans, "lrr"))


if __name__ == "__main__":
    main()
