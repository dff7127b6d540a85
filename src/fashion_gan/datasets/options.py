"""How pictures become squares of one size, and whether damaged ones are left out."""

import dataclasses

from fashion_gan.config import FITS, Config, check_color
from fashion_gan.errors import check_choice, check_flag


@dataclasses.dataclass(frozen=True)
class PictureOptions:
    """The settings of ``Config`` that say how pictures are read.

    Attributes:
        fit: how a picture becomes a square: "crop" takes its central square, "pad" adds a border, "stretch" changes its
            proportions.
        background: color of transparent parts and of the border, as Pillow reads it: "white" or "#ffffff". In images
            with opacity, transparent parts stay as they are, and the border is transparent.
        skip_damaged: leave out pictures that cannot be read. Otherwise they are an error.

    Raises:
        InputError: a value is not allowed.
    """

    fit: str = "crop"
    background: str = "white"
    skip_damaged: bool = False

    def __post_init__(self) -> None:
        check_choice("fit", self.fit, FITS)
        check_color("background", self.background)
        check_flag("skip_damaged", self.skip_damaged)

    @classmethod
    def from_config(cls, config: Config) -> "PictureOptions":
        """The options of a run."""
        return cls(config.fit, config.background, config.skip_damaged)


DEFAULT_OPTIONS = PictureOptions()
