"""Pictures of any kind are scored against real ones of the same kind: every source, every reference, every refusal."""

import dataclasses
import gzip
import importlib.util
import json
import re
import struct
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image
from processes import refused
from toys import smooth_dataset, smooth_pictures

import fashion_gan
from fashion_gan.api.evaluate import check_metrics, compare
from fashion_gan.datasets import Dataset, load_fashion_mnist
from fashion_gan.errors import InputError
from fashion_gan.metrics.distances import frechet_distance, gaussian
from fashion_gan.metrics.pictures import patches
from fashion_gan.metrics.pictures.feature_networks import RANDOM_NETWORK, FeatureNetwork
from fashion_gan.metrics.pictures.reference import PictureReference, split
from fashion_gan.metrics.pictures.self_check import check_pictures

PIECES = ["distances", "neighbors", "diversity"]  # quick protocols


@pytest.fixture(autouse=True)
def few_patches(full, monkeypatch, tmp_path):
    """1,000 patches in 32 directions instead of 16,384 in 512, except at full scale; and a cache for each test."""
    monkeypatch.setattr("fashion_gan.api.real_pictures.metrics_cache_folder", lambda: tmp_path / "cache")
    if not full:
        monkeypatch.setattr(patches, "PATCHES", 1000)
        monkeypatch.setattr(patches, "DIRECTIONS", 32)
        monkeypatch.setattr(patches, "REPLICATE_DIRECTIONS", 4)


def save_folder(folder, images, names=None):
    """Write PNG files, with a subfolder for each class if there are names."""
    for number, image in enumerate(images):
        path = folder / ("" if names is None else names[number]) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(path)
    return folder


def save_npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def save_mnist(folder, images, labels, name="train"):
    """Write gray images and their labels as MNIST's files."""
    folder.mkdir(exist_ok=True)
    for part, kind, array in (("images", "idx3", images[..., 0]), ("labels", "idx1", labels)):
        header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        path = folder / f"{name}-{part}-{kind}-ubyte.gz"
        path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))
    return folder


def save_parquet(path, images):
    parquet, pyarrow = (pytest.importorskip(name) for name in ("pyarrow.parquet", "pyarrow"))
    folder = save_folder(path.with_suffix(""), images)
    cells = [{"bytes": file.read_bytes(), "path": file.name} for file in sorted(folder.iterdir())]
    parquet.write_table(pyarrow.table({"image": cells}), path)
    return path


def of(images, name="pictures"):
    return Dataset(images, np.zeros(len(images), np.int32), (), name)


def evaluate(source, reference, protocols=PIECES, **settings):
    return fashion_gan.evaluate(source, reference=reference, protocols=protocols, **settings)


# ---- Sources and references ----


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_same_pictures_score_the_same_from_every_source_and_against_every_reference(tmp_path, channels):
    generated, real = smooth_pictures(60, channels=channels, seed=1), smooth_pictures(210, channels=channels)
    expected = evaluate(generated, of(real))
    sources = (
        save_npz(tmp_path / "generated.npz", images=generated),
        save_folder(tmp_path / "generated", generated),
        of(generated),
        generated.tolist() if channels == 1 else generated.astype(np.int64),
        *([save_parquet(tmp_path / "generated.parquet", generated)] if importlib.util.find_spec("pyarrow") else []),
    )
    for source in sources:
        assert evaluate(source, of(real)).metrics == expected.metrics
    for reference in (save_npz(tmp_path / "real.npz", x=real), save_folder(tmp_path / "real", real)):
        evaluation = evaluate(generated, reference)
        assert evaluation.metrics == expected.metrics
        assert evaluation.fingerprint == expected.fingerprint
    assert expected.fingerprint["size"] == f"16×16×{channels}"
    assert expected.fingerprint["counts"] == [60, 160, 50]
    assert expected.details["protocols"] == ["distances60_to_50", "neighbors50_to_50", "diversity60_to_50"]


