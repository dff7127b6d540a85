"""The verbs that bring a generator to where it is used: out of a notebook, into a format, onto a page."""

import os
from pathlib import Path

import click

from fashion_gan import files, launch
from fashion_gan.cli import options
from fashion_gan.cli.drawing import save_images
from fashion_gan.errors import InputError
from fashion_gan.export import FORMATS, check_path
from fashion_gan.generator import Generator


@click.command()
@click.argument("model", metavar="NAME|RUN|MODEL")
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), required=True)
@options.weights
@click.option("--out", type=click.Path(path_type=Path), help="file, or folder (named after the model, in this folder)")
@options.force
def export(model: str, kind: str, raw: bool, best: bool, out: Path | None, force: bool) -> None:
    """Write a generator in a format that people deploy, and check that it draws the same images there."""
    source = Path(model).absolute()
    out = out or Path((source.name if source.is_dir() else source.stem) + FORMATS[kind].suffix)
    if os.path.lexists(out) and not force:
        raise InputError(f"{out} is there already: name another --out, or add --force")
    difference = launch.export_generator(model, kind, out, raw=raw, best=best)
    click.echo(
        f"{out}: pixels in [-1, 1] differ by at most {difference:.1e} from those of {click.format_filename(model)}"
    )


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE.h5")
@click.option("--out", type=click.Path(path_type=Path), help="the .onnx file (named after the other, in this folder)")
@options.force
def import_(path: Path, out: Path | None, force: bool) -> None:
    """Make a model of ours from a generator that an old notebook left: an .h5 file of Keras 2 or tf.keras.

    Nothing in the file is run. A sheet of pictures is drawn beside the model.
    """
    out = out or Path(path.name).with_suffix(".onnx")
    check_path("onnx", out)
    sheet = out.with_suffix(".png")
    for place in (out, sheet):
        if os.path.lexists(place) and not force:
            raise InputError(f"{place} is there already: name another --out, or add --force")
        if place.is_dir():
            raise InputError(f"{place} is a folder: name another --out")
    with files.written_whole(out) as temporary:  # Whatever fails, there is no model without its sheet.
        found = launch.import_generator(path, temporary)
        generator = Generator.load(temporary)
        save_images(sheet, "grid", generator.generate(64), generator, None)
    classes = f" and {len(found.class_names)} classes" if found.class_names else ""
    size = "×".join(map(str, found.shape))
    click.echo(
        f"{out}: {found.latent_dim} latents{classes} -> {size}, in [{found.lowest:.4g}, {found.highest:.4g}] there"
    )
    source = click.format_filename(path)
    click.echo(f"pixels in [-1, 1] differ by at most {found.difference:.1e} from those of {source}\nsheet    {sheet}")


@click.command()
@options.model
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="on 127.0.0.1; 0: any")
@click.option("--open/--no-open", "open_browser", default=False, help="show the page in your browser")
def explore(model: str, port: int, open_browser: bool) -> None:
    """Open a page to play with a generator on: pictures, neighbours, blends, films."""
    from fashion_gan.explorer import serving

    serving.explore(
        model, port, open_browser=open_browser, say=lambda url: click.echo(f"explore  {url}  (Ctrl-C stops it)")
    )
