"""Train the encoder from which projection starts, and measure how well pictures are projected with it."""

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan.api.companion_files import companion_path
from fashion_gan.api.labeled_pictures import check_keras, find_pictures_of_classes
from fashion_gan.api.load import load_generator, onnx_generator
from fashion_gan.api.real_pictures import find_real_pictures, real_pictures_of_run
from fashion_gan.arrays import Images, JsonObject, KerasModel, Labels
from fashion_gan.config import Config
from fashion_gan.datasets import Dataset
from fashion_gan.editing import PROJECTION_STEPS
from fashion_gan.editing.companions import Companions
from fashion_gan.errors import InputError, check_flag, check_whole_number
from fashion_gan.generator import Generator
from fashion_gan.metrics.pictures.reference import split
from fashion_gan.saving.origins import ModelSource, is_onnx_file, resolve
from fashion_gan.system.atomic_files import atomic_file
from fashion_gan.system.backends import default_backend, suppressed_logger, suppressed_stderr, use_backend
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.telemetry import import_onnxruntime

STEPS = 2500
MAX_STEPS = 1_000_000
MEASURED_PICTURES = 200
MODEL_VERSION = 1


@dataclasses.dataclass(frozen=True)
class TrainedEncoder:
    """A trained encoder.

    Attributes:
        path: its ``.onnx`` file.
        about: how it was trained; and of real pictures that were held out: "median_error" and "high_error", the median
            and the 90th percentile of their errors when they are projected, in gray levels; "class_found", the share
            whose class is right; and "pictures", their number.
    """

    path: Path
    about: JsonObject


@default_settings()
def train_encoder(
    model: str | Path,
    *,
    steps: int = STEPS,
    seed: int = 0,
    data: str | Path | Dataset | None = None,
    out: str | Path | None = None,
    force: bool = False,
) -> TrainedEncoder:
    """Train the encoder from which ``Generator.project`` starts, for a run of one's own.

    The encoder learns to tell latents, from which the generator redraws real pictures, and their class.

    Args:
        model: the folder of a finished run that has a ``generator.onnx``, or a shipped model's name.
        steps: training steps, from 1 to 1,000,000, of up to 128 real and as many drawn pictures.
        seed: of the weights and the batches.
        data: real pictures, as ``evaluate`` takes them. None: a run's own data; of other models, Fashion-MNIST.
        out: the ``.onnx`` file to write. None: ``encoder.onnx`` in the run's folder, where ``project`` finds it.
        force: replace an existing file.

    Returns:
        The file, and what was measured.

    Raises:
        InputError: Keras or a converter is not installed, the model cannot be differentiated in its ``.onnx`` file, the
            data cannot be used, or ``out`` exists.

    Example:
        >>> fashion_gan.train_encoder("runs/0001-fashion", steps=3).path.name
        'encoder.onnx'
    """
    steps, seed = check_whole_number("steps", steps, 1, MAX_STEPS), check_whole_number("seed", seed, 0, 2**31 - 1)
    source = resolve(model)
    if source.kind == "file" and is_onnx_file(source.path):
        raise InputError(f"{source.path} has no gradients to train an encoder with: name the run that it came from")
    path = companion_path(source, "encoder", out, force=check_flag("force", force))
    onnx_generator(model, source).depth_network.check_gradient()  # Or the encoder could not be measured, or used.
    check_keras("train-encoder")
    use_backend(default_backend())
    from fashion_gan.saving.export import missing_packages
    from fashion_gan.saving.model_files import as_generator, load_model
    from fashion_gan.training import encoder as training

    if missing := missing_packages("onnx", default_backend()):
        raise InputError(f"train-encoder needs {' and '.join(missing)}: pip install {' '.join(missing)}")
    network, config = load_model(source.model_file("generator.keras"))
    generator = as_generator(network, config)
    train, test = _real_pictures(model, source, generator, data)
    encoder = training.train_encoder(network, config, train.images, train.labels, steps=steps, seed=seed)
    about: JsonObject = {
        "steps": steps,
        "seed": seed,
        "training_pictures": len(train.images),
        "data_sha256": train.fingerprint,
    }
    with atomic_file(path) as temporary:
        _write(encoder, temporary, about, config)
        about |= _measure(model, temporary, test if test is not None else train, MEASURED_PICTURES)
        _write(encoder, temporary, about, config)
    return TrainedEncoder(path, about)


