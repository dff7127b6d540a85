"""Make a shipped model from nothing: the trainings of its recipe, the exports, the metrics and its card.

    python tools/make_pretrained.py                 # from nothing; after an interruption, the same command continues
    python tools/make_pretrained.py --from-shipped  # only the trainings that the shipped model does not have yet
    python tools/make_pretrained.py --from-shipped --backend jax   # the same on a GPU; the last training needs one
    python tools/make_pretrained.py --trainings 4   # the trainings for which a CPU is enough
    python tools/make_pretrained.py --steps 100 --protocol ffd10k_test --runs build/runs --out build/model  # a trial
    python tools/make_pretrained.py --card-only     # write the card again; train and measure nothing
    python tools/make_pretrained.py --describe-only # write the names and texts in generator.onnx again, and the card

Each training starts from the best checkpoint of the one before. ``trainings.json`` describes them. The test set is used
once, for the metrics on the card: images held out from the training set chose the budgets and every setting.
"""

import dataclasses
import datetime
import json
import sys
from pathlib import Path

import click
import jinja2
import numpy as np

import fashion_gan
from fashion_gan import cli, pretrained
from fashion_gan.config import BACKENDS, Config
from fashion_gan.datasets import CLASS_NAMES, load_fashion_mnist
from fashion_gan.generator import Generator
from fashion_gan.metrics.comparison import METRICS_FILE
from fashion_gan.metrics.metric_info import METRICS, MetricValue, read_metric_values
from fashion_gan.metrics.validation import NAME as VALIDATION
from fashion_gan.rendering.images import contact_sheet, save_picture
from fashion_gan.runs import Run
from fashion_gan.system.atomic_files import atomic_file, sha256
from fashion_gan.system.backends import default_backend, share_two_processors, use_backend

HERE = Path(__file__).parent
SHIPPED = Path(pretrained.__file__).parent
TRAININGS = "trainings.json"  # the trainings behind a shipped model's weights, in their order
ACCELERATOR_DEPTH = 2  # A discriminator this deep takes five times as long on a CPU.
SAMPLES_PER_CLASS = 10
# These train networks, so another seed moves them by a percentage point.
SEED_DEPENDENT = ("gan_train10k", "two_sample10k_test")
SEEDS = 3  # They are measured with this many seeds too, from seed 0.

# The augmentation of version 0.1.0. Today Fashion-MNIST is not mirrored, because its shoes point to the left.
_AUGMENTED = {"augment": True, "augmentations": ("mirror", "shift", "cutout"), "overfitting_from": "training"}
# The preset's settings, with these changes in each training. docs/lab/shipped_model.md tells how they were found.
# fmt: off
_FASHION = (
    {"epochs": 200,    "decay_fraction": 0.5, "ema_decay": 0.9998, "evaluate_every_epochs": 10},
    {"steps":  64_000, "decay_fraction": 0.5, "ema_decay": 0.9998, "evaluate_every_epochs": 3,
     "batch_size": 64, "learning_rate": 1e-4, **_AUGMENTED, "classifier_weight": 0.2},
    {"steps":  30_000, "decay_fraction": 0.5, "ema_decay": 0.9998, "evaluate_every_epochs": 3,
     "batch_size": 64, "learning_rate": 1e-4, **_AUGMENTED, "classifier_weight": 0.3, "discriminator_depth": 1},
    {"steps":  14_000, "decay_fraction": 0.5, "ema_decay": 0.9998, "evaluate_every_epochs": 3,
     "batch_size": 64, "learning_rate": 3e-5, "discriminator_learning_rate": 1e-4,
     **_AUGMENTED, "classifier_weight": 0.3, "discriminator_depth": 1, "center_images": True},
    # For a GPU. It is scored only at its end. An earlier checkpoint was nearer to the held-out images, but a two-sample
    # network told its images from real ones more often.
    {"steps":  12_700, "decay_fraction": 0.5, "ema_decay": 0.9998, "evaluate_every_epochs": 1000,
     "batch_size": 500, "learning_rate": 6e-5, "discriminator_learning_rate": 2e-4, "r1_weight": 0.02,
     "r2_weight": 0.02, **_AUGMENTED, "classifier_weight": 0.3, "discriminator_depth": 2, "center_images": True},
)
# fmt: on
RECIPES = {"fashion": _FASHION}

