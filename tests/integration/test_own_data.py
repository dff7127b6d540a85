"""Runs on every kind of data: the same pictures give the same run, and a run resumes, whatever they come from."""

import itertools
import json
import shutil
import tarfile
import zipfile

import numpy as np
import pytest
from processes import refused
from run_states import assert_equal_states, state_of
from toys import TOY

import fashion_gan
from fashion_gan.api.evaluate import evaluate
from fashion_gan.api.real_pictures import find_real_pictures, real_pictures_of_run
from fashion_gan.api.train import plan, plan_resume
from fashion_gan.config import IN_MEMORY
from fashion_gan.datasets import fashion_mnist, load_pictures, mapped_images
from fashion_gan.datasets.image_store import Store
from fashion_gan.datasets.mapped_images import is_mapped
from fashion_gan.datasets.writers import write_files
from fashion_gan.errors import InputError
from fashion_gan.explorer.nearest_images import NearestImages
from fashion_gan.runs import Run
from fashion_gan.system import memory
from fashion_gan.training import batches, trainer

SETTINGS = {**TOY, "deterministic": True, "seed": 1}


@pytest.fixture(scope="module")
def toys(toy_folder):
    """The toy pictures as a data set in memory."""
    return load_pictures(toy_folder, 16, 1)


@pytest.fixture
def without_results(monkeypatch):
    """Runs end with their last checkpoint."""
    monkeypatch.setattr(trainer, "write_results", lambda training: None)


@pytest.fixture
def mapped(tmp_path, monkeypatch):
    """Take the images for so many that they are read from a file, in the cache folder of the test."""
    monkeypatch.setattr(fashion_mnist, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr("fashion_gan.datasets.image_store.MEMORY_SHARE", 0)
    monkeypatch.setattr("fashion_gan.datasets.array_images.MEMORY_SHARE", 0)
    monkeypatch.setattr(mapped_images, "MAX_COPIED_BYTES", 0)


@pytest.fixture(scope="module")
def folder_run(toy_folder, made_once):
    """A run of three steps on the folder of toy pictures, without its results."""

    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(trainer, "write_results", lambda training: None)
            fashion_gan.train("fashion", data=toy_folder, out=folder, steps=3, **SETTINGS)

    return Run.open(made_once("folder_run", make) / "0001-fashion")


def zip_of(toy_folder, toys, folder):
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for path in toy_folder.rglob("*.png"):
            archive.write(path, path.relative_to(toy_folder.parent))
    return folder / "a.zip"


def tar_of(toy_folder, toys, folder):
    with tarfile.open(folder / "a.tar.gz", "w:gz") as archive:
        archive.add(toy_folder, "toys")
    return folder / "a.tar.gz"


def nested(toy_folder, toys, folder):
    shutil.copytree(toy_folder, folder / "set" / "train")
    shutil.copytree(toy_folder, folder / "set" / "test")
    return folder / "set"


def written(toys, folder, format):
    write_files(folder, format, toys.images, toys.labels, toys.class_names)
    return folder / f"dataset.{format}"


def parquet_of(toy_folder, toys, folder):
    pytest.importorskip("pyarrow")
    return written(toys, folder, "parquet")


KINDS = {
    "zip": zip_of,
    "tar": tar_of,
    "train and test": nested,
    "npz": lambda toy_folder, toys, folder: written(toys, folder, "npz"),
    "parquet": parquet_of,
    "dataset": lambda toy_folder, toys, folder: toys,
}
QUICK = ("zip", "parquet", "dataset")


@pytest.mark.parametrize(
    "kind", [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.full) for kind in KINDS]
)
def test_the_same_pictures_in_another_form_give_the_same_run(
    folder_run, toy_folder, toys, tmp_path, without_results, kind
):
    data = KINDS[kind](toy_folder, toys, tmp_path)
    run = fashion_gan.train("fashion", data=data, out=tmp_path / "runs", steps=3, **SETTINGS)
    assert run.data_fingerprint == folder_run.data_fingerprint
    assert_equal_states(state_of(run.path), state_of(folder_run.path))
    assert run.config.data == (IN_MEMORY if kind == "dataset" else str(data))


# ---- Images in memory ----


