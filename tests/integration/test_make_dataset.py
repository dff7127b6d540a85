"""A data set's folder is written atomically, with a manifest and a card that describe it."""

import json

import numpy as np
import pytest
from halves import halves_generator, run_trained_on, write_halves
from processes import refused

import fashion_gan
from fashion_gan.api import make_dataset, taught_classifier
from fashion_gan.api.load import weights_file
from fashion_gan.api.make_dataset import dataset_card
from fashion_gan.cli import main
from fashion_gan.datasets.writers import checksums
from fashion_gan.errors import InputError
from fashion_gan.metrics import classifiers
from fashion_gan.metrics.features import NETWORK_SHA256, extract
from fashion_gan.system.atomic_files import sha256


@pytest.fixture(scope="module")
def synth(tmp_path_factory):
    """The folder of a small data set from the shipped model, with both filters."""
    out = tmp_path_factory.mktemp("data") / "synth"
    flags = ["--per-class", "6", "--seed", "5", "--min-confidence", "0.9", "--no-duplicates", "--out", str(out)]
    assert main(["dataset", *flags]) == 0
    return out


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_manifest_has_the_model_the_settings_the_counts_and_the_checksums(synth):
    manifest = json.loads((synth / "manifest.json").read_text())
    model = weights_file("fashion")
    assert manifest["model"] == {
        "name": "fashion",
        "file": "generator.onnx",
        "sha256": sha256(model),
        "shipped": True,
    }
    assert (manifest["seed"], manifest["truncation"], manifest["per_class"]) == (5, 1.0, 6)
    assert manifest["filters"]["min_confidence"] == 0.9
    assert manifest["filters"]["least_difference"] == 10.0
    assert manifest["filters"]["classifier_sha256"] == NETWORK_SHA256
    assert [tally["kept"] for tally in manifest["classes"]] == [6] * 10
    assert sum(tally["unsure"] for tally in manifest["classes"]) > 0
    assert manifest["files"] == {name: digest for name, digest in checksums(synth).items() if name != "manifest.json"}


def test_the_card_has_the_counts_and_the_settings(synth):
    card = (synth / "README.md").read_text()
    manifest = json.loads((synth / "manifest.json").read_text())
    for tally in manifest["classes"]:
        counts = " | ".join(str(tally[name]) for name in ("name", "kept", "drawn", "unsure", "duplicates"))
        assert f"| {counts} |" in card
    for words in ("seed 5", "0.9 or more", "below 10 gray levels", manifest["model"]["sha256"], "55,000"):
        assert words in card


def test_the_card_shows_names_as_they_are(synth):
    manifest = json.loads((synth / "manifest.json").read_text())
    manifest["classes"][0]["name"] = "a|b <script>*c*</script>"
    manifest["model"]["name"] = "my`model"
    card = dataset_card(manifest)
    assert r"| 0 | a\|b &lt;script&gt;\*c\*&lt;/script&gt; | 6 |" in card
    assert "The generator `` my`model `` drew" in card


def test_training_reads_the_folder(synth):
    dataset = fashion_gan.load_training_images(synth, 28, 1)
    assert np.bincount(dataset.labels).tolist() == [6] * 10
    assert dataset.class_names == fashion_gan.CLASS_NAMES


def test_the_classifier_recognizes_the_class_of_every_kept_image(synth):
    dataset = fashion_gan.load_training_images(synth, 28, 1)
    probabilities = extract(dataset.images).probabilities
    assert probabilities[np.arange(60), dataset.labels].min() >= 0.9 - 1e-4  # Other batches change the rounding.


@pytest.mark.parametrize("format", ["npz", "folders", "parquet"])
def test_a_model_of_other_pictures_has_a_card_in_every_format(toy_run, tmp_path, format):
    manifest = fashion_gan.make_dataset(tmp_path / "synth", 4, model=toy_run.path, format=format, least_difference=0.1)
    assert manifest["class_names"] == ("left", "right")
    assert manifest["model"]["file"] == "step-000000015.npz"
    card = (tmp_path / "synth" / "README.md").read_text()
    assert "16×16 pixels, gray" in card
    assert "55,000" not in card
    assert names(tmp_path) == ["synth"]


