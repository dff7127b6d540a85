"""Writing a folder of generated, labeled images with a manifest and a dataset card."""

import dataclasses
from pathlib import Path

from fashion_gan.api.dataset_card import write_manifest
from fashion_gan.api.labeled_images import (
    Filters,
    draw_labeled,
    fashion_mnist_probabilities,
    is_known_to_evaluator,
)
from fashion_gan.api.load import load_generator, weights_file
from fashion_gan.api.numbered_images import NumberedImages
from fashion_gan.api.shards import merge_dataset, write_shard
from fashion_gan.api.taught_classifier import TaughtClassifier, teach_classifier
from fashion_gan.arrays import JsonObject
from fashion_gan.datasets import Dataset
from fashion_gan.datasets.generated import MANIFEST
from fashion_gan.datasets.shards import MAX_COUNT, Shard
from fashion_gan.datasets.writers import PATTERNS, check_format, checksums, write_files
from fashion_gan.errors import InputError, check_flag, check_range, check_whole_number, readable, show
from fashion_gan.generator import Generator
from fashion_gan.latents import MAX_TRUNCATION, check_seed
from fashion_gan.metrics.features import BATCH_SIZE as FEATURES_BATCH_SIZE
from fashion_gan.metrics.features import NETWORK_SHA256
from fashion_gan.rendering.tables import format_table
from fashion_gan.saving.origins import resolve
from fashion_gan.system.atomic_files import atomic_folder, sha256
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.paths import user_path
from fashion_gan.version import __version__

PER_CLASS = 1000


