"""Fréchet distance against minutes of training on this machine: the ``fashion`` preset, and the TensorFlow tutorial.

The two take turns of one slice of time each, so that changes of the machine's speed affect both. The time to start, to
compile and to score does not count. Each contestant has its own process; the tutorial has TensorFlow's default threads.

After each slice, 10,000 images of each are scored against the test set (``ffd10k_test``). ``fashion`` draws them with
its averaged weights, its classes in turn; the tutorial with its only weights. No choice depends on these scores.
``fashion`` trains without the preset's decay_fraction, so each point is the quality of a training that stops there.

At the end, both are scored on every metric that needs no classes. The tutorial can first train longer, to a number of
images.

    python benchmarks/time_to_quality.py    # five minutes each, and about as long for the scores
    python benchmarks/time_to_quality.py --minutes 30 --tutorial-images 2196480    # two hours
"""

import json
import sys
import time
from pathlib import Path

import click
import matplotlib
from contestants import FashionGan, PlainLoop, SeparateProcess, tutorial_config

from fashion_gan import cli, evaluate
from fashion_gan.config import Config
from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.features import extract
from fashion_gan.metrics.metric_info import METRICS
from fashion_gan.metrics.protocols import PROTOCOLS
from fashion_gan.metrics.reference import Reference
from fashion_gan.rendering.images import grid, save_picture

# Steps between two looks at the clock. The tutorial's batches are eight times as large.
CHUNK_STEPS = {"fashion": 50, "tutorial": 4}
SCORED_IMAGES = 10_000
FINAL_PROTOCOLS = ("standard", "two_sample10k_test")


class Race:
    """Both contestants, and the curve of each: rows of minutes, images and ``ffd10k_test``."""

    def __init__(self, contestants, reference, seed):
        self.contestants, self.reference, self.seed = contestants, reference, seed
        self.curves = {name: [{"minutes": 0.0, "images": 0}] for name in contestants}
        for name, contestant in contestants.items():
            contestant.train(CHUNK_STEPS[name])  # Compiles. These few steps do not count.

    def last(self, name):
        return self.curves[name][-1]

    def advance(self, name, seconds):
        """Train a contestant for this long, then score it and add a row to its curve."""
        contestant, last = self.contestants[name], self.last(name)
        spent, steps = train_for(contestant, seconds, CHUNK_STEPS[name])
        images = contestant.generate(SCORED_IMAGES, self.seed)
        row = {
            "minutes": last["minutes"] + spent / 60,
            "images": last["images"] + steps * contestant.config.batch_size,
            "ffd10k_test": frechet_distance(self.reference.test_gaussian, gaussian(extract(images).vectors)),
        }
        self.curves[name].append(row)
        columns = f"{row['minutes']:6.2f} minutes {row['images']:9,} images  ffd10k_test {row['ffd10k_test']:8.3f}"
        print(f"{name:<9}{columns}", flush=True)

    def final_metrics(self, name):
        """Score a contestant on every metric that needs no classes, print the values, and return them by name."""
        images = self.contestants[name].generate(SCORED_IMAGES, self.seed)
        metrics = evaluate(images, protocols=FINAL_PROTOCOLS, seed=self.seed).metrics
        for metric, value in metrics.items():
            print(f"  {METRICS[metric].title}: {METRICS[metric].show(value.value)}", flush=True)
        return {metric: value.value for metric, value in metrics.items()}


def train_for(contestant, seconds, chunk_steps):
    """Train until the time is over. Returns the seconds and the steps that it took."""
    start, steps = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < seconds:
        contestant.train(chunk_steps)
        steps += chunk_steps
    return spent, steps


@click.command()
@click.option("--minutes", default=5.0, show_default=True, help="Minutes of training for each contestant.")
@click.option("--slices", type=click.IntRange(1), default=10, show_default=True, help="Scores along the way.")
@click.option("--tutorial-images", default=0, help="Images that the tutorial sees at least, however long it takes.")
@click.option("--seed", default=0, show_default=True, help="Seed of the weights, the batches and the scored images.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/time_to_quality"), show_default=True)
def main(minutes, slices, tutorial_images, seed, out):
    reference = Reference.load()
    race = Race(start_contestants(reference.train, minutes, seed), reference, seed)
    for number in range(1, slices + 1):
        for name in race.contestants:
            race.advance(name, minutes * 60 * number / slices - race.last(name)["minutes"] * 60)
    final = {"fashion": race.final_metrics("fashion")}  # Before the tutorial trains on, perhaps for hours.
    while race.last("tutorial")["images"] < tutorial_images:
        race.advance("tutorial", minutes * 60 / slices)
    final["tutorial"] = race.final_metrics("tutorial")
    baseline = PROTOCOLS["ffd10k_test"].real_baseline(reference)["ffd10k_test"]
    curves = {name: rows[1:] for name, rows in race.curves.items()}
    out.mkdir(parents=True, exist_ok=True)
    results = {"real_baseline": baseline, "seed": seed, "curves": curves, "final": final}
    (out / "curves.json").write_text(json.dumps(results, indent=2) + "\n")
    plot(curves, baseline, out / "curves.png")
    for name, contestant in race.contestants.items():
        images = contestant.generate(100, seed)  # A class in each column, for fashion.
        save_picture(out / f"{name}.png", grid(images, columns=10, scale=2))
    print(f"{out}/curves.png, and a hundred pictures of each")


def start_contestants(train_set, minutes, seed):
    settings = {"seed": seed, "minutes": minutes, "decay_fraction": 0.0, "backend": "tensorflow"}
    config = Config.from_preset("fashion", **settings, class_names=train_set.class_names)
    return {
        "fashion": SeparateProcess(FashionGan, config, train_set, CHUNK_STEPS["fashion"]),
        "tutorial": SeparateProcess(PlainLoop, tutorial_config(seed=seed), train_set),
    }


def plot(curves, baseline, path):
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, rows in curves.items():
        axes.plot([row["minutes"] for row in rows], [row["ffd10k_test"] for row in rows], marker="o", label=name)
    axes.axhline(baseline, color="gray", linestyle=":", label="real images")
    axes.set(xlabel="minutes of training on this machine", ylabel="Fréchet distance (ffd10k_test)", yscale="log")
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    sys.exit(cli.run(main, "time_to_quality.py"))
