"""Latents and classes in files: what ``project`` writes, and the PNG files of ``generate``."""

import base64
import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

from fashion_gan.arrays import Array, Labels, Latents
from fashion_gan.datasets.picture_files import PILLOW_ERRORS
from fashion_gan.errors import InputError, one_line
from fashion_gan.generator import Generator
from fashion_gan.system.array_files import open_arrays
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS, atomic_file

LATENT, CLASS = "latent", "class"  # the keys of a PNG's texts
MAX_ROWS = 100_000


@dataclasses.dataclass(frozen=True, eq=False)
class StoredLatents:
    """Latents of a file.

    Attributes:
        latents: float32 (N, latent_dim) or (N, depths, latent_dim).
        labels: the class of each, int32 (N,). None if the generator is unconditional, or the file has none.
    """

    latents: Latents
    labels: Labels | None


def latent_text(latent: Latents) -> str:
    """A latent as a text for a PNG: its float32 numbers, little-endian, as base64."""
    return base64.b64encode(np.ascontiguousarray(latent, "<f4").tobytes()).decode()


def write_latents(path: Path, latents: Latents, labels: Labels | None, **others: Array) -> None:
    """Write latents, their classes and other arrays as an ``.npz`` file, atomically."""
    arrays = {"latents": latents, **({} if labels is None else {"labels": labels}), **others}
    with atomic_file(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_latents(path: Path, generator: Generator) -> StoredLatents:
    """Read the latents of an ``.npz`` file, or the one in a PNG file that ``generate --format png`` wrote.

    Raises:
        InputError: the file cannot be read, holds no latents, or its latents do not fit the generator.
    """
    try:
        stored = _read_png(path, generator) if path.suffix.lower() == ".png" else _read_npz(path)
    except (*CORRUPT_FILE_ERRORS, *PILLOW_ERRORS) as error:
        raise InputError(f"{path} cannot be read as latents: {one_line(error)}") from error
    dim, depths = generator.latent_dim, generator.depths if stored.latents.ndim == 3 else 1
    shape = stored.latents.shape
    if shape[1:] not in ((dim,), (depths, dim)) or not shape[0]:
        raise InputError(f"{path} holds latents {shape}, but this model takes (N, {dim}) or (N, depths, {dim})")
    if not np.isfinite(stored.latents).all():
        raise InputError(f"{path} holds latents that are not finite")
    return StoredLatents(stored.latents, generator.labels(len(stored.latents), stored.labels))


def _read_npz(path: Path) -> StoredLatents:
    with open_arrays(path, all_or_none=False) as arrays:
        if "latents" not in arrays.shapes:
            raise ValueError("it holds no array called latents")
        if len(arrays.shapes["latents"]) not in (2, 3) or arrays.shapes["latents"][0] > MAX_ROWS:
            raise ValueError(f"its latents are {arrays.shapes['latents']}, not (N, latent_dim) of up to {MAX_ROWS:,}")
        if any(arrays.dtypes[name].kind not in "fiu" for name in {"latents", "labels"} & arrays.shapes.keys()):
            raise ValueError("its latents or labels are no numbers")
        labels = arrays["labels"].astype(np.int32) if "labels" in arrays.shapes else None
        return StoredLatents(arrays["latents"].astype(np.float32), labels)


def _read_png(path: Path, generator: Generator) -> StoredLatents:
    with Image.open(path, formats=("PNG",)) as image:
        texts = dict(getattr(image, "text", {}))
    if LATENT not in texts:
        raise ValueError("its text holds no latent: only pictures that generate writes one by one do")
    latent = np.frombuffer(base64.b64decode(texts[LATENT], validate=True), "<f4").astype(np.float32)
    labels = None
    if CLASS in texts and generator.class_names:
        labels = np.array([generator.label_number(texts[CLASS])], np.int32)
    return StoredLatents(latent[np.newaxis], labels)
