"""A finished run's ONNX files, with which the base install draws, explores and converts the run."""

import shutil

import numpy as np
import pytest
from processes import command

import fashion_gan
from fashion_gan import runs
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.runs import Run
from fashion_gan.saving import export, origins
from fashion_gan.training import trainer


@pytest.fixture
def run(toy_run, tmp_path):
    return Run.open(shutil.copytree(toy_run.path, tmp_path / "run"))


@pytest.fixture
def without_keras(monkeypatch):
    for module in (origins, runs):
        monkeypatch.setattr(module, "missing_backend", lambda backend: "no backend is installed")
    monkeypatch.setattr("fashion_gan.api.load.use_backend", lambda backend: pytest.fail("Keras was imported"))


def differences(first, second):
    return np.abs(first.generate(20, as_float=True) - second.generate(20, as_float=True)).max()


def test_the_onnx_file_draws_the_images_of_the_recalibrated_average(toy_run):
    from_onnx = Generator.load(toy_run.onnx_generator_path)
    assert differences(from_onnx, fashion_gan.load_generator(toy_run.path)) < 1e-4
    assert differences(from_onnx, fashion_gan.load_generator(toy_run.generator_path)) < 1e-4


def test_without_keras_a_run_is_drawn_from_its_onnx_file(run, tmp_path, without_keras):
    expected = Generator.load(run.onnx_generator_path)
    assert differences(fashion_gan.load_generator(run.path), expected) == 0
    assert command("generate", "--model", run.path, "--out", tmp_path / "images.png").returncode == 0
    assert run.generator_step() == 15


@pytest.mark.parametrize(
    ("options", "command_line"),
    [
        ({}, "export {run} --format onnx --out {run}/generator.onnx"),
        ({"best": True}, "export {run} --best --format onnx --out {run}/generator_best.onnx"),
        ({"raw": True}, "export {run} --raw --format onnx --out {run}/generator_raw.onnx"),
    ],
    ids=["newest", "best", "raw"],
)
def test_without_keras_and_onnx_file_the_message_names_the_command_that_writes_it(
    run, without_keras, options, command_line
):
    run.onnx_generator_path.unlink()
    step, state = run.load_checkpoint()
    run.save_best_checkpoint(step, 1.0, state)
    with pytest.raises(InputError, match="needs Keras") as caught:
        fashion_gan.load_generator(run.path, **options)
    assert str(caught.value).endswith("fashion-gan " + command_line.format(run=run.path))


def test_that_command_writes_the_file(run, without_keras, monkeypatch):
    run.onnx_generator_path.unlink()
    with pytest.raises(InputError) as caught:
        fashion_gan.load_generator(run.path)
    words = str(caught.value).rpartition("fashion-gan ")[2].split()
    with monkeypatch.context() as patch:
        patch.setattr(origins, "missing_backend", lambda backend: None)
        assert command(*words).returncode == 0
    assert fashion_gan.load_generator(run.path).generate(1).shape == (1, 16, 16, 1)


@pytest.mark.onnx_file
def test_a_resumed_run_replaces_its_onnx_file(run):
    before = run.onnx_generator_path.read_bytes()
    fashion_gan.resume(run.path, steps=16)
    assert run.onnx_generator_path.read_bytes() != before
    assert differences(Generator.load(run.onnx_generator_path), fashion_gan.load_generator(run.path)) < 1e-4


def test_a_resumed_run_has_no_older_onnx_file_if_it_is_interrupted(run, monkeypatch):
    def stop(training):
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "fit_until_budget_ends", stop)
    with pytest.raises(KeyboardInterrupt):
        fashion_gan.resume(run.path, steps=16)
    assert not run.onnx_generator_path.exists()


@pytest.mark.onnx_file
@pytest.mark.parametrize(
    "error", [InputError("onnx needs tf2onnx"), AttributeError("module 'numpy' has no attribute 'bool'")]
)
def test_a_conversion_that_fails_is_a_line_and_loses_nothing(run, monkeypatch, capsys, error):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(export, "save", fail)
    for path in (run.generator_path, run.training_curve_path, run.film_path):
        path.unlink()
    fashion_gan.resume(run.path)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("fashion-gan: ")]
    assert str(error) in line
    assert line.endswith(f"fashion-gan export {run.path} --format onnx --out {run.onnx_generator_path}")
    assert all(path.exists() for path in (run.generator_path, run.training_curve_path, run.film_path))
    assert not run.onnx_generator_path.exists()
