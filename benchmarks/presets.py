"""Train every preset for the same time, score all with the same protocols, and write docs/results.md with pictures.

    python benchmarks/presets.py --minutes 30      # takes hours; after an interruption, the same command continues
    python benchmarks/presets.py --minutes 0.1 --protocol ffd10k_test --runs build/trial --docs build/trial-docs

The presets train one after the other, with their default settings, each by ``fashion-gan train``. The newest
checkpoint is scored, not the best one. Pictures larger than 28×28 are scored at 28×28; see "Protocols" in
docs/evaluation.md.
"""

import json
import sys
from pathlib import Path

import click
from processes import COMMAND, run_measured

import fashion_gan
from fashion_gan import cli
from fashion_gan.config import PRESETS
from fashion_gan.metrics.comparison import METRICS_FILE, read_metrics
from fashion_gan.metrics.metric_info import METRICS
from fashion_gan.metrics.protocols import PROTOCOLS, SETS
from fashion_gan.rendering.images import grid, save_picture
from fashion_gan.runs import Run

BY_HAND = "<!-- From here on written by hand, and kept. -->"  # in docs/results.md
COLUMNS = ("ffd10k_test", "precision10k_test", "recall10k_test", "coverage10k_test", "two_sample10k_test")


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="Minutes of training for each preset.")
@click.option(
    "--preset",
    "presets",
    type=click.Choice(tuple(PRESETS)),
    multiple=True,
    default=tuple(PRESETS),
    help="Preset to train; repeat it for several. Default: all.",
)
@click.option(
    "--protocol",
    "protocols",
    type=click.Choice([*SETS, *PROTOCOLS]),
    multiple=True,
    default=("full",),
    help="Protocol to measure; repeat it for several. Default: full.",
)
@click.option("--runs", type=click.Path(path_type=Path), default=Path("build/presets"), show_default=True)
@click.option("--docs", type=click.Path(path_type=Path), default=Path("docs"), show_default=True)
def main(minutes, presets, protocols, runs, docs):
    (docs / "results").mkdir(parents=True, exist_ok=True)
    rows = []
    for preset in presets:
        run = finished_run(preset, runs, minutes)
        if not (run.report_folder / METRICS_FILE).exists():
            fashion_gan.evaluate(run.path, protocols=protocols, report=run.report_folder)
        rows.append(table_row(run))
        images = fashion_gan.load_generator(run.path).generate(100, seed=0)
        save_picture(docs / "results" / f"{preset}.png", grid(images, columns=10))
        (docs / "results" / f"{preset}-curve.png").write_bytes(run.training_curve_path.read_bytes())
    results = docs / "results.md"
    written_by_hand = results.read_text().partition(BY_HAND)[2] if results.exists() else "\n"
    results.write_text(f"{page(rows, minutes, protocols)}\n{BY_HAND}{written_by_hand}")
    click.echo(results)


def finished_run(preset, runs, minutes):
    """The preset's run in this folder: started if there is none, and resumed if it is not finished."""
    paths = sorted(runs.glob(f"*-{preset}"))
    if paths and Run.open(paths[-1]).generator_path.exists():
        return Run.open(paths[-1])
    options = ["--resume", paths[-1]] if paths else ["--preset", preset, "--minutes", minutes, "--out", runs]
    # In a process of its own: TensorFlow sets its number of threads once per process.
    run_measured([*COMMAND, "train", *options])
    return Run.open(sorted(runs.glob(f"*-{preset}"))[-1])


def table_row(run):
    return {
        "preset": run.config.preset,
        "images": int(run.read_log()["images"][-1]),
        "parameters": fashion_gan.load_gan(run.path).generator.count_params(),
        "environment": json.loads(run.environment_path.read_text()),
        "metrics": read_metrics(run.path).metrics,
    }


def page(rows, minutes, protocols):
    names = [name for name in COLUMNS if any(name in row["metrics"] for row in rows)]
    environment = rows[0]["environment"]
    lines = [
        "# Results of the presets",
        "",
        f"Each preset trains from nothing for {minutes:g} minutes, with its default settings, on "
        f"{environment['processors']} cores of {environment['processor']}, TensorFlow, seed 0. `fashion-gan evaluate` "
        "scores the averaged weights of the newest checkpoint. The command is `python benchmarks/presets.py "
        f"--minutes {minutes:g} {' '.join(f'--protocol {name}' for name in protocols)}`. "
        "[evaluation.md](evaluation.md) explains the metrics. Larger pictures are scored at 28×28.",
        "",
        f"| preset | parameters of G | images seen | {' | '.join(METRICS[name].title for name in names)} |",
        "|" + "---|" * (3 + len(names)),
    ]
    for row in rows:
        values = [METRICS[name].show(row["metrics"][name].value) for name in names]
        lines.append(f"| `{row['preset']}` | {row['parameters']:,} | {row['images']:,} | {' | '.join(values)} |")
    baselines = [METRICS[name].show(rows[0]["metrics"][name].real_baseline) for name in names]
    lines += [f"| real images | | | {' | '.join(baselines)} |", ""]
    for row in rows:
        name = row["preset"]
        lines += [f"## `{name}`", "", f"![a hundred pictures](results/{name}.png)", ""]
        lines += [f"![losses, D(real) and D(fake)](results/{name}-curve.png)", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(cli.run(main, "presets.py"))
