"""Train and score every recipe of the leaderboard on this machine, one after the other.

    python benchmarks/leaderboard.py         # takes hours; after an interruption, the same command continues
    python benchmarks/leaderboard.py --tables            # only write the tables, from docs/results
    python benchmarks/leaderboard.py --scale 0.02 --protocol ffd10k_test --runs build/trial --docs build/trial-docs

It writes ``leaderboard.json`` and a hundred pictures of each recipe into docs/results, and from them the tables of
docs/results.md and README.md.

A recipe is a preset and its minutes of training, the TensorFlow tutorial's loop, or the shipped model. Each training
runs by ``fashion-gan train`` in a process of its own, with the preset's default settings and seed 0. The newest
checkpoint is scored, not the best one. Pictures larger than 28×28 are scored at 28×28.

The learning rate of ``fashion`` falls to zero at the end of its budget, so each of its rows is a run of its own. In the
other presets it is constant, so their rows are stages of one run.
"""

import dataclasses
import datetime
import json
import re
import sys
from pathlib import Path

import click
from contestants import PlainLoop, SeparateProcess, tutorial_config
from processes import COMMAND, run_measured
from time_to_quality import SCORED_IMAGES, train_for

import fashion_gan
from fashion_gan import cli
from fashion_gan.config import PRESETS
from fashion_gan.errors import InputError
from fashion_gan.metrics.metric_info import METRICS
from fashion_gan.metrics.protocols import PROTOCOLS, SETS
from fashion_gan.rendering.images import grid, save_picture
from fashion_gan.runs import Run
from fashion_gan.system.environment import processor_name
from fashion_gan.system.parallel import available_cpus
from fashion_gan.version import __version__

