"""Data sets in shards: the same images whatever the number of shards, shards that can be repeated, and the merge."""

import io
import itertools
import json
import shutil
import tarfile
import tracemalloc

import numpy as np
import pytest
from halves import halves_generator
from PIL import Image
from processes import command, refused, run_python

import fashion_gan
from fashion_gan.api import make_dataset as make_module
from fashion_gan.api import numbered_images, taught_classifier
from fashion_gan.api.labeled_images import Filters
from fashion_gan.api.numbered_images import NumberedImages
from fashion_gan.datasets import shard_readers
from fashion_gan.datasets.generated import read_manifest
from fashion_gan.datasets.shard_readers import read_parts
from fashion_gan.datasets.sharded import ShardedImages
from fashion_gan.datasets.shards import FORMATS, Shard
from fashion_gan.datasets.writers import checksums
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.latents import numbered_latents
from fashion_gan.metrics.features import extract
from fashion_gan.system.atomic_files import sha256

COUNT = 47
DATA_FILES = {"idx": "train-*ubyte.gz", "npz": "train-*.npz", "parquet": "train-*.parquet", "webdataset": "train-*.tar"}


def write_shards(folder, of, count=COUNT, order=None, **settings):
    """Write all shards of a data set, in some order, and merge them. Return the manifest."""
    for number in order or range(1, of + 1):
        fashion_gan.make_dataset(folder, count=count, shard=f"{number}/{of}", **{"format": "npz", **settings})
    return fashion_gan.merge_dataset(folder)


def contents(folder):
    """All images and labels of a data set of shards."""
    parts = list(read_parts(folder, read_manifest(folder)))
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """A merged data set of three shards. Tests copy it before they change it."""
    folder = tmp_path_factory.mktemp("three") / "set"
    write_shards(folder, 3)
    return folder


@pytest.fixture
def shards(three, tmp_path):
    """A copy of the three shards, in a folder of its own."""
    return shutil.copytree(three, tmp_path / "set")


# ---- The same data set ----


def test_numbered_latents_depend_on_the_seed_the_number_and_the_draw_only():
    numbers = np.array([7, 0, 10**12, 7])
    latents = numbered_latents(numbers, 5, seed=2**100)
    for row, number in enumerate(numbers):
        stream = np.random.Philox(key=2**100, counter=[0, 0, number, 0])
        assert np.array_equal(latents[row], np.random.Generator(stream).standard_normal(5, np.float32))
    again = numbered_latents(numbers[1:2], 5, seed=2**100, draws=np.array([3]))
    others = [latents[0], latents[1], again[0], numbered_latents(numbers[1:2], 5, seed=1)[0]]
    assert all(not np.isin(first, second).any() for first, second in itertools.combinations(others, 2))
    many = numbered_latents(np.arange(20_000), 4, seed=0, truncation=0.5)
    np.testing.assert_allclose(np.cov(many.T), np.eye(4) / 4, atol=0.01)
    assert abs(np.corrcoef(many[:-1, 0], many[1:, 0])[0, 1]) < 0.03


@pytest.mark.parametrize("format", FORMATS)
def test_any_number_of_shards_in_any_order_is_the_same_data_set(three, tmp_path, format):
    one = fashion_gan.make_dataset(tmp_path / "one", count=COUNT, format=format)
    images, labels = contents(tmp_path / "one")
    assert labels.tolist() == [number % 10 for number in range(COUNT)]
    for folder in (three, tmp_path / "many"):
        if folder != three:
            write_shards(folder, 5, order=(4, 1, 5, 3, 2), format=format)
        assert np.array_equal(contents(folder)[0], images)
        assert np.array_equal(contents(folder)[1], labels)
    assert (one["images"], one["shards"]) == (COUNT, 1)
    dataset = fashion_gan.load_training_images(tmp_path / "many", 28, 1)
    assert np.array_equal(dataset.images, images)
    assert dataset.class_names == fashion_gan.CLASS_NAMES


def test_a_shard_does_not_depend_on_the_processors_or_on_how_much_is_drawn_at_once(monkeypatch):
    kept = []
    for threads, together in ((1, 256), (2, 4096), (7, 512)):
        monkeypatch.setattr(numbered_images, "DRAWN_TOGETHER", together)
        drawing = NumberedImages(Generator.from_pretrained(threads=threads), 3, 1.0, Filters())
        kept.append(np.concatenate([images for images, _ in drawing.draw(990, 1700)]))
    assert np.array_equal(kept[0], kept[1])
    assert np.array_equal(kept[0], kept[2])


