"""Pictures are projected, moved and mixed: with the shipped model, a toy run, and files of any origin."""

import pickle
import shutil
import zlib

import numpy as np
import pytest
from PIL import Image
from processes import command

import fashion_gan
from fashion_gan import CLASS_NAMES, Generator, InputError
from fashion_gan.api.companion_files import companion_path
from fashion_gan.api.edited import Drawing, Edits, Sweep, parse_keys, parse_pairs
from fashion_gan.api.latent_files import latent_text, read_latents, write_latents
from fashion_gan.api.train_encoder import train_encoder
from fashion_gan.datasets import load_fashion_mnist
from fashion_gan.editing import PROJECTION_STEPS
from fashion_gan.editing.companions import Companions
from fashion_gan.runs import Run
from fashion_gan.saving.origins import ModelSource
from fashion_gan.system import onnx_gradient

DRESS, COAT, BAG = (CLASS_NAMES.index(name) for name in ("Dress", "Coat", "Bag"))
PAINTER = Generator(lambda inputs: np.zeros((len(inputs[0]), 2, 2, 1)), 4, ("a", "b"))


@pytest.fixture(scope="module")
def generator():
    return fashion_gan.load_generator("fashion")


@pytest.fixture
def run(toy_run, tmp_path):
    """A copy of the toy run, which a test may change."""
    shutil.copytree(toy_run.path, tmp_path / "run")
    return Run.open(tmp_path / "run")


# ---- Depths and classes ----


def test_the_same_latent_at_each_depth_draws_what_one_latent_draws(generator):
    latents = generator.latents(20, seed=2)
    by_depth = np.repeat(latents[:, np.newaxis], generator.depths, axis=1)
    assert generator.depths == 5
    assert np.array_equal(generator.decode(by_depth, as_float=True), generator.decode(latents, as_float=True))


def test_a_toy_run_has_depths_too(toy_run):
    toy = Generator.load(toy_run.onnx_generator_path)
    latents = toy.latents(6)
    assert toy.depths > 1
    assert np.allclose(
        toy.decode(np.repeat(latents[:, np.newaxis], toy.depths, axis=1), as_float=True),
        toy.decode(latents, as_float=True),
        atol=1e-6,
    )


def test_depths_are_read_from_the_first_to_the_last(generator):
    shape, texture = generator.latents(2, seed=4)
    plain = generator.decode([shape, texture], "Dress")
    mixed = [generator.mix_depths(shape, texture, first) for first in range(6)]
    drawn = generator.decode(mixed, "Dress").astype(float)
    assert np.array_equal(drawn[0], plain[1])
    assert np.array_equal(drawn[5], plain[0])
    distances = [np.abs(image - plain[0]).mean() for image in drawn]
    assert distances[0] > distances[3] > distances[4] > 0
    assert np.array_equal(generator.mix_depths(shape, texture), generator.mix_depths(shape, texture, 2))


def test_the_first_depth_decides_the_outline_and_the_last_does_not(generator):
    plain = np.repeat(generator.latents(16, seed=1)[:, np.newaxis], 5, axis=1)
    outlines = generator.decode(plain, "Dress") > 25
    changed = []
    for depth in (0, 4):
        mixed = plain.copy()
        mixed[:, depth] = generator.latents(16, seed=2)
        changed.append(((generator.decode(mixed, "Dress") > 25) != outlines).mean())
    assert changed[0] > 2 * changed[1]


def test_shares_of_classes_draw_pictures_between_the_classes(generator):
    latents = generator.latents(8, seed=5)
    dress, coat = (generator.decode(latents, name, as_float=True) for name in ("Dress", "Coat"))
    shares = np.zeros((8, 10))
    shares[:, DRESS], shares[:, COAT] = 0.5, 0.5
    between = generator.decode(latents, shares, as_float=True)
    apart = np.abs(dress - coat).mean()
    assert 0 < np.abs(between - dress).mean() < apart
    assert 0 < np.abs(between - coat).mean() < apart
    nearly = 0.9995 * np.eye(10)[[DRESS] * 8] + 0.00005
    assert np.abs(generator.decode(latents, nearly, as_float=True) - dress).mean() < 0.01


