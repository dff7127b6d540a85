"""Train the preset ``pictures`` on icons, letters and small sets of clothes, and score the results.

    python benchmarks/picture_sets.py sets     # fetches the pictures
    python benchmarks/own_pictures.py sets     # takes hours; after an interruption, the same command continues
    python benchmarks/own_pictures.py sets icons-10 letters-30     # only these recipes
    python benchmarks/own_pictures.py --tables                     # only print the tables, from docs/results

A recipe is a set, the options of ``fashion-gan train`` and a number of images. The number of images stands for minutes
on two cores without other work, so that other work on the machine does not change a result. Each training runs in a
process of its own, with seed 0. Its newest checkpoint is scored. The results, and a picture of each recipe, go into
docs/results. The tables are printed.
"""

import dataclasses
import json
import sys
from pathlib import Path

import click
import numpy as np
from leaderboard import machine
from processes import COMMAND, run_measured

import fashion_gan
from fashion_gan import cli
from fashion_gan.api.labeled_pictures import find_labeled_pictures
from fashion_gan.errors import InputError
from fashion_gan.metrics import classifiers
from fashion_gan.rendering.images import grid, save_picture
from fashion_gan.runs import Run

DOCS = Path(__file__).resolve().parents[1] / "docs"
RESULTS_FILE = "own_pictures.json"
SCORED_IMAGES = 10_000
SYMMETRIC_LETTERS = "AHI"  # whose mirror images are letters too
COLUMNS = {  # of the table of each kind of pictures
    "icons": {
        "frechet": "Fréchet distance",
        "recall": "recall",
        "two_sample": "told apart",
        "closer_than_real": "closer to training",
    },
    "letters": {
        "frechet": "Fréchet distance",
        "gan_test": "asked class",
        "mirrored": "mirrored",
        "closer_than_real": "closer to training",
    },
    "clothes": {
        "ffd10k_test": "Fréchet distance of clothes",
        "recall": "recall",
        "two_sample": "told apart",
        "closer_than_real": "closer to training",
    },
}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A training: its name, the set, the images that it sees, and options of ``train``."""

    name: str
    data: str
    images: int
    options: tuple[str, ...] = ()


ICONS = ("--channels", "3", "--background", "white")
WAYS = {"plain": ("--no-augment",), "augment": (), "from-fashion": ("--init-from", "fashion", "--augment")}
RECIPES = (
    Recipe("icons-10", "emoji", 150_000, ICONS),
    Recipe("icons-30", "emoji", 450_000, ICONS),
    Recipe("letters-30", "letters", 450_000),
    *(  # 15 minutes
        Recipe(f"clothes-{count}-{way}", f"clothes-{count}", 900_000, options)
        for count in (100, 1000, 5000)
        for way, options in WAYS.items()
    ),
)


@click.command()
@click.argument("sets", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("names", nargs=-1, type=click.Choice([recipe.name for recipe in RECIPES]))
@click.option("--tables", is_flag=True, help="Train and score nothing; print the tables from docs/results.")
@click.option("--scale", default=1.0, show_default=True, help="Factor of every recipe's images, for a trial.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("build/own_pictures"), show_default=True)
@click.option("--docs", type=click.Path(path_type=Path), default=DOCS, show_default=True)
def main(sets, names, tables, scale, runs, docs):
    if not (tables or sets):
        raise InputError("SETS is missing: the folder that benchmarks/picture_sets.py has made")
    results = docs / "results"
    results.mkdir(parents=True, exist_ok=True)
    path = results / RESULTS_FILE
    rows = json.loads(path.read_text()) if path.exists() else {}
    for recipe in () if tables else RECIPES:
        if recipe.name in rows or (names and recipe.name not in names):
            continue
        run = trained_run(recipe, sets, runs, scale)
        rows[recipe.name] = {**facts(run), "metrics": score(run), **machine()}
        save_picture(results / f"{recipe.name}.png", pictures(run))
        path.write_text(json.dumps(rows, indent=2) + "\n")
        print(f"{recipe.name:<24}{rows[recipe.name]}", flush=True)
    print(tables_of(rows))


def trained_run(recipe, sets, runs, scale):
    """The recipe's run: a new one, or the one that was interrupted."""
    folder = runs / recipe.name
    started = sorted(folder.glob("*-*"))
    steps = ["--steps", round(recipe.images * scale) // 32]
    start = ["--resume", started[-1]] if started else ["--data", sets / recipe.data, *recipe.options, *steps]
    run_measured([*COMMAND, "train", *start, *([] if started else ["--out", folder])])
    return Run.open(sorted(folder.glob("*-*"))[-1])


def facts(run):
    log = run.read_log()
    seen, seconds = int(log["images"][-1]), float(log["seconds"][-1])
    return {"images": seen, "images_per_second": round(seen / seconds, 1)}


def score(run):
    """The figures of this run, each with the value of real pictures."""
    is_lettered = run.config.conditional and "letters" in str(run.config.data)
    protocols = ["standard", "two_sample", *(["gan_train"] if is_lettered else [])]
    values = dict(fashion_gan.evaluate(run, protocols=protocols).metrics)
    generator = fashion_gan.load_generator(run)
    if "clothes" in str(run.config.data):
        values |= fashion_gan.evaluate(generator.generate(SCORED_IMAGES), protocols="ffd10k_test").metrics
    figures = {name: [value.value, value.real_baseline] for name, value in values.items()}
    return figures | ({"mirrored": mirrored_shares(run, generator)} if is_lettered else {})


def mirrored_shares(run, generator):
    """The share of generated letters that look mirrored, and that of real ones, to a classifier that knows both."""
    letters = find_labeled_pictures(run, generator)
    asked = generator.labels(SCORED_IMAGES)
    images = generator.generate(SCORED_IMAGES)
    symmetric = [generator.class_names.index(name) for name in SYMMETRIC_LETTERS]
    known, real, drawn = (
        pictures[~np.isin(labels, symmetric)]
        for pictures, labels in (
            (letters.train.images, letters.train.labels),
            (letters.test.images, letters.test.labels),
            (images, asked),
        )
    )
    both = np.concatenate([known, known[:, :, ::-1]])
    labels = np.repeat([0, 1], len(known)).astype(np.int32)
    classifier = classifiers.train_classifier(both, labels, 0, "letters and mirrored letters")
    return [float(classifiers.predict_classes(classifier, pictures).mean()) for pictures in (drawn, real)]


def pictures(run):
    """A hundred pictures; of each class ten, if there are ten."""
    return grid(fashion_gan.load_generator(run).generate(100, seed=0), columns=10)


def tables_of(rows):
    """A table for each kind of pictures."""
    return "\n\n".join(
        table({name: row for name, row in rows.items() if name.startswith(kind)}, columns)
        for kind, columns in COLUMNS.items()
        if any(name.startswith(kind) for name in rows)
    )


def table(rows, columns):
    lines = ["| recipe | images seen | " + " | ".join(columns.values()) + " |", "|---|" + "---:|" * (1 + len(columns))]
    for recipe in RECIPES:
        if recipe.name in rows:
            row = rows[recipe.name]
            cells = [shown(*row["metrics"].get(name, (None, None))) for name in columns]
            lines.append(f"| {recipe.name} | {row['images']:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def shown(value, real):
    """A figure, and that of real pictures in parentheses."""
    if value is None:
        return ""
    return f"{value:.3g}" if real is None else f"{value:.3g} ({real:.3g})"


if __name__ == "__main__":
    sys.exit(cli.run(main, "own_pictures.py"))
