"""The verbs that train, and that show what is trained on."""

from pathlib import Path
from typing import Any

import click
import numpy as np

from fashion_gan import launch, pictures
from fashion_gan.cli import options
from fashion_gan.datasets import CLASS_NAMES, load_fashion_mnist
from fashion_gan.version import __version__


@click.command()
@options.settings
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), help="folder for run folders (runs)")
@click.option("--resume", "run_path", type=click.Path(path_type=Path), metavar="RUN", help="go on with this run")
@click.option("--dry-run", is_flag=True, help="print the configuration and stop")
def train(out: Path, run_path: Path | None, dry_run: bool, **settings: Any) -> None:
    """Train a GAN; its folder gets pictures, curves, a film, checkpoints and the generator.

    What is left out comes from the preset.
    """
    preset = settings.pop("preset")
    if run_path is None:
        config, dataset = launch.plan(preset or "transposed", **settings)
    else:
        run, dataset = launch.plan_resume(run_path, preset=preset, **settings)
        config = run.config
    held_out = " (5,000 of them held out, to score by)" if config.evaluate_every else ""
    click.echo(f"fashion-gan {__version__}\n{config}")
    click.echo(f"  trains on        {len(dataset.images)} images{held_out}: {dataset.source}")
    if dry_run:
        return
    run = launch.begin(config, dataset, out) if run_path is None else launch.go_on(run, dataset)
    click.echo(f"run      {run.path}\nsample   {run.last_sample}")


@click.command()
@options.data
@click.option("--out", type=click.Path(path_type=Path), default=Path("fashion_mnist.png"), help="the contact sheet")
def data(data: str | None, out: Path) -> None:
    """Show where Fashion-MNIST is and what it holds, and draw ten of each class."""
    train_split, test_split = (load_fashion_mnist(split, data) for split in ("train", "test"))
    for name, split in (("train", train_split), ("test", test_split)):
        shares = np.bincount(split.images.reshape(-1), minlength=256) / split.images.size
        mean = shares @ np.arange(256)
        deviation = (shares @ (np.arange(256) - mean) ** 2) ** 0.5
        click.echo(f"{name:<6}{len(split.images):>7} images from {split.source}")
        click.echo(f"      pixels in [0, 255]: mean {mean:.2f}, deviation {deviation:.2f}")
    click.echo(f"\n{'class':<14}{'train':>7}{'test':>7}")
    for number, name in enumerate(CLASS_NAMES):
        counts = [int((split.labels == number).sum()) for split in (train_split, test_split)]
        click.echo(f"{number} {name:<12}{counts[0]:>7}{counts[1]:>7}")
    sheet = pictures.contact_sheet(train_split.images, train_split.labels, CLASS_NAMES, per_class=10)
    pictures.save_png(out, sheet)
    click.echo(f"\nten of each class: {out}")
