"""Real pictures of a model's classes, at the model's shape: a part for training classifiers, a part for the test."""

import contextlib
import dataclasses
import os
from pathlib import Path

import numpy as np

from fashion_gan.api.real_pictures import FASHION_MNIST, RealPictures, find_real_pictures, real_pictures_of_run
from fashion_gan.arrays import JsonObject, Labels
from fashion_gan.classes import match_classes, same_classes
from fashion_gan.datasets import CLASS_NAMES, Dataset, requested_folder
from fashion_gan.errors import InputError, readable, show
from fashion_gan.generator import Generator
from fashion_gan.metrics.pictures import reference
from fashion_gan.metrics.pictures.held_out import FEWEST
from fashion_gan.runs import Run
from fashion_gan.saving.origins import resolve
from fashion_gan.system.backends import check_backend, default_backend
from fashion_gan.training.data import split_validation

SMALLEST_SIDE = 8  # pixels. The classifier halves the sides three times.
OTHERS = "name other pictures with data (--data)"


@dataclasses.dataclass(frozen=True, eq=False)
class LabeledPictures:
    """Real pictures with classes, of the shape of a model's pictures.

    Attributes:
        train: pictures for training classifiers, some of every class.
        test: pictures of the same classes for testing them, some of every class.
        labels_of_classes: the label in ``train`` and ``test`` of each of the model's classes, int32 (classes,).
        about: the source, the numbers and the checksums of the pictures. ``test_is_held_out``: whether the test
            pictures were held out of the training data, because there are no others. ``generator_saw_test``: whether
            the model learned from them; None if that is not known.
    """

    train: Dataset
    test: Dataset
    labels_of_classes: Labels
    about: JsonObject


def find_labeled_pictures(
    model: str | Path, generator: Generator, data: str | Path | Dataset | None = None
) -> LabeledPictures:
    """Find and read real pictures of a model's classes. The classes are matched by their names.

    The test pictures are the data's own, as Fashion-MNIST and MNIST have them. Other data have none. Then the part is
    the test that the rule of ``held_out_pictures`` holds out: a run with ``evaluate_every_epochs`` never learned from
    it.

    Args:
        model: the model, as ``load_generator`` takes it.
        generator: the generator of this model.
        data: the real pictures, as ``find_real_pictures`` takes them. None: a run's own data. Of other models, the
            folder that ``FASHION_GAN_DATA`` names, or else Fashion-MNIST.

    Raises:
        InputError: the model has no classes, or its pictures are too small; the data are not found, cannot be read at
            this shape, have no classes, or lack one of the model's; or there are too few pictures.
    """
    _check_model(model, generator)
    run = _run_of(model)
    real = _find(model, generator, data, run)
    labels_of_classes = _labels_of_classes(model, generator, real)
    everything, test = real.load(generator.image_shape)
    if run is not None and data is not None and not _learned_from(run, everything):
        run = None
    is_held_out = test is None
    train, test = _split(everything, run) if test is None else (everything, test)
    _check_each_class(real.name, train, test, is_held_out)
    about: JsonObject = {
        # Other people cannot use a path on this machine, so only its last part is taken.
        "source": FASHION_MNIST if real.name == FASHION_MNIST else readable(Path(everything.source).name),
        "train_images": len(train.images),
        "train_sha256": train.fingerprint,
        "test_images": len(test.images),
        "test_sha256": test.fingerprint,
        "test_is_held_out": is_held_out,
        "generator_saw_test": None if run is None else is_held_out and run.config.evaluate_every_epochs is None,
    }
    return LabeledPictures(train, test, labels_of_classes, about)


def find_pictures_of_classes(
    model: str | Path, generator: Generator, data: str | Path | Dataset | None = None
) -> tuple[Dataset, Dataset | None, Labels]:
    """Find and read real pictures of a model's classes, however few there are.

    Args:
        model, generator, data: as for ``find_labeled_pictures``.

    Returns:
        The training pictures; the test pictures, or a part that is held out, or None if there are too few for that; and
        the label in both of each of the model's classes, int32 (classes,).

    Raises:
        InputError: the data are not found, cannot be read at this shape, have no classes, or lack one of the model's.
    """
    real = _find(model, generator, data, _run_of(model))
    labels_of_classes = _labels_of_classes(model, generator, real)
    train, test = real.load(generator.image_shape)
    return (*(reference.split(train) if test is None else (train, test)), labels_of_classes)


