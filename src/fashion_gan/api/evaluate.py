"""Evaluate images from any source, compare two evaluations, and check the metrics themselves."""

import dataclasses
import datetime
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fashion_gan.api.picture_sources import PictureSource, open_picture_source
from fashion_gan.api.real_pictures import RealPictures, find_real_pictures, real_pictures_of_run
from fashion_gan.api.sources import Source, dataset_source, images_source, open_source, trained_on_other_classes
from fashion_gan.arrays import Images, Labels, Shape
from fashion_gan.datasets import Dataset
from fashion_gan.datasets.checked_images import fewest_channels
from fashion_gan.errors import InputError, check_whole_number, readable
from fashion_gan.latents import check_seed
from fashion_gan.metrics.comparison import Comparison, compare_metrics, read_metrics
from fashion_gan.metrics.evaluate import MAX_SEEDS, AnyReference, Evaluation, find_protocols, measure
from fashion_gan.metrics.pictures.feature_networks import FeatureNetwork
from fashion_gan.metrics.pictures.reference import PictureReference
from fashion_gan.metrics.pictures.self_check import check_pictures
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
    reference: str | Path | Dataset | None = None,
    protocols: str | Sequence[str] = ("standard",),
    labels: str | Path | npt.ArrayLike | None = None,
    features: str | Path | None = None,
    image_size: int | None = None,
    seed: int | None = 0,
    seeds: int = 1,
    report: str | Path | None = None,
    data: str | Path | None = None,
    raw: bool = False,
    best: bool = False,
) -> Evaluation:
    """Score generated images against real ones.

    Without ``reference``, a run on the user's own pictures is scored against these pictures, and everything else
    against Fashion-MNIST. With ``reference``, pictures of any kind are scored against real pictures of the same kind:
    from 16×16 to 512×512, with 1, 3 or 4 channels, 50 or more. The metrics of a run are also appended to its
    ``metrics.jsonl``.

    Args:
        source: a shipped model's name, a run's folder, a model file, a folder of pictures, an ``.npz``, ``.npy`` or
            Parquet file, a ``Dataset``, or an array of images, uint8 (N, H, W) or (N, H, W, C). Of a data set of
            shards, only the images that are scored are held in memory.
        reference: the real pictures: a folder of pictures or of MNIST's files, an ``.npz``, ``.npy`` or Parquet file, a
            ``Dataset``, or "fashion-mnist". If they have no test pictures, a tenth of them, at least 50, is held out
            and compared with. Of fewer than 200, none is held out.
        protocols: the name of a protocol or of a set of protocols, or a list of names. The sets are "standard" and
            "full".
        labels: the classes of images that come without them: a file (``.npy``, ``.npz``, CSV or text); or names
            or numbers (N,) or (N, 1), or one-hot rows.
        features: an ONNX feature network that takes the place of the random one. Only for pictures of any kind.
        image_size: height and width that a folder's pictures are compared at. None: their own.
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
        InputError: the source or the real pictures cannot be read, the images cannot be scored, a protocol is unknown
            or impossible, or the report's folder cannot be written.

    Example:
        >>> evaluation = fashion_gan.evaluate("fashion", protocols="classes10k", report="fashion-report")
        >>> list(evaluation.metrics)
        ['class_imbalance10k', 'missing_classes10k', 'asked_class10k']
        >>> evaluation.report_path.name
        'report.html'

    Source: each metric's paper is in the reference of the metrics.
    """
    protocols = (protocols,) if isinstance(protocols, str) else protocols
    real = _find_real_pictures(source, reference)
    # Refuse what is wrong, and a missing library, before anything large is read.
    find_protocols(protocols, for_pictures=real is not None)
    check_installed("scipy", "evaluate", "evaluate")
    seed, seeds = check_seed(seed), check_whole_number("seeds", seeds, 1, MAX_SEEDS)
    report_folder = None if report is None else user_path("report", report)
    if real is None:
        _refuse_picture_settings(features, image_size)
        opened: Source | PictureSource = _open_for_fashion_mnist(source, labels, raw=raw, best=best)
    else:
        _refuse_data(data)
        network = _network(features)
        opened = open_picture_source(source, real.class_names, labels=labels, image_size=image_size, raw=raw, best=best)
    if report_folder is not None:
        make_folder(report_folder)
    if isinstance(opened, PictureSource):
        assert real is not None
        compared: AnyReference = real.reference(_common_shape(opened, real), network, opened.run)
    else:
        compared = Reference.load(data)
    evaluation = _measure_source(opened, compared, protocols, seed, seeds)
    if report_folder is not None:
        training_metrics = [] if opened.run is None else opened.run.read_metrics()
        report_path = write_report(evaluation, compared, report_folder, training_metrics)
        evaluation = dataclasses.replace(evaluation, report_path=report_path)
    if opened.run is not None:
        _append_to_run(evaluation, opened.run)
    return evaluation


