"""Generated images -> every requested metric, with its interval and its real baseline."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Images, JsonObject, Labels
from fashion_gan.errors import InputError, check_choice, check_whole_number, show
from fashion_gan.latents import check_seed
from fashion_gan.metrics.checks import checked_images, checked_labels
from fashion_gan.metrics.intervals import normal_interval
from fashion_gan.metrics.measures import Sample
from fashion_gan.metrics.metric_info import FFD_NOTE, METRICS, MetricValue
from fashion_gan.metrics.pictures.measures import PictureSample
from fashion_gan.metrics.pictures.protocols import KINDS, PICTURE_SETS, picture_protocols
from fashion_gan.metrics.pictures.reference import PictureReference
from fashion_gan.metrics.protocols import PROTOCOLS, SETS, Protocol
from fashion_gan.metrics.reference import Reference
from fashion_gan.metrics.values import Result
from fashion_gan.metrics.whole_sets import Parts
from fashion_gan.rendering.tables import format_html_table, format_table
from fashion_gan.system import progress

MAX_SEEDS = 1000

Draw = Callable[[int, int], tuple[Images, Labels | None]]
"""(count, seed) -> images (count, H, W, C), and the requested classes or None."""

AnyReference = Reference | PictureReference
"""Fashion-MNIST, or real pictures of any kind."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """The metrics of one source of images.

    ``print(evaluation)`` shows the table of metrics. A notebook shows it too.

    Attributes:
        source: the name of the source, the number of images, the seeds, a checksum of the images.
        fingerprint: the data, the feature network and the protocols' version that the scores depend on.
        metrics: the values by their ids, in the order of ``METRICS``.
        left_out: the protocols that were not measured, each with the reason.
        details: tables that the report shows: "classes", "within_classes" and "suspicious", if they were measured.
            "suspicious_of_all" has the images of a data set of shards that look most like copies.
        images, labels: the images of the first seed, for the pictures of the report.
        report_path: the report's page; None if no report was written.

    Example:
        >>> test = fashion_gan.load_fashion_mnist("test")
        >>> evaluation = fashion_gan.evaluate(test, protocols="classes10k")
        >>> share = evaluation.metrics["asked_class10k"]
        >>> share.interval[0] < share.value < share.interval[1]
        True
        >>> sorted(evaluation.fingerprint)
        ['data_sha256', 'features_sha256', 'version']
    """

    source: JsonObject
    fingerprint: JsonObject
    metrics: dict[str, MetricValue]
    left_out: dict[str, str]
    details: JsonObject
    images: Images
    labels: Labels | None
    report_path: Path | None = None

    def to_json(self) -> str:
        """Everything except the images, as it is stored in ``metrics.json``."""
        values = {
            "source": self.source,
            "fingerprint": self.fingerprint,
            "metrics": {name: dataclasses.asdict(metric) for name, metric in self.metrics.items()},
            "left_out": self.left_out,
            **self.details,
        }
        return json.dumps(values, indent=2)

    def table(self) -> str:
        """The metrics as an aligned table: value, interval, real baseline, and which way is better."""
        notes = [f"left out: {reason}" for reason in self.left_out.values()]
        if any(name.startswith("ffd") for name in self.metrics):
            notes.insert(0, FFD_NOTE)
        return "\n".join([format_table(self._rows(), "lrrrl"), *notes])

    def _rows(self) -> list[list[str]]:
        rows = [["metric", "value", "95% interval", "real images", "direction"]]
        for name, metric in self.metrics.items():
            info = METRICS[name]
            direction = info.direction
            if metric.deviation is not None:
                direction += f"; ± {info.show_unsigned(metric.deviation)} over seeds"
            interval = "" if metric.interval is None else info.show_interval(metric.interval)
            baseline = "" if metric.real_baseline is None else info.show(metric.real_baseline)
            rows.append([name, info.show(metric.value), interval, baseline, direction])
        return rows

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        images = self.source.get("images", len(self.images))
        return f"<Evaluation of {self.source.get('name')}: {len(self.metrics)} metrics on {images:,} images>"

    def _repr_html_(self) -> str:
        return format_html_table(self._rows(), "lrrrl")


def find_protocols(names: Sequence[str], for_pictures: bool = False) -> dict[str, bool]:
    """Find protocols by name.

    Args:
        names: names of protocols and of sets of protocols.
        for_pictures: find those for pictures of any kind, not those for Fashion-MNIST.

    Returns:
        The protocols' names, in the order of ``PROTOCOLS`` or ``KINDS``. The value is True if ``names`` has the
        protocol itself, and False if only a set does.

    Raises:
        InputError: a name is neither a protocol nor a set.
    """
    if not isinstance(names, Sequence):
        raise InputError(f"protocols={show(names)} must be a list of names")
    sets, known = (PICTURE_SETS, tuple(KINDS)) if for_pictures else (SETS, tuple(PROTOCOLS))
    for name in names:
        check_choice("protocol", name, (*sets, *known))
    requested = {protocol for name in names for protocol in sets.get(name, (name,))}
    return {name: name in names for name in known if name in requested}


def measure(
    draw: Draw,
    reference: AnyReference,
    protocols: Sequence[str] = ("standard",),
    *,
    name: str = "images",
    about: JsonObject | None = None,
    available: int | None = None,
    has_labels: bool = False,
    parts: Parts | None = None,
    seed: int | None = 0,
    seeds: int = 1,
) -> Evaluation:
    """Measure generated images.

    Args:
        draw: (count, seed) -> uint8 images (count, H, W, C), and the requested classes (count,) or None.
        reference: the real images. They decide the shape: 28×28 gray for Fashion-MNIST.
        protocols: names as for ``find_protocols``. If a protocol cannot be measured, and only a set names it, it
            is left out, and the reason is kept. If it is named itself, it raises InputError.
        name: the name of the source in messages and reports.
        about: other facts about the source, such as its weights and its step.
        available: the number of images; None for a generator, which draws any number.
        has_labels: whether ``draw`` returns classes.
        parts: gives all images part by part, for the protocol of all images. None if they are no data set of shards.
        seed: the seed of the first draw, at least 0. None draws one, which ``source`` records. Further draws take the
            next seeds.
        seeds: the number of draws, from 1 to 1,000. With several, the metrics are means with their standard
            deviation.

    Raises:
        InputError: the images cannot be scored, or a protocol is unknown or impossible.
    """
    seed, seeds = check_seed(seed), check_whole_number("seeds", seeds, 1, MAX_SEEDS)
    if seeds > 1 and available is not None:
        raise InputError(f"seeds={seeds} is for generators: {name} holds the same images for every seed")
    requested = _requested_protocols(protocols, reference, available)
    possible, left_out = _possible_protocols(requested, available, has_labels, parts is not None)
    if not possible:
        raise InputError(f"nothing can be measured for {name}: {'; '.join(left_out.values())}")

    count = max(protocol.count for protocol in possible)
    metrics_by_seed: list[dict[str, MetricValue]] = []
    for draw_seed in range(seed, seed + seeds):
        images, labels = draw(count, draw_seed)
        sample = _checked_sample(images, labels, reference)
        named_protocols = {protocol.name for protocol, is_named in requested.items() if is_named}
        result = _measure_sample(sample, parts, reference, possible, left_out, named=named_protocols, source=name)
        metrics_by_seed.append(result.metrics)
        if draw_seed == seed:
            first_images, first_labels, details = sample.images, sample.labels, result.details

    source = {
        "name": name,
        "images": count,
        "seeds": list(range(seed, seed + seeds)),
        **(about or {}),
        "sha256": hashlib.sha256(first_images.tobytes()).hexdigest(),
    }
    measured = [protocol for protocol in possible if protocol.name not in left_out]
    metrics = _with_baselines(_mean_over_seeds(metrics_by_seed), measured, reference)
    fingerprint = dict(reference.fingerprint)
    if isinstance(reference, PictureReference):
        fingerprint["counts"] = [count, len(reference.train.images), len(reference.target.images)]
        details["protocols"] = [protocol.name for protocol in measured]
    if "all_images" in details:
        source["all_images"] = details.pop("all_images")
    return Evaluation(source, fingerprint, metrics, left_out, details, first_images, first_labels)


def _requested_protocols(names: Sequence[str], reference: AnyReference, available: int | None) -> dict[Protocol, bool]:
    """The protocols by their names. The value is True if the name is that of the protocol itself, not of a set.

    If the real pictures have no classes, the sets hold no protocol that needs classes.
    """
    if not isinstance(reference, PictureReference):
        return {PROTOCOLS[name]: is_named for name, is_named in find_protocols(names).items()}
    known = picture_protocols(reference, available)
    named = find_protocols(names, for_pictures=True)
    return {
        known[name]: is_named
        for name, is_named in named.items()
        if is_named or reference.class_names or not known[name].needs_labels
    }


def _possible_protocols(
    protocols: dict[Protocol, bool], available: int | None, has_labels: bool, in_shards: bool
) -> tuple[list[Protocol], dict[str, str]]:
    """The protocols that can be measured, and why the others cannot. Raises InputError for one that is named."""
    possible, left_out = [], {}
    for protocol, is_named in protocols.items():
        try:
            protocol.check(protocol.count if available is None else available, has_labels, in_shards)
            possible.append(protocol)
        except InputError as error:
            if is_named:
                raise
            left_out[protocol.name] = str(error)
    return possible, left_out


def _checked_sample(images: Images, labels: Labels | None, reference: AnyReference) -> Sample | PictureSample:
    if not isinstance(reference, PictureReference):
        images = checked_images(images)
        return Sample(images, None if labels is None else checked_labels(labels, len(images)))
    images = checked_images(images, reference.shape)
    if labels is not None:
        labels = checked_labels(labels, len(images), len(reference.class_names))
    return PictureSample(images, labels, reference)


def _measure_sample(
    sample: Sample | PictureSample,
    parts: Parts | None,
    reference: AnyReference,
    protocols: Sequence[Protocol],
    left_out: dict[str, str],
    named: Collection[str],
    source: str,
) -> Result:
    """The merged results of all protocols. A protocol that fails is added to ``left_out``, unless it is named."""
    metrics: dict[str, MetricValue] = {}
    details: JsonObject = {}
    for protocol in progress.bar(protocols, f"measuring {source}", "protocols"):
        try:
            result = protocol.measure(parts if protocol.of_all else sample.first(protocol.count), reference)
        except InputError as error:  # For example, the Inception weights cannot be downloaded.
            if protocol.name in named:
                raise
            left_out[protocol.name] = f"{protocol.name}: {error}"
            continue
        metrics.update(result.metrics)
        details.update(result.details)
    return Result(metrics, details)


def _mean_over_seeds(metrics_by_seed: Sequence[dict[str, MetricValue]]) -> dict[str, MetricValue]:
    names = [name for name in metrics_by_seed[0] if all(name in metrics for metrics in metrics_by_seed)]
    return {name: _mean([metrics[name] for metrics in metrics_by_seed]) for name in names}


def _mean(draws: Sequence[MetricValue]) -> MetricValue:
    """The mean over draws. Its standard error is that of one draw, divided by the square root of their number."""
    if len(draws) == 1:
        return draws[0]
    values = np.array([metric.value for metric in draws])
    errors = [metric.standard_error for metric in draws if metric.standard_error is not None]
    error = float(np.mean(errors) / np.sqrt(len(values))) if errors else None
    value = float(values.mean())
    interval = None if error is None else normal_interval(value, error)
    return MetricValue(value, error, interval, by_seed=tuple(values.tolist()), deviation=float(values.std(ddof=1)))


def _with_baselines(
    metrics: dict[str, MetricValue], protocols: Sequence[Protocol], reference: AnyReference
) -> dict[str, MetricValue]:
    baselines: dict[str, float] = {}
    for protocol in progress.bar(protocols, "real baselines", "protocols"):
        baselines.update(protocol.real_baseline(reference))
    return {name: dataclasses.replace(metric, real_baseline=baselines.get(name)) for name, metric in metrics.items()}
