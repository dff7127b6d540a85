"""A trained generator -> ONNX, checked in its own runtime after it is written."""

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.files import written_whole
from fashion_gan.generator import CONFIG_KEY, Generator
from fashion_gan.latents import draw_latents

LARGEST_DIFFERENCE = 1e-3  # of pixels that range over [-1, 1]: an eighth of a grey level
CHECKED_IMAGES = 20


def save_onnx(model: Any, config: Config, path: Path) -> float:
    """Write a generator as ONNX, with the configuration inside, for ``Generator.load``.

    Args:
        model: the Keras generator.
        config: what it was built from.
        path: a file that ends in ``.onnx``; it is left as it was unless all goes well.

    Returns:
        The largest difference of a pixel in [-1, 1] between Keras and ONNX Runtime, on 20 latents.

    Raises:
        InputError: a library that this needs is missing, or the difference is above 1e-3.
    """
    backend = keras.backend.backend()
    needed = {"tensorflow": ("onnx", "tf2onnx"), "jax": ("onnx", "jax2onnx"), "torch": ("onnx", "onnxscript")}[backend]
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        raise InputError(f"ONNX needs {' and '.join(missing)}: pip install {' '.join(missing)}")
    # Before the export: Keras exports only what was called once.
    inputs = _inputs(config)
    expected = keras.ops.convert_to_numpy(model(inputs, training=False))
    with written_whole(path) as temporary:
        with warnings.catch_warnings():
            # Of Keras's own patch for tf2onnx, which asks NumPy for names that NumPy has dropped.
            warnings.simplefilter("ignore", FutureWarning)
            model.export(temporary, format="onnx", verbose=False)
        _write_config(temporary, config)
        difference = float(np.abs(expected - Generator.load(temporary).predict(inputs)).max())
        if not difference <= LARGEST_DIFFERENCE:
            raise InputError(f"the exported file draws other images than its source: they differ by {difference:.2g}")
    return difference


def _inputs(config: Config) -> Any:
    latents = draw_latents(CHECKED_IMAGES, config.latent_dim, seed=0)
    if not config.class_names:
        return latents
    return [latents, np.arange(CHECKED_IMAGES, dtype=np.int32) % len(config.class_names)]


def _write_config(path: Path, config: Config) -> None:
    import onnx

    model = onnx.load(path)
    entry = model.metadata_props.add()
    entry.key, entry.value = CONFIG_KEY, config.to_json()
    onnx.save(model, path)
