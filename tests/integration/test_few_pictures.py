"""Training on few pictures: the changes that augmentation uses, what steers it, and when training stops early."""

import json
import shutil

import numpy as np
import pytest
from run_states import assert_equal_runs, state_of
from toys import TOY, toy_batch, toy_config

import fashion_gan
from fashion_gan.api.train import plan
from fashion_gan.errors import InputError
from fashion_gan.metrics.pictures import validation
from fashion_gan.metrics.validation import Scores
from fashion_gan.runs import Run
from fashion_gan.training import trainer
from fashion_gan.training.build import build_gan
from fashion_gan.training.callbacks import validate

STEPS_PER_EPOCH = (220 - 50) // TOY["batch_size"]  # Fifty pictures are held out.
SCORE = "frechet_validation"
SCORED = {**TOY, "evaluate_every_epochs": 1, "deterministic": True, "conditional": False}


# ---- The choice of the changes ----


def planned(folder, **settings):
    return plan("fashion", data=folder, **{**TOY, "conditional": False, "augment": True, **settings})[0]


def test_only_symmetric_pictures_are_mirrored_and_a_line_says_why(few_pictures, capsys):
    assert planned(few_pictures / "symmetric").augmentations == ("mirror", "shift", "cutout", "brightness", "contrast")
    assert "contrast (mirror images do not differ from the pictures (p = 0." in capsys.readouterr().out
    assert planned(few_pictures / "letters").augmentations == ("shift", "cutout", "brightness", "contrast")
    assert "contrast, no mirror (mirror images differ from the pictures (p = 0.001))" in capsys.readouterr().out


def test_few_pictures_are_not_mirrored(toy_folder, capsys):
    assert "mirror" not in planned(toy_folder).augmentations
    assert "no mirror (40 pictures are too few to tell whether they may be mirrored)" in capsys.readouterr().out


def test_changes_that_are_asked_for_are_used_whatever_the_pictures(few_pictures, capsys):
    config = planned(few_pictures / "letters", channels=3, augmentations="saturation,mirror")
    assert config.augmentations == ("mirror", "saturation")
    assert "augmentation" not in capsys.readouterr().out


def test_held_out_pictures_steer_where_there_are_some(few_pictures, toy_folder):
    assert planned(few_pictures / "letters").overfitting_from == "training"
    assert planned(few_pictures / "letters", evaluate_every_epochs=1).overfitting_from == "held-out"
    assert planned(toy_folder, evaluate_every_epochs=1).overfitting_from == "training"
    settings = {"evaluate_every_epochs": 1, "overfitting_from": "training"}
    assert planned(few_pictures / "letters", **settings).overfitting_from == "training"
    with pytest.raises(InputError, match="no picture is held out, because there are fewer than 200"):
        planned(toy_folder, evaluate_every_epochs=1, overfitting_from="held-out")


# ---- Held-out pictures ----


def state_after(*, held_out_seed, step):
    """Return the GAN's state after one step, the given one, with held-out pictures."""
    gan = build_gan(toy_config(augment=True, evaluate_every_epochs=1, overfitting_from="held-out"))
    gan.step.assign(step - 1)
    gan.augmentation.probability.assign(0.5)
    gan.train_on_batch({**toy_batch(), "held_out": toy_batch(seed=held_out_seed)})
    return gan.state()


@pytest.mark.parametrize("step", [16, pytest.param(17, marks=pytest.mark.full)])
def test_held_out_pictures_train_nothing(step):
    first, second = (state_after(held_out_seed=seed, step=step) for seed in (1, 2))
    different = {name.split("|")[1] for name in first if not np.array_equal(first[name], second[name])}
    # Here both steer the probability in the same direction.
    assert different == ({"augmentation/mean_held_out"} if step == 16 else set())


@pytest.fixture
def fewer_scored_pictures(monkeypatch):
    monkeypatch.setattr(validation.PictureValidation, "count", 60)


def test_a_run_that_held_out_pictures_steer_resumes_as_if_uninterrupted(few_pictures, tmp_path, fewer_scored_pictures):
    settings = {**SCORED, "data": few_pictures / "letters", "augment": True, "checkpoint_every_steps": 18}
    whole = fashion_gan.train("fashion", out=tmp_path / "whole", steps=36, **settings)
    part = fashion_gan.train("fashion", out=tmp_path / "part", steps=18, **settings)
    fashion_gan.resume(part, steps=36)
    assert_equal_runs(whole.path, part.path)
    state = state_of(whole.path)[1]
    means = [value for name, value in state.items() if "|augmentation/mean_" in name]
    assert len(means) == 3
    assert all(means)
    assert whole.read_metrics()[-1][SCORE] == part.read_metrics()[-1][SCORE]


