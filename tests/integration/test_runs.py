"""A run's folder: its number, checkpoints that are written atomically, and a log that can be rewound."""

import errno
import re
import zipfile

import numpy as np
import pytest

from fashion_gan import runs
from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.runs import LOG_COLUMNS, Run

CONFIG = Config.from_preset("transposed")


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / "runs", CONFIG, "0" * 64)


def row(step):
    return {**dict.fromkeys(LOG_COLUMNS, 1.5), "step": step}


def state(value):
    return {"0000|a": np.full(1000, value, "float32"), "0001|b": np.array(value), "seconds": np.array(1.5)}


def test_a_folder_whose_name_begins_with_digits_of_another_kind_has_no_number(tmp_path):
    (tmp_path / "²²²²-old").mkdir()
    assert Run.create(tmp_path, CONFIG, "").path.name.startswith("0001-")


def test_runs_are_numbered_and_never_overwritten(tmp_path):
    first, second = (Run.create(tmp_path, CONFIG, "") for _ in range(2))
    (tmp_path / "notes").mkdir()
    (first.path / "log.csv").write_text("kept")
    third = Run.create(tmp_path, Config.from_preset("dcgan-64"), "")
    assert [run.path.name for run in (first, second, third)] == ["0001-transposed", "0002-transposed", "0003-dcgan-64"]
    assert (first.path / "log.csv").read_text() == "kept"


def test_an_opened_run_has_the_configuration_that_it_was_created_with(run):
    assert Run.open(run.path).config == CONFIG
    assert Run.open(run.path).data_fingerprint == "0" * 64


def test_the_environment_names_the_versions_of_the_packages(run):
    environment = runs.environment("x", "tensorflow")
    assert {"keras", "numpy", "fashion-gan"} <= set(environment["packages"])


@pytest.mark.parametrize("content", [None, "", "{}}", '{"preset": "no such"}'])
def test_a_folder_that_is_no_run_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(InputError, match=str(tmp_path)):
        Run.open(tmp_path)


def test_an_output_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        Run.create(tmp_path / "file", CONFIG, "")


def test_the_last_two_checkpoints_are_kept_and_the_newest_is_loaded(run):
    for step in (5, 10, 15):
        run.save_checkpoint(step, state(step))
    assert [path.name for path in run.checkpoint_paths()] == ["step-000000010.npz", "step-000000015.npz"]
    step, loaded = run.load_checkpoint()
    assert step == 15
    assert np.array_equal(loaded["0000|a"], state(15)["0000|a"])


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None])
def test_the_checkpoint_before_a_damaged_one_is_loaded(run, damage):
    for step in (5, 10):
        run.save_checkpoint(step, state(step))
    newest = run.checkpoint_paths()[-1]
    newest.write_bytes(newest.read_bytes()[:1500] if damage is None else damage)
    step, loaded = run.load_checkpoint()
    assert step == 5
    assert loaded["0001|b"] == 5


def test_a_checkpoint_with_a_flipped_bit_counts_as_damaged(run):
    for step in (5, 10):
        run.save_checkpoint(step, state(step))
    newest = run.checkpoint_paths()[-1]
    data = bytearray(newest.read_bytes())
    data[2000] ^= 1
    newest.write_bytes(data)
    assert run.load_checkpoint()[0] == 5


def test_an_error_names_each_checkpoint_if_none_can_be_read(run):
    run.save_checkpoint(5, state(5))
    run.checkpoint_paths()[0].write_bytes(b"junk")
    with pytest.raises(InputError, match="step-000000005"):
        run.load_checkpoint()


def test_damaged_lines_of_metrics_are_ignored_and_the_others_are_read(run):
    run.append_metrics({"step": 1, "ffd5k_validation": 2.0})
    with open(run.path / "metrics.jsonl", "ab") as file:
        file.write(b'5\n{"ffd5k_validation": "x"}\n{"images": null}\n{"ffd5k_validation": NaN}\n\xff\n{"step": 2, "ff')
    run.append_metrics({"step": 3})
    assert [row["step"] for row in run.read_metrics()] == [1, 3]
    run.rewind(2)
    assert [row["step"] for row in run.read_metrics()] == [1]


def test_the_best_checkpoint_keeps_its_score_until_training_rewinds_to_an_earlier_step(run):
    assert run.best_score() == np.inf
    run.save_best_checkpoint(7, 1.5, {"weight": np.ones(3), "seconds": np.array(2.5)})
    assert run.best_score() == 1.5
    step, state = run.load_best_checkpoint()
    assert step == 7
    assert list(state) == ["weight", "seconds"]
    run.rewind(7)
    assert run.best_score() == 1.5
    run.rewind(6)
    assert run.best_score() == np.inf


def test_a_failed_write_leaves_the_earlier_checkpoint_and_no_temporary_file(run, monkeypatch):
    run.save_checkpoint(5, state(5))

    def full_disk(path, **arrays):
        path.write_bytes(b"half a checkpoint")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(runs.np, "savez", full_disk)
    with pytest.raises(OSError, match="No space left"):
        run.save_checkpoint(10, state(10))
    assert [path.name for path in (run.path / "checkpoints").iterdir()] == ["step-000000005.npz"]
    assert run.load_checkpoint()[0] == 5


