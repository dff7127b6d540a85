"""The backend that Keras runs on (TensorFlow, JAX or PyTorch), chosen once in a process, and the process's settings."""

import contextlib
import ctypes
import functools
import importlib
import logging
import os
import platform
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import IO

from fashion_gan.config import BACKENDS
from fashion_gan.errors import InputError, suggestion
from fashion_gan.system import console
from fashion_gan.system.atomic_files import CORRUPT_FILE_ERRORS
from fashion_gan.system.installation import install_command, is_installed
from fashion_gan.system.library_settings import environment_variables, import_keras
from fashion_gan.system.parallel import available_cpus

EXTRAS = {"tensorflow": "train", "jax": "jax", "torch": "torch"}  # the extra that installs each backend
# Where TensorFlow 2.21 exists, for Python below 3.14. The extra "train" has the same table as markers.
TENSORFLOW_SYSTEMS = (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64"))

TENSORFLOW_VARIABLES = {
    "TF_CPP_MIN_LOG_LEVEL": "3",  # While it is imported, TensorFlow logs facts about its own build.
    # On processors without AVX-512, TensorFlow leaves oneDNN off. With it, training is 1.2 times as fast at 28 pixels,
    # and 2.1 times at 64.
    "TF_ENABLE_ONEDNN_OPTS": "1",
}

# M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_TOP_PAD of glibc's malloc.h: (parameter, bytes).
KEEP_FREED_MEMORY = ((-3, 1 << 30), (-1, (1 << 31) - 1), (-2, 1 << 26))
# glibc has no call that reads the earlier values. These are the values that it reaches by itself once large arrays have
# been freed: the upper limits of both thresholds, and the default padding.
RETURN_FREED_MEMORY = ((-3, 1 << 25), (-1, 1 << 26), (-2, 1 << 17))


def default_backend() -> str:
    """The backend that Keras runs on already; else the one in KERAS_BACKEND; else the first installed."""
    if "keras" in sys.modules:
        return str(sys.modules["keras"].backend.backend())
    requested = os.environ.get("KERAS_BACKEND")
    if requested:
        if requested not in BACKENDS:
            raise InputError(f"KERAS_BACKEND={requested!r} is not allowed: {suggestion(requested, list(BACKENDS))}")
        return requested
    return next((name for name in BACKENDS if is_installed(name)), BACKENDS[0])


def missing_backend(name: str) -> str | None:
    """What a backend lacks, and the command that installs it, as a message. None if it and Keras are installed."""
    if is_installed("keras") and is_installed(name):
        return None
    command = install_command(EXTRAS[name])
    if name == "tensorflow" and not tensorflow_exists(sys.platform, platform.machine(), sys.version_info[:2]):
        version, system = platform.python_version(), f"{platform.system()} {platform.machine()}"
        return (
            f"backend 'tensorflow' does not exist for Python {version} on {system}: {command} brings JAX if it exists"
        )
    return f"backend {name!r} is not installed: {command}"


def check_backend(name: str) -> None:
    """Raise InputError if Keras or the backend is not installed."""
    if missing := missing_backend(name):
        raise InputError(missing)


def tensorflow_exists(system: str, machine: str, python: tuple[int, int]) -> bool:
    """Whether there is a TensorFlow package for a system, as ``sys.platform`` and ``platform.machine()`` name it."""
    return python < (3, 14) and (system, machine) in TENSORFLOW_SYSTEMS


def use_backend(name: str) -> None:
    """Import Keras on a backend. The caller's environment variables stay as they are.

    Raises:
        InputError: the backend is not installed, or Keras runs on another one already.
    """
    check_backend(name)
    if "keras" in sys.modules:
        if default_backend() != name:
            raise InputError(
                f"backend={name!r}, but Keras already runs on {default_backend()!r}: "
                f"set the environment variable KERAS_BACKEND={name} before Python starts"
            )
        return
    quiet = _quiet_tensorflow() if name == "tensorflow" else contextlib.nullcontext()
    with environment_variables({"KERAS_BACKEND": name}), quiet:
        import_keras()


def import_tensorflow() -> ModuleType:
    """Import TensorFlow, without the facts about its own build that it logs meanwhile."""
    if "tensorflow" in sys.modules:
        return sys.modules["tensorflow"]
    with _quiet_tensorflow():
        return importlib.import_module("tensorflow")


@contextlib.contextmanager
def _quiet_tensorflow() -> Iterator[None]:
    variables = {key: value for key, value in TENSORFLOW_VARIABLES.items() if key not in os.environ}
    with environment_variables(variables), suppressed_stderr():
        yield


def accelerator(backend: str) -> str | None:
    """The name of the GPU or TPU that JAX computes on. None for a CPU, and for the other backends."""
    if backend != "jax":
        return None
    import jax

    return None if jax.default_backend() == "cpu" else str(jax.devices()[0].device_kind)


@functools.cache
def network_errors() -> tuple[type[Exception], ...]:
    """What Keras, its backend and converters raise for a network that they do not support, or that a file describes.

    The errors of JAX and PyTorch are RuntimeErrors or TypeErrors. Call this only after Keras is imported.
    """
    errors: tuple[type[Exception], ...] = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError)
    if default_backend() == "tensorflow":
        import tensorflow

        errors = (*errors, tensorflow.errors.OpError)
    return (*CORRUPT_FILE_ERRORS, *errors)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python's random generator for the block, then restore its state.

    If an initializer or a layer has no seed, Keras draws one from this generator. So a seed gives the same weights in
    every run with the same backend, and the caller's own random numbers stay as they are.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


