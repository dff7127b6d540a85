"""The command augment-test, on any labeled pictures: results, a plot and verdicts in a folder, written atomically."""

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from bars import TEST, TRAIN, bars, replace_classifier
from halves import halves, halves_generator, run_trained_on, write_halves
from processes import refused

import fashion_gan
from fashion_gan.api import augment_test, real_pictures
from fashion_gan.api.real_pictures import real_pictures_of_run
from fashion_gan.cli import main
from fashion_gan.datasets import CLASS_NAMES, Dataset, load_training_images
from fashion_gan.datasets.writers import write_files
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.metrics.augmentation_benefit import REGIMES
from fashion_gan.metrics.pictures.held_out import held_out_pictures
from fashion_gan.rendering.images import load_png


@pytest.fixture
def classifier(monkeypatch):
    return replace_classifier(monkeypatch)


@pytest.fixture
def workplace(monkeypatch, tmp_path, classifier):
    """Provide a folder, with bars instead of clothes and the nearest image instead of a network."""
    monkeypatch.chdir(tmp_path)
    parts = {"train": TRAIN, "test": TEST}
    monkeypatch.setattr(real_pictures, "load_fashion_mnist", lambda split, data=None: parts[split])
    return tmp_path


def clean_bars(inputs):
    images = bars(1, seed=0, noise=0).images[inputs[1]] / 127.5 - 1.0
    images[:, 0, :5, 0] += 0.01 * inputs[0]
    return images


def wrong_classes(inputs):
    return clean_bars([inputs[0], (inputs[1] + 1 + inputs[1] % 2) % 10])


def use(monkeypatch, network):
    monkeypatch.setattr(augment_test, "load_generator", lambda model: Generator(network, 5, CLASS_NAMES))


def test_a_model_whose_classes_are_in_another_order_is_tested_by_their_names(workplace, monkeypatch):
    """The network draws the bars of the reversed classes, so each image shows the class of its name."""
    reversed_names = [name.upper().replace("/", "-") for name in CLASS_NAMES[::-1]]
    network = lambda inputs: clean_bars([inputs[0], 9 - inputs[1]])  # noqa: E731
    monkeypatch.setattr(augment_test, "load_generator", lambda model: Generator(network, 5, reversed_names))
    result = fashion_gan.augment_test(real_per_class=1, synthetic_per_class=4, steps=2)
    assert result.sizes[0].verdict == "helps"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


FLAGS = ["augment-test", "--real-per-class", "3,1", "--synthetic-per-class", "4", "--steps", "2"]


def test_the_command_prints_and_writes_all_regimes_sizes_and_classes(workplace, monkeypatch, capsys):
    use(monkeypatch, clean_bars)
    assert main(FLAGS) == 0
    printed = capsys.readouterr().out
    for words in (*REGIMES.values(), *CLASS_NAMES, "1 real images per class: synthetic images help"):
        assert words in printed
    assert names(workplace / "augment-test") == ["accuracy.png", "augment-test.json"]
    results = json.loads((workplace / "augment-test" / "augment-test.json").read_text())
    assert [size["real_per_class"] for size in results["sizes"]] == [1, 3]
    assert results["about"]["model"]["name"] == "fashion"
    assert results["about"]["data"] == {
        "source": "fashion-mnist",
        "train_images": 300,
        "train_sha256": TRAIN.fingerprint,
        "test_images": 200,
        "test_sha256": TEST.fingerprint,
        "test_is_held_out": False,
        "generator_saw_test": None,
    }
    assert (results["about"]["steps"], results["about"]["seeds"]) == (2, [0, 1, 2])
    assert results["regimes"] == REGIMES
    for size in results["sizes"]:
        assert set(size["regimes"]) == set(REGIMES)
        assert set(size["by_class"]) == set(CLASS_NAMES)
        assert size["verdict"] == "helps"
        assert len(size["regimes"]["real_and_synthetic"]["gain"]["by_seed"]) == 3
    assert load_png(workplace / "augment-test" / "accuracy.png").std() > 10


