"""Training with evaluate_every_epochs: held-out images, scores, and the best checkpoint."""

import dataclasses
import shutil

import numpy as np
import pytest
from run_states import assert_equal_runs, state_of

import fashion_gan
from fashion_gan.api import train as api_train
from fashion_gan.datasets import load_fashion_mnist
from fashion_gan.errors import InputError
from fashion_gan.metrics import validation
from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.features import extract
from fashion_gan.runs import Run
from fashion_gan.training import data as training_data
from fashion_gan.training.data import split_validation

# With batches of 5,000, even deterministic TensorFlow (2.21) differs in the last bits between runs. With 500 it
# does not.
SCORED = {
    "decay_fraction": 0.0,
    "base_channels": 2,
    "latent_dim": 4,
    "batch_size": 500,
    "evaluate_every_epochs": 1,
    "deterministic": True,
}


@pytest.fixture(scope="module", autouse=True)
def held_out_count(full):
    """Hold out 5,000 images, or 500 in `make test`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "COUNT", 5000 if full else 500)
        yield validation.COUNT


def steps_per_epoch() -> int:
    """Return 14, or 4 in `make test`."""
    return 14 if validation.COUNT == 5000 else 4


def part_of_fashion_mnist(*unused, **unused_settings):
    """Return the training images of 14 steps, or of 4 in `make test`, and those that are held out."""
    train, count = load_fashion_mnist("train"), SCORED["batch_size"] * steps_per_epoch() + validation.COUNT
    return dataclasses.replace(train, images=train.images[:count], labels=train.labels[:count])


@pytest.fixture
def few_images(monkeypatch):
    """Train on a part of Fashion-MNIST, in seconds."""
    monkeypatch.setattr(api_train, "_load", part_of_fashion_mnist)


@pytest.fixture(scope="module")
def scored_runs(made_once, held_out_count):
    """A tiny network's runs of one epoch and of two, scored after each."""

    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(api_train, "_load", part_of_fashion_mnist)
            for epochs in (1, 2):
                fashion_gan.train("fashion", epochs=epochs, out=folder, **SCORED)

    folder = made_once("scored_runs", make)
    return [Run.open(folder / name) for name in ("0001-fashion", "0002-fashion")]


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
    step, state = scored_run.load_best_checkpoint()
    assert step == best["step"]
    assert [row["best"] for row in rows] == [True, rows[1]["ffd5k_validation"] <= rows[0]["ffd5k_validation"]]
    assert "seconds" in state
    drawn = fashion_gan.load_generator(scored_run.path, best=True).generate(3)
    saved = fashion_gan.load_generator(scored_run.path / "generator_best.keras").generate(3)
    np.testing.assert_array_equal(drawn, saved)


def test_both_networks_of_the_best_checkpoint_are_read(scored_run, tmp_path):
    run = Run.open(shutil.copytree(scored_run.path, tmp_path / "run"))
    step, newest = run.load_checkpoint()
    run.save_best_checkpoint(step, 0.0, {name: value + 1 for name, value in newest.items()})
    last, best = (fashion_gan.load_gan(run.path, best=best) for best in (False, True))
    for network in ("generator", "averaged_generator", "discriminator"):
        for before, after in zip(*(getattr(gan, network).variables for gan in (last, best)), strict=True):
            # The batch statistics of the averaged generator are computed when it is loaded.
            if network != "averaged_generator" or "moving" not in before.path:
                np.testing.assert_array_equal(after, np.array(before) + 1)
    with pytest.raises(
        InputError, match="only a run's folder has raw weights and a best checkpoint, and fashion is not one"
    ):
        fashion_gan.load_gan("fashion", best=True)


def test_a_scored_run_does_not_train_on_the_held_out_images(scored_run):
    assert state_of(scored_run.path)[0] == 2 * steps_per_epoch()
    train = load_fashion_mnist("train")
    held_out = validation.held_out(train.labels)
    assert np.bincount(train.labels[held_out]).tolist() == [validation.COUNT // 10] * 10
    trained_on, scored_by = split_validation(scored_run.config, train)
    np.testing.assert_array_equal(scored_by.images, train.images[held_out])
    np.testing.assert_array_equal(trained_on.images, train.images[~held_out])
    np.testing.assert_array_equal(trained_on.labels, train.labels[~held_out])


def test_the_score_is_the_frechet_distance_to_the_held_out_images(scored_run):
    train = part_of_fashion_mnist()
    held_out = train.images[validation.held_out(train.labels)]
    step, _ = scored_run.load_best_checkpoint()
    drawn = fashion_gan.load_generator(scored_run.path, best=True).generate(
        validation.COUNT, seed=scored_run.config.seed
    )
    expected = frechet_distance(*(gaussian(extract(batch).vectors) for batch in (held_out, drawn)))
    row = next(row for row in scored_run.read_metrics() if row["step"] == step)
    assert row["ffd5k_validation"] == pytest.approx(expected, rel=1e-6)


def test_the_statistics_of_the_held_out_images_are_cached_for_the_next_run(tmp_path, monkeypatch):
    real, generated = np.random.default_rng(0).integers(0, 256, (2, 200, 28, 28, 1), np.uint8)
    expected = validation.Validation(real).score(generated)
    assert validation.Validation(real, tmp_path).score(generated) == expected
    other = validation.Validation(generated, tmp_path).score(generated)  # Other images, another file.
    assert other.value < expected.value / 100
    monkeypatch.setattr(validation, "_statistics", None)
    assert validation.Validation(real, tmp_path).score(generated) == expected


def test_a_resumed_run_has_the_scores_of_an_uninterrupted_one(scored_run, shorter_run, few_images):
    # As if the run had been killed between its next score and its next checkpoint.
    shorter_run.append_metrics({"epoch": 2, "step": 2 * steps_per_epoch(), "ffd5k_validation": 0.001, "best": True})
    resumed = fashion_gan.resume(shorter_run.path, epochs=2)
    scores = [[row["ffd5k_validation"] for row in run.read_metrics()] for run in (resumed, scored_run)]
    assert scores[0] == scores[1]
    assert resumed.load_best_checkpoint()[0] == scored_run.load_best_checkpoint()[0]
    assert_equal_runs(resumed.path, scored_run.path)


@pytest.mark.full
def test_a_run_interrupted_before_its_score_is_scored_when_it_resumes(scored_run, shorter_run, few_images):
    (shorter_run.path / "metrics.jsonl").write_text('{"epoch": 1, "st')
    (shorter_run.path / "checkpoints" / "best.npz").unlink()
    resumed = fashion_gan.resume(shorter_run.path, steps=steps_per_epoch() + 3)
    first, last = resumed.read_metrics()
    assert first["ffd5k_validation"] == scored_run.read_metrics()[0]["ffd5k_validation"]
    assert last["step"] == steps_per_epoch() + 3  # A run whose budget ends within an epoch is scored at its end too.


def test_of_a_small_part_of_fashion_mnist_as_many_are_held_out_as_of_other_pictures(tmp_path):
    train = load_fashion_mnist("train")
    part = dataclasses.replace(train, images=train.images[:400], labels=train.labels[:400])
    config, dataset = api_train.plan("fashion", data=part, evaluate_every_epochs=1)
    assert training_data.held_out_count(config, dataset) == 50
