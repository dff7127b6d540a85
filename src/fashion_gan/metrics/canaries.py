"""Real images, damaged on purpose -> whether the figures that exist to see each damage do see it."""

import dataclasses
import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from fashion_gan import progress
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.metrics.figures import MEANINGS
from fashion_gan.metrics.measures import Sample
from fashion_gan.metrics.protocols import PROTOCOLS
from fashion_gan.metrics.reference import Reference

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]
Random = np.random.Generator
COUNT = 10_000


# ---- Damages: images, labels, strength and a random source -> damaged images and labels ----


def missing_classes(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """The last ``strength`` classes are drawn as others."""
    kept = np.flatnonzero(labels < len(CLASS_NAMES) - strength)
    chosen = np.where(labels < len(CLASS_NAMES) - strength, np.arange(len(images)), random.choice(kept, len(images)))
    return images[chosen], labels[chosen]


def repeated_mode(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """A share of the images is one and the same."""
    chosen = np.where(random.random(len(images)) < strength, 0, np.arange(len(images)))
    return images[chosen], labels[chosen]


def blurred(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """All are blurred by a Gaussian of ``strength`` pixels."""
    blur = ImageFilter.GaussianBlur(strength)
    return _each(images, lambda picture: picture.filter(blur)), labels


def inverted(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """A share of the images is black where it was white."""
    chosen = random.random(len(images)) < strength
    return np.where(chosen[:, None, None, None], 255 - images, images).astype(np.uint8), labels


def jpeg(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """All went through JPEG at quality ``100 - strength``."""

    def compressed(picture: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(100 - strength))
        return Image.open(buffer)

    return _each(images, compressed), labels


def shifted(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """All lie ``strength`` pixels lower and further right."""
    pixels = int(strength)
    moved = np.zeros_like(images)
    moved[:, pixels:, pixels:] = images[:, :-pixels, :-pixels]
    return moved, labels


def noisy(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """A share of the images is noise."""
    chosen = random.random(len(images)) < strength
    damaged = images.copy()
    damaged[chosen] = random.integers(0, 256, damaged[chosen].shape, np.uint8)
    return damaged, labels


def mislabelled(images: Images, labels: Labels, strength: float, random: Random) -> tuple[Images, Labels]:
    """A share of the images shows another class than was asked for."""
    chosen = random.random(len(images)) < strength
    others = (labels + random.integers(1, len(CLASS_NAMES), len(labels))) % len(CLASS_NAMES)
    return images, np.where(chosen, others, labels).astype(np.int32)


def _each(images: Images, change: Callable[[Image.Image], Image.Image]) -> Images:
    changed = [np.asarray(change(Image.fromarray(image[..., 0]))) for image in images]
    return np.stack(changed)[..., np.newaxis]


@dataclasses.dataclass(frozen=True)
class Canary:
    """A damage at two strengths, and the figures that must get worse, and worse still."""

    name: str
    damage: Callable[..., tuple[Images, Labels]]
    strengths: tuple[float, float]
    seen_by: tuple[str, ...]


_DISTANCES = ("ffd10k_test", "kernel10k_test")
_LOOKS = (*_DISTANCES, "precision10k_test", "density10k_test")
_CLASSES = ("class_imbalance10k", "missing_classes10k", "ffd10k_test", "recall10k_test", "coverage10k_test")

# fmt: off
CANARIES = (
    Canary("classes missing",    missing_classes, (1, 3),      _CLASSES),
    Canary("one image repeated", repeated_mode,   (0.1, 0.4),  (*_DISTANCES, "coverage10k_test")),
    Canary("blurred",            blurred,         (0.4, 0.8),  _LOOKS),
    Canary("inverted",           inverted,        (0.1, 0.5),  _LOOKS),
    Canary("JPEG",               jpeg,            (50, 90),    _LOOKS),
    Canary("shifted",            shifted,         (1, 2),      _DISTANCES),
    Canary("noise",              noisy,           (0.1, 0.5),  _LOOKS),
    Canary("wrong class",        mislabelled,     (0.05, 0.3), ("asked_class10k",)),
)
# fmt: on
MEMORISED_STRENGTHS = (0.2, 1.0)
MEMORISATION_FIGURES = ("copying10k", "nearer_train10k")


@dataclasses.dataclass(frozen=True)
class Check:
    """One figure under one damage: undamaged, at the lower and at the higher strength."""

    damage: str
    figure: str
    strengths: tuple[float, float]
    values: tuple[float, float, float]

    @property
    def passed(self) -> bool:
        """Whether each step made the figure worse."""
        gain = MEANINGS[self.figure].gain
        return all(gain(after, before) < 0 for before, after in zip(self.values, self.values[1:], strict=False))


def self_check(reference: Reference, count: int = COUNT) -> list[Check]:
    """Score damaged training images, and copies of training images among test images.

    Args:
        reference: the real side.
        count: how many images; fewer are faster.
    """
    chosen = reference.training_sample(count)
    images, labels = reference.train.images[chosen], reference.train.labels[chosen]
    undamaged = _values(Sample(images, labels, with_errors=False), reference)
    checks = []
    for canary in progress.bar(CANARIES, "damages", "damages"):
        found = [undamaged]
        for strength in canary.strengths:
            changed, asked = canary.damage(images, labels, strength, np.random.default_rng(1))
            damaged = Sample(changed, asked, with_errors=False)
            found.append(_values(damaged, reference))
        checks += [_check(canary.name, name, canary.strengths, found) for name in canary.seen_by]
    return checks + _check_memorised(reference, count)


def _values(sample: Sample, reference: Reference) -> dict[str, float]:
    measured = [PROTOCOLS[name].measure(sample, reference) for name in ("ffd10k_test", "classes10k")]
    return {name: figure.value for one in measured for name, figure in one.figures.items()}


def _check(damage: str, figure: str, strengths: tuple[float, float], found: list[dict[str, float]]) -> Check:
    undamaged, weak, strong = (values[figure] for values in found)
    return Check(damage, figure, strengths, (undamaged, weak, strong))


def _check_memorised(reference: Reference, count: int) -> list[Check]:
    """Half of the test images are held out; of the other half, a share is replaced by training images."""
    half, others = reference.halved()
    random = np.random.default_rng(1)
    real = reference.test.images[others[:count]]
    copies = half.train.images[random.choice(len(half.train.images), len(real), replace=False)]
    found = []
    for strength in (0.0, *MEMORISED_STRENGTHS):
        copied = random.random(len(real)) < strength
        images = np.where(copied[:, None, None, None], copies, real)
        figures = PROTOCOLS["memorisation10k"].measure(Sample(images, None), half).figures
        found.append({name: figure.value for name, figure in figures.items()})
    return [_check("training images copied", name, MEMORISED_STRENGTHS, found) for name in MEMORISATION_FIGURES]