def test_each_depth_can_have_its_own_class(generator):
    latents = generator.latents(4, seed=5)
    shares = np.repeat(np.eye(10)[[DRESS] * 4][:, np.newaxis], 5, axis=1) * 0.999 + 0.0001
    same = generator.decode(latents, shares, as_float=True)
    shares[:, 0] = 0.999 * np.eye(10)[COAT] + 0.0001
    assert np.abs(generator.decode(latents, shares, as_float=True) - same).mean() > 0.02


@pytest.mark.parametrize(
    ("latents", "labels", "message"),
    [
        (np.zeros((2, 4, 100)), None, r"latents must be \(N, 100\) or \(N, 5, 100\), got \(2, 4, 100\)"),
        (np.zeros((0, 5, 100)), None, "latents must be"),
        (np.zeros((2, 100)), np.full((2, 10), 0.2), "add up to 1 in each row"),
        (np.zeros((2, 100)), np.array([[1.5, -0.5] + [0] * 8] * 2), "add up to 1 in each row"),
        (np.zeros((2, 100)), np.full((2, 3, 10), 0.1), r"\(2, 10\) or \(2, 5, 10\) shares"),
    ],
)
def test_wrong_latents_and_shares_are_refused(generator, latents, labels, message):
    with pytest.raises(InputError, match=message):
        generator.decode(latents, labels)


def test_a_generator_without_an_onnx_file_has_no_depths():
    for refused in (lambda: PAINTER.depths, lambda: PAINTER.mix_depths(1, 2)):
        with pytest.raises(InputError, match=r"only in an .onnx file"):
            refused()
    with pytest.raises(InputError, match=r"only in an .onnx file"):
        PAINTER.project(np.zeros((1, 2, 2, 1), np.uint8))


def test_a_generator_that_has_mixed_can_be_pickled(generator):
    mixed = [generator.mix_depths(1, 2)]
    expected = generator.decode(mixed, "Bag")
    assert np.array_equal(pickle.loads(pickle.dumps(generator)).decode(mixed, "Bag"), expected)


# ---- Gradients ----


def test_the_gradient_is_that_of_finite_differences(generator):
    network, count = generator.depth_network, 4
    random = np.random.default_rng(0)
    latents = random.normal(size=(count, 5, 100)).astype(np.float32)
    weights = np.repeat(np.eye(10)[[0, 3, 7, 8]][:, np.newaxis], 5, axis=1)
    targets = generator.decode(generator.latents(count, seed=9), as_float=True)
    images, gradients = network.gradients(latents, weights, targets)
    assert np.array_equal(images, network.draw(latents, weights))

    def half_squares(moved):
        differences = network.draw(moved.astype(np.float32), weights).astype(np.float64) - targets
        return 0.5 * (differences**2).sum(axis=(1, 2, 3))

    for depth in range(5):
        step = np.zeros_like(latents)
        step[:, depth] = 1e-3 * random.normal(size=(count, 100))
        measured = (half_squares(latents + step) - half_squares(latents - step)) / 2
        assert np.allclose(measured, (gradients * step).sum(axis=(1, 2)), rtol=0.05, atol=5e-4)


def test_an_operator_without_a_known_derivative_is_refused(toy_run, monkeypatch):
    toy = Generator.load(toy_run.onnx_generator_path)
    monkeypatch.delitem(onnx_gradient._RULES, "Tanh")
    with pytest.raises(InputError, match="cannot be differentiated in its ONNX file: the derivative of Tanh"):
        toy.project(toy.generate(1))


# ---- Projection ----


def test_drawn_pictures_are_found_again(generator):
    pictures = generator.generate(6, seed=11, truncation=0.7)
    found = generator.project(pictures)
    start = generator.project(pictures, steps=0)
    assert found.latents.shape == (6, 5, 100)
    assert found.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(generator.decode(found.latents, found.labels), found.images)
    squares = (found.images.astype(float) - pictures) ** 2
    assert np.allclose(np.sqrt(squares.mean(axis=(1, 2, 3))), found.errors, atol=0.5)
    assert np.median(found.errors) < 0.5 * np.median(start.errors)
    assert np.median(found.errors) < 12


