"""Make what editing needs of a shipped model: its encoder, its directions, and their card.

    python tools/make_editing.py

The encoder's training takes about six minutes on two CPU cores that do nothing else. ``--measure`` keeps the encoder
that is there, and measures it again. The test set is only measured: no choice of the encoder's training depends on it.
"""

import argparse
import hashlib
import time
from pathlib import Path

import jinja2
import numpy as np
from tqdm import trange

import fashion_gan
from fashion_gan import pretrained
from fashion_gan.api.project import nearest_training
from fashion_gan.api.train_encoder import STEPS, measure_again, train_encoder
from fashion_gan.datasets import load_fashion_mnist
from fashion_gan.editing import PROJECTION_STEPS
from fashion_gan.editing.companions import Companions

CARD = Path(__file__).with_name("editing_card.md.jinja")
TIMED_PICTURES = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="fashion", help="The shipped model.")
    parser.add_argument("--steps", type=int, default=STEPS, help="Training steps of the encoder.")
    parser.add_argument("--pictures", type=int, default=1000, help="Test images that are projected for the figures.")
    parser.add_argument("--measure", action="store_true", help="Keep the encoder and measure it again.")
    arguments = parser.parse_args()
    folder = pretrained.folder(arguments.model)
    companions = Companions.in_folder(folder)
    if not arguments.measure:
        train_encoder(arguments.model, steps=arguments.steps, out=companions.encoder, force=True)
    encoder = measure_again(arguments.model, companions.encoder, arguments.pictures)
    _, directions = fashion_gan.find_directions(arguments.model, out=companions.directions, force=True)
    files = {
        path.name: (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in (companions.encoder, companions.directions)
    }
    template = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    text = template.from_string(CARD.read_text(encoding="utf-8")).render(
        model=arguments.model,
        about=encoder.about,
        descent_steps=PROJECTION_STEPS,
        directions=directions,
        measures=list(directions[0].changes),
        files=files,
        **measure(arguments.model, arguments.pictures),
    )
    (folder / "EDITING.md").write_text(text + "\n", encoding="utf-8")
    print(text)


def measure(model: str, count: int) -> dict[str, object]:
    """Project test images of Fashion-MNIST, spread over all of them."""
    generator = fashion_gan.load_generator(model)
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    chosen = np.linspace(0, len(test.images) - 1, count).astype(int)
    images, labels = test.images[chosen], test.labels[chosen]
    generator.project(images[:1])  # The first call opens the networks.
    started = time.perf_counter()
    parts = [generator.project(images[start : start + TIMED_PICTURES]) for start in trange(0, count, TIMED_PICTURES)]
    seconds = (time.perf_counter() - started) / count * TIMED_PICTURES
    errors = np.concatenate([part.errors for part in parts])
    redrawn = np.concatenate([part.images for part in parts])
    found = np.concatenate([part.labels for part in parts])
    nearest = nearest_training(images, redrawn, train)
    by_class = [
        (name, float(np.median(errors[labels == label])), float(np.median(nearest.errors[labels == label])))
        for label, name in enumerate(test.class_names)
    ]
    return {
        "count": count,
        "median": float(np.median(errors)),
        "nearest_median": float(np.median(nearest.errors)),
        "share": float(np.median(errors) / np.median(nearest.errors)),
        "nearer": float((errors < nearest.errors).mean()),
        "same": float(nearest.same.mean()),
        "class_found": float((found == labels).mean()),
        "seconds": seconds,
        "timed": TIMED_PICTURES,
        "by_class": by_class,
    }


if __name__ == "__main__":
    main()
