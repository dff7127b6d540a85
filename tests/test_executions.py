"""Several training steps as one computation on JAX: what a GPU does, tried on a CPU that is taken for one."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from test_training import assert_equal_runs

from fashion_gan.batches import steps_per_execution
from fashion_gan.runs import Run

pytestmark = pytest.mark.skipif(
    "jax" not in os.environ.get("FASHION_GAN_TEST_BACKENDS", "tensorflow jax").split(), reason="JAX is not asked for"
)
SETTINGS = {
    "backend": "jax",
    "width": 4,
    "latent_dim": 8,
    "image_size": 16,
    "batch_size": 5,
    "checkpoint_every": 4,
    "cooldown": 0.0,  # It is followed after each execution.
}
# Arguments: "card" or "none", the pictures, the output, and the steps; or "card", the run to go on with, and the steps.
SCRIPT = """
import sys
import fashion_gan.backends
if sys.argv[1] == "card":
    fashion_gan.backends.accelerator = lambda backend: "a card"
import keras
import fashion_gan
from fashion_gan.gan import GAN

executions = []
class Counted(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        executions.append(self.model.steps_per_execution)
fit = GAN.fit
GAN.fit = lambda self, *given, callbacks, **named: fit(self, *given, callbacks=[*callbacks, Counted()], **named)
if len(sys.argv) == 4:
    fashion_gan.resume(sys.argv[2], steps=int(sys.argv[3]))
else:
    fashion_gan.train("fashion", data=sys.argv[2], out=sys.argv[3], steps=int(sys.argv[4]), **SETTINGS)
print("executions", executions)
"""


def train(*arguments):
    """The steps of each execution, of a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("SETTINGS", repr(SETTINGS)), *map(str, arguments)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("executions ")[2])


@pytest.fixture(scope="module")
def whole(toy_folder, tmp_path_factory):
    """Twelve steps on what is taken for a card, in the middle of whose second epoch they end."""
    out = tmp_path_factory.mktemp("whole")
    steps = train("card", toy_folder, out, 12)
    return steps, Run.open(out / "0001-fashion")


def test_steps_taken_at_once_leave_what_single_steps_leave(whole, toy_folder, tmp_path):
    at_once, run = whole
    assert at_once == [4, 4, 4]
    assert train("none", toy_folder, tmp_path, 12) == [1] * 12
    ours, single = run.load_checkpoint()[1], Run.open(tmp_path / "0001-fashion").load_checkpoint()[1]
    assert ours.keys() == single.keys()
    for name in ours.keys() - {"seconds"}:
        np.testing.assert_allclose(ours[name], single[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_a_run_of_several_steps_at_once_goes_on_as_if_uninterrupted(whole, toy_folder, tmp_path):
    train("card", toy_folder, tmp_path, 4)
    assert train("card", tmp_path / "0001-fashion", 12) == [4, 4]
    assert_equal_runs(whole[1].path, tmp_path / "0001-fashion")


def test_jax_on_a_cpu_takes_single_steps():
    # Where XLA takes longer for steps within a scan than for as many without.
    script = "from fashion_gan.batches import steps_per_execution; print(steps_per_execution(100))"
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "1", done.stderr
    assert steps_per_execution(100) == 10


PLAIN = """
import numpy as np
from fashion_gan.config import Config
from fashion_gan.training import build_gan

small = {"image_size": 16, "width": 4, "latent_dim": 8, "class_names": ("a", "b")}
gan = build_gan(Config.from_preset("fashion", backend="jax", **small))
gan.steps_per_execution = 2
images = np.zeros((24, 16, 16, 1), np.uint8)
gan.fit({"images": images, "labels": np.arange(24, dtype=np.int32) % 2}, batch_size=4, epochs=2, verbose=0)
print(int(gan.step.value))
"""


def test_plain_batches_train_by_several_steps_at_once_too():
    done = subprocess.run(
        [sys.executable, "-c", PLAIN], env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "12", done.stderr