def test_images_of_wrong_classes_get_the_verdict_not_to_use_them(workplace, monkeypatch):
    use(monkeypatch, wrong_classes)
    result = fashion_gan.augment_test(real_per_class=[5], synthetic_per_class=4, steps=2)
    assert result.sizes[0].verdict == "don't use it"
    assert result.sizes[0].summary.startswith("don't use it: synthetic images make it worse, -")
    assert not names(workplace)


def test_a_result_shows_itself_as_text_and_in_a_notebook(workplace, monkeypatch):
    use(monkeypatch, clean_bars)
    result = fashion_gan.augment_test(real_per_class=[1, 3], synthetic_per_class=4, steps=2)
    assert repr(result) == result.table()
    shown = result._repr_html_()
    assert shown.count("<tr>") == 1 + 2 * len(REGIMES) + 1 + len(CLASS_NAMES)
    assert "3 real images per class: synthetic images help" in shown


def test_each_seed_draws_different_synthetic_images_with_equally_many_of_each_class(workplace, monkeypatch, classifier):
    use(monkeypatch, clean_bars)
    fashion_gan.augment_test(real_per_class=[1], synthetic_per_class=7, seeds=2, steps=2)
    first, second = (next(row for row in classifier.trainings if row[2] == seed) for seed in (0, 1))
    assert np.bincount(first[1]).tolist() == [7] * 10
    assert not np.array_equal(first[0], second[0])


def test_equal_requests_give_equal_results(workplace, monkeypatch):
    use(monkeypatch, clean_bars)
    first, second = (fashion_gan.augment_test(real_per_class=[2], synthetic_per_class=1, steps=2) for _ in range(2))
    assert first.to_json() == second.to_json()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--model", "absent"], "nothing of that name"),
        (["--model", "{run}"], "has 40 pictures and no test pictures: a part is held out for the test only of 200 or"),
        (["--real-per-class", "10,many"], "real_per_class='10,many' must be whole numbers with commas"),
        (["--real-per-class", ""], "must be whole numbers with commas"),
        (["--real-per-class", "10,0"], "real_per_class=0 is out of range: it must be at least 1"),
        (["--real-per-class", "10,-5"], "real_per_class=-5 is out of range"),
        (["--real-per-class", "10,10"], "must be one number or more, all of them different"),
        (["--real-per-class", "10,31"], "real_per_class=31 is out of range: it must be from 1 to 30"),
        (["--synthetic-per-class", "0"], "synthetic_per_class=0 is out of range: it must be from 1 to 10,000"),
        (["--synthetic-per-class", "few"], "not a valid integer"),
        (["--seeds", "1"], "seeds=1 is out of range: it must be from 2 to 100"),
        (["--steps", "0"], "steps=0 is out of range"),
        (["--truncation", "0"], "truncation=0.0 is out of range"),
        (["--out", "absent/results"], "there is no folder"),
    ],
)
def test_a_bad_request_is_one_line_and_writes_nothing(workplace, capsys, toy_run, flags, words):
    flags = [str(toy_run.path) if flag == "{run}" else flag for flag in flags]
    assert words in refused(capsys, *FLAGS, *flags)
    assert not names(workplace)


def test_missing_data_are_an_error_of_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "absent" in refused(capsys, "augment-test", "--data", "absent")
    assert not names(tmp_path)


