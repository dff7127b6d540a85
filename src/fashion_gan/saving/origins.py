"""Find where a model comes from, by its name or path: a shipped model, a run's folder, or a model file."""

import dataclasses
import os
from pathlib import Path
from typing import Literal

from fashion_gan import pretrained
from fashion_gan.config import Config
from fashion_gan.errors import InputError, check_flag
from fashion_gan.hub.address import is_address, parse_address
from fashion_gan.hub.download import CONFIG, GENERATOR, ONNX, fetch_model
from fashion_gan.runs import Run, read_config_text
from fashion_gan.system.backends import default_backend, missing_backend
from fashion_gan.system.paths import user_path


@dataclasses.dataclass(frozen=True)
class ModelSource:
    """Where a model comes from, and where it is stored.

    Attributes:
        kind: "shipped" (it comes with fashion-gan), "run" (a run's folder), "file" (a model file) or "hub" (it is in
            the cache of the Hub).
        path: the shipped model's folder, the run's folder, the file, or the folder of the cache.
        config: the configuration that the model was built from. None for a file: its configuration is read with its
            weights. None also for a model of the Hub without settings.
        address: the model's address on the Hub, with its commit.
    """

    kind: Literal["shipped", "run", "file", "hub"]
    path: Path
    config: Config | None
    address: str | None = None

    def open_run(self) -> Run | None:
        """Open the run, if the source is one."""
        return Run.open(self.path) if self.kind == "run" else None

    def model_file(self, shipped_file: str = "generator.onnx", *, raw: bool = False, best: bool = False) -> Path:
        """The path that a generator is loaded from: a file, or the folder of a run.

        Without Keras, a run's generator is loaded from the ``.onnx`` file that training wrote.

        Args:
            shipped_file: the name of the file to load from a shipped model's folder. Unused for other sources.
            raw, best: which weights of a run.

        Raises:
            InputError: the source is a run, Keras is not installed, and there is no such ``.onnx`` file, or no best
                checkpoint.
        """
        if self.kind == "shipped":
            return self.path / shipped_file
        if self.kind == "hub":
            return self.path / (shipped_file if shipped_file == ONNX else GENERATOR)
        run = self.open_run()
        if run is None:
            return self.path
        missing = missing_backend(default_backend())
        if missing is None:
            return self.path
        if best:
            run.load_best_checkpoint(lambda shapes: ())  # Raises InputError if there is none.
        path = run.best_onnx_generator_path if best else run.onnx_generator_path
        if raw or not path.is_file():
            out = path.with_stem("generator_raw") if raw else path
            raise InputError(
                f"{self.path} needs Keras: {missing}; or, where Keras is installed: "
                f"{export_command(self.path, out, raw=raw, best=best)}"
            )
        return path


def export_command(model: str | Path, out: Path, *, raw: bool = False, best: bool = False) -> str:
    """The command that writes a run's generator as an ``.onnx`` file, for messages."""
    weights = " --raw" if raw else " --best" if best else ""
    return f"fashion-gan export {model}{weights} --format onnx --out {out}"


def is_shipped(model: str | Path) -> bool:
    """Whether this is the name of a shipped model. A folder with the same name must be written as ``./name``."""
    return isinstance(model, (str, os.PathLike)) and os.fspath(model) in pretrained.names()


def is_onnx_file(path: Path) -> bool:
    """Whether this is an ``.onnx`` file, which needs no Keras. A run's folder may have such a name too."""
    return path.suffix.lower() == ".onnx" and not path.is_dir()


def resolve(model: str | Path, *, raw: bool = False, best: bool = False) -> ModelSource:
    """Find the source of a model.

    Args:
        model: a shipped model's name, a run's folder, a model file, or an address on the Hub, which is downloaded. A
            shipped model's name comes first.
        raw, best: whether the raw weights or the best checkpoint are requested, which only a run has.

    Raises:
        InputError: nothing is there, a folder is not a run, a flag is not True or False, or only a run has what is
            requested and the model is not one.

    Example:
        >>> resolve("fashion").kind
        'shipped'
    """
    is_remote = is_address(model)
    path = user_path("model", model)
    needs_run = any([check_flag("raw", raw), check_flag("best", best)])
    if needs_run and (is_remote or is_shipped(model) or not path.is_dir()):
        raise InputError(f"only a run's folder has raw weights and a best checkpoint, and {model} is not one")
    if is_remote:
        return _resolve_address(str(model))
    if is_shipped(model):
        return ModelSource("shipped", pretrained.folder(str(model)), pretrained.config(str(model)))
    if path.is_dir():
        run = Run.open(path)
        return ModelSource("run", path, run.config)
    if not path.exists():
        raise InputError(
            f"{model} is not a shipped model ({', '.join(pretrained.names())}), a run's folder or a model file: "
            "nothing of that name exists"
        )
    return ModelSource("file", path, None)


def _resolve_address(address: str) -> ModelSource:
    snapshot = fetch_model(parse_address(address))
    path = snapshot.folder / CONFIG
    config = Config.from_json(read_config_text(path), path) if path.is_file() else None
    return ModelSource("hub", snapshot.folder, config, str(snapshot.address))