def test_the_same_pictures_give_the_same_latents_alone_and_together(generator):
    pictures = generator.generate(4, seed=12)
    together = generator.project(pictures, steps=20)
    alone = generator.project(pictures[2:3], steps=20)
    assert np.allclose(together.latents[2], alone.latents[0], atol=1e-3)


def test_a_given_class_is_kept(generator):
    found = generator.project(generator.generate(2, "Dress"), "Coat", steps=5)
    assert found.labels.tolist() == [COAT, COAT]


def test_pictures_are_found_without_an_encoder(generator):
    plain = Generator(generator.predict, 100, CLASS_NAMES, threads=2)
    pictures = plain.generate(3, "Bag", seed=3)
    assert plain.encoder is None
    found = plain.project(pictures, "Bag", steps=40)
    assert found.labels.tolist() == [BAG] * 3
    assert (found.errors < plain.project(pictures, "Bag", steps=0).errors).all()


def test_an_enlarged_generator_projects_at_its_own_size(generator):
    found = generator.enlarged(56).project(generator.generate(1), steps=3)
    assert found.images.shape == (1, 28, 28, 1)


def test_gray_pictures_may_lack_their_last_axis(generator):
    pictures = generator.generate(1, "Bag")
    assert np.array_equal(
        generator.project(pictures[..., 0], steps=2).latents, generator.project(pictures, steps=2).latents
    )


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 28, 28, 1)), r"uint8 \(N, 28, 28, 1\), got float64"),
        (np.zeros((1, 27, 28, 1), np.uint8), r"got uint8 \(1, 27, 28, 1\)"),
        (np.zeros((0, 28, 28, 1), np.uint8), r"got uint8 \(0, 28"),
        (np.zeros((10_001, 28, 28), np.uint8), "at most 10,000 pictures"),
        ("pictures", "images"),
    ],
)
def test_wrong_pictures_are_refused(generator, images, message):
    with pytest.raises(InputError, match=message):
        generator.project(images)


@pytest.mark.full
def test_the_shipped_model_redraws_real_pictures_nearer_than_its_training_images_are(generator):
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")
    pictures = test.images[::100]
    vectors, queries = (images.reshape(len(images), -1).astype(np.float32) for images in (train.images, pictures))
    squares = (vectors**2).sum(axis=1) - 2 * queries @ vectors.T + (queries**2).sum(axis=1, keepdims=True)
    nearest = np.sqrt(squares.min(axis=1) / vectors.shape[1])
    found = generator.project(pictures)
    assert np.median(found.errors) <= 0.6 * np.median(nearest)
    assert (found.labels == test.labels[::100]).mean() > 0.8


# ---- Directions ----


def test_the_shipped_directions_have_names_that_are_measured(generator):
    names = [direction.name for direction in generator.directions]
    assert names[0] == "brighter"
    assert len(set(names)) == len(names) == 12
    assert all(direction.class_kept > 0.9 for direction in generator.directions)
    dresses = generator.latents(40, seed=30)
    darker, brighter = (generator.decode(generator.edit(dresses, "brighter", by), "Dress") for by in (-2, 2))
    assert brighter.mean() > darker.mean() + 20


def test_edit_moves_latents_of_any_shape_by_the_amount(generator):
    vector = generator.directions[0].vector
    for shape in ((100,), (3, 100), (3, 5, 100)):
        moved = generator.edit(np.zeros(shape), 1, 2.5)
        assert moved.shape == shape
        assert np.allclose(moved, 2.5 * vector)
    assert np.allclose(generator.edit(np.zeros(100), 3 * vector, 1), vector)


@pytest.mark.parametrize(
    ("direction", "amount", "message"),
    [
        ("prettier", 1, "is unknown: .*brighter"),
        (13, 1, "number from 1 to 12"),
        (np.zeros(100), 1, "not zero"),
        (np.ones(3), 1, r"must be \(100,\)"),
        ("brighter", 21, "amount=21 is out of range"),
        ("brighter", float("nan"), "amount"),
    ],
)
def test_wrong_edits_are_refused(generator, direction, amount, message):
    with pytest.raises(InputError, match=message):
        generator.edit(np.zeros(100), direction, amount)


