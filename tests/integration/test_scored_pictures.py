"""Training on own pictures with evaluate_every_epochs, and the evaluation of such runs against their own data."""

import dataclasses
import shutil

import numpy as np
import pytest
from PIL import Image
from run_states import assert_equal_runs
from toys import TOY, smooth_dataset

import fashion_gan
from fashion_gan.datasets import load_training_images
from fashion_gan.errors import InputError
from fashion_gan.metrics.pictures import patches, validation
from fashion_gan.metrics.pictures.held_out import held_out_pictures
from fashion_gan.runs import Run
from fashion_gan.training import trainer
from fashion_gan.training.data import make_validation, split_validation

SCORED = {**TOY, "batch_size": 32, "evaluate_every_epochs": 1, "deterministic": True}


@pytest.fixture(scope="module", autouse=True)
def few_pictures(full):
    """Score 200 pictures instead of 1,000, and measure few patches, except at full scale."""
    with pytest.MonkeyPatch.context() as patch:
        if not full:
            patch.setattr(validation.PictureValidation, "count", 200)
            patch.setattr(patches, "PATCHES", 1000)
            patch.setattr(patches, "DIRECTIONS", 32)
            patch.setattr(patches, "REPLICATE_DIRECTIONS", 4)
        yield


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("fashion_gan.api.real_pictures.metrics_cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(trainer, "metrics_cache_folder", lambda: tmp_path / "cache")


def save_pictures(folder, count):
    """Write gray pictures of two classes, 16×16."""
    dataset = smooth_dataset(count, 2, channels=1)
    for number, (image, label) in enumerate(zip(dataset.images, dataset.labels, strict=True)):
        path = folder / ("dark", "light")[label] / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(path)
    return folder


@pytest.fixture(scope="module")
def pictures(made_once):
    """230 pictures, of which 50 are held out."""
    return made_once("scored_pictures", lambda folder: save_pictures(folder, 230))


def train(pictures, out, **settings):
    return fashion_gan.train("fashion", data=pictures, out=out, **{**SCORED, **settings})


@pytest.fixture(scope="module")
def runs(made_once, pictures):
    """Scored runs of one epoch and of two, and one that is not scored."""

    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(trainer, "metrics_cache_folder", lambda: None)
            patch.setattr(trainer, "save_onnx", lambda run, generator, path: None)
            for settings in ({"epochs": 1}, {"epochs": 2}, {"epochs": 1, "evaluate_every_epochs": None}):
                train(pictures, folder, **settings)

    folder = made_once("scored_picture_runs", make)
    return [Run.open(folder / f"000{number}-fashion") for number in (1, 2, 3)]


@pytest.fixture
def copied(runs, tmp_path):
    """Return a function that copies one of the runs, which a test may then change."""
    return lambda number: Run.open(shutil.copytree(runs[number].path, tmp_path / "copy"))


# ---- Training ----


def test_each_epoch_is_scored_and_the_best_checkpoint_is_kept(runs):
    rows = runs[1].read_metrics()
    assert [row["epoch"] for row in rows] == [1, 2]
    for row in rows:
        assert list(row)[4:-1] == ["frechet_validation", "frechet_training", "closer_than_real"]
        assert 0 < row["frechet_validation"] < 1e5
        assert 0 <= row["closer_than_real"] <= 1
    best = min(rows, key=lambda row: row["frechet_validation"])
    assert runs[1].load_best_checkpoint()[0] == best["step"]
    assert [row["best"] for row in rows] == [True, best is rows[1]]
    assert (runs[1].path / "generator_best.keras").exists()
    assert not runs[2].read_metrics()


def test_the_score_is_that_of_the_generator_that_a_user_gets(runs, pictures):
    run = runs[1]
    dataset, held_out = split_validation(run.config, load_training_images(pictures, 16, 1))
    scorer = make_validation(run.config, dataset, held_out, None)
    drawn = fashion_gan.load_generator(run.path, best=True).generate(scorer.count, seed=run.config.seed)
    (row,) = [row for row in run.read_metrics() if row["step"] == run.load_best_checkpoint()[0]]
    for name, value in scorer.score(drawn).values.items():
        assert row[name] == pytest.approx(value, rel=1e-4), name


def test_no_held_out_picture_is_trained_on(pictures, tmp_path, monkeypatch):
    seen, stream_batches = [], trainer.stream_batches

    def recorded(images, labels, **settings):
        seen.append(images)
        return stream_batches(images, labels, **settings)

    monkeypatch.setattr(trainer, "stream_batches", recorded)
    train(pictures, tmp_path, steps=2)
    everything = load_training_images(pictures, 16, 1)
    held_out = held_out_pictures(everything.labels)
    assert {image.tobytes() for image in seen[0]} == {image.tobytes() for image in everything.images[~held_out]}
    assert np.bincount(everything.labels[held_out]).tolist() == [25, 25]


def test_a_resumed_run_has_the_scores_of_an_uninterrupted_one(runs, copied, capsys):
    resumed = fashion_gan.resume(copied(0).path, epochs=2)
    names = ("step", "frechet_validation", "frechet_training", "closer_than_real", "best")
    scores = [[[row[name] for name in names] for row in run.read_metrics()] for run in (resumed, runs[1])]
    assert scores[0] == scores[1]
    assert resumed.load_best_checkpoint()[0] == runs[1].load_best_checkpoint()[0]
    assert_equal_runs(resumed.path, runs[1].path)
    assert "frechet_validation" in capsys.readouterr().out


def test_of_fewer_than_200_pictures_all_are_trained_on_and_copies_are_measured(tmp_path, capsys):
    run = train(save_pictures(tmp_path / "few", 64), tmp_path / "runs", epochs=1)
    (row,) = run.read_metrics()
    assert row["step"] == 2  # Two batches of 32.
    assert list(row)[4:-1] == ["frechet_training", "closer_than_real"]
    assert row["best"] is (row["closer_than_real"] <= 0.75)
    assert run.has_best_checkpoint == row["best"]


def test_a_checkpoint_that_copies_few_pictures_is_not_kept(tmp_path, monkeypatch, capsys):
    pictures = save_pictures(tmp_path / "few", 64)
    training = load_training_images(pictures, 16, 1).images
    monkeypatch.setattr(
        "fashion_gan.generator.Generator.generate",
        lambda generator, count=16, *args, **settings: training[np.arange(count) % len(training)],
    )
    run = train(pictures, tmp_path / "runs", epochs=1)
    (row,) = run.read_metrics()
    assert (row["closer_than_real"], row["best"]) == (1, False)
    assert row["frechet_training"] < 5
    assert not run.has_best_checkpoint
    assert not run.best_generator_path.exists()
    assert "copies training pictures: 100% lie closer to one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"batch_size": 200}, "batch_size=200 is more than the 180 training images"),
        ({"evaluate_every_epochs": 0}, "evaluate_every_epochs=0 is out of range"),
    ],
)
def test_impossible_settings_are_refused_before_a_folder_is_made(pictures, tmp_path, settings, words):
    with pytest.raises(InputError, match=words):
        train(pictures, tmp_path / "runs", epochs=1, **settings)
    assert not (tmp_path / "runs").exists()


