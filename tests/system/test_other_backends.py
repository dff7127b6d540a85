"""Whole runs on the other backends: they resume as if uninterrupted, and start from trained weights."""

import shutil

import jobs
import pytest
from processes import BACKENDS, as_users_run, command_in_a_process
from run_states import assert_equal_runs, state_of
from toys import TRAIN_FLAGS

from fashion_gan.runs import Run

OTHER_BACKENDS = BACKENDS[1:]


@pytest.mark.parametrize("backend", OTHER_BACKENDS)
def test_other_backends_resume_as_if_uninterrupted(few_pictures, tmp_path, backend, worker):
    """In the middle of an epoch, whose state is where the backend keeps it. Held-out pictures steer augmentation."""
    settings = {"architecture": "transposed", "backend": backend, "checkpoint_every_steps": 12, "augment": True}
    settings |= {"data": few_pictures / "letters", "conditional": False, "evaluate_every_epochs": 5}
    run = worker(backend).run
    whole = run(jobs.train, out=tmp_path / "whole", steps=20, **settings)
    part = run(jobs.train, out=tmp_path / "part", steps=12, **settings)
    run(jobs.resume, part, steps=20)
    assert_equal_runs(whole, part)
    means = [value for name, value in state_of(whole)[1].items() if "|augmentation/mean_" in name]
    assert len(means) == 3
    assert all(means)


@pytest.mark.full
@pytest.mark.parametrize("backend", OTHER_BACKENDS)
def test_other_backends_resume_as_if_uninterrupted_as_users_run_them(toy_folder, tmp_path, backend):
    """Each command in its own process, which compiles with all optimizations and reads nothing compiled before.

    The second one continues a copy whose last checkpoint is that of step 8, as if the first had been killed.
    """

    def succeed(*arguments):
        done = command_in_a_process(*arguments, env=as_users_run())
        assert done.returncode == 0, done.stderr

    flags = ["--architecture", "transposed", "--backend", backend, "--checkpoint-every-steps", "8", "--augment"]
    succeed(*TRAIN_FLAGS, *flags, "--data", toy_folder, "--steps", "12", "--out", tmp_path)
    whole = Run.open(tmp_path / "0001-fashion")
    part = Run.open(shutil.copytree(whole.path, tmp_path / "part"))
    part.checkpoint_paths()[-1].unlink()
    assert part.load_checkpoint()[0] == 8
    succeed("train", "--resume", part.path)
    assert_equal_runs(whole.path, part.path)


@pytest.mark.full
@pytest.mark.parametrize("backend", OTHER_BACKENDS)
def test_training_starts_from_trained_weights_on_the_other_backends(toy_run, toy_folder, tmp_path, backend, worker):
    settings = {"init_from": toy_run.path, "data": toy_folder, "backend": backend}
    path = worker(backend).run(jobs.train, out=tmp_path, steps=2, **settings)
    assert Run.open(path).read_log()["step"][-1] == 2