def test_a_model_without_directions_names_the_command():
    with pytest.raises(InputError, match="fashion-gan directions finds them"):
        PAINTER.edit(np.zeros(4), "brighter")


def test_directions_of_a_run_are_found_once_and_deleted_when_it_goes_on(run):
    words = ("directions", "--model", run.path, "--picture=rows.png")
    done = command(*words, "--count=3", cwd=run.path)
    assert done.returncode == 0, done.stderr
    path = run.directions_path
    assert done.stdout.startswith(f"directions  {path}\n")
    found = fashion_gan.load_generator(run).directions
    assert [item.class_kept for item in found] == [None] * 3  # No classifier knows the toys' classes.
    assert all(item.name in done.stdout for item in found)
    assert (run.path / "rows.png").exists()
    again = command(*words, "--force", "--count=2", cwd=run.path)
    assert again.stdout.startswith("directions  "), again.stderr
    shown = command("directions", "--model", run.path, cwd=run.path)
    assert shown.stdout == again.stdout.partition("\n\n")[2]
    assert "--count needs --out or --force" in command("directions", "--model", run.path, "--count=1").stderr
    with pytest.raises(InputError, match="already exists"):
        fashion_gan.find_directions(run)
    run.rewind(10)
    assert not path.exists()


def test_the_companions_of_a_run_are_those_that_the_run_names(run):
    companions = Companions.in_folder(run.path)
    assert (companions.encoder, companions.directions) == (run.encoder_path, run.directions_path)


# ---- Films ----


def test_a_film_shows_its_keys_in_their_classes(generator):
    keys, classes = [3, 4, 5], ["Dress", "Coat", "Bag"]
    film = generator.film(keys, classes, frames=4)
    closed = generator.film(keys, classes, frames=4, closed=True)
    assert (len(film), len(closed)) == (9, 12)
    for number, (seed, name) in enumerate(zip(keys, classes, strict=True)):
        expected = generator.generate(1, name, seed=seed)[0].astype(int)
        assert np.abs(film[4 * number] - expected).max() <= 1
        assert np.abs(closed[4 * number] - expected).max() <= 1
    assert np.array_equal(film[:8], closed[:8])


def test_a_film_of_one_class_needs_no_depths():
    assert PAINTER.film([1, 2], "a", frames=3).shape == (4, 2, 2, 1)
    with pytest.raises(InputError, match=r"only in an .onnx file"):
        PAINTER.film([1, 2], ["a", "b"])


@pytest.mark.parametrize("keys", [[], [3], "37", 5, [1, 2, "x"], list(range(1001))])
def test_wrong_keys_are_refused(keys):
    with pytest.raises(InputError):
        PAINTER.film(keys)


# ---- Files ----


def test_latents_are_read_as_they_were_written(generator, tmp_path):
    latents = generator.latents(3)
    write_latents(tmp_path / "latents.npz", latents, np.array([1, 2, 3], np.int32), errors=np.zeros(3))
    stored = read_latents(tmp_path / "latents.npz", generator)
    assert np.array_equal(stored.latents, latents)
    assert stored.labels.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "holds no array called latents"),
        ({"latents": np.zeros((2, 3))}, r"takes \(N, 100\) or \(N, depths, 100\)"),
        ({"latents": np.zeros((2, 100)), "labels": np.array([1, 99])}, "label"),
        ({"latents": np.zeros((2, 100)), "labels": np.array([1, 2, 3])}, "more than 2 entries for 2"),
        ({"latents": np.array([["a"] * 100])}, "no numbers"),
        ({"latents": np.full((1, 100), np.nan)}, "finite"),
    ],
)
def test_files_without_latents_are_refused(generator, arrays, message, tmp_path):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError, match=message):
        read_latents(tmp_path / "x.npz", generator)


@pytest.mark.parametrize("name", ["x.npz", "x.png"])
def test_damaged_files_of_latents_are_refused_in_one_line(generator, name, tmp_path):
    (tmp_path / name).write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError, match="cannot be read as latents") as refused:
        read_latents(tmp_path / name, generator)
    assert "\n" not in str(refused.value)


