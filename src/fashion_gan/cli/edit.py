"""The verbs that edit: bring pictures in, find directions, and train the encoder that projection starts from."""

from pathlib import Path
from typing import Any

import click
import numpy as np

from fashion_gan.api.directions import COUNT, find_directions, strip
from fashion_gan.api.latent_files import write_latents
from fashion_gan.api.load import load_generator
from fashion_gan.api.project import METHODS, ProjectedPictures
from fashion_gan.api.project import project as project_pictures
from fashion_gan.api.train_encoder import STEPS
from fashion_gan.api.train_encoder import train_encoder as train_encoder_of
from fashion_gan.arrays import JsonObject
from fashion_gan.cli import options
from fashion_gan.datasets import PictureOptions, load_training_images
from fashion_gan.editing import PROJECTION_STEPS
from fashion_gan.editing.directions import Direction
from fashion_gan.rendering.images import PICTURE_FORMATS, check_suffix, save_picture
from fashion_gan.rendering.tables import format_table
from fashion_gan.system.atomic_files import check_new_path


@options.verb(
    examples=(
        "fashion-gan project boot.png --picture boot-redrawn.png",
        "fashion-gan generate --latents latents.npz --edit brighter=2 --out new.png",
    )
)
@click.argument("pictures", nargs=-1, required=True, type=options.UserPath(), metavar="PICTURE...")
@options.model
@options.option(
    "--label", "labels", metavar="CLASS", help="Class of the pictures. By default it is found.", group="Search"
)
@options.option(
    "--steps",
    type=int,
    default=PROJECTION_STEPS,
    show_default=True,
    metavar="NUMBER",
    help="Steps of the gradient descent, from 0 to 10,000. More of them are slower and find nearer pictures.",
    group="Search",
)
@options.option(
    "--method",
    type=options.Choice(list(METHODS)),
    default="onnx",
    show_default=True,
    help="onnx: it needs no framework, and finds a latent for each depth. keras: it finds one for all depths.",
    group="Search",
)
@options.some_settings("fit", "background")
@options.option("--invert", is_flag=True, help="Turn dark into light: clothes are light on black.", group="Data")
@options.option(
    "--data",
    type=options.DataPath(),
    metavar="FOLDER|FILE",
    help="Training pictures. Tells whether the nearest of them is the same for a picture and for the redrawn one.",
    group="Data",
)
@options.option(
    "--out",
    type=options.UserPath(),
    metavar="FILE",
    help="The .npz file to write, latents.npz by default: latents, labels, errors and names.",
    group="Output",
)
@options.option(
    "--picture",
    type=options.UserPath(),
    metavar="FILE",
    help="Also write a PNG, JPEG or WebP file of each picture next to the redrawn one.",
    group="Output",
)
@options.force
def project(
    pictures: tuple[Path, ...],
    model: str,
    fit: str | None,
    background: str | None,
    data: str | None,
    out: Path | None,
    picture: Path | None,
    force: bool,
    **settings: Any,
) -> None:
    """Find the latents from which a generator draws your own pictures, as near as it can."""
    out = options.output_path(out, "latents.npz", force=force)
    check_suffix(out, (".npz",))
    if picture is not None:
        check_new_path(picture, force=force)
        check_suffix(picture, PICTURE_FORMATS)
    given: JsonObject = {name: value for name, value in (("fit", fit), ("background", background)) if value is not None}
    training = None
    if data is not None:
        size, _, channels = load_generator(model).image_shape
        training = load_training_images(data, size, channels, **given)
    found = project_pictures(model, pictures, options=PictureOptions(**given), training=training, **settings)
    write_latents(
        out,
        found.projection.latents,
        found.projection.labels,
        errors=found.projection.errors,
        names=np.array(found.names),
    )
    if picture is not None:
        save_picture(picture, found.comparison())
    _report(found)
    click.echo(f"latents  {out}")


