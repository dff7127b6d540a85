"""Drawing and exploring need only the base installation; measuring and converting import no training framework."""

import numpy as np
import pytest
from processes import run_python

import fashion_gan
from fashion_gan.saving import export
from fashion_gan.saving.formats import FORMATS

NO_FRAMEWORK = """
assert not {"keras", "tensorflow", "jax", "torch"} & set(sys.modules)
"""
NOT_IN_THE_BASE = """
import sys
for name in ("keras", "tensorflow", "jax", "torch", "scipy", "matplotlib", "h5py", "onnx", "pyarrow", "httpx"):
    sys.modules[name] = None  # Its import fails.
"""
# Windows has none of these modules and functions, and macOS lacks some of them.
ELSEWHERE = """
import os, signal, sys
import numpy, onnxruntime, PIL.Image, scipy.linalg, scipy.stats, click, filelock, jinja2, platformdirs, tqdm.auto
import starlette.applications, uvicorn, webbrowser
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("sched_getaffinity", "fork", "register_at_fork", "geteuid", "getuid", "statvfs", "mkfifo"):
    delattr(os, name)
for name in ("SIGHUP", "SIGUSR1", "SIGALRM"):
    delattr(signal, name)
from fashion_gan.cli import main
import fashion_gan.explorer.run_server
from fashion_gan.system import memory, parallel
assert parallel.available_cpus() >= 1
os.chdir(sys.argv[1])
for words in (
    "generate --label Dress --out dresses.png",
    "generate --interpolate 3 7 --label Dress --out walk.gif",
    "dataset --per-class 2 --out synth",
    "dataset --per-class 2 --format folders --out folders",
    "evaluate synth --protocol classes10k",
):
    status = main(words.split())
    assert status == (2 if "evaluate" in words else 0), words  # 20 images are too few, which is one line.
"""
DRAW = (
    NOT_IN_THE_BASE
    + """
import fashion_gan, numpy as np
generator = fashion_gan.Generator
generator = generator.load(sys.argv[1]) if sys.argv[1:] else generator.from_pretrained()
print(generator.generate(20, seed=4).sum())
"""
)
BASE = (
    NOT_IN_THE_BASE
    + """
import time, fashion_gan
from fashion_gan.cli import main
from fashion_gan.explorer.app import make_app
from fashion_gan.explorer.nearest_images import NearestImages
out = sys.argv[1]
assert main(["generate", "--interpolate", "3", "7", "--label", "0", "--out", out + "/walk.gif"]) == 0
assert main(["dataset", "--per-class", "2", "--min-confidence", "0.5", "--no-duplicates", "--out", out + "/data"]) == 0
generator = fashion_gan.load_generator("fashion")
make_app("fashion", generator)
nearest = NearestImages(None, shipped=True)
while (answer := nearest.answer(generator.generate(1)[0]))["again"]:
    time.sleep(0.05)
assert len(answer["numbers"]) == 6, answer
sys.stderr = sys.stdout
assert main(["evaluate", "fashion"]) == 2
"""
)
MEASURE = """
import sys, numpy as np, fashion_gan.api.evaluate
from fashion_gan.metrics.features import extract
extract(np.zeros((2, 28, 28, 1), np.uint8))
"""
EXPORT = """
import sys, fashion_gan
assert fashion_gan.export_generator(*sys.argv[1:]) < 1e-4
"""


def test_the_shipped_model_draws_without_a_training_framework():
    drawn = fashion_gan.Generator.from_pretrained("fashion").generate(20, seed=4)
    assert int(run_python(DRAW)) == np.sum(drawn)


def test_the_base_installation_draws_and_explores_and_names_what_measuring_needs(tmp_path):
    complaint = run_python(BASE, tmp_path).splitlines()[-1]
    assert complaint.startswith("fashion-gan: evaluate needs scipy: pip install ")


def test_without_the_functions_of_linux_the_commands_work(tmp_path):
    run_python(ELSEWHERE, tmp_path)


def test_measuring_imports_no_training_framework():
    run_python(MEASURE + NO_FRAMEWORK)


@pytest.mark.parametrize("name", ["html", pytest.param("openvino", marks=pytest.mark.full)])
def test_an_onnx_file_is_drawn_and_converted_without_a_training_framework(toy_run, tmp_path, name):
    if missing := export.missing_packages(name, "tensorflow"):
        pytest.skip(f"{' and '.join(missing)} not installed")
    onnx_path = tmp_path / "toy.onnx"
    fashion_gan.export_generator(toy_run.path, "onnx", onnx_path)
    run_python(EXPORT + NO_FRAMEWORK, onnx_path, name, tmp_path / f"toy{FORMATS[name].suffix}")
    assert int(run_python(DRAW, onnx_path)) == np.sum(fashion_gan.load_generator(onnx_path).generate(20, seed=4))
