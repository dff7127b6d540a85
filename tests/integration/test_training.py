"""Whole runs of toy networks: what they write, when they end, and that they resume as if uninterrupted."""

import json
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from hooks import after_each_execution
from PIL import Image
from processes import command, refused
from run_states import assert_equal_states, assert_interrupted, state_of
from toys import TOY, TRAIN_FLAGS

import fashion_gan
from fashion_gan.api.train import plan_resume
from fashion_gan.errors import InputError, TrainingDiverged
from fashion_gan.rendering import images, plots
from fashion_gan.runs import Run

TRAINING_STATE = "fashion_gan.training.callbacks.training_state"


@pytest.fixture
def train_toy(toy_folder, tmp_path):
    """Return a function that trains a run on the toy pictures."""

    def train_run(**settings) -> Run:
        return fashion_gan.train("fashion", **{"data": toy_folder, "out": tmp_path, **TOY, **settings})

    return train_run


def test_a_run_writes_every_file_that_users_look_for(toy_run):
    for name in (
        "config.json",
        "environment.json",
        "log.csv",
        "training_curve.png",
        "training.gif",
        "generator.keras",
        "generator.h5",
        "generator.onnx",
        *(f"samples/gan_generated_image_epoch_{epoch}.png" for epoch in (1, 2, 3)),
    ):
        assert (toy_run.path / name).stat().st_size > 0, name
    assert list((toy_run.path / "tensorboard").glob("events.out.tfevents.*"))
    assert toy_run.last_sample.name == "gan_generated_image_epoch_3.png"
    assert not list(toy_run.path.rglob(".writing-*"))
    assert toy_run.config.class_names == ("left", "right")


def test_the_log_has_a_plausible_row_for_each_epoch(toy_run):
    log = toy_run.read_log()
    assert log["step"].tolist() == [5, 10, 15]
    assert log["epoch"].tolist() == [1, 2, 3]
    assert log["images"].tolist() == [40, 80, 120]
    assert np.isfinite(np.stack(list(log.values()))).all()
    for name in ("d_real", "d_fake"):
        assert ((log[name] > 0) & (log[name] < 1)).all()


def test_the_sample_grids_show_the_same_latents_and_the_film_shows_the_progress(toy_run):
    grids = [images.load_png(path) for path in sorted((toy_run.path / "samples").iterdir())]
    assert len({grid.shape for grid in grids}) == 1
    assert not np.array_equal(grids[0], grids[-1])
    assert np.array_equal(grids[-1], images.load_png(toy_run.last_sample))
    with Image.open(toy_run.path / "training.gif") as film:
        assert film.n_frames >= 3


def test_the_tensorboard_events_hold_the_values_of_the_log(toy_run):
    from tensorboardX.proto import event_pb2
    from tensorboardX.record_writer import RecordWriter  # noqa: F401  (the package that writes the format)

    (path,) = (toy_run.path / "tensorboard").glob("events.out.tfevents.*")
    data, values = path.read_bytes(), {}
    while data:
        length = int.from_bytes(data[:8], "little")
        event = event_pb2.Event.FromString(data[12 : 12 + length])
        data = data[16 + length :]
        for value in event.summary.value:
            values.setdefault(value.tag, []).append((event.step, value.simple_value))
    log = toy_run.read_log()
    assert values["g_loss"] == [
        (step, pytest.approx(loss)) for step, loss in zip(log["step"], log["g_loss"], strict=True)
    ]


@pytest.mark.parametrize(
    ("settings", "step"),
    [
        pytest.param({"steps": 7}, 7, marks=pytest.mark.full),
        pytest.param({"epochs": 2}, 10, marks=pytest.mark.full),
        ({"epochs": 2, "steps": 7}, 7),
        ({"epochs": 1, "steps": 7}, 5),
    ],
)
def test_the_budget_that_ends_first_ends_the_run(train_toy, settings, step):
    run = train_toy(**settings)
    assert state_of(run.path)[0] == step
    assert Run.open(run.path).config == run.config


