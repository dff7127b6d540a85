"""The verbs that draw: images from a generator, or a labeled dataset of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from fashion_gan.api.edited import Drawing, Edits, Sweep, parse_keys, parse_pairs, stored_drawing
from fashion_gan.api.latent_files import CLASS, LATENT, latent_text
from fashion_gan.api.load import load_generator
from fashion_gan.arrays import Array, Images, JsonObject
from fashion_gan.cli import options
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.datasets.generated import subfolder_names
from fashion_gan.datasets.shards import shard_of
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.rendering.films import FILM_SUFFIXES, check_film, save_film
from fashion_gan.rendering.images import (
    PICTURE_FORMATS,
    check_suffix,
    class_columns,
    grid,
    save_picture,
)
from fashion_gan.system.atomic_files import atomic_file, atomic_folder
from fashion_gan.version import __version__

NEAR_DUPLICATE_LEVELS = 10.0
DEFAULT_NAMES = {
    "grid": "generated.png",
    "png": "generated",
    "npz": "generated.npz",
    "walk": "interpolation.png",
    "film": "film.gif",
}
SUFFIXES = {
    "grid": tuple(PICTURE_FORMATS),
    "npz": (".npz",),
    "walk": (*PICTURE_FORMATS, ".gif", ".mp4"),
    "film": FILM_SUFFIXES,
}
EDITS = ("moves", "texture", "texture_from", "shares", "sweep")  # options that edit
SWEPT_PICTURES = 8  # rows of a sweep, unless --count says otherwise


@options.verb(
    examples=(
        "fashion-gan generate --label Dress --count 1000 --truncation 0.7 --format npz",
        "fashion-gan generate --film 3:Dress,7:Coat,12:Bag --out film.webp",
    )
)
@options.model
@options.weights
@options.option(
    "--count",
    type=int,
    default=64,
    show_default=True,
    metavar="NUMBER",
    help="Number of images, from 1 to 100,000.",
    group="Images",
)
@options.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="Seed of the latent vectors. The same seed gives the same images.",
    group="Images",
)
@options.option(
    "--label",
    metavar="CLASS",
    help="Class of the images, a name or a number. By default the classes take turns.",
    group="Images",
)
@options.truncation
@options.size
@options.option(
    "--latents",
    "latents_file",
    type=options.UserPath(),
    metavar="FILE",
    help="Draw these latents instead: an .npz file that project wrote, or a PNG of --format png.",
    group="Images",
)
@options.option(
    "--edit",
    "moves",
    multiple=True,
    metavar="DIRECTION=AMOUNT",
    help="Move the latents in a direction, by its name or number; 2 is much. May be repeated. fashion-gan directions "
    "lists them.",
    group="Edit",
)
@options.option(
    "--texture",
    type=int,
    metavar="SEED",
    help="Late layers read this seed's latent: the shapes stay, and all pictures get its texture.",
    group="Edit",
)
@options.option(
    "--texture-from",
    type=int,
    metavar="DEPTH",
    help="First depth of the network that reads it. By default half of the depths.",
    group="Edit",
)
@options.option(
    "--mix",
    "shares",
    multiple=True,
    metavar="CLASS=SHARE",
    help="Mix classes in one picture, such as --mix Dress=0.5 --mix Coat=0.5.",
    group="Edit",
)
@options.option(
    "--grid",
    "sweep",
    metavar="NAME=LOW:HIGH",
    help="Draw each picture at several values of truncation or of a direction, such as truncation=0.5:1.5.",
    group="Edit",
)
@options.option(
    "--interpolate",
    type=int,
    nargs=2,
    metavar="SEED SEED",
    help="Draw a walk from one seed's image to another's: a strip, or a film if --out ends in .gif or .mp4.",
    group="Walk",
)
@options.option(
    "--film",
    "keys",
    metavar="SEEDS",
    help="Draw a film through several seeds' images and back to the first, such as 3,7,12, or with classes "
    "3:Dress,7:Bag. A GIF, WebP or MP4 file.",
    group="Walk",
)
@options.option(
    "--frames",
    type=int,
    default=16,
    show_default=True,
    metavar="NUMBER",
    help="Images of the walk, or from each key of a film to the next, from 2 to 1,000.",
    group="Walk",
)
@options.option(
    "--format",
    type=options.Choice(["grid", "png", "npz"]),
    default="grid",
    show_default=True,
    help="grid: one picture of all images, a PNG, JPEG or WebP file. png: a folder of PNG files. npz: a NumPy file of "
    "the images and labels.",
    group="Output",
)
@options.option(
    "--out",
    type=options.UserPath(),
    metavar="PATH",
    help="File to write, or folder for --format png. By default the format decides, for example generated.png.",
    group="Output",
)
@options.force
def generate(
    model: str,
    format: str,
    interpolate: tuple[int, int] | None,
    keys: str | None,
    out: Path | None,
    force: bool,
    **settings: Any,
) -> None:
    """Draw images with a shipped generator, a run's generator, or a model file that fashion-gan wrote."""
    pictures_only = ("count", "seed", "truncation", "format", "latents_file", *EDITS)
    if interpolate:
        options.refuse_given("--interpolate", "keys", *pictures_only)
    elif keys:
        options.refuse_given("--film", "label", *pictures_only)
    kind = "walk" if interpolate else "film" if keys else format
    out = _checked_output(out, kind, force)
    generator = load_generator(model, raw=settings["raw"], best=settings["best"]).enlarged(settings["size"])
    if interpolate:
        images = generator.interpolate(*interpolate, frames=settings["frames"], label=settings["label"])
        _save_walk(out, images)
    elif keys:
        seeds, classes = parse_keys(keys)
        images = generator.film(seeds, classes, settings["frames"], closed=True)
        save_film(out, images)
    else:
        images = _draw_images(generator, model, out, format, settings)
    click.echo(f"{len(images)} images: {out}")


