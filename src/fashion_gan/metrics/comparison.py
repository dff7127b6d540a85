"""Two evaluations -> which is better, as far as their figures can tell."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import scipy

from fashion_gan.errors import InputError
from fashion_gan.metrics.figures import MEANINGS, Figure

CONFIDENCE = 0.95
METRICS_FILE = "metrics.json"
FINGERPRINT_PARTS = ("version", "data_sha256", "features_sha256")


@dataclasses.dataclass(frozen=True)
class Difference:
    """One figure of both sides, and which side it speaks for: "first", "second" or "not distinguishable"."""

    name: str
    first: Figure
    second: Figure
    verdict: str


@dataclasses.dataclass(frozen=True)
class Comparison:
    """All figures that both sides have, and a verdict over them, which can also be "mixed"."""

    differences: list[Difference]
    verdict: str


def read_metrics(path: str | Path) -> dict[str, Any]:
    """Read a ``metrics.json``, or that of a report's or a run's folder.

    Raises:
        InputError: there is none, or it is not one of ours.
    """
    path = Path(path)
    places = (path, path / METRICS_FILE, path / "report" / METRICS_FILE) if path.is_dir() else (path,)
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise InputError(f"{path} holds no {METRICS_FILE}: make one with fashion-gan evaluate")
    try:
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        figures = {name: Figure.from_json(figure) for name, figure in values["figures"].items() if name in MEANINGS}
        fingerprint = {part: values["fingerprint"][part] for part in FINGERPRINT_PARTS}
        return {"source": {"name": str(values["source"]["name"])}, "fingerprint": fingerprint, "figures": figures}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        reason = "it is no text" if isinstance(error, UnicodeDecodeError) else str(error)[:200]
        raise InputError(f"{file} is not a file of figures: {reason}") from error


def compare(first: dict[str, Any], second: dict[str, Any]) -> Comparison:
    """Hold two files of figures, from ``read_metrics``, against each other.

    A figure is called different where zero lies outside the interval of the difference, at 95 % for all figures
    together (Bonferroni). The intervals are of the images drawn: that two models differ does not say that the ways
    they were trained do, for which several trainings of each are needed. Figures whose error is not known, as those of
    freshly trained networks, are left out.

    Raises:
        InputError: their fingerprints differ, or they have no figure in common.
    """
    for part in FINGERPRINT_PARTS:
        ours, theirs = (one["fingerprint"][part] for one in (first, second))
        if ours != theirs:
            raise InputError(
                f"these figures cannot be compared: {part} is {ours} for {first['source']['name']} and {theirs} for "
                f"{second['source']['name']}; score both with the same version on the same data"
            )
    shared = [
        name
        for name in MEANINGS
        if all(name in one["figures"] and one["figures"][name].standard_error is not None for one in (first, second))
    ]
    if not shared:
        raise InputError(
            f"{first['source']['name']} and {second['source']['name']} have no figure with an error in common"
        )
    differences = [_difference(name, first["figures"][name], second["figures"][name], len(shared)) for name in shared]
    found = {difference.verdict for difference in differences} - {"not distinguishable"}
    verdict = "mixed" if len(found) > 1 else found.pop() if found else "not distinguishable"
    return Comparison(differences, verdict)


def _difference(name: str, first: Figure, second: Figure, count: int) -> Difference:
    error = ((first.standard_error or 0) ** 2 + (second.standard_error or 0) ** 2) ** 0.5
    reach = float(scipy.stats.norm.ppf(1 - (1 - CONFIDENCE) / count / 2)) * error
    gain = MEANINGS[name].gain(first.value, second.value)
    # By how much it is better, not by how much it differs: two values can be as far from the best one on either side.
    if abs(gain) <= reach:
        return Difference(name, first, second, "not distinguishable")
    return Difference(name, first, second, "first" if gain > 0 else "second")
