"""Rank generators of very different quality by the figures for pictures of any kind, and by Fashion-MNIST's own.

    python benchmarks/ranking.py     # an hour with the trainings; after an interruption, the same command continues

The generators are the TensorFlow tutorial's after 5 minutes, ``transposed`` after 5 minutes, ``fashion`` after 5 and
after 30 minutes, and the shipped one. Each draws 10,000 pictures, which are kept. The order is known: everybody who
looks at them would choose it. The figures must agree with it.
"""

import json
import sys
from pathlib import Path

import click
import numpy as np
from leaderboard import Recipe, produce

import fashion_gan
from fashion_gan import cli
from fashion_gan.rendering.tables import format_table

COUNT = 10_000
RECIPES = (
    Recipe("tutorial", 5),
    Recipe("transposed", 5),
    Recipe("fashion", 5),
    Recipe("fashion", 30),
    Recipe("shipped"),
)
OWN = ("ffd10k_test", "precision10k_test", "recall10k_test", "coverage10k_test")
GENERAL = ("frechet", "kernel", "precision", "recall", "coverage", "patches", "class_coverage")


@click.command()
@click.option("--scale", default=1.0, show_default=True, help="Factor of every recipe's minutes, for a trial.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/ranking"), show_default=True)
def main(scale, out):
    out.mkdir(parents=True, exist_ok=True)
    rows = {}
    for recipe in RECIPES:
        path = out / f"{recipe.name}.npz"
        if not path.exists():
            np.savez(path, **drawn(recipe, out, scale))
        own = fashion_gan.evaluate(path, protocols="ffd10k_test").metrics
        general = fashion_gan.evaluate(path, reference="fashion-mnist").metrics
        values = {**own, **general}
        names = [name for name in (*OWN, *GENERAL) if name in values]
        rows[recipe.name] = {name: [values[name].value, values[name].real_baseline] for name in names}
        (out / "ranking.json").write_text(json.dumps(rows, indent=2) + "\n")
        print(recipe.title, flush=True)
    print(table(rows))


def drawn(recipe, out, scale):
    """Train a recipe, and draw from it."""
    source, _, _ = produce(recipe, out, scale)
    if isinstance(source, np.ndarray):
        return {"images": source[:COUNT]}
    generator = fashion_gan.load_generator(source)
    images = generator.generate(COUNT)
    labels = generator.labels(COUNT)
    return {"images": images} if labels is None else {"images": images, "labels": labels}


def table(rows):
    """A row for each generator, and one for real pictures."""
    names = [name for name in (*OWN, *GENERAL) if any(name in row for row in rows.values())]
    lines = [["generator", *names]]
    for recipe, row in rows.items():
        lines.append([recipe, *(f"{row[name][0]:.3f}" if name in row else "" for name in names)])
    best = next(reversed(rows.values()))
    lines.append(["real pictures", *(f"{best[name][1]:.3f}" if name in best else "" for name in names)])
    return format_table(lines, "l" + "r" * len(names))


if __name__ == "__main__":
    sys.exit(cli.run(main, "ranking.py"))