def _report(found: ProjectedPictures) -> None:
    """Print a row for each picture, and what errors are usual."""
    header, nearest = ["picture", "class", "error, gray levels"], found.nearest
    if nearest is not None:
        header += ["nearest training picture", "its error", "the same for the redrawn one"]
    rows = []
    for number, name in enumerate(found.names):
        label = "" if found.projection.labels is None else found.class_names[found.projection.labels[number]]
        row = [name, label, f"{found.projection.errors[number]:.1f}"]
        if nearest is not None:
            same = "yes" if nearest.same[number] else "no"
            row += [str(nearest.of_given[number]), f"{nearest.errors[number]:.1f}", same]
        rows.append(row)
    click.echo(format_table([header, *rows], "llrrrl"[: len(header)]))
    if found.usual_error is not None:
        click.echo(f"\nof the real pictures that were held out, half have an error below {found.usual_error:.1f}")


@options.verb(
    examples=(
        "fashion-gan directions",
        "fashion-gan directions --model runs/0001-fashion --picture directions.png",
    )
)
@options.model
@options.option(
    "--count",
    type=int,
    default=COUNT,
    show_default=True,
    metavar="NUMBER",
    help="Directions to find, at most the length of the latents.",
    group="Directions",
)
@options.option(
    "--out",
    type=options.UserPath(),
    metavar="FILE",
    help="Find the directions again, and write this .json file. By default directions.json in the run's folder.",
    group="Output",
)
@options.option(
    "--picture",
    type=options.UserPath(),
    metavar="FILE",
    help="Also write a PNG, JPEG or WebP file with a row of pictures for each direction.",
    group="Output",
)
@options.force
def directions(model: str, count: int, out: Path | None, picture: Path | None, force: bool) -> None:
    """Show the directions in which pictures can be edited, and what each changes.

    A run's are found and measured at the first call, and again with --force.
    """
    if picture is not None:
        check_new_path(picture, force=force)
        check_suffix(picture, PICTURE_FORMATS)
    found = load_generator(model).directions
    if out is not None or force or not found:
        path, found = find_directions(model, count=count, out=out, force=force)
        click.echo(f"directions  {path}\n")
    else:
        options.refuse_without("--out or --force", "count")
    click.echo(_table(found))
    click.echo("\nchange from -2 to +2, in standard deviations among pictures of one class")
    if picture is not None:
        save_picture(picture, strip(load_generator(model), found))


def _table(found: tuple[Direction, ...]) -> str:
    measures = list(found[0].changes)
    rows = [
        [
            str(number),
            item.name,
            *(f"{item.changes.get(measure, 0):+.1f}" for measure in measures),
            "" if item.class_kept is None else f"{item.class_kept:.0%}",
        ]
        for number, item in enumerate(found, 1)
    ]
    return format_table([["", "name", *measures, "class kept"], *rows], "rl" + "r" * (len(measures) + 1))


@options.verb(
    "train-encoder",
    examples=(
        "fashion-gan train-encoder runs/0001-fashion",
        "fashion-gan train-encoder runs/0001-fashion --steps 5000 --force",
    ),
)
@click.argument("model", metavar="RUN", type=options.Model())
@options.option(
    "--steps",
    type=int,
    default=STEPS,
    show_default=True,
    metavar="NUMBER",
    help="Training steps, of up to 128 real and as many drawn pictures.",
    group="Training",
)
@options.option(
    "--seed", type=int, default=0, show_default=True, metavar="NUMBER", help="Seed of the weights.", group="Training"
)
@options.option(
    "--data",
    type=options.DataPath(),
    metavar="FOLDER|FILE",
    help="Real pictures to learn from. By default a run's own data.",
    group="Training",
)
@options.option(
    "--out",
    type=options.UserPath(),
    metavar="FILE",
    help="The .onnx file to write. By default encoder.onnx in the run's folder, where project finds it.",
    group="Output",
)
@options.force
def train_encoder(model: str, steps: int, seed: int, data: str | None, out: Path | None, force: bool) -> None:
    """Train the encoder from which project starts, for a run of your own."""
    trained = train_encoder_of(model, steps=steps, seed=seed, data=data, out=out, force=force)
    about = trained.about
    click.echo(
        f"of {about['pictures']} real pictures, half are redrawn with an error below {about['median_error']:.1f} gray "
        f"levels, and nine of ten below {about['high_error']:.1f}"
    )
    click.echo(f"encoder  {trained.path}")
