"""Sources of images: array files, folders of pictures, runs and model files."""

import importlib.util
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fashion_gan
from fashion_gan import CLASS_NAMES, Config, Generator, InputError, Run
from fashion_gan.api import image_files
from fashion_gan.api.sources import images_source, open_source
from fashion_gan.classes import normal_form
from fashion_gan.datasets import TRAINING_FINGERPRINT, array_images
from fashion_gan.datasets.writers import write_files
from fashion_gan.metrics.checks import as_small
from fashion_gan.saving.origins import ModelSource
from fashion_gan.system import array_files

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 28, 28, 1), np.uint8)
LABELS = np.arange(12, dtype=np.int32) % 10


def sorted_images(images):
    return sorted(image.tobytes() for image in images)


@pytest.fixture
def npz(tmp_path):
    np.savez(tmp_path / "images.npz", images=IMAGES, labels=LABELS)
    return tmp_path / "images.npz"


def test_an_npz_returns_its_images_and_labels_in_random_order(npz):
    source = open_source(npz)
    images, labels = source.draw(12, 0)
    assert source.available == 12
    assert sorted_images(images) == sorted_images(IMAGES)
    assert any(drawn.tobytes() != stored.tobytes() for drawn, stored in zip(images, IMAGES, strict=True))
    for image, label in zip(images, labels, strict=True):
        index = next(i for i in range(12) if IMAGES[i].tobytes() == image.tobytes())
        assert label == LABELS[index]


def test_a_part_of_images_sorted_by_class_has_all_classes():
    labels = np.repeat(np.arange(10), 100)
    _, drawn = images_source("sorted", np.zeros((1000, 28, 28), np.uint8), labels).draw(300, 0)
    assert len(set(drawn.tolist())) == 10


def test_labels_can_be_in_a_separate_file(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    np.save(tmp_path / "labels.npy", LABELS)
    (tmp_path / "labels.txt").write_text("\n".join(map(str, LABELS)))
    for name in ("labels.npy", "labels.txt"):
        _, labels = open_source(tmp_path / "images.npy", labels=tmp_path / name).draw(12, 0)
        assert sorted(labels) == sorted(LABELS)
    assert open_source(tmp_path / "images.npy").draw(12, 0)[1] is None


def save(path, image, mode="L"):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(image[..., 0]).convert(mode).save(path)


def test_the_names_of_generated_files_tell_the_classes(tmp_path):
    for number, image in enumerate(IMAGES):
        save(tmp_path / "png" / f"{number:06d}_class_{LABELS[number]}.png", image)
    images, labels = open_source(tmp_path / "png").draw(12, 0)
    assert sorted_images(images) == sorted_images(IMAGES)
    assert sorted(labels) == sorted(LABELS)


def test_subfolders_are_classes_by_name_or_number_and_gray_can_be_stored_as_color(tmp_path):
    for name, image in zip(("T-shirt-top", "ankle_boot", "3"), IMAGES, strict=False):
        (tmp_path / "classes" / name).mkdir(parents=True)
        save(tmp_path / "classes" / name / "a.png", image, "RGB")
    images, labels = open_source(tmp_path / "classes").draw(3, 0)
    assert images.shape == (3, 28, 28, 1)
    assert sorted(labels) == [0, 3, 9]


def huge(path):
    """An array file whose header claims 784 terabytes."""
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 28, 28)})
    return path


@pytest.mark.parametrize("content", ["", "shirt\nshoe", "1.5\n2.5", "PK\x03\x04 not a zip"])
def test_invalid_labels_are_refused(npz, tmp_path, content):
    (tmp_path / "labels.txt").write_text(content)
    with pytest.raises(InputError, match=r"cannot be read as labels|one label for each"):
        open_source(npz, labels=tmp_path / "labels.txt")


