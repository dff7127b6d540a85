"""Damages real pictures of any kind on purpose, and checks that the figures that should see each damage get worse."""

from collections.abc import Iterator, Sequence

import numpy as np

from fashion_gan.arrays import Images, Labels
from fashion_gan.metrics import damages
from fashion_gan.metrics.damages import ApplyDamage
from fashion_gan.metrics.pictures import measures
from fashion_gan.metrics.pictures.measures import FEWEST_OF_A_CLASS, PictureSample
from fashion_gan.metrics.pictures.protocols import MOST_PICTURES
from fashion_gan.metrics.pictures.reference import PictureReference, halves, select
from fashion_gan.metrics.self_check import COPIED_SHARES, Check, Damage, SelfCheck
from fashion_gan.system import progress

Strengths = tuple[float, float]
Metrics = tuple[str, ...]

FEWEST_FOR_SHARES = 200  # real pictures to compare with, from which on shares of a tenth can be seen in neighborhoods
KINDS = 10  # Pictures without classes are sorted into so many kinds by their first feature.
FEWEST_CLASSES = 7  # With fewer, kinds are missing too, because six classes cannot be left out.
# Whether damage raises or lowers the metrics whose best value lies between. Few pictures can score on either side.
RISES = {"diversity": False, "copying": False, "closer_than_real": True, "nearer_train": True}
COPIED_SHARES_OF_FEW = (0.5, 1.0)
SHIFT_SHARE = 28  # A picture is moved by one pixel for so many that it is wide, and by two.


def check_pictures(reference: PictureReference) -> SelfCheck:
    """Score damaged training pictures against the held-out ones, or damaged halves if no picture is held out.

    Args:
        reference: the real pictures.
    """
    compared, undamaged, kinds = _undamaged(reference)
    images, labels = undamaged.images, undamaged.labels
    assert labels is not None  # Every data set has them.
    before = _scores(undamaged, compared)
    checks: list[Check] = []
    for damage in progress.bar(list(_damages(compared, labels)), "self-check", "kinds of damage"):
        scores = [before]
        for strength in damage.strengths:
            changed = kinds if damage.apply is damages.missing_classes else labels
            damaged, shown = damage.apply(images, changed, strength, np.random.default_rng(1))
            scores.append(_scores(PictureSample(damaged, shown, compared, with_errors=False), compared))
        checks += [
            _check(damage.name, metric, damage.strengths, scores, compared)
            for metric in damage.detected_by
            if metric in before
        ]
    return SelfCheck((*checks, *_check_copies(reference)))


def _undamaged(reference: PictureReference) -> tuple[PictureReference, PictureSample, Labels]:
    """What is compared with, the pictures that are damaged, and the kind of each: its class, if there are enough."""
    if reference.held_out is None:
        damaged, rest = halves(len(reference.train.images))
        compared = reference.part(rest, None)
    else:
        damaged, compared = reference.training_sample(MOST_PICTURES), reference
    pictures, vectors = select(reference.train, damaged), reference.train_vectors[damaged]
    sample = PictureSample(pictures.images, pictures.labels, compared, vectors, with_errors=False)
    present, kinds = np.unique(pictures.labels, return_inverse=True)
    if len(present) < FEWEST_CLASSES:
        kinds = np.argsort(np.argsort(vectors[:, 0])) * KINDS // len(vectors)
    return compared, sample, kinds.astype(np.int32)


