"""The models that come with fashion-gan: a folder each, with the weights, a card and the measured figures."""

from pathlib import Path

from fashion_gan.config import Config
from fashion_gan.errors import InputError, suggestion

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The shipped models' names."""
    return sorted(path.parent.name for path in _FOLDER.glob("*/generator.onnx"))


def folder(name: str) -> Path:
    """A shipped model's folder. Raises InputError where there is no such model."""
    if name not in names():
        raise InputError(f"model={name!r} is unknown: {suggestion(name, names())}")
    return _FOLDER / name


def config(name: str) -> Config:
    """What a shipped model was made from. Raises InputError where there is no such model."""
    path = folder(name) / "config.json"
    return Config.from_json(path.read_text(), path)