# The goals of the model: a metric, which side of the limit is good, and the limit as a function of the real baseline.
TARGETS = (
    ("ffd10k_test", "at most", lambda baseline: 5 * baseline),
    ("precision10k_test", "at least", lambda baseline: 0.85),
    ("recall10k_test", "at least", lambda baseline: 0.75),
    ("two_sample10k_test", "at most", lambda baseline: 0.65),
    ("asked_class10k", "at least", lambda baseline: 0.97),
    ("gan_train10k", "at least", lambda baseline: baseline - 0.015),
)

# The settings of a training that trainings.json lists.
LISTED_SETTINGS = (
    "learning_rate",
    "discriminator_learning_rate",
    "decay_fraction",
    "ema_decay",
    "loss",
    "r1_weight",
    "r2_weight",
    "penalty_every_steps",
    "classifier_weight",
    "batch_size",
    "augment",
    "discriminator_depth",
    "center_images",
    "seed",
    "backend",
)


@click.command()
@click.option("--model", type=click.Choice(tuple(RECIPES)), default="fashion", show_default=True, help="Model to make.")
@click.option("--from-shipped", is_flag=True, help="Start from the shipped weights, and skip the trainings they had.")
@click.option(
    "--trainings", "count", type=click.IntRange(1), help="Stop after this many trainings of the recipe. Default: all."
)
@click.option("--steps", type=click.IntRange(1), help="Steps of each training. Default: the recipe's.")
@click.option("--backend", type=click.Choice(BACKENDS), help="Backend of Keras. Default: as for fashion-gan train.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("build/pretrained"), show_default=True)
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    default=("full",),
    help="Protocol to measure; repeat it for several. Default: full.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the model. Default: the package's own.")
