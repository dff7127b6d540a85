"""The command: its verbs, its help, and errors that are one line with exit code 2."""

import contextlib
import dataclasses
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pytest
from click.shell_completion import ShellComplete
from PIL import Image
from processes import refused, run_python, start_command
from toys import TOY_CLASSES, TRAIN_FLAGS, score_fewer_images

import fashion_gan
from fashion_gan import cli
from fashion_gan.cli import VERBS, app, main
from fashion_gan.config import READ_FROM_THE_DATA, RENAMED_SETTINGS, Config
from fashion_gan.datasets import load_fashion_mnist
from fashion_gan.metrics.self_check import Check, SelfCheck
from fashion_gan.pretrained import names
from fashion_gan.rendering.images import png_bytes

TESTS = Path(__file__).parents[1]
ALL_VERBS = [verb for group in VERBS.values() for verb in group]


def size_of(path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def help_page(capsys, *verb) -> str:
    """The help of a verb, with its spaces and line ends as single spaces."""
    assert main([*verb, "--help"]) == 0
    return " ".join(capsys.readouterr().out.split())


# ---- Errors ----


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--preset", "transposd"], "did you mean 'transposed'"),
        (["--image-size", "30"], "multiple of 4 from 16 to 256"),
        (["--image-size", "big"], "not a valid integer"),
        (["--batch-size", "0"], "batch_size=0 is out of range"),
        (["--batch-size", "100"], "more than the 40 training images"),
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
def test_an_error_in_train_is_one_line_and_leaves_no_folder(capsys, toy_folder, tmp_path, flags, words):
    assert words in refused(
        capsys, *TRAIN_FLAGS, "--data", toy_folder, "--steps", "1", "--out", tmp_path / "runs", *flags
    )
    assert not (tmp_path / "runs").exists()


def test_an_output_folder_that_cannot_be_written_is_an_error(capsys, toy_folder, tmp_path):
    (tmp_path / "runs").write_text("a file in the way")
    flags = ["--data", toy_folder, "--steps", "1", "--out", tmp_path / "runs"]
    assert "cannot be written" in refused(capsys, *TRAIN_FLAGS, *flags)


def test_resuming_with_another_preset_is_an_error(capsys, toy_run):
    assert "cannot continue with 'dcgan-64'" in refused(
        capsys, "train", "--resume", toy_run.path, "--preset", "dcgan-64"
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--label", "lift"], "did you mean 'left'"),
        (["--label", "2"], "0 to 1"),
        (["--count", "0"], "count=0 is out of range"),
        (["--count", "1000000000"], "count=1000000000 is out of range"),
        (["--seed", "-1"], "seed=-1 is out of range"),
        (["--format", "jpeg"], "one of grid, png, npz"),
        (["--interpolate", "3", "-7"], "seed=-7 is out of range"),
        (["--frames", "1", "--interpolate", "3", "7"], "frames=1 is out of range"),
        (["--out", "no/such/folder/x.png"], "there is no folder no/such/folder"),
        (["--out", "x.bmp"], "must end in .png, .jpg, .jpeg or .webp"),
        (["--format", "npz", "--out", "x.png"], "must end in .npz"),
        (["--interpolate", "3", "7", "--out", "x.npz"], "must end in .png, .jpg, .jpeg, .webp, .gif or .mp4"),
        (["--interpolate", "3", "7", "--truncation", "0.5"], "--interpolate does not go with --truncation"),
        (["--label", "1" * 5000], "label='1111"),
    ],
)
def test_an_error_in_generate_is_one_line_and_leaves_no_file(capsys, toy_run, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused(capsys, "generate", "--model", toy_run.path, *flags)
    assert not list(tmp_path.iterdir())


def test_a_path_that_is_not_a_model_is_an_error(capsys, tmp_path):
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


def test_a_dangling_link_is_kept_unless_forced(capsys, toy_run, tmp_path):
    out = tmp_path / "mine.png"
    out.symlink_to(tmp_path / "nowhere")
    assert "--force" in refused(capsys, "generate", "--model", toy_run.path, "--out", out)
    assert out.is_symlink()


def test_a_repeated_command_without_an_output_path_replaces_nothing(capsys, toy_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert main(["generate", "--count", "1"]) == 0
        assert main(["data", "--data", str(toy_folder)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        *("generated.png", "generated-2.png", "pictures.png", "pictures-2.png")
    }
    assert "generated-2.png" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["there.png", "", ".", "/", "absent/x.png", "there.png/x.png", "x" * 300 + ".png"])
def test_data_and_generate_refuse_an_output_that_they_cannot_or_must_not_write(
    capsys, toy_folder, tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    Path("there.png").write_text("mine")
    for verb in (["data", "--data", toy_folder], ["generate"], ["generate", "--format", "png"]):
        refused(capsys, *verb, "--out", name)
    assert [path.name for path in tmp_path.iterdir()] == ["there.png"]
    assert Path("there.png").read_text() == "mine"


def test_force_replaces_generated_pictures_but_refuses_a_folder_with_other_files(capsys, toy_run, tmp_path):
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
        f"00000{i}_class_{i}_{TOY_CLASSES[i]}.png" for i in (0, 1)
    ]
    (tmp_path / "pictures" / "holiday.png").write_text("mine")
    assert "holiday.png" in refused(capsys, *flags)
    assert (tmp_path / "pictures" / "holiday.png").read_text() == "mine"


def test_a_dry_run_prints_the_settings_and_writes_nothing(capsys, toy_folder, tmp_path):
    flags = ["--data", str(toy_folder), "--out", str(tmp_path / "runs"), "--r1-weight", "0.7", "--dry-run"]
    assert main([*TRAIN_FLAGS, *flags]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^  r1_weight +0\.7$", printed, re.MULTILINE)
    assert "40 images" in printed
    assert not (tmp_path / "runs").exists()


def test_train_without_a_terminal_prints_plain_lines_and_the_run_folder(capsys, toy_folder, tmp_path):
    assert main([*TRAIN_FLAGS, "--data", str(toy_folder), "--epochs", "2", "--out", str(tmp_path)]) == 0
    printed, errors = capsys.readouterr()
    assert "\b" not in printed + errors
    assert "\r" not in printed + errors
    epochs = [line for line in printed.splitlines() if line.startswith("epoch ")]
    assert len(epochs) == 2
    for words in ("epoch 2/2", "images/s", "d_loss", "g_loss", "D(real)", "D(fake)", "left"):
        assert words in epochs[1]
    assert f"run      {tmp_path / '0001-fashion'}" in printed
    assert "gan_generated_image_epoch_2.png" in printed


@pytest.mark.parametrize(("name", "format"), [("A.PNG", "PNG"), ("a.JPG", "JPEG"), ("a.webP", "WEBP")])
def test_a_grid_is_written_in_the_format_of_its_suffix(toy_run, tmp_path, name, format):
    assert main(["generate", "--model", str(toy_run.path), "--count", "4", "--out", str(tmp_path / name)]) == 0
    with Image.open(tmp_path / name) as picture:
        assert picture.format == format


@pytest.mark.parametrize("name", ["film.GIF", "strip.PNG"])
def test_a_walk_is_a_film_or_a_strip_whatever_the_case_of_its_suffix(toy_run, tmp_path, name):
    flags = ["--interpolate", "3", "7", "--frames", "3", "--out", str(tmp_path / name)]
    assert main(["generate", "--model", str(toy_run.path), *flags]) == 0
    with Image.open(tmp_path / name) as picture:
        assert picture.format == name.split(".")[1]


def test_a_lack_of_memory_is_one_line(capsys, toy_folder, monkeypatch):
    def fail(*_, **settings):
        np.empty(2**55)

    monkeypatch.setattr("fashion_gan.cli.train.plan", fail)
    assert main([*TRAIN_FLAGS, "--data", str(toy_folder)]) == 1
    assert "fashion-gan: there is not enough memory: Unable to allocate" in capsys.readouterr().err


def test_data_shows_the_classes_of_own_pictures_and_what_was_left_out(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("bags/a.png", "shoes/b.png", "shoes/c.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (30, 20)).save(tmp_path / "in" / name)
    (tmp_path / "in" / "shoes" / "d.heic").write_bytes(b"")
    table = [
        "class          pictures  width×height",
        "bags                  1  30×20",
        "shoes                 2  30×20",
        "all 2 classes         3",
        "",
        "left out                         files  such as",
        ".heic files, which are not read      1  shoes/d.heic",
        "",
        "3 of the pictures are not square: their central square is taken",
    ]
    assert main(["data", "--data", "in"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[:9] == table
    assert printed[-1] == "ten of each class: pictures.png"
    assert size_of(tmp_path / "pictures.png")[1] == 2 * 66 + 2
    assert main([*TRAIN_FLAGS, "--data", "in", "--batch-size", "2", "--dry-run"]) == 0
    assert "\n".join(table) in capsys.readouterr().out
    (tmp_path / "in" / "hats").mkdir()
    for flags in (["data", "--data", "in"], [*TRAIN_FLAGS, "--data", "in", "--dry-run"]):
        assert "in/hats would be a class without pictures" in refused(capsys, *flags)


@pytest.mark.parametrize("format", ["grid", "png", "npz"])
def test_each_format_holds_the_pictures(toy_run, tmp_path, format):
    out = tmp_path / {"grid": "g.png", "png": "folder", "npz": "g.npz"}[format]
    flags = ["--count", "9", "--seed", "3", "--label", "right", "--format", format, "--out", str(out)]
    assert main(["generate", "--model", str(toy_run.path), *flags]) == 0
    if format == "grid":
        assert size_of(out) == (3 * 18 + 2, 3 * 18 + 2)
    elif format == "png":
        assert [path.name for path in sorted(out.iterdir())] == [f"{i:06d}_class_1_right.png" for i in range(9)]
    else:
        with np.load(out) as file:
            assert file["images"].shape == (9, 16, 16, 1)
            assert file["labels"].tolist() == [1] * 9


def test_an_interpolation_is_a_strip_or_a_film(toy_run, tmp_path):
    flags = ["generate", "--model", str(toy_run.path), "--interpolate", "3", "7", "--frames", "5", "--out"]
    assert main([*flags, str(tmp_path / "walk.png")]) == 0
    assert main([*flags, str(tmp_path / "walk.gif")]) == 0
    assert size_of(tmp_path / "walk.png") == (5 * 18 + 2, 18 + 2)
    with Image.open(tmp_path / "walk.gif") as film:
        assert film.n_frames >= 3


LONG_COMMAND = ["dataset", "--per-class", "6000", "--format", "folders", "--out"]


@pytest.mark.full
def test_a_terminated_process_leaves_no_partial_output(tmp_path):
    with start_command(*LONG_COMMAND, tmp_path / "clothes") as process:
        while not list(tmp_path.glob(".writing-*/*/*")):
            assert process.poll() is None
            time.sleep(0.05)
        process.terminate()
        _, message = process.communicate()
    assert process.returncode == 130
    assert message.splitlines()[-1].endswith("fashion-gan: stopped")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_no_partial_output(capsys, monkeypatch, tmp_path):
    calls = []

    def stopped_at_the_third_picture(image):
        calls.append(len(list(tmp_path.glob(".writing-*/images/*/*.png"))))
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return png_bytes(image)

    monkeypatch.setattr("fashion_gan.datasets.writers.png_bytes", stopped_at_the_third_picture)
    flags = ["dataset", "--per-class", "1", "--format", "folders", "--out", str(tmp_path / "clothes")]
    assert main(flags) == 130
    assert calls == [0, 1, 2]
    assert capsys.readouterr().err.splitlines()[-1].endswith("fashion-gan: stopped")
    assert list(tmp_path.iterdir()) == []


def test_data_prints_tables_and_draws_ten_images_of_each_class(capsys, tmp_path):
    assert main(["data", "--out", str(tmp_path / "sheet.png")]) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines()]
    assert ["train", "60,000", "72.94", "90.02"] in [row[:4] for row in rows]
    assert ["test", "10,000"] in [row[:2] for row in rows]
    assert ["9", "Ankle", "boot", "6,000", "1,000"] in rows
    assert size_of(tmp_path / "sheet.png")[1] > 10 * 28


@pytest.fixture(scope="module")
def evaluated(images_file, full):
    """What ``evaluate`` prints, and the folder of its report."""
    report = images_file.parent / "report"
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as printed:
        if not full:
            score_fewer_images(patch)
        assert main(["evaluate", str(images_file), "--protocol", "classes10k", "--report", str(report)]) == 0
    return printed.getvalue(), report


@pytest.fixture(scope="module")
def images_file(tmp_path_factory):
    """The first 10,000 training images of Fashion-MNIST with their labels, as an ``.npz`` file."""
    path = tmp_path_factory.mktemp("evaluated") / "images.npz"
    train = load_fashion_mnist("train")
    np.savez(path, images=train.images[:10_000], labels=train.labels[:10_000])
    return path


def test_evaluate_prints_each_metric_with_interval_and_real_baseline_and_writes_a_report(evaluated):
    printed, report = evaluated
    line = next(line for line in printed.splitlines() if line.startswith("asked_class10k"))
    assert len(re.findall(r"\d+\.\d%", line)) == 4  # the value, the two ends of its interval, the real baseline
    assert f"report   {report / 'report.html'}" in printed
    assert "\r" not in printed
    assert json.loads((report / "metrics.json").read_text())["metrics"]["asked_class10k"]["value"] > 0.9


def test_compare_prints_a_verdict(capsys, evaluated):
    assert main(["compare", str(evaluated[1]), str(evaluated[1] / "metrics.json")]) == 0
    assert "verdict  not distinguishable" in capsys.readouterr().out


def test_an_evaluated_run_keeps_a_line_of_its_metrics_and_its_own_report(fewer_scored_images, capsys, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(TESTS / "fixtures" / "0.1.0" / "run", run)
    lines = (run / "metrics.jsonl").read_text().splitlines()
    assert main(["evaluate", str(run), "--protocol", "classes10k"]) == 0
    *earlier_lines, line = (run / "metrics.jsonl").read_text().splitlines()
    assert earlier_lines == lines
    scores = json.loads(line)
    report = json.loads((run / "report" / "metrics.json").read_text())
    assert "asked_class10k" in report["metrics"]
    assert {name: scores[name] for name in report["metrics"]} == {
        name: metric["value"] for name, metric in report["metrics"].items()
    }
    assert "asked_class10k" in (run / "report" / "report.html").read_text()
    assert f"report   {run / 'report' / 'report.html'}" in capsys.readouterr().out


def test_a_run_on_too_few_pictures_of_its_own_is_an_error_and_keeps_no_line(toy_run):
    with pytest.raises(fashion_gan.InputError, match="has 40 pictures to compare with; at least 50 are needed"):
        fashion_gan.evaluate(toy_run.path)
    assert not (toy_run.path / "metrics.jsonl").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "there is nothing to score"),
        (["absent"], "nothing is there"),
        (["{images}", "--protocol", "fdi"], "protocol='fdi' is unknown"),
        (["{images}", "--protocol", "ffd50k_train"], "needs 50,000 images, there are 10,000"),
        (["{images}", "--seeds", "2"], "seeds=2 is for generators"),
        (["{images}", "--best"], "only a run's folder"),
        (["{images}", "--labels", "absent.npy"], "absent.npy"),
        (["{images}", "--report", "{report}"], "--force"),
        (["fashion", "--report", "{report}"], "--force"),
        (["{images}", "--data", "absent"], "absent"),
    ],
)
def test_an_error_in_evaluate_is_one_line(capsys, evaluated, images_file, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    places = {"{images}": images_file, "{report}": evaluated[1]}
    assert words in refused(capsys, "evaluate", *(places.get(flag, flag) for flag in flags))


def test_an_error_in_compare_is_one_line(capsys, evaluated, tmp_path):
    assert "make one with fashion-gan evaluate" in refused(capsys, "compare", evaluated[1], tmp_path)


def test_a_failed_self_check_ends_with_exit_code_1(capsys, monkeypatch):
    detected = Check("blurred", "ffd10k_test", (1, 2), (0.1, 1.0, 2.0))
    undetected = Check("shifted", "ffd10k_test", (1, 2), (0.1, 1.0, 0.5))
    monkeypatch.setattr("fashion_gan.api.evaluate.check_metrics", lambda *settings: SelfCheck((detected,)))
    assert main(["evaluate", "--self-check"]) == 0
    monkeypatch.setattr("fashion_gan.api.evaluate.check_metrics", lambda *settings: SelfCheck((detected, undetected)))
    assert main(["evaluate", "--self-check"]) == 1
    assert "NOT DETECTED" in capsys.readouterr().out


def test_a_benchmark_prints_an_error_as_one_line(tmp_path):
    path = TESTS.parent / "benchmarks" / "leaderboard.py"
    command = [sys.executable, path, "--scale", "-1", "--runs", tmp_path / "runs", "--docs", tmp_path / "docs"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["fashion-gan: minutes=-5.0 is out of range: it must be between 0 and 1,000,000"]
    assert not (tmp_path / "runs").exists()


# ---- Help ----


def test_help_and_version_import_no_framework():
    requests = [[verb.name, "--help"] for verb in ALL_VERBS] + [["--help"], ["--version"]]
    code = (
        f"import sys; from fashion_gan.cli import main; codes = [main(request) for request in {requests!r}];"
        "imported = {'keras', 'tensorflow', 'jax', 'torch', 'matplotlib', 'starlette'} & set(sys.modules);"
        "sys.exit(str(imported or codes) if imported or any(codes) else 0)"
    )
    assert run_python(code).count("Usage: fashion-gan") == len(ALL_VERBS) + 1


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_command_itself_shows_the_whole_summary_of_every_verb(capsys, monkeypatch, arguments):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(arguments) == 0
    page = capsys.readouterr().out
    assert max(len(line) for line in page.splitlines()) < 80
    words = " ".join(page.split())
    for verb in ALL_VERBS:
        summary = " ".join(verb.help.partition("\n\n")[0].split())
        assert f" {verb.name} {summary}" in words
        assert summary.endswith(".")


def test_every_setting_is_an_option_with_its_own_sentence(capsys):
    page = help_page(capsys, "train")
    for field in dataclasses.fields(Config):
        if field.name not in READ_FROM_THE_DATA:
            flag = field.name.replace("_", "-")
            assert f" --{flag} " in page or f" --[no-]{flag} " in page
            assert all(part in page for part in field.metadata["text"].rstrip(".").split(" None: "))
    for flag in ("--out", "--resume", "--dry-run"):
        assert f" {flag} " in page


def test_train_help_shows_groups_and_the_defaults_of_the_presets(capsys):
    page = help_page(capsys, "train")
    headings = ("Data:", "Networks:", "Objective and optimizer:", "Budget:", "Output:", "Machine:", "Examples:")
    positions = [page.index(f" {heading} ") for heading in headings]
    assert positions == sorted(positions)
    assert "Images in a batch. [default: 32; transposed, dcgan-64, dcgan-128: 64; upsampling: 128]" in page
    assert "Condition both networks on the class. [default: on; transposed, upsampling, dcgan-64," in page
    assert "[default: 0; transposed, upsampling, dcgan-64, dcgan-128: the R1 weight]" in page
    assert "[default: fashion for Fashion-MNIST, pictures for other data]" in page


@pytest.mark.parametrize("verb", ALL_VERBS, ids=lambda verb: verb.name)
def test_every_verb_ends_with_two_examples_that_parse(capsys, monkeypatch, tmp_path, verb):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    assert main([verb.name, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(verb.examples) == 2
    assert lines[-3:] == ["Examples:", *(f"  {example}" for example in verb.examples)]
    assert max(map(len, lines)) < 80
    assert verb.examples[0].split()[1] == verb.name
    for example in verb.examples:
        program, name, *arguments = shlex.split(example)
        assert program == "fashion-gan"
        for argument in arguments:
            if argument.endswith(".h5"):
                Path(argument).touch()  # The verb import checks that its file exists.
        app.commands[name].make_context(name, arguments)


def test_the_earlier_name_of_a_setting_is_an_error_with_the_present_name(capsys):
    for old_name, name in RENAMED_SETTINGS.items():
        old_flag, flag = (f"--{setting.replace('_', '-')}" for setting in (old_name, name))
        assert f"{old_flag} is now called {flag} " in refused(capsys, "train", f"{old_flag}=1")
    assert "--no-centre is now called --no-center-images" in refused(capsys, "train", "--no-centre")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["train", "--sampling"], "(see fashion-gan train --help)"),
        (["train", "--loss", "hing"], "(see fashion-gan train --help)"),
        (["train", "--width", "3"], "(see fashion-gan train --help)"),
        (["export", "fashion"], "(see fashion-gan export --help)"),
        (["compare", "one"], "(see fashion-gan compare --help)"),
        (["trian"], "(see fashion-gan --help)"),
    ],
)
def test_a_usage_error_ends_with_a_hint_at_the_help(capsys, arguments, hint):
    assert refused(capsys, *arguments).endswith(f"{hint}\n")


# ---- Completion in the shell ----


def completions(*words, incomplete="") -> list[tuple[str, str]]:
    shell = ShellComplete(app, {}, "fashion-gan", "_FASHION_GAN_COMPLETE")
    return [(item.value, item.type) for item in shell.get_completions(list(words), incomplete)]


@pytest.mark.parametrize("verb", ALL_VERBS, ids=lambda verb: verb.name)
def test_the_shell_completes_every_choice_model_and_path(verb):
    options = [parameter for parameter in verb.params if isinstance(parameter, click.Option)]
    for option in options:
        items = completions(verb.name, option.opts[0])
        if isinstance(option.type, click.Choice):
            assert items == [(value, "plain") for value in option.type.choices]
        elif option.name == "model" or option.name == "init_from":
            assert items == [("", "file"), *((name, "plain") for name in names())]
        elif isinstance(option.type, click.Path):
            assert items[0][1] in ("file", "dir")
    assert ("--help", "plain") in completions(verb.name, incomplete="--h")


def test_every_text_setting_is_completed():
    for field in dataclasses.fields(Config):
        if "allowed" in field.metadata and field.type is str:
            flag = f"--{field.name.replace('_', '-')}"
            assert [value for value, _ in completions("train", flag)] == list(field.metadata["allowed"])
    assert completions("train", "--data", incomplete="pic") == [("pic", "file")]
    assert completions("generate", "--model", incomplete="fash") == [("fash", "file"), ("fashion", "plain")]


def test_the_command_answers_the_shell(capsys, monkeypatch):
    monkeypatch.setenv("_FASHION_GAN_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "fashion-gan train --preset dcg")
    monkeypatch.setenv("COMP_CWORD", "3")
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 0
    assert capsys.readouterr().out.split() == ["plain,dcgan-64", "plain,dcgan-128"]


# ---- The process ----


def test_a_call_from_python_leaves_the_process_as_it_is(capsys):
    handler, environment = signal.getsignal(signal.SIGTERM), dict(os.environ)
    assert main(["train", "--dry-run"]) == 0
    assert signal.getsignal(signal.SIGTERM) is handler
    assert dict(os.environ) == environment


def test_a_process_of_its_own_is_set_up(capsys, monkeypatch):
    calls = []
    monkeypatch.setattr(cli, "_set_up_process", lambda: calls.append("set up"))
    monkeypatch.setattr(sys, "argv", ["fashion-gan", "--version"])
    assert main() == 0
    assert calls == ["set up"]