def measure_again(model: str | Path, path: Path, pictures: int = MEASURED_PICTURES) -> TrainedEncoder:
    """Measure a shipped model's encoder, for example after the search has changed, and store the new figures in it.

    Args:
        model: the shipped model.
        path: the encoder's file.
        pictures: test images to measure with, at least 1.

    Raises:
        InputError: the file or the test images cannot be read.
    """
    import onnx

    from fashion_gan.editing.encoder import KEY

    source, generator = resolve(model), load_generator(model)
    _, test = _real_pictures(model, source, generator, None)
    assert test is not None  # Fashion-MNIST has test images.
    stored = onnx.load(path)
    (entry,) = (entry for entry in stored.metadata_props if entry.key == KEY)
    about = json.loads(entry.value) | _measure(model, path, test, pictures)
    entry.value = json.dumps(about)
    with atomic_file(path) as temporary:
        onnx.save(stored, temporary)
    return TrainedEncoder(path, about)


def _real_pictures(
    model: str | Path, source: ModelSource, generator: Generator, data: str | Path | Dataset | None
) -> tuple[Dataset, Dataset | None]:
    """Pictures to learn from, and others to measure. Their labels are those of the generator's classes."""
    if generator.class_names:
        train, test, labels = find_pictures_of_classes(model, generator, data)
        return _with_classes(train, labels), None if test is None else _with_classes(test, labels)
    run = source.open_run()
    if data is None and run is None:
        raise InputError(f"{model} has no data of its own: name real pictures with data (--data)")
    pictures = real_pictures_of_run(run, "data") if data is None and run is not None else find_real_pictures(data or "")
    train, test = pictures.load(generator.image_shape)
    return (train, test) if test is not None else split(train)


def _with_classes(dataset: Dataset, labels_of_classes: Labels) -> Dataset:
    """The pictures of the generator's classes, with the generator's labels."""
    numbers = np.full(int(max(dataset.labels.max(), labels_of_classes.max())) + 1, -1, np.int32)
    numbers[labels_of_classes] = np.arange(len(labels_of_classes))
    labels = numbers[dataset.labels]
    kept = labels >= 0
    if kept.all():
        return dataclasses.replace(dataset, labels=labels)
    return dataclasses.replace(dataset, images=dataset.images[kept], labels=labels[kept])


def _write(encoder: KerasModel, path: Path, about: JsonObject, config: Config) -> None:
    """Write an encoder as ONNX, with what is known about it."""
    import onnx

    import_onnxruntime()  # Before a converter imports it.
    example = np.zeros((2, config.image_size, config.image_size, config.channels), np.float32)
    encoder(example, training=False)  # Keras exports only models that have been called.
    with suppressed_stderr(), suppressed_logger("tf2onnx"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The converters warn about their own code.
        encoder.export(path, format="onnx", verbose=False)
    exported = onnx.load(path)
    _describe(exported, about)
    onnx.save(exported, path)


def _describe(exported: Any, about: JsonObject) -> None:
    """Document an ``onnx.ModelProto``. The numbers stay as they are."""
    from fashion_gan.editing.encoder import INPUT_NAMES, KEY

    exported.metadata_props.add(key=KEY, value=json.dumps(about))
    exported.producer_name, exported.model_version = "fashion-gan", MODEL_VERSION
    exported.graph.name = "encoder"
    exported.doc_string = (
        f"Finds the latents that a GAN's generator draws pictures from. {INPUT_NAMES[0]}: float32 (N, height, width, "
        "channels), pixels from -1 to 1. Outputs: latents float32 (N, latent_dim), and class logits, if it has classes."
    )


def _measure(model: str | Path, path: Path, real: Dataset, count: int) -> JsonObject:
    """Project real pictures with an encoder, spread over all of them."""
    chosen = np.linspace(0, len(real.images) - 1, min(count, len(real.images))).astype(int)
    images: Images = np.asarray(real.images[chosen])
    plain = onnx_generator(model, resolve(model))
    companions = Companions(path, path.with_suffix(".json"))
    generator = Generator(
        plain.predict, plain.latent_dim, plain.class_names, threads=plain.threads, companions=companions
    )
    found = generator.project(images, steps=PROJECTION_STEPS)
    about: JsonObject = {
        "pictures": len(images),
        "projection_steps": PROJECTION_STEPS,
        "median_error": round(float(np.median(found.errors)), 2),
        "high_error": round(float(np.quantile(found.errors, 0.9)), 2),
    }
    if found.labels is not None:
        about["class_found"] = round(float((found.labels == real.labels[chosen]).mean()), 4)
    return about
