"""Training on several devices, which JAX simulates here, and in several processes: the same run on any number."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time

import hooks
import jobs
import numpy as np
import pytest
from processes import BACKENDS, jax_variables
from run_states import log_of, state_of
from toys import TOY

from fashion_gan.runs import Run

pytestmark = pytest.mark.skipif("jax" not in BACKENDS, reason="FASHION_GAN_TEST_BACKENDS does not name JAX")
# Everything that training does: minibatch deviations, batch norm, lazy penalties, augmentation, held-out pictures,
# scores. An epoch has ten steps.
SETTINGS = {
    "preset": "fashion",
    **TOY,
    "backend": "jax",
    "conditional": False,
    "batch_size": 16,
    "steps": 20,
    "checkpoint_every_steps": 5,
    "augment": True,
    "augmentations": "mirror,shift",
    "evaluate_every_epochs": 1,
}
ENDED_SECONDS = 60  # within which the death of a process ends the others


@pytest.fixture(scope="module")
def train(worker, few_pictures):
    """Return a function that trains in a worker with eight devices, and returns the run's folder."""

    def train(out, **settings):
        settings = {**SETTINGS, "data": few_pictures / "letters", "out": out, **settings}
        return worker("jax", devices=8).run(jobs.train_any, **settings)

    return train


@pytest.fixture(scope="module")
def one_device(made_once, train):
    """A run on one device, without any of the options."""
    path = made_once("one_device", train) / "0001-fashion"
    state = state_of(path)[1]
    (probability,) = (value for name, value in state.items() if name.endswith("augmentation/probability"))
    assert probability > 0.2  # Pictures are changed.
    return path


def assert_same_run(run, expected):
    """Check that the losses of two runs agree within 1e-5, their weights within 1e-4, and their scores."""
    (step, state), (expected_step, expected_state) = state_of(run), state_of(expected)
    assert step == expected_step
    assert state.keys() == expected_state.keys()
    for name, value in state.items():
        np.testing.assert_allclose(value, expected_state[name], rtol=0, atol=1e-4, err_msg=name)
    log, expected_log = log_of(run), log_of(expected)
    assert log["step"][-1] == expected_log["step"][-1] == step
    for name in ("d_loss", "g_loss", "d_real", "d_fake"):
        # Executions of several steps have fewer rows, each of which is the mean over as many steps.
        means = np.reshape(expected_log[name], (len(log[name]), -1)).mean(axis=1)
        np.testing.assert_allclose(log[name], means, rtol=0, atol=1e-5, err_msg=name)
    scores, expected_scores = (Run.open(path).read_metrics() for path in (run, expected))
    assert [row["step"] for row in scores] == [row["step"] for row in expected_scores]
    for row, other in zip(scores, expected_scores, strict=True):
        assert row["frechet_validation"] == pytest.approx(other["frechet_validation"], rel=1e-4)


@pytest.mark.parametrize(
    ("devices", "accelerator"),
    [
        pytest.param(1, None, marks=pytest.mark.full),
        pytest.param(2, None, marks=pytest.mark.full),
        pytest.param(4, None, marks=pytest.mark.full),
        (4, "a card"),
        ("all", None),
    ],
)
def test_a_run_is_the_same_on_any_number_of_devices(devices, accelerator, one_device, train, tmp_path):
    """As an accelerator, four devices run ten steps as one computation."""
    assert_same_run(train(tmp_path, devices=devices, accelerator=accelerator), one_device)


def test_each_device_computes_only_its_part_of_the_generated_images_too(worker):
    eight, two = (worker("jax", devices=8).run(jobs.flops_of_a_step, devices) for devices in (8, 2))
    assert eight < 0.35 * two  # A quarter, and a little that all do.


# ---- Several processes ----


def free_address() -> str:
    with socket.create_server(("localhost", 0)) as server:
        return f"localhost:{server.getsockname()[1]}"


def slurm_variables(number, address):
    """Return the variables with which Slurm starts one of two tasks. JAX makes the port from the number of the job."""
    port = address.rpartition(":")[2]
    names = {"SLURM_JOB_ID": port, "SLURM_STEP_NODELIST": "localhost", "SLURM_NTASKS": "2"}
    return {**names, "SLURM_PROCID": str(number), "SLURM_LOCALID": str(number)}


