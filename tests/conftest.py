"""What the tests share: a small world of pictures on which everything trains in seconds."""

import os
import signal
import subprocess
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Tests run side by side, one on each processor: there, to share operations out costs more than it saves.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# JAX's compiler takes half a minute for a training step, and half of that without most of its optimisations. What is
# tried with all of them too, by as_users_run: that a run resumes, and that JAX agrees on the residual networks.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
os.environ.pop("FASHION_GAN_DATA", None)

import numpy as np
import pytest
from PIL import Image

# A shell's background jobs ignore Ctrl-C, and so would what the tests start and stop by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Small enough to train in a second a hundred steps, and with every part of the real thing.
# Without a cooldown, for a run of some steps is the beginning of one of more only where they learn alike.
TOY = {"image_size": 16, "width": 4, "latent_dim": 8, "batch_size": 8, "cooldown": 0.0}
TOY_FLAGS = [f"--{name.replace('_', '-')}={value}" for name, value in TOY.items()]


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory) -> Path:
    """Two classes of 20 pictures each, 16 × 16 grey: bright left halves and bright right halves."""
    folder = tmp_path_factory.mktemp("toy")
    random = np.random.default_rng(0)
    for side, name in enumerate(("left", "right")):
        (folder / name).mkdir()
        for number in range(20):
            picture = random.integers(0, 40, (16, 16), np.uint8)
            picture[:, 8 * side : 8 * side + 8] += 200
            Image.fromarray(picture).save(folder / name / f"{number:02d}.png")
    return folder


@pytest.fixture(scope="session")
def toy_run(toy_folder, tmp_path_factory):
    """A finished run on the toy pictures: three epochs of five steps, a grid after each."""
    import fashion_gan

    return fashion_gan.train(
        "fashion", data=toy_folder, out=tmp_path_factory.mktemp("runs"), epochs=3, save_interval=1, **TOY
    )


@pytest.fixture(scope="session")
def torch_fidelity():
    """The library, also beside a PyTorch whose build its torchvision was not made for: only operators are missing."""
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


def as_users_run() -> dict[str, str]:
    """The environment of a process that compiles as it would without the tests' shortcuts."""
    return {name: value for name, value in os.environ.items() if name != "JAX_DISABLE_MOST_OPTIMIZATIONS"}


def command(*arguments, **keywords) -> subprocess.CompletedProcess:
    """Run ``fashion-gan`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "fashion_gan", *map(str, arguments)], capture_output=True, text=True, **keywords
    )