# ---- Patience ----


class ScriptedScores:
    """Gives the scores of a list instead of those of the generated pictures."""

    name, count = SCORE, 2

    def __init__(self, values):
        self.values = values

    def score(self, images):
        del images
        return Scores({SCORE: next(self.values)}, SCORE)


@pytest.fixture
def train_scored(few_pictures, tmp_path, monkeypatch):
    """Return a function that trains, or resumes a run, and gives the scores of a list."""

    def train(scores, *, run=None, out="runs", **settings):
        monkeypatch.setattr(trainer, "make_validation", lambda *unused: ScriptedScores(iter(scores)))
        if run is not None:
            return fashion_gan.resume(run, **settings)
        return fashion_gan.train("fashion", data=few_pictures / "letters", out=tmp_path / out, **{**SCORED, **settings})

    return train


def test_training_stops_when_the_patience_is_over_also_if_it_was_interrupted(train_scored, capsys):
    run = train_scored([3.0, 2.0, 4.0, 2.5, 1.0], epochs=5, patience=2)
    assert [row[SCORE] for row in run.read_metrics()] == [3.0, 2.0, 4.0, 2.5]
    step = 2 * STEPS_PER_EPOCH
    line = f"stopped: 2 scores without a better one; the best checkpoint is that of step {step}\n"
    assert capsys.readouterr().out.count(line) == 1
    assert run.load_checkpoint()[0] == 4 * STEPS_PER_EPOCH
    assert run.load_best_checkpoint()[0] == step
    assert run.generator_path.exists()
    assert run.best_generator_path.exists()

    part = train_scored([3.0, 2.0, 4.0], out="part", epochs=3, patience=2)
    train_scored([2.5, 1.0], run=part, epochs=5)
    assert_equal_runs(run.path, part.path)
    # As if it had been killed between its last checkpoint and the score.
    lines = part.metrics_path.read_text().splitlines(keepends=True)
    part.metrics_path.write_text("".join(lines[:-1]))
    train_scored([2.5, 1.0], run=part, epochs=5)
    assert_equal_runs(run.path, part.path)
    longer = train_scored([0.5], run=part, epochs=5, patience=3)
    assert [row[SCORE] for row in longer.read_metrics()] == [3.0, 2.0, 4.0, 2.5, 0.5]


def test_without_patience_a_line_says_once_that_nothing_is_gained(train_scored, capsys, monkeypatch):
    monkeypatch.setattr(validate, "NOTHING_GAINED", 2)
    train_scored([1.0, 2.0, 2.0, 2.0], epochs=4)
    output = capsys.readouterr().out
    assert output.count("nothing gained") == 1
    assert f"nothing gained in the last 2 scores; the best checkpoint is that of step {STEPS_PER_EPOCH}" in output
    assert "stopped" not in output


def test_patience_needs_scores(few_pictures):
    with pytest.raises(InputError, match="patience=3 counts scores: it needs evaluate_every_epochs"):
        planned(few_pictures / "letters", patience=3)


# ---- Earlier runs ----


def test_a_run_of_an_earlier_version_continues_with_its_augmentation(tmp_path, fewer_scored_pictures, few_pictures):
    """Version 0.2.0 had one augmentation: flips, shifts and cutouts, steered by the training pictures."""
    settings = {**SCORED, "data": few_pictures / "symmetric", "augment": True, "steps": 20}
    choices = {"augmentations": ("mirror", "shift", "cutout"), "overfitting_from": "training"}
    run = fashion_gan.train("fashion", out=tmp_path / "runs", **settings, **choices)
    earlier = Run.open(shutil.copytree(run.path, tmp_path / "earlier"))
    config = json.loads(earlier.config_path.read_text())
    for name in (*choices, "patience"):
        del config[name]
    earlier.config_path.write_text(json.dumps(config))
    fashion_gan.resume(run, steps=24)
    fashion_gan.resume(earlier.path, steps=24)
    assert_equal_runs(run.path, earlier.path)
