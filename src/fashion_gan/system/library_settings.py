"""Settings that other libraries keep for the whole process. Our calls use the defaults, then restore the user's."""

import contextlib
import dataclasses
import importlib
import itertools
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any, cast

import numpy as np
from PIL import Image, ImageFile

from fashion_gan.system.installation import check_installed

MAX_IMAGE_PIXELS = 89_478_485  # Pillow's default
# What the import of Keras or Matplotlib raises if the user's file or environment variable has an unusable setting.
SETTINGS_ERRORS = (OSError, ValueError, TypeError, AttributeError, Warning)

# Warnings of libraries about their own code. They would end our calls where the user makes warnings errors.
HARMLESS_WARNINGS: tuple[tuple[str, type[Warning]], ...] = (
    # Keras 3.15's variables meet NumPy 2's conversion protocol half way.
    ("__array__ implementation doesn't accept a copy", DeprecationWarning),
    # huggingface_hub 2.4 uploads files by an argument of its HTTP client that has another name now.
    ("Use 'content=<...>' to upload raw bytes", DeprecationWarning),
)


@dataclasses.dataclass(frozen=True)
class Setting:
    """A setting of the process: how to read and write it, and its default."""

    read: Callable[[], Any]
    write: Callable[[Any], object]
    default: object


class _ProcessSettings:
    """Sets defaults while any thread is in a block, and restores the user's values when the last one has left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks = 0
        self._users_filters: list[Any] = []
        self._filters: list[Any] = []
        self._before: dict[str, list[tuple[Setting, object]]] = {}

    def enter(self) -> None:
        with self._lock:
            self._blocks += 1
            self._set_defaults()
            if self._blocks == 1:
                self._ignore_harmless_warnings()

    def leave(self) -> None:
        with self._lock:
            self._blocks -= 1
            if not self._blocks:
                for setting, value in itertools.chain.from_iterable(self._before.values()):
                    if setting.read() != value:
                        setting.write(value)
                self._before.clear()
                self._restore_filters()

    def update(self) -> None:
        """Set the defaults of libraries that were imported after the block was entered."""
        with self._lock:
            if self._blocks:
                self._set_defaults()

    def _ignore_harmless_warnings(self) -> None:
        self._users_filters = list(warnings.filters)
        for message, category in HARMLESS_WARNINGS:
            warnings.filterwarnings("ignore", message, category)
        self._filters = list(warnings.filters)

    def _restore_filters(self) -> None:
        filters = cast(list[Any], warnings.filters)
        if filters == self._filters:
            filters[:] = self._users_filters
            return
        for item in self._filters:  # A library that was imported meanwhile has added filters, which stay.
            if item not in self._users_filters and item in filters:
                filters.remove(item)

    def _set_defaults(self) -> None:
        groups = {"pillow": _pillow_settings(), "keras": _keras_settings(), "tensorflow": _tensorflow_settings()}
        for library, settings in groups.items():
            if settings and library not in self._before:
                self._before[library] = [(setting, setting.read()) for setting in settings]
                for setting, value in self._before[library]:
                    if value != setting.default:
                        setting.write(setting.default)


_process_settings = _ProcessSettings()


@contextlib.contextmanager
def default_settings() -> Iterator[None]:
    """Use the default settings of Keras, its backend, NumPy and Pillow for the block, then restore the user's.

    Harmless warnings of the libraries are ignored, even if the user makes warnings errors.

    Every public function and method that computes is decorated with it: ``@default_settings()``.
    """
    policy = _keras_dtype_policy()
    _process_settings.enter()
    try:
        _set_keras_dtype_policy(None)  # The default follows from floatx.
        with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"), _torch_defaults():
            yield
    finally:
        _set_keras_dtype_policy(policy)
        _process_settings.leave()


def _pillow_settings() -> list[Setting]:
    values = ((Image, "MAX_IMAGE_PIXELS", MAX_IMAGE_PIXELS), (ImageFile, "LOAD_TRUNCATED_IMAGES", False))
    return [
        Setting(partial(getattr, module, name), partial(setattr, module, name), value) for module, name, value in values
    ]


def _keras_settings() -> list[Setting]:
    """Keras's settings; none if Keras is not imported."""
    config = getattr(sys.modules.get("keras"), "config", None)
    if config is None:
        return []
    return [
        Setting(config.floatx, config.set_floatx, "float32"),
        Setting(config.epsilon, config.set_epsilon, 1e-7),
        Setting(config.image_data_format, config.set_image_data_format, "channels_last"),
        Setting(config.max_epochs, config.set_max_epochs, None),
        Setting(config.max_steps_per_epoch, config.set_max_steps_per_epoch, None),
    ]


def _tensorflow_settings() -> list[Setting]:
    """TensorFlow's settings; none if it is not imported."""
    config = getattr(sys.modules.get("tensorflow"), "config", None)
    if config is None:
        return []
    return [Setting(config.functions_run_eagerly, config.run_functions_eagerly, False)]


@contextlib.contextmanager
def _torch_defaults() -> Iterator[None]:
    """Let PyTorch compute gradients in this thread, if Keras runs on it."""
    torch = sys.modules.get("torch")
    if torch is None or not _keras_settings() or sys.modules["keras"].backend.backend() != "torch":
        yield
        return
    with torch.inference_mode(False), torch.enable_grad():
        yield


# Keras keeps the dtype policy for each thread. Its public functions cannot unset it, and reading it sets it.


def _keras_dtype_policy() -> object:
    """The dtype policy that the user has set in this thread, or None."""
    if not _keras_settings():
        return None
    from keras.src.backend.common import global_state

    return global_state.get_global_attribute("dtype_policy")


def _set_keras_dtype_policy(policy: object) -> None:
    if _keras_settings():
        from keras.src.backend.common import global_state

        global_state.set_global_attribute("dtype_policy", policy)


def import_keras() -> None:
    """Import Keras. If the user's ``keras.json`` or a variable holds an unusable setting, import it without them."""
    with contextlib.suppress(ImportError):  # Keras imports Matplotlib if it is installed.
        import_matplotlib()
    try:
        importlib.import_module("keras")
    except SETTINGS_ERRORS:
        unset = dict.fromkeys(("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED"))
        with environment_variables({**unset, "KERAS_HOME": os.devnull}):  # It holds no keras.json.
            importlib.import_module("keras")
    _process_settings.update()


def import_matplotlib() -> ModuleType:
    """Import Matplotlib. If the user's ``matplotlibrc`` or a variable is unusable, import it without them.

    A command that is started from a notebook inherits an MPLBACKEND, which may be installed only for the notebook.
    """
    try:
        return importlib.import_module("matplotlib")
    except SETTINGS_ERRORS:
        for name in [name for name in sys.modules if name.startswith("matplotlib.")]:
            del sys.modules[name]  # A second import fails with the half-imported parts of the first one.
        with environment_variables({"MATPLOTLIBRC": os.devnull, "MPLBACKEND": None}):
            return importlib.import_module("matplotlib")


@contextlib.contextmanager
def matplotlib_defaults() -> Iterator[None]:
    """Use Matplotlib's default style for the block, then restore the user's."""
    check_installed("matplotlib", "plotting", "train")
    matplotlib = import_matplotlib()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


@contextlib.contextmanager
def environment_variables(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables for the block, then restore them. None unsets a variable."""
    before = {name: os.environ.get(name) for name in variables}
    _set_variables(variables)
    try:
        yield
    finally:
        _set_variables(before)


def _set_variables(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
