"""Time and memory of `fashion-gan dataset` on this machine, from the command's start to its end.

python benchmarks/dataset.py             # 60,000 images, as many as Fashion-MNIST's training set
python benchmarks/dataset.py --filters   # the same with both filters
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from fashion_gan import cores


@click.command()
@click.option("--per-class", default=6000, show_default=True)
@click.option("--format", "kind", default="idx", show_default=True)
@click.option("--filters", is_flag=True, help="--min-confidence 0.5 --no-duplicates")
def main(per_class, kind, filters):
    flags = ["--min-confidence", "0.5", "--no-duplicates"] if filters else []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "synth"
        words = ["dataset", "--per-class", per_class, "--format", kind, *flags, "--out", out]
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "fashion_gan", *map(str, words)])
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    if status:
        raise SystemExit(os.waitstatus_to_exitcode(status))  # The command has said why.
    print(f"{seconds:.1f} seconds on {cores.usable()} processors, peak memory {usage.ru_maxrss / 1e3:.0f} MB")


if __name__ == "__main__":
    main()