@pytest.fixture(scope="module")
def start(session_folder, few_pictures):
    """Return a function that starts two processes of two devices each, which train together."""
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items() if not isinstance(value, bool)]
    flags += ["--no-conditional", "--augment", "--data", str(few_pictures / "letters")]
    variables = {**os.environ, **jax_variables(session_folder / "compiled", devices=2)}
    variables |= {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}

    @contextlib.contextmanager
    def start(out, *more_flags, second_flags=(), pause_at=(0, 0), slurm=False):
        address = ["--coordinator", free_address(), "--processes", "2"]
        with contextlib.ExitStack() as stack:
            processes = []
            for number, (step, own_flags) in enumerate(zip(pause_at, ((), second_flags), strict=True)):
                program = [hooks.__file__, "quick", str(step)]
                place = ["--coordinator", "auto"] if slurm else [*address, "--process", str(number)]
                words = [*program, "train", *flags, *place, "--out", str(out), *more_flags, *own_flags]
                environment = {**variables, **(slurm_variables(number, address[1]) if slurm else {})}
                process = subprocess.Popen(
                    [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
                )
                processes.append(stack.enter_context(process))
                stack.callback(process.kill)
            yield processes

    return start


def error_line(process) -> str:
    """Wait for the end of a process, and return the one line that it wrote on standard error."""
    _, errors = process.communicate(timeout=ENDED_SECONDS)
    lines = [line for line in errors.splitlines() if line]
    assert len(lines) == 1, errors
    return lines[0]


def test_a_run_is_the_same_in_two_processes_of_two_devices(start, one_device, tmp_path):
    with start(tmp_path) as processes:
        outputs = [process.communicate(timeout=400) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert "on 4 devices (cpu) in 2 processes, 4 images of a batch on each" in outputs[0][0]
    assert "epoch" not in outputs[1][0]
    assert_same_run(tmp_path / "0001-fashion", one_device)
    assert (tmp_path / "0001-fashion" / "generator.keras").exists()


def test_a_process_that_dies_ends_the_others_and_the_run_resumes_on_one(start, one_device, worker, tmp_path):
    path = tmp_path / "0001-fashion"
    with start(tmp_path, pause_at=(0, 7)) as (first, second):
        assert any("paused" in line for line in second.stdout)
        second.kill()
        killed = time.monotonic()
        line = error_line(first)
    assert time.monotonic() - killed < ENDED_SECONDS
    assert first.returncode == 1
    assert re.fullmatch(
        r"fashion-gan: process 1 of 2 has died or no longer answers: "
        rf"continue every process with fashion-gan train --resume {re.escape(str(path))}",
        line,
    )
    assert state_of(path)[0] == 5
    worker("jax", devices=8).run(jobs.resume_with_quick_augmentation, path, devices="all")
    assert_same_run(path, one_device)


def test_the_death_of_process_0_ends_the_others(start, tmp_path):
    with start(tmp_path, pause_at=(7, 0)) as (first, second):
        assert any("paused" in line for line in first.stdout)
        first.kill()
        line = error_line(second)
    assert second.returncode == 1
    assert line.startswith("fashion-gan: process 0 has died or no longer answers: continue every process with")
    assert state_of(tmp_path / "0001-fashion")[0] == 5


def test_a_signal_to_one_task_of_slurm_stops_all_after_the_same_step(start, tmp_path):
    flags = ["--steps=100000", "--checkpoint-every-steps=100000", "--evaluate-every-epochs=100000"]
    with start(tmp_path, *flags, slurm=True) as (first, second):
        assert any(line.startswith("epoch 1 ") for line in first.stdout)
        second.send_signal(signal.SIGTERM)
        lines = [error_line(process) for process in (first, second)]
    assert (first.returncode, second.returncode) == (130, 130)
    step = state_of(tmp_path / "0001-fashion")[0]
    assert lines[0] == lines[1]
    assert lines[0].startswith(f"fashion-gan: stopped at step {step}: continue with fashion-gan train --resume")


def test_processes_with_other_settings_are_refused_before_anything_is_written(start, tmp_path):
    with start(tmp_path / "runs", second_flags=("--seed", "1")) as (first, second):
        lines = [error_line(process) for process in (first, second)]
    text = "process 1 and process 0 must have the same seed: it is 1 in process 1 and 0 in process 0"
    assert lines[0] == f"fashion-gan: {text}"
    assert text in lines[1]
    assert first.returncode == 2
    assert second.returncode in (1, 2)  # It may be told of process 0's end before it ends by itself.
    assert not (tmp_path / "runs").exists()