def _checked_output(out: Path | None, kind: str, force: bool) -> Path:
    """The path to write to. Raises InputError if its suffix does not fit the kind, or if it exists without --force."""
    out = options.output_path(out, DEFAULT_NAMES[kind], force=force)
    if kind in SUFFIXES:
        check_suffix(out, SUFFIXES[kind])
    if out.suffix.lower() == ".mp4":
        check_film(out)
    return out


def _save_walk(out: Path, images: Images) -> None:
    """Write a strip of the images, or a film that goes to the last one and back."""
    if out.suffix.lower() in PICTURE_FORMATS:
        save_picture(out, grid(images, columns=len(images)))
    else:
        save_film(out, [*images, *images[-2:0:-1]])


def _draw_images(generator: Generator, model: str, out: Path, format: str, settings: dict[str, Any]) -> Images:
    """Draw the pictures that the options ask for, and write them."""
    sweep = None if settings["sweep"] is None else Sweep.parse(settings["sweep"])
    if sweep is not None:
        options.refuse_given("--grid", "format", "texture")
    drawing = _drawing(generator, sweep, settings)
    images = drawing.draw(generator)
    texts = {"Software": f"fashion-gan {__version__}", "model": model}
    if settings["latents_file"] is None:
        texts |= {"seed": str(settings["seed"]), "truncation": f"{settings['truncation']:g}"}
    if settings["label"] is not None:
        texts[CLASS] = generator.class_names[generator.label_number(settings["label"])]
    if format == "grid":
        columns = len(sweep.values) if sweep else None
        if sweep is None and drawing.numbers is not None and settings["label"] is None and not settings["latents_file"]:
            columns = class_columns(len(generator.class_names))
        save_picture(out, grid(images, columns=columns), texts)
    else:
        _save_images(out, format, images, drawing, generator, texts)
    return images


def _drawing(generator: Generator, sweep: Sweep | None, settings: dict[str, Any]) -> Drawing:
    """The latents and the classes that the options ask for."""
    count, label = settings["count"], settings["label"]
    if settings["latents_file"] is not None:
        options.refuse_given("--latents", "count", "seed", "truncation")
        drawing = stored_drawing(settings["latents_file"], generator, label)
    else:
        if sweep is not None and not options.is_given("count"):
            count = SWEPT_PICTURES
        latents = generator.latents(count, settings["seed"], settings["truncation"])
        drawing = Drawing(latents, generator.labels(count, label))
    edits = Edits(
        parse_pairs("edit", settings["moves"]),
        settings["texture"],
        settings["texture_from"],
        parse_pairs("mix", settings["shares"]),
    )
    if edits.texture is None:
        options.refuse_without("--texture", "texture_from")
    if edits.shares:
        options.refuse_given("--mix", "label")
    if sweep is not None:
        drawing = sweep.apply(generator, drawing)
    return edits.apply(generator, drawing)


def _save_images(
    out: Path, format: str, images: Images, drawing: Drawing, generator: Generator, texts: dict[str, str]
) -> None:
    """Write a NumPy file, or a folder of PNG files whose texts hold each picture's class and latent."""
    labels = drawing.numbers
    if format == "npz":
        arrays: dict[str, Array] = {"images": images}
        if labels is not None:
            arrays |= {"labels": labels, "class_names": np.array(generator.class_names, np.str_)}
        with atomic_file(out) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        return
    # An existing folder may be replaced here: _checked_output refuses it unless --force is given.
    with atomic_folder(out, ["[0-9]" * 6 + "*.png"], force=True) as folder:
        suffixes = _class_suffixes(generator.class_names)
        for number, image in enumerate(images):
            own = {"number": str(number)}
            if labels is not None and not drawing.is_mixed:
                own[CLASS] = generator.class_names[labels[number]]
            if not drawing.is_mixed:
                own[LATENT] = latent_text(drawing.latents[number])
            suffix = "" if labels is None else suffixes[labels[number]]
            save_picture(folder / f"{number:06d}{suffix}.png", image, texts | own)


