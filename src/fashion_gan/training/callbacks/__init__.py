"""What happens between training steps. Each callback has one concern, and all read one ``TrainingState``."""

from fashion_gan.training.callbacks.checkpoint import Checkpoint
from fashion_gan.training.callbacks.linear_decay import LinearDecay
from fashion_gan.training.callbacks.metrics_logger import MetricsLogger
from fashion_gan.training.callbacks.progress_bar import ProgressBar
from fashion_gan.training.callbacks.sample_grids import SampleGrids
from fashion_gan.training.callbacks.time_estimate import TimeEstimate
from fashion_gan.training.callbacks.training_state import TrainingState
from fashion_gan.training.callbacks.user_callback import AgreeOnEnd, UserCallback
from fashion_gan.training.callbacks.validate import Validate

__all__ = [
    "AgreeOnEnd",
    "Checkpoint",
    "LinearDecay",
    "MetricsLogger",
    "ProgressBar",
    "SampleGrids",
    "TimeEstimate",
    "TrainingState",
    "UserCallback",
    "Validate",
]
