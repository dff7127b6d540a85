"""The command augment-test: figures, a plot and verdicts in a folder, whole or not at all."""

import json

import numpy as np
import pytest
from test_cli import refused
from test_teaching import TEST, TRAIN, bars, stand_in

import fashion_gan
from fashion_gan import trial
from fashion_gan.cli import main
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.generator import Generator
from fashion_gan.metrics import teaching
from fashion_gan.pictures import load_png


@pytest.fixture
def teacher(monkeypatch):
    return stand_in(monkeypatch)


@pytest.fixture
def world(monkeypatch, tmp_path, teacher):
    """Bars in the place of clothes, the nearest image in that of a network, and a folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trial, "load_fashion_mnist", lambda split, data: {"train": TRAIN, "test": TEST}[split])
    return tmp_path


def prototypes(inputs):
    images = bars(1, seed=0, noise=0).images[inputs[1]] / 127.5 - 1.0
    images[:, 0, :5, 0] += 0.01 * inputs[0]
    return images


def wrong_classes(inputs):
    return prototypes([inputs[0], (inputs[1] + 1 + inputs[1] % 2) % 10])


def use(monkeypatch, network):
    monkeypatch.setattr(trial.launch, "load_generator", lambda model: Generator(network, 5, CLASS_NAMES))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


FLAGS = ["augment-test", "--real-per-class", "3,1", "--synthetic-per-class", "4", "--steps", "2"]


def test_the_command_prints_and_writes_every_way_every_size_and_every_class(world, monkeypatch, capsys):
    use(monkeypatch, prototypes)
    assert main(FLAGS) == 0
    printed = capsys.readouterr().out
    for words in (*teaching.WAYS.values(), *CLASS_NAMES, "1 real images a class: synthetic images help"):
        assert words in printed
    assert names(world / "augment-test") == ["accuracy.png", "augment-test.json"]
    figures = json.loads((world / "augment-test" / "augment-test.json").read_text())
    assert [one["real_per_class"] for one in figures["sizes"]] == [1, 3]
    assert figures["about"]["model"]["name"] == "fashion"
    assert (figures["about"]["steps"], figures["about"]["seeds"]) == (2, [0, 1, 2])
    for one in figures["sizes"]:
        assert set(one["ways"]) == set(teaching.WAYS)
        assert set(one["by_class"]) == set(CLASS_NAMES)
        assert one["verdict"] == "helps"
        assert len(one["ways"]["real_and_synthetic"]["gain"]["by_seed"]) == 3
    assert load_png(world / "augment-test" / "accuracy.png").std() > 10


def test_images_of_wrong_classes_are_not_to_be_used(world, monkeypatch):
    use(monkeypatch, wrong_classes)
    found = fashion_gan.augment_test(real_per_class=[5], synthetic_per_class=4, steps=2)
    assert found.sizes[0].verdict == "don't use it"
    assert found.sizes[0].words.startswith("don't use it: synthetic images make it worse, -")
    assert not names(world)


def test_each_seed_draws_other_synthetic_images_as_many_of_each_class(world, monkeypatch, teacher):
    use(monkeypatch, prototypes)
    fashion_gan.augment_test(real_per_class=[1], synthetic_per_class=7, seeds=2, steps=2)
    first, second = (next(lesson for lesson in teacher.lessons if lesson[2] == seed) for seed in (0, 1))
    assert np.bincount(first[1]).tolist() == [7] * 10
    assert not np.array_equal(first[0], second[0])


def test_the_same_request_writes_the_same_figures(world, monkeypatch):
    use(monkeypatch, prototypes)
    once, again = (fashion_gan.augment_test(real_per_class=[2], synthetic_per_class=1, steps=2) for _ in range(2))
    assert once.to_json() == again.to_json()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--model", "absent"], "nothing of that name"),
        (["--model", "{run}"], "must draw 28×28 grey images of Fashion-MNIST's ten classes"),
        (["--real-per-class", "10,many"], "real_per_class='10,many' must be whole numbers with commas"),
        (["--real-per-class", ""], "must be whole numbers with commas"),
        (["--real-per-class", "10,0"], "real_per_class=0 is out of range: it must be at least 1"),
        (["--real-per-class", "10,-5"], "real_per_class=-5 is out of range"),
        (["--real-per-class", "10,10"], "each of them once"),
        (["--real-per-class", "10,31"], "real_per_class=31 is out of range: it must be from 1 to 30"),
        (["--synthetic-per-class", "0"], "synthetic_per_class=0 is out of range"),
        (["--synthetic-per-class", "few"], "not a valid integer"),
        (["--seeds", "1"], "seeds=1 is out of range: it must be from 2 to 100"),
        (["--steps", "0"], "steps=0 is out of range"),
        (["--truncation", "0"], "truncation=0.0 is out of range"),
        (["--out", "absent/figures"], "there is no folder"),
    ],
)
def test_a_bad_request_is_one_line_and_leaves_nothing(world, capsys, toy_run, flags, words):
    flags = [str(toy_run.path) if flag == "{run}" else flag for flag in flags]
    assert words in refused(capsys, *FLAGS, *flags)
    assert not names(world)


def test_data_that_are_not_there_are_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "absent" in refused(capsys, "augment-test", "--data", "absent")
    assert not names(tmp_path)


def test_without_a_training_framework_the_way_to_get_one_is_told(world, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    told = refused(capsys, *FLAGS)
    assert "augment-test trains classifiers and needs Keras" in told
    assert "pip install 'fashion-gan[train]'" in told


def test_what_is_there_is_replaced_by_force_alone_and_only_if_it_is_ours(world, monkeypatch, capsys):
    use(monkeypatch, prototypes)
    out = world / "augment-test"
    out.mkdir()
    (out / trial.FIGURES).write_text("older")
    assert "--force" in refused(capsys, *FLAGS)
    assert main([*FLAGS, "--force"]) == 0
    assert names(out) == ["accuracy.png", "augment-test.json"]
    (out / "thesis.txt").write_text("mine")
    assert "thesis.txt" in refused(capsys, *FLAGS, "--force")
    assert (out / "thesis.txt").read_text() == "mine"


def test_a_failure_half_way_leaves_nothing(world, monkeypatch):
    use(monkeypatch, prototypes)

    def full_disk(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fashion_gan.curves.accuracy_curve", full_disk)
    assert main(FLAGS) == 2
    assert not names(world)