def test_a_png_tells_what_it_was_drawn_from_and_is_drawn_again(generator, tmp_path):
    done = command("generate", "--format=png", "--count=2", "--seed=7", "--out=pictures", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "pictures" / "000001_class_1.png"
    with Image.open(path) as image:
        texts = dict(image.text)
    assert (texts["model"], texts["seed"], texts["number"], texts["class"]) == ("fashion", "7", "1", "Trouser")
    assert texts["latent"] == latent_text(generator.latents(2, seed=7)[1])
    done = command("generate", f"--latents={path}", "--format=png", "--out=again", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = Image.open(tmp_path / "again" / "000000_class_1.png")
    assert np.array_equal(np.asarray(again), np.asarray(Image.open(path)))


def test_a_grid_tells_its_seed(tmp_path):
    assert command("generate", "--count=4", "--label=Bag", "--seed=5", "--out=grid.png", cwd=tmp_path).returncode == 0
    with Image.open(tmp_path / "grid.png") as image:
        assert {"seed": "5", "class": "Bag", "model": "fashion"}.items() <= dict(image.text).items()


# ---- Options ----


def test_options_are_parsed():
    assert parse_pairs("edit", ["brighter=2", "a=b=-1.5"]) == (("brighter", 2.0), ("a=b", -1.5))
    assert parse_keys("3, 7,12") == ([3, 7, 12], None)
    assert Sweep.parse("truncation=0.5:1.5").values == pytest.approx(np.linspace(0.5, 1.5, 7))


@pytest.mark.parametrize("text", ["brighter", "=2", "brighter=", "brighter=x", "brighter=nan", "brighter=inf"])
def test_wrong_pairs_are_refused(text):
    with pytest.raises(InputError, match="must be NAME=NUMBER"):
        parse_pairs("edit", [text])


@pytest.mark.parametrize("text", ["", "x", "=1:2", "a=1", "a=1:2:1", "a=1:2:101", "a=1:2:3:4", "a=1:nan", "a=:2"])
def test_wrong_sweeps_are_refused(text):
    with pytest.raises(InputError, match="must be NAME=LOW:HIGH"):
        Sweep.parse(text)


@pytest.mark.parametrize("text", ["", "a", "3,", "3:Dress,7", "3;7"])
def test_wrong_keys_of_a_film_are_refused(text):
    with pytest.raises(InputError, match="film="):
        parse_keys(text)


def test_a_sweep_draws_each_picture_at_each_value(generator):
    latents, labels = generator.latents(2, seed=1), np.array([3, 4], np.int32)
    swept = Sweep("truncation", (0.5, 1.0)).apply(generator, Drawing(latents, labels))
    assert np.allclose(swept.latents, [latents[0] / 2, latents[0], latents[1] / 2, latents[1]])
    assert swept.labels.tolist() == [3, 3, 4, 4]
    moved = Sweep("brighter", (0.0, 1.0)).apply(generator, Drawing(latents[:1], labels[:1]))
    assert np.allclose(moved.latents[1] - moved.latents[0], generator.directions[0].vector, atol=1e-6)


def test_projected_latents_are_swept_and_get_another_texture(generator):
    by_depth = np.random.default_rng(0).normal(size=(2, 5, 100)).astype(np.float32)
    drawing = Drawing(by_depth, np.array([3, 4], np.int32))
    swept = Sweep("brighter", (0.0, 1.0, 2.0)).apply(generator, drawing)
    assert swept.latents.shape == (6, 5, 100)
    assert np.array_equal(swept.latents[3], by_depth[1])
    textured = Edits(texture=7, texture_from=3).apply(generator, drawing)
    assert np.array_equal(textured.latents[:, :3], by_depth[:, :3])
    assert (textured.latents[:, 3:] == generator.latents(1, seed=7)[0]).all()
    assert textured.draw(generator).shape == (2, 28, 28, 1)


def test_edits_move_texture_and_mix(generator):
    drawing = Drawing(generator.latents(2, seed=1), np.array([3, 3], np.int32))
    edited = Edits((("brighter", 2.0),), 7, 3, (("Dress", 1), ("Coat", 3))).apply(generator, drawing)
    moved = generator.edit(drawing.latents, "brighter", 2.0)
    assert np.array_equal(edited.latents, [generator.mix_depths(latent, 7, 3) for latent in moved])
    assert edited.labels[0, [DRESS, COAT]].tolist() == [0.25, 0.75]
    assert edited.numbers.tolist() == [COAT, COAT]
    assert edited.draw(generator).shape == (2, 28, 28, 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--edit", "prettier=1"], "prettier"),
        (["--mix", "Hat=1"], "Hat"),
        (["--mix", "Dress=-1"], "share"),
        (["--mix", "Dress=0"], "above 0"),
        (["--mix", "Dress=1", "--label", "Bag"], "--mix does not go with --label"),
        (["--texture-from", "2"], "--texture-from needs --texture"),
        (["--texture", "1", "--texture-from", "6"], "first=6"),
        (["--grid", "truncation=0:1"], "truncation"),
        (["--grid", "truncation=1:2"], "truncation"),
        (["--grid", "brighter=0:1", "--format", "npz"], "--grid does not go with --format"),
        (["--film", "3"], "at least two"),
        (["--film", "3,7", "--count", "5"], "--film does not go with --count"),
        (["--film", "3,7", "--out", "film.png"], "must end in .gif, .webp or .mp4"),
        (["--latents", "nowhere.npz"], "cannot be read as latents"),
        (["--interpolate", "3", "7", "--edit", "brighter=1"], "--interpolate does not go with --edit"),
    ],
)
def test_wrong_options_are_refused_in_one_line(words, message, tmp_path):
    done = command("generate", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".mp4"])
