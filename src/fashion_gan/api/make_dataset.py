"""Writing a folder of generated, labeled images with a manifest and a dataset card."""

import dataclasses
import json
from pathlib import Path

from fashion_gan.api.labeled_images import Filters, draw_labeled, is_known_to_evaluator
from fashion_gan.api.load import load_generator, weights_file
from fashion_gan.api.taught_classifier import TaughtClassifier, teach_classifier
from fashion_gan.arrays import JsonObject
from fashion_gan.datasets import Dataset
from fashion_gan.datasets.generated import MANIFEST
from fashion_gan.datasets.writers import CARD, PATTERNS, check_format, checksums, write_files
from fashion_gan.errors import InputError, check_flag, check_range, check_whole_number, readable
from fashion_gan.generator import Generator
from fashion_gan.latents import MAX_TRUNCATION, check_seed
from fashion_gan.metrics.features import NETWORK_SHA256
from fashion_gan.rendering.cards import render_card
from fashion_gan.rendering.tables import format_table
from fashion_gan.saving.origins import resolve
from fashion_gan.system.atomic_files import atomic_folder, sha256
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.paths import user_path
from fashion_gan.version import __version__

CARD_TEMPLATE = Path(__file__).with_name("dataset_card.md.jinja")


@default_settings()
def make_dataset(
    out: str | Path,
    per_class: int = 1000,
    *,
    format: str = "idx",
    model: str | Path = "fashion",
    seed: int | None = 0,
    truncation: float = 1.0,
    min_confidence: float | None = None,
    least_difference: float | None = None,
    data: str | Path | Dataset | None = None,
    force: bool = False,
) -> JsonObject:
    """Draw a labeled data set and write it to a folder atomically.

    Args:
        out: the folder to write. An existing folder is replaced only with ``force``, and only if fashion-gan wrote
            everything in it.
        per_class: exact number of images of each class.
        format: "idx" (two files, named as Fashion-MNIST's training files), "npz", "folders" (PNG files in a folder for
            each class) or "parquet" (needs pyarrow).
        model: a shipped model's name, a run's folder or a model file, as in ``load_generator``. It must have classes.
        seed: seed of the latents, at least 0. None draws one, which the manifest records.
        truncation: standard deviation of the latents, above 0 and at most 1.5.
        min_confidence: lowest probability, from 0 to 1, that a classifier must give to an image's label. For 28×28 gray
            images of Fashion-MNIST's classes it is the evaluator's. For others it is trained on ``data``, which needs
            Keras. A line on standard error tells its accuracy. None keeps all images.
        least_difference: lowest difference between an image and each earlier image of its class: the root mean square
            difference of the pixels, above 0 and at most 255 gray levels. The command's ``--no-duplicates`` means 10.
            None keeps all images.
        data: the real pictures that the classifier of ``min_confidence`` learns from, as in ``augment_test``. None: the
            data that a run learned from.
        force: replace an existing data set.

    Returns:
        The manifest, as written to ``manifest.json``.

    Raises:
        InputError: a number is out of range, the model has no classes, no classifier can be trained, hardly any image
            passes the filters, the format cannot hold the images, or the folder may not be written.

    Example:
        >>> manifest = fashion_gan.make_dataset("synth", 10, min_confidence=0.9)
        >>> manifest["images"], manifest["classes"][3]["kept"]
        (100, 10)
        >>> fashion_gan.load_training_images("synth", image_size=28, channels=1)
        Dataset(100 images 28×28×1, 10 classes, from synth)
    """
    folder_path, force = user_path("out", out), check_flag("force", force)
    seed, per_class = check_seed(seed), check_whole_number("per_class", per_class, 1)
    truncation = check_range("truncation", truncation, 0, MAX_TRUNCATION, open_low=True)
    filters = Filters(min_confidence, least_difference)
    if data is not None and min_confidence is None:
        raise InputError("data (--data) is for min_confidence (--min-confidence): give both, or leave it out")
    generator = load_generator(model)
    check_format(format, generator.image_shape, generator.class_names)
    with atomic_folder(folder_path, PATTERNS, marker=MANIFEST, force=force) as folder:
        taught = _taught_classifier(model, generator, filters, data)
        drawn = draw_labeled(
            generator,
            per_class,
            seed=seed,
            truncation=truncation,
            filters=filters,
            probabilities=None if taught is None else taught.probabilities,
        )
        write_files(folder, format, drawn.images, drawn.labels, generator.class_names)
        manifest: JsonObject = {
            "fashion_gan": __version__,
            "model": about_model(model),
            "seed": seed,
            "truncation": truncation,
            "filters": {
                **dataclasses.asdict(filters),
                **({"classifier_sha256": NETWORK_SHA256} if taught is None else taught.about),
            },
            "format": format,
            "images": len(drawn.images),
            "per_class": per_class,
            "shape": generator.image_shape,
            "class_names": generator.class_names,
            "classes": [dataclasses.asdict(tally) for tally in drawn.tallies],
            "files": checksums(folder),
        }
        (folder / CARD).write_text(dataset_card(manifest), encoding="utf-8")
        manifest["files"][CARD] = sha256(folder / CARD)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def _taught_classifier(
    model: str | Path, generator: Generator, filters: Filters, data: str | Path | Dataset | None
) -> TaughtClassifier | None:
    """The classifier that the confidence filter asks. None: there is no such filter, or it asks the evaluator's."""
    if filters.min_confidence is None or (data is None and is_known_to_evaluator(generator)):
        return None
    return teach_classifier(model, generator, data)


def table(manifest: JsonObject) -> str:
    """The counts of each class's images, as a table for the terminal."""
    rows = [["class", "kept", "drawn", "not sure", "near-duplicates"]]
    for number, tally in enumerate(manifest["classes"]):
        counts = [f"{tally[name]:,}" for name in ("kept", "drawn", "unsure", "duplicates")]
        rows.append([f"{number} {tally['name']}", *counts])
    return format_table(rows, "lrrrr")


def about_model(model: str | Path) -> JsonObject:
    """Identify a model in a manifest: its name, its file, the SHA-256 of its weights, and whether it is shipped.

    Raises:
        InputError: there is no such model.
    """
    path = weights_file(model)
    # Other people cannot use a path on this machine, so the manifest has only its last part.
    source = resolve(model)
    shipped, name = source.kind == "shipped", source.address or readable(Path(model).name)
    return {"name": name, "file": readable(path.name), "sha256": sha256(path), "shipped": shipped}


def dataset_card(facts: JsonObject) -> str:
    """The card of a data set: its manifest in words. With an ``address``, the card of one on the Hub."""
    return render_card(CARD_TEMPLATE, **{"address": None, **facts})