def test_without_a_training_framework_the_error_says_how_to_install_one(workplace, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    line = refused(capsys, *FLAGS)
    assert "augment-test trains classifiers and needs Keras" in line
    assert line.rstrip().endswith("[train]'")


def test_only_force_replaces_a_folder_and_only_one_that_the_command_wrote(workplace, monkeypatch, capsys):
    use(monkeypatch, clean_bars)
    out = workplace / "augment-test"
    out.mkdir()
    (out / augment_test.RESULTS).write_text("older")
    assert "--force" in refused(capsys, *FLAGS)
    assert main([*FLAGS, "--force"]) == 0
    assert names(out) == ["accuracy.png", "augment-test.json"]
    (out / "thesis.txt").write_text("mine")
    assert "thesis.txt" in refused(capsys, *FLAGS, "--force")
    assert (out / "thesis.txt").read_text() == "mine"


def test_a_failure_while_writing_leaves_nothing(workplace, monkeypatch):
    use(monkeypatch, clean_bars)

    def full_disk(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fashion_gan.rendering.plots.accuracy_curve", full_disk)
    assert main(FLAGS) == 2
    assert not names(workplace)


# ---- Own data ----

OWN = {"synthetic_per_class": 4, "seeds": 2, "steps": 2}


@pytest.fixture(scope="module")
def own_data(tmp_path_factory):
    """120 pictures of each of two classes. Of all 240, 50 are held out."""
    return write_halves(tmp_path_factory.mktemp("halves") / "halves", 120, 120)


@pytest.fixture
def drawing(monkeypatch):
    """Return a function that lets every model draw with a generator."""
    return lambda generator: monkeypatch.setattr(augment_test, "load_generator", lambda model: generator)


def pixels(images):
    return {image.tobytes() for image in images}


def test_classifiers_learn_the_classes_of_own_data_and_are_tested_on_what_is_held_out(own_data, drawing, classifier):
    drawing(halves_generator())
    result = fashion_gan.augment_test(data=own_data, real_per_class=3, **OWN)
    data = load_training_images(own_data, 16, 1)
    held_out = held_out_pictures(data.labels)
    assert (classifier.shape, classifier.class_count) == ((16, 16, 1), 2)
    assert all(np.array_equal(images, data.images[held_out]) for images in classifier.tested)
    real = [images[:6] for images, *_ in classifier.trainings if len(images) != 8]
    assert len(real) == 6
    assert all(pixels(images) <= pixels(data.images[~held_out]) for images in real)
    assert list(result.sizes[0].by_class) == ["left", "right"]
    assert "0 left" in result.table()
    assert "1 right" in result.table()
    assert result.about["data"] == {
        "source": "halves",
        "train_images": 190,
        "train_sha256": Dataset(data.images[~held_out], data.labels[~held_out], (), "").fingerprint,
        "test_images": 50,
        "test_sha256": Dataset(data.images[held_out], data.labels[held_out], (), "").fingerprint,
        "test_is_held_out": True,
        "generator_saw_test": None,
    }


def test_classes_of_own_data_are_matched_by_their_names(own_data, drawing, classifier):
    drawing(halves_generator(("RIGHT", "Left"), first=1))
    result = fashion_gan.augment_test(data=own_data, real_per_class=3, **OWN)
    synthetic, labels, *_ = classifier.trainings[0]
    assert (synthetic[:, :, 8:].mean(axis=(1, 2, 3)) > 127).tolist() == labels.astype(bool).tolist()
    assert result.sizes[0].regimes["synthetic"].accuracy.value == 1.0


def test_by_default_own_data_are_measured_with_the_sizes_that_they_have(own_data, drawing, classifier, capsys):
    drawing(halves_generator())
    assert [size.real_per_class for size in fashion_gan.augment_test(data=own_data, **OWN).sizes] == [10, 50]
    flags = ["--data", own_data, "--real-per-class", "50,200"]
    assert "real_per_class=200 is out of range: it must be from 1 to 95" in refused(capsys, "augment-test", *flags)


def test_with_fewer_pictures_than_the_smallest_size_all_of_a_class_are_one_measurement(tmp_path, drawing, classifier):
    drawing(halves_generator())
    result = fashion_gan.augment_test(data=write_halves(tmp_path / "few", 12, 188), **OWN)
    assert [size.real_per_class for size in result.sizes] == [9]


def test_a_run_is_tested_on_its_own_data_and_says_if_it_learned_from_the_test_pictures(
    own_data, toy_run, tmp_path, drawing, classifier, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    drawing(halves_generator())
    for evaluate_every_epochs, saw_test in ((None, True), (1, False)):
        run = run_trained_on(
            toy_run.path, own_data, tmp_path / str(saw_test), evaluate_every_epochs=evaluate_every_epochs
        )
        for model, data in ((run, None), (run / "generator.onnx", None), (run, own_data)):
            result = fashion_gan.augment_test(model, data=data, real_per_class=3, **OWN)
            assert result.about["data"]["source"] == "halves"
            assert result.about["data"]["generator_saw_test"] is saw_test
            sentence = "The generator also learned from the test pictures"
            assert (sentence in " ".join(result.table().split())) is saw_test
            assert (sentence in result._repr_html_()) is saw_test
    other = write_halves(tmp_path / "other", 110, 110)
    about = fashion_gan.augment_test(run, data=other, real_per_class=3, **OWN).about["data"]
    assert (about["source"], about["generator_saw_test"]) == ("other", None)


def test_a_run_on_fashion_mnist_is_tested_on_its_test_images_wherever_the_files_are_now(workplace, old_fashion_run):
    for data in (None, "/moved/fashion-mnist"):
        train, test = real_pictures_of_run(old_fashion_run(data)).load((28, 28, 1))
        assert (train, test) == (TRAIN, TEST)


@pytest.fixture
def old_fashion_run(tmp_path):
    def make(data):
        config = fashion_gan.Config.from_preset("fashion", data=data)
        return fashion_gan.Run.create(tmp_path / "runs", config, fashion_gan.datasets.TRAINING_FINGERPRINT)

    return make


def write_idx(folder, name, images, labels):
    header = struct.pack(">4B3I", 0, 0, 8, 3, *images.shape[:3])
    (folder / f"{name}-images-idx3-ubyte").write_bytes(header + images.tobytes())
    header = struct.pack(">4BI", 0, 0, 8, 1, len(labels))
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(header + labels.astype(np.uint8).tobytes())


def test_data_in_mnist_s_files_have_test_pictures_of_their_own(tmp_path, drawing, classifier):
    labels = np.arange(40) % 2
    train, test = halves(labels), halves(labels, seed=1)
    write_idx(tmp_path, "train", train, labels)
    write_idx(tmp_path, "t10k", test, labels)
    drawing(halves_generator(("0", "1")))
    about = fashion_gan.augment_test(data=tmp_path, **OWN).about
    assert all(np.array_equal(images, test) for images in classifier.tested)
    assert (about["real_per_class"], about["data"]["test_is_held_out"]) == ([10], False)


@pytest.mark.parametrize("format", ["npz", "parquet"])
def test_data_may_be_a_file_with_labels(tmp_path, drawing, classifier, format):
    labels = np.arange(240, dtype=np.int32) % 2
    write_files(tmp_path, format, halves(labels), labels, ["left", "right"])
    drawing(halves_generator())
    result = fashion_gan.augment_test(data=tmp_path / f"dataset.{format}", real_per_class=3, **OWN)
    assert list(result.sizes[0].by_class) == ["left", "right"]
    assert result.about["data"]["source"] == f"dataset.{format}"


def test_pictures_are_read_at_the_size_and_with_the_channels_of_the_model(own_data, drawing, classifier):
    def in_color(inputs):
        small = halves(inputs[1]) / 127.5 - 1
        return np.repeat(small[:, ::2, ::2], 3, axis=3) + 0.01 * inputs[0][:, :1, None, None]

    drawing(Generator(in_color, 5, ("left", "right")))
    fashion_gan.augment_test(data=own_data, real_per_class=3, **OWN)
    assert classifier.shape == (8, 8, 3)
    assert {images.shape[1:] for images in classifier.tested} == {(8, 8, 3)}


def test_pictures_that_are_left_out_are_told(tmp_path, drawing, classifier, capsys):
    (write_halves(tmp_path / "halves", 100, 100) / "left" / "notes.txt").write_text("mine")
    drawing(halves_generator())
    fashion_gan.augment_test(data=tmp_path / "halves", real_per_class=3, **OWN)
    assert "1 left out (.txt files, which are not read), such as left/notes.txt" in capsys.readouterr().err


def unlabeled(folder):
    return write_halves(folder, 200) / "left"


def array_file(folder):
    np.save(folder.with_suffix(".npy"), halves(np.zeros(200, int)))
    return folder.with_suffix(".npy")


@pytest.mark.parametrize(
    ("make", "class_names", "words"),
    [
        (
            unlabeled,
            ("left", "right"),
            "left has no classes: make a subfolder of pictures for each of fashion's classes",
        ),
        (array_file, ("left", "right"), "data.npy has no classes"),
        (lambda folder: write_halves(folder, 100, 100), ("left", "up"), "has no class 'up', which fashion draws"),
        (lambda folder: write_halves(folder, 100, 100, 9, names="abc"), ("a", "b"), "does not draw the class 'c'"),
        (lambda folder: write_halves(folder, 99, 100), ("left", "right"), "has 199 pictures and no test pictures"),
        (
            lambda folder: write_halves(folder, 200, 1),
            ("left", "right"),
            "class 'right' has too few pictures for training and test (1)",
        ),
        (lambda folder: write_halves(folder, 200), ("left",), "has only the class 'left', and a classifier learns at"),
        (lambda folder: write_halves(folder, 100, 100), (), "fashion draws no classes"),
        (lambda folder: folder / "absent", ("left", "right"), "is not a folder of pictures or a file of images"),
        (
            lambda folder: None,
            ("left", "right"),
            "draws other classes than Fashion-MNIST's: name real pictures of them",
        ),
    ],
)
def test_data_that_do_not_fit_are_refused_in_one_line(
    tmp_path, monkeypatch, drawing, classifier, capsys, make, class_names, words
):
    monkeypatch.chdir(tmp_path)
    data = make(tmp_path / "data")
    generator = halves_generator(class_names)
    if not class_names:
        generator = Generator(lambda latents: np.zeros((len(latents), 16, 16, 1)), 5)
    drawing(generator)
    assert words in refused(capsys, "augment-test", *([] if data is None else ["--data", data]))
    assert not (tmp_path / "augment-test").exists()
    assert not classifier.trainings


def test_test_pictures_that_lack_a_class_are_refused(tmp_path, drawing, classifier):
    labels = np.arange(40) % 2
    write_idx(tmp_path, "train", halves(labels), labels)
    write_idx(tmp_path, "t10k", halves(labels[::2]), labels[::2])
    drawing(halves_generator(("0", "1")))
    with pytest.raises(InputError, match="the class '1' has 20 training pictures and 0 test pictures"):
        fashion_gan.augment_test(data=tmp_path, **OWN)


def test_pictures_too_small_for_the_classifier_are_refused(own_data, drawing):
    drawing(Generator(lambda inputs: np.zeros((len(inputs[0]), 4, 6, 1)), 5, ("left", "right")))
    with pytest.raises(InputError, match="fashion draws 6×4 pixels; the classifier takes at least 8×8"):
        fashion_gan.augment_test(data=own_data, **OWN)


def test_a_run_whose_data_are_gone_or_changed_is_refused_and_other_data_can_be_named(
    own_data, toy_run, tmp_path, drawing, classifier
):
    data = write_halves(tmp_path / "data", 110, 110)
    run = run_trained_on(toy_run.path, data, tmp_path / "run")
    drawing(halves_generator())
    next((data / "left").iterdir()).unlink()
    with pytest.raises(InputError, match=r"has changed since .*run was trained: name real pictures with data \(--data"):
        fashion_gan.augment_test(run, real_per_class=3, **OWN)
    shutil.rmtree(data)
    with pytest.raises(InputError, match=r"is no longer there: name real pictures with data \(--data\)"):
        fashion_gan.augment_test(run, real_per_class=3, **OWN)
    assert fashion_gan.augment_test(run, data=own_data, real_per_class=3, **OWN).about["data"]["source"] == "halves"


def test_without_a_run_the_environment_variable_names_the_data(own_data, drawing, classifier, monkeypatch):
    monkeypatch.setenv("FASHION_GAN_DATA", str(own_data))
    drawing(halves_generator())
    assert fashion_gan.augment_test(real_per_class=3, **OWN).about["data"]["source"] == "halves"


def test_a_folder_named_fashion_mnist_comes_before_the_data_set_of_that_name(
    workplace, tmp_path, drawing, classifier, monkeypatch
):
    drawing(Generator(clean_bars, 5, CLASS_NAMES))
    assert fashion_gan.augment_test(data="fashion-mnist", **OWN).about["data"]["test_images"] == 200
    write_halves(tmp_path / "fashion-mnist", 100, 100)
    drawing(halves_generator())
    for data in ("fashion-mnist", Path("fashion-mnist")):
        assert fashion_gan.augment_test(data=data, real_per_class=3, **OWN).about["data"]["test_is_held_out"]


def test_a_real_classifier_learns_own_data(own_data, drawing):
    drawing(halves_generator())
    result = fashion_gan.augment_test(data=own_data, real_per_class=5, **{**OWN, "steps": 20})
    assert result.sizes[0].regimes["real"].accuracy.value > 0.9
