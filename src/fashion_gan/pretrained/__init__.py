"""The models that come with fashion-gan. Each has a folder with its weights, a model card and its metrics."""

from pathlib import Path

from fashion_gan.config import Config
from fashion_gan.errors import check_choice

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The names of the shipped models, sorted."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/generator.onnx"))


def folder(name: str) -> Path:
    """The folder of a shipped model. Raises InputError if no model has this name."""
    return _FOLDER / check_choice("model", str(name) if isinstance(name, Path) else name, names())


def config(name: str) -> Config:
    """The configuration that a shipped model was trained with. Raises InputError if no model has this name."""
    path = folder(name) / "config.json"
    return Config.from_json(path.read_text(encoding="utf-8"), path)
