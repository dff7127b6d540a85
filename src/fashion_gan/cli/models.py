"""The verbs that bring a generator to where it is used: export it, import it, or explore it in a browser."""

from pathlib import Path

import click

from fashion_gan.api import push as api
from fashion_gan.api.export import export_generator, import_generator
from fashion_gan.cli import options
from fashion_gan.config import PRESETS
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.rendering.images import class_columns, grid, save_picture
from fashion_gan.saving.export import check_path
from fashion_gan.saving.formats import FORMATS
from fashion_gan.system.atomic_files import atomic_file, check_new_path

SHEET_IMAGES = 64


@options.verb(
    examples=(
        "fashion-gan export fashion --format html",
        "fashion-gan export runs/0001-fashion --format saved_model --best",
    )
)
@click.argument("model", metavar="NAME|RUN|FILE", type=options.Model())
@options.weights
@options.size
@options.option(
    "--format",
    type=options.Choice(list(FORMATS)),
    required=True,
    help="Format to write. saved_model and openvino are folders, all others are files.",
    group="Output",
)
@options.option(
    "--out",
    type=options.UserPath(),
    metavar="PATH",
    help="File or folder to write. By default it is named after the model and lies in the current folder.",
    group="Output",
)
@options.force
def export(model: str, format: str, size: int | None, raw: bool, best: bool, out: Path | None, force: bool) -> None:
    """Write a generator in a format for deployment. Then check that the format's own runtime draws the same images."""
    source = Path(model).absolute()
    default = (source.name if source.is_dir() else source.stem) + FORMATS[format].suffix
    out = options.output_path(out, default, force=force)
    difference = export_generator(model, format, out, size=size, raw=raw, best=best)
    click.echo(
        f"{out}: pixels in [-1, 1] differ by at most {difference:.1e} from those of {click.format_filename(model)}"
    )


@options.verb("import", examples=("fashion-gan import generator.h5", "fashion-gan generate --model generator.onnx"))
@click.argument("path", type=options.UserPath(exists=True, dir_okay=False), metavar="FILE")
@options.option(
    "--classes",
    type=int,
    metavar="NUMBER",
    help="Length of the one-hot class, if the generator takes one: in an input of its own, or after the latents.",
    group="Model",
)
@options.option(
    "--like",
    type=options.Choice(list(PRESETS)),
    metavar="PRESET",
    help="Preset whose generator the weights belong to, if the file holds only weights.",
    group="Model",
)
@options.option(
    "--out",
    type=options.UserPath(),
    metavar="FILE",
    help="The .onnx file to write. By default it is named after the file and lies in the current folder.",
    group="Output",
)
@options.force
def import_(path: Path, classes: int | None, like: str | None, out: Path | None, force: bool) -> None:
    """Convert a generator from an .h5 or .keras file of Keras to an .onnx model. No code in the file is run.

    A .png file of the same name shows 64 of its images.
    """
    out = options.output_path(out, f"{path.stem}.onnx", force=force)
    check_path("onnx", out)
    sheet = out.with_suffix(".png")
    for output in (out, sheet):
        check_new_path(output, force=force)
        if output.is_dir():
            raise InputError(f"{output} is a folder: choose another --out")
    with atomic_file(out) as temporary:  # If the sheet cannot be written, the model is not written either.
        imported = import_generator(path, temporary, classes=classes, like=like)
        generator = Generator.load(temporary)
        save_picture(sheet, grid(generator.generate(SHEET_IMAGES), columns=class_columns(len(generator.class_names))))
    source = click.format_filename(path)
    with_classes = f" and {len(imported.class_names)} classes" if imported.class_names else ""
    size = "×".join(map(str, imported.image_shape))
    lowest, highest = imported.pixel_range
    click.echo(f"{out}: latents of {imported.latent_dim} numbers{with_classes} -> {size} images")
    click.echo(
        f"pixels in [-1, 1], scaled from [{lowest:.4g}, {highest:.4g}], differ by at most "
        f"{imported.largest_difference:.1e} from those of {source}"
    )
    if imported.part:
        click.echo(f"the generator is {imported.part}; the discriminator after it is left out")
    click.echo(f"sheet    {sheet}")


@options.verb(examples=("fashion-gan explore --open", "fashion-gan explore --model runs/0001-fashion"))
@options.model
@options.option(
    "--port",
    type=int,
    default=8000,
    show_default=True,
    metavar="PORT",
    help="Port on 127.0.0.1, up to 65,535. 0 picks a free one.",
    group="Server",
)
@options.option(
    "--open/--no-open", "open_browser", default=False, help="Open the page in your browser.", group="Server"
)
def explore(model: str, port: int, open_browser: bool) -> None:
    """Open a page in which you play with a generator: images, variations, blends and films."""
    from fashion_gan.explorer import run_server

    run_server.explore(
        model, port, open_browser=open_browser, on_ready=lambda url: click.echo(f"explore  {url}  (Ctrl-C stops it)")
    )


@options.verb(
    examples=(
        "fashion-gan push runs/0001-fashion someone/my-gan",
        "fashion-gan push synth someone/my-dataset --private",
    )
)
@click.argument("model", metavar="RUN|DATASET|NAME", type=options.Model())
@click.argument("repository", metavar="USER/NAME")
@options.option("--private", is_flag=True, help="A new repository is visible to its owner only.", group="Hub")
@options.option(
    "--best",
    is_flag=True,
    help="Push a run's checkpoint with the best score, not the newest.",
    group="Model",
)
def push(model: str, repository: str, private: bool, best: bool) -> None:
    """Put a run, or a data set that `dataset` wrote, on the Hugging Face Hub.

    A model becomes ONNX and safetensors files with a card, a data set a Parquet file. Neither runs code. The
    environment variable HF_TOKEN holds your token.
    """
    click.echo(f"pushed   {api.push(model, repository, private=private, best=best)}")
