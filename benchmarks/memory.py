"""Peak memory of a training run, the whole process: TensorFlow, the data, the step, checkpoints and samples.

python benchmarks/memory.py                                  # transposed, batch 128
python benchmarks/memory.py --preset fashion --batch-size 32
"""

import resource
import subprocess
import sys
import tempfile

import click


@click.command()
@click.option("--preset", default="transposed", show_default=True)
@click.option("--batch-size", default=128, show_default=True)
@click.option("--steps", default=600, show_default=True)
def main(preset, batch_size, steps):
    with tempfile.TemporaryDirectory() as out:
        settings = ["--preset", preset, "--batch-size", batch_size, "--steps", steps, "--backend", "tensorflow"]
        command = [sys.executable, "-m", "fashion_gan", "train", *map(str, settings), "--out", out]
        status = subprocess.run([*command, "--checkpoint-every", "200"]).returncode
    if status:  # The command has said why.
        sys.exit(status)
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"{preset}, batch {batch_size}: peak {peak_kib / 1024**2:.2f} GiB ({peak_kib * 1024 / 1e9:.2f} GB)")


if __name__ == "__main__":
    main()
