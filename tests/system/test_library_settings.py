"""Processes whose user has settings of Keras, Matplotlib and Pillow that are unusual, or that fail an import."""

import json
import os

import pytest
from processes import run_python

IMPORT_MATPLOTLIB = """
from fashion_gan.system.library_settings import import_matplotlib
print(import_matplotlib().rcParams["font.size"])
"""
SHOW_DEFAULTS = """
import keras, numpy as np
from PIL import Image, ImageFile
config = keras.config
print(config.floatx(), config.epsilon(), config.image_data_format(), config.max_epochs(), config.max_steps_per_epoch(),
      config.dtype_policy().name, np.geterr(), Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
"""
IMPORT_KERAS = """
from fashion_gan.system.backends import use_backend
from fashion_gan.system.library_settings import default_settings
with default_settings():
    use_backend("tensorflow")
    import keras
    print(keras.config.floatx(), keras.config.image_data_format(), keras.config.dtype_policy().name)
print(keras.config.floatx(), keras.config.image_data_format(), keras.config.dtype_policy().name)
"""


@pytest.mark.parametrize(
    ("variables", "font_size"),
    [
        ({"MPLBACKEND": "module://no_such_package.backend"}, "10.0"),
        ({"MATPLOTLIBRC": "not_utf8"}, "10.0"),
        ({"MATPLOTLIBRC": "good"}, "7.0"),
    ],
    ids=["missing backend", "unreadable file", "good file"],
)
def test_matplotlib_is_imported_with_the_user_s_settings_or_without_if_they_fail(tmp_path, variables, font_size):
    (tmp_path / "not_utf8").write_bytes(b"font.size: \xff\n")
    (tmp_path / "good").write_text("font.size: 7\n")
    assert run_python(IMPORT_MATPLOTLIB, env={**os.environ, **variables}, cwd=tmp_path).strip() == font_size


def import_keras(folder, settings, **variables):
    """Import Keras in a process. Return its settings in a block of default settings, and afterwards."""
    (folder / "keras.json").write_text(json.dumps(settings))
    environment = {**os.environ, "KERAS_HOME": str(folder), "MPLBACKEND": "module://no_such_package", **variables}
    return run_python(IMPORT_KERAS, env=environment).splitlines()


def test_keras_json_applies_to_the_user_and_not_to_our_calls(tmp_path):
    settings = {"backend": "theano", "image_data_format": "channels_first", "floatx": "float16", "epsilon": 1e-3}
    ours, users = import_keras(tmp_path, settings)
    assert ours == "float32 channels_last float32"
    assert users == "float16 channels_first float16"


@pytest.mark.full
def test_keras_is_imported_without_a_keras_json_that_fails_it(tmp_path):
    assert import_keras(tmp_path, {"floatx": "float128"}) == 2 * ["float32 channels_last float32"]
    assert import_keras(tmp_path, {}, KERAS_MAX_EPOCHS="many") == 2 * ["float32 channels_last float32"]


@pytest.mark.full
def test_the_default_settings_are_those_of_a_fresh_process(tmp_path):
    environment = {**os.environ, "KERAS_HOME": str(tmp_path)}
    block = "from fashion_gan.system.library_settings import default_settings\ndefault_settings().__enter__()\n"
    fresh = run_python(SHOW_DEFAULTS, env=environment)
    assert run_python(f"import keras\n{block}{SHOW_DEFAULTS}", env=environment) == fresh
