"""Evaluate images from any source, compare two evaluations, and check the metrics themselves."""

import dataclasses
import datetime
import os
from collections.abc import Sequence
from pathlib import Path

import numpy.typing as npt

from fashion_gan.api.sources import Source, dataset_source, images_source, open_source
from fashion_gan.datasets import Dataset
from fashion_gan.errors import check_whole_number, readable
from fashion_gan.latents import check_seed
from fashion_gan.metrics.comparison import Comparison, compare_metrics, read_metrics
from fashion_gan.metrics.evaluate import MAX_SEEDS, Evaluation, find_protocols, measure
from fashion_gan.metrics.reference import Reference
from fashion_gan.metrics.report import make_folder, write_report
from fashion_gan.metrics.self_check import SelfCheck, self_check
from fashion_gan.runs import Run
from fashion_gan.system.installation import check_installed
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.paths import user_path


@default_settings()
def evaluate(
    source: str | Path | npt.ArrayLike | Dataset,
    *,
    protocols: str | Sequence[str] = ("standard",),
    labels: str | Path | npt.ArrayLike | None = None,
    seed: int | None = 0,
    seeds: int = 1,
    report: str | Path | None = None,
    data: str | Path | None = None,
    raw: bool = False,
    best: bool = False,
) -> Evaluation:
    """Score generated images against Fashion-MNIST.

    The metrics of a run are also appended to its ``metrics.jsonl``.

    Args:
        source: a shipped model's name, a run's folder, a model file, a folder of pictures, an ``.npz`` or ``.npy``
            file, a ``Dataset``, or an array of images, uint8 (N, 28, 28) or (N, 28, 28, 1).
        protocols: the name of a protocol or of a set of protocols, or a list of names. The sets are "standard" and
            "full".
        labels: the classes of images that come without them: a file (``.npy``, ``.npz``, CSV or text); or names
            or numbers (N,) or (N, 1), or one-hot rows.
        seed: the seed of the first draw, at least 0. None draws one, which the result's ``source`` records. Images of a
            file or an array are drawn in random order.
        seeds: the number of draws, from 1 to 1,000. With several, the metrics are means with their standard
            deviation.
        report: the folder for ``report.html`` and ``metrics.json``. None writes no report.
        data: the folder of the four Fashion-MNIST files. None: they are searched for and, if missing, downloaded.
        raw: take the trained weights of a run, not their moving average.
        best: take the best checkpoint of a run, not the newest.

    Returns:
        The evaluation, with ``report_path`` if a report was written.

    Raises:
        InputError: the source cannot be read, its images cannot be scored, a protocol is unknown or impossible, or the
            report's folder cannot be written.

    Example:
        >>> evaluation = fashion_gan.evaluate("fashion", protocols="classes10k", report="fashion-report")
        >>> list(evaluation.metrics)
        ['class_imbalance10k', 'missing_classes10k', 'asked_class10k']
        >>> evaluation.report_path.name
        'report.html'

    Source: each metric's paper is in the reference of the metrics.
    """
    protocols = (protocols,) if isinstance(protocols, str) else protocols
    find_protocols(protocols)  # Refuse what is wrong, and a missing library, before anything large is read.
    check_installed("scipy", "evaluate", "evaluate")
    seed, seeds = check_seed(seed), check_whole_number("seeds", seeds, 1, MAX_SEEDS)
    report_folder = None if report is None else user_path("report", report)
    if isinstance(source, (str, os.PathLike)):
        opened = open_source(source, labels=labels, raw=raw, best=best)
    elif isinstance(source, Dataset):
        opened = dataset_source(source)
    else:
        opened = images_source("images", source, labels)
    if report_folder is not None:
        make_folder(report_folder)
    reference = Reference.load(data)
    evaluation = _measure_source(opened, reference, protocols, seed, seeds)
    if report_folder is not None:
        training_metrics = [] if opened.run is None else opened.run.read_metrics()
        report_path = write_report(evaluation, reference, report_folder, training_metrics)
        evaluation = dataclasses.replace(evaluation, report_path=report_path)
    if opened.run is not None:
        _append_to_run(evaluation, opened.run)
    return evaluation


def _measure_source(
    source: Source, reference: Reference, protocols: Sequence[str], seed: int, seeds: int
) -> Evaluation:
    return measure(
        source.draw,
        reference,
        protocols,
        name=readable(source.name),
        about=source.about,
        available=source.available,
        has_labels=source.has_labels,
        seed=seed,
        seeds=seeds,
    )


def _append_to_run(evaluation: Evaluation, run: Run) -> None:
    run.append_metrics(
        {
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "source": evaluation.source,
            "fingerprint": evaluation.fingerprint,
            **{name: metric.value for name, metric in evaluation.metrics.items()},
        }
    )


@default_settings()
def compare(first: str | Path, second: str | Path) -> Comparison:
    """Compare two evaluations metric by metric.

    Args:
        first, second: a ``metrics.json``, the folder of a report, or a run's folder with a report.

    Returns:
        The comparison. ``print`` shows its table and its verdict.

    Raises:
        InputError: an evaluation is missing, or the two are not comparable.

    Example:
        >>> from fashion_gan.api.evaluate import compare
        >>> compare("first-report", "second-report").verdict
        'not distinguishable'
    """
    return compare_metrics(read_metrics(first), read_metrics(second))


def check_metrics(data: str | Path | None = None) -> SelfCheck:
    """Score damaged real images, and check that the metrics detect each kind of damage. Takes minutes.

    Args:
        data: the folder of the four Fashion-MNIST files. None: they are searched for and, if missing, downloaded.

    Returns:
        The results. ``print`` shows them as a table.

    Raises:
        InputError: Fashion-MNIST is not found.
    """
    check_installed("scipy", "the self-check", "evaluate")
    return self_check(Reference.load(data))
