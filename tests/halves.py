"""Own pictures of two classes, which are easy to learn: bright left halves and bright right halves."""

import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from toys import TOY_CLASSES

from fashion_gan.datasets import load_training_images
from fashion_gan.generator import Generator


def halves(labels, seed=0) -> np.ndarray:
    """Return noise with a bright half for each label, uint8 (N, 16, 16, 1): 0 the left half, 1 the right half."""
    images = np.random.default_rng(seed).integers(0, 40, (len(labels), 16, 16, 1), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 8 * label : 8 * label + 8] += 200
    return images


def write_halves(folder: Path, *counts: int, names=TOY_CLASSES) -> Path:
    """Write pictures to a folder, in a subfolder for each class. The pictures of a third class have left halves."""
    labels = np.repeat(np.arange(len(counts)), counts)
    for number, (image, label) in enumerate(zip(halves(labels % 2), labels, strict=True)):
        (folder / names[label]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / names[label] / f"{number:03d}.png")
    return folder


def halves_generator(class_names=TOY_CLASSES, *, first=0, wrong_below=-np.inf) -> Generator:
    """Return a generator of halves.

    Args:
        class_names: its classes.
        first: which half its first class shows: 0 the left one, 1 the right one.
        wrong_below: a picture shows the half of the other class if its first latent is below this number.
    """

    def draw(inputs):
        latents, labels = inputs
        shown = (labels + first + (latents[:, 0] < wrong_below)) % 2
        pictures = halves(shown) / 127.5 - 1
        pictures[:, 0, :5, 0] += 0.01 * latents
        return pictures.astype(np.float32)

    return Generator(draw, 5, class_names)


def run_trained_on(run: Path, data: Path, out: Path, **settings) -> Path:
    """Copy a toy run, as if it had been trained on other data of the same classes, with other settings."""
    shutil.copytree(run, out)
    config = {**json.loads((out / "config.json").read_text()), "data": str(data), **settings}
    (out / "config.json").write_text(json.dumps(config))
    facts = json.loads((out / "environment.json").read_text())
    facts["data_sha256"] = load_training_images(data, config["image_size"], config["channels"]).fingerprint
    (out / "environment.json").write_text(json.dumps(facts))
    return out
