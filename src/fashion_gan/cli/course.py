"""The verb that gives a learner the course."""

from pathlib import Path

import click

from fashion_gan.api.course import copy_course, open_jupyter
from fashion_gan.cli import options


@options.verb(examples=("fashion-gan course", "fashion-gan course my-course --no-open"))
@click.argument("folder", type=options.UserPath(), metavar="[FOLDER]", default="gan-course")
@options.option(
    "--open/--no-open",
    "open_notebooks",
    default=True,
    help="Open the folder in JupyterLab. [default: on]",
    group="Output",
)
@click.pass_context
def course(context: click.Context, folder: Path, open_notebooks: bool) -> None:
    """Learn how GANs work: copy seven notebooks to a folder of your own and open them.

    The folder is gan-course, unless you name another. Files that are there stay as they are, so that the same command
    opens your work again.
    """
    copied = copy_course(folder)
    kept = f", {len(copied.kept)} kept as they are" if copied.kept else ""
    click.echo(f"{copied.folder}: {len(copied.new)} files written{kept}")
    if open_notebooks:
        click.echo("JupyterLab opens in your browser: start with chapter 1 (Ctrl-C stops it)")
        context.exit(open_jupyter(copied.folder))
