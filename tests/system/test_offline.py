"""Nothing is asked of a network, and no other library leaves a file in the home folder."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from processes import run_python

from fashion_gan.datasets import load_fashion_mnist
from fashion_gan.metrics.reference import Reference
from fashion_gan.saving import export

PARTS = """
import numpy as np, fashion_gan
from fashion_gan.explorer.run_server import _build_app
from fashion_gan.metrics.features import extract
fashion_gan.Generator.from_pretrained().generate(4)
extract(np.zeros((2, 28, 28, 1), np.uint8))
_build_app("fashion")
"""
EXPLORE = """
import urllib.request, fashion_gan.explorer.run_server as server
class Stopped(Exception): pass
def ready(url):
    raise Stopped
try:
    server.explore("fashion", 0, open_browser=False, on_ready=ready)
except Stopped:
    pass
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def home_with_features(home):
    """A home folder whose cache holds the features of the training images, which take a minute to compute."""
    reference = Reference.load()
    assert len(reference.train_features) == 60_000
    folder = home / ".cache" / "fashion-gan" / "metrics"
    folder.mkdir(parents=True)
    shutil.copy(reference.cache / f"{reference.key}-train.npz", folder)
    return home


def environment_of(home):
    """The environment of a user with an empty home folder, whose caches are in it."""
    unset = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    variables = {name: value for name, value in os.environ.items() if name not in unset}
    return {**variables, "HOME": str(home)}


def test_drawing_measuring_and_exploring_leave_no_file_in_the_home_folder(home):
    run_python(PARTS, env=environment_of(home))
    assert list(home.rglob("*")) == []


@pytest.mark.full
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(
    "words",
    [
        ["-m", "fashion_gan", "generate"],
        ["-m", "fashion_gan", "evaluate", "fashion", "--protocol", "classes10k", "--data", "DATA"],
        ["-c", EXPLORE],
        ["-m", "fashion_gan", "export", "fashion", "--format", "openvino", "--out", "openvino"],
    ],
    ids=["generate", "evaluate", "explore", "export"],
)
def test_a_command_asks_nothing_of_a_network(request, tmp_path, words):
    if "openvino" in words and export.missing_packages("openvino", "tensorflow"):
        pytest.skip("OpenVINO is not installed")
    home = request.getfixturevalue("home_with_features" if "evaluate" in words else "home")
    source = load_fashion_mnist("test").source
    words = [word.replace("DATA", str(source)) for word in words]
    calls = tmp_path / "calls"
    # With a filter in the kernel, no other call stops the process.
    traced = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", calls]
    command, environment = [*traced, sys.executable, *words], environment_of(home)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.findall(r".*AF_INET.*", calls.read_text()) == []
    files = {path.relative_to(home).parts[:2] for path in home.rglob("*") if path.is_file()}
    assert files <= {(".cache", "fashion-gan")}  # The measurements of real images, which the documentation names.
