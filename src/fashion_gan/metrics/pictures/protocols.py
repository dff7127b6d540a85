"""The protocols for pictures of any kind: what each measures, and what it needs. Their names carry the counts."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from fashion_gan.metrics.pictures import measures, real_baselines
from fashion_gan.metrics.pictures.held_out import FEWEST
from fashion_gan.metrics.pictures.measures import FEWEST_OF_A_CLASS
from fashion_gan.metrics.pictures.real_baselines import PictureMeasure
from fashion_gan.metrics.pictures.reference import FEWEST_PICTURES, PictureReference
from fashion_gan.metrics.protocols import OF_ALL, Protocol
from fashion_gan.metrics.values import Result

MOST_PICTURES = 5_000  # that are generated and scored
FEWEST_FOR_TWO_SAMPLE = 200
FEWEST_TRAINING_OF_A_CLASS = 50  # real training pictures of a class, for GAN-train


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of protocol.

    Attributes:
        measure, measure_real, needs, needs_labels: as in ``Protocol``.
        at_most_real: whether at most as many pictures are scored as there are real ones to compare with.
        to_training: whether the generated pictures are compared with the training pictures.
        needs_held_out: whether some pictures must be held out.
        of_all: as in ``Protocol``.
        too_few: the reference and the number of pictures to score -> why they are too few; "" if they are enough.
    """

    measure: Callable[[Any, PictureReference], Result]
    measure_real: Callable[[PictureMeasure, int, PictureReference], Result]
    needs: str = ""
    needs_labels: bool = False
    at_most_real: bool = False
    to_training: bool = False
    needs_held_out: bool = False
    of_all: bool = False
    too_few: Callable[[PictureReference, int], str] = lambda reference, count: ""


def _too_few_within_classes(reference: PictureReference, count: int) -> str:
    largest = np.bincount(reference.target.labels).max()
    if largest >= FEWEST_OF_A_CLASS:
        return ""
    return f"no class has {FEWEST_OF_A_CLASS} real pictures to compare with; the largest has {largest}"


def _too_few_for_gan_train(reference: PictureReference, count: int) -> str:
    smallest = np.bincount(reference.train.labels, minlength=len(reference.class_names)).min()
    if smallest < FEWEST_TRAINING_OF_A_CLASS:
        return f"each class needs {FEWEST_TRAINING_OF_A_CLASS} training pictures; the smallest has {smallest}"
    return ""


def _too_few_for_two_sample(reference: PictureReference, count: int) -> str:
    usable = min(count, len(measures.all_real(reference)))
    return "" if usable >= FEWEST_FOR_TWO_SAMPLE else f"it needs {FEWEST_FOR_TWO_SAMPLE} pictures, there are {usable}"


# fmt: off
KINDS = {
    "distances":      Kind(measures.distances,            real_baselines.of_real_pictures),
    "neighbors":      Kind(measures.neighbors,            real_baselines.of_real_pictures, at_most_real=True),
    "patches":        Kind(measures.patches,              real_baselines.of_real_pictures),
    "training_distance": Kind(measures.distance_to_training, real_baselines.by_halves,
                              to_training=True, needs_held_out=True),
    "diversity":      Kind(measures.diversity,            real_baselines.of_real_pictures),
    "within_classes": Kind(measures.within_classes,       real_baselines.of_real_pictures,
                           needs_labels=True, too_few=_too_few_within_classes),
    "memorization":   Kind(measures.copies,               real_baselines.of_memorization),
    "gan_train":      Kind(measures.gan_train,            real_baselines.of_gan_train,
                           needs="keras", needs_labels=True, needs_held_out=True, too_few=_too_few_for_gan_train),
    "two_sample":     Kind(measures.two_sample,           real_baselines.of_two_sample,
                           needs="keras", too_few=_too_few_for_two_sample),
    "inception":      Kind(measures.inception_scores,     real_baselines.of_real_pictures,
                           needs="torch_fidelity"),
    OF_ALL:           Kind(measures.all_images,           real_baselines.of_all_images, of_all=True),
}
# fmt: on
_STANDARD = ("distances", "neighbors", "patches", "training_distance", "diversity", "within_classes", "memorization")
PICTURE_SETS = {"standard": _STANDARD, "full": (*_STANDARD, "gan_train", "two_sample")}


def picture_protocols(reference: PictureReference, available: int | None) -> dict[str, Protocol]:
    """The protocols for a reference, by their kinds.

    As many pictures are scored as there are training pictures, at most 5,000, so that real pictures can be scored in
    the same way. A source that holds fewer pictures gives all of them.

    Args:
        reference: the real pictures.
        available: the number of pictures that the source holds; None for a generator.
    """
    count = min(MOST_PICTURES, len(reference.train.images))
    count = max(FEWEST_PICTURES, count if available is None else min(count, available))
    return {name: _protocol(name, kind, reference, count) for name, kind in KINDS.items()}


def _protocol(name: str, kind: Kind, reference: PictureReference, count: int) -> Protocol:
    compared = reference.train if kind.to_training else reference.target
    against = len(compared.images)
    if kind.at_most_real:
        count = min(count, against)
    reason = ""
    if kind.needs_held_out and reference.held_out is None:
        is_small = len(reference.train.images) < FEWEST
        why = f"there are fewer than {FEWEST}" if is_small else "the run learned from all of them"
        reason = f"no picture is held out, because {why}"
    elif kind.needs_labels and not reference.class_names:
        reason = "the real pictures have no classes"
    else:
        reason = kind.too_few(reference, count)
    return Protocol(
        f"{name}_to_{against}" if kind.of_all else f"{name}{count}_to_{against}",
        count,
        kind.measure,
        kind.measure_real,
        needs=kind.needs,
        needs_labels=kind.needs_labels,
        too_few=reason,
        of_all=kind.of_all,
    )