@default_settings()
def make_dataset(
    out: str | Path,
    per_class: int | None = None,
    *,
    count: int | None = None,
    shard: str | None = None,
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

    With ``count``, each image depends on the seed and its number only, and not on the others. So any number of jobs can
    draw a shard each, in any order, and ``merge_dataset`` makes one data set of them. A shard that is there already is
    verified, and left as it is. Without ``shard``, the same images are drawn at once. ``per_class`` draws other images.

    Args:
        out: the folder to write. An existing folder is replaced only with ``force``, and only if fashion-gan wrote
            everything in it. All shards of a data set go into one folder.
        per_class: exact number of images of each class. None: 1,000, unless ``count`` is set.
        count: number of images of all classes, from 1 to 10¹². The classes take turns.
        shard: which part of ``count`` images to write, for example "17/1000". None writes all of them.
        format: "idx" (two files, named as Fashion-MNIST's training files), "npz", "folders" (PNG files in a folder for
            each class) or "parquet" (needs pyarrow). With ``count``, "webdataset" (tar files of PNG files and class
            numbers) instead of "folders".
        model: a shipped model's name, a run's folder or a model file, as in ``load_generator``. It must have classes.
        seed: seed of the latents, at least 0. None draws one, which the manifest records.
        truncation: standard deviation of the latents, above 0 and at most 1.5.
        min_confidence: lowest probability, from 0 to 1, that a classifier must give to an image's label. For 28×28 gray
            images of Fashion-MNIST's classes it is the evaluator's. For others it is trained on ``data``, which needs
            Keras. A line on standard error tells its accuracy. None keeps all images.
        least_difference: lowest difference between an image and each earlier image of its class: the root mean square
            difference of the pixels, above 0 and at most 255 gray levels. The command's ``--no-duplicates`` means 10.
            None keeps all images. Not with ``count``.
        data: the real pictures that the classifier of ``min_confidence`` learns from, as in ``augment_test``. None: the
            data that a run learned from.
        force: replace an existing data set or shard.

    Returns:
        The manifest, as written to ``manifest.json``. Of a shard, its record: the same, with ``shard`` and ``count``.

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
    part = _checked_shard(per_class, count, shard, seed)
    seed = check_seed(seed)
    per_class = check_whole_number("per_class", PER_CLASS if per_class is None else per_class, 1)
    truncation = check_range("truncation", truncation, 0, MAX_TRUNCATION, open_low=True)
    filters = Filters(min_confidence, least_difference)
    if data is not None and min_confidence is None:
        raise InputError("data (--data) is for min_confidence (--min-confidence): give both, or leave it out")
    generator = load_generator(model)
    check_format(format, generator.image_shape, generator.class_names, in_shards=part is not None)
    make = _Recipe(model, generator, format, seed, truncation, filters, data)
    if part is None:
        return make.classes(folder_path, per_class, force)
    return make.shard(folder_path, part, force) if shard is not None else make.numbered(folder_path, part, force)


def _checked_shard(per_class: int | None, count: int | None, shard: str | None, seed: int | None) -> Shard | None:
    """The shard to write: all images if only their number is given. None without a number."""
    if count is None:
        if shard is not None:
            raise InputError(f"shard={show(shard)} (--shard) is a part of count images: set count (--count) too")
        return None
    if per_class is not None:
        raise InputError(f"count={show(count)} and per_class={show(per_class)} do not go together: choose one")
    if shard is not None and seed is None:
        raise InputError("seed=None does not go with shard: all shards need the same seed")
    return Shard.parse("1/1" if shard is None else shard, check_whole_number("count", count, 1, MAX_COUNT))


@dataclasses.dataclass(frozen=True)
class _Recipe:
    """What decides the images of a data set, besides their number. Its attributes are arguments of ``make_dataset``."""

    model: str | Path
    generator: Generator
    format: str
    seed: int
    truncation: float
    filters: Filters
    data: str | Path | Dataset | None

    def classes(self, out: Path, per_class: int, force: bool) -> JsonObject:
        """Write ``per_class`` images of each class. Returns the manifest."""
        generator = self.generator
        with atomic_folder(out, PATTERNS, marker=MANIFEST, force=force) as folder:
            taught = self._taught_classifier()
            drawn = draw_labeled(
                generator,
                per_class,
                seed=self.seed,
                truncation=self.truncation,
                filters=self.filters,
                probabilities=None if taught is None else taught.probabilities,
            )
            write_files(folder, self.format, drawn.images, drawn.labels, generator.class_names)
            manifest: JsonObject = {
                **self._origin(taught),
                "format": self.format,
                "images": len(drawn.images),
                "per_class": per_class,
                "shape": generator.image_shape,
                "class_names": generator.class_names,
                "classes": [dataclasses.asdict(tally) for tally in drawn.tallies],
                "files": checksums(folder),
            }
            write_manifest(folder, manifest)
        return manifest

    def numbered(self, out: Path, all_images: Shard, force: bool) -> JsonObject:
        """Write all numbered images, as one shard. Returns the manifest."""
        with atomic_folder(out, PATTERNS, marker=MANIFEST, force=force) as folder:
            self.shard(folder, all_images, force=False)
            return merge_dataset(folder)

    def shard(self, folder: Path, shard: Shard, force: bool) -> JsonObject:
        """Write a shard of numbered images. Returns its record."""
        taught = self._taught_classifier()
        origin = self._origin(taught)
        if taught is not None:  # Every job trains its own, unless they share a cache.
            origin["filters"]["classifier_weights_sha256"] = taught.sha256
        settings: JsonObject = {
            **origin,
            "format": self.format,
            "count": shard.count,
            "shards": shard.of,
            "shape": list(self.generator.image_shape),
            "class_names": list(self.generator.class_names),
        }
        if taught is not None:
            probabilities, together = taught.probabilities, taught.batch_size
        elif self.filters.min_confidence is not None:
            probabilities = fashion_mnist_probabilities(self.generator, self.filters.min_confidence)
            together = FEATURES_BATCH_SIZE
        else:
            probabilities, together = None, 1
        images = NumberedImages(self.generator, self.seed, self.truncation, self.filters, probabilities, together)
        return write_shard(folder, shard, settings, images, force=force)

    def _origin(self, taught: TaughtClassifier | None) -> JsonObject:
        """Where the images come from, for the manifest."""
        return {
            "fashion_gan": __version__,
            "model": about_model(self.model),
            "seed": self.seed,
            "truncation": self.truncation,
            "filters": {
                **dataclasses.asdict(self.filters),
                **({"classifier_sha256": NETWORK_SHA256} if taught is None else taught.about),
            },
        }

    def _taught_classifier(self) -> TaughtClassifier | None:
        """The classifier that the confidence filter asks. None: there is no such filter, or it asks the evaluator's."""
        if self.filters.min_confidence is None or (self.data is None and is_known_to_evaluator(self.generator)):
            return None
        return teach_classifier(self.model, self.generator, self.data)


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