def _find_real_pictures(
    source: str | Path | npt.ArrayLike | Dataset, reference: str | Path | Dataset | None
) -> RealPictures | None:
    """The real pictures that a source is scored against. None: Fashion-MNIST, with its own metrics."""
    if reference is not None:
        return find_real_pictures(reference)
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = user_path("source", source)
    if not Run.is_run(path):
        return None
    run = Run.open(path)
    return real_pictures_of_run(run) if trained_on_other_classes(run.config, run) is not None else None


def _refuse_picture_settings(features: str | Path | None, image_size: int | None) -> None:
    for name, value in (("features", features), ("image_size", image_size)):
        if value is not None:
            raise InputError(
                f"{name}={value} is for pictures of any kind: name real pictures with reference (--reference)"
            )


def _refuse_data(data: str | Path | None) -> None:
    if data is not None:
        raise InputError(f"data={data} is for Fashion-MNIST: name other real pictures with reference (--reference)")


def _network(features: str | Path | None) -> FeatureNetwork:
    return FeatureNetwork.random() if features is None else FeatureNetwork.load(user_path("features", features))


def _open_for_fashion_mnist(
    source: str | Path | npt.ArrayLike | Dataset, labels: str | Path | npt.ArrayLike | None, *, raw: bool, best: bool
) -> Source:
    if isinstance(source, (str, os.PathLike)):
        return open_source(source, labels=labels, raw=raw, best=best)
    return dataset_source(source) if isinstance(source, Dataset) else images_source("images", source, labels)


def _common_shape(source: PictureSource, real: RealPictures) -> Shape:
    """The shape that both sides are compared at: the source's, in color if only the real pictures have colors."""
    height, width, channels = source.shape
    if source.available is None or channels != 1:
        return source.shape
    in_color = (height, width, 3)
    return (height, width, fewest_channels(real.load(in_color)[0].images).shape[3])


def _measure_source(
    source: Source | PictureSource, reference: AnyReference, protocols: Sequence[str], seed: int, seeds: int
) -> Evaluation:
    def draw(count: int, draw_seed: int) -> tuple[Images, Labels | None]:
        if isinstance(source, Source):
            return source.draw(count, draw_seed)
        assert isinstance(reference, PictureReference)
        images, numbers = source.draw(count, draw_seed, reference.real_labels(count))
        return np.broadcast_to(images, (*images.shape[:3], reference.shape[2])), numbers

    return measure(
        draw,
        reference,
        protocols,
        name=readable(source.name),
        about=source.about,
        available=source.available,
        has_labels=source.has_labels,
        parts=None if source.all_images is None else source.all_images.parts,
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


@default_settings()
def check_metrics(
    data: str | Path | None = None,
    reference: str | Path | Dataset | None = None,
    features: str | Path | None = None,
    image_size: int | None = None,
) -> SelfCheck:
    """Score damaged real images, and check that the metrics detect each kind of damage. Takes minutes.

    Args:
        data: the folder of the four Fashion-MNIST files. None: they are searched for and, if missing, downloaded.
        reference: check the metrics for pictures of any kind on these real pictures, as in ``evaluate``. None checks
            the metrics for Fashion-MNIST.
        features, image_size: as in ``evaluate``.

    Returns:
        The results. ``print`` shows them as a table.

    Raises:
        InputError: the real pictures are not found, or there are too few.
    """
    check_installed("scipy", "the self-check", "evaluate")
    if reference is None:
        _refuse_picture_settings(features, image_size)
        return self_check(Reference.load(data))
    _refuse_data(data)
    network = _network(features)
    real = find_real_pictures(reference)
    return check_pictures(real.reference(real.own_shape(image_size), network))