def test_a_keras_model_draws_the_same_shards(toy_run, tmp_path):
    """Keras gets full batches of 256 images, whatever the shard's length."""
    for of in (1, 3):
        write_shards(tmp_path / str(of), of, count=300, model=toy_run.generator_path)
    assert toy_run.generator_path.suffix == ".keras"
    assert np.array_equal(contents(tmp_path / "1")[0], contents(tmp_path / "3")[0])


def test_with_a_confidence_filter_an_image_is_its_own_first_draw_that_passes(tmp_path):
    filtered = {"min_confidence": 0.95, "truncation": 1.2, "seed": 4}
    manifest = write_shards(tmp_path / "many", 4, **filtered)
    whole = fashion_gan.make_dataset(tmp_path / "one", count=COUNT, format="npz", **filtered)
    assert np.array_equal(contents(tmp_path / "many")[0], contents(tmp_path / "one")[0])
    assert manifest["classes"] == whole["classes"]
    assert sum(tally["unsure"] for tally in manifest["classes"]) > 0
    assert all(tally["drawn"] == tally["kept"] + tally["unsure"] for tally in manifest["classes"])
    generator, numbers = Generator.from_pretrained(), np.arange(COUNT)
    expected, missing = np.empty((COUNT, 28, 28, 1), np.uint8), np.ones(COUNT, bool)
    for draw in range(20):
        latents = numbered_latents(numbers, 100, 4, 1.2, draws=np.full(COUNT, draw))
        drawn = generator.decode(latents, numbers % 10)
        passes = missing & (extract(drawn).probabilities[numbers, numbers % 10] >= 0.95)
        expected[passes] = drawn[passes]
        missing &= ~passes
    assert np.array_equal(contents(tmp_path / "one")[0], expected)
    assert not missing.any()


def test_a_hopeless_filter_ends_with_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("fashion_gan.api.labeled_images.MIN_DRAWN", 20)
    with pytest.raises(InputError, match="fewer than one in fifty"):
        fashion_gan.make_dataset(
            tmp_path / "set", count=30, shard="1/2", format="npz", min_confidence=1.0, truncation=1.5
        )
    assert not list((tmp_path / "set").iterdir())


def test_the_data_set_of_before_is_another_one(three, tmp_path):
    """The docs say so: its latents come from one stream, which cannot be entered in its middle."""
    fashion_gan.make_dataset(tmp_path / "before", 4, format="npz")
    with np.load(tmp_path / "before" / "dataset.npz") as file:
        assert not np.array_equal(file["images"], contents(three)[0][:40])


@pytest.mark.parametrize("format", FORMATS)
def test_equal_shards_have_equal_bytes_at_any_time(tmp_path, format, monkeypatch):
    for year in (0, 20):
        monkeypatch.setattr("time.time", lambda year=year: 1e9 + year * 365 * 86400)
        write_shards(tmp_path / str(year), 2, format=format)
    assert checksums(tmp_path / "0") == checksums(tmp_path / "20")


def test_an_own_classifier_is_part_of_the_settings(tmp_path, monkeypatch):
    """Every job trains its own, unless they share a cache. So the merge compares the classifiers' checksums."""
    generator = halves_generator(("right", "left"), first=1, wrong_below=-0.5)
    monkeypatch.setattr(make_module, "load_generator", lambda model: generator)
    shown = []

    def taught(weights):
        def probabilities(images):
            shown.append(len(images))
            left = images[:, :, :8].mean(axis=(1, 2, 3)) > 127
            return np.stack([~left, left], axis=1).astype(np.float32)

        about = {"classifier_data": "halves", "classifier_data_sha256": "0", "classifier_accuracy": 1.0}
        return taught_classifier.TaughtClassifier(probabilities, about, weights, 50)

    for number, weights in ((1, "a"), (2, "b")):
        monkeypatch.setattr(make_module, "teach_classifier", lambda *_, weights=weights: taught(weights))
        settings = {"count": 41, "shard": f"{number}/2", "format": "npz", "min_confidence": 0.9, "data": "halves"}
        if number == 2:
            with pytest.raises(InputError, match=r"filters\.classifier_weights_sha256='a', not 'b'"):
                fashion_gan.make_dataset(tmp_path / "set", **settings)
            monkeypatch.setattr(make_module, "teach_classifier", lambda *_: taught("a"))
        fashion_gan.make_dataset(tmp_path / "set", **settings)
    fashion_gan.merge_dataset(tmp_path / "set")
    images, labels = contents(tmp_path / "set")
    assert ((images[:, :, :8].mean(axis=(1, 2, 3)) > 127) == labels).all()
    assert all(count % 50 == 0 for count in shown)