def test_pixels_that_need_a_conversion_are_refused(tmp_path):
    (tmp_path / "deep").mkdir()
    Image.fromarray(IMAGES[0, ..., 0].astype(np.uint16) * 257).save(tmp_path / "deep" / "a.png")
    (tmp_path / "clear").mkdir()
    Image.fromarray(IMAGES[0].repeat(4, axis=2), "RGBA").save(tmp_path / "clear" / "a.png")
    for name in ("deep", "clear"):
        with pytest.raises(InputError, match="only opaque 8-bit gray or RGB"):
            open_source(tmp_path / name)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "absent", "nothing is there"),
        (lambda folder: (folder / "x.npz").write_bytes(b"PK\x03\x04 broken") and folder / "x.npz", "cannot be read"),
        (lambda folder: np.savez(folder / "y.npz", a=IMAGES, b=IMAGES) or folder / "y.npz", 'no array "images"'),
        (
            lambda folder: np.savez(folder / "z.npz", a=LABELS) or folder / "z.npz",
            r'holds a \(12,\), but no array "images"',
        ),
        (lambda folder: np.savez(folder / "s.npz", images=3) or folder / "s.npz", "one value"),
        (lambda folder: huge(folder / "huge.npy"), "cannot be read"),
        (lambda folder: np.savez(folder / "z.npz", images=IMAGES, labels=LABELS[:3]) or folder / "z.npz", "one label"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused(tmp_path, make, words):
    with pytest.raises(InputError, match=words):
        open_source(make(tmp_path))


def test_pictures_of_several_sizes_and_unknown_classes_are_refused(tmp_path):
    save(tmp_path / "sizes" / "a.png", IMAGES[0])
    save(tmp_path / "sizes" / "b.png", IMAGES[0][:20])
    with pytest.raises(InputError, match="several sizes"):
        open_source(tmp_path / "sizes")
    (tmp_path / "hats").mkdir()
    save(tmp_path / "hats" / "hat" / "a.png", IMAGES[0])
    with pytest.raises(InputError, match="holds the class 'hat', which is not one of"):
        open_source(tmp_path / "hats")


OBJECTS = np.array([{"a": 1}], dtype=object)


def save_npy(path, array):
    np.save(path, array)
    return path


def save_npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def save_bytes(path, content):
    path.write_bytes(content)
    return path


def save_zip(path, name, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)
    return path


def long_header(path):
    """An ``.npy`` file for which NumPy's error advises to trust the file."""
    with open(path, "wb") as file:
        np.lib.format.write_array_header_2_0(
            file, {"descr": [("x" * 20_000, "|u1")], "fortran_order": False, "shape": (1, 28, 28)}
        )
        file.write(bytes(784))
    return path


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: save_npz(folder / "objects.npz", images=OBJECTS),
        lambda folder: save_npy(folder / "objects.npy", OBJECTS),
        lambda folder: save_bytes(folder / "model.pt", pickle.dumps({"weights": 1})),
        lambda folder: save_zip(folder / "model.pth", "archive/data.pkl", pickle.dumps({"weights": 1})),
        lambda folder: save_bytes(folder / "images.pkl", pickle.dumps(IMAGES)),
        lambda folder: save_bytes(folder / "images.gz", b"\x1f\x8b\x08"),
        lambda folder: save_bytes(folder / "empty.npy", b""),
        lambda folder: save_bytes(folder / "x.parquet", b"PAR1 no table PAR1"),
        lambda folder: long_header(folder / "header.npy"),
    ],
)
@pytest.mark.parametrize("as_images", [True, False])
def test_files_of_other_kinds_are_refused_in_a_line_that_does_not_advise_to_trust_them(npz, tmp_path, make, as_images):
    path = make(tmp_path)
    with pytest.raises(InputError) as raised:
        open_source(path) if as_images else open_source(npz, labels=path)
    message = str(raised.value)
    assert message.startswith(f"{path} cannot be read as {'an .npz, .npy or .parquet' if as_images else 'labels'}")
    assert not any(word in message.lower() for word in ("pickle", "trust", "max_header_size", "\n"))


