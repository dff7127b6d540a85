"""The Fréchet distance against minutes of training: the ``fashion`` preset and the tutorial's way, on this machine.

The two take turns, a slice of time each, so that both meet the machine's moods alike; the time to start, compile and
score does not count. Each has a process of its own, with TensorFlow's usual threads for the tutorial. After each slice
10,000 images are scored against the test set (``ffd10k_test``): ours by the averaged weights with the classes in turn,
the tutorial's by its own. No choice is made by these scores. Ours goes without the preset's cooldown, so that every
point is what one would have who stopped there. At the end both are scored on every figure that needs no classes asked
for; the tutorial may go on alone until then, to a number of images.

    python benchmarks/time_to_quality.py    # five minutes each, and about as long for the scores
    python benchmarks/time_to_quality.py --minutes 30 --tutorial-images 2196480    # two hours
"""

import functools
import json
import sys
import time
from pathlib import Path

import click
import matplotlib
from contestants import Apart, Ours, PlainLoop, tutorial_config

from fashion_gan import cli, evaluate, pictures
from fashion_gan.config import Config
from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.features import extract
from fashion_gan.metrics.figures import MEANINGS
from fashion_gan.metrics.protocols import PROTOCOLS
from fashion_gan.metrics.reference import Reference

CHUNK_STEPS = 50  # trained at a time, between looks at the clock
SCORED_IMAGES = 10_000
FINAL_PROTOCOLS = ("standard", "two_sample10k_test")


def train_for(contestant, seconds):
    """Train for about so long; returns the seconds and the images that it took."""
    start, steps = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < seconds:
        contestant.train(chunk_of(contestant))
        steps += chunk_of(contestant)
    return spent, steps * contestant.config.batch_size


def scored(curves, contestants, reference, seed, name, spent):
    """Add a row to a contestant's curve, of the (seconds, images) that it has just spent."""
    last, drawn = curves[name][-1], contestants[name].generate(SCORED_IMAGES, seed)
    score = frechet_distance(reference.test_gaussian, gaussian(extract(drawn).vectors))
    row = {"minutes": last["minutes"] + spent[0] / 60, "images": last["images"] + spent[1], "ffd10k_test": score}
    curves[name].append(row)
    print(f"{name:<9}{row['minutes']:6.2f} minutes {row['images']:9,} images  ffd10k_test {score:8.3f}", flush=True)


def final_figures(contestant, seed):
    """Figures by name, of what needs no classes asked for; printed."""
    images = contestant.generate(SCORED_IMAGES, seed)
    found, _ = evaluate(images, protocols=FINAL_PROTOCOLS, seed=seed)
    for name, figure in found.figures.items():
        print(f"  {MEANINGS[name].title}: {MEANINGS[name].show(figure.value)}", flush=True)
    return {name: figure.value for name, figure in found.figures.items()}


def chunk_of(contestant):
    return CHUNK_STEPS if contestant.config.preset == "fashion" else 4  # whose batches are eight times as large


@click.command()
@click.option("--minutes", default=5.0, show_default=True, help="of training, each")
@click.option("--slices", type=click.IntRange(1), default=10, show_default=True, help="scores along the way")
@click.option("--tutorial-images", default=0, help="that the tutorial sees at least, whatever time it takes")
@click.option("--seed", default=0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/time_to_quality"), show_default=True)
def main(minutes, slices, tutorial_images, seed, out):
    reference = Reference.load()
    config = Config.from_preset(
        "fashion", seed=seed, minutes=minutes, backend="tensorflow", class_names=reference.train.class_names
    )
    contestants = {
        "fashion": Apart(Ours, config, reference.train, CHUNK_STEPS),
        "tutorial": Apart(PlainLoop, tutorial_config(seed=seed), reference.train),
    }
    curves = {name: [] for name in contestants}
    for name, contestant in contestants.items():
        contestant.train(chunk_of(contestant))  # Compiles; a few steps of a few hundred.
        curves[name].append({"minutes": 0.0, "images": 0})
    score = functools.partial(scored, curves, contestants, reference, seed)
    for number in range(1, slices + 1):
        for name, contestant in contestants.items():
            last = curves[name][-1]
            score(name, train_for(contestant, minutes * 60 * number / slices - last["minutes"] * 60))
    final = {"fashion": final_figures(contestants["fashion"], seed)}  # Said before the tutorial's hours alone.
    while (last := curves["tutorial"][-1])["images"] < tutorial_images:
        score("tutorial", train_for(contestants["tutorial"], minutes * 60 / slices))
    floor = PROTOCOLS["ffd10k_test"].floor(reference)["ffd10k_test"]
    out.mkdir(parents=True, exist_ok=True)
    final["tutorial"] = final_figures(contestants["tutorial"], seed)
    values = {"floor": floor, "seed": seed, "curves": {name: rows[1:] for name, rows in curves.items()}, "final": final}
    (out / "curves.json").write_text(json.dumps(values, indent=2) + "\n")
    draw(values, out / "curves.png")
    for name, contestant in contestants.items():
        images = contestant.generate(100, seed)  # ours: a class each column
        pictures.save_png(out / f"{name}.png", pictures.grid(images, columns=10, scale=2))
    print(f"{out}/curves.png, and a hundred pictures of each")


def draw(values, path):
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, rows in values["curves"].items():
        axes.plot([row["minutes"] for row in rows], [row["ffd10k_test"] for row in rows], marker="o", label=name)
    axes.axhline(values["floor"], color="grey", linestyle=":", label="real images")
    axes.set(xlabel="minutes of training on this machine", ylabel="Fréchet distance (ffd10k_test)", yscale="log")
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    sys.exit(cli.run(main, "time_to_quality.py"))
