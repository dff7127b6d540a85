"""The verbs that measure."""

from pathlib import Path
from typing import Any

import click

from fashion_gan.cli import options, statuses
from fashion_gan.errors import InputError


@click.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="NAME|RUN|MODEL|FOLDER|NPZ", required=False)
@click.option(
    "--protocol", "protocols", multiple=True, metavar="NAME", help="standard (without it), full, or one by its name"
)
@click.option("--labels", type=click.Path(path_type=Path), help="the images' classes: .npy, or text with one a line")
@click.option("--seed", type=int, default=0, show_default=True, help="of a generator's images")
@click.option("--seeds", type=int, default=1, show_default=True, help="draw so many times; mean and deviation")
@click.option("--report", type=click.Path(path_type=Path), help="folder (RUN/report, or ./report)")
@options.data
@options.weights
@click.option("--self-check", is_flag=True, help="score damaged real images: does each figure see what it should?")
@click.option("--force", is_flag=True, help="overwrite a report that is there")
def evaluate(
    path: Path | None,
    protocols: tuple[str, ...],
    labels: Path | None,
    seed: int,
    seeds: int,
    report: Path | None,
    data: str | None,
    raw: bool,
    best: bool,
    self_check: bool,
    force: bool,
) -> None:
    """Measure how good images are: of a run, a model file, a folder of pictures, or an .npz of any system's."""
    from fashion_gan import evaluation

    if self_check:
        if not _print_checks(evaluation.check_metrics(data)):
            raise click.exceptions.Exit(statuses.FAILED)
        return
    if path is None:
        raise InputError("what is to be scored? name a run, a model file, a folder of pictures or an .npz")
    folder = report or (path / "report" if (path / "config.json").is_file() else Path("report"))
    if path.exists() and (folder / "metrics.json").exists() and not force:
        raise InputError(f"{folder} holds a report already: name another --report, or add --force")
    found, page = evaluation.evaluate(
        path,
        protocols=protocols or ("standard",),
        labels=labels,
        seed=seed,
        seeds=seeds,
        report=folder,
        data=data,
        raw=raw,
        best=best,
    )
    click.echo(evaluation.table(found))
    click.echo(f"\nreport   {page}")


def _print_checks(checks: list[Any]) -> bool:
    from fashion_gan.metrics.figures import MEANINGS

    click.echo(f"{'damage':<24}{'figure':<22}{'none':>9}{'weak':>9}{'strong':>9}")
    for check in checks:
        none, weak, strong = (MEANINGS[check.figure].show(value) for value in check.values)
        verdict = "seen" if check.passed else "NOT SEEN"
        click.echo(f"{check.damage:<24}{check.figure:<22}{none:>9}{weak:>9}{strong:>9}  {verdict}")
    return all(check.passed for check in checks)


@click.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
def compare(first: Path, second: Path) -> None:
    """Say which of two evaluated models is better, as far as their figures can tell.

    FIRST and SECOND are reports of `evaluate`: a run, a report's folder, or a metrics.json.
    """
    from fashion_gan import evaluation

    click.echo(evaluation.comparison(first, second))


@click.command("augment-test")
@options.model
@click.option(
    "--real-per-class",
    default="10,50,200",
    show_default=True,
    metavar="NUMBERS",
    callback=options.numbers,
    help="real training images of each class",
)
@click.option("--synthetic-per-class", type=int, default=500, show_default=True, help="generated images of each class")
@click.option("--seeds", type=int, default=3, show_default=True, help="draw and train so many times; 2 or more")
@click.option("--steps", type=int, default=500, show_default=True, help="of 64 images, of every training alike")
@options.truncation
@options.data
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("augment-test"), help="folder for the figures (augment-test)"
)
@click.option("--force", is_flag=True, help="replace what is there")
def augment_test(model: str, **settings: Any) -> None:
    """Measure whether generated images beside few real ones teach a classifier more. Takes minutes."""
    from fashion_gan import trial

    found = trial.augment_test(model, **settings)
    click.echo(trial.table(found))
    click.echo(f"\nplot     {settings['out'] / trial.PLOT}")