def test_fashion_mnist_at_another_size_is_scored_as_pictures_are():
    labels = np.repeat(np.arange(10, dtype=np.int32), 60)
    names = fashion_gan.CLASS_NAMES
    clothes = dataclasses.replace(
        smooth_dataset(600, channels=1, height=28, width=28), labels=labels, class_names=names
    )
    config = fashion_gan.Config.from_preset("fashion", image_size=32, channels=3, evaluate_every_epochs=1)
    kept, held_out = split_validation(config, clothes)
    assert (len(kept.images), len(held_out.images)) == (540, 60)
    scorer = make_validation(config, kept, held_out, None)
    assert scorer._reference.shape == (32, 32, 3)


# ---- Evaluation against a run's own data ----

QUICK = ["distances", "training_distance"]


def test_a_scored_run_is_compared_with_the_pictures_that_it_held_out(runs, copied, pictures, tmp_path):
    run = copied(1)
    evaluation = fashion_gan.evaluate(run.path, protocols=QUICK)
    assert evaluation.fingerprint["counts"] == [180, 180, 50]
    assert not evaluation.left_out
    other = shutil.copytree(runs[1].path, tmp_path / "other")  # An evaluation adds a row to the run's metrics.
    named = fashion_gan.evaluate(other, reference=pictures, protocols="distances")
    assert named.metrics["frechet"] == evaluation.metrics["frechet"]
    assert named.fingerprint["data_sha256"] == evaluation.fingerprint["data_sha256"]
    *scores, row = run.read_metrics()
    assert len(scores) == 2
    assert row["frechet"] == evaluation.metrics["frechet"].value
    assert row["fingerprint"] == evaluation.fingerprint
    best = fashion_gan.evaluate(run.path, protocols="distances", best=True, report=run.path / "report")
    assert best.source["checkpoint"] == "best"
    page = best.report_path.read_text()
    assert (
        "<code>frechet_validation</code>: the Fréchet distance of 1,000 generated pictures to the held-out ones" in page
    )


