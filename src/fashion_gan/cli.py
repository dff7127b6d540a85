"""The command ``fashion-gan``: verbs that parse, call and print."""

import dataclasses
import os
import signal
import sys
import types
from pathlib import Path
from typing import Any, get_args

import click
import numpy as np
from click.core import ParameterSource

from fashion_gan import __version__, files, launch, pictures
from fashion_gan.config import Config
from fashion_gan.datasets import CLASS_NAMES, load_fashion_mnist
from fashion_gan.errors import InputError, TrainingDiverged
from fashion_gan.export import FORMATS, check_path
from fashion_gan.generator import Generator

STATUS_FAILED, STATUS_BAD_INPUT, STATUS_INTERRUPTED = 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status. What the user can mend is one line on standard error, status 2."""
    if arguments is None:  # The process is this command's own. Schedulers end it with SIGTERM: the same as Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        # Outside its standalone mode, click returns what a command's Exit says.
        return int(app.main(args=arguments, prog_name="fashion-gan", standalone_mode=False) or 0)
    except click.ClickException as error:
        return _fail(error.format_message(), STATUS_BAD_INPUT)
    except InputError as error:
        return _fail(str(error), STATUS_BAD_INPUT)
    except TrainingDiverged as error:
        return _fail(str(error), STATUS_FAILED)
    except OSError as error:
        if error.errno is None:
            raise
        return _fail(f"{error.filename or 'writing'}: {error.strerror}", STATUS_BAD_INPUT)
    except click.Abort as abort:  # What click makes of a KeyboardInterrupt, which says how to go on.
        return _fail(str(abort.__cause__ or "") or "stopped", STATUS_INTERRUPTED)


def _fail(message: str, status: int) -> int:
    print(f"fashion-gan: {' '.join(message.split())}", file=sys.stderr)
    return status


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="fashion-gan %(version)s")
def app() -> None:
    """Train, measure, explore and ship GANs on Fashion-MNIST or on your own pictures."""


def _setting_options(command: Any) -> Any:
    """One option for each setting of ``Config``, from its type and its text."""
    for field in reversed(dataclasses.fields(Config)):
        if field.name == "class_names":  # They come with the data.
            continue
        kind = get_args(field.type)[0] if isinstance(field.type, types.UnionType) else field.type
        flag = "--" + field.name.replace("_", "-")
        text = field.metadata["text"]
        if "allowed" in field.metadata and kind is str:
            text += f": {', '.join(field.metadata['allowed'])}"
        if kind is bool:
            option = click.option(f"{flag}/--no-{flag[2:]}", default=None, help=text)
        else:
            option = click.option(flag, type=kind, default=None, help=text)
        command = option(command)
    return command


@app.command()
@_setting_options
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), help="folder for run folders (runs)")
@click.option("--resume", "run_path", type=click.Path(path_type=Path), metavar="RUN", help="go on with this run")
@click.option("--dry-run", is_flag=True, help="print the configuration and stop")
def train(out: Path, run_path: Path | None, dry_run: bool, **settings: Any) -> None:
    """Train a GAN; its folder gets pictures, curves, a film, checkpoints and the generator.

    What is left out comes from the preset.
    """
    preset = settings.pop("preset")
    if run_path is None:
        config, dataset = launch.plan(preset or "transposed", **settings)
    else:
        run, dataset = launch.plan_resume(run_path, preset=preset, **settings)
        config = run.config
    held_out = " (5,000 of them held out, to score by)" if config.evaluate_every else ""
    click.echo(f"fashion-gan {__version__}\n{config}")
    click.echo(f"  trains on        {len(dataset.images)} images{held_out}: {dataset.source}")
    if dry_run:
        return
    run = launch.begin(config, dataset, out) if run_path is None else launch.go_on(run, dataset)
    click.echo(f"run      {run.path}\nsample   {run.last_sample}")


@app.command()
@click.option("--data", type=click.Path(), help="folder of the four Fashion-MNIST files")
@click.option("--out", type=click.Path(path_type=Path), default=Path("fashion_mnist.png"), help="the contact sheet")
def data(data: str | None, out: Path) -> None:
    """Show where Fashion-MNIST is and what it holds, and draw ten of each class."""
    train_split, test_split = (load_fashion_mnist(split, data) for split in ("train", "test"))
    for name, split in (("train", train_split), ("test", test_split)):
        shares = np.bincount(split.images.reshape(-1), minlength=256) / split.images.size
        mean = shares @ np.arange(256)
        deviation = (shares @ (np.arange(256) - mean) ** 2) ** 0.5
        click.echo(f"{name:<6}{len(split.images):>7} images from {split.source}")
        click.echo(f"      pixels in [0, 255]: mean {mean:.2f}, deviation {deviation:.2f}")
    click.echo(f"\n{'class':<14}{'train':>7}{'test':>7}")
    for number, name in enumerate(CLASS_NAMES):
        counts = [int((split.labels == number).sum()) for split in (train_split, test_split)]
        click.echo(f"{number} {name:<12}{counts[0]:>7}{counts[1]:>7}")
    sheet = pictures.contact_sheet(train_split.images, train_split.labels, CLASS_NAMES, per_class=10)
    pictures.save_png(out, sheet)
    click.echo(f"\nten of each class: {out}")


NEAR_DUPLICATE_LEVELS = 10.0


@app.command()
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
@click.option(
    "--model", default="fashion", show_default=True, metavar="NAME|RUN|FILE", help="a shipped model, a run or a file"
)
@click.option("--seed", type=int, default=0, show_default=True, help="the same seed gives the same images")
@click.option("--truncation", type=float, default=1.0, show_default=True, help="below 1: more typical, less varied")
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


def _numbers(context: click.Context, option: click.Parameter, text: str) -> tuple[int, ...]:
    """Whole numbers with commas between them."""
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise InputError(
            f"{option.name}={text!r} must be whole numbers with commas between them, such as {option.default}"
        ) from None


@app.command("augment-test")
@click.option(
    "--model", default="fashion", show_default=True, metavar="NAME|RUN|FILE", help="a shipped model, a run or a file"
)
@click.option(
    "--real-per-class",
    default="10,50,200",
    show_default=True,
    metavar="NUMBERS",
    callback=_numbers,
    help="real training images of each class",
)
@click.option("--synthetic-per-class", type=int, default=500, show_default=True, help="generated images of each class")
@click.option("--seeds", type=int, default=3, show_default=True, help="draw and train so many times; 2 or more")
@click.option("--steps", type=int, default=500, show_default=True, help="of 64 images, of every training alike")
@click.option("--truncation", type=float, default=1.0, show_default=True, help="below 1: more typical, less varied")
@click.option("--data", type=click.Path(), help="folder of the four Fashion-MNIST files")
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


DEFAULT_NAMES = {"grid": "generated.png", "png": "generated", "npz": "generated.npz", "walk": "interpolation.png"}
SUFFIXES = {"grid": (".png",), "npz": (".npz",), "walk": (".png", ".gif")}


@app.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="NAME|RUN|MODEL|FOLDER|NPZ", required=False)
@click.option(
    "--protocol", "protocols", multiple=True, metavar="NAME", help="standard (without it), full, or one by its name"
)
@click.option("--labels", type=click.Path(path_type=Path), help="the images' classes: .npy, or text with one a line")
@click.option("--seed", type=int, default=0, show_default=True, help="of a generator's images")
@click.option("--seeds", type=int, default=1, show_default=True, help="draw so many times; mean and deviation")
@click.option("--report", type=click.Path(path_type=Path), help="folder (RUN/report, or ./report)")
@click.option("--data", type=click.Path(), help="folder of the four Fashion-MNIST files")
@click.option("--raw", is_flag=True, help="the weights as trained, not their moving average (of a run only)")
@click.option("--best", is_flag=True, help="the best checkpoint by --evaluate-every (of a run only)")
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
            raise click.exceptions.Exit(STATUS_FAILED)
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


@app.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
def compare(first: Path, second: Path) -> None:
    """Say which of two evaluated models is better, as far as their figures can tell.

    FIRST and SECOND are reports of `evaluate`: a run, a report's folder, or a metrics.json.
    """
    from fashion_gan import evaluation

    click.echo(evaluation.comparison(first, second))


@app.command()
@click.option(
    "--model", default="fashion", show_default=True, metavar="NAME|RUN|FILE", help="a shipped model, a run or a file"
)
@click.option("--count", type=int, default=64, show_default=True, help="how many pictures")
@click.option("--seed", type=int, default=0, show_default=True, help="the same seed gives the same pictures")
@click.option("--label", help="a class, by name or number; without it, the classes in turn")
@click.option("--truncation", type=float, default=1.0, show_default=True, help="below 1: more typical, less varied")
@click.option("--format", "kind", type=click.Choice(["grid", "png", "npz"]), default="grid", show_default=True)
@click.option(
    "--interpolate", type=int, nargs=2, metavar="SEED SEED", help="walk between two seeds: a strip, or a .gif"
)
@click.option("--frames", type=int, default=16, show_default=True, help="pictures of a walk")
@click.option("--raw", is_flag=True, help="the weights as trained, not their moving average (of a run only)")
@click.option("--best", is_flag=True, help="the best checkpoint by --evaluate-every (of a run only)")
@click.option("--out", type=click.Path(path_type=Path), help="file, or folder for --format png")
@click.option("--force", is_flag=True, help="overwrite what is there")
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
        _refuse_given("--interpolate", "count", "seed", "truncation", "kind")
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
        _save_images(out, kind, images, generator, label)
    click.echo(f"{len(images)} pictures: {out}")


def _refuse_given(option: str, *names: str) -> None:
    """Raise InputError where an option was given that says nothing beside another."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise InputError(f"{option} does not go with {parameter.opts[0]}")