def test_a_budget_in_minutes_ends_the_run(train_toy, monkeypatch):
    clock = iter(range(1, 1000))  # Each execution takes one second, whatever the machine.
    monkeypatch.setattr(f"{TRAINING_STATE}.time", SimpleNamespace(perf_counter=lambda: next(clock)))
    assert train_toy(minutes=0.1).read_log()["seconds"][-1] == 6


@pytest.mark.parametrize("stopped_at", [pytest.param(5, marks=pytest.mark.full), 8])
def test_a_resumed_run_equals_an_uninterrupted_one(train_toy, tmp_path, stopped_at):
    """Bit for bit, at an epoch's end and in the middle of one; ``transposed`` has dropout and batch statistics."""
    settings = {"architecture": "transposed", "r1_weight": 0.2, "deterministic": True}
    settings["checkpoint_every_steps"] = stopped_at
    whole = train_toy(out=tmp_path / "whole", steps=12, **settings)
    part = train_toy(out=tmp_path / "part", steps=stopped_at, **settings)
    fashion_gan.resume(part.path, steps=12)
    assert_equal_states(state_of(whole.path), state_of(part.path))
    assert state_of(whole.path)[0] == 12
    last = "gan_generated_image_epoch_3.png"
    assert (whole.path / "samples" / last).read_bytes() == (part.path / "samples" / last).read_bytes()


def learning_rates(state):
    return [float(value) for name, value in state.items() if name.endswith("learning_rate") and "adam" in name]


def test_the_learning_rates_decay_to_zero_at_the_end_of_the_budget_also_after_an_interruption(train_toy):
    run = train_toy(
        steps=16,
        checkpoint_every_steps=4,
        deterministic=True,
        decay_fraction=0.5,
        learning_rate=1e-3,
        discriminator_learning_rate=2e-3,
    )
    middle, end = run.checkpoint_paths()
    with np.load(middle) as at_12, np.load(end) as at_16:
        assert sorted(learning_rates(at_12)) == pytest.approx([0.5e-3, 1e-3], rel=0.03)
        assert max(learning_rates(at_16)) < 0.3 * max(learning_rates(at_12))
    expected = state_of(run.path)
    end.unlink()  # As if the run had been interrupted between the two checkpoints.
    fashion_gan.resume(run.path)
    assert_equal_states(state_of(run.path), expected)


def test_a_run_killed_before_its_first_checkpoint_starts_again(train_toy):
    run = train_toy(steps=6, deterministic=True)
    expected = state_of(run.path)
    for path in run.checkpoint_paths():
        path.unlink()
    fashion_gan.resume(run.path)
    assert state_of(run.path)[0] == 6
    assert_equal_states(state_of(run.path), expected)


def test_pictures_that_fail_are_told_in_a_line_each_and_the_generators_are_written(
    toy_run, tmp_path, monkeypatch, capsys
):
    """The run's end failed, as in 0.1.0: its steps are done, and the generators are missing. It is resumed."""
    run = Run.open(shutil.copytree(toy_run.path, tmp_path / "run"))
    for path in (run.generator_path, run.h5_generator_path, run.film_path):
        path.unlink()
    run.frame_paths()[0].write_bytes(b"damaged")

    def fail(log, path):
        raise RuntimeError("latex was not found\nby Matplotlib")

    monkeypatch.setattr(plots, "training_curve", fail)
    fashion_gan.resume(run.path)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("fashion-gan: ")]
    assert lines[0] == "fashion-gan: training_curve.png was not written: latex was not found by Matplotlib"
    assert lines[1].startswith("fashion-gan: training.gif was not written: ")
    assert str(run.frame_paths()[0]) in lines[1]
    assert len(lines) == 2
    images = [fashion_gan.load_generator(path).generate(4) for path in (run.generator_path, toy_run.generator_path)]
    assert np.array_equal(*images)


def test_a_thread_trains_as_the_main_thread_does(train_toy):
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(train_toy, steps=2).result()
    assert run.generator_path.exists()