def test_the_test_pictures_of_mnists_files_are_compared_with(tmp_path):
    train, test = (smooth_dataset(count, 3, channels=1, seed=count) for count in (70, 60))
    train = dataclasses.replace(train, class_names=("0", "1", "2"))
    save_mnist(tmp_path / "data", train.images, train.labels)
    only_training = evaluate(train, tmp_path / "data", "distances")
    assert only_training.fingerprint["counts"] == [70, 70, 70]
    save_mnist(tmp_path / "data", test.images, test.labels, "t10k")
    evaluation = evaluate(train, tmp_path / "data", ["distances", "within_classes", "training_distance"])
    assert evaluation.fingerprint["counts"] == [70, 70, 60]
    assert [row["name"] for row in evaluation.details["within_classes"]] == ["0", "1", "2"]
    # All training pictures are scored, so the distance to them is zero.
    assert evaluation.metrics["frechet_train"].value < 1e-3 < evaluation.metrics["frechet"].value


def test_pictures_that_are_not_square_are_scored_against_arrays(tmp_path):
    paths = [save_npz(tmp_path / f"{seed}.npz", images=smooth_pictures(60, 17, 40, seed=seed)) for seed in range(2)]
    evaluation = evaluate(*paths, "standard")
    assert evaluation.fingerprint["size"] == "17×40×3"
    with pytest.raises(InputError, match=r"read as squares, but the pictures to compare are 40×17: name an \.npz"):
        evaluate(paths[0], save_folder(tmp_path / "squares", smooth_pictures(60)))


def test_fashion_mnist_is_a_reference(monkeypatch):
    train, test = (load_fashion_mnist(split) for split in ("train", "test"))
    parts = [
        dataclasses.replace(split, images=split.images[:300], labels=split.labels[:300]) for split in (train, test)
    ]
    monkeypatch.setattr(
        "fashion_gan.api.real_pictures.load_fashion_mnist", lambda split, folder=None: parts[split == "test"]
    )
    evaluation = evaluate("fashion", "fashion-mnist", ["distances", "within_classes"])
    assert evaluation.fingerprint["counts"] == [300, 300, 300]
    assert evaluation.labels is not None
    noise = np.random.default_rng(0).integers(0, 256, (300, 28, 28, 1), np.uint8)
    assert evaluation.metrics["frechet"].value < evaluate(noise, "fashion-mnist", "distances").metrics["frechet"].value


def test_gray_pictures_are_compared_in_color_with_pictures_in_color(tmp_path):
    gray, color = smooth_pictures(60, channels=1, seed=1), smooth_pictures(210)
    evaluation = evaluate(gray, save_folder(tmp_path / "color", color), report=tmp_path / "report")
    assert evaluation.fingerprint["size"] == "16×16×3"
    assert evaluation.metrics == evaluate(gray.repeat(3, axis=3), of(color)).metrics
    assert evaluate(gray, save_folder(tmp_path / "gray", color[..., :1])).fingerprint["size"] == "16×16×1"
    # Real pictures of gray squares are enlarged and repeated, as training shows them.
    assert evaluate(smooth_pictures(60, 20, 20, seed=1), of(color[..., :1])).fingerprint["size"] == "20×20×3"


def test_the_pictures_of_a_folder_are_read_at_a_size(tmp_path):
    mixed = save_folder(tmp_path / "mixed", [*smooth_pictures(40, 20, 20), *smooth_pictures(30, 24, 30)])
    real = save_folder(tmp_path / "real", smooth_pictures(60, 40, 40))
    with pytest.raises(InputError, match=r"several sizes: \(20, 20\) and \(30, 24\); name the size .*--image-size"):
        evaluate(mixed, real)
    assert evaluate(mixed, real, image_size=18).fingerprint["size"] == "18×18×3"
    oblong = save_folder(tmp_path / "oblong", smooth_pictures(60, 20, 30))
    with pytest.raises(InputError, match=r"of \(30, 20\) pixels; name the size"):
        evaluate(oblong, real)
    with pytest.raises(InputError, match="image_size=18 is for a folder of pictures"):
        evaluate(smooth_pictures(), real, image_size=18)


