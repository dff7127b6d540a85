"""The verbs that measure images: evaluate and compare."""

from pathlib import Path

import click

from fashion_gan.api import evaluate as api
from fashion_gan.cli import options
from fashion_gan.cli.exit_codes import FAILED
from fashion_gan.errors import InputError
from fashion_gan.metrics.comparison import METRICS_FILE
from fashion_gan.metrics.pictures.protocols import KINDS
from fashion_gan.metrics.protocols import PROTOCOLS, SETS
from fashion_gan.metrics.report import PAGE
from fashion_gan.runs import Run
from fashion_gan.saving.origins import is_shipped


def _complete_protocol(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The protocols, and sets of protocols, whose name starts with what is typed."""
    return [name for name in (*SETS, *PROTOCOLS, *KINDS) if name.startswith(incomplete)]


@options.verb(
    examples=(
        "fashion-gan evaluate runs/0001-fashion",
        "fashion-gan evaluate generated --reference pictures",
    )
)
@click.argument("path", type=options.Model(), metavar="[NAME|RUN|FILE|FOLDER|NPZ]", required=False)
@options.option(
    "--reference",
    type=options.Model(),
    metavar="FOLDER|FILE",
    help="Real pictures of any kind to compare with: a folder, an .npz, .npy or Parquet file, or fashion-mnist. By "
    "default a run's own data, and Fashion-MNIST for any other source.",
    group="Data",
)
@options.option(
    "--image-size",
    type=int,
    metavar="PIXELS",
    help="Height and width that the pictures of a folder are compared at. By default their own.",
    group="Data",
)
@options.option(
    "--features",
    type=options.UserPath(),
    metavar="FILE",
    help="ONNX feature network for pictures of any kind. By default a random network.",
    group="Measurement",
)
@options.option(
    "--protocol",
    "protocols",
    multiple=True,
    default=("standard",),
    show_default=True,
    metavar="NAME",
    shell_complete=_complete_protocol,
    help="Protocol or set of protocols to measure. The sets are standard and full. The option can be repeated.",
    group="Measurement",
)
@options.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    metavar="NUMBER",
    help="Seed of a generator's images, and of the order of a file's images.",
    group="Measurement",
)
@options.option(
    "--seeds",
    type=int,
    default=1,
    show_default=True,
    metavar="NUMBER",
    help="Number of draws from a generator. With several, the table shows the mean and the deviation.",
    group="Measurement",
)
@options.option(
    "--self-check",
    is_flag=True,
    help="Score damaged real images instead, and check that the metrics detect the damage. Takes minutes.",
    group="Measurement",
)
@options.option(
    "--labels",
    type=options.UserPath(),
    metavar="FILE",
    help="Classes of images that come without them: an .npy, .npz or CSV file, or a text file with one per line.",
    group="Data",
)
@options.data
@options.weights
@options.option(
    "--report",
    type=options.UserPath(),
    metavar="FOLDER",
    help="Folder of the report. By default RUN/report for a run, and ./report for any other source.",
    group="Output",
)
@options.force
def evaluate(
    path: str | None,
    reference: str | None,
    image_size: int | None,
    features: Path | None,
    protocols: tuple[str, ...],
    seed: int,
    seeds: int,
    self_check: bool,
    labels: Path | None,
    data: str | None,
    raw: bool,
    best: bool,
    report: Path | None,
    force: bool,
) -> None:
    """Score generated images against real ones and write a report.

    The images come from a shipped model, a run or a model file, or from any system: a folder of pictures, or an .npz,
    .npy or Parquet file. They are compared with Fashion-MNIST, with a run's own pictures, or with the pictures that
    `--reference` names.
    """
    if self_check:
        checks = api.check_metrics(data, reference, features, image_size)
        click.echo(checks)
        if not checks.passed:
            raise click.exceptions.Exit(FAILED)
        return
    if path is None:
        raise InputError("there is nothing to score: name a model, a run, a folder of pictures or an .npz")
    evaluation = api.evaluate(
        path,
        reference=reference,
        image_size=image_size,
        features=features,
        protocols=protocols,
        labels=labels,
        seed=seed,
        seeds=seeds,
        report=_report_folder(Path(path), report, force),
        data=data,
        raw=raw,
        best=best,
    )
    click.echo(evaluation)
    click.echo(f"\nreport   {evaluation.report_path}")


def _report_folder(source: Path, report: Path | None, force: bool) -> Path:
    """The folder for the report of a source. Raises InputError if it holds a report and ``force`` is not given."""
    folder = report or (source / "report" if Run.is_run(source) else Path("report"))
    can_be_scored = source.exists() or is_shipped(source)  # Anything else gets its own error.
    if can_be_scored and any((folder / name).exists() for name in (METRICS_FILE, PAGE)) and not force:
        raise InputError(f"{folder} already holds a report: choose another --report, or add --force")
    return folder


@options.verb(
    examples=(
        "fashion-gan compare runs/0001-fashion runs/0002-fashion",
        "fashion-gan compare report runs/0001-fashion/report/metrics.json",
    )
)
@click.argument("first", type=options.UserPath())
@click.argument("second", type=options.UserPath())
def compare(first: Path, second: Path) -> None:
    """Compare two evaluations, and print which one is better, if their metrics can show it.

    FIRST and SECOND are reports of `evaluate`: a run, a report's folder, or a metrics.json.
    """
    click.echo(api.compare(first, second))