def test_ctrl_c_saves_the_run_and_ends_the_command_with_status_130(toy_folder, tmp_path):
    def press_ctrl_c(gan):
        if int(gan.step.value) == 10:
            signal.raise_signal(signal.SIGINT)

    with after_each_execution(press_ctrl_c):
        done = command(*TRAIN_FLAGS, "--steps", "1000", "--data", toy_folder, "--out", tmp_path)
    assert_interrupted(done, tmp_path / "0001-fashion")


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_good_checkpoint(train_toy, tmp_path):
    settings = {"learning_rate": 0.999, "loss": "wasserstein", "r1_weight": 1e6, "checkpoint_every_steps": 1}
    with pytest.raises(TrainingDiverged, match="last good checkpoint is kept"):
        train_toy(epochs=10_000, **settings)
    _, state = state_of(tmp_path / "0001-fashion")
    assert all(np.isfinite(value).all() for value in state.values())


def test_a_diverged_run_ends_the_command_with_one_line(toy_folder, tmp_path):
    flags = ["--learning-rate", "0.999", "--loss", "wasserstein", "--r1-weight", "1e6", "--epochs", "10000"]
    done = command(*TRAIN_FLAGS, *flags, "--data", toy_folder, "--out", tmp_path)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("fashion-gan: ")]
    assert "finite" in line
    assert "Traceback" not in done.stderr


def test_a_run_does_not_resume_with_another_architecture(train_toy, toy_run):
    with pytest.raises(InputError, match=r"architecture='residual' and cannot continue with 'dcgan'"):
        fashion_gan.resume(toy_run.path, architecture="dcgan")
    run = train_toy(steps=2)
    text = (run.path / "config.json").read_text()
    (run.path / "config.json").write_text(text.replace('"base_channels": 4', '"base_channels": 5'))
    with pytest.raises(InputError, match="does not match the architecture"):
        fashion_gan.resume(run.path, steps=4)


def test_a_run_does_not_resume_on_other_data(toy_run, tmp_path):
    run = Run.open(shutil.copytree(toy_run.path, tmp_path / "run"))
    environment = json.loads((run.path / "environment.json").read_text())
    environment["data_sha256"] = "0" * 64
    (run.path / "environment.json").write_text(json.dumps(environment))
    with pytest.raises(InputError, match="was not trained on the data from"):
        fashion_gan.resume(run.path, steps=20)


def test_a_run_whose_data_moved_names_the_option_for_their_new_place(toy_run, toy_folder, tmp_path, capsys):
    path = shutil.copytree(toy_run.path, tmp_path / "run")
    config = path / "config.json"
    config.write_text(config.read_text().replace(json.dumps(str(toy_folder)), json.dumps(str(tmp_path / "gone"))))
    line = refused(capsys, "train", "--resume", path)
    assert f"was trained on {tmp_path / 'gone'}, which is no longer there" in line
    assert "name its new place with data (--data)" in line
    assert plan_resume(path, data=toy_folder)[0].config.data == str(toy_folder)


def test_two_processes_do_not_train_the_same_run(toy_run, tmp_path):
    run = Run.open(shutil.copytree(toy_run.path, tmp_path / "run"))
    with run.locked():
        done = command("train", "--resume", run.path, "--steps", "20")
    assert done.returncode == 2
    assert "another process" in done.stderr


def test_a_batch_larger_than_the_data_is_refused(train_toy, tmp_path):
    with pytest.raises(InputError, match="batch_size=41 is more than the 40 training images"):
        train_toy(batch_size=41)
    assert not list(tmp_path.iterdir())


def test_conditional_training_without_classes_is_refused(train_toy, toy_folder):
    with pytest.raises(InputError, match="two classes"):
        train_toy(data=toy_folder / "left")


def test_a_batch_larger_than_the_images_that_are_not_held_out_is_refused(tmp_path):
    with pytest.raises(InputError, match="more than the 55000 training images"):
        fashion_gan.train("fashion", out=tmp_path, batch_size=58_000, evaluate_every_epochs=1)