# ---- Files ----


def test_webdataset_s_own_library_reads_the_shards(tmp_path):
    """It runs in a process of its own, because it leaves files open."""
    pytest.importorskip("webdataset")
    write_shards(tmp_path / "set", 2, format="webdataset")
    code = """
import glob, json, sys, numpy, webdataset
paths = sorted(glob.glob(sys.argv[1] + "/*.tar"))
items = list(webdataset.WebDataset(paths, shardshuffle=False).decode("pill").to_tuple("__key__", "png", "cls"))
print(json.dumps([(key, label, numpy.asarray(picture).tolist()) for key, picture, label in items]))
"""
    keys, classes, pictures = zip(*json.loads(run_python(code, tmp_path / "set")), strict=True)
    images, labels = contents(tmp_path / "set")
    assert keys == tuple(f"{number:06d}" for number in range(COUNT))
    assert list(classes) == labels.tolist()
    assert np.array_equal(np.array(pictures, np.uint8), images[..., 0])


def test_other_programs_read_each_format(tmp_path):
    from pyarrow import parquet

    images, labels = None, None
    for format in ("npz", "parquet", "idx"):  # noqa: A001
        write_shards(tmp_path / format, 2, format=format)
        images, labels = contents(tmp_path / format)
    with np.load(tmp_path / "npz" / "train-00001-of-00002.npz") as file:
        assert np.array_equal(file["images"], images[23:])
        assert np.array_equal(file["labels"], labels[23:])
        assert tuple(file["class_names"]) == fashion_gan.CLASS_NAMES
    table = parquet.read_table(tmp_path / "parquet" / "train-00000-of-00002.parquet")
    assert table["label"].to_pylist() == labels[:23].tolist()
    names = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]["label"]["names"]
    assert tuple(names) == fashion_gan.CLASS_NAMES


def test_a_shard_takes_little_memory_however_many_images_it_holds(tmp_path, monkeypatch):
    """Each of these shards holds 31 MB of images."""
    generator = Generator(lambda inputs: np.zeros((len(inputs[0]), 28, 28, 1), np.float32), 2, ("a", "b"))
    monkeypatch.setattr(make_module, "load_generator", lambda model: generator)
    for format in ("npz", "idx"):  # noqa: A001
        folder = tmp_path / format
        tracemalloc.start()
        fashion_gan.make_dataset(folder, count=80_000, shard="1/2", format=format)
        written = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert written < 20e6, written
        fashion_gan.make_dataset(folder, count=80_000, shard="2/2", format=format)
        fashion_gan.merge_dataset(folder)
    sharded = ShardedImages.find(tmp_path / "idx")
    tracemalloc.start()
    images, labels = sharded.draw(1000, seed=0)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    assert np.array_equal(labels, np.random.default_rng(0).permutation(80_000)[:1000] % 2)
    assert (images == 128).all()


def test_more_images_than_can_be_shuffled_are_drawn_without_repetition(shards, monkeypatch):
    monkeypatch.setattr("fashion_gan.datasets.sharded.MOST_SHUFFLED", 40)
    sharded = ShardedImages.find(shards)
    images, labels = sharded.draw(30, seed=1)
    numbers = sharded._random_numbers(30, 1)
    assert len(set(numbers.tolist())) == 30
    assert np.array_equal(images, contents(shards)[0][numbers])
    assert np.array_equal(labels, numbers % 10)


# ---- Repeating a shard ----


def test_a_complete_shard_is_verified_and_left_as_it_is(shards, capsys, monkeypatch):
    monkeypatch.setattr(NumberedImages, "draw", lambda *_: pytest.fail("it was drawn again"))
    before = {path: path.stat().st_mtime_ns for path in shards.iterdir()}
    fashion_gan.make_dataset(shards, count=COUNT, shard="2/3", format="npz")
    assert "shard 2/3" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in shards.iterdir()} == before


