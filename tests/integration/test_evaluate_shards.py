"""A data set of shards is scored without holding it: the same figures as those of its images in one file."""

import json
import shutil

import numpy as np
import pytest
from processes import command, refused
from toys import smooth_pictures

import fashion_gan
from fashion_gan.api import make_dataset as make_module
from fashion_gan.datasets import shard_readers
from fashion_gan.generator import Generator
from fashion_gan.metrics import features
from fashion_gan.metrics.distances import frechet_distance, gaussian, neighborhoods
from fashion_gan.metrics.reference import Reference


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """1,200 clothes in three shards."""
    folder = tmp_path_factory.mktemp("shards") / "set"
    for number in (1, 2, 3):
        fashion_gan.make_dataset(folder, count=1200, shard=f"{number}/3", format="webdataset")
    fashion_gan.merge_dataset(folder)
    return folder


@pytest.fixture(scope="module")
def one_file(shards):
    dataset = fashion_gan.load_training_images(shards, 28, 1)
    path = shards.parent / "all.npz"
    np.savez(path, images=dataset.images, labels=dataset.labels)
    return path


def test_the_figures_of_shards_are_those_of_one_file(shards, one_file, fewer_scored_images, monkeypatch):
    monkeypatch.setattr(shard_readers, "PART_BYTES", 100 * 784)
    of_shards = fashion_gan.evaluate(shards, protocols="classes10k", seed=3)
    of_one_file = fashion_gan.evaluate(one_file, protocols="classes10k", seed=3)
    assert of_shards.metrics == of_one_file.metrics
    assert "asked_class10k" in of_shards.metrics
    assert of_shards.source["sha256"] == of_one_file.source["sha256"]
    assert of_shards.fingerprint == of_one_file.fingerprint


def test_the_figures_of_all_images_are_those_of_all_at_once(shards, one_file, tmp_path, monkeypatch):
    monkeypatch.setattr(shard_readers, "PART_BYTES", 333 * 784)
    report = tmp_path / "report"
    done = command("evaluate", shards, "--protocol", "all_images", "--report", report)
    assert done.returncode == 0, done.stderr
    stored = json.loads((report / "metrics.json").read_text())
    reference = Reference.load()
    with np.load(one_file) as file:
        vectors = features.extract(file["images"]).vectors
    at_once = neighborhoods(reference.test_features.vectors, vectors, reference.test_radii)
    expected = {
        "frechet_all": frechet_distance(reference.test_gaussian, gaussian(vectors)),
        **{f"{name}_all": getattr(at_once, name).mean() for name in ("precision", "density", "coverage")},
    }
    values = {name: metric["value"] for name, metric in stored["metrics"].items()}
    assert {name: values[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert -1 < values["nearer_train_all"] < 1
    assert stored["source"]["all_images"] == 1200
    assert len(stored["suspicious_of_all"]) == 12
    assert stored["metrics"]["precision_all"]["real_baseline"] > 0.5
    assert "precision_all" in done.stdout
    compared = command("compare", report, report).stdout
    assert "precision_all" in compared
    assert not {"frechet_all", "coverage_all"} & set(compared.split())  # They depend on the number of images.


def test_pictures_of_any_kind_are_scored_in_shards(tmp_path, monkeypatch):
    pictures = smooth_pictures(400)
    real = fashion_gan.Dataset(pictures, np.arange(400, dtype=np.int32) % 2, ("left", "right"), "real")
    palette = smooth_pictures(300, seed=1).astype(np.float32) / 127.5 - 1
    generator = Generator(
        lambda inputs: palette[(np.abs(inputs[0][:, 0]) * 1e4).astype(int) % 300], 4, ("right", "left")
    )
    monkeypatch.setattr(make_module, "load_generator", lambda model: generator)
    for number in (1, 2):
        fashion_gan.make_dataset(tmp_path / "set", count=150, shard=f"{number}/2", format="parquet")
    fashion_gan.merge_dataset(tmp_path / "set")
    protocols = ("distances", "neighbors", "within_classes", "all_images")
    of_shards = fashion_gan.evaluate(tmp_path / "set", reference=real, protocols=protocols)
    dataset = fashion_gan.load_training_images(tmp_path / "set", 16, 3)
    of_dataset = fashion_gan.evaluate(dataset, reference=real, protocols=protocols[:3])
    assert {name: of_shards.metrics[name] for name in of_dataset.metrics} == of_dataset.metrics
    assert set(of_shards.metrics) - set(of_dataset.metrics) == {
        *("frechet_all", "precision_all", "density_all", "coverage_all", "nearer_train_all")
    }
    assert of_shards.metrics["frechet_all"].value == pytest.approx(of_dataset.metrics["frechet"].value, abs=1e-6)


def test_what_cannot_be_scored_is_one_line(shards, one_file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("labels.npy", np.zeros(1200))
    line = refused(capsys, "evaluate", one_file, "--protocol", "all_images")
    assert "all_images is for a data set of shards" in line
    assert "have their own" in refused(capsys, "evaluate", shards, "--labels", "labels.npy")
    shutil.copytree(shards, "damaged")
    path = tmp_path / "damaged" / "train-00001-of-00003.tar"
    path.write_bytes(path.read_bytes()[:5000])
    assert f"{path} cannot be read" in refused(capsys, "evaluate", tmp_path / "damaged", "--protocol", "all_images")
    assert "ffd10k_test needs 10,000 images, there are 1,200" in refused(
        capsys, "evaluate", shards, "--protocol", "ffd10k_test"
    )