README = Path(__file__).resolve().parents[1] / "README.md"
RESULTS_FILE = "leaderboard.json"
SCORE = "ffd10k_test"
COLUMNS = (SCORE, "precision10k_test", "recall10k_test", "coverage10k_test")
TUTORIAL_CHUNK_STEPS = 4  # steps between two looks at the clock
IN_README = ("tutorial-5", "transposed-5", "upsampling-5", "fashion-5", "fashion-30", "shipped")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One row: a preset, "tutorial" or "shipped", and its minutes of training in all."""

    system: str
    minutes: float = 0.0

    @property
    def name(self):
        return f"{self.system}-{self.minutes:g}" if self.minutes else self.system

    @property
    def title(self):
        system = "TensorFlow tutorial" if self.system == "tutorial" else self.system
        return f"{system}, {self.minutes:g} min" if self.minutes else f"{system} model"

    @property
    def command(self):
        if self.system == "tutorial":
            return "python benchmarks/leaderboard.py"
        train = f"fashion-gan train --preset {self.system} --minutes {self.minutes:g}"
        return train if self.minutes else "fashion-gan evaluate fashion"


# The rows of the README come first, so that they are measured in one sitting.
RECIPES = (
    Recipe("fashion", 5),
    Recipe("tutorial", 5),
    Recipe("transposed", 1),
    Recipe("transposed", 5),
    Recipe("upsampling", 1),
    Recipe("upsampling", 5),
    Recipe("fashion", 30),
    Recipe("shipped"),
    Recipe("fashion", 1),
    *(Recipe(preset, minutes) for preset in ("dcgan-64", "dcgan-128") for minutes in (1, 5)),
    *(Recipe(preset, 30) for preset in ("transposed", "upsampling", "dcgan-64", "dcgan-128")),
    *(Recipe(preset, minutes) for preset in ("fashion-64", "fashion-128") for minutes in (5, 30)),
)


@click.command()
@click.option("--tables", is_flag=True, help="Train and score nothing; write the tables from docs/results.")
@click.option("--scale", default=1.0, show_default=True, help="Factor of every recipe's minutes, for a trial.")
@click.option(
    "--protocol",
    "protocols",
    type=click.Choice([*SETS, *PROTOCOLS]),
    multiple=True,
    default=("standard",),
    help="Protocol to measure; repeat it for several. Default: standard.",
)
@click.option("--runs", type=click.Path(path_type=Path), default=Path("build/leaderboard"), show_default=True)
@click.option("--docs", type=click.Path(path_type=Path), default=Path("docs"), show_default=True)
def main(tables, scale, protocols, runs, docs):
    results = docs / "results"
    results.mkdir(parents=True, exist_ok=True)
    path = results / RESULTS_FILE
    rows = json.loads(path.read_text()) if path.exists() else {}
    for recipe in () if tables else RECIPES:
        if recipe.name in rows:
            continue
        source, pictures, facts = produce(recipe, runs, scale)
        rows[recipe.name] = {**facts, **score(source, protocols), **machine()}
        save_picture(results / f"{recipe.name}.png", grid(pictures, columns=10))
        path.write_text(json.dumps(rows, indent=2) + "\n")
        print(f"{recipe.name:<14}{rows[recipe.name]}", flush=True)
    if not rows:
        raise InputError(f"{path} has no result: run this without --tables first")
    (docs / "results.md").write_text(page(rows))
    if docs.resolve() == README.parent / "docs":
        write_between_markers(README, readme_table(rows))
    print(docs / "results.md")


def produce(recipe, runs, scale):
    """Train a recipe. Returns what ``evaluate`` scores, a hundred pictures, and what the training took."""
    if recipe.system == "tutorial":
        return produce_with_the_tutorial(recipe, scale)
    if not recipe.minutes:
        return "fashion", fashion_gan.Generator.from_pretrained("fashion").generate(100, seed=0), {}
    run = trained_run(recipe, runs, scale)
    log = run.read_log()
    seen, seconds = int(log["images"][-1]), float(log["seconds"][-1])
    pictures = fashion_gan.load_generator(run.path).generate(100, seed=0)
    return run.path, pictures, {"images": seen, "images_per_second": round(seen / seconds, 1)}


def trained_run(recipe, runs, scale):
    """The recipe's run: a new one, or the continued run of the recipe's last stage."""
    folder = runs / (recipe.name if PRESETS[recipe.system]["decay_fraction"] else recipe.system)
    started = sorted(folder.glob("*-*"))
    source = ["--resume", started[-1]] if started else ["--preset", recipe.system, "--out", folder]
    # In a process of its own: TensorFlow sets its number of threads once per process.
    run_measured([*COMMAND, "train", *source, "--minutes", recipe.minutes * scale])
    return Run.open(sorted(folder.glob("*-*"))[-1])


def produce_with_the_tutorial(recipe, scale):
    train_set = fashion_gan.load_fashion_mnist("train")
    config = tutorial_config(seed=0)
    loop = SeparateProcess(PlainLoop, config, train_set)
    loop.train(TUTORIAL_CHUNK_STEPS)  # Compiles. These few steps do not count.
    seconds, steps = train_for(loop, recipe.minutes * scale * 60, TUTORIAL_CHUNK_STEPS)
    seen = steps * config.batch_size
    images = loop.generate(SCORED_IMAGES, 0)
    return images, images[:100], {"images": seen, "images_per_second": round(seen / seconds, 1)}


def score(source, protocols):
    metrics = fashion_gan.evaluate(source, protocols=protocols).metrics
    values = {name: dataclasses.asdict(metrics[name]) for name in COLUMNS if name in metrics}
    kept = ("value", "interval", "real_baseline")
    return {"metrics": {name: {key: value[key] for key in kept} for name, value in values.items()}}


def machine():
    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{available_cpus()} cores of {processor_name()}",
        "version": __version__,
    }


def page(rows):
    """docs/results.md: a table of all recipes, and the pictures of each."""
    measured = sorted((recipe for recipe in RECIPES if recipe.name in rows), key=recipe_order)
    names = [name for name in COLUMNS if name in rows[measured[0].name]["metrics"]]
    lines = [
        "# Results",
        "",
        "Each preset trains from nothing with its default settings and seed 0. The metrics of `fashion-gan evaluate` "
        "score the averaged weights of the newest checkpoint. [Metrics](explanation/metrics.md) explains them. Larger "
        "pictures are scored at 28×28. The Fréchet distance has its 95% interval: how much the choice of images "
        "changes it. Another training would change it more. The command is `python benchmarks/leaderboard.py`, and it "
        "writes this page.",
        "",
        f"| recipe | images seen | {' | '.join(METRICS[name].title for name in names)} |",
        "|---|" + "---:|" * (1 + len(names)),
    ]
    for recipe in measured:
        row = rows[recipe.name]
        seen = f"{row['images']:,}" if "images" in row else "[lab book](lab/shipped_model.md)"
        values = [METRICS[name].show(row["metrics"][name]["value"]) for name in names]
        values[0] += f" ({' to '.join(METRICS[names[0]].show(end) for end in row['metrics'][names[0]]['interval'])})"
        lines.append(f"| {recipe.title} | {seen} | {' | '.join(values)} |")
    baselines = rows[measured[0].name]["metrics"]
    shown = [METRICS[name].show(baselines[name]["real_baseline"]) for name in names]
    lines += [f"| real images | | {' | '.join(shown)} |", "", f"Measured on {places(rows.values())}.", ""]
    for recipe in measured:
        lines += [f"## {recipe.title}", "", f"![A hundred pictures](results/{recipe.name}.png)", ""]
    return "\n".join(lines)


def recipe_order(recipe):
    systems = ("tutorial", *PRESETS, "shipped")
    return systems.index(recipe.system), recipe.minutes


def readme_table(rows):
    lines = [
        "| recipe | Fréchet distance | real images | images/s | measured | command |",
        "|---|---:|---:|---:|---|---|",
    ]
    for recipe in sorted(RECIPES, key=recipe_order):
        if recipe.name in IN_README and recipe.name in rows:
            row = rows[recipe.name]
            metric = row["metrics"][SCORE]
            shown = [METRICS[SCORE].show(metric[key]) for key in ("value", "real_baseline")]
            speed = f"{row['images_per_second']:,.0f}" if "images_per_second" in row else "–"
            cells = [recipe.title, *shown, speed, f"{row['machine']}, {row['date']}", f"`{recipe.command}`"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def places(rows):
    """The machines and the days of these rows."""
    found = {}
    for row in rows:
        found.setdefault((row["machine"], row["version"]), []).append(row["date"])
    return "; ".join(
        f"{machine}, version {version}, {min(dates)}" + (f" to {max(dates)}" if max(dates) > min(dates) else "")
        for (machine, version), dates in found.items()
    )


def write_between_markers(path, text):
    start, end = "<!-- leaderboard -->", "<!-- end of leaderboard -->"
    old = path.read_text()
    new = re.sub(f"(?<={start}\n).*?(?={end})", lambda _: f"{text}\n", old, flags=re.DOTALL)
    path.write_text(new)


if __name__ == "__main__":
    sys.exit(cli.run(main, "leaderboard.py"))