@pytest.fixture(scope="module")
def trained_on_array(toys, made_once):
    """The folder of a run of two steps on an array."""
    names = [toys.class_names[label] for label in toys.labels]

    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(trainer, "write_results", lambda training: None)
            fashion_gan.train("fashion", data=toys.images[..., 0], labels=names, out=folder, steps=2, **SETTINGS)

    return made_once("array_run", make) / "0001-fashion"


@pytest.fixture
def array_run(trained_on_array, toys, tmp_path, without_results):
    """A copy of a run on an array, the array, and its labels."""
    run = Run.open(shutil.copytree(trained_on_array, tmp_path / "run"))
    return run, toys.images[..., 0], [toys.class_names[label] for label in toys.labels]


def test_a_run_on_an_array_resumes_with_the_same_array(array_run, folder_run):
    run, images, names = array_run
    fashion_gan.resume(run.path, data=images, labels=names, steps=3)
    assert_equal_states(state_of(run.path), state_of(folder_run.path))
    assert Run.open(run.path).config.data == IN_MEMORY


def test_a_run_on_an_array_resumes_on_a_folder_of_the_same_images(array_run, folder_run, toy_folder):
    run, _, _ = array_run
    fashion_gan.resume(run.path, data=toy_folder, steps=3)
    assert_equal_states(state_of(run.path), state_of(folder_run.path))
    assert Run.open(run.path).config.data == str(toy_folder)


def test_without_the_array_its_run_is_not_resumed_measured_or_shown(array_run, capsys):
    run, images, names = array_run
    assert trainer._resume_command(run).startswith(f"fashion_gan.resume('{run.path}', data=")
    line = refused(capsys, "train", "--resume", run.path)
    assert "was trained on images in memory, which it does not store: give them again with data and labels" in line
    with pytest.raises(InputError, match="was trained on images in memory: name real pictures with reference"):
        evaluate(run.path)
    assert "does not record its training images" in NearestImages(run).answer(images[:1, ..., np.newaxis][0])["message"]
    with pytest.raises(InputError, match="the images of this Config were in memory: give them again with data"):
        plan(run.config)
    assert plan(run.config, data=images, labels=names)[0].data == IN_MEMORY


def test_a_run_on_an_array_does_not_resume_on_another_one(array_run):
    run, images, names = array_run
    with pytest.raises(InputError, match="was not trained on the data from images: its images were different"):
        fashion_gan.resume(run.path, data=255 - images, labels=names, steps=3)
    with pytest.raises(InputError, match="was not trained on the data from images: its images were different"):
        fashion_gan.resume(run.path, data=images, labels=names[::-1], steps=3)


# ---- Settings of pictures ----


def test_a_run_keeps_how_its_pictures_were_read(toy_folder, tmp_path):
    path = shutil.copytree(toy_folder, tmp_path / "in") / "left" / "00.png"
    path.write_bytes(b"no picture")
    settings = {"data": tmp_path / "in", "fit": "pad", "background": "#336699", **SETTINGS}
    with pytest.raises(InputError, match=r"left/00.png cannot be read as a picture: .* \(--skip-damaged\)"):
        plan("fashion", **settings)
    config, dataset = plan("fashion", skip_damaged=True, **settings)
    run = Run.create(tmp_path / "runs", config, dataset.fingerprint)
    resumed, again = plan_resume(run.path, steps=2)
    assert (resumed.config.fit, resumed.config.background, resumed.config.skip_damaged) == ("pad", "#336699", True)
    assert (len(again.images), again.fingerprint) == (39, run.data_fingerprint)
    with pytest.raises(InputError, match="cannot continue with 'crop'"):
        plan_resume(run.path, fit="crop")
    # A run of an earlier version has none of these settings, and left out damaged pictures.
    stored = json.loads(run.config_path.read_text())
    for name in ("fit", "background", "skip_damaged"):
        del stored[name]
    run.config_path.write_text(json.dumps(stored))
    assert plan_resume(run.path)[1].fingerprint == run.data_fingerprint


# ---- Test pictures ----