def check_keras(purpose: str) -> None:
    """Raise InputError if Keras, with which classifiers are trained, cannot run. ``purpose`` begins the message."""
    try:
        check_backend(default_backend())
    except InputError as error:
        raise InputError(f"{purpose} needs Keras: {error}") from error


def _check_model(model: str | Path, generator: Generator) -> None:
    """Raise InputError if no classifier can learn what this model draws."""
    if not generator.class_names:
        raise InputError(f"{model} draws no classes, and a classifier learns at least two")
    height, width, _ = generator.image_shape
    if min(height, width) < SMALLEST_SIDE:
        raise InputError(
            f"{model} draws {width}×{height} pixels; the classifier takes at least {SMALLEST_SIDE}×{SMALLEST_SIDE}"
        )


def _run_of(model: str | Path) -> Run | None:
    """The run that the model is, or that its file lies in. None if there is none."""
    source = resolve(model)
    if source.kind == "file" and Run.is_run(source.path.parent):
        return Run.open(source.path.parent)
    return source.open_run()


def _find(model: str | Path, generator: Generator, data: str | Path | Dataset | None, run: Run | None) -> RealPictures:
    if isinstance(data, (str, os.PathLike)) and os.fspath(data) == FASHION_MNIST and os.path.exists(data):
        data = Path(data).absolute()  # A folder with the data set's name comes first.
    if data is not None:
        return find_real_pictures(data, "data")
    if run is not None:
        return real_pictures_of_run(run, "data")
    folder = requested_folder(None)
    if folder is not None:
        return find_real_pictures(folder, "data")
    if not same_classes(generator.class_names, CLASS_NAMES):
        raise InputError(
            f"{model} draws other classes than Fashion-MNIST's: name real pictures of them with data (--data)"
        )
    return find_real_pictures(FASHION_MNIST)


def _labels_of_classes(model: str | Path, generator: Generator, real: RealPictures) -> Labels:
    """The label among the real pictures of each of the model's classes."""
    if not real.class_names:
        raise InputError(f"{real.name} has no classes: make a subfolder of pictures for each of {model}'s classes")
    labels = match_classes(generator.class_names, real.class_names)
    if None in labels:
        missing = generator.class_names[labels.index(None)]
        raise InputError(f"{real.name} has no class {show(missing)}, which {model} draws: {OTHERS}")
    return np.array(labels, np.int32)


def _learned_from(run: Run, dataset: Dataset) -> bool:
    """Whether a run is known to have learned from these pictures."""
    with contextlib.suppress(InputError):  # The run does not say from which.
        return run.data_fingerprint == dataset.fingerprint
    return False


def _split(everything: Dataset, run: Run | None) -> tuple[Dataset, Dataset]:
    """The training pictures, and those that are held out: by a run, if one was trained on the others."""
    if run is not None and run.config.evaluate_every_epochs:
        train, test = split_validation(run.config, everything)
    else:
        train, test = reference.split(everything)
    if test is None:
        raise InputError(
            f"{everything.source} has {len(everything.images):,} pictures and no test pictures: a part is held out for "
            f"the test only of {FEWEST} or more"
        )
    return train, test


def _check_each_class(name: str, train: Dataset, test: Dataset, is_held_out: bool) -> None:
    """Raise InputError if there are fewer than two classes, or one has no training or no test pictures."""
    if len(train.class_names) < 2:
        raise InputError(
            f"{name} has only the class {show(train.class_names[0])}, and a classifier learns at least two"
        )
    for label, class_name in enumerate(train.class_names):
        count, test_count = (int((part.labels == label).sum()) for part in (train, test))
        if count and test_count:
            continue
        if is_held_out:
            fault = f"too few pictures for training and test ({count + test_count})"
        else:
            fault = f"{count} training pictures and {test_count} test pictures"
        raise InputError(f"{name}: the class {show(class_name)} has {fault}: add some, or leave the class out")