def test_a_rewound_log_ends_at_the_checkpoint_and_loses_its_incomplete_row(run):
    for step in (50, 100, 150):
        run.append_log(row(step))
    with open(run.path / "log.csv", "a") as file:
        file.write("1.5,200,1.")
    (run.path / "film" / "step_000000090.png").touch()
    (run.path / "film" / "step_000000110.png").touch()
    (run.path / "checkpoints" / ".writing-step-000000200.npz").touch()
    run.rewind(100)
    run.append_log(row(120))
    assert run.read_log()["step"].tolist() == [50, 100, 120]
    assert [path.name for path in (run.path / "film").iterdir()] == ["step_000000090.png"]
    assert not list(run.path.rglob(".writing-*"))


@pytest.mark.parametrize("last_field", ["", "1.", "1.5"])
def test_a_rewound_log_loses_a_row_that_was_cut_in_its_last_field(run, last_field):
    for step in (50, 60):
        run.append_log(row(step))
    run.log_path.write_text(run.log_path.read_text().removesuffix("1.5\n") + last_field)
    run.rewind(60)
    run.append_log(row(70))
    assert run.read_log()["step"].tolist() == [50, 70]


@pytest.mark.parametrize("text", ["", "epoch,st", ",".join(LOG_COLUMNS)])
def test_a_log_with_an_incomplete_header_starts_again(run, text):
    (run.path / "log.csv").write_text(text)
    run.rewind(0)
    run.append_log(row(50))
    assert run.read_log()["step"].tolist() == [50]


@pytest.mark.parametrize(
    ("damage", "left"),
    [
        (lambda text: text.replace(b"60", b"6\0"), [50, 70]),
        (lambda text: text.replace(b"60", b"6\xff"), [50, 70]),
        (lambda text: text.replace(b"60,", b"60"), [50, 70]),
        (lambda text: text.replace(b"60", b"9" * 200_000), [50, 70]),
        (lambda text: text.replace(b"60", b"nan"), [50, 70]),
        (lambda text: text.replace(b"60", b'"60'), [50, 70]),
        (lambda text: text.replace(b"epoch,", b"epoch\0,"), [50, 60, 70]),
        (lambda text: text.replace(b",d_fake", b""), [50, 60, 70]),
        (lambda text: text.replace(b",d_fake", b"").replace(b",1.5\r", b"\r"), []),
        (lambda text: text.decode().encode("utf-16"), []),
        (lambda text: b"\0" * len(text) + b"\n", []),
    ],
    ids=[
        "NUL",
        "byte",
        "comma",
        "digits",
        "nan",
        "quote",
        "header",
        "column",
        "fields",
        "utf-16",
        "zeros",
    ],
)
def test_damaged_rows_of_the_log_are_left_out_and_told(run, capsys, damage, left):
    for step in (50, 60, 70):
        run.append_log(row(step))
    run.log_path.write_bytes(damage(run.log_path.read_bytes()))
    assert run.read_log()["step"].tolist() == left
    run.rewind(70)
    run.append_log(row(80))
    assert run.read_log()["step"].tolist() == [*left, 80]
    messages = capsys.readouterr().err.splitlines()
    assert len(messages) == 2
    assert all(re.search(r"log\.csv is read without \d damaged rows?$", line) for line in messages)


@pytest.mark.parametrize("damage", [lambda text: text.partition(b"\n")[2], lambda text: b"\xef\xbb\xbf" + text])
def test_a_log_without_its_header_or_with_a_byte_order_mark_loses_nothing(run, capsys, damage):
    for step in (50, 60):
        run.append_log(row(step))
    run.log_path.write_bytes(damage(run.log_path.read_bytes()))
    assert run.read_log()["step"].tolist() == [50, 60]
    assert not capsys.readouterr().err


def test_a_log_with_more_columns_in_another_order_is_read(run):
    run.append_log(row(50))
    columns = [("note", "x"), *reversed(list(row(50).items()))]
    run.log_path.write_text("".join(",".join(map(str, line)) + "\n" for line in zip(*columns, strict=True)))
    run.rewind(50)
    run.append_log(row(60))
    assert run.read_log()["step"].tolist() == [50, 60]


def test_a_row_that_is_being_written_is_not_told(run, capsys):
    run.append_log(row(50))
    with open(run.log_path, "a") as file:
        file.write("1.5,60,1.")
    assert run.read_log()["step"].tolist() == [50]
    assert not capsys.readouterr().err


def test_damaged_lines_of_metrics_are_told_when_a_run_resumes(run, capsys):
    run.append_metrics({"step": 50, "ffd5k_validation": 1.0})
    with open(run.metrics_path, "ab") as file:
        file.write(b'\xff\0\n{"step": 1' + b"0" * 400 + b"}\n")
    run.rewind(50)
    assert "continues without 2 damaged lines" in capsys.readouterr().err
    assert [line["step"] for line in run.read_metrics()] == [50]