@pytest.mark.parametrize(
    ("arrays", "has_labels"),
    [
        ({"arr_0": IMAGES}, False),
        ({"arr_0": IMAGES, "arr_1": LABELS}, True),
        ({"x": IMAGES, "y": LABELS[:, np.newaxis]}, True),
        ({"X": IMAGES[..., 0], "targets": np.eye(10, dtype=np.float32)[LABELS]}, True),
        ({"pictures": IMAGES, "label": LABELS.astype(np.float64)}, True),
        ({"images": IMAGES, "labels": LABELS, "names": OBJECTS, "others": IMAGES}, True),
    ],
)
def test_an_npz_of_other_tools_is_read(tmp_path, arrays, has_labels):
    images, labels = open_source(save_npz(tmp_path / "images.npz", **arrays)).draw(12, 0)
    assert sorted_images(images) == sorted_images(IMAGES)
    assert (labels is not None) == has_labels
    if has_labels:
        stored = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
        assert [stored[image.tobytes()] for image in images] == labels.tolist()


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(map(str, LABELS)),
        "label\n" + "\n".join(map(str, LABELS)),
        ",".join(map(str, LABELS)),
        "\ufeffid,label\n" + "\n".join(f"{number},{label}" for number, label in enumerate(LABELS)),
        '"id";"class"\n' + "\n".join(f'"{number}";"{label}"' for number, label in enumerate(LABELS)),
        "\n".join(f"{label}.0" for label in LABELS),
        "\n".join(" ".join(map(str, row)) for row in np.eye(10, dtype=int)[LABELS]),
        "\n".join(" ".join(map(str, row)) for row in LABELS.reshape(3, 4)),
    ],
)
def test_labels_in_a_text_or_csv_file_are_read(npz, tmp_path, text):
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    stored = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    images, labels = open_source(npz, labels=tmp_path / "labels.csv").draw(12, 0)
    assert [stored[image.tobytes()] for image in images] == labels.tolist()


def test_a_text_of_labels_that_is_too_long_is_an_error_that_names_the_file_once(npz, tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "MAX_TEXT_BYTES", 1 << 20)
    path = save_bytes(tmp_path / "labels.txt", b"1\n" * (1 << 20))
    with pytest.raises(InputError, match=r"it is longer than 1 MB$") as refusal:
        open_source(npz, labels=path)
    assert str(refusal.value).count(str(path)) == 1


@pytest.mark.parametrize("labels", [LABELS[:, np.newaxis], np.eye(10)[LABELS], LABELS.astype(float), LABELS.tolist()])
def test_labels_in_memory_may_have_every_common_form(labels):
    stored = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    images, drawn = images_source("images", IMAGES, labels).draw(12, 0)
    assert [stored[image.tobytes()] for image in images] == drawn.tolist()


def test_files_that_are_left_out_of_a_folder_are_told(tmp_path, capsys):
    save(tmp_path / "png" / "a.png", IMAGES[0])
    save_bytes(tmp_path / "png" / "b.heic", b"")
    assert open_source(tmp_path / "png").available == 1
    told = capsys.readouterr().err
    assert f"fashion-gan: {tmp_path}/png: 1 left out (.heic files, which are not read), such as b.heic" in told


def test_a_data_set_in_parquet_is_read(tmp_path):
    pytest.importorskip("pyarrow")
    names = [str(number) for number in range(10)]
    write_files(tmp_path, "parquet", IMAGES, LABELS, names)
    images, labels = open_source(tmp_path / "dataset.parquet").draw(12, 0)
    stored = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    assert [stored[image.tobytes()] for image in images] == labels.tolist()


def test_parquet_without_rows_is_an_error_that_says_so(tmp_path):
    pytest.importorskip("pyarrow")
    write_files(tmp_path, "parquet", IMAGES[:0], LABELS[:0], CLASS_NAMES)
    with pytest.raises(InputError, match="holds no pictures: its column image is empty"):
        open_source(tmp_path / "dataset.parquet")


def test_parquet_without_pyarrow_is_an_error_that_names_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    path = save_bytes(tmp_path / "x.parquet", b"PAR1")
    with pytest.raises(InputError, match=r"x.parquet needs pyarrow: pip install .*\[parquet\]"):
        open_source(path)


