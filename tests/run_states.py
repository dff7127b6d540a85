"""What a run's folder holds of its training, and that two runs hold the same."""

import re

import numpy as np

import fashion_gan
from fashion_gan.runs import Run


def state_of(path):
    """Return the step and the state of a run's newest checkpoint, without its time."""
    step, state = Run.open(path).load_checkpoint()
    return step, {name: value for name, value in state.items() if name != "seconds"}


def log_of(path):
    """Return a run's log without its times."""
    log = Run.open(path).read_log()
    return {name: log[name].tolist() for name in ("epoch", "step", "images", "d_loss", "g_loss", "d_real", "d_fake")}


def assert_equal_states(left, right):
    """Check that two checkpoints, as ``state_of`` returns them, are equal bit for bit."""
    assert left[0] == right[0]
    assert left[1].keys() == right[1].keys()
    for name, value in left[1].items():
        np.testing.assert_array_equal(value, right[1][name], err_msg=name)


def assert_equal_runs(left, right):
    """Check that the checkpoints and the logs of two runs are equal bit for bit."""
    assert_equal_states(state_of(left), state_of(right))
    assert log_of(left) == log_of(right)


def assert_interrupted(done, path):
    """Check that an interrupted command has saved its run, has said so, and that the run resumes."""
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert "--resume" in done.stderr
    run = Run.open(path)
    step = run.load_checkpoint()[0]
    assert int(re.search(r"stopped at step (\d+):", done.stderr).group(1)) == step
    assert step == run.read_log()["step"][-1]
    fashion_gan.resume(run.path, steps=step + 3)
    assert run.load_checkpoint()[0] == step + 3