def _damages(reference: PictureReference, labels: Labels) -> Iterator[Damage]:
    """The kinds of damage that this reference, and the classes of the damaged pictures, can show.

    The fewer real pictures there are, the more the figures scatter. So few pictures are damaged more, only the higher
    strength is judged, and damages that hardly move a figure are left out.
    """
    distances = ("frechet", "kernel")
    shift = max(1, round(min(reference.shape[:2]) / SHIFT_SHARE))
    many = _has_many(reference)
    variety = (*distances, "patches", *(("recall", "coverage") if many else ()))
    missing = "classes missing" if len(np.unique(labels)) >= FEWEST_CLASSES else "kinds missing"

    def damage(name: str, apply: ApplyDamage, light: Strengths, heavy: Strengths, detected_by: Metrics) -> Damage:
        return Damage(name, apply, light if many else heavy, detected_by)

    # fmt: off
    yield damage(missing, damages.missing_classes, (1, 3), (2, 6), variety)
    yield damage("one picture repeated", damages.repeated_mode, (0.1, 0.4), (0.4, 0.8),
                 (*distances, "patches", "diversity"))
    yield damage("blurred", damages.blurred, (0.4, 0.8), (0.8, 2), ("frechet", "patches", "patches_scale1"))
    yield damage("noise", damages.noisy, (8, 24), (30, 90), ("frechet", "patches", "patches_scale1"))
    yield damage("noise instead", damages.noise_instead, (0.1, 0.5), (0.3, 0.7), (*distances, "density", "patches"))
    yield damage("shifted", damages.shifted, (shift, 2 * shift), (2 * shift, 5 * shift), (*distances, "patches"))
    if reference.shape[2] >= 3:
        yield damage("colors turned", damages.colors_turned, (0.1, 0.5), (0.4, 1.0), (*distances, "patches"))
    if many:
        yield Damage("JPEG", damages.jpeg, (75, 95), ("patches_scale1",))
        yield Damage("mirrored", damages.mirrored, (0.2, 1.0), ("frechet",))
    if labels.max() > 0 and _has_classes(reference):
        yield damage("wrong class", damages.mislabeled, (0.1, 0.5), (0.3, 0.8), ("class_coverage",))
    # fmt: on


def _has_classes(reference: PictureReference) -> bool:
    """Whether there are classes, and one has enough pictures for figures within it."""
    return bool(reference.class_names) and np.bincount(reference.target.labels).max() >= FEWEST_OF_A_CLASS


def _scores(sample: PictureSample, reference: PictureReference) -> dict[str, float]:
    results = [measure(sample, reference) for measure in (measures.distances, measures.neighbors, measures.patches)]
    results.append(measures.diversity(sample, reference))
    if _has_classes(reference):
        results.append(measures.within_classes(sample, reference))
    return {name: metric.value for result in results for name, metric in result.metrics.items()}


def _check_copies(reference: PictureReference) -> list[Check]:
    """Score real pictures that the training set does not hold, with a share of them replaced by training pictures."""
    if reference.held_out is None:
        unseen, rest = halves(len(reference.train.images))
        compared, images = reference.part(rest, None), reference.train.images[unseen]
    else:
        unseen, rest = halves(len(reference.held_out.images))
        images = reference.held_out.images[unseen]
        compared = reference.part(np.arange(len(reference.train.images)), rest)
    random = np.random.default_rng(1)
    count = len(compared.train.images)
    copies = compared.train.images[random.choice(count, len(images), replace=count < len(images))]
    shares = COPIED_SHARES if _has_many(reference) else COPIED_SHARES_OF_FEW
    scores = [_copying(_mixed(images, copies, share, random), compared) for share in (0.0, *shares)]
    return [_check("training pictures copied", metric, shares, scores, reference) for metric in scores[0]]


def _check(
    damage: str,
    metric: str,
    strengths: Strengths,
    scores: Sequence[dict[str, float]],
    reference: PictureReference,
) -> Check:
    none, weak, strong = (values[metric] for values in scores)
    return Check(damage, metric, strengths, (none, weak, strong), RISES.get(metric), _has_many(reference))


def _has_many(reference: PictureReference) -> bool:
    """Whether there are enough pictures to compare with that slight damages can be seen."""
    return len(reference.target.images) >= FEWEST_FOR_SHARES


def _mixed(images: Images, copies: Images, share: float, random: np.random.Generator) -> Images:
    mask = random.random(len(images)) < share
    return np.where(mask[:, None, None, None], copies, images)


def _copying(images: Images, reference: PictureReference) -> dict[str, float]:
    result = measures.copies(PictureSample(images, None, reference, with_errors=False), reference)
    return {name: metric.value for name, metric in result.metrics.items()}