def test_an_array_that_takes_too_much_memory_is_refused_by_its_header(tmp_path, monkeypatch):
    monkeypatch.setattr(array_images, "MAX_BYTES", 5000)
    monkeypatch.setattr(array_images, "MAX_RATIO", 0)
    monkeypatch.setattr(array_files.ArrayFile, "__getitem__", lambda file, name: pytest.fail("it was read"))
    with pytest.raises(InputError, match=r'its array "images" takes 9,536 bytes; the limit is 5,000'):
        open_source(save_npz(tmp_path / "images.npz", images=IMAGES))


def test_a_run_draws_any_number_of_images(old_run):
    source = open_source(old_run.path)
    images, labels = source.draw(7, 3)
    assert source.available is None
    assert len(images) == 7
    assert labels.tolist() == list(range(7))
    np.testing.assert_array_equal(images, source.draw(7, 3)[0])
    assert source.run.path == old_run.path


# ---- Models of other pictures ----


@pytest.fixture
def old_run(tmp_path):
    """A small run on Fashion-MNIST."""
    run = Path(__file__).parents[1] / "fixtures" / "0.1.0" / "run"
    return Run.open(shutil.copytree(run, tmp_path / "old_run"))


def test_a_model_of_other_pictures_is_refused_before_it_is_loaded(toy_run, monkeypatch):
    monkeypatch.setattr("fashion_gan.api.sources.load_with_config", None)
    words = "trained on pictures of the classes 'left, right', not on Fashion-MNIST: name real pictures to compare with"
    with pytest.raises(InputError, match=words):
        open_source(toy_run.path)


@pytest.mark.parametrize("suffix", ["keras", "h5", "safetensors"])
def test_a_file_of_a_model_of_other_pictures_is_refused(toy_run, tmp_path, suffix):
    path = toy_run.path / f"generator.{suffix}"
    if not path.exists():
        path = tmp_path / path.name
        fashion_gan.export_generator(toy_run.path, suffix, path)
    with pytest.raises(InputError, match="trained on pictures of the classes 'left, right'"):
        open_source(path)


def change_config(run, **changes):
    """Write settings to a run's config.json, also ones that contradict each other. Return the run's folder."""
    values = json.loads(run.config_path.read_text())
    run.config_path.write_text(json.dumps({**values, **changes}))
    return run.path


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ((), "trained on pictures without classes"),
        (("cat", "dog"), "pictures of the classes 'cat, dog'"),
        (tuple("0123456789"), "pictures of the classes '0, 1, 2,"),
        (("Bag", "dog"), "pictures of the classes 'Bag, dog'"),
    ],
)
def test_an_unconditional_model_is_judged_by_the_classes_of_its_data(old_run, classes, words):
    path = change_config(old_run, conditional=False, class_names=[], classification=0, data_classes=classes)
    with pytest.raises(InputError, match=words):
        open_source(path)


def test_an_unconditional_run_of_0_1_0_is_judged_by_the_fingerprint_of_its_data(old_run, monkeypatch):
    path = change_config(old_run, conditional=False, class_names=[], classification=0)
    opened = []
    monkeypatch.setattr(
        "fashion_gan.api.sources.load_with_config", lambda *_, **__: opened.append(1) or (CLOTHES, Config())
    )
    monkeypatch.setattr(Run, "generator_step", lambda self, **_: 120)
    assert Run.open(path).data_fingerprint == TRAINING_FINGERPRINT
    open_source(path)
    environment = json.loads(old_run.environment_path.read_text())
    old_run.environment_path.write_text(json.dumps({**environment, "data_sha256": "0" * 64}))
    with pytest.raises(InputError, match="trained on pictures without classes"):
        open_source(path)
    assert opened == [1]


def test_an_imported_generator_is_scored_though_its_classes_are_only_numbers(monkeypatch):
    config = Config(conditional=True, class_names=tuple("0123456789"))
    generator = Generator(label_painter, 4, config.class_names)
    monkeypatch.setattr("fashion_gan.api.sources.load_with_config", lambda *_, **__: (generator, config))
    monkeypatch.setattr("fashion_gan.api.sources.resolve", lambda *_, **__: ModelSource("file", Path("g.onnx"), None))
    source = open_source("g.onnx")
    assert not source.has_labels
    assert len(source.draw(3, 0)[0]) == 3


