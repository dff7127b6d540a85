"""A data set's folder: whole or not at all, with a manifest and a card that say what is in it."""

import json

import numpy as np
import pytest
from test_cli import refused

import fashion_gan
from fashion_gan import dataset_files, files, launch, synthetic
from fashion_gan.cli import main
from fashion_gan.errors import InputError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small data set of the shipped model's, with both filters."""
    out = tmp_path_factory.mktemp("made") / "synth"
    flags = ["--per-class", "6", "--seed", "5", "--min-confidence", "0.9", "--no-duplicates", "--out", str(out)]
    assert main(["dataset", *flags]) == 0
    return out


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_manifest_says_what_the_images_were_made_by(made):
    manifest = json.loads((made / "manifest.json").read_text())
    model = launch.weights_file("fashion")
    assert manifest["model"] == {
        "name": "fashion",
        "file": "generator.onnx",
        "sha256": files.sha256(model),
        "shipped": True,
    }
    assert (manifest["seed"], manifest["truncation"], manifest["per_class"]) == (5, 1.0, 6)
    assert manifest["filters"]["min_confidence"] == 0.9
    assert manifest["filters"]["least_difference"] == 10.0
    assert [one["kept"] for one in manifest["classes"]] == [6] * 10
    assert sum(one["unsure"] for one in manifest["classes"]) > 0
    assert manifest["files"] == {
        name: digest for name, digest in dataset_files.checksums(made).items() if name != "manifest.json"
    }


def test_the_card_has_the_counts_and_the_settings(made):
    card = (made / "README.md").read_text()
    manifest = json.loads((made / "manifest.json").read_text())
    for one in manifest["classes"]:
        assert f"| {one['name']} | {one['kept']} | {one['drawn']} | {one['unsure']} | {one['duplicates']} |" in card
    for words in ("seed 5", "0.9 or more", "below 10 grey levels", manifest["model"]["sha256"], "55,000"):
        assert words in card


def test_our_own_training_reads_the_folder(made):
    found = fashion_gan.load_training_images(made, 28, 1)
    assert np.bincount(found.labels).tolist() == [6] * 10
    assert found.class_names == fashion_gan.CLASS_NAMES


def test_every_image_kept_shows_its_class_to_the_classifier(made):
    found = fashion_gan.load_training_images(made, 28, 1)
    probabilities = fashion_gan.metrics.features.extract(found.images).probabilities
    assert probabilities[np.arange(60), found.labels].min() >= 0.9 - 1e-4  # In other batches, rounded otherwise.


@pytest.mark.parametrize("kind", ["npz", "folders", "parquet"])
def test_a_model_of_other_pictures_has_a_card_in_every_format(toy_run, tmp_path, kind):
    manifest = fashion_gan.make_dataset(tmp_path / "synth", 4, model=toy_run.path, format=kind, least_difference=0.1)
    assert manifest["class_names"] == ("left", "right")
    assert manifest["model"]["file"] == "step-000000015.npz"
    card = (tmp_path / "synth" / "README.md").read_text()
    assert "16×16 pixels, grey" in card
    assert "55,000" not in card
    assert names(tmp_path) == ["synth"]


def test_a_failure_while_writing_leaves_what_was_there_and_nothing_else(toy_run, tmp_path, monkeypatch):
    out = tmp_path / "synth"
    fashion_gan.make_dataset(out, 2, model=toy_run.path, format="npz")
    before = dataset_files.checksums(out)

    def full_disk(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(synthetic, "_card", full_disk)
    with pytest.raises(OSError, match="No space"):
        fashion_gan.make_dataset(out, 3, model=toy_run.path, format="idx", force=True)
    with pytest.raises(OSError, match="No space"):
        fashion_gan.make_dataset(tmp_path / "other", 3, model=toy_run.path, format="idx")
    assert dataset_files.checksums(out) == before
    assert names(tmp_path) == ["synth"]


def test_force_replaces_a_data_set_whole_and_nothing_that_is_not_one(toy_run, tmp_path):
    out = tmp_path / "synth"
    fashion_gan.make_dataset(out, 2, model=toy_run.path, format="folders")
    with pytest.raises(InputError, match="--force"):
        fashion_gan.make_dataset(out, 2, model=toy_run.path, format="npz")
    fashion_gan.make_dataset(out, 2, model=toy_run.path, format="npz", force=True)
    assert names(out) == ["README.md", "dataset.npz", "manifest.json"]
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"thesis\.txt"):
        fashion_gan.make_dataset(out, 2, model=toy_run.path, format="npz", force=True)
    assert (out / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("mine", ["README.md", "images/holiday.png", "images/left/holiday.png"])
def test_a_folder_with_files_that_are_only_called_like_ours_is_not_replaced(toy_run, tmp_path, mine):
    (tmp_path / "project" / mine).parent.mkdir(parents=True)
    (tmp_path / "project" / mine).write_text("mine")
    with pytest.raises(InputError, match="not ours to remove"):
        fashion_gan.make_dataset(tmp_path / "project", 2, model=toy_run.path, format="npz", force=True)
    assert (tmp_path / "project" / mine).read_text() == "mine"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--per-class", "0"], "per_class=0 is out of range"),
        (["--seed", "-1"], "seed=-1 is out of range"),
        (["--truncation", "2"], "truncation=2.0 is out of range"),
        (["--min-confidence", "1.5"], "min_confidence=1.5 is out of range"),
        (["--no-duplicates", "0"], "least_difference=0.0 is out of range"),
        (["--no-duplicates", "250"], "passed, fewer than one in fifty"),
        (["--format", "csv"], "'idx', 'npz', 'folders', 'parquet'"),
        (["--model", "absent"], "nothing of that name"),
        (["--model", "{run}", "--min-confidence", "0.5"], "needs 28×28 grey images"),
        (["--out", "absent/synth"], "there is no folder"),
    ],
)
def test_a_bad_request_for_a_data_set_is_one_line_and_leaves_nothing(
    capsys, toy_run, tmp_path, monkeypatch, flags, words
):
    monkeypatch.chdir(tmp_path)
    flags = [str(toy_run.path) if flag == "{run}" else flag for flag in flags]
    assert words in refused(capsys, "dataset", "--per-class", "300", "--out", "synth", *flags)
    assert not names(tmp_path)