def test_what_a_folder_leaves_out_or_changes_is_said(tmp_path, capsys):
    folder = save_folder(tmp_path / "folder", smooth_pictures(70))
    (folder / "0000.png").write_bytes((folder / "0000.png").read_bytes()[:60])
    (folder / "0001.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("a text")
    evaluation = evaluate(folder, save_folder(tmp_path / "real", smooth_pictures(60, 12, 12)))
    assert evaluation.source["images"] == 60  # As many as there are real ones.
    lines = capsys.readouterr().err
    assert "2 left out (cannot be read), such as 000" in lines
    assert "1 left out (.txt files, which are not read)" in lines
    assert "60 of the pictures are smaller than 16×16 and are enlarged" in lines


def test_a_users_network_takes_the_place_of_the_random_one(tmp_path):
    nodes = [helper.make_node("ReduceMean", ["pixels"], ["features"], axes=[1, 2], keepdims=0)]
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", "H", "W", 3])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 3])
    graph = helper.make_graph(nodes, "means", [pixels], [features])
    path = tmp_path / "means.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    generated, real = smooth_pictures(60, seed=1), of(smooth_pictures(210))
    evaluation, random = (evaluate(generated, real, features=features) for features in (path, None))
    vectors = [images.astype(np.float32).mean(axis=(1, 2)) for images in (split(real)[1].images, evaluation.images)]
    expected = frechet_distance(*map(gaussian, vectors))
    assert evaluation.metrics["frechet"].value == pytest.approx(expected, rel=1e-4)
    assert evaluation.fingerprint["features_sha256"] != random.fingerprint["features_sha256"]
    # The random network is the same wherever its file lies.
    path.write_bytes(RANDOM_NETWORK.read_bytes())
    again = evaluate(generated, real, features=path)
    assert (again.metrics, again.fingerprint) == (random.metrics, random.fingerprint)


# ---- Counts ----


def test_50_pictures_are_scored_and_49_are_refused():
    evaluation = evaluate(smooth_pictures(50, seed=1), of(smooth_pictures(50)), "standard")
    assert evaluation.fingerprint["counts"] == [50, 50, 50]
    assert all(np.isfinite(metric.value) for metric in evaluation.metrics.values())
    assert all(metric.real_baseline is not None for metric in evaluation.metrics.values())
    with pytest.raises(InputError, match="images: 49 pictures are too few to score: at least 50 are needed"):
        evaluate(smooth_pictures(49), of(smooth_pictures(50)))
    with pytest.raises(InputError, match="pictures has 49 pictures to compare with; at least 50 are needed"):
        evaluate(smooth_pictures(50), of(smooth_pictures(49)))


def test_of_fewer_than_200_none_is_held_out_and_the_report_says_so(tmp_path):
    evaluation = evaluate(smooth_pictures(80, seed=1), of(smooth_pictures(199)), "standard", report=tmp_path)
    assert evaluation.fingerprint["counts"] == [80, 199, 199]
    assert "nearer_train" not in evaluation.metrics
    reason = "training_distance80_to_199 cannot be measured: no picture is held out, because there are fewer than 200"
    assert evaluation.left_out["training_distance80_to_199"] == reason
    page = evaluation.report_path.read_text()
    assert "All 199 pictures are compared with, because none is held out." in page
    assert reason in page
    assert "held-out picture" not in page


def test_a_single_named_protocol_that_is_impossible_is_refused():
    with pytest.raises(
        InputError, match="within_classes60_to_60 cannot be measured: the real pictures have no classes"
    ):
        evaluate(smooth_pictures(60), of(smooth_pictures(60)), "within_classes")


# ---- Classes ----


def test_classes_are_matched_by_their_names_in_any_order(tmp_path):
    generated, real = smooth_dataset(150, 3, seed=1), smooth_dataset(150, 3)
    expected = evaluate(generated, real, "within_classes")
    other_order = dataclasses.replace(
        generated, labels=2 - generated.labels, class_names=("class 2", "class 1", "CLASS_0")
    )
    assert evaluate(other_order, real, "within_classes").metrics == expected.metrics
    numbers = save_npz(tmp_path / "numbers.npz", images=generated.images, labels=generated.labels)
    assert evaluate(numbers, real, "within_classes").metrics == expected.metrics
    names = [generated.class_names[label] for label in generated.labels]
    assert evaluate(generated.images, real, "within_classes", labels=names).metrics == expected.metrics
    folder = save_folder(tmp_path / "folder", generated.images, names)
    # A folder is sorted by class, so its pictures are drawn in another order.
    by_class = evaluate(folder, real, "within_classes").metrics["class_coverage"].value
    assert by_class == pytest.approx(expected.metrics["class_coverage"].value, abs=0.05)
    wrong = dataclasses.replace(generated, class_names=("class 2", "class 1", "class 0"))
    assert evaluate(wrong, real, "within_classes").metrics["class_coverage"].value < 0.9 * by_class


@pytest.mark.parametrize(
    ("source", "labels", "words"),
    [
        (
            dataclasses.replace(smooth_dataset(60, 2), class_names=("class 0", "dogs")),
            None,
            "the class 'dogs' is missing",
        ),
        (smooth_dataset(60, 4), None, "the class 'class 3' is missing on the other side"),
        (smooth_pictures(60), np.full(60, 3), "label=3 is unknown"),
        (smooth_pictures(60), np.zeros(59, int), "60 pictures and 59 labels"),
        (smooth_pictures(60), ["class 0"] * 59 + ["dogs"], "label='dogs' is unknown"),
    ],
)
def test_unknown_classes_are_refused(source, labels, words):
    with pytest.raises(InputError, match=words):
        evaluate(source, smooth_dataset(60, 3), labels=labels)


def test_labels_of_pictures_that_have_no_real_classes_are_refused_and_classes_are_not_used():
    with pytest.raises(InputError, match="labels are given, but the real pictures have no classes"):
        evaluate(smooth_pictures(60), of(smooth_pictures(60)), labels=np.zeros(60, int))
    assert evaluate(smooth_dataset(60, 3, seed=1), of(smooth_pictures(60))).labels is None


def test_a_class_with_one_picture_and_a_data_set_of_one_class_are_measured():
    generated = smooth_dataset(60, 2, seed=1)
    for real in (
        dataclasses.replace(smooth_dataset(210, 2), labels=(np.arange(210) == 3).astype(np.int32)),
        dataclasses.replace(smooth_dataset(210, 2), labels=np.zeros(210, np.int32)),
    ):
        evaluation = evaluate(generated, real, ["distances", "within_classes"])
        first, second = evaluation.details["within_classes"]
        assert first["asked"] == second["asked"] == 30
        assert "recall" in first
        assert "recall" not in second


def test_of_few_pictures_no_half_of_a_class_is_large_enough_for_a_baseline():
    evaluation = evaluate(smooth_dataset(100, 4, seed=1), smooth_dataset(100, 4), "within_classes")
    assert evaluation.metrics["class_coverage"].value > 0.3
    assert evaluation.metrics["class_coverage"].real_baseline is None


# ---- The values ----


def test_real_pictures_score_near_the_baseline_damaged_ones_worse_and_copies_are_seen():
    real = of(smooth_pictures(600))
    fresh = smooth_pictures(300, seed=1)
    good = evaluate(fresh, real, "standard").metrics
    for name in ("frechet", "patches", "frechet_train"):
        assert good[name].value == pytest.approx(good[name].real_baseline, rel=0.4), name
    for name in ("precision", "recall", "coverage", "diversity"):
        assert good[name].value == pytest.approx(good[name].real_baseline, abs=0.2), name
    for name in ("copying", "closer_than_real", "nearer_train"):
        assert abs(good[name].value - {"closer_than_real": 0.5}.get(name, 0)) < 3, name
    assert 0.3 < good["closer_than_real"].value < 0.7
    for name, metric in good.items():
        assert metric.interval[0] <= metric.value <= metric.interval[1], name

    bad = evaluate(fresh // 2, real, "standard").metrics
    for name in ("frechet", "kernel", "patches", "frechet_train"):
        assert bad[name].interval[0] > good[name].interval[1], name

    reference = fashion_gan.evaluate(real.images[:300], reference=real, protocols="standard").metrics
    assert reference["closer_than_real"].value > 0.85  # A tenth is held out, and the rest are copies.
    assert reference["copying"].value < -5
    assert reference["closer_than_real"].value > good["closer_than_real"].value
    assert reference["copying"].value < good["copying"].value


def test_all_black_and_all_equal_pictures_have_values():
    real = of(smooth_pictures(210))
    black = evaluate(np.zeros((60, 16, 16, 3), np.uint8), real, "standard").metrics
    equal = evaluate(smooth_pictures(1, seed=1).repeat(60, axis=0), real, "standard").metrics
    for metrics in (black, equal):
        assert all(np.isfinite(metric.value) for metric in metrics.values())
        assert metrics["recall"].value == 0
        assert metrics["diversity"].value < 0.1


def test_evaluations_are_compared_if_their_numbers_are_the_same(tmp_path):
    real = of(smooth_pictures(210))
    for name, images in (
        ("good", smooth_pictures(100, seed=1)),
        ("bad", smooth_pictures(100, seed=2) // 2),
        ("fewer", smooth_pictures(90, seed=1)),
    ):
        evaluate(images, real, "distances", report=tmp_path / name)
    assert compare(tmp_path / "good", tmp_path / "bad").verdict == "first"
    with pytest.raises(InputError, match=r"counts is \[100, 160, 50\] for images and \[90, 160, 50\] for images"):
        compare(tmp_path / "good", tmp_path / "fewer")


# ---- The report ----


@pytest.mark.parametrize("classes", [0, 2])
def test_the_report_needs_no_other_file_and_names_no_path_but_those_of_the_user(tmp_path, monkeypatch, classes):
    monkeypatch.chdir(tmp_path)
    for name, seed in (("generated", 1), ("real", 0)):
        dataset = smooth_dataset(210, classes, channels=4, seed=seed)
        labels = [dataset.class_names[label] for label in dataset.labels] if classes else None
        save_folder(tmp_path / name, dataset.images, labels)
    evaluation = fashion_gan.evaluate("generated", reference="real", report="report")
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert str(tmp_path) not in page.replace(str(tmp_path / "real"), "").replace(str(tmp_path / "generated"), "")
    assert all(f"<code>{name}</code>" in page for name in evaluation.metrics)
    assert "50 held-out pictures of real" in page
    assert ("class 1" in page) == bool(classes)
    assert all(f"<code>{name}</code>" in page for name in evaluation.details["protocols"])
    stored = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert stored["fingerprint"] == evaluation.fingerprint
    assert evaluation.report_path == Path("report") / "report.html"


def test_large_pictures_are_shown_small(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 300, 260, 1), np.uint8)
    evaluation = evaluate(images, of(images), "memorization", report=tmp_path)
    assert evaluation.report_path.stat().st_size < 2_000_000


def test_pictures_of_more_classes_than_the_report_shows(tmp_path):
    labels = np.arange(120, dtype=np.int32) % 60
    real = Dataset(smooth_pictures(120), labels, tuple(f"class {label}" for label in range(60)), "sixty classes")
    last = dataclasses.replace(real, labels=np.full(120, 59, np.int32))
    for dataset in (real, last):
        assert evaluate(dataset, real, "distances", report=tmp_path).report_path.exists()


# ---- The self-check ----


def small_clothes(split, count):
    images = load_fashion_mnist(split)
    return dataclasses.replace(images, images=images.images[:count], labels=images.labels[:count])


@pytest.mark.full
def test_every_damage_to_clothes_is_detected():
    reference = PictureReference(small_clothes("train", 2000), small_clothes("test", 2000), FeatureNetwork.random())
    result = check_pictures(reference)
    assert not [check for check in result.checks if not check.passed], str(result)
    assert len(result.checks) > 25


@pytest.mark.parametrize(
    "classes", [0, pytest.param(1, marks=pytest.mark.full), pytest.param(2, marks=pytest.mark.full), 8]
)
def test_strong_damage_is_detected_with_any_number_of_classes_and_without(classes):
    clothes = small_clothes("train", 300)
    names = tuple(f"class {label}" for label in range(classes))
    reference = Dataset(clothes.images, clothes.labels % max(classes, 1), names, "clothes")
    result = check_metrics(reference=reference)
    damages = {check.damage for check in result.checks}
    assert ("classes missing" in damages, "kinds missing" in damages) == (classes == 8, classes != 8)
    assert ("wrong class" in damages) == (classes == 2)  # Of eight classes, none has 20 held-out pictures.
    for check in result.checks:
        if check.damage in ("blurred", "shifted", "training pictures copied") and check.metric != "nearer_train":
            assert check.passed, check


# ---- Careless commands ----


@pytest.fixture(scope="module")
def careless_folder(made_once):
    """A folder of right and wrong files."""

    def make(folder):
        generated, real = smooth_pictures(60, seed=1), smooth_pictures(60)
        for name, images in {
            "generated": generated,
            "floats": generated / 255,
            "nan": np.where(generated > 200, np.nan, generated),
            "pixel": smooth_pictures(60, 1, 1),
            "px15": smooth_pictures(60, 15, 15),
            "px513": np.arange(50, dtype=np.uint8)[:, None, None, None].repeat(513, axis=2).repeat(16, axis=1),
            "few": generated[:49],
            "equal": generated[:1].repeat(60, axis=0),
            "flat": generated.reshape(60, -1),
            "first": generated.transpose(0, 3, 1, 2),
            "two": generated[..., :2],
            "rgba": smooth_pictures(60, channels=4),
            "none": generated[:0],
            "binary": (generated > 100).astype(np.uint8),
        }.items():
            np.savez(folder / f"{name}.npz", images=images)
        np.savez(folder / "labels.npz", images=generated, labels=np.arange(60) - 1)
        save_folder(folder / "real", real)
        save_folder(folder / "classes", real, ["ab"[number % 2] for number in range(60)])
        (folder / "empty").mkdir()
        (folder / "text.txt").write_text("hello\n")
        (folder / "labels.txt").write_text("7\n" * 60)

    return made_once("careless", make)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("empty --reference real", "empty holds no pictures"),
        ("generated.npz --reference empty", "empty holds no pictures"),
        ("text.txt --reference real", "text.txt cannot be read as an .npz, .npy or .parquet file"),
        ("generated.npz --reference text.txt", "text.txt cannot be read as an .npz"),
        ("floats.npz --reference real", "floats.npz: pixels must be uint8 in [0, 255], these are floats in [0, 1]"),
        ("generated.npz --reference floats.npz", "floats.npz: pixels must be uint8"),
        ("nan.npz --reference real", "of the pixels are NaN or infinite"),
        ("pixel.npz --reference pixel.npz", "the pictures are 1×1; pictures from 16 to 512 pixels"),
        ("px15.npz --reference px15.npz", "the pictures are 15×15"),
        ("px513.npz --reference px513.npz", "the pictures are 513×16"),
        ("few.npz --reference real", "few.npz: 49 pictures are too few to score: at least 50 are needed"),
        ("generated.npz --reference few.npz", "few.npz has 49 pictures to compare with; at least 50 are needed"),
        ("generated.npz --reference equal.npz", "equal.npz: all pictures to compare with are equal"),
        ("flat.npz --reference real", "flat.npz: pictures must be (N, H, W), or (N, H, W, C)"),
        ("first.npz --reference real", "channels come first (CHW); move them to the end"),
        ("two.npz --reference two.npz", "two.npz: pictures must be (N, H, W), or (N, H, W, C) with C = 1, 3 or 4"),
        ("none.npz --reference real", "none.npz: there are no images"),
        ("binary.npz --reference real", "these are 0 and 1 only: multiply them by 255"),
        ("generated.npz --reference rgba.npz", "16×16 with 4 channels, but those to compare are 16×16 with 3: convert"),
        ("generated.npz --reference px15.npz", "15×15 with 3 channels, but those to compare are 16×16 with 3: the way"),
        ("labels.npz --reference classes", "labels.npz: there must be one label from 0 up for each of the 60 images"),
        ("generated.npz --reference classes --labels labels.txt", "whole numbers from 0 to 1"),
        ("generated.npz --reference real --labels labels.txt", "the real pictures have no classes"),
        ("generated.npz --reference real --features text.txt", "features=text.txt cannot be used as a feature network"),
        ("generated.npz --reference real --features empty", "features=empty is no file"),
        ("generated.npz --reference real --protocol ffd10k_test", "protocol='ffd10k_test' is unknown"),
        ("generated.npz --reference real --image-size 16", "image_size=16 is for a folder of pictures"),
        ("real --reference real --image-size 0", "image_size=0 is out of range"),
        ("real --reference real --image-size 15", "the pictures are 15×15"),
        ("real --reference real --seeds 3", "seeds=3 is for generators"),
        ("real --reference real --data empty", "data=empty is for Fashion-MNIST: name other real pictures"),
        ("real --features text.txt", "features=text.txt is for pictures of any kind: name real pictures"),
        ("real --image-size 16", "image_size=16 is for pictures of any kind"),
        ("real --reference nothing", "reference='nothing' is not a folder of pictures or a file of images"),
        ("nothing --reference real", "nothing is not a shipped model, a run, a model file"),
        ("--reference real", "there is nothing to score"),
        ("--self-check --reference few.npz", "few.npz has 49 pictures to compare with"),
        ("--self-check --reference real --features text.txt", "cannot be used as a feature network"),
        ("--self-check --image-size 16", "image_size=16 is for pictures of any kind"),
    ],
)
def test_a_careless_command_is_refused_in_one_line(careless_folder, monkeypatch, tmp_path, capsys, words, message):
    monkeypatch.chdir(careless_folder)
    assert message in refused(capsys, "evaluate", *words.split(), "--report", tmp_path / "report")
