"""The name or path of a model -> where the model is stored: with fashion-gan, in a run's folder, or in a file."""

import dataclasses
from pathlib import Path
from typing import Literal

from fashion_gan import pretrained
from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.runs import Run


@dataclasses.dataclass(frozen=True)
class ModelSource:
    """Where a model is stored.

    Attributes:
        kind: "shipped" (it comes with fashion-gan), "run" (a run's folder) or "file" (a model file).
        path: the shipped model's folder, the run's folder, or the file.
        config: what the model was built from; None for a file, whose configuration is read together with its weights.
    """

    kind: Literal["shipped", "run", "file"]
    path: Path
    config: Config | None

    def open_run(self) -> Run | None:
        """Open the run, if the source is one."""
        return Run.open(self.path) if self.kind == "run" else None

    def model_file(self, shipped_file: str = "generator.onnx") -> Path:
        """The path to load the generator from: a file, or the run's folder.

        Args:
            shipped_file: which of a shipped model's files.
        """
        return self.path / shipped_file if self.kind == "shipped" else self.path


def is_shipped(source: str | Path) -> bool:
    """Whether a source is a shipped model's name. A folder of the same name is given as ``./name``."""
    return str(source) in pretrained.names()


def resolve(source: str | Path, *, needs_run: bool = False) -> ModelSource:
    """Find a model.

    Args:
        source: a shipped model's name, a run's folder, or a model file.
        needs_run: the caller wants raw weights or the best checkpoint, which only a run has.

    Raises:
        InputError: nothing is there, a folder is not a run, or a run is needed and the source is not one.

    Example:
        >>> resolve("fashion").kind
        'shipped'
    """
    path = Path(source)
    if needs_run and (is_shipped(source) or not path.is_dir()):
        raise InputError(f"only a run's folder has raw weights and a best checkpoint, and {source} is not one")
    if is_shipped(source):
        return ModelSource("shipped", pretrained.folder(str(source)), pretrained.config(str(source)))
    if path.is_dir():
        run = Run.open(path)
        return ModelSource("run", path, run.config)
    if not path.exists():
        raise InputError(
            f"{source} is not a shipped model ({', '.join(pretrained.names())}), a run's folder or a model file: "
            "nothing of that name exists"
        )
    return ModelSource("file", path, None)
