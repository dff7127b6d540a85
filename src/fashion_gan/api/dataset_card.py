"""The manifest of a data set, and its card: a page in Markdown that says what it holds, and how it was made."""

import json
from pathlib import Path

from fashion_gan.arrays import JsonObject
from fashion_gan.datasets.generated import MANIFEST
from fashion_gan.datasets.writers import CARD
from fashion_gan.rendering.cards import render_card
from fashion_gan.system.atomic_files import atomic_file, sha256

CARD_TEMPLATE = Path(__file__).with_name("dataset_card.md.jinja")


def write_manifest(folder: Path, manifest: JsonObject) -> None:
    """Write the card into a data set's folder, add it to the manifest, and write the manifest last."""
    with atomic_file(folder / CARD) as path:
        path.write_text(card(manifest), encoding="utf-8")
    manifest["files"][CARD] = sha256(folder / CARD)
    with atomic_file(folder / MANIFEST) as path:
        path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def card(facts: JsonObject) -> str:
    """The text of the card: the manifest in words. With an ``address``, the card of a data set on the Hub."""
    return render_card(CARD_TEMPLATE, **{"address": None, **facts})
