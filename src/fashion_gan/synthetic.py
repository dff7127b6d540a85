"""What the user asks for in words -> a folder of generated, labelled images with a manifest and a data card."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jinja2

from fashion_gan import dataset_files, launch, origins
from fashion_gan.dataset_files import CARD
from fashion_gan.datasets.generated import MANIFEST
from fashion_gan.files import folder_written_whole, sha256
from fashion_gan.labelled import Filters, Tally, draw_labelled, image_shape
from fashion_gan.metrics.features import NETWORK_SHA256
from fashion_gan.version import __version__

CARD_TEMPLATE = Path(__file__).with_name("dataset_card.md.jinja")


def make_dataset(
    out: str | Path,
    per_class: int = 1000,
    *,
    format: str = "idx",  # noqa: A002  as the command calls it
    model: str | Path = "fashion",
    seed: int = 0,
    truncation: float = 1.0,
    min_confidence: float | None = None,
    least_difference: float | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Draw a labelled data set and write it to a folder, whole or not at all.

    Args:
        out: the folder; where it is there already it is replaced only by ``force``, and only if a data set of ours is
            all it holds.
        per_class: images of each class, exactly.
        format: "idx", two files as Fashion-MNIST's training files; "npz"; "folders", PNG files in a folder a class; or
            "parquet", which needs pyarrow.
        model: as ``load_generator`` takes it; it must have classes.
        seed, truncation: of the latents.
        min_confidence: the least probability, from 0 to 1, that the evaluator's classifier gives to the label; for
            28×28 grey images of Fashion-MNIST's classes alone. None keeps them all.
        least_difference: how far, as the root mean square difference of pixels in grey levels, an image must be from
            every image of its class before it; the command's ``--no-duplicates`` asks for 10. None keeps them all.
        force: replace a data set that is there.

    Returns:
        The manifest, as it was written.

    Raises:
        InputError: a value out of range, a model without classes, filters that hardly an image passes, a format that
            cannot hold the images, or a folder that may not be written.

    Example:
        >>> fashion_gan.make_dataset("synth", 1000, min_confidence=0.9)["images"]
        10000
    """
    filters = Filters(min_confidence, least_difference)
    generator = launch.load_generator(model)
    shape = image_shape(generator)
    dataset_files.check_format(format, shape, generator.class_names)
    with folder_written_whole(Path(out), dataset_files.PATTERNS, marker=MANIFEST, force=force) as folder:
        drawn = draw_labelled(generator, per_class, seed=seed, truncation=truncation, filters=filters)
        dataset_files.write_files(folder, format, drawn.images, drawn.labels, generator.class_names)
        manifest: dict[str, Any] = {
            "fashion_gan": __version__,
            "model": about_model(model),
            "seed": seed,
            "truncation": truncation,
            "filters": {**dataclasses.asdict(filters), "classifier_sha256": NETWORK_SHA256},
            "format": format,
            "images": len(drawn.images),
            "per_class": per_class,
            "shape": shape,
            "class_names": generator.class_names,
            "classes": [dataclasses.asdict(tally) for tally in drawn.tallies],
            "files": dataset_files.checksums(folder),
        }
        (folder / CARD).write_text(_card(manifest), encoding="utf-8")
        manifest["files"][CARD] = sha256(folder / CARD)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def table(manifest: dict[str, Any]) -> str:
    """What became of the images of each class, as aligned lines."""
    lines = [f"{'class':<16}{'kept':>9}{'drawn':>9}{'not sure':>10}{'near-duplicates':>17}"]
    for number, tally in enumerate(Tally(**one) for one in manifest["classes"]):
        counts = f"{tally.kept:>9,}{tally.drawn:>9,}{tally.unsure:>10,}{tally.duplicates:>17,}"
        lines.append(f"{number} {tally.name:<14}{counts}")
    return "\n".join(lines)


def about_model(model: str | Path) -> dict[str, Any]:
    """Which model it was: its name, and the checksum of its weights. Raises InputError where there is none."""
    path = launch.weights_file(model)
    # Its name alone: where it lay on this machine says nothing to others.
    name, shipped = Path(model).name, origins.is_shipped(model)
    return {"name": name, "file": path.name, "sha256": sha256(path), "shipped": shipped}


def _card(manifest: dict[str, Any]) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.keep_trailing_newline = True
    return environment.from_string(CARD_TEMPLATE.read_text(encoding="utf-8")).render(**manifest)