@pytest.mark.parametrize("damage", ["a bit", "no images", "no record", "another's record"])
def test_a_damaged_shard_is_written_again(shards, damage):
    before = checksums(shards)
    images = shards / "train-00001-of-00003.npz"
    if damage == "a bit":
        flip_a_bit(images)
    else:
        images.unlink()
    if damage == "no record":
        (shards / "train-00001-of-00003.json").unlink()
    if damage == "another's record":
        shutil.copy(shards / "train-00002-of-00003.json", shards / "train-00001-of-00003.json")
    fashion_gan.make_dataset(shards, count=COUNT, shard="2/3", format="npz")
    assert checksums(shards) == before


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("moment", [1, 2])
def test_an_interrupted_shard_leaves_nothing_that_counts_as_complete(tmp_path, monkeypatch, moment):
    """It is interrupted when the first of its files gets its name, or the second."""
    from fashion_gan.system import atomic_files

    calls, replace = itertools.count(1), atomic_files._replace_file

    def interrupted(*paths):
        if next(calls) == moment:
            raise KeyboardInterrupt
        replace(*paths)

    monkeypatch.setattr(atomic_files, "_replace_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fashion_gan.make_dataset(tmp_path / "set", count=30, shard="1/1", format="npz")
    assert not list((tmp_path / "set").glob("*.npz"))
    with pytest.raises(InputError, match="holds no shards" if moment == 1 else "shard 1/1 is damaged"):
        fashion_gan.merge_dataset(tmp_path / "set")
    assert write_shards(tmp_path / "set", 1, 30)["images"] == 30


def test_leftovers_of_killed_jobs_go_with_the_merge(shards):
    (shards / ".writing-7-abc-train-00001-of-00003.npz").touch()
    fashion_gan.merge_dataset(shards)
    assert not list(shards.glob(".writing-*"))


def test_a_file_that_fashion_gan_did_not_write_is_kept(shards, capsys):
    (shards / "train-00001-of-00003.json").unlink()
    flags = ["--count", COUNT, "--shard", "2/3", "--format", "npz", "--out", shards]
    before = sha256(shards / "train-00001-of-00003.npz")
    assert "train-00001-of-00003.npz already exists, but no train-00001-of-00003.json" in refused(
        capsys, "dataset", *flags
    )
    assert sha256(shards / "train-00001-of-00003.npz") == before
    assert command("dataset", *flags, "--force").returncode == 0


# ---- The merge ----


def test_the_manifest_and_the_card_describe_all_shards(shards):
    manifest = json.loads((shards / "manifest.json").read_text())
    assert (manifest["images"], manifest["shards"], manifest["format"], manifest["seed"]) == (COUNT, 3, "npz", 0)
    assert [tally["kept"] for tally in manifest["classes"]] == [5] * 7 + [4] * 3
    files = {name: digest for name, digest in checksums(shards).items() if not name.endswith(".json")}
    assert manifest["files"] == files
    card = (shards / "README.md").read_text()
    assert "# 47 generated images of 10 classes" in card
    assert "in 3 shards" in card
    assert "numbered: those of an image depend on the seed and its number only" in card


@pytest.mark.parametrize(
    ("format", "shows"),
    [
        ("idx", "print(len(images), len(labels))"),
        ("npz", "print(len(images), len(labels))"),
        ("webdataset", "print(len(list(images)))"),
    ],
)
def test_the_program_of_a_card_reads_the_shards(tmp_path, format, shows):
    if format == "webdataset":
        pytest.importorskip("webdataset")
    write_shards(tmp_path / "set", 2, format=format)
    code = (tmp_path / "set" / "README.md").read_text().split("```python\n")[1].split("```")[0]
    read = run_python(code + shows, cwd=tmp_path / "set").split()
    assert read == ([str(COUNT)] if format == "webdataset" else ["24", "24"])  # Of the last file.


def test_a_merge_can_be_repeated(shards):
    before = checksums(shards)
    assert fashion_gan.merge_dataset(shards) == json.loads((shards / "manifest.json").read_text())
    assert checksums(shards) == before


def missing(folder):
    for path in folder.glob("train-00001-*"):
        path.unlink()


def doubled(folder):
    for path in folder.glob("train-00001-*"):
        shutil.copy(path, folder / path.name.replace("00001", "00002"))


def foreign(folder):
    fashion_gan.make_dataset(folder, count=COUNT, shard="3/3", format="npz", seed=1, force=True)


def of_another_number(folder):
    missing(folder)
    fashion_gan.make_dataset(folder, count=COUNT, shard="2/4", format="npz", force=True)


def stray(folder):
    shutil.copy(folder / "train-00001-of-00003.npz", folder / "train-00007-of-00009.npz")


def renamed(folder):
    (folder / "train-00001-of-00003.json").rename(folder / "train-00001-of-00009.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (missing, "1 of 3 shards are missing: 2/3"),
        (doubled, "shard 2/3 is there twice, as train-00001-of-00003.json and train-00002-of-00003.json"),
        (
            foreign,
            "train-00002-of-00003.json is of another data set than train-00000-of-00003.json, with seed=1, not 0",
        ),
        (
            of_another_number,
            "train-00001-of-00004.json is of another data set than train-00000-of-00003.json, with sha",
        ),
        (stray, "train-00007-of-00009.npz is of no shard of this data set"),
        (renamed, "train-00001-of-00009.json holds shard 2/3, whose record is called train-00001-of-00003.json"),
        (
            lambda folder: flip_a_bit(folder / "train-00002-of-00003.npz"),
            "shard 3/3 is damaged: train-00002-of-00003.npz",
        ),
        (lambda folder: (folder / "train-00000-of-00003.npz").unlink(), "shard 1/3 is damaged"),
        (lambda folder: (folder / "train-00001-of-00003.json").write_text("{}"), "is not the record of a shard"),
        (lambda folder: (folder / "train-00001-of-00003.json").write_bytes(b"\xff"), "is not the record of a shard"),
    ],
)
def test_a_merge_names_the_shard_that_is_missing_damaged_foreign_or_doubled(shards, capsys, change, words):
    change(shards)
    assert words in refused(capsys, "dataset", "--merge", shards)


