"""Whole runs: what they leave, how they stop, and that they go on as if they had never stopped."""

import dataclasses
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import TOY, TOY_FLAGS, as_users_run, command
from PIL import Image

import fashion_gan
from fashion_gan import launch, pictures
from fashion_gan import training as training_room
from fashion_gan.datasets import load_fashion_mnist
from fashion_gan.errors import InputError, TrainingDiverged
from fashion_gan.metrics import validation
from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.features import extract
from fashion_gan.runs import Run

TRAIN = ["train", "--preset", "fashion", *TOY_FLAGS]


def checkpoint_of(path):
    step, state = Run.open(path).load_checkpoint()
    return step, {name: value for name, value in state.items() if name != "seconds"}


def assert_equal_runs(left, right):
    (left_step, left_state), (right_step, right_state) = checkpoint_of(left), checkpoint_of(right)
    assert left_step == right_step
    assert left_state.keys() == right_state.keys()
    for name, value in left_state.items():
        assert np.array_equal(value, right_state[name]), name
    assert not_timed(left) == not_timed(right)


def not_timed(path):
    log = Run.open(path).read_log()
    return {name: log[name].tolist() for name in ("epoch", "step", "images", "d_loss", "g_loss", "d_real", "d_fake")}


def test_a_run_leaves_everything_its_users_look_for(toy_run):
    for name in (
        "config.json",
        "environment.json",
        "log.csv",
        "training_curve.png",
        "training.gif",
        "generator.keras",
        "generator.h5",
        *(f"samples/gan_generated_image_epoch_{epoch}.png" for epoch in (1, 2, 3)),
    ):
        assert (toy_run.path / name).stat().st_size > 0, name
    assert list((toy_run.path / "tensorboard").glob("events.out.tfevents.*"))
    assert toy_run.last_sample.name == "gan_generated_image_epoch_3.png"
    assert not list(toy_run.path.rglob(".writing-*"))
    assert Run.open(toy_run.path).config == toy_run.config
    assert toy_run.config.class_names == ("left", "right")


def test_the_log_has_a_row_at_each_epochs_end_with_means_that_are_probable(toy_run):
    log = toy_run.read_log()
    assert log["step"].tolist() == [5, 10, 15]
    assert log["epoch"].tolist() == [1, 2, 3]
    assert log["images"].tolist() == [40, 80, 120]
    assert np.isfinite(np.stack(list(log.values()))).all()
    for name in ("d_real", "d_fake"):
        assert ((log[name] > 0) & (log[name] < 1)).all()


def test_the_sample_grids_are_of_the_same_latents_and_the_film_shows_them_learning(toy_run):
    grids = [pictures.load_png(path) for path in sorted((toy_run.path / "samples").iterdir())]
    assert len({grid.shape for grid in grids}) == 1
    assert not np.array_equal(grids[0], grids[-1])
    assert np.array_equal(grids[-1], pictures.load_png(toy_run.last_sample))
    with Image.open(toy_run.path / "training.gif") as film:
        assert film.n_frames >= 3


def test_the_tensorboard_events_hold_the_logs_figures(toy_run):
    from tensorboardX.proto import event_pb2
    from tensorboardX.record_writer import RecordWriter  # noqa: F401  (the format's own package is what writes it)

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
    [({"steps": 7}, 7), ({"epochs": 2}, 10), ({"epochs": 2, "steps": 7}, 7), ({"epochs": 1, "steps": 7}, 5)],
)
def test_the_budget_that_ends_first_ends_the_run(toy_folder, tmp_path, settings, step):
    run = fashion_gan.train("fashion", data=toy_folder, out=tmp_path, **TOY, **settings)
    assert checkpoint_of(run.path)[0] == step


def test_a_budget_in_minutes_ends_the_run(toy_folder, tmp_path, monkeypatch):
    clock = iter(range(1, 1000))  # of a second for each execution, however long it takes
    monkeypatch.setattr("fashion_gan.callbacks.position.time", SimpleNamespace(perf_counter=lambda: next(clock)))
    run = fashion_gan.train("fashion", data=toy_folder, out=tmp_path, minutes=0.1, **TOY)
    assert run.read_log()["seconds"][-1] == 6