def _save_images(out: Path, kind: str, images: Any, generator: Generator, label: str | None) -> None:
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


@app.command()
@click.argument("model", metavar="NAME|RUN|MODEL")
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), required=True)
@click.option("--raw", is_flag=True, help="the weights as trained, not their moving average (of a run only)")
@click.option("--best", is_flag=True, help="the best checkpoint by --evaluate-every (of a run only)")
@click.option("--out", type=click.Path(path_type=Path), help="file, or folder (named after the model, in this folder)")
@click.option("--force", is_flag=True, help="overwrite what is there")
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


@app.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE.h5")
@click.option("--out", type=click.Path(path_type=Path), help="the .onnx file (named after the other, in this folder)")
@click.option("--force", is_flag=True, help="overwrite what is there")
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
        _save_images(sheet, "grid", generator.generate(64), generator, None)
    classes = f" and {len(found.class_names)} classes" if found.class_names else ""
    size = "×".join(map(str, found.shape))
    click.echo(
        f"{out}: {found.latent_dim} latents{classes} -> {size}, in [{found.lowest:.4g}, {found.highest:.4g}] there"
    )
    source = click.format_filename(path)
    click.echo(f"pixels in [-1, 1] differ by at most {found.difference:.1e} from those of {source}\nsheet    {sheet}")


@app.command()
@click.option(
    "--model", default="fashion", show_default=True, metavar="NAME|RUN|FILE", help="a shipped model, a run or a file"
)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="on 127.0.0.1; 0: any")
@click.option("--open/--no-open", "open_browser", default=False, help="show the page in your browser")
def explore(model: str, port: int, open_browser: bool) -> None:
    """Open a page to play with a generator on: pictures, neighbours, blends, films."""
    from fashion_gan.explorer import serving

    serving.explore(
        model, port, open_browser=open_browser, say=lambda url: click.echo(f"explore  {url}  (Ctrl-C stops it)")
    )
