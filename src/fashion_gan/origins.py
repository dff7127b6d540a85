"""Where trained networks come from: a shipped model, by its name, or a run, by its folder."""

from pathlib import Path

from fashion_gan import pretrained
from fashion_gan.config import Config
from fashion_gan.runs import Run


def is_shipped(source: str | Path) -> bool:
    """Whether a source is a shipped model's name; a folder that is called the same is meant by ``./name``."""
    return str(source) in pretrained.names()


def config_of(source: str | Path) -> Config:
    """What a shipped model or a run was made from. Raises InputError where there is neither."""
    return pretrained.config(str(source)) if is_shipped(source) else Run.open(source).config