@pytest.mark.parametrize("stopped_at", [5, 8])
def test_a_resumed_run_equals_an_uninterrupted_one(toy_folder, tmp_path, stopped_at):
    """Bit for bit, at an epoch's end and in the middle of one; ``transposed`` has dropout and batch statistics."""
    settings = {"family": "transposed", "penalty": 0.2, "data": toy_folder, "deterministic": True, **TOY}
    whole = fashion_gan.train("fashion", out=tmp_path / "whole", steps=12, checkpoint_every=stopped_at, **settings)
    part = fashion_gan.train(
        "fashion", out=tmp_path / "part", steps=stopped_at, checkpoint_every=stopped_at, **settings
    )
    fashion_gan.resume(part.path, steps=12)
    left, right = checkpoint_of(whole.path), checkpoint_of(part.path)
    assert left[0] == right[0] == 12
    for name, value in left[1].items():
        assert np.array_equal(value, right[1][name]), name
    last = "gan_generated_image_epoch_3.png"
    assert (whole.path / "samples" / last).read_bytes() == (part.path / "samples" / last).read_bytes()


def rates_of(state):
    return {
        name.split("|")[1]: float(value)
        for name, value in state.items()
        if name.endswith("learning_rate") and "adam" in name
    }


def test_the_learning_rates_fall_to_zero_over_the_last_share_of_the_budget_also_after_a_cut_off(toy_folder, tmp_path):
    settings = {**TOY, "cooldown": 0.5, "learning_rate": 1e-3, "discriminator_learning_rate": 2e-3}
    run = fashion_gan.train(
        "fashion", data=toy_folder, out=tmp_path, steps=16, checkpoint_every=4, deterministic=True, **settings
    )
    middle, end = run.checkpoints()
    with np.load(middle) as at_12, np.load(end) as at_16:
        rates = rates_of(at_12), rates_of(at_16)
        assert sorted(rates[0].values()) == pytest.approx([0.5e-3, 1e-3], rel=0.03)
        assert max(rates[1].values()) < 0.3 * max(rates[0].values())
        expected = {name: at_16[name] for name in at_16.files if name != "seconds"}
    end.unlink()  # As if it had been cut off in between.
    fashion_gan.resume(run.path)
    _, found = checkpoint_of(run.path)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def started(flags, **keywords):
    return subprocess.Popen(
        [sys.executable, "-m", "fashion_gan", *map(str, flags)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **keywords,
    )


def wait_for(condition, process):
    for _ in range(2400):
        if condition():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("not in two minutes")


def newest_step(path):
    names = [file.stem for file in path.glob("0001-fashion/checkpoints/step-*.npz")]
    return max((int(name.removeprefix("step-")) for name in names), default=0)


def test_a_run_killed_with_sigkill_resumes_to_the_same_bits(toy_folder, tmp_path):
    flags = [*TRAIN, "--data", toy_folder, "--deterministic", "--checkpoint-every", "7", "--steps", "400"]
    whole = command(*flags, "--out", tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    killed = started([*flags, "--out", tmp_path / "killed"])
    wait_for(lambda: newest_step(tmp_path / "killed") >= 21, killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    path = tmp_path / "killed" / "0001-fashion"
    assert checkpoint_of(path)[0] < 400
    resumed = command("train", "--resume", path)
    assert resumed.returncode == 0, resumed.stderr
    assert_equal_runs(tmp_path / "whole" / "0001-fashion", path)


def test_a_run_killed_before_its_first_checkpoint_starts_again(toy_folder, tmp_path):
    run = fashion_gan.train("fashion", data=toy_folder, out=tmp_path, steps=6, deterministic=True, **TOY)
    expected = checkpoint_of(run.path)
    for path in run.checkpoints():
        path.unlink()
    fashion_gan.resume(run.path)
    step, state = checkpoint_of(run.path)
    assert step == 6
    assert all(np.array_equal(state[name], value) for name, value in expected[1].items())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_saves_then_ends_with_status_130(toy_folder, tmp_path, number):
    flags = ["--steps", "1000000", "--checkpoint-every", "1000000"]
    process = started([*TRAIN, *flags, "--data", toy_folder, "--out", tmp_path])
    wait_for(lambda: (tmp_path / "0001-fashion" / "log.csv").exists(), process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "--resume" in errors
    run = Run.open(tmp_path / "0001-fashion")
    step = run.load_checkpoint()[0]
    assert f"stopped at step {step}:" in errors
    assert step == run.read_log()["step"][-1]
    fashion_gan.resume(run.path, steps=step + 3)
    assert run.load_checkpoint()[0] == step + 3


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_good_checkpoint(toy_folder, tmp_path):
    settings = {**TOY, "learning_rate": 0.999, "loss": "wasserstein", "checkpoint_every": 1}
    with pytest.raises(TrainingDiverged, match="last good checkpoint is kept"):
        fashion_gan.train("fashion", data=toy_folder, out=tmp_path, epochs=10_000, penalty=1e6, **settings)
    _, state = checkpoint_of(tmp_path / "0001-fashion")
    assert all(np.isfinite(value).all() for value in state.values())


def test_a_diverged_run_ends_the_command_with_one_line(toy_folder, tmp_path):
    flags = ["--learning-rate", "0.999", "--loss", "wasserstein", "--penalty", "1e6", "--epochs", "10000"]
    done = command(*TRAIN, *flags, "--data", toy_folder, "--out", tmp_path)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("fashion-gan: ")]
    assert "finite" in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("first_to_fail", ["checkpoint", "log"])
def test_a_disk_that_fills_ends_the_run_with_one_line_and_the_earlier_checkpoint_loads(
    toy_folder, tmp_path, first_to_fail
):
    run = fashion_gan.train("fashion", data=toy_folder, out=tmp_path, steps=5, **TOY)
    before = run.load_checkpoint()
    limit = run.checkpoints()[-1].stat().st_size - 1000
    if first_to_fail == "log":
        limit = (run.path / "log.csv").stat().st_size + 10

    def fill_the_disk():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = command("train", "--resume", run.path, "--steps", "20", preexec_fn=fill_the_disk)
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("fashion-gan: ")]
    assert "cannot be written" in line
    assert "Traceback" not in done.stderr
    step, state = run.load_checkpoint()
    assert step == before[0]
    assert all(np.array_equal(state[name], value) for name, value in before[1].items())


def test_a_resume_of_another_architecture_is_refused(toy_folder, tmp_path, toy_run):
    with pytest.raises(InputError, match=r"family='residual' and cannot go on with 'dcgan'"):
        fashion_gan.resume(toy_run.path, family="dcgan")
    run = fashion_gan.train("fashion", data=toy_folder, out=tmp_path, steps=2, **TOY)
    text = (run.path / "config.json").read_text()
    (run.path / "config.json").write_text(text.replace('"width": 4', '"width": 5'))
    with pytest.raises(InputError, match="another architecture"):
        fashion_gan.resume(run.path, steps=4)


def test_a_resume_on_other_data_is_refused(toy_folder, tmp_path):
    run = fashion_gan.train("fashion", data=toy_folder, out=tmp_path, steps=2, **TOY)
    text = (run.path / "environment.json").read_text()
    (run.path / "environment.json").write_text(text.replace('"data_sha256": "', '"data_sha256": "0'))
    with pytest.raises(InputError, match="other data"):
        fashion_gan.resume(run.path, steps=4)


def test_a_batch_larger_than_the_data_is_refused(toy_folder, tmp_path):
    with pytest.raises(InputError, match="batch_size=41 is more than the 40 images"):
        fashion_gan.train("fashion", data=toy_folder, out=tmp_path, **{**TOY, "batch_size": 41})
    assert not list(tmp_path.iterdir())


def test_conditional_training_without_classes_is_refused(toy_folder, tmp_path):
    with pytest.raises(InputError, match="two classes"):
        fashion_gan.train("fashion", data=toy_folder / "left", out=tmp_path, **TOY)


def test_one_real_minute_on_fashion_mnist_moves_pixels_and_discriminator_the_right_way(tmp_path):
    """Afterwards generated pixels are spread as real ones are, and the discriminator knows real from noise.

    The minute is counted in steps, 900 of 32 images, so that a slow or busy machine learns as much in a longer one.
    """
    from fashion_gan.training import build_gan

    run = fashion_gan.train("fashion", steps=900, out=tmp_path)
    test = load_fashion_mnist("test")
    real = test.images[:1000]
    untrained = build_gan(run.config).generator
    before = fashion_gan.Generator(lambda x: np.asarray(untrained(x)), 100, run.config.class_names).generate(1000)
    gan = fashion_gan.load_gan(run.path)
    after = fashion_gan.load_generator(run.path).generate(1000)

    def distance(images):
        """How far the mean picture, and the deviation of each pixel, are from the real ones', in grey levels."""
        return sum(
            np.abs(statistic(images.astype(float), axis=0) - statistic(real.astype(float), axis=0)).mean()
            for statistic in (np.mean, np.std)
        )

    assert distance(after) < 0.4 * distance(before)
    assert abs(after.mean() - real.mean()) < 25
    labels = np.arange(1000, dtype=np.int32) % 10
    on_real, on_fake, on_noise = (
        gan.realism(images, classes)
        for images, classes in ((real, test.labels[:1000]), (after, labels), (before, labels))
    )
    # It has learnt what is real, unseen images included; and the trained generator fools it where noise does not.
    assert (np.mean(on_real > 0.5) + np.mean(on_noise < 0.5)) / 2 > 0.8
    assert on_noise.mean() < on_fake.mean() < on_real.mean() + 0.1


def test_a_run_that_another_process_trains_is_refused(toy_folder, tmp_path):
    run = fashion_gan.train("fashion", data=toy_folder, out=tmp_path, steps=2, **TOY)
    with run.locked():
        done = command("train", "--resume", run.path, "--steps", "4")
    assert done.returncode == 2
    assert "another process" in done.stderr


OTHER_BACKENDS = os.environ.get("FASHION_GAN_TEST_BACKENDS", "tensorflow jax").split()[1:]


@pytest.mark.parametrize("backend", OTHER_BACKENDS)
def test_other_backends_train_stop_and_resume_as_if_uninterrupted(toy_folder, tmp_path, backend):
    """From the middle of an epoch, so that the state within one has to be found where the backend keeps it."""
    flags = [
        *TRAIN,
        "--family",
        "transposed",
        "--data",
        toy_folder,
        "--backend",
        backend,
        "--checkpoint-every",
        "8",
        "--augment",
    ]
    for arguments in (
        [*flags, "--steps", "12", "--out", tmp_path / "whole"],
        [*flags, "--steps", "8", "--out", tmp_path / "part"],
        ["train", "--resume", tmp_path / "part" / "0001-fashion", "--steps", "12"],
    ):
        done = command(*arguments, env=as_users_run())
        assert done.returncode == 0, done.stderr
    assert_equal_runs(tmp_path / "whole" / "0001-fashion", tmp_path / "part" / "0001-fashion")


@pytest.mark.parametrize("backend", OTHER_BACKENDS)
def test_a_start_from_trained_weights_trains_on_the_other_backends_too(toy_run, toy_folder, backend, tmp_path):
    start = ["--start-from", toy_run.path, "--data", toy_folder]
    done = command(
        "train", "--preset", "fashion", "--backend", backend, "--steps", "2", "--out", tmp_path, *start, *TOY_FLAGS
    )
    assert done.returncode == 0, done.stderr
    assert Run.open(tmp_path / "0001-fashion").read_log()["step"][-1] == 2


# ---- Quick scores during training ----

# At batches of 5,000 even deterministic TensorFlow (2.21) differs in the last bits from run to run; at 500 it does not.
SCORED = {"cooldown": 0.0, "width": 2, "latent_dim": 4, "batch_size": 500, "evaluate_every": 1, "deterministic": True}
STEPS = 14  # an epoch, of the 7,000 images that are left of these when 5,000 are held out


def part_of_fashion_mnist(*unused):
    train = load_fashion_mnist("train")
    return dataclasses.replace(train, images=train.images[:12_000], labels=train.labels[:12_000])


@pytest.fixture
def few_images(monkeypatch):
    """Train on a part of Fashion-MNIST, in seconds."""
    monkeypatch.setattr(launch, "load_training_images", part_of_fashion_mnist)


@pytest.fixture(scope="module")
def scored_runs(tmp_path_factory):
    """A tiny network's runs of one epoch and of two, scored after each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "load_training_images", part_of_fashion_mnist)
        return [
            fashion_gan.train("fashion", epochs=epochs, out=tmp_path_factory.mktemp("scored"), **SCORED)
            for epochs in (1, 2)
        ]


@pytest.fixture
def shorter_run(scored_runs, tmp_path):
    return Run.open(shutil.copytree(scored_runs[0].path, tmp_path / "shorter"))


@pytest.fixture
def scored_run(scored_runs):
    return scored_runs[1]


def test_a_scored_run_keeps_and_names_its_best_checkpoint(scored_run):
    rows = scored_run.read_metrics()
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(0 < row["ffd5k_validation"] < 2000 for row in rows)
    best = min(rows, key=lambda row: row["ffd5k_validation"])
    step, state = scored_run.load_best()
    assert step == best["step"]
    assert [row["best"] for row in rows] == [True, rows[1]["ffd5k_validation"] <= rows[0]["ffd5k_validation"]]
    assert "seconds" in state
    chosen = fashion_gan.load_generator(scored_run.path, best=True).generate(3)
    kept = fashion_gan.load_generator(scored_run.path / "generator_best.keras").generate(3)
    np.testing.assert_array_equal(chosen, kept)


def test_both_networks_of_the_best_checkpoint_are_read(scored_run, tmp_path):
    run = Run.open(shutil.copytree(scored_run.path, tmp_path / "run"))
    step, newest = run.load_checkpoint()
    run.save_best(step, 0.0, {name: value + 1 for name, value in newest.items()})
    old, new = (fashion_gan.load_gan(run.path, best=best) for best in (False, True))
    for network in ("generator", "averaged_generator", "discriminator"):
        for before, after in zip(*(getattr(gan, network).variables for gan in (old, new)), strict=True):
            if network != "averaged_generator" or "moving" not in before.path:  # Of the average, those are worked out.
                np.testing.assert_array_equal(after, np.array(before) + 1)
    with pytest.raises(InputError, match="best checkpoints are in a run's folder, and fashion is none"):
        fashion_gan.load_gan("fashion", best=True)


def test_a_scored_run_trains_on_what_it_does_not_score_by(scored_run):
    assert checkpoint_of(scored_run.path)[0] == 2 * STEPS
    train = load_fashion_mnist("train")
    chosen = validation.held_out(train.labels)
    assert np.bincount(train.labels[chosen]).tolist() == [500] * 10
    trained_on, scored_by = training_room._hold_out(scored_run.config, train)
    np.testing.assert_array_equal(scored_by, train.images[chosen])
    np.testing.assert_array_equal(trained_on.images, train.images[~chosen])
    np.testing.assert_array_equal(trained_on.labels, train.labels[~chosen])


def test_the_quick_score_is_the_frechet_distance_to_the_held_out_images(scored_run):
    train = part_of_fashion_mnist()
    held_out = train.images[validation.held_out(train.labels)]
    step, _ = scored_run.load_best()
    images = fashion_gan.load_generator(scored_run.path, best=True).generate(5000, seed=scored_run.config.seed)
    expected = frechet_distance(*(gaussian(extract(one).vectors) for one in (held_out, images)))
    row = next(row for row in scored_run.read_metrics() if row["step"] == step)
    assert row["ffd5k_validation"] == pytest.approx(expected, rel=1e-6)


def test_what_the_quick_score_knows_of_its_images_is_kept_for_the_next_run(tmp_path, monkeypatch):
    real, generated = np.random.default_rng(0).integers(0, 256, (2, 200, 28, 28, 1), np.uint8)
    expected = validation.Validation(real).score(generated)
    assert validation.Validation(real, tmp_path).score(generated) == expected
    assert validation.Validation(generated, tmp_path).score(generated) < expected / 100  # other images, kept apart
    monkeypatch.setattr(validation.Validation, "_worked_out", None)
    assert validation.Validation(real, tmp_path).score(generated) == expected


def test_a_resumed_run_has_the_scores_of_an_uninterrupted_one(scored_run, shorter_run, few_images):
    # As if it had been killed between the next score and the next checkpoint.
    shorter_run.append_metrics({"epoch": 2, "step": 2 * STEPS, "ffd5k_validation": 0.001, "best": True})
    resumed = fashion_gan.resume(shorter_run.path, epochs=2)
    scores = [[row["ffd5k_validation"] for row in one.read_metrics()] for one in (resumed, scored_run)]
    assert scores[0] == scores[1]
    assert resumed.load_best()[0] == scored_run.load_best()[0]
    assert_equal_runs(resumed.path, scored_run.path)


def test_a_run_that_was_cut_off_before_its_score_is_scored_when_it_goes_on(scored_run, shorter_run, few_images):
    (shorter_run.path / "metrics.jsonl").write_text('{"epoch": 1, "st')
    (shorter_run.path / "checkpoints" / "best.npz").unlink()
    resumed = fashion_gan.resume(shorter_run.path, steps=STEPS + 3)
    first, last = resumed.read_metrics()
    assert first["ffd5k_validation"] == scored_run.read_metrics()[0]["ffd5k_validation"]
    assert last["step"] == STEPS + 3  # A run whose budget ends within an epoch is scored at its end too.


def test_a_batch_larger_than_what_is_left_to_train_on_is_refused(tmp_path):
    with pytest.raises(InputError, match="more than the 55000 images"):
        fashion_gan.train("fashion", out=tmp_path, **{**SCORED, "batch_size": 58_000})


def test_scores_are_for_fashion_mnist_at_its_own_size(toy_folder, tmp_path):
    with pytest.raises(InputError, match="evaluate_every scores 28×28"):
        fashion_gan.train("fashion", data=toy_folder, out=tmp_path, evaluate_every=1, **TOY)
    assert not list(tmp_path.iterdir())
