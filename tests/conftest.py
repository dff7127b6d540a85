"""What the tests share: the environment, the option ``--full``, and toys that are made once for all processes."""

import ctypes
import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as in the processes that tests start
# One test runs on each processor. Splitting an operation over processors then costs more than it saves.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# JAX compiles a training step in half a minute, and in half of that without most of its optimizations. Two properties
# are tested with all optimizations too: a run resumes (processes.as_users_run), and the residual networks agree.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
os.environ.pop("FASHION_GAN_DATA", None)

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image
from processes import ThisProcess, Worker
from toys import TOY, score_fewer_images

from fashion_gan.system.backends import freed_memory_kept

TESTS = Path(__file__).parent
# These files take longest, the longest first. A process that is free takes the next file (`--dist loadfile`), so they
# start first: otherwise one process would still work on them when the others have nothing left.
LONG_FILES = (
    "course/test_chapters.py",
    "system/test_pages.py",
    "system/test_other_backends.py",
    "system/test_parity.py",
    "integration/test_pretrained.py",
    "integration/test_evaluate.py",
    "system/test_training.py",
    "system/test_cli.py",
    "system/test_multi_step.py",
    "integration/test_few_pictures.py",
    "integration/test_gan.py",
    "integration/test_evaluate_pictures.py",
    "integration/test_scored_training.py",
    "integration/test_scored_pictures.py",
    "integration/test_self_check.py",
    "integration/test_hostile_models.py",
    "integration/test_export.py",
    "integration/test_docstring_examples.py",
    "integration/test_centering.py",
)

# A shell's background jobs ignore Ctrl-C, and so would the processes that the tests start and stop.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="run the tests marked `full` too, and all tests at full scale")


def pytest_configure():
    if missing := [file for file in LONG_FILES if not (TESTS / file).is_file()]:
        raise pytest.UsageError(f"LONG_FILES names files that do not exist: {', '.join(missing)}")


def pytest_collection_modifyitems(config, items):
    items.sort(key=place_in_order)  # Tests of the same place stay in their order.
    if config.getoption("--full"):
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("full")])
    items[:] = [item for item in items if not item.get_closest_marker("full")]


def place_in_order(item) -> int:
    """The place of a test's file among the long files. All other files come after them."""
    file = item.path.relative_to(TESTS).as_posix()
    return LONG_FILES.index(file) if file in LONG_FILES else len(LONG_FILES)


@pytest.fixture(autouse=True, scope="module")
def memory_is_returned():
    """Return the memory of a file's tests to the system. A command keeps freed memory until its process ends."""
    yield
    gc.collect()
    with freed_memory_kept():
        pass  # Afterwards the C library returns freed memory.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)


@pytest.fixture(scope="session")
def full(pytestconfig) -> bool:
    """Whether the tests run at full scale."""
    return pytestconfig.getoption("--full")


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory) -> Path:
    """A folder that all processes of a test session share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def made_once(session_folder) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return a function that fills a named folder the first time that any process of the session asks for it.

    The others wait behind a file lock and read the folder. They must not change it.
    """

    def make_once(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = session_folder / name, session_folder / f"{name}.done"
        with FileLock(session_folder / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return make_once


@pytest.fixture(scope="session")
def toy_folder(made_once) -> Path:
    """Two classes of 20 gray pictures each, 16 × 16: bright left halves and bright right halves."""

    def make(folder):
        random = np.random.default_rng(0)
        for side, name in enumerate(("left", "right")):
            (folder / name).mkdir()
            for number in range(20):
                picture = random.integers(0, 40, (16, 16), np.uint8)
                picture[:, 8 * side : 8 * side + 8] += 200
                Image.fromarray(picture).save(folder / name / f"{number:02d}.png")

    return made_once("toy", make)


@pytest.fixture(scope="session")
def few_pictures(made_once) -> Path:
    """Two folders of 220 gray pictures each, 16 × 16, of which trainings with scores hold out 50.

    "symmetric" has bars, and "letters" has bars with an arm to the right.
    """

    def make(folder):
        random = np.random.default_rng(0)
        for name, is_letter in (("symmetric", False), ("letters", True)):
            (folder / name).mkdir()
            for number in range(220):
                picture = random.integers(0, 40, (16, 16), np.uint8)
                picture[3:13, 6:10] += 150
                picture[3:6, 6:14] += 60 * is_letter
                Image.fromarray(picture).save(folder / name / f"{number:03d}.png")

    return made_once("few_pictures", make)


@pytest.fixture(scope="session")
def toy_run(toy_folder, made_once):
    """A finished run on the toy pictures: three epochs of five steps, with a grid of samples after each."""
    import fashion_gan

    def make(folder):
        fashion_gan.train("fashion", data=toy_folder, out=folder, epochs=3, save_interval=1, **TOY)

    return fashion_gan.Run.open(made_once("toy_run", make) / "0001-fashion")


@pytest.fixture
def fewer_scored_images(monkeypatch):
    """Evaluations score 1,000 images instead of 10,000, and trainings hold out 500 instead of 5,000."""
    score_fewer_images(monkeypatch)


@pytest.fixture(scope="session")
def worker(session_folder):
    """Return a function from a backend's name to its worker process, which stays up for the whole session.

    With ``devices``, JAX simulates that many.
    """
    workers: dict[tuple[str, int], Worker | ThisProcess] = {("tensorflow", 1): ThisProcess()}

    def worker_of(backend: str, devices: int = 1) -> Worker:
        if (backend, devices) not in workers:
            workers[backend, devices] = Worker(backend, session_folder / "compiled", devices)
        return workers[backend, devices]

    yield worker_of
    for process in workers.values():
        process.stop()


@pytest.fixture(scope="session")
def torch_fidelity():
    """The library torch-fidelity. If PyTorch and torchvision are of different builds, only operators are missing."""
    torch = pytest.importorskip("torch")
    try:
        import torch_fidelity
    except RuntimeError:
        torch.library.define("torchvision::nms", "() -> ()")
        torch.library.define("torchvision::qnms", "() -> ()")
        import torch_fidelity
    except ImportError:
        pytest.skip("torch-fidelity is not installed")
    return torch_fidelity
