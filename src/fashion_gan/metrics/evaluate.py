"""Images from anywhere -> every figure asked for, with its interval and its floor."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fashion_gan import progress
from fashion_gan.errors import InputError, suggestion
from fashion_gan.metrics.checks import checked_images, checked_labels
from fashion_gan.metrics.figures import Figure
from fashion_gan.metrics.intervals import normal_interval
from fashion_gan.metrics.measures import Measured, Sample
from fashion_gan.metrics.protocols import PROTOCOLS, SETS, Protocol
from fashion_gan.metrics.reference import Reference

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32] | None
Draw = Callable[[int, int], tuple[Images, Labels]]


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """All that was measured of one source of images.

    Attributes:
        source: what was scored: its name, the seeds, a checksum of its images.
        fingerprint: the data, the features and the protocols' version that the figures hold for.
        figures: by their names, in the order of ``MEANINGS``.
        left_out: protocols that were not measured, and why.
        details: "classes" (a row a class) and "suspicious" (pairs), where measured.
        images, labels: the first seed's images, for pictures of them.
    """

    source: dict[str, Any]
    fingerprint: dict[str, Any]
    figures: dict[str, Figure]
    left_out: dict[str, str]
    details: dict[str, Any]
    images: Images
    labels: Labels

    def to_json(self) -> str:
        """Everything but the images."""
        values = {
            "source": self.source,
            "fingerprint": self.fingerprint,
            "figures": {name: dataclasses.asdict(figure) for name, figure in self.figures.items()},
            "left_out": self.left_out,
            **self.details,
        }
        return json.dumps(values, indent=2)


def chosen_protocols(names: Sequence[str]) -> dict[str, bool]:
    """Names of protocols and of sets of them -> the protocols, and whether each was asked for by its own name.

    Raises:
        InputError: a name is neither.
    """
    for name in names:
        if name not in PROTOCOLS and name not in SETS:
            raise InputError(f"protocol={name!r} is unknown: {suggestion(name, [*SETS, *PROTOCOLS])}")
    wanted = [protocol for name in names for protocol in SETS.get(name, (name,))]
    return {name: name in names for name in PROTOCOLS if name in wanted}


def evaluate(
    draw: Draw,
    reference: Reference,
    protocols: Sequence[str] = ("standard",),
    *,
    name: str = "images",
    about: dict[str, Any] | None = None,
    available: int | None = None,
    labelled: bool = False,
    seed: int = 0,
    seeds: int = 1,
) -> Evaluation:
    """Measure.

    Args:
        draw: (count, seed) -> images, and the classes asked for or None; see ``sources``.
        reference: the real side.
        protocols: names from ``PROTOCOLS`` and ``SETS``. Of a set, what cannot be measured is left out, with its
            reason; what was asked for by its own name must be possible.
        name: what the report calls the source.
        about: what else there is to say of it: which weights, which step.
        available: how many images there are; None for a generator, which draws as many as are asked for.
        labelled: whether ``draw`` gives classes.
        seed: of the first drawing; the others' are the next ones.
        seeds: how many drawings; figures then are means, with their deviation.

    Raises:
        InputError: images that cannot be scored, an unknown or impossible protocol.
    """
    if seed < 0:
        raise InputError(f"seed={seed} is out of range: it must be at least 0")
    if seeds < 1:
        raise InputError(f"seeds={seeds} is out of range: it must be at least 1")
    if seeds > 1 and available is not None:
        raise InputError(f"seeds={seeds} is for generators: {name} holds the same images for every seed")
    by_name = chosen_protocols(protocols)
    possible, left_out = _possible(by_name, available, labelled)
    if not possible:
        raise InputError(f"nothing can be measured of {name}: {'; '.join(left_out.values())}")

    count = max(protocol.count for protocol in possible)
    by_seed: list[dict[str, Figure]] = []
    details: dict[str, Any] = {}
    for number in range(seed, seed + seeds):
        images, labels = draw(count, number)
        images = checked_images(images)
        labels = None if labels is None else checked_labels(labels, len(images))
        sample = Sample(images, labels)
        measured = {
            protocol.name: _measured(protocol, sample, reference, left_out, strict=by_name[protocol.name])
            for protocol in progress.bar(possible, f"measuring {name}", "protocols")
        }
        by_seed.append({key: figure for one in measured.values() for key, figure in one.figures.items()})
        if number == seed:
            first_images, first_labels = images, labels
            details = {key: value for one in measured.values() for key, value in one.details.items()}

    floors = {}
    for protocol in progress.bar(possible, "floors", "protocols"):
        if protocol.name not in left_out:
            floors.update(protocol.floor(reference))
    figures = {
        key: dataclasses.replace(_over_seeds([one[key] for one in by_seed]), floor=floors.get(key))
        for key in by_seed[0]
    }
    source = {
        "name": name,
        "images": count,
        "seeds": list(range(seed, seed + seeds)),
        **(about or {}),
        "sha256": hashlib.sha256(first_images.tobytes()).hexdigest(),
    }
    return Evaluation(source, reference.fingerprint, figures, left_out, details, first_images, first_labels)


def _possible(by_name: dict[str, bool], available: int | None, labelled: bool) -> tuple[list[Protocol], dict[str, str]]:
    possible, left_out = [], {}
    for name, strict in by_name.items():
        protocol = PROTOCOLS[name]
        try:
            protocol.check(protocol.count if available is None else available, labelled)
            possible.append(protocol)
        except InputError as error:
            if strict:
                raise
            left_out[protocol.name] = str(error)
    return possible, left_out


def _measured(
    protocol: Protocol, sample: Sample, reference: Reference, left_out: dict[str, str], strict: bool
) -> Measured:
    try:
        return protocol.measure(sample.first(protocol.count), reference)
    except InputError as error:  # The Inception weights, say, which are asked for only now.
        if strict:
            raise
        left_out[protocol.name] = f"{protocol.name}: {error}"
        return Measured({})


def _over_seeds(figures: Sequence[Figure]) -> Figure:
    """The mean over drawings; its standard error shrinks with their number."""
    if len(figures) == 1:
        return figures[0]
    values = np.array([figure.value for figure in figures])
    errors = [figure.standard_error for figure in figures if figure.standard_error is not None]
    error = float(np.mean(errors) / np.sqrt(len(values))) if errors else None
    value = float(values.mean())
    interval = None if error is None else normal_interval(value, error)
    return Figure(value, error, interval, by_seed=tuple(values.tolist()), deviation=float(values.std(ddof=1)))