def test_copies_that_a_file_manager_made_are_left_alone(run):
    run.save_checkpoint(5, state(5))
    names = [
        "checkpoints/step-best.npz",
        "checkpoints/step-99999999999999999999.npz",
        "checkpoints/step-000000009 (1).npz",
        "film/step_000000009_copy.png",
        "samples/gan_generated_image_epoch_9_copy.png",
    ]
    for name in names:
        (run.path / name).touch()
    assert run.last_sample is None
    assert not run.frame_paths()
    assert "step 5" in repr(run)
    run.rewind(run.load_checkpoint()[0])
    run.save_checkpoint(6, state(6))
    assert all((run.path / name).exists() for name in names)


def test_missing_parts_of_a_run_are_made_again(run, capsys):
    for folder in (run.checkpoint_folder, run.sample_folder, run.film_folder):
        folder.rmdir()
    run.environment_path.write_text("{")
    run.restore_parts("data")
    assert all(path.is_dir() for path in (run.checkpoint_folder, run.sample_folder, run.film_folder))
    assert run.data_fingerprint == "data"
    assert "environment.json is missing or damaged" in capsys.readouterr().err
    run.restore_parts("other data")
    assert run.data_fingerprint == "data"


@pytest.mark.parametrize("name", ["film", "film/step_000000005.png", "log.csv", "checkpoints"])
def test_a_run_whose_part_is_a_link_to_elsewhere_is_refused(run, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if (run.path / name).is_dir():
        (run.path / name).rmdir()
    (run.path / name).symlink_to(elsewhere)
    with pytest.raises(InputError, match="is a link"):
        run.restore_parts("data")


def test_a_configuration_that_cannot_be_read_is_refused(run, monkeypatch):
    def fail(*arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(runs.Path, "read_text", fail)
    with pytest.raises(InputError, match=r"config\.json cannot be read: Permission denied"):
        Run.open(run.path)


@pytest.mark.parametrize("path", ["x" * 300, "a\0b", ""])
def test_a_path_that_no_folder_can_have_is_refused(path):
    with pytest.raises(InputError, match=r"^path=.* must be the path of a file or a folder"):
        Run.open(path)


def test_rewinding_deletes_a_damaged_checkpoint_instead_of_a_good_one(run):
    for step in (5, 10):
        run.save_checkpoint(step, state(step))
    run.checkpoint_paths()[-1].write_bytes(b"junk")
    run.rewind(run.load_checkpoint()[0])
    run.save_checkpoint(7, state(7))
    assert [path.name for path in run.checkpoint_paths()] == ["step-000000005.npz", "step-000000007.npz"]


def test_the_last_sample_is_that_of_the_highest_epoch(run):
    assert run.last_sample is None
    for epoch in (9, 10):
        (run.path / "samples" / f"gan_generated_image_epoch_{epoch}.png").touch()
    assert run.last_sample.name == "gan_generated_image_epoch_10.png"


def rewrite(path, **changes):
    """Replace arrays of a checkpoint. None removes one."""
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays = {name: array for name, array in {**arrays, **changes}.items() if array is not None}
    np.savez(path, **arrays)


def unclosed_header(path):
    data = path.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("0000|a.npy", b"\x93NUMPY\x01\x00\x20\x00{'descr': '<f4', 'shape': (3,   " + data[:64])


CRAFTED = {
    "empty": lambda path: path.write_bytes(b""),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "an unclosed header": unclosed_header,
    "another shape": lambda path: rewrite(path, **{"0000|a": np.zeros(999, "float32")}),
    "a missing array": lambda path: rewrite(path, **{"0000|a": None}),
    "objects": lambda path: rewrite(path, **{"0000|a": np.array([None] * 1000)}),
    "text": lambda path: rewrite(path, **{"0000|a": np.full(1000, "x")}),
    "dates": lambda path: rewrite(path, **{"0000|a": np.zeros(1000, "datetime64[s]")}),
    "not finite": lambda path: rewrite(path, **{"0000|a": np.full(1000, np.nan, "float32")}),
    "no time": lambda path: rewrite(path, seconds=None),
    "times": lambda path: rewrite(path, seconds=np.zeros(2)),
}


@pytest.mark.parametrize("damage", CRAFTED)
def test_the_checkpoint_before_a_crafted_one_is_loaded_and_a_line_says_so(capsys, run, damage):
    for step in (5, 10):
        run.save_checkpoint(step, state(step))
    CRAFTED[damage](run.checkpoint_path(10))

    def choose(shapes):
        if shapes.get("0000|a") != (1000,):
            raise InputError("it is of another architecture")
        return list(shapes)

    assert run.load_checkpoint(choose)[0] == 5
    error = capsys.readouterr().err
    assert f"{run.path}: step-000000005.npz is used, because step-000000010.npz: " in error
    assert error.count("\n") == 1


def test_a_line_of_metrics_with_a_number_of_400_digits_is_ignored(run):
    (run.path / "metrics.jsonl").write_text(f'{{"step": {10**400}}}\n{{"step": 2}}\n')
    assert [row["step"] for row in run.read_metrics()] == [2]