@contextlib.contextmanager
def suppressed_stderr() -> Iterator[None]:
    """Discard what native code writes to standard error; print it if the block raises an exception."""
    console.error_output().flush()
    try:
        terminal = os.dup(2)
    except OSError:  # The process has no standard error.
        yield
        return
    with open(terminal, "wb", buffering=0) as stderr, _scratch_file() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except BaseException:
            captured.seek(0)
            with contextlib.suppress(OSError):  # The terminal may be gone.
                stderr.write(captured.read())
            raise
        finally:
            os.dup2(terminal, 2)


def _scratch_file() -> IO[bytes]:
    """A file that vanishes when it is closed. The null device if no folder takes temporary files."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return open(os.devnull, "r+b")


@contextlib.contextmanager
def temporary_files_in(folder: str | Path) -> Iterator[None]:
    """Put temporary files into a folder during the block, if the system has no place for them.

    On a read-only file system with one writable folder, libraries look for such a place when they are imported.
    """
    try:
        tempfile.gettempdir()
    except OSError:
        with contextlib.suppress(OSError):  # Whatever is written there next reports the error.
            os.makedirs(folder, exist_ok=True)
        tempfile.tempdir = os.path.abspath(folder)
        try:
            yield
        finally:
            tempfile.tempdir = None
    else:
        yield


@contextlib.contextmanager
def suppressed_logger(name: str) -> Iterator[None]:
    """Discard what a library logs during the block, then restore the logger's level."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


# ---- Settings of the whole process. A library must leave them as they are, or restore them. ----


def silence_tensorflow() -> None:
    """Hide TensorFlow's messages below errors.

    Only for a command, which has its process to itself. Call this before TensorFlow is imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def read_without_locks() -> None:
    """Let HDF5 open files on file systems that have no locks. Nothing writes to a file that is read here.

    Only for a command. Call this before h5py is imported.
    """
    os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")


def keep_freed_memory() -> None:
    """Make glibc keep the memory of freed arrays for the next ones, instead of returning it to the system.

    A training step frees and allocates the same arrays again and again. On one of the machines measured,
    obtaining fresh zeroed pages took up to half of each step. See mallopt(3). Other C libraries are left as they are.
    """
    _set_malloc_parameters(KEEP_FREED_MEMORY)


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[None]:
    """``keep_freed_memory`` for the block. Afterwards glibc returns freed memory to the system again."""
    keep_freed_memory()
    try:
        yield
    finally:
        _set_malloc_parameters(RETURN_FREED_MEMORY)


def _set_malloc_parameters(parameters: tuple[tuple[int, int], ...]) -> None:
    if sys.platform != "linux" or os.environ.get("MALLOC_TRIM_THRESHOLD_"):  # The user has chosen.
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in parameters:
            mallopt(parameter, value)


def share_two_processors() -> None:
    """On two processors, make TensorFlow run two operations at once, one on each, instead of one on both.

    This helps networks of small layers. Splitting such a layer costs more than it saves, but independent operations can
    run at the same time: the discriminator's passes over real and generated images, and the two gradients of each
    layer. TensorFlow reads these environment variables before its first operation. Variables that the user has set are
    kept.
    """
    if available_cpus() == 2:  # Not measured with more.
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "2")
