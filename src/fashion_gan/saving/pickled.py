"""Unpickle a Keras generator. This module imports Keras only after the backend is chosen."""

import sys
from collections.abc import Sequence

from fashion_gan.arrays import Array, Predict
from fashion_gan.config import Config
from fashion_gan.system.backends import default_backend, use_backend
from fashion_gan.system.library_settings import default_settings


@default_settings()
def predict_from_weights(backend: str, config: Config, weights: Sequence[Array]) -> Predict:
    """Build a generator's network and return the function that draws with it.

    Args:
        backend: the backend that the generator ran on. If Keras already runs on another one, that one is used.
        config: the configuration of the network.
        weights: the network's weights, in Keras's order.
    """
    use_backend(default_backend() if "keras" in sys.modules else backend)
    from fashion_gan.networks import build_generator_for_weights
    from fashion_gan.saving.model_files import KerasPredict

    model = build_generator_for_weights(config)
    model.set_weights(weights)
    return KerasPredict(model, config)
