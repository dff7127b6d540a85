"""The verbs that draw: a few pictures, or a labelled data set."""

import os
from pathlib import Path
from typing import Any

import click
import numpy as np

from fashion_gan import files, launch, pictures
from fashion_gan.cli import options
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator

NEAR_DUPLICATE_LEVELS = 10.0
DEFAULT_NAMES = {"grid": "generated.png", "png": "generated", "npz": "generated.npz", "walk": "interpolation.png"}
SUFFIXES = {"grid": (".png",), "npz": (".npz",), "walk": (".png", ".gif")}


@click.command()
@options.model
@click.option("--count", type=int, default=64, show_default=True, help="how many pictures")
@click.option("--seed", type=int, default=0, show_default=True, help="the same seed gives the same pictures")
@click.option("--label", help="a class, by name or number; without it, the classes in turn")
@options.truncation
@click.option("--format", "kind", type=click.Choice(["grid", "png", "npz"]), default="grid", show_default=True)
@click.option(
    "--interpolate", type=int, nargs=2, metavar="SEED SEED", help="walk between two seeds: a strip, or a .gif"
)
@click.option("--frames", type=int, default=16, show_default=True, help="pictures of a walk")
@options.weights
@click.option("--out", type=click.Path(path_type=Path), help="file, or folder for --format png")
@options.force
def generate(
    model: str,
    count: int,
    seed: int,
    label: str | None,
    truncation: float,
    kind: str,
    interpolate: tuple[int, int] | None,
    frames: int,
    raw: bool,
    best: bool,
    out: Path | None,
    force: bool,
) -> None:
    """Draw pictures with the shipped generator, with a run's, or with an .onnx, .keras or .h5 file of ours."""
    if interpolate:
        kind = "walk"
        options.refuse_given("--interpolate", "count", "seed", "truncation", "kind")
    out = out or Path(DEFAULT_NAMES[kind])
    if kind in SUFFIXES and out.suffix not in SUFFIXES[kind]:
        raise InputError(f"{out} must end in {' or '.join(SUFFIXES[kind])}")
    if os.path.lexists(out) and not force:
        raise InputError(f"{out} is there already: name another --out, or add --force")
    generator = launch.load_generator(model, raw=raw, best=best)
    if interpolate:
        images = generator.interpolate(*interpolate, frames=frames, label=label)
        if out.suffix == ".gif":
            pictures.save_gif(out, [*images, *images[-2:0:-1]], frame_seconds=0.08, hold_last_seconds=0.08)
        else:
            pictures.save_png(out, pictures.grid(images, columns=frames))
    else:
        images = generator.generate(count, label, seed, truncation)
        save_images(out, kind, images, generator, label)
    click.echo(f"{len(images)} pictures: {out}")


def save_images(out: Path, kind: str, images: Any, generator: Generator, label: str | None) -> None:
    labels = generator.labels(len(images), label)
    if kind == "npz":
        with files.written_whole(out) as temporary, open(temporary, "wb") as file:
            arrays = {"images": images} if labels is None else {"images": images, "labels": labels}
            np.savez_compressed(file, allow_pickle=False, **arrays)
    elif kind == "png":
        # Whether what is there may be replaced was settled before.
        with files.folder_written_whole(out, ["[0-9]" * 6 + "*.png"], force=True) as folder:
            for number, image in enumerate(images):
                of_class = "" if labels is None else f"_class_{labels[number]}"
                pictures.save_png(folder / f"{number:06d}{of_class}.png", image)
    else:
        columns = len(generator.class_names) if labels is not None and label is None else None
        pictures.save_png(out, pictures.grid(images, columns=columns))


@click.command()
@click.option("--per-class", type=int, default=1000, show_default=True, help="images of each class, exactly")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="folder, written whole or not at all")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["idx", "npz", "folders", "parquet"]),
    default="idx",
    show_default=True,
    help="idx: as Fashion-MNIST's training files",
)
@options.model
@click.option("--seed", type=int, default=0, show_default=True, help="the same seed gives the same images")
@options.truncation
@click.option(
    "--min-confidence", type=float, help="keep what the evaluator's classifier gives this probability, 0 to 1, or more"
)
@click.option(
    "--no-duplicates",
    "least_difference",
    type=float,
    is_flag=False,
    flag_value=NEAR_DUPLICATE_LEVELS,
    metavar="[LEVELS]",
    help="leave out what is nearer to an earlier image of its class, in root mean square grey levels (10)",
)
@click.option("--force", is_flag=True, help="replace the data set that is there")
def dataset(out: Path, kind: str, **settings: Any) -> None:
    """Write a labelled data set of generated images, with a manifest and a data card."""
    from fashion_gan import synthetic

    manifest = synthetic.make_dataset(out, format=kind, **settings)
    click.echo(synthetic.table(manifest))
    click.echo(f"\n{manifest['images']:,} images: {out}")
