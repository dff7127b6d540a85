"""Whole runs in processes that are killed or interrupted, whose disk fills, or that train on Fashion-MNIST."""

import contextlib
import resource
import shutil
import signal
import subprocess
import sys
import time

import hooks
import numpy as np
import pytest
from processes import command, command_in_a_process, start_command
from run_states import assert_equal_runs, assert_interrupted, state_of
from toys import TRAIN_FLAGS

import fashion_gan
from fashion_gan.datasets import load_fashion_mnist
from fashion_gan.runs import Run
from fashion_gan.training.build import build_gan


def wait_for(condition, process):
    for _ in range(2400):
        if condition():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("not in two minutes")


def newest_step(path):
    names = [file.stem for file in path.glob("checkpoints/step-*.npz")]
    return max((int(name.removeprefix("step-")) for name in names), default=0)


def test_a_run_killed_with_sigkill_resumes_to_the_same_bits(toy_folder, tmp_path):
    """The process is killed while it waits after step 25, whose last checkpoint is that of step 21."""
    flags = [*TRAIN_FLAGS, "--data", toy_folder, "--deterministic", "--checkpoint-every-steps", "7", "--steps", "32"]
    whole, path = tmp_path / "whole" / "0001-fashion", tmp_path / "killed" / "0001-fashion"
    words = [sys.executable, hooks.__file__, "25", *map(str, flags), "--out", str(tmp_path / "killed")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as killed:
        assert "paused\n" in killed.stdout
        killed.kill()
    assert killed.returncode == -signal.SIGKILL
    assert newest_step(path) == 21
    assert command(*flags, "--out", tmp_path / "whole").returncode == 0
    assert command("train", "--resume", path).returncode == 0
    assert_equal_runs(whole, path)


@pytest.mark.full
def test_a_run_killed_with_sigkill_while_it_trains_resumes_to_the_same_bits(toy_folder, tmp_path):
    flags = [*TRAIN_FLAGS, "--data", toy_folder, "--deterministic", "--checkpoint-every-steps", "7", "--steps", "200"]
    whole, path = tmp_path / "whole" / "0001-fashion", tmp_path / "killed" / "0001-fashion"
    killed = start_command(*flags, "--out", tmp_path / "killed")
    wait_for(lambda: newest_step(path) >= 21, killed)
    killed.kill()
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert state_of(path)[0] < 200
    assert command(*flags, "--out", tmp_path / "whole").returncode == 0
    done = command_in_a_process("train", "--resume", path)
    assert done.returncode == 0, done.stderr
    assert_equal_runs(whole, path)


# tests/integration/test_training.py raises SIGINT in its own process.
@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_the_run_and_ends_the_command_with_status_130(toy_folder, tmp_path, number):
    flags = ["--steps", "1000000", "--checkpoint-every-steps", "1000000"]
    process = start_command(*TRAIN_FLAGS, *flags, "--data", toy_folder, "--out", tmp_path)
    wait_for((tmp_path / "0001-fashion" / "log.csv").exists, process)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    done = subprocess.CompletedProcess(process.args, process.returncode, output, errors)
    assert_interrupted(done, tmp_path / "0001-fashion")


@contextlib.contextmanager
def largest_file(size):
    """Let this process write no file beyond a size, as if the disk were full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("first_to_fail", ["checkpoint", "log"])
def test_a_full_disk_ends_the_run_with_one_line_and_the_earlier_checkpoint_loads(toy_run, tmp_path, first_to_fail):
    run = Run.open(shutil.copytree(toy_run.path, tmp_path / "run"))
    before = run.load_checkpoint()
    size = run.checkpoint_paths()[-1].stat().st_size - 1000
    if first_to_fail == "log":
        log = run.path / "log.csv"
        # Repeated rows make it larger than all other files that a resumed run writes first.
        log.write_text(log.read_text() + 200 * log.read_text().splitlines(keepends=True)[-1])
        size = log.stat().st_size + 10
    with largest_file(size):
        done = command("train", "--resume", run.path, "--steps", "30")
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("fashion-gan: ")]
    name = "log.csv" if first_to_fail == "log" else "step-000000020.npz"
    assert f"{name}: File too large" in line
    assert "its last checkpoint is complete: free some space" in line
    assert "Traceback" not in done.stderr
    step, state = run.load_checkpoint()
    assert step == before[0]
    assert all(np.array_equal(state[name], value) for name, value in before[1].items())


# ---- Fashion-MNIST ----


@pytest.mark.full
@pytest.mark.timeout(900)
def test_half_a_minute_on_fashion_mnist_improves_the_images_and_the_discriminator(tmp_path):
    """Afterwards generated pixels are distributed more like real ones, and the discriminator separates real from noise.

    The time is counted in steps, 450 of 32 images, so that a slow machine learns as much in a longer time.
    """
    run = fashion_gan.train("fashion", steps=450, out=tmp_path)
    test = load_fashion_mnist("test")
    real = test.images[:1000]
    untrained = build_gan(run.config).generator
    before = fashion_gan.Generator(lambda x: np.asarray(untrained(x)), 100, run.config.class_names).generate(1000)
    gan = fashion_gan.load_gan(run.path)
    after = fashion_gan.load_generator(run.path).generate(1000)

    def distance(images):
        """Return the mean difference from real images, in gray levels, of each pixel's mean plus of its deviation."""
        return sum(
            np.abs(statistic(images.astype(float), axis=0) - statistic(real.astype(float), axis=0)).mean()
            for statistic in (np.mean, np.std)
        )

    assert distance(after) < 0.4 * distance(before)
    assert abs(after.mean() - real.mean()) < 25
    labels = np.arange(1000, dtype=np.int32) % 10
    on_real, on_generated, on_noise = (
        gan.probability_real(images, classes)
        for images, classes in ((real, test.labels[:1000]), (after, labels), (before, labels))
    )
    # It recognizes real images that it has not seen, and the trained generator fools it where noise does not.
    assert (np.mean(on_real > 0.5) + np.mean(on_noise < 0.5)) / 2 > 0.8
    assert on_noise.mean() < on_generated.mean() < on_real.mean() + 0.1
