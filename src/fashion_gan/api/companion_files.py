"""Where the encoder and the directions of a model are, and where new ones are written."""

from pathlib import Path
from typing import Literal

from fashion_gan.editing.companions import Companions
from fashion_gan.errors import InputError
from fashion_gan.saving.origins import ModelSource
from fashion_gan.system.atomic_files import check_new_path
from fashion_gan.system.paths import user_path


def companions_of(source: ModelSource) -> Companions:
    """The paths of a model's encoder and directions. The files may be missing."""
    return Companions.of(source.path) if source.kind == "file" else Companions.in_folder(source.path)


def companion_path(
    source: ModelSource, name: Literal["encoder", "directions"], out: str | Path | None, *, force: bool
) -> Path:
    """The file to write: ``out``, or else the one next to the model.

    Raises:
        InputError: the model's folder is not the user's, the suffix is wrong, or the file cannot be written.
    """
    default: Path = getattr(companions_of(source), name)
    if out is None and source.kind in ("shipped", "hub"):
        reason = f"a shipped model has its {name}" if source.kind == "shipped" else "a model of the Hub is in a cache"
        raise InputError(f"{reason}: name the file to write with out (--out)")
    path = default if out is None else user_path("out", out)
    if path.suffix != default.suffix:
        raise InputError(f"{path} must end in {default.suffix}")
    check_new_path(path, force=force)
    return path
