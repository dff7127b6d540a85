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
        values: dict[str, Any] = json.loads(file.read_text())
        values["figures"] = {
            name: Figure.from_json(figure) for name, figure in values["figures"].items() if name in MEANINGS
        }
        _ = values["fingerprint"]["version"], values["source"]["name"]
    except (ValueError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not a file of figures: {error!r}") from error
    return values


def compare(first: dict[str, Any], second: dict[str, Any]) -> Comparison:
    """Hold two files of figures, from ``read_metrics``, against each other.

    A figure is called different where zero lies outside the interval of the difference, at 95 % for all figures
    together (Bonferroni). The intervals are of the images drawn: that two models differ does not say that the ways
    they were trained do, for which several trainings of each are needed.

    Raises:
        InputError: their fingerprints differ, or they have no figure in common.
    """
    for part in ("version", "data_sha256", "features_sha256"):
        ours, theirs = (one["fingerprint"].get(part) for one in (first, second))
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
    if abs(first.value - second.value) <= reach or not gain:
        return Difference(name, first, second, "not distinguishable")
    return Difference(name, first, second, "first" if gain > 0 else "second")
