"""The command: its verbs, and that every bad request is one clear line and status 2."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import TOY_FLAGS, command
from PIL import Image

import fashion_gan
from fashion_gan.cli import main
from fashion_gan.datasets import load_fashion_mnist
from fashion_gan.metrics.canaries import Check

TRAIN = ["train", "--preset", "fashion", *TOY_FLAGS]


def size_of(path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def refused(capsys, *arguments) -> str:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert status == 2
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith("fashion-gan: ")
    return captured.err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--preset", "transposd"], "did you mean 'transposed'"),
        (["--image-size", "30"], "multiple of 4 from 16 to 128"),
        (["--image-size", "big"], "not a valid integer"),
        (["--batch-size", "0"], "batch_size=0 is out of range"),
        (["--batch-size", "100"], "more than the 40 images"),
        (["--epochs", "0"], "epochs=0 is out of range"),
        (["--epochs", "many"], "not a valid integer"),
        (["--steps", "-1"], "steps=-1 is out of range"),
        (["--minutes", "0"], "minutes=0.0 is out of range"),
        (["--learning-rate", "0"], "learning_rate=0.0 is out of range"),
        (["--learning-rate", "nan"], "learning_rate=nan is out of range"),
        (["--loss", "hing"], "did you mean 'hinge'"),
        (["--backend", "theano"], "tensorflow, jax, torch"),
        (["--data", "no/such/folder"], "no/such/folder"),
        (["--sampling"], "No such option"),
        (["--resume", "no/such/run"], "no such folder"),
    ],
)
def test_a_bad_training_request_is_one_line_and_leaves_nothing(capsys, toy_folder, tmp_path, flags, words):
    assert words in refused(capsys, *TRAIN, "--data", toy_folder, "--steps", "1", "--out", tmp_path / "runs", *flags)
    assert not (tmp_path / "runs").exists()


def test_an_output_folder_that_cannot_be_written_is_one_line(capsys, toy_folder, tmp_path):
    (tmp_path / "runs").write_text("a file in the way")
    flags = ["--data", toy_folder, "--steps", "1", "--out", tmp_path / "runs"]
    assert "cannot be written" in refused(capsys, *TRAIN, *flags)


def test_a_resume_of_another_architecture_is_one_line(capsys, toy_run):
    assert "cannot go on with 'dcgan-64'" in refused(capsys, "train", "--resume", toy_run.path, "--preset", "dcgan-64")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--label", "lift"], "did you mean 'left'"),
        (["--label", "2"], "0 to 1"),
        (["--count", "0"], "count=0 is out of range"),
        (["--count", "1000000000"], "count=1000000000 is out of range"),
        (["--seed", "-1"], "seed=-1 is out of range"),
        (["--format", "jpeg"], "'grid', 'png', 'npz'"),
        (["--interpolate", "3", "-7"], "seed=-7 is out of range"),
        (["--frames", "1", "--interpolate", "3", "7"], "frames=1 is out of range"),
        (["--out", "no/such/folder/x.png"], "no/such/folder/x.png: No such file"),
        (["--out", "x.jpg"], "must end in .png"),
        (["--format", "npz", "--out", "x.png"], "must end in .npz"),
        (["--interpolate", "3", "7", "--out", "x.npz"], "must end in .png or .gif"),
        (["--interpolate", "3", "7", "--truncation", "0.5"], "--interpolate does not go with --truncation"),
        (["--label", "1" * 5000], "label='1111"),
    ],
)
def test_a_bad_request_to_generate_is_one_line(capsys, toy_run, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused(capsys, "generate", "--model", toy_run.path, *flags)
    assert not list(tmp_path.iterdir())


def test_what_is_no_model_is_one_line(capsys, tmp_path):
    (tmp_path / "model.keras").write_text("a note")
    out = ["--out", tmp_path / "out.png"]
    assert "not a model file" in refused(capsys, "generate", "--model", tmp_path / "model.keras", *out)
    assert "nothing of that name" in refused(capsys, "generate", "--model", tmp_path / "absent", *out)
    assert "not a run's folder" in refused(capsys, "generate", "--model", tmp_path, *out)


def test_an_existing_output_is_kept_unless_forced(capsys, toy_run, tmp_path):
    out = tmp_path / "mine.png"
    out.write_text("mine")
    assert "--force" in refused(capsys, "generate", "--model", toy_run.path, "--out", out)
    assert out.read_text() == "mine"
    assert main(["generate", "--model", str(toy_run.path), "--out", str(out), "--force"]) == 0
    assert size_of(out)[0] > 16


def test_a_link_that_leads_nowhere_is_kept_unless_forced(capsys, toy_run, tmp_path):
    out = tmp_path / "mine.png"
    out.symlink_to(tmp_path / "nowhere")
    assert "--force" in refused(capsys, "generate", "--model", toy_run.path, "--out", out)
    assert out.is_symlink()


def test_force_replaces_a_folder_of_pictures_and_nothing_that_is_not_ours(capsys, toy_run, tmp_path):
    flags = [
        "generate",
        "--model",
        str(toy_run.path),
        "--format",
        "png",
        "--out",
        str(tmp_path / "pictures"),
        "--force",
    ]
    for count in ("9", "2"):
        assert main([*flags, "--count", count]) == 0
    assert [path.name for path in sorted((tmp_path / "pictures").iterdir())] == [
        f"00000{i}_class_{i}.png" for i in (0, 1)
    ]
    (tmp_path / "pictures" / "holiday.png").write_text("mine")
    assert "holiday.png" in refused(capsys, *flags)
    assert (tmp_path / "pictures" / "holiday.png").read_text() == "mine"


def test_a_dry_run_prints_the_configuration_and_makes_nothing(capsys, toy_folder, tmp_path):
    flags = ["--data", str(toy_folder), "--out", str(tmp_path / "runs"), "--penalty", "0.7", "--dry-run"]
    assert main([*TRAIN, *flags]) == 0
    printed = capsys.readouterr().out
    assert "penalty          0.7" in printed
    assert "40 images" in printed
    assert not (tmp_path / "runs").exists()


def test_training_off_a_terminal_prints_plain_lines_and_where_the_run_is(toy_folder, tmp_path):
    done = command(*TRAIN, "--data", toy_folder, "--epochs", "2", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    epochs = [line for line in done.stdout.splitlines() if line.startswith("epoch ")]
    assert len(epochs) == 2
    for words in ("epoch 2/2", "images/s", "d_loss", "g_loss", "D(real)", "D(fake)", "left"):
        assert words in epochs[1]
    assert f"run      {tmp_path / '0001-fashion'}" in done.stdout
    assert "gan_generated_image_epoch_2.png" in done.stdout


@pytest.mark.parametrize("kind", ["grid", "png", "npz"])
def test_each_format_holds_the_pictures_asked_for(toy_run, tmp_path, kind):
    out = tmp_path / {"grid": "g.png", "png": "folder", "npz": "g.npz"}[kind]
    flags = ["--count", "9", "--seed", "3", "--label", "right", "--format", kind, "--out", str(out)]
    assert main(["generate", "--model", str(toy_run.path), *flags]) == 0
    if kind == "grid":
        assert size_of(out) == (3 * 18 + 2, 3 * 18 + 2)
    elif kind == "png":
        assert [path.name for path in sorted(out.iterdir())] == [f"{i:06d}_class_1.png" for i in range(9)]
    else:
        with np.load(out) as file:
            assert file["images"].shape == (9, 16, 16, 1)
            assert file["labels"].tolist() == [1] * 9


def test_a_walk_between_seeds_is_a_strip_or_a_film(toy_run, tmp_path):
    flags = ["generate", "--model", str(toy_run.path), "--interpolate", "3", "7", "--frames", "5", "--out"]
    assert main([*flags, str(tmp_path / "walk.png")]) == 0
    assert main([*flags, str(tmp_path / "walk.gif")]) == 0
    assert size_of(tmp_path / "walk.png") == (5 * 18 + 2, 18 + 2)
    with Image.open(tmp_path / "walk.gif") as film:
        assert film.n_frames >= 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped_leaves_nothing_half_written(tmp_path, number):
    arguments = ["dataset", "--per-class", "6000", "--format", "folders", "--out", tmp_path / "clothes"]
    with subprocess.Popen(
        [sys.executable, "-m", "fashion_gan", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        while not list(tmp_path.glob(".writing-*/*/*")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        message = process.stderr.read()
    assert process.returncode == 130
    assert message.splitlines()[-1].endswith("fashion-gan: stopped")
    assert list(tmp_path.iterdir()) == []


def test_data_prints_what_there_is_and_draws_ten_of_each_class(capsys, tmp_path):
    assert main(["data", "--out", str(tmp_path / "sheet.png")]) == 0
    printed = capsys.readouterr().out
    for words in ("60000 images", "10000 images", "mean 72.94", "deviation 90.02", "9 Ankle boot     6000   1000"):
        assert words in printed
    assert size_of(tmp_path / "sheet.png")[1] > 10 * 28


@pytest.fixture(scope="module")
def evaluated(toy_images):
    done = command("evaluate", toy_images, "--protocol", "classes10k", "--report", toy_images.parent / "report")
    assert done.returncode == 0, done.stderr
    return done, toy_images.parent / "report"


@pytest.fixture(scope="module")
def toy_images(tmp_path_factory):
    path = tmp_path_factory.mktemp("evaluated") / "images.npz"
    train = load_fashion_mnist("train")
    np.savez(path, images=train.images[:10_000], labels=train.labels[:10_000])
    return path


def test_evaluate_prints_each_figure_with_its_interval_and_floor_and_writes_a_report(evaluated):
    done, report = evaluated
    line = next(line for line in done.stdout.splitlines() if line.startswith("asked_class10k"))
    assert len(re.findall(r"\d+\.\d%", line)) == 4  # the value, the interval's two ends, the floor
    assert f"report   {report / 'report.html'}" in done.stdout
    assert "\r" not in done.stdout
    assert json.loads((report / "metrics.json").read_text())["figures"]["asked_class10k"]["value"] > 0.9


def test_compare_prints_a_verdict(capsys, evaluated):
    assert main(["compare", str(evaluated[1]), str(evaluated[1] / "metrics.json")]) == 0
    assert "verdict  not distinguishable" in capsys.readouterr().out


def test_an_evaluated_run_keeps_a_line_of_its_figures_and_its_own_report(toy_run):
    with pytest.raises(fashion_gan.InputError, match="these are 16×16"):
        fashion_gan.evaluate(toy_run.path, protocols=["classes10k"])
    assert not (toy_run.path / "metrics.jsonl").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "what is to be scored"),
        (["absent"], "nothing is there"),
        (["{images}", "--protocol", "fdi"], "protocol='fdi' is unknown"),
        (["{images}", "--protocol", "ffd50k_train"], "needs 50,000 images, there are 10,000"),
        (["{images}", "--seeds", "2"], "seeds=2 is for generators"),
        (["{images}", "--best"], "is no run"),
        (["{images}", "--labels", "absent.npy"], "absent.npy"),
        (["{images}", "--report", "{report}"], "--force"),
        (["{images}", "--data", "absent"], "absent"),
    ],
)
def test_a_bad_request_to_evaluate_is_one_line(capsys, evaluated, toy_images, flags, words):
    places = {"{images}": toy_images, "{report}": evaluated[1]}
    assert words in refused(capsys, "evaluate", *(places.get(flag, flag) for flag in flags))


def test_a_bad_request_to_compare_is_one_line(capsys, evaluated, tmp_path):
    assert "make one with fashion-gan evaluate" in refused(capsys, "compare", evaluated[1], tmp_path)


def test_a_self_check_that_fails_ends_with_status_1(capsys, monkeypatch):
    seen = Check("blurred", "ffd10k_test", (1, 2), (0.1, 1.0, 2.0))
    missed = Check("shifted", "ffd10k_test", (1, 2), (0.1, 1.0, 0.5))
    monkeypatch.setattr("fashion_gan.evaluation.check_metrics", lambda data: [seen])
    assert main(["evaluate", "--self-check"]) == 0
    monkeypatch.setattr("fashion_gan.evaluation.check_metrics", lambda data: [seen, missed])
    assert main(["evaluate", "--self-check"]) == 1
    assert "NOT SEEN" in capsys.readouterr().out


@pytest.mark.parametrize(
    "flags",
    [
        *(
            [verb, "--help"]
            for verb in ("train", "generate", "evaluate", "dataset", "augment-test", "export", "import", "explore")
        ),
        ["--help"],
        ["--version"],
    ],
)
def test_help_and_version_import_no_framework(flags):
    script = (
        f"import sys; from fashion_gan.cli import main; main({flags!r});"
        "sys.exit(bool({'keras', 'tensorflow', 'jax', 'torch', 'matplotlib', 'starlette'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "fashion-gan" in done.stdout


def test_a_benchmark_says_in_one_line_what_it_cannot_use(tmp_path):
    script = Path(__file__).parents[1] / "benchmarks" / "presets.py"
    command = [sys.executable, script, "--minutes", "-1", "--runs", tmp_path / "runs", "--docs", tmp_path / "docs"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["presets.py: minutes=-1.0 is out of range: it must be between 0 and 1e+06"]
    assert not (tmp_path / "runs").exists()


def test_every_setting_is_an_option_with_its_own_words(capsys):
    main(["train", "--help"])
    text = capsys.readouterr().out
    for flag in (
        "--epochs",
        "--batch-size",
        "--save-interval",
        "--seed",
        "--out",
        "--steps",
        "--minutes",
        "--dry-run",
        "--resume",
        "--backend",
        "--mixed-precision",
        "--penalty",
        "--checkpoint-every",
        "--conditional",
    ):
        assert flag in text
