"""SciPy, which measuring needs and drawing does not. It is imported by the first metric that uses it."""

import importlib
from types import ModuleType

from fashion_gan.system.installation import check_installed


def scipy() -> ModuleType:
    """Import SciPy, or raise InputError with the command that installs it."""
    check_installed("scipy", "measuring", "evaluate")
    return importlib.import_module("scipy")