def test_films_are_written(suffix, tmp_path):
    out = tmp_path / f"film{suffix}"
    done = command("generate", "--film=3:Dress,7:Bag", "--frames=3", f"--out={out}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    if suffix == ".mp4":
        import imageio_ffmpeg

        assert imageio_ffmpeg.count_frames_and_secs(str(out))[0] == 6
    else:
        with Image.open(out) as image:
            assert (image.n_frames, image.size) == (6, (28, 28))
            image.seek(1)  # Pillow tells a WebP's duration only after a frame is read.
            image.load()
            assert (image.info["loop"], image.info["duration"]) == (0, 80)


# ---- Pictures of any origin ----


@pytest.fixture
def hostile(tmp_path):
    """Files that are no pictures, or that would take much time or memory."""
    Image.new("1", (8, 8)).save(tmp_path / "bomb.png")
    content = bytearray((tmp_path / "bomb.png").read_bytes())
    content[16:24] = (60_000).to_bytes(4, "big") * 2  # The header's width and height, with their checksum.
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(content)
    (tmp_path / "wide.pgm").write_bytes(b"P5 65536 1 255\n" + bytes(65_536))
    (tmp_path / "header.pgm").write_bytes(b"P5 65000 65000 255\n")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "vector.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    Image.new("L", (50, 50)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:60])
    (tmp_path / "folder.png").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["bomb.png", "wide.pgm", "header.pgm", "text.png", "empty.png", "vector.svg", "cut.png", "folder.png", "none.png"],
)
def test_hostile_pictures_are_refused_in_one_line(name, hostile):
    done = command("project", name, "--steps=1", cwd=hostile)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert name in done.stderr
    assert not (hostile / "latents.npz").exists()


