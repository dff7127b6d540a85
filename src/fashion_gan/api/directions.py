"""Find a generator's directions, and name each after what it changes."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fashion_gan.api.companion_files import companion_path
from fashion_gan.api.load import onnx_generator
from fashion_gan.arrays import Array, Floats, Images, JsonObject, Labels, Latents, Picture
from fashion_gan.classes import same_classes
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.editing.directions import Direction, principal_directions, write_directions
from fashion_gan.editing.measures import Change, compare, name_directions, pixel_measures
from fashion_gan.errors import check_flag, check_whole_number
from fashion_gan.generator import Generator
from fashion_gan.rendering.images import grid, names_column
from fashion_gan.saving.origins import resolve
from fashion_gan.system.library_settings import default_settings
from fashion_gan.version import __version__

COUNT = 12
AMOUNT = 2.0  # at which each direction is measured, on both sides
PICTURES_PER_CLASS = 40
MEASURED_PICTURES = 400  # of an unconditional generator
STRIP_AMOUNTS = (-4.0, -2.0, 0.0, 2.0, 4.0)
STRIP_PICTURES = 3
TOPS, SHOES = ("T-shirt/top", "Pullover"), ("Sneaker", "Ankle boot")
SLEEVED = (*TOPS, "Dress", "Coat", "Shirt")  # the classes of which sleeves are measured


@default_settings()
def find_directions(
    model: str | Path,
    *,
    count: int = COUNT,
    out: str | Path | None = None,
    force: bool = False,
) -> tuple[Path, tuple[Direction, ...]]:
    """Find the directions in which a generator's pictures change most, measure them, and write them into a file.

    They are found in closed form from the weights, without labels or pictures. Then pictures are drawn at both sides,
    and measured, see ``editing.measures``. Of Fashion-MNIST's classes, the evaluator's classifier tells sleeves,
    shafts, and whether the class is kept. A rule names each direction after its largest change.

    Args:
        model: a generator whose weights are in an ``.onnx`` file: a shipped model's name, a finished run, or a file.
        count: the number of directions, from 1 to the length of the latents.
        out: the ``.json`` file to write. None: the one in the run's folder, or next to the file.
        force: replace an existing file.

    Returns:
        The file, and its directions, those that change pictures most first.

    Raises:
        InputError: the model cannot be read, its layers are of an unknown kind, or ``out`` cannot be written.

    Example:
        >>> path, directions = fashion_gan.find_directions("fashion", count=2, out="directions.json")
        >>> len(directions), directions[0].vector.shape
        (2, (100,))

    Source: Shen & Zhou 2021, arXiv:2007.06600; Härkönen et al. 2020, arXiv:2004.02546.
    """
    source = resolve(model)
    path = companion_path(source, "directions", out, force=check_flag("force", force))
    generator = onnx_generator(model, source).enlarged(None)
    count = check_whole_number("count", count, 1, generator.latent_dim)
    vectors = principal_directions(_responses(generator), count)
    rows, kept = _measure(generator, vectors)
    directions = tuple(
        Direction(
            name,
            np.float32(sign) * vector,
            {measure: sign * change.mean for measure, change in row.items()},
            share,
        )
        for (name, sign), vector, row, share in zip(name_directions(rows), vectors, rows, kept, strict=True)
    )
    about: JsonObject = {
        "method": "singular vectors of the dense layers that read the latents, each layer scaled to the same size",
        "amount": AMOUNT,
        "pictures": len(_measured_latents(generator)[0]),
        "version": __version__,
    }
    write_directions(path, directions, about)
    return path, directions


def strip(generator: Generator, directions: tuple[Direction, ...], seed: int = 0) -> Picture:
    """Draw a row for each direction: its name, and the same pictures at five amounts from -4 to 4.

    Args:
        generator: the generator.
        directions: its directions, at least one.
        seed: of the pictures. Of a generator with classes, they are of the first, the fourth and the eighth one.
    """
    classes = len(generator.class_names)
    latents = 0.8 * generator.latents(STRIP_PICTURES, seed)
    labels = [(3 * number + number // 2) % classes for number in range(STRIP_PICTURES)] if classes else None
    rows = []
    for direction in directions:
        for number in range(STRIP_PICTURES):
            moved = [generator.edit(latents[number], direction.vector, amount) for amount in STRIP_AMOUNTS]
            rows.append(generator.decode(moved, None if labels is None else labels[number]))
    scale = max(1, round(56 / generator.image_shape[0]))
    pictures = grid(np.concatenate(rows), columns=len(STRIP_AMOUNTS) * STRIP_PICTURES, scale=scale)
    names = names_column([item.name for item in directions], len(pictures), pictures.shape[-1])
    return np.concatenate([names, pictures], axis=1)


def _responses(generator: Generator) -> list[Array]:
    """What each dense layer that reads the latents computes for zeros and for each unit vector."""
    dim = generator.latent_dim
    by_depth = generator.depth_network.responses(np.eye(1 + dim, dim, -1, dtype=np.float32), label=0)
    return [layer for layers in by_depth for layer in layers]


def _measured_latents(generator: Generator) -> tuple[Latents, Labels]:
    """The pictures on which directions are measured."""
    classes = len(generator.class_names)
    count = PICTURES_PER_CLASS * classes if classes else MEASURED_PICTURES
    return generator.latents(count, seed=1), np.arange(count, dtype=np.int32) % max(classes, 1)


def _measure(generator: Generator, vectors: Latents) -> tuple[list[dict[str, Change]], list[float | None]]:
    """For each direction: how each measure changes, and how often the class is kept."""
    latents, labels = _measured_latents(generator)
    numbers = labels if generator.class_names else None
    measure = _FashionMeasures(labels) if same_classes(generator.class_names, CLASS_NAMES) else _Measures()
    plain = measure(generator.decode(latents, numbers))
    rows, kept = [], []
    for vector in vectors:
        before, after = (
            measure(generator.decode(generator.edit(latents, vector, amount), numbers)) for amount in (-AMOUNT, AMOUNT)
        )
        rows.append(
            {
                name: compare(before.values[name], after.values[name], labels, plain.values[name])
                for name in plain.values
            }
        )
        kept.append(plain.class_kept(before, after))
    return rows, kept


@dataclasses.dataclass(frozen=True, eq=False)
class _Measured:
    """The measures of pictures, and the classes that a classifier gives them, if one knows them."""

    values: Mapping[str, Floats]
    classes: Array | None = None

    def class_kept(self, *moved: "_Measured") -> float | None:
        """The share of moved pictures that have the class of these ones."""
        if self.classes is None:
            return None
        return float(np.mean([self.classes == other.classes for other in moved]))


class _Measures:
    """Measures of pictures of any kind."""

    def __call__(self, images: Images) -> _Measured:
        return _Measured(pixel_measures(images))


class _FashionMeasures:
    """Measures of Fashion-MNIST's classes. The evaluator's classifier tells long sleeves and high shafts.

    A sleeve is as long as the classifier prefers a pullover to a T-shirt, and a shaft as high as it prefers an ankle
    boot to a sneaker.
    """

    def __init__(self, labels: Labels) -> None:
        self._labels = labels

    def __call__(self, images: Images) -> _Measured:
        from fashion_gan.metrics.checks import as_small
        from fashion_gan.metrics.features import extract

        features = extract(as_small(images), "")
        values = pixel_measures(images)
        for name, (less, more), classes in (("sleeves", TOPS, SLEEVED), ("shaft", SHOES, SHOES)):
            low, high, *members = map(CLASS_NAMES.index, (less, more, *classes))
            preference = features.logits[:, high] - features.logits[:, low]
            values[name] = np.where(np.isin(self._labels, members), preference.astype(np.float64), np.nan)
        return _Measured(values, features.classes)
