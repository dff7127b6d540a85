"""Several training steps as one computation on JAX, as on a GPU. Here JAX's CPU counts as an accelerator."""

import jobs
import numpy as np
import pytest
from processes import BACKENDS
from run_states import assert_equal_runs, state_of

from fashion_gan.training.batches import choose_steps_per_execution

pytestmark = pytest.mark.skipif("jax" not in BACKENDS, reason="FASHION_GAN_TEST_BACKENDS does not name JAX")
# With batches of 5, an epoch of the toy pictures has 8 steps.
SETTINGS = {"backend": "jax", "batch_size": 5, "checkpoint_every_steps": 4}


@pytest.fixture(scope="module")
def count_executions(worker, toy_folder):
    """Return a function that trains in JAX's worker, and returns the run's folder and the steps of each execution."""

    def count(**settings):
        return worker("jax").run(jobs.count_executions, **{"data": toy_folder, **SETTINGS, **settings})

    return count


@pytest.fixture(scope="module")
def multi_step_run(made_once, count_executions):
    """A run of twelve steps on an accelerator, which end in the middle of the second epoch."""

    def make(folder):
        _, executions = count_executions(accelerator="a card", out=folder, steps=12)
        assert executions == [4, 4, 4]

    return made_once("multi_step", make) / "0001-fashion"


def test_multiple_steps_give_what_single_steps_give(multi_step_run, count_executions, tmp_path):
    path, executions = count_executions(accelerator=None, out=tmp_path, steps=12)
    assert executions == [1] * 12
    multiple, single = state_of(multi_step_run)[1], state_of(path)[1]
    assert multiple.keys() == single.keys()
    for name in multiple:
        np.testing.assert_allclose(multiple[name], single[name], rtol=1e-3, atol=1e-4, err_msg=name)


def test_a_run_of_multiple_steps_resumes_as_if_uninterrupted(multi_step_run, count_executions, tmp_path, worker):
    path, _ = count_executions(accelerator="a card", out=tmp_path, steps=4)
    _, executions = worker("jax").run(jobs.count_executions, accelerator="a card", run=path, steps=12)
    assert executions == [4, 4]
    assert_equal_runs(multi_step_run, path)


@pytest.mark.full
def test_multiple_steps_give_what_single_steps_give_with_held_out_pictures(count_executions, few_pictures, tmp_path):
    settings = {"data": few_pictures / "letters", "conditional": False, "augment": True, "evaluate_every_epochs": 5}
    settings |= {"batch_size": 17, "steps": 20, "checkpoint_every_steps": 10}  # An epoch has ten steps.
    states = []
    for accelerator, expected in (("a card", [10, 10]), (None, [1] * 20)):
        path, executions = count_executions(accelerator=accelerator, out=tmp_path / str(accelerator), **settings)
        assert executions == expected
        states.append(state_of(path)[1])
    multiple, single = states
    for name in multiple:
        np.testing.assert_allclose(multiple[name], single[name], rtol=1e-3, atol=1e-4, err_msg=name)
    assert any("|augmentation/mean_" in name for name in multiple)


def test_jax_on_a_cpu_takes_single_steps(worker):
    # There XLA needs longer for steps in a scan than for the same steps one by one.
    assert worker("jax").run(jobs.steps_per_execution, 100) == 1
    assert choose_steps_per_execution(100) == 10


@pytest.mark.full
def test_plain_batches_train_by_multiple_steps_too(worker):
    assert worker("jax").run(jobs.fit_plain_batches) == 12