def test_pictures_of_any_kind_are_projected(tmp_path):
    Image.new("RGBA", (300, 200), (255, 255, 255, 0)).save(tmp_path / "clear.png")
    Image.new("I;16", (40, 40), 60_000).save(tmp_path / "deep.png")
    Image.new("CMYK", (64, 64)).save(tmp_path / "print.jpg")
    done = command(
        *("project", "clear.png", "deep.png", "print.jpg", "--steps=2", "--invert", "--picture=pairs.png"), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    stored = np.load(tmp_path / "latents.npz")
    assert stored["latents"].shape == (3, 5, 100)
    assert stored["names"].tolist() == ["clear.png", "deep.png", "print.jpg"]
    assert "of the real pictures that were held out, half have an error below" in done.stdout
    assert (tmp_path / "pairs.png").exists()


def test_inverted_pictures_turn_dark_into_light(generator, tmp_path):
    picture = generator.generate(1, "Bag")[0, ..., 0]
    Image.fromarray(255 - picture).save(tmp_path / "inverted.png")
    found = fashion_gan.project("fashion", [tmp_path / "inverted.png"], invert=True, steps=1)
    assert np.array_equal(found.pictures[0, ..., 0], picture)


def test_the_nearest_training_picture_is_named(generator, tmp_path):
    train = load_fashion_mnist("train")
    Image.fromarray(train.images[41, ..., 0]).save(tmp_path / "known.png")
    found = fashion_gan.project("fashion", [tmp_path / "known.png"], training=train, steps=60)
    assert found.nearest.of_given.tolist() == [41]
    assert found.nearest.errors[0] == pytest.approx(0, abs=0.01)


# ---- Encoders of one's own ----


@pytest.mark.onnx_file
def test_a_run_gets_an_encoder_from_which_projection_starts(run):
    done = command("train-encoder", run.path, "--steps=2", cwd=run.path)
    assert done.returncode == 0, done.stderr
    assert f"encoder  {run.encoder_path}" in done.stdout
    generator = Generator.load(run.onnx_generator_path)
    assert generator.encoder.about["steps"] == 2
    assert f"half are redrawn with an error below {generator.encoder.median_error:.1f} gray" in done.stdout
    found = generator.project(generator.generate(2), steps=2)
    assert found.latents.shape == (2, generator.depths, 8)
    with pytest.raises(InputError, match="already exists"):
        train_encoder(run, steps=2)
    run.rewind(10)
    assert not run.encoder_path.exists()


def test_nothing_is_written_into_the_cache_of_the_hub(tmp_path):
    source = ModelSource("hub", tmp_path, None, "hf://someone/clothes")
    with pytest.raises(InputError, match=r"in a cache: name the file to write with out"):
        companion_path(source, "directions", None, force=False)
    assert companion_path(source, "directions", tmp_path / "x.json", force=False) == tmp_path / "x.json"


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        ("fashion", {}, "a shipped model has its encoder"),
        ("fashion", {"steps": 0}, "steps=0"),
        ("fashion", {"out": "x.txt"}, "must end in .onnx"),
        ("nowhere", {}, "nowhere"),
    ],
)
def test_wrong_trainings_of_an_encoder_are_refused(model, settings, message):
    with pytest.raises(InputError, match=message):
        train_encoder(model, **settings)


def test_an_encoder_is_not_trained_for_a_run_that_it_could_not_serve(run, monkeypatch):
    monkeypatch.delitem(onnx_gradient._RULES, "Tanh")
    with pytest.raises(InputError, match="the derivative of Tanh"):
        train_encoder(run, steps=1)
    run.onnx_generator_path.unlink()
    with pytest.raises(InputError, match=r"has no generator.onnx: fashion-gan export .* --format onnx"):
        train_encoder(run, steps=1)
    assert not run.encoder_path.exists()


def test_an_encoder_of_another_generator_is_refused(run, generator):
    shutil.copyfile(generator.companions.encoder, run.encoder_path)
    toy = Generator.load(run.onnx_generator_path)
    with pytest.raises(InputError, match=r"encoder\.onnx") as refused:
        toy.project(toy.generate(1))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x07\x3a\x02\x0a\x00"])
def test_a_damaged_encoder_is_refused_in_one_line(run, content):
    run.encoder_path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as an encoder") as refused:
        _ = Generator.load(run.onnx_generator_path).encoder
    assert "\n" not in str(refused.value)


def test_keras_projects_too(run, tmp_path):
    picture = fashion_gan.load_generator(run).generate(1)[0, ..., 0]
    Image.fromarray(picture).save(tmp_path / "toy.png")
    start = fashion_gan.project(run, [tmp_path / "toy.png"], method="keras", steps=1).projection
    found = fashion_gan.project(run, [tmp_path / "toy.png"], method="keras", steps=60).projection
    assert found.latents.shape == (1, 8)
    assert found.errors[0] < 0.8 * start.errors[0]


def test_a_descent_of_more_steps_comes_nearer(generator):
    pictures = load_fashion_mnist("test").images[:8]
    errors = [np.median(generator.project(pictures, steps=steps).errors) for steps in (0, 30, PROJECTION_STEPS)]
    assert errors[0] > 1.2 * errors[1]
    assert errors[1] > 1.1 * errors[2]
