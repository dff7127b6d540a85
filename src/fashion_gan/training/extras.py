"""What a training does besides its own work: the user's callbacks, and a tracker."""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

from fashion_gan.errors import InputError, check_choice, show
from fashion_gan.system.installation import check_installed

# The library of each tracker, and the extra of fashion-gan that installs it.
TRACKERS = {
    "none": None,
    "tensorboard": ("tensorboardX", "train"),
    "wandb": ("wandb", "wandb"),
    "mlflow": ("mlflow", "mlflow"),
    "aim": ("aim", "aim"),
}


@dataclasses.dataclass(frozen=True)
class Extras:
    """The user's callbacks and a tracker. They change nothing in a run, except for what a callback does itself.

    Attributes:
        callbacks: Keras callbacks, in the order of their calls.
        tracker: a key of ``TRACKERS``.

    Raises:
        InputError: a callback is none of Keras's, or the tracker is unknown or not installed.
    """

    callbacks: Sequence[Any] = ()
    tracker: str = "none"

    def __post_init__(self) -> None:
        object.__setattr__(self, "callbacks", _checked(self.callbacks))
        library = TRACKERS[check_choice("tracker", self.tracker, TRACKERS)]
        if library is not None:
            check_installed(library[0], f"tracker={self.tracker!r}", library[1])


def _checked(callbacks: object) -> tuple[Any, ...]:
    """The callbacks as a tuple. Who has one has imported Keras."""
    if not isinstance(callbacks, (list, tuple)):
        raise InputError(f"callbacks={show(callbacks)} must be a list of Keras callbacks")
    keras = sys.modules.get("keras")
    wrong = [item for item in callbacks if keras is None or not isinstance(item, keras.callbacks.Callback)]
    if wrong:
        raise InputError(f"callbacks holds {show(wrong[0])}, which is not a keras.callbacks.Callback")
    return tuple(callbacks)


NO_EXTRAS = Extras()
