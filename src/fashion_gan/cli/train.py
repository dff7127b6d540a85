"""The verbs that train, and that show the training data."""

from pathlib import Path
from typing import Any

import click
import numpy as np

from fashion_gan.api.train import (
    continue_training,
    device_layout,
    held_out_text,
    plan,
    plan_resume,
    start_training,
)
from fashion_gan.cli import options
from fashion_gan.config import RENAMED_SETTINGS, Config
from fashion_gan.datasets import (
    Dataset,
    PictureOptions,
    holds_fashion_mnist,
    load_fashion_mnist,
    load_training_images,
    requested_folder,
)
from fashion_gan.datasets.contents import MAX_ROWS
from fashion_gan.datasets.picture_sets import UNREADABLE
from fashion_gan.rendering.images import PICTURE_FORMATS, check_suffix, contact_sheet, save_picture
from fashion_gan.rendering.tables import format_table
from fashion_gan.runs import Run
from fashion_gan.system.atomic_files import check_new_path
from fashion_gan.system.backends import share_two_processors
from fashion_gan.system.processes import DeviceOptions
from fashion_gan.training.extras import TRACKERS, Extras
from fashion_gan.version import __version__

SHEET_IMAGE_SIZE = 64  # pixels of the user's own pictures on a contact sheet


@options.verb(
    renamed=RENAMED_SETTINGS,
    examples=(
        "fashion-gan train --preset fashion --minutes 5",
        "fashion-gan train --data my-pictures --minutes 30",
    ),
)
@options.settings
@options.option(
    "--out",
    type=options.UserPath(),
    default=Path("runs"),
    show_default=True,
    metavar="FOLDER",
    help="Folder that the run's own numbered folder is made in.",
    group="Output",
)
@options.option(
    "--resume",
    "run_path",
    type=options.UserPath(),
    metavar="RUN",
    help="Continue this run from its newest checkpoint, with its own settings.",
    group="Output",
)
@options.option(
    "--tracker",
    type=options.Choice(list(TRACKERS)),
    default="none",
    show_default=True,
    help="Show losses, scores, grids and settings there, too. Each but tensorboard needs an extra of its name.",
    group="Output",
)
@options.option("--dry-run", is_flag=True, help="Print the settings and stop.", group="Output")
@options.several_devices
@click.pass_obj
def train(
    owns_process: bool,
    /,
    out: Path,
    run_path: Path | None,
    tracker: str,
    dry_run: bool,
    where: DeviceOptions,
    **settings: Any,
) -> None:
    """Train a GAN. Its run folder holds sample grids, curves, a film, checkpoints and the generator.

    The preset provides the settings that you leave out. For your own pictures,
    more settings are chosen from the pictures, and a table says why.
    """
    preset, extras = settings.pop("preset"), Extras(tracker=tracker)  # Checked before processes wait for each other.
    backend = settings["backend"] if run_path is None else Run.open(run_path).config.backend
    with device_layout(where, backend) as layout:
        if run_path is None:
            config, dataset = plan(preset, **settings)
        else:
            run, dataset = plan_resume(run_path, preset=preset, **settings)
            config = run.config
        _describe(config, dataset)
        if layout is not None:
            click.echo(f"on {layout.describe(config.batch_size)}")
        if dry_run:
            return
        if owns_process and (config.backend, config.architecture) == ("tensorflow", "residual"):
            share_two_processors()  # Faster for small layers, such as those of the residual networks.
        if run_path is None:
            run = start_training(config, dataset, out, extras, layout)
        else:
            run = continue_training(run, dataset, extras, layout)
        click.echo(f"run      {run.path}\nsample   {run.last_sample}")


def _describe(config: Config, dataset: Dataset) -> None:
    """Print the settings, and what is trained on."""
    click.echo(f"fashion-gan {__version__}\n{config}")
    click.echo(f"trains on {len(dataset.images):,} images{held_out_text(config, dataset)}: {dataset.source}")
    if dataset.contents is not None:
        click.echo(f"\n{dataset.contents}\n")


@options.verb(
    examples=(
        "fashion-gan data",
        "fashion-gan data --data my-pictures.zip --fit pad --out pictures.jpg",
    )
)
@options.option(
    "--data",
    type=options.DataPath(),
    metavar="FOLDER|FILE",
    help="Folder or file of pictures, or folder of the four Fashion-MNIST files or of another data set in such files. "
    "By default Fashion-MNIST is searched for and, if missing, downloaded.",
    group="Data",
)
@options.some_settings("fit", "background")
@options.option(
    "--out",
    type=options.UserPath(),
    metavar="FILE",
    help="Contact sheet with ten images of each class, a PNG, JPEG or WebP file. By default fashion_mnist.png, or "
    "pictures.png for other data.",
    group="Output",
)
@options.force
def data(data: str | None, fit: str | None, background: str | None, out: Path | None, force: bool) -> None:
    """Show what a data folder or file holds, and draw ten images of each class.

    Of your own pictures, it shows what is left out and why, and which cannot be read. Without --data, it shows where
    Fashion-MNIST is stored.
    """
    if out is not None:
        check_new_path(out, force=force)
        check_suffix(out, PICTURE_FORMATS)
    folder = requested_folder(data)
    is_fashion_mnist = folder is None or (not folder.is_file() and holds_fashion_mnist(folder))
    given = {name: value for name, value in (("fit", fit), ("background", background)) if value is not None}
    options_of_pictures = PictureOptions(skip_damaged=True, **given)
    training = load_training_images(folder, SHEET_IMAGE_SIZE, channels=3, **vars(options_of_pictures))
    splits = {"train": training}
    if is_fashion_mnist:
        splits["test"] = load_fashion_mnist("test", folder)
    if training.contents is not None:
        click.echo(training.contents)
        if any(row.reason == UNREADABLE for row in training.contents.left_out):
            click.echo("\ntrain refuses pictures that cannot be read, unless it gets --skip-damaged")
    else:
        click.echo(f"{_pixel_table(splits)}\n\n{_class_table(splits)}")
    out = options.output_path(out, "fashion_mnist.png" if is_fashion_mnist else "pictures.png", force=force)
    save_picture(out, contact_sheet(training.images, training.labels, training.class_names[:MAX_ROWS], per_class=10))
    shown = f"ten of each of the first {MAX_ROWS} classes" if training.class_names[MAX_ROWS:] else "ten of each class"
    click.echo(f"\n{shown}: {out}")


def _pixel_table(splits: dict[str, Dataset]) -> str:
    """A row for each split: how many images, the mean and deviation of their pixels, and where they are stored."""
    rows = [["split", "images", "pixel mean", "deviation", "source"]]
    for name, split in splits.items():
        shares = np.bincount(split.images.reshape(-1), minlength=256) / split.images.size
        mean = shares @ np.arange(256)
        deviation = (shares @ (np.arange(256) - mean) ** 2) ** 0.5
        rows.append([name, f"{len(split.images):,}", f"{mean:.2f}", f"{deviation:.2f}", str(split.source)])
    return format_table(rows, "lrrrl")


def _class_table(splits: dict[str, Dataset]) -> str:
    """A row for each class: its number, its name, and how many images of it each split holds."""
    class_names = splits["train"].class_names
    rows = [["", "class", *splits]]
    for label, name in enumerate(class_names[:MAX_ROWS]):
        counts = [int((split.labels == label).sum()) for split in splits.values()]
        rows.append([str(label), name, *(f"{count:,}" for count in counts)])
    if class_names[MAX_ROWS:]:
        rows.append(["", f"{len(class_names) - MAX_ROWS:,} more classes"])
    return format_table(rows, "rl" + "r" * len(splits))
