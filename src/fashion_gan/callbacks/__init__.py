"""What happens between steps: each concern of a run is one Keras callback, and all read one ``Position``."""

from fashion_gan.callbacks.checkpoint import Checkpoint
from fashion_gan.callbacks.cooldown import Cooldown
from fashion_gan.callbacks.evaluate import Evaluate
from fashion_gan.callbacks.log import Log
from fashion_gan.callbacks.position import Position
from fashion_gan.callbacks.progress import Progress
from fashion_gan.callbacks.samples import Samples

__all__ = ["Checkpoint", "Cooldown", "Evaluate", "Log", "Position", "Progress", "Samples"]
