"""The command augment-test: results, a plot and verdicts in a folder, written atomically."""

import json

import numpy as np
import pytest
from bars import TEST, TRAIN, bars, replace_classifier
from processes import refused

import fashion_gan
from fashion_gan.api import augment_test
from fashion_gan.cli import main
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.generator import Generator
from fashion_gan.metrics.augmentation_benefit import REGIMES
from fashion_gan.rendering.images import load_png


@pytest.fixture
def classifier(monkeypatch):
    return replace_classifier(monkeypatch)


@pytest.fixture
def workplace(monkeypatch, tmp_path, classifier):
    """Provide a folder, with bars instead of clothes and the nearest image instead of a network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(augment_test, "load_fashion_mnist", lambda split, data: {"train": TRAIN, "test": TEST}[split])
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
        (["--model", "{run}"], "must draw 28×28 gray images of Fashion-MNIST's ten classes"),
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