def test_metrics_compare_with_the_test_pictures(toy_folder, tmp_path):
    place = nested(toy_folder, None, tmp_path)
    for path in (place / "test" / "left").iterdir():
        path.unlink()
    shutil.copyfile(toy_folder / "left" / "03.png", place / "test" / "left" / "a.png")
    config, dataset = plan("fashion", data=place, **SETTINGS)
    run = Run.create(tmp_path / "runs", config, dataset.fingerprint)
    for real in (real_pictures_of_run(run), find_real_pictures(place)):
        train, test = real.load((16, 16, 1))
        assert (len(train.images), test.labels.tolist()) == (40, [0] + [1] * 20)
        assert real.class_names == ("left", "right")


def test_an_archive_and_a_generated_data_set_can_be_the_reference(toy_folder, toys, tmp_path):
    for place in (zip_of(toy_folder, toys, tmp_path), written(toys, tmp_path, "npz")):
        real = find_real_pictures(place)
        assert (real.class_names, real.own_shape(None)) == (("left", "right"), (16, 16, 1))
        assert real.load((16, 16, 1))[1] is None


# ---- Data that do not fit into memory ----


@pytest.mark.parametrize(
    "settings", [pytest.param({}, marks=pytest.mark.full), {"evaluate_every_epochs": 1}], ids=["all", "held out"]
)
def test_a_run_that_reads_its_images_from_a_file_equals_one_that_has_them_in_memory(
    toys, tmp_path, mapped, monkeypatch, without_results, settings
):
    """Bit for bit, also if it is resumed in the middle of an epoch, and if a part of the pictures is held out."""
    images, labels = np.tile(toys.images, (6, 1, 1, 1)), np.tile(toys.labels, 6)
    np.savez(tmp_path / "a.npz", images=images, labels=labels, class_names=toys.class_names)
    settings = {"data": tmp_path / "a.npz", **SETTINGS, **settings}
    assert is_mapped(plan("fashion", **settings)[1].images)
    part = fashion_gan.train("fashion", out=tmp_path / "file", steps=4, **settings)
    fashion_gan.resume(part.path, steps=7)
    for module in ("image_store", "array_images"):
        monkeypatch.setattr(f"fashion_gan.datasets.{module}.MEMORY_SHARE", 0.4)
    assert not is_mapped(plan("fashion", **settings)[1].images)
    whole = fashion_gan.train("fashion", out=tmp_path / "memory", steps=7, **settings)
    assert_equal_states(state_of(part.path), state_of(whole.path))
    scores = [[row["frechet_validation"] for row in run.read_metrics()][-1:] for run in (part, whole)]
    assert scores[0] == scores[1]
    assert len(scores[0]) == len(settings.keys() & {"evaluate_every_epochs"})


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
@pytest.mark.parametrize("first_step", [0, 3])
def test_a_file_gives_the_same_batches_as_memory(mapped, monkeypatch, backend, first_step):
    random = np.random.default_rng(0)
    if backend == "jax":
        pytest.importorskip("jax")
    monkeypatch.setattr(batches.keras.backend, "backend", lambda: backend)
    images, labels = random.integers(0, 256, (40, 8, 8, 3), np.uint8), np.arange(40, dtype=np.int32)
    stored, _ = Store("images", "", lambda: "key").fill(40, (8, 8, 3), lambda facts: iter(images))
    rows = random.permutation(40)
    steps = 2 if backend == "jax" else 1
    settings = {"batch_size": 7, "seed": 3, "first_step": first_step, "steps_per_execution": steps}
    for source, same in ((stored, images), (mapped_images.select_images(stored, rows), images[rows])):
        streams = [batches.stream_batches(part, labels, **settings) for part in (source, same)]
        for (left,), (right,) in itertools.islice(zip(*streams, strict=True), 12):
            if "batch_indices" in left:
                left, right = (
                    {name: np.asarray(batch[name])[batch["batch_indices"]] for name in ("images", "labels")}
                    for batch in (left, right)
                )
            np.testing.assert_array_equal(left["images"], right["images"])
            np.testing.assert_array_equal(left["labels"], right["labels"])


def test_the_available_memory_decides(tmp_path, monkeypatch, toy_folder):
    monkeypatch.setattr(fashion_mnist, "cache_folder", lambda: tmp_path / "cache")
    for available, expected in ((1e5, False), (2e4, True)):
        monkeypatch.setattr(memory, "available_memory", lambda available=available: available)
        assert is_mapped(load_pictures(toy_folder, 16, 1).images) == expected
