"""Latents and classes of pictures that are edited before they are drawn, as options of ``generate`` ask for."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fashion_gan.api.latent_files import read_latents
from fashion_gan.arrays import Array, Images, Labels, Latents
from fashion_gan.errors import InputError, check_range, check_whole_number, show
from fashion_gan.generator import Generator
from fashion_gan.latents import MAX_TRUNCATION

TRUNCATION = "truncation"
SWEEP_VALUES = 7
MAX_SWEEP_VALUES = 100


@dataclasses.dataclass(frozen=True, eq=False)
class Drawing:
    """What is drawn.

    Attributes:
        latents: (N, latent_dim), or (N, depths, latent_dim) if depths read different ones.
        labels: int32 (N,), or the share of each class (N, classes). None if the generator is unconditional.
    """

    latents: Latents
    labels: Array | None

    @property
    def is_mixed(self) -> bool:
        """Whether depths read different latents, or classes are mixed."""
        return self.latents.ndim == 3 or (self.labels is not None and self.labels.ndim == 2)

    @property
    def numbers(self) -> Labels | None:
        """The class of each picture; of mixed ones, the class with the largest share. None if there are none."""
        if self.labels is None or self.labels.ndim == 1:
            return self.labels
        return self.labels.argmax(axis=1).astype(np.int32)

    def draw(self, generator: Generator) -> Images:
        """Draw the pictures."""
        images: Images = generator.decode(self.latents, self.labels)
        return images


@dataclasses.dataclass(frozen=True)
class Edits:
    """How pictures are edited.

    Attributes:
        moves: directions, by name or number, and how far latents are moved in each.
        texture: seed of the latent that late layers read. None: they read the pictures' own.
        texture_from: the first depth that reads it. None: half of the depths.
        shares: classes, and their shares of each picture. They are scaled so that they add up to 1. (): no mixture.
    """

    moves: tuple[tuple[str, float], ...] = ()
    texture: int | None = None
    texture_from: int | None = None
    shares: tuple[tuple[str, float], ...] = ()

    def apply(self, generator: Generator, drawing: Drawing) -> Drawing:
        """Edit a drawing.

        Raises:
            InputError: a direction, a class or a number is refused.
        """
        latents, labels = drawing.latents, drawing.labels
        for direction, amount in self.moves:
            latents = generator.edit(latents, direction, amount)
        if self.texture is not None:
            latents = np.stack([generator.mix_depths(latent, self.texture, self.texture_from) for latent in latents])
        if self.shares:
            labels = np.repeat(_class_shares(generator, self.shares)[np.newaxis], len(latents), axis=0)
        return Drawing(latents, labels)


def _class_shares(generator: Generator, shares: Sequence[tuple[str, float]]) -> Array:
    if not generator.class_names:
        raise InputError("classes are mixed only by a conditional model: this one is unconditional")
    row = np.zeros(len(generator.class_names))
    for name, share in shares:
        row[generator.label_number(name)] += check_range(f"the share of {show(name)}", share, 0, 1e6)
    if not row.any():
        raise InputError("one of the classes to mix must have a share above 0")
    return row / row.sum()


def stored_drawing(path: Path, generator: Generator, label: str | None) -> Drawing:
    """The latents of a file, with their classes, or with another one. Raises InputError if it cannot be read."""
    stored = read_latents(path, generator)
    if label is not None:
        return Drawing(stored.latents, generator.labels(len(stored.latents), label))
    return Drawing(stored.latents, stored.labels)


@dataclasses.dataclass(frozen=True)
class Sweep:
    """Equal steps of one number: the truncation, or the amount of a direction.

    Attributes:
        name: "truncation", or a direction's name or number.
        values: its values.
    """

    name: str
    values: tuple[float, ...]

    @classmethod
    def parse(cls, text: str) -> "Sweep":
        """Parse NAME=LOW:HIGH or NAME=LOW:HIGH:COUNT.

        Example:
            >>> Sweep.parse("truncation=0.5:1.5:3").values
            (0.5, 1.0, 1.5)
        """
        name, equals, bounds = text.rpartition("=")
        parts = bounds.split(":")
        try:
            low, high = float(parts[0]), float(parts[1])
            count = check_whole_number("values", float(parts[2]), 2, MAX_SWEEP_VALUES) if parts[2:] else SWEEP_VALUES
        except (IndexError, InputError, ValueError):
            count = 0
        if not equals or not name.strip() or not count or len(parts) > 3 or not np.isfinite([low, high]).all():
            raise InputError(
                f"grid={show(text)} must be NAME=LOW:HIGH or NAME=LOW:HIGH:COUNT, such as {TRUNCATION}=0.5:1.5, with 2 "
                f"to {MAX_SWEEP_VALUES} values"
            )
        return cls(name.strip(), tuple(np.linspace(low, high, count).tolist()))

    def apply(self, generator: Generator, drawing: Drawing) -> Drawing:
        """Each picture at each value: all values of the first picture come first."""
        latents = [self._at(generator, drawing.latents, value) for value in self.values]
        labels = None if drawing.labels is None else np.repeat(drawing.labels, len(self.values), axis=0)
        return Drawing(np.stack(latents, axis=1).reshape(-1, *drawing.latents.shape[1:]), labels)

    def _at(self, generator: Generator, latents: Latents, value: float) -> Latents:
        if self.name == TRUNCATION:
            scale = check_range(TRUNCATION, value, 0, MAX_TRUNCATION, open_low=True)
            return latents * np.float32(scale)
        return generator.edit(latents, self.name, value)


def parse_pairs(argument: str, texts: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Parse NAME=NUMBER, several times. Raises InputError, which names the argument."""
    pairs = []
    for text in texts:
        name, equals, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = float("nan")
        if not equals or not name.strip() or not np.isfinite(value):
            raise InputError(f"{argument}={show(text)} must be NAME=NUMBER")
        pairs.append((name.strip(), value))
    return tuple(pairs)


def parse_keys(text: str) -> tuple[list[int], list[str] | None]:
    """Parse the keys of a film: SEED or SEED:CLASS, with commas between them. All of them have a class, or none.

    Example:
        >>> parse_keys("3:Dress,7:Bag")
        ([3, 7], ['Dress', 'Bag'])
    """
    parts = [part.strip().partition(":") for part in text.split(",")]
    try:
        seeds = [int(seed) for seed, _, _ in parts]
    except ValueError:
        raise InputError(
            f"film={show(text)} must be seeds with commas between them, such as 3,7 or 3:Dress,7:Bag"
        ) from None
    classes = [name.strip() for _, _, name in parts]
    if any(classes) and not all(classes):
        raise InputError(f"film={show(text)} must have a class for each seed, or for none")
    return seeds, classes if any(classes) else None