def _class_suffixes(class_names: Sequence[str]) -> list[str]:
    """The end of a file's name for each class: its number; and its name, unless the class is Fashion-MNIST's."""
    numbers = [f"_class_{number}" for number in range(len(class_names))]
    if tuple(class_names) == CLASS_NAMES or list(class_names) == [str(number) for number in range(len(class_names))]:
        return numbers
    return [f"{number}_{name}" for number, name in zip(numbers, subfolder_names(class_names), strict=True)]


@options.verb(
    examples=(
        "fashion-gan dataset --out synth --min-confidence 0.9 --no-duplicates",
        "fashion-gan dataset --out clothes --format folders --model runs/0001-fashion",
    )
)
@options.model
@options.option(
    "--per-class",
    type=int,
    default=1000,
    show_default=True,
    metavar="NUMBER",
    help="Exact number of images of each class.",
    group="Images",
)
@options.option(
    "--count",
    type=int,
    metavar="NUMBER",
    help="Number of images of all classes, up to 10¹². Each depends on the seed and its number only, so that many jobs "
    "can draw a shard each. These are other images than those of --per-class.",
    group="Shards",
)
@options.option(
    "--shard",
    metavar="I/N",
    help="Write part I of N of --count images into --out, for example 17/1000. A part that is complete is verified "
    "and left as it is. By default all images.",
    group="Shards",
)
@options.option(
    "--merge",
    type=options.Folder(),
    metavar="FOLDER",
    help="Check that all shards are in FOLDER and that their checksums are right, and write manifest and card. Draws "
    "nothing.",
    group="Shards",
)
@options.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="Seed of the latent vectors. The same seed gives the same images.",
    group="Images",
)
@options.truncation
@options.option(
    "--min-confidence",
    type=float,
    metavar="PROBABILITY",
    help="Keep an image only if a classifier gives its class at least this probability, from 0 to 1. For 28×28 gray "
    "images of Fashion-MNIST's classes it is the evaluator's. For others it is trained on --data, which needs Keras.",
    group="Filters",
)
@options.option(
    "--data",
    type=options.UserPath(),
    metavar="FOLDER|FILE",
    help="Real pictures with classes, for --min-confidence: a folder with a subfolder for each class, a folder of "
    "MNIST's files, or an .npz or Parquet file with labels. By default a run's own data.",
    group="Filters",
)
@options.option(
    "--no-duplicates",
    "least_difference",
    type=float,
    is_flag=False,
    flag_value=NEAR_DUPLICATE_LEVELS,
    metavar="[LEVELS]",
    help="Leave out an image if its root mean square difference to an earlier one of its class is below this number of "
    f"gray levels, {NEAR_DUPLICATE_LEVELS:g} if you give none.",
    group="Filters",
)
@options.option(
    "--format",
    type=options.Choice(["idx", "npz", "folders", "parquet", "webdataset"]),
    default="idx",
    show_default=True,
    help="idx: two files, named as Fashion-MNIST's training files. npz: a NumPy file. folders: PNG files in a folder "
    "for each class. parquet: a file for the Hugging Face Hub. webdataset: tar files of PNG files, with --count.",
    group="Output",
)
@options.option(
    "--out",
    type=options.UserPath(),
    metavar="FOLDER",
    help="Folder to write. If the command fails, nothing is written.",
    group="Output",
)
@options.force
def dataset(out: Path | None, merge: Path | None, per_class: int, **settings: Any) -> None:
    """Write a labeled dataset of generated images, with a manifest and a dataset card."""
    from fashion_gan.api.make_dataset import make_dataset, table
    from fashion_gan.api.shards import merge_dataset

    if merge is not None:
        options.refuse_given("--merge", "out", "per_class", *settings)
        manifest = merge_dataset(merge)
    elif out is None:
        raise InputError("there is no folder to write to: set --out, or --merge for a folder of shards")
    elif settings["count"] is None:
        manifest = make_dataset(out, per_class, **settings)
    else:
        options.refuse_given("--count", "per_class")
        manifest = make_dataset(out, **settings)
    click.echo(table(manifest))
    click.echo(f"\n{_summary(manifest)}: {merge or out}")


def _summary(manifest: JsonObject) -> str:
    """How many images were written, and which."""
    if "shard" not in manifest:
        return f"{manifest['images']:,} images"
    shard = shard_of(manifest)
    return f"shard {shard}, images {shard.start:,} to {shard.stop - 1:,}"