# ---- Classes in another order ----

SHUFFLED = ("Ankle-boot", "bag", "coat", "Dress", "Pullover", "Sandal", "Shirt", "Sneaker", "T-shirt-top", "trouser")


def label_painter(inputs):
    """A conditional network that paints the label, from black to white."""
    return np.tile((inputs[1] / 4.5 - 1).reshape(-1, 1, 1, 1), (1, 28, 28, 1))


CLOTHES = Generator(label_painter, 4, SHUFFLED)


def test_classes_in_another_order_are_scored_by_their_names(monkeypatch):
    config = Config(conditional=True, class_names=SHUFFLED, data_classes=SHUFFLED)
    monkeypatch.setattr("fashion_gan.api.sources.load_with_config", lambda *_, **__: (CLOTHES, config))
    monkeypatch.setattr("fashion_gan.api.sources.resolve", lambda *_, **__: ModelSource("file", Path("g.onnx"), None))
    images, labels = open_source("g.onnx").draw(10, 0)
    painted = np.rint((images[:, 0, 0, 0] / 127.5 - 1 + 1) * 4.5).astype(int)
    assert [normal_form(CLASS_NAMES[label]) for label in labels] == [normal_form(SHUFFLED[n]) for n in painted]


def test_an_npz_with_class_names_is_scored_by_them(tmp_path):
    labels = [SHUFFLED.index("bag"), SHUFFLED.index("T-shirt-top")]
    np.savez(tmp_path / "a.npz", images=IMAGES[:2], labels=labels, class_names=np.array(SHUFFLED))
    assert sorted(open_source(tmp_path / "a.npz").draw(2, 0)[1]) == [0, 8]
    np.savez(tmp_path / "b.npz", images=IMAGES[:2], labels=[0, 1], class_names=np.array(["cat", "dog"]))
    with pytest.raises(InputError, match="holds the class 'cat', which is not one of Fashion-MNIST's"):
        open_source(tmp_path / "b.npz")


def test_files_named_by_another_models_classes_are_scored_by_their_names(tmp_path):
    for name, image in zip(("000000_class_1_bag", "000001_class_8_T-shirt-top"), IMAGES, strict=False):
        save(tmp_path / "named" / f"{name}.png", image)
    assert sorted(open_source(tmp_path / "named").draw(2, 0)[1]) == [0, 8]
    save(tmp_path / "named" / "000002_class_2_dog.png", IMAGES[2])
    with pytest.raises(InputError, match=r"000002_class_2_dog\.png holds the class 'dog'"):
        open_source(tmp_path / "named")


def test_options_of_runs_and_options_of_images_are_refused_for_others(old_run, npz, tmp_path):
    with pytest.raises(InputError, match="only a run's folder"):
        open_source(npz, best=True)
    with pytest.raises(InputError, match="labels are for images"):
        open_source(old_run.path, labels=tmp_path / "labels.npy")
    old_run.best_checkpoint_path.unlink(missing_ok=True)
    with pytest.raises(InputError, match="no best checkpoint"):
        open_source(old_run.path, best=True)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_shrinking_inverts_the_enlargement_of_training(size):
    from toys import toy_config

    from fashion_gan.training.build import build_gan

    gan = build_gan(toy_config("dcgan", conditional=False, image_size=size, base_channels=2))
    large = np.asarray(gan.preprocess(IMAGES))
    assert large.shape == (12, size, size, 1)
    drawn = np.rint(large * 127.5 + 127.5).astype(np.uint8)
    assert np.abs(as_small(drawn).astype(int) - IMAGES).max() <= 2


def test_labels_that_cannot_be_read_are_refused_and_not_ignored(tmp_path):
    path = tmp_path / "clothes.npz"
    np.savez(path, images=np.zeros((2, 28, 28), np.uint8), labels=np.array(["Bag", "Coat"], object))
    with pytest.raises(InputError, match="holds Python objects"):
        open_source(path)
