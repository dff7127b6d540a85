"""Directions in the space of latents: found in closed form, without labels, and stored in a small JSON file."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Array, JsonObject, Latents
from fashion_gan.errors import InputError, one_line, show, suggestion
from fashion_gan.system.atomic_files import atomic_file

MAX_FILE_BYTES = 1 << 24
MAX_DIRECTIONS = 1000
DECIMALS = 5  # of a stored vector's numbers


@dataclasses.dataclass(frozen=True, eq=False)
class Direction:
    """A direction in which latents can be moved.

    Attributes:
        name: what it changes, such as "wider", or "direction 3" if nothing that was measured explains it.
        vector: of length 1, float32 (latent_dim,).
        changes: for each measure, the mean change from an amount of -2 to +2, in standard deviations of that measure
            among pictures of one class.
        class_kept: the share of pictures that a classifier still gives the same class at -2 and +2. None if no
            classifier knows the classes.
    """

    name: str
    vector: Latents
    changes: Mapping[str, float]
    class_kept: float | None


def principal_directions(responses: Sequence[Array], count: int, *, scaled: bool = True) -> Latents:
    """The directions that change the outputs of dense layers most, in closed form: SeFa.

    Dense layers are linear, so their outputs' principal components for Gaussian latents, which GANSpace finds by
    sampling, are the singular vectors of their weights, which SeFa computes.

    Args:
        responses: for each layer, its outputs for a latent of zeros and for each unit vector, (1 + latent_dim, units).
        count: the number of directions, from 1 to latent_dim.
        scaled: whether each layer counts as much as each other one, however large its outputs are.

    Returns:
        Unit vectors, float32 (count, latent_dim), those that change most first.

    Source: Shen & Zhou 2021, arXiv:2007.06600 (SeFa); Härkönen et al. 2020, arXiv:2004.02546 (GANSpace).
    """
    weights = [np.asarray(response[1:] - response[0], np.float64) for response in responses]
    if scaled:
        weights = [matrix / max(np.linalg.norm(matrix), np.finfo(np.float64).tiny) for matrix in weights]
    _, vectors = np.linalg.eigh(sum(matrix @ matrix.T for matrix in weights))  # Its eigenvalues rise.
    return vectors.T[::-1][:count].astype(np.float32)


def choose(directions: Sequence[Direction], direction: object) -> Direction:
    """Find a direction by its name, or by its number, which counts from 1.

    Raises:
        InputError: there are none, or none has this name or number.
    """
    if not directions:
        raise InputError("this model has no directions: fashion-gan directions finds them")
    names = [item.name for item in directions]
    text = str(direction).strip()
    if text.isdecimal() and len(text) < 10 and 1 <= int(text) <= len(names):
        return directions[int(text) - 1]
    if text.casefold() in (lower := [name.casefold() for name in names]):
        return directions[lower.index(text.casefold())]
    raise InputError(
        f"direction={show(direction)} is unknown: {suggestion(text, names)}, or a number from 1 to {len(names)}"
    )


def write_directions(path: Path, directions: Sequence[Direction], about: JsonObject) -> None:
    """Write directions, and how they were found and measured, as JSON."""
    rows = [
        {
            "name": item.name,
            "changes": {name: round(change, 3) for name, change in item.changes.items()},
            "class_kept": None if item.class_kept is None else round(item.class_kept, 4),
            "vector": [round(float(number), DECIMALS) for number in item.vector],
        }
        for item in directions
    ]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    text = f'{{\n"about": {json.dumps(about, ensure_ascii=False)},\n"directions": [\n{lines}\n]\n}}\n'
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def read_directions(path: Path, latent_dim: int) -> tuple[Direction, ...]:
    """Read a file of directions. () if there is no such file.

    Raises:
        InputError: it is damaged, or its directions have another length than the generator's latents.
    """
    if not path.is_file():
        return ()
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"it is larger than {MAX_FILE_BYTES >> 20} MiB")
        rows = json.loads(path.read_text(encoding="utf-8"))["directions"]
        if not isinstance(rows, list) or len(rows) > MAX_DIRECTIONS:
            raise ValueError("it holds no list of directions")
        return tuple(_read_row(row, latent_dim) for row in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as directions: {one_line(error)}") from error


def _read_row(row: JsonObject, latent_dim: int) -> Direction:
    vector = np.asarray(row["vector"], np.float32)
    if vector.shape != (latent_dim,) or not np.isfinite(vector).all() or not vector.any():
        raise ValueError(f"a direction has the shape {vector.shape}, not {(latent_dim,)}, or is not finite")
    changes = {str(name): float(change) for name, change in row["changes"].items()}
    kept = None if row["class_kept"] is None else float(row["class_kept"])
    if not all(map(math.isfinite, (*changes.values(), kept or 0.0))):
        raise ValueError("a measured change is not finite")
    return Direction(str(row["name"]), vector / np.linalg.norm(vector), changes, kept)