def test_shards_that_are_not_merged_are_refused_where_data_are_read(shards, capsys):
    (shards / "manifest.json").unlink()
    line = f"{shards} holds shards that are not merged: run fashion-gan dataset --merge {shards}"
    for words in (["train", "--data", shards, "--dry-run"], ["evaluate", shards], ["data", "--data", shards]):
        assert line in refused(capsys, *words)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--shard", "18/17"], "shard='18/17' is out of range: it must be from 1/17 to 17/17"),
        (["--shard", "0/10"], "shard='0/10' is out of range: it must be from 1/10 to 10/10"),
        (["--shard", "1/0"], "shard='1/0' is out of range"),
        (["--shard", "a/b"], "shard='a/b' must be two whole numbers such as 17/1000"),
        (["--shard", "-1/3"], "shard='-1/3' must be two whole numbers"),
        (["--shard", "1/101"], "100 images cannot be divided into 101 shards"),
        (["--count", "1000000000", "--shard", "1/1000001"], "1,000,001 shards; there can be at most 1,000,000"),
        (["--per-class", "3"], "--count does not go with --per-class"),
        (["--count", "0"], "count=0 is out of range"),
        (["--count", "10000000000000"], "count=10000000000000 is out of range"),
        (["--no-duplicates"], "least_difference=10 (--no-duplicates) does not go with count (--count)"),
        (["--format", "folders"], "format='folders' does not go with count (--count): use idx or npz or parquet or"),
        (["--merge", "."], "--merge does not go with --count"),
        (["--seed", "-1"], "seed=-1 is out of range"),
        (["--out", "absent/set", "--shard", "1/2"], "there is no folder absent"),
    ],
)
def test_a_wrong_option_is_one_line_and_leaves_no_file(capsys, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused(capsys, "dataset", "--count", 100, "--out", "set", "--format", "npz", *flags)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--out", "set", "--shard", "1/2"], "shard='1/2' (--shard) is a part of count images"),
        (["--out", "set", "--format", "webdataset"], "format='webdataset' is for a data set of count images (--count)"),
        (["--per-class", "1"], "there is no folder to write to: set --out, or --merge"),
        (["--merge", "absent"], "absent is not a folder of shards"),
        (["--merge", "."], "holds no shards"),
    ],
)
def test_options_that_lack_another_one_are_refused(capsys, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused(capsys, "dataset", *flags)


def test_a_folder_with_another_data_set_is_kept(shards, tmp_path, capsys):
    flags = ["dataset", "--count", COUNT, "--format", "npz", "--shard"]
    line = refused(capsys, *flags, "1/3", "--seed", 1, "--out", shards)
    assert "train-00000-of-00003.json is of another data set, with seed=0, not 1: choose another folder" in line
    assert "with shards=3, not 4" in refused(capsys, *flags, "2/4", "--out", shards)
    fashion_gan.make_dataset(tmp_path / "plain", 1, format="npz")
    assert "plain holds another data set" in refused(capsys, *flags, "1/3", "--out", tmp_path / "plain")
    with pytest.raises(InputError, match="--force"):
        fashion_gan.make_dataset(shards, count=COUNT, format="npz")
    assert fashion_gan.make_dataset(shards, count=COUNT, format="npz", force=True)["shards"] == 1


def test_a_data_set_of_count_images_is_written_atomically(tmp_path, monkeypatch):
    monkeypatch.setattr(
        make_module, "merge_dataset", lambda folder: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    with pytest.raises(OSError, match="No space"):
        fashion_gan.make_dataset(tmp_path / "set", count=30, format="npz")
    assert not list(tmp_path.iterdir())


def test_shards_cover_every_image_once():
    for count, of in ((10**9, 1000), (7, 7), (1000, 7), (3, 2)):
        shards = [Shard(number, of, count) for number in range(1, of + 1)]
        assert (shards[0].start, shards[-1].stop) == (0, count)
        assert all(first.stop == second.start for first, second in itertools.pairwise(shards))
        assert {shard.stop - shard.start for shard in shards} <= {count // of, count // of + 1}
    assert Shard(17, 1000, 10**9).name == "train-00016-of-01000"


# ---- Reading ----


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_and_foreign_files_are_one_line(tmp_path, format, monkeypatch):
    folder = tmp_path / "set"
    write_shards(folder, 2, format=format)
    manifest = read_manifest(folder)
    monkeypatch.setattr(shard_readers, "PART_BYTES", 5 * 784)
    assert [len(images) for images, _ in read_parts(folder, manifest)] == [5] * 4 + [3] + [5] * 4 + [4]
    path = sorted(folder.glob(DATA_FILES[format]))[0]
    content = path.read_bytes()
    other = tmp_path / "other"
    write_shards(other, 2, count=30, format=format)
    for wrong in (
        b"",
        content[: len(content) // 2],
        b"x" * 1000,
        next(iter(sorted(other.glob(DATA_FILES[format])))).read_bytes(),
    ):
        path.write_bytes(wrong)
        with pytest.raises(InputError) as caught:
            list(read_parts(folder, manifest))
        assert "\n" not in str(caught.value)
        assert path.name in str(caught.value)
    if format != "parquet":  # Parquet files are read as everybody's, larger than the memory, without checksums.
        with pytest.raises(InputError, match="altered: its checksum differs"):
            fashion_gan.load_training_images(folder, 28, 1)


@pytest.mark.parametrize(
    "change",
    [
        *({"shards": 0}, {"shards": 10**7}, {"shards": "x"}, {"images": 0}, {"images": None}),
        *({"shape": [28, 28]}, {"shape": 3}, {"format": "folders"}, {"files": 3}),
    ],
)
def test_a_damaged_manifest_is_no_manifest(shards, change):
    manifest = json.loads((shards / "manifest.json").read_text())
    (shards / "manifest.json").write_text(json.dumps({**manifest, **change}))
    assert read_manifest(shards) is None


def test_images_of_another_type_are_refused(shards):
    path = shards / "train-00001-of-00003.npz"
    with np.load(path) as file:
        np.savez(path, images=file["images"].astype(np.float32), labels=file["labels"])
    with pytest.raises(InputError, match="it holds other images or classes than the manifest says"):
        list(read_parts(shards, read_manifest(shards)))


def test_pictures_of_the_shards_are_plain_files(tmp_path):
    write_shards(tmp_path / "set", 1, count=3, format="webdataset")
    with tarfile.open(tmp_path / "set" / "train-00000-of-00001.tar") as archive:
        assert archive.getnames() == [f"{number:06d}.{suffix}" for number in range(3) for suffix in ("png", "cls")]
        image = Image.open(io.BytesIO(archive.extractfile("000002.png").read()))
        assert (image.size, image.mode) == ((28, 28), "L")
        assert archive.extractfile("000002.cls").read() == b"2"
