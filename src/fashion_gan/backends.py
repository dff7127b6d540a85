"""Which backend Keras runs on: TensorFlow, JAX or PyTorch, once and for all in a process."""

import contextlib
import ctypes
import importlib.util
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

from fashion_gan import cores
from fashion_gan.config import BACKENDS
from fashion_gan.errors import InputError, suggestion

# M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_TOP_PAD of glibc's malloc.h, in bytes.
KEEP_FREED_MEMORY = ((-3, 1 << 30), (-1, (1 << 31) - 1), (-2, 1 << 26))


def default_backend() -> str:
    """The backend that Keras runs on already, or was asked to (KERAS_BACKEND), or the first that is installed."""
    if "keras" in sys.modules:
        return str(sys.modules["keras"].backend.backend())
    asked = os.environ.get("KERAS_BACKEND")
    if asked:
        if asked not in BACKENDS:
            raise InputError(f"KERAS_BACKEND={asked!r} is not allowed: {suggestion(asked, list(BACKENDS))}")
        return asked
    return next((name for name in BACKENDS if importlib.util.find_spec(name)), BACKENDS[0])


def check_backend(name: str) -> None:
    """Raises InputError where Keras or the backend is not installed."""
    if importlib.util.find_spec("keras") is None or importlib.util.find_spec(name) is None:
        extra = {"tensorflow": "train", "jax": "gpu", "torch": "torch"}[name]
        raise InputError(f"backend {name!r} is not installed: pip install 'fashion-gan[{extra}]'")


def use_backend(name: str) -> None:
    """Let Keras, which is imported after this, run on a backend.

    Raises:
        InputError: the backend is not installed, or Keras was imported before and runs on another.
    """
    check_backend(name)
    if "keras" in sys.modules and default_backend() != name:
        raise InputError(
            f"backend={name!r}, but Keras already runs on {default_backend()!r}: "
            f"set the environment variable KERAS_BACKEND={name} before Python starts"
        )
    os.environ["KERAS_BACKEND"] = name
    _keep_freed_memory()
    if name == "tensorflow" and "tensorflow" not in sys.modules:
        # TensorFlow greets with lines about its build that tell the user nothing.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with error_output_held_back():
            importlib.import_module("tensorflow")


def accelerator(backend: str) -> str | None:
    """What the GPU or TPU is called that the backend, on which Keras runs, works on; known of JAX alone."""
    if backend != "jax":
        return None
    import jax

    return None if jax.default_backend() == "cpu" else str(jax.devices()[0].device_kind)


def _keep_freed_memory() -> None:
    """Let glibc keep the memory of arrays that are freed, for the next ones, and not hand it back to the system.

    A training step frees and asks for the same arrays over and over, and to be given each anew, zeroed page by page,
    took up to half of the step's time on one of the machines measured. See mallopt(3); other C libraries do as they do.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or os.environ.get("MALLOC_TRIM_THRESHOLD_"):  # The user has settled it.
        return
    for parameter, value in KEEP_FREED_MEMORY:
        mallopt(parameter, value)


def work_side_by_side() -> None:
    """Let TensorFlow on two processors take two operations at a time, one on each, in the place of one on both.

    For networks of small layers: to share such a layer out costs more than it saves, and there is enough to do side by
    side, the judgements of real and of generated images and the two gradients of each layer. It holds for the whole
    process, if TensorFlow has not worked anything out before; what the user has settled stays.
    """
    if cores.usable() == 2:  # With more it was not measured.
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
        os.environ.setdefault("TF_NUM_INTEROP_THREADS", "2")


@contextlib.contextmanager
def error_output_held_back() -> Iterator[None]:
    """Hold back what native code writes to standard error; let it out where an exception ends the block."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


@contextlib.contextmanager
def logger_held_back(name: str) -> Iterator[None]:
    """Hold back what a library logs."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
