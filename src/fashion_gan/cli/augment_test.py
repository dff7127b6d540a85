"""The verb that measures whether generated images help to train a classifier."""

from pathlib import Path
from typing import Any

import click

from fashion_gan.api.augment_test import PLOT, REAL_PER_CLASS, SEEDS, STEPS, SYNTHETIC_PER_CLASS, augment_test
from fashion_gan.cli import options


@options.verb(
    "augment-test",
    examples=(
        "fashion-gan augment-test --real-per-class 10 --seeds 5",
        "fashion-gan augment-test --model runs/0001-fashion --data pictures",
    ),
)
@options.model
@options.option(
    "--real-per-class",
    metavar="NUMBERS",
    callback=options.numbers,
    help="Real training images of each class. Each number is one measurement. "
    f"[default: {','.join(map(str, REAL_PER_CLASS))}, or those of them that the smallest class has]",
    group="Measurement",
)
@options.option(
    "--synthetic-per-class",
    type=int,
    default=SYNTHETIC_PER_CLASS,
    show_default=True,
    metavar="NUMBER",
    help="Generated training images of each class, from 1 to 10,000.",
    group="Measurement",
)
@options.option(
    "--seeds",
    type=int,
    default=SEEDS,
    show_default=True,
    metavar="NUMBER",
    help="Repetitions with different images and weights, from 2 to 100. More of them give narrower intervals.",
    group="Measurement",
)
@options.option(
    "--steps",
    type=int,
    default=STEPS,
    show_default=True,
    metavar="STEPS",
    help="Steps of each training, of 64 images each, from 1 to 100,000.",
    group="Measurement",
)
@options.truncation
@options.option(
    "--data",
    type=options.UserPath(),
    metavar="FOLDER|FILE",
    help="Real pictures with classes: a folder with a subfolder for each class, a folder of Fashion-MNIST's or of "
    "MNIST's files, or an .npz or Parquet file with labels. By default a run's own data. For other models, "
    "Fashion-MNIST.",
    group="Data",
)
@options.option(
    "--out",
    type=options.UserPath(),
    default=Path("augment-test"),
    show_default=True,
    metavar="FOLDER",
    help="Folder for the results and the plot.",
    group="Output",
)
@options.force
def augment_test_verb(model: str, out: Path, **settings: Any) -> None:
    """Measure whether generated images help to train a classifier when real images are few. Takes minutes.

    A classifier is trained on real images, on real images with flips and shifts, on real and generated images, and on
    generated images only. It is tested on real images that it has not seen: the test images of the data, or a tenth of
    the pictures, at least 50. Needs Keras.
    """
    result = augment_test(model, out=out, **settings)
    click.echo(result.table())
    click.echo(f"\nplot     {out / PLOT}")
