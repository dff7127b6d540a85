"""The files that lie next to a generator's file, and that editing needs: its encoder and its directions."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Companions:
    """The paths of a generator's companions. The files may be missing.

    Attributes:
        encoder: an ``.onnx`` file: pictures -> latents.
        directions: a ``.json`` file: directions in the space of latents.

    Example:
        >>> Companions.of(Path("runs/0001-fashion/generator.onnx")).encoder.name
        'encoder.onnx'
        >>> Companions.of(Path("boots.onnx")).directions.name
        'boots_directions.json'
    """

    encoder: Path
    directions: Path

    @classmethod
    def in_folder(cls, folder: Path, prefix: str = "") -> "Companions":
        """Those of a shipped model or a run."""
        return cls(folder / f"{prefix}encoder.onnx", folder / f"{prefix}directions.json")

    @classmethod
    def of(cls, path: Path) -> "Companions":
        """Those of a model file. A file called ``generator`` has the companions of its folder."""
        return cls.in_folder(path.parent, "" if path.stem == "generator" else f"{path.stem}_")
