"""Peak memory of a training run, for the whole process: TensorFlow, the data, the steps, checkpoints and sample grids.

python benchmarks/memory.py                                  # transposed, batch 128
python benchmarks/memory.py --preset fashion --batch-size 32
"""

import resource
import subprocess
import sys
import tempfile

import click
from processes import COMMAND


@click.command()
@click.option("--preset", default="transposed", show_default=True, help="Preset to train.")
@click.option("--batch-size", default=128, show_default=True, help="Images in a batch.")
@click.option("--steps", default=600, show_default=True, help="Training steps.")
def main(preset, batch_size, steps):
    with tempfile.TemporaryDirectory() as out:
        settings = ["--preset", preset, "--batch-size", batch_size, "--steps", steps, "--backend", "tensorflow"]
        command = [*COMMAND, "train", *map(str, settings), "--out", out, "--checkpoint-every-steps", "200"]
        status = subprocess.run(command).returncode
    if status:  # The command has printed the reason.
        sys.exit(status)
    # The largest process counts: the command itself, or one that it starts.
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"{preset}, batch {batch_size}: peak {peak_kib / 1024**2:.2f} GiB ({peak_kib * 1024 / 1e9:.2f} GB)")


if __name__ == "__main__":
    main()
