"""Put a model, or a data set that ``make_dataset`` wrote, on the Hugging Face Hub."""

import dataclasses
import json
import os
import tempfile
from pathlib import Path

from fashion_gan.api import dataset_card
from fashion_gan.api.export import export_generator
from fashion_gan.api.load import load_gan
from fashion_gan.arrays import JsonObject
from fashion_gan.config import Config
from fashion_gan.datasets.generated import MANIFEST, PARQUET, load_generated, read_manifest
from fashion_gan.datasets.writers import CARD, check_format, checksums, write_files
from fashion_gan.errors import InputError, check_flag
from fashion_gan.generator import Generator
from fashion_gan.hub.address import SCHEME, HubAddress, check_repository, is_address, parse_address
from fashion_gan.hub.download import CONFIG, DISCRIMINATOR, GENERATOR, ONNX
from fashion_gan.hub.upload import make_repository, upload_folder, with_front_matter
from fashion_gan.rendering.cards import render_card
from fashion_gan.rendering.images import class_columns, grid, save_picture
from fashion_gan.runs import Run
from fashion_gan.saving.origins import ModelSource, resolve
from fashion_gan.system.atomic_files import sha256
from fashion_gan.system.library_settings import default_settings
from fashion_gan.system.paths import user_path
from fashion_gan.version import __version__

MODEL_CARD = Path(__file__).with_name("model_card.md.jinja")
SAMPLES, SAMPLE_IMAGES = "samples.png", 100
DATA_FOLDER = "data"
# The name by which the Hub and the library ``datasets`` find the training split.
TRAIN_FILE = f"{DATA_FOLDER}/train-00000-of-00001.parquet"
# The Hub's classes of sizes: its word, and the number of images below which it holds.
SIZES = (("n<1K", 10**3), ("1K<n<10K", 10**4), ("10K<n<100K", 10**5), ("100K<n<1M", 10**6), ("1M<n<10M", 10**7))


@default_settings()
def push(model: str | Path, repository: str, *, private: bool = False, best: bool = False) -> str:
    """Put a run, a shipped model, or a data set that ``make_dataset`` wrote, on the Hugging Face Hub.

    A model becomes ``generator.onnx``, both networks as safetensors, its settings, a card and a picture: enough to
    draw and to train further, and nothing that runs code. A data set becomes a Parquet file with named classes. This
    needs the extra ``hub``, and the environment variable ``HF_TOKEN`` or the login of ``hf auth login``.

    Args:
        model: a run's folder, a shipped model's name, or a data set's folder.
        repository: its name on the Hub, "user/name". It is made if it does not exist.
        private: a new repository is visible to its owner only.
        best: the best checkpoint of a run instead of the newest.

    Returns:
        The address of what was pushed, with its commit: ``hf://user/name@commit``.

    Raises:
        InputError: nothing of that name can be pushed, a library is missing, or the Hub refuses it.

    Example:
        >>> fashion_gan.push("runs/0001-fashion", "no-user")
        Traceback (most recent call last):
        fashion_gan.errors.InputError: repository='no-user' must be the name of a repository on the Hub: user/name
    """
    name = repository.removeprefix(SCHEME) if isinstance(repository, str) else repository
    is_private, is_best = check_flag("private", private), check_flag("best", best)
    folder = user_path("model", model)
    manifest = read_manifest(folder) if folder.is_dir() else None
    if manifest is not None and isinstance(name, str):
        name = name.removeprefix("datasets/")
    address = HubAddress(check_repository("repository", name), is_dataset=manifest is not None)
    source = None if manifest is not None else resolve(model, best=is_best)
    if source is not None and source.config is None:
        raise InputError(f"{model} is a file: push takes a run's folder, a shipped model or a data set's folder")
    make_repository(address, private=is_private)
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary)
        if manifest is not None:
            _write_dataset(folder, manifest, out, address)
        elif source is not None:
            _write_model(source, os.fspath(model), out, address, best=is_best)
        return str(upload_folder(out, address, f"fashion-gan {__version__}"))


def _write_model(source: ModelSource, model: str, out: Path, address: HubAddress, *, best: bool) -> None:
    assert source.config is not None  # push refuses files.
    export_generator(model, "onnx", out / ONNX, best=best)
    export_generator(model, "safetensors", out / GENERATOR, best=best)
    from fashion_gan.saving.model_files import save_weights

    save_weights(load_gan(model, best=best).discriminator, out / DISCRIMINATOR)
    config = public_config(source.config)
    (out / CONFIG).write_text(config.to_json() + "\n", encoding="utf-8")
    generator = Generator.load(out / ONNX)
    columns = class_columns(len(generator.class_names))
    save_picture(out / SAMPLES, grid(generator.generate(SAMPLE_IMAGES), columns=columns))
    facts: JsonObject = {
        "library_name": "fashion-gan",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["gan", "onnx", "image-generation"],
    }
    card = render_card(
        MODEL_CARD,
        address=str(address),
        config=dataclasses.asdict(config),
        origin=_origin(source.config),
        scores=_scores(source.open_run(), best=best),
        shape=generator.image_shape,
        version=__version__,
    )
    (out / CARD).write_text(with_front_matter(card, facts), encoding="utf-8")


def public_config(config: Config) -> Config:
    """The settings without this machine's paths. Addresses on the Hub stay, with their commits."""
    data, init_from = (value if is_address(value) else None for value in (config.data, config.init_from))
    return dataclasses.replace(config, data=data, init_from=init_from)


def _origin(config: Config) -> list[str]:
    """The addresses on the Hub that a model was made from."""
    public = public_config(config)
    return [str(parse_address(value)) for value in (public.init_from, public.data) if value is not None]


def _scores(run: Run | None, *, best: bool) -> JsonObject:
    """The scores of the pushed checkpoint during training; empty without any."""
    rows = [] if run is None else run.read_metrics()
    rows = [row for row in rows if row.get("best")] if best else rows
    hidden = ("epoch", "step", "images", "seconds", "best")
    return {name: value for name, value in rows[-1].items() if name not in hidden} if rows else {}


def _write_dataset(folder: Path, manifest: JsonObject, out: Path, address: HubAddress) -> None:
    dataset = load_generated(folder, manifest)
    check_format("parquet", dataset.images.shape[1:], dataset.class_names)
    (out / DATA_FOLDER).mkdir()
    write_files(out, "parquet", dataset.images, dataset.labels, dataset.class_names)
    (out / PARQUET).rename(out / TRAIN_FILE)
    pushed: JsonObject = {**manifest, "format": "parquet", "images": len(dataset.images), "files": checksums(out)}
    names = {str(label): name for label, name in enumerate(dataset.class_names)}
    features = [{"name": "image", "dtype": "image"}, {"name": "label", "dtype": {"class_label": {"names": names}}}]
    split = {"name": "train", "num_examples": len(dataset.images), "num_bytes": dataset.images.nbytes}
    facts: JsonObject = {
        "task_categories": ["image-classification"],
        "size_categories": [next((word for word, limit in SIZES if len(dataset.images) < limit), "n>1T")],
        "tags": ["synthetic", "fashion-gan"],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": TRAIN_FILE}]}],
        "dataset_info": {"features": features, "splits": [split]},
    }
    card = dataset_card.card({**pushed, "address": str(address), "repository": address.repository})
    (out / CARD).write_text(with_front_matter(card, facts), encoding="utf-8")
    pushed["files"][CARD] = sha256(out / CARD)
    (out / MANIFEST).write_text(json.dumps(pushed, indent=2) + "\n", encoding="utf-8")
