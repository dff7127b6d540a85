"""Two evaluations -> which one is better, if their metrics can show it."""

import dataclasses
import json
from pathlib import Path

from fashion_gan.arrays import JsonObject
from fashion_gan.errors import InputError
from fashion_gan.metrics.metric_info import FFD_NOTE, METRICS, MetricValue, read_metric_values
from fashion_gan.metrics.scientific import scipy
from fashion_gan.rendering.tables import format_html_table, format_table
from fashion_gan.system.paths import user_path

CONFIDENCE = 0.95
METRICS_FILE = "metrics.json"
# Every fingerprint has the first three. Those of pictures of any kind have the others too.
FINGERPRINT_PARTS = ("version", "data_sha256", "features_sha256")
PICTURE_PARTS = ("size", "counts")
UNDECIDED = "not distinguishable"


@dataclasses.dataclass(frozen=True)
class StoredMetrics:
    """The part of a ``metrics.json`` that a comparison needs.

    Attributes:
        name: what was scored.
        fingerprint: the data, the feature network and the protocols' version.
        metrics: the values by their ids.
    """

    name: str
    fingerprint: JsonObject
    metrics: dict[str, MetricValue]


@dataclasses.dataclass(frozen=True)
class Difference:
    """One metric of both sides, and which side has the better value: "first", "second" or "not distinguishable"."""

    name: str
    first: MetricValue
    second: MetricValue
    verdict: str


@dataclasses.dataclass(frozen=True, repr=False)
class Comparison:
    """The metrics of two evaluations.

    ``print(comparison)`` shows the table and the verdict. A notebook shows them too.

    Attributes:
        names: what was scored on the first and on the second side.
        differences: the metrics that both sides have with a standard error.
        verdict: "first", "second", "mixed" or "not distinguishable", over all metrics.
    """

    names: tuple[str, str]
    differences: list[Difference]
    verdict: str

    @property
    def verdict_in_words(self) -> str:
        """The verdict as a phrase."""
        if self.verdict == "mixed":
            return "mixed: each side is better in some metrics"
        if self.verdict == UNDECIDED:
            return UNDECIDED
        name = self.names[("first", "second").index(self.verdict)]
        return f"the {self.verdict} is better ({name}), and it is not worse in any metric"

    def table(self) -> str:
        """The names, the metrics as an aligned table, and the verdict."""
        lines = [f"first    {self.names[0]}", f"second   {self.names[1]}", "", format_table(self._rows(), "lrrl")]
        if any(difference.name.startswith("ffd") for difference in self.differences):
            lines.append(FFD_NOTE)
        return "\n".join([*lines, "", f"verdict  {self.verdict_in_words}"])

    def _rows(self) -> list[list[str]]:
        rows = [["metric", "first", "second", "better"]]
        for difference in self.differences:
            show = METRICS[difference.name].show
            first, second = show(difference.first.value), show(difference.second.value)
            rows.append([difference.name, first, second, difference.verdict])
        return rows

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        return f"<Comparison of {self.names[0]} and {self.names[1]}: {self.verdict_in_words}>"

    def _repr_html_(self) -> str:
        rows = [["metric", *self.names, "better"], *self._rows()[1:], ["verdict", "", "", self.verdict_in_words]]
        return format_html_table(rows, "lrrl")


def read_metrics(path: str | Path) -> StoredMetrics:
    """Read a ``metrics.json``. Files of version 0.1.0 can be read too.

    Args:
        path: the file, the folder of a report, or a run's folder with a report.

    Raises:
        InputError: there is no such file, or it does not hold metrics.
    """
    path = user_path("report", path)
    places = (path, path / METRICS_FILE, path / "report" / METRICS_FILE) if path.is_dir() else (path,)
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise InputError(f"{path} holds no {METRICS_FILE}: make one with fashion-gan evaluate")
    try:
        values: JsonObject = json.loads(file.read_text(encoding="utf-8"))
        metrics = read_metric_values(values)
        stored = values["fingerprint"]
        fingerprint = {part: stored[part] for part in FINGERPRINT_PARTS}
        fingerprint |= {part: stored[part] for part in PICTURE_PARTS if part in stored}
        return StoredMetrics(str(values["source"]["name"]), fingerprint, metrics)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        reason = "it is not text" if isinstance(error, UnicodeDecodeError) else str(error)[:200]
        raise InputError(f"{file} is not a file of metrics: {reason}") from error


def compare_metrics(first: StoredMetrics, second: StoredMetrics) -> Comparison:
    """Compare two files of metrics, from ``read_metrics``.

    One value is better than the other if zero lies outside the interval of the gain, at 95% for all metrics together
    (Bonferroni). The intervals cover the choice of images only. A difference between two models therefore does not show
    that one way of training is better: that needs several trainings of each. Metrics without a standard error, such as
    those of networks that are trained for the measurement, are left out.

    Raises:
        InputError: the fingerprints differ, or the files have no metric in common.
    """
    for part in (*FINGERPRINT_PARTS, *PICTURE_PARTS):
        parts = [side.fingerprint.get(part) for side in (first, second)]
        if parts[0] != parts[1]:
            raise InputError(
                f"these metrics cannot be compared: {part} is {parts[0]} for {first.name} and {parts[1]} for "
                f"{second.name}; score both with the same version on the same data, and as many images"
            )
    sides = (first.metrics, second.metrics)
    shared = [name for name in METRICS if all(name in side and side[name].standard_error is not None for side in sides)]
    if not shared:
        raise InputError(f"{first.name} and {second.name} have no metric with a standard error in common")
    differences = [_difference(name, first.metrics[name], second.metrics[name], len(shared)) for name in shared]
    verdicts = {difference.verdict for difference in differences} - {UNDECIDED}
    verdict = "mixed" if len(verdicts) > 1 else verdicts.pop() if verdicts else UNDECIDED
    return Comparison((first.name, second.name), differences, verdict)


def _difference(name: str, first: MetricValue, second: MetricValue, count: int) -> Difference:
    """Compare the values of one metric. The interval is corrected for ``count`` metrics that are tested together."""
    error = ((first.standard_error or 0) ** 2 + (second.standard_error or 0) ** 2) ** 0.5
    half_width = float(scipy().stats.norm.ppf(1 - (1 - CONFIDENCE) / count / 2)) * error
    # The gain, not the difference: two values on opposite sides of the ideal can be equally good.
    gain = METRICS[name].gain(first.value, second.value)
    if abs(gain) <= half_width:
        return Difference(name, first, second, UNDECIDED)
    return Difference(name, first, second, "first" if gain > 0 else "second")
