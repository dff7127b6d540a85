"""Time and peak memory of ``fashion-gan dataset``, for the whole command.

python benchmarks/dataset.py             # 60,000 images, the size of Fashion-MNIST's training set
python benchmarks/dataset.py --filters   # the same, with both filters
"""

import tempfile
from pathlib import Path

import click
from processes import COMMAND, run_measured

from fashion_gan.system.parallel import available_cpus


@click.command()
@click.option("--per-class", default=6000, show_default=True, help="Images of each class.")
@click.option("--format", default="idx", show_default=True, help="Format of the data set.")
@click.option("--filters", is_flag=True, help="Add --min-confidence 0.5 --no-duplicates.")
def main(per_class, format, filters):
    flags = ["--min-confidence", "0.5", "--no-duplicates"] if filters else []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "synth"
        command = [*COMMAND, "dataset", "--per-class", per_class, "--format", format, *flags, "--out", out]
        seconds, peak = run_measured(command)
    print(f"{seconds:.1f} seconds on {available_cpus()} processors, peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