@click.option("--card-only", is_flag=True, help="Write only the card, from the metrics and trainings in the folder.")
@click.option("--describe-only", is_flag=True, help="Write only the names and texts in generator.onnx, and the card.")
def main(model, from_shipped, count, steps, backend, runs, protocols, out, card_only, describe_only):
    folder = out or SHIPPED / model
    if describe_only:
        describe_onnx(folder)
    elif not card_only:
        earlier = earlier_trainings(model, runs) if from_shipped else []
        recipe = RECIPES[model][len(earlier) : count]
        if not recipe:
            raise click.UsageError(f"{model} already had {len(earlier)} trainings of its recipe: no training is left")
        finished = run_trainings(model, recipe, runs, from_shipped, steps, backend)
        folder.mkdir(parents=True, exist_ok=True)
        export(model, finished, folder)
        trainings = [*earlier, *map(describe_training, finished)]
        (folder / TRAININGS).write_text(json.dumps(trainings, indent=2) + "\n")
        measure(folder, protocols)
        draw_samples(folder)
    write_card(folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    click.echo(f"{folder}: {size / 1e6:.1f} MB")


def earlier_trainings(model, runs):
    """The trainings of the shipped weights. A copy lies beside the runs, because the shipped file is overwritten."""
    copy = runs / TRAININGS
    if not copy.exists():
        runs.mkdir(parents=True, exist_ok=True)
        copy.write_text((pretrained.folder(model) / TRAININGS).read_text())
    return json.loads(copy.read_text())


def run_trainings(model, recipe, runs, from_shipped, steps, backend):
    """Train the recipe, each training from the result of the one before. Returns the runs."""
    share_two_processors()  # As ``fashion-gan train`` does for residual networks.
    finished, init_from = [], model if from_shipped else None
    for number, settings in enumerate(recipe):
        settings = {**settings, "epochs": None, "steps": steps} if steps else settings
        finished.append(finished_run(model, runs, number, init_from=init_from, backend=backend, **settings))
        init_from = finished[-1].path
    return finished


def finished_run(preset, runs, number, **settings):
    """The run with this index in the folder: started if there is none, and resumed if it is not finished."""
    paths = sorted(runs.glob(f"*-{preset}"))[number:]
    if not paths:
        return fashion_gan.train(preset, out=runs, **settings)
    run = Run.open(paths[0])
    return run if run.generator_path.exists() else fashion_gan.resume(run.path)


def describe_training(run):
    """A training as trainings.json lists it: its settings, its cost, and its best checkpoint."""
    log, environment = run.read_log(), json.loads(run.environment_path.read_text())
    scores = [row for row in run.read_metrics() if VALIDATION in row]
    best = [row for row in scores if row["best"]][-1]
    return {
        **{name: getattr(run.config, name) for name in LISTED_SETTINGS},
        "class_loss": "margin" if run.config.classifier_weight else None,  # the generator's
        "images": int(log["images"][-1]),
        "minutes_spent": round(float(log["seconds"][-1]) / 60, 1),
        "kept_after_images": best["images"],
        VALIDATION: best[VALIDATION],
        "scores": len(scores),
        "processor": environment["processor"],
        "processors": environment["processors"],
        "accelerator": environment["accelerator"],
        "keras": environment["packages"]["keras"],
        "python": environment["python"],
        "note": "",  # Remarks, written by hand.
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def export(model, finished, folder):
    """Write the averaged generator in three formats, a discriminator's weights, and the configuration of both.

    The generator is the last training's best checkpoint on the held-out images. The discriminator is the last one that
    is light enough for a CPU, so fine-tuning needs no accelerator.
    """
    from keras import ops

    from fashion_gan.saving.export import save

    last, light = finished[-1], [run for run in finished if run.config.discriminator_depth < ACCELERATOR_DEPTH]
    discriminator_source = light[-1].path if light else model
    depth = (light[-1].config if light else pretrained.config(model)).discriminator_depth
    generator = fashion_gan.load_gan(last.path, best=True).averaged_generator
    # Without paths of this machine. The budget stays: it is the recipe's.
    config = dataclasses.replace(last.config, data=None, init_from=None, discriminator_depth=depth)
    for format in ("onnx", "keras", "h5"):  # noqa: A001
        difference = save(generator, config, format, folder / f"generator.{format}")
        click.echo(f"{format} and its source differ by at most {difference:.1e} of a pixel in [-1, 1]")
    discriminator = fashion_gan.load_gan(discriminator_source, best=bool(light)).discriminator
    weights = {variable.path: ops.convert_to_numpy(variable) for variable in discriminator.weights}
    with atomic_file(folder / "discriminator.npz") as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **weights)
    (folder / "config.json").write_text(config.to_json() + "\n")


def describe_onnx(folder):
    """Name and document the output of a folder's ONNX file as an export does. Its weights stay as they are."""
    import onnx

    from fashion_gan.saving.onnx_description import describe

    exported = onnx.load(folder / "generator.onnx")
    describe(exported, Config.from_json((folder / "config.json").read_text(), folder / "config.json"))
    with atomic_file(folder / "generator.onnx") as temporary:
        onnx.save(exported, temporary)


def measure(folder, protocols):
    """Score the shipped file with seed 0, and the seed-dependent metrics with several seeds ("over_seeds")."""
    model = folder / "generator.onnx"
    evaluation = fashion_gan.evaluate(model, protocols=protocols, seed=0)
    # Only the file's name: the folder of this machine means nothing to others.
    values = {**json.loads(evaluation.to_json()), "source": {**evaluation.source, "name": model.name}}
    if seed_dependent := [name for name in SEED_DEPENDENT if name in evaluation.metrics]:
        over_seeds = fashion_gan.evaluate(model, protocols=seed_dependent, seed=0, seeds=SEEDS).metrics
        values["over_seeds"] = {name: dataclasses.asdict(over_seeds[name]) for name in seed_dependent}
    (folder / METRICS_FILE).write_text(json.dumps(values, indent=2) + "\n")


def draw_samples(folder):
    """Draw the first images of each class for seed 0."""
    count = SAMPLES_PER_CLASS * len(CLASS_NAMES)
    images = Generator.load(folder / "generator.onnx").generate(count, seed=0)
    labels = np.arange(count) % len(CLASS_NAMES)
    save_picture(folder / "samples.png", contact_sheet(images, labels, CLASS_NAMES, per_class=SAMPLES_PER_CLASS))


def write_card(folder):
    """Write a model's card from the files in its folder."""
    config = Config.from_json((folder / "config.json").read_text(), folder / "config.json")
    files = sorted(path for path in folder.iterdir() if path.name != "README.md")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = environment.from_string((HERE / "card.md.jinja").read_text()).render(
        config=config,
        generator_parameters=generator_parameters(config),
        data_sha256=load_fashion_mnist("train").fingerprint,
        files=[{"name": path.name, "bytes": path.stat().st_size, "sha256": sha256(path)} for path in files],
        **trainings_for_card(json.loads((folder / TRAININGS).read_text())),
        **metrics_for_card(json.loads((folder / METRICS_FILE).read_text())),
    )
    (folder / "README.md").write_text(text)


def generator_parameters(config):
    use_backend(default_backend())
    from fashion_gan.networks import build_generator

    return build_generator(config).count_params()


def trainings_for_card(trainings):
    return {
        "trainings": trainings,
        "validation": VALIDATION,
        "images_seen": sum(training["kept_after_images"] for training in trainings),
        "minutes": sum(training["minutes_spent"] for training in trainings),
        "gpu_minutes": sum(training["minutes_spent"] for training in trainings if training["accelerator"]),
        "last_light_training": sum(training["discriminator_depth"] < ACCELERATOR_DEPTH for training in trainings),
    }


def metrics_for_card(values):
    """The contents of a metrics.json, as the card shows them."""
    metrics = read_metric_values(values)
    over_seeds = {name: MetricValue.from_json(value) for name, value in values.get("over_seeds", {}).items()}
    targets = [target for target in TARGETS if target[0] in metrics]
    classes = zip(values.get("classes", []), values.get("within_classes", []), strict=False)
    return {
        "rows": [metric_row(name, metric) for name, metric in metrics.items()],
        "targets": [
            target_row(name, side, limit, metrics[name], over_seeds.get(name)) for name, side, limit in targets
        ],
        "seeds": SEEDS,
        "classes": [{**shown, **within} for shown, within in classes],
        "left_out": values["left_out"],
        "fingerprint": values["fingerprint"],
    }


def metric_row(name, metric):
    info = METRICS[name]
    return {
        "name": name,
        "title": info.title,
        "value": info.show(metric.value),
        "interval": "" if metric.interval is None else info.show_interval(metric.interval),
        "real_baseline": "" if metric.real_baseline is None else info.show(metric.real_baseline),
    }


def target_row(name, side, limit, metric, over_seeds):
    """A goal, the value with seed 0, the mean over several seeds if it was measured, and the verdict."""
    info, goal = METRICS[name], limit(metric.real_baseline)
    values = [metric.value] if over_seeds is None else [metric.value, over_seeds.value]
    reached = [value <= goal if side == "at most" else value >= goal for value in values]
    return {
        "title": info.title,
        "goal": f"{side} {info.show(goal)}",
        "value": info.show(metric.value),
        "mean": "" if over_seeds is None else info.show(over_seeds.value),
        "verdict": "reached" if all(reached) else "reached with seed 0 only" if reached[0] else "not reached",
    }


if __name__ == "__main__":
    sys.exit(cli.run(main, "make_pretrained.py"))
