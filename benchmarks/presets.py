"""Train every preset for the same minutes, score all by the same protocols, and write docs/results.md with pictures.

    python benchmarks/presets.py --minutes 30      # hours; cut off, the same command goes on
    python benchmarks/presets.py --minutes 0.1 --protocol ffd10k_test --runs build/trial --docs build/trial-docs

One after the other, by the command that a user would type: nothing is tuned, and no checkpoint chosen. What draws
larger pictures than 28×28 is scored at 28×28; see ``sources.as_small``.
"""

import json
import sys
from pathlib import Path

import click

import fashion_gan
from fashion_gan import cli, pictures
from fashion_gan.config import PRESETS
from fashion_gan.metrics.comparison import METRICS_FILE
from fashion_gan.metrics.figures import MEANINGS
from fashion_gan.metrics.protocols import PROTOCOLS, SETS
from fashion_gan.runs import Run

BY_HAND = "<!-- From here on written by hand, and kept. -->"
COLUMNS = ("ffd10k_test", "precision10k_test", "recall10k_test", "coverage10k_test", "two_sample10k_test")


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="of training, each")
@click.option("--preset", "presets", type=click.Choice(tuple(PRESETS)), multiple=True, default=tuple(PRESETS))
@click.option("--protocol", "protocols", type=click.Choice([*SETS, *PROTOCOLS]), multiple=True, default=("full",))
@click.option("--runs", type=click.Path(path_type=Path), default=Path("build/presets"), show_default=True)
@click.option("--docs", type=click.Path(path_type=Path), default=Path("docs"), show_default=True)
def main(minutes, presets, protocols, runs, docs):
    (docs / "results").mkdir(parents=True, exist_ok=True)
    rows = []
    for preset in presets:
        run = trained(preset, runs, minutes)
        if not (run.path / "report" / METRICS_FILE).exists():
            fashion_gan.evaluate(run.path, protocols=protocols, report=run.path / "report")
        rows.append(row(run))
        images = fashion_gan.load_generator(run.path).generate(100, seed=0)
        pictures.save_png(docs / "results" / f"{preset}.png", pictures.grid(images, columns=10))
        (docs / "results" / f"{preset}-curve.png").write_bytes((run.path / "training_curve.png").read_bytes())
    results = docs / "results.md"
    kept = results.read_text().partition(BY_HAND)[2] if results.exists() else "\n"
    results.write_text(f"{page(rows, minutes, protocols)}\n{BY_HAND}{kept}")
    click.echo(results)


def trained(preset, runs, minutes):
    """The finished run of a preset: found, gone on with, or begun."""
    found = sorted(runs.glob(f"*-{preset}"))
    if not found:
        return fashion_gan.train(preset, out=runs, minutes=minutes)
    run = Run.open(found[-1])
    return run if (run.path / "generator.keras").exists() else fashion_gan.resume(run.path)


def row(run):
    log, values = run.read_log(), json.loads((run.path / "report" / METRICS_FILE).read_text())
    return {
        "preset": run.config.preset,
        "images": int(log["images"][-1]),
        "minutes": log["seconds"][-1] / 60,
        "parameters": fashion_gan.load_gan(run.path).generator.count_params(),
        "environment": json.loads((run.path / "environment.json").read_text()),
        "figures": values["figures"],
    }


def page(rows, minutes, protocols):
    names = [name for name in COLUMNS if any(name in row["figures"] for row in rows)]
    environment = rows[0]["environment"]
    lines = [
        "# Results of the presets",
        "",
        f"Each preset as it is, {minutes:g} minutes from nothing on {environment['processors']} cores of "
        f"{environment['processor']}, TensorFlow, seed 0; the newest checkpoint's averaged weights, scored by "
        "`fashion-gan evaluate`. Made by `python benchmarks/presets.py "
        f"--minutes {minutes:g} {' '.join(f'--protocol {name}' for name in protocols)}`; what the figures mean is in "
        "[evaluation.md](evaluation.md). What draws larger pictures is scored at 28×28.",
        "",
        f"| preset | parameters of G | images seen | {' | '.join(MEANINGS[name].title for name in names)} |",
        "|" + "---|" * (3 + len(names)),
    ]
    for one in rows:
        shown = [MEANINGS[name].show(one["figures"][name]["value"]) for name in names]
        lines.append(f"| `{one['preset']}` | {one['parameters']:,} | {one['images']:,} | {' | '.join(shown)} |")
    floors = [MEANINGS[name].show(rows[0]["figures"][name]["floor"]) for name in names]
    lines += [f"| real images | | | {' | '.join(floors)} |", ""]
    for one in rows:
        name = one["preset"]
        lines += [f"## `{name}`", "", f"![a hundred pictures](results/{name}.png)", ""]
        lines += [f"![losses, D(real) and D(fake)](results/{name}-curve.png)", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(cli.run(main, "presets.py"))