def test_a_failed_write_keeps_the_old_data_set_and_leaves_no_other_files(toy_run, tmp_path, monkeypatch):
    out = tmp_path / "synth"
    fashion_gan.make_dataset(out, 2, model=toy_run.path, format="npz")
    before = checksums(out)

    def full_disk(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fashion_gan.api.make_dataset.dataset_card", full_disk)
    with pytest.raises(OSError, match="No space"):
        fashion_gan.make_dataset(out, 3, model=toy_run.path, format="idx", force=True)
    with pytest.raises(OSError, match="No space"):
        fashion_gan.make_dataset(tmp_path / "other", 3, model=toy_run.path, format="idx")
    assert checksums(out) == before
    assert names(tmp_path) == ["synth"]


def test_force_replaces_a_whole_data_set_and_no_other_folder(toy_run, tmp_path):
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
def test_a_folder_whose_files_only_have_a_data_set_s_names_is_not_replaced(toy_run, tmp_path, mine):
    (tmp_path / "project" / mine).parent.mkdir(parents=True)
    (tmp_path / "project" / mine).write_text("mine")
    with pytest.raises(InputError, match="fashion-gan did not write"):
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
        (["--format", "csv"], "one of idx, npz, folders, parquet"),
        (["--model", "absent"], "nothing of that name"),
        (["--model", "{run}", "--min-confidence", "0.5"], "has 40 pictures and no test pictures: a part is held out"),
        (["--model", "{run}", "--data", "{run}"], "data (--data) is for min_confidence (--min-confidence): give both"),
        (
            ["--min-confidence", "0.5", "--data", "absent"],
            "data='absent' is not a folder of pictures or a file of images",
        ),
        (["--out", "absent/synth"], "there is no folder"),
    ],
)
def test_an_error_in_dataset_is_one_line_and_leaves_no_file(capsys, toy_run, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    flags = [str(toy_run.path) if flag == "{run}" else flag for flag in flags]
    assert words in refused(capsys, "dataset", "--per-class", "300", "--out", "synth", *flags)
    assert not names(tmp_path)


# ---- A classifier that learns from own pictures ----


@pytest.fixture(scope="module")
def own_data(tmp_path_factory):
    """150 pictures of each of two classes. Of all 300, 50 are held out."""
    return write_halves(tmp_path_factory.mktemp("halves") / "halves", 150, 150)


@pytest.fixture(scope="module")
def own_run(own_data, toy_run, tmp_path_factory):
    return run_trained_on(toy_run.path, own_data, tmp_path_factory.mktemp("runs") / "0001-fashion")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """The metrics' cache of these tests. Once a classifier is trained, the other tests read it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def careless(monkeypatch, cache):
    """Let every model draw the wrong half in nearly a third of the pictures, and its classes in another order."""
    generator = halves_generator(("Right", "left"), first=1, wrong_below=-0.5)
    monkeypatch.setattr(make_dataset, "load_generator", lambda model: generator)
    monkeypatch.setattr(taught_classifier, "metrics_cache_folder", lambda: cache)


def shown_halves(folder):
    """The labels of a written data set, and the half that each of its pictures shows: 1 the left one, as its label."""
    with np.load(folder / "dataset.npz") as file:
        images, labels = file["images"], file["labels"]
    return labels, (images[:, :, :8].mean(axis=(1, 2, 3)) > 127).astype(int)


FILTERED = {"format": "npz", "min_confidence": 0.9}


def test_a_classifier_that_learned_from_the_run_s_data_keeps_only_pictures_of_their_class(
    own_run, own_data, careless, tmp_path, capsys
):
    manifest = fashion_gan.make_dataset(tmp_path / "kept", 40, model=own_run, **FILTERED)
    labels, shown = shown_halves(tmp_path / "kept")
    assert shown.tolist() == labels.tolist()
    assert all(0 < tally["unsure"] == tally["drawn"] - 40 for tally in manifest["classes"])
    notice = capsys.readouterr().err
    assert "a classifier that learned from 250 pictures of halves: it is right about 100.0% of 50 others" in notice
    filters = manifest["filters"]
    assert (filters["classifier_data"], filters["classifier_accuracy"]) == ("halves", 1.0)
    assert len(filters["classifier_data_sha256"]) == 64
    assert "classifier_sha256" not in filters
    card = (tmp_path / "kept" / "README.md").read_text()
    assert "trained on the real images `halves`" in card
    assert f"SHA-256 `{filters['classifier_data_sha256']}`; right about 100.0% of other real ones" in card
    assert "evaluator's classifier" not in card
    fashion_gan.make_dataset(tmp_path / "all", 40, model=own_run, format="npz")
    labels, shown = shown_halves(tmp_path / "all")
    assert 0.5 < (shown == labels).mean() < 0.9


def test_the_classifier_is_trained_once_for_the_same_data(own_run, own_data, careless, tmp_path, monkeypatch):
    first = fashion_gan.make_dataset(tmp_path / "first", 4, model=own_run, **FILTERED)
    monkeypatch.setattr(classifiers, "train_classifier", lambda *_: pytest.fail("it was trained again"))
    second = fashion_gan.make_dataset(tmp_path / "second", 4, model="fashion", data=own_data, **FILTERED)
    assert first["filters"] == second["filters"]
    assert first["files"]["dataset.npz"] == second["files"]["dataset.npz"]


def test_a_model_file_needs_data_with_its_classes(own_run, own_data, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.onnx").write_bytes((own_run / "generator.onnx").read_bytes())
    flags = ["dataset", "--model", "mine.onnx", "--min-confidence", "0.5", "--out", "synth"]
    assert "mine.onnx draws other classes than Fashion-MNIST's: name real pictures of them with data (--data)" in (
        refused(capsys, *flags)
    )
    other = write_halves(tmp_path / "other", 100, 100, names=("left", "up"))
    assert "other has no class 'right', which mine.onnx draws" in refused(capsys, *flags, "--data", other)
    assert not (tmp_path / "synth").exists()


def test_data_may_have_more_classes_than_the_model_and_have_their_own_checksum(own_data, careless, tmp_path):
    data = write_halves(tmp_path / "three", 100, 100, 100, names=("left", "right", "west"))
    settings = {"format": "npz", "min_confidence": 0.2}
    manifest = fashion_gan.make_dataset(tmp_path / "synth", 4, data=data, **settings)
    labels, shown = shown_halves(tmp_path / "synth")
    assert shown.tolist() == labels.tolist()
    assert manifest["filters"]["classifier_accuracy"] < 1  # Nobody can tell "left" from "west".
    other = fashion_gan.make_dataset(tmp_path / "other", 1, data=own_data, **settings)
    assert manifest["filters"]["classifier_data_sha256"] != other["filters"]["classifier_data_sha256"]


def test_without_keras_the_classifier_of_other_pictures_cannot_be_trained(
    own_run, careless, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    flags = ["dataset", "--model", own_run, "--min-confidence", "0.5", "--format", "npz", "--out", tmp_path / "synth"]
    line = refused(capsys, *flags)
    assert "min_confidence for this model trains a classifier and needs Keras" in line
    assert line.rstrip().endswith("[train]'")
    assert not (tmp_path / "synth").exists()


def test_probabilities_are_the_softmax_of_the_logits_even_of_large_ones():
    class Fixed:
        def predict_on_batch(self, batch):
            return np.array([[0.0, np.log(3.0)], [1000.0, 0.0]], np.float32)[batch[:, 0, 0, 0].astype(int)]

    images = np.tile(np.array([0, 1], np.uint8), 300).reshape(600, 1, 1, 1)
    probabilities = classifiers.predict_probabilities(Fixed(), images)
    np.testing.assert_allclose(probabilities, [[0.25, 0.75], [1, 0]] * 300, rtol=1e-6)