def test_a_run_that_learned_from_all_its_pictures_is_compared_with_all(copied, pictures, tmp_path):
    run = copied(2)
    for evaluation in (
        fashion_gan.evaluate(run.path),
        fashion_gan.evaluate(run.path, reference=pictures),
    ):
        assert evaluation.fingerprint["counts"] == [230, 230, 230]
        assert "the run learned from all of them" in evaluation.left_out["training_distance230_to_230"]
    # Of other sources it is not known from which pictures they learned: a part is held out.
    images = load_training_images(pictures, 16, 1).images
    assert fashion_gan.evaluate(images, reference=pictures, protocols="distances").fingerprint["counts"][2] == 50


def test_changed_and_missing_data_of_a_run_are_refused(tmp_path):
    pictures = save_pictures(tmp_path / "pictures", 60)
    run = train(pictures, tmp_path / "runs", steps=1, evaluate_every_epochs=None)
    assert fashion_gan.evaluate(run.path, protocols="distances").fingerprint["counts"] == [60, 60, 60]
    (pictures / "dark" / "0000.png").unlink()
    with pytest.raises(InputError, match=r"has changed since .* was trained: name real pictures with reference"):
        fashion_gan.evaluate(run.path)
    shutil.rmtree(pictures)
    with pytest.raises(InputError, match=r"was trained on .*, which is no longer there: name real pictures with refer"):
        fashion_gan.evaluate(run.path)
    assert len(run.read_metrics()) == 1


def test_a_conditional_run_is_asked_for_the_real_classes_by_name(runs, pictures, tmp_path):
    other_order = dataclasses.replace(load_training_images(pictures, 16, 1), class_names=("light", "dark"))
    run = shutil.copytree(runs[1].path, tmp_path / "run")  # An evaluation adds a row to the run's metrics.
    evaluation = fashion_gan.evaluate(run, reference=other_order, protocols="within_classes")
    assert np.bincount(evaluation.labels).tolist() == [90, 90]
    drawn = fashion_gan.load_generator(runs[1].path).generate(180, 1 - evaluation.labels, 0)
    np.testing.assert_array_equal(evaluation.images, drawn)
    unknown = dataclasses.replace(other_order, class_names=("light", "red"))
    with pytest.raises(InputError, match="the class 'red' is missing on the other side"):
        fashion_gan.evaluate(runs[1].path, reference=unknown, protocols="within_classes")


def test_labels_and_sizes_are_not_for_models(runs, pictures):
    with pytest.raises(InputError, match="labels are for pictures: a model draws its classes in turn"):
        fashion_gan.evaluate(runs[1].path, labels=np.zeros(180, int))
    with pytest.raises(InputError, match="image_size=32 is for a folder of pictures"):
        fashion_gan.evaluate(runs[1].path, image_size=32)
