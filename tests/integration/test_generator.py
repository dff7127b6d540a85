"""Latents and labels -> images, with networks whose output is computed by hand."""

import base64
import copy
import io
import itertools
import json
import multiprocessing
import pickle
import threading

import jobs
import numpy as np
import pytest
from PIL import Image

from fashion_gan import pretrained
from fashion_gan.errors import InputError
from fashion_gan.generator import BATCH_SIZE, SLICE_SIZE, Generator
from fashion_gan.latents import draw_latents

NAMES = ("T-shirt/top", "Trouser", "Ankle boot")


def first_two_latents(latents):
    """A network that paints the first two latents, scaled to [-1, 1] by tanh."""
    return np.tanh(latents[:, :2]).reshape(-1, 1, 2, 1)


def label_painter(inputs):
    """A conditional network that paints the label: black, mid-gray or white."""
    return (inputs[1] - 1.0).reshape(-1, 1, 1, 1)


PLAIN = Generator(first_two_latents, latent_dim=4)
CONDITIONAL = Generator(label_painter, latent_dim=4, class_names=NAMES)


def torch_tensor(values, **options):
    return pytest.importorskip("torch").tensor(values, **options)


def tensorflow_tensor(values):
    return pytest.importorskip("tensorflow").constant(values)


def test_a_seed_gives_the_same_images_and_another_seed_gives_others():
    assert np.array_equal(PLAIN.generate(9, seed=5), PLAIN.generate(9, seed=5))
    assert not np.array_equal(PLAIN.generate(9, seed=5), PLAIN.generate(9, seed=6))


def test_many_images_are_drawn_in_batches_and_equal_those_drawn_at_once():
    sizes = []

    def predict(latents):
        sizes.append(len(latents))
        return first_two_latents(latents)

    count = 2 * BATCH_SIZE + 3
    images = Generator(predict, 4).generate(count, seed=1)
    assert sizes == [BATCH_SIZE, BATCH_SIZE, 3]
    expected = np.rint(first_two_latents(draw_latents(count, 4, 1)) * 127.5 + 127.5)
    assert np.array_equal(images, expected.astype(np.uint8))


def test_threads_draw_parts_at_the_same_time_and_the_images_stay_in_order():
    barrier, sizes = threading.Barrier(3, timeout=20), []

    def predict(latents):
        sizes.append(len(latents))
        barrier.wait()  # Raises an error unless three threads draw at the same time.
        return first_two_latents(latents)

    for count, largest in ((3 * SLICE_SIZE, SLICE_SIZE), (7, 3)):
        sizes.clear()
        assert np.array_equal(Generator(predict, 4, threads=3).generate(count, seed=1), PLAIN.generate(count, seed=1))
        assert max(sizes) == largest
        assert len(sizes) == 3


def test_a_generator_describes_itself_in_one_line():
    assert repr(PLAIN) == "Generator(1×2 gray, latent_dim 4, no classes)"
    assert repr(CONDITIONAL) == "Generator(1×1 gray, latent_dim 4, 3 classes)"
    assert repr(Generator.from_pretrained()) == "Generator(28×28 gray, latent_dim 100, 10 classes)"


def test_a_notebook_shows_a_generator_as_16_images():
    text = Generator.from_pretrained()._repr_html_()
    assert "Generator(28×28 gray" in text
    content = base64.b64decode(text.partition("base64,")[2].partition('"')[0])
    assert Image.open(io.BytesIO(content)).size == (4 * 58 + 2, 4 * 58 + 2)


@pytest.mark.parametrize("threads", [0, -1, 1025])
def test_a_number_of_threads_out_of_range_is_an_error(threads):
    with pytest.raises(InputError, match=f"threads={threads} is out of range: it must be from 1 to 1,024"):
        Generator.from_pretrained("fashion", threads=threads)


def test_a_class_can_be_named_in_any_case_or_numbered():
    for label in ("ankle BOOT", "2", 2, np.int64(2), [2, "2", "Ankle boot"]):
        assert np.array_equal(CONDITIONAL.generate(3, label).ravel(), [255, 255, 255])


def test_an_exact_name_comes_before_one_that_differs_in_case():
    generator = Generator(label_painter, latent_dim=4, class_names=("Bag", "bag", "BAG"))
    assert [generator.label_number(label) for label in ("Bag", " bag ", "BAG")] == [0, 1, 2]


def test_without_labels_the_classes_take_turns():
    assert CONDITIONAL.generate(5).ravel().tolist() == [0, 128, 255, 0, 128]


@pytest.mark.parametrize(
    ("label", "hint"), [("Ankle boots", "did you mean 'Ankle boot'"), (3, "0 to 2"), ("-1", "0 to 2")]
)
def test_an_unknown_label_is_an_error_that_suggests_the_nearest_ones(label, hint):
    with pytest.raises(InputError, match=hint):
        CONDITIONAL.generate(2, label)


def test_a_label_for_an_unconditional_model_is_an_error():
    with pytest.raises(InputError, match="unconditional"):
        PLAIN.generate(2, "Trouser")


@pytest.mark.parametrize(
    "settings",
    [
        {"count": 0},
        {"count": -1},
        {"count": 10**9},
        {"count": 1, "seed": -1},
        {"count": 1, "truncation": 0},
        {"count": 1, "truncation": 1.51},
        {"count": 1, "truncation": float("nan")},
    ],
)
def test_numbers_out_of_range_are_errors(settings):
    with pytest.raises(InputError, match="out of range"):
        PLAIN.generate(**settings)


@pytest.mark.parametrize(
    ("latents", "hint"),
    [
        (np.zeros(4), r"must be \(N, 4\), got \(4,\)"),
        (np.zeros((2, 5)), r"got \(2, 5\)"),
        (np.zeros((0, 4)), r"got \(0, 4\)"),
        (np.full((1, 4), np.nan), "finite"),
        (np.full((1, 4), np.inf), "finite"),
    ],
)
def test_invalid_latents_are_an_error(latents, hint):
    with pytest.raises(InputError, match=hint):
        PLAIN.decode(latents)


def test_floats_are_the_network_s_output():
    images = PLAIN.generate(5, seed=2, as_float=True)
    assert images.dtype == np.float32
    np.testing.assert_array_equal(images, first_two_latents(PLAIN.latents(5, seed=2)))


def test_truncation_shortens_latents():
    np.testing.assert_allclose(PLAIN.latents(3, 1, truncation=0.5), 0.5 * PLAIN.latents(3, 1))


def test_vary_mix_and_interpolate_take_a_seed_or_a_latent():
    latent = PLAIN.latents(1, 8)[0]
    np.testing.assert_array_equal(PLAIN.vary(8, 0.2, 3), PLAIN.vary(latent, 0.2, 3))
    np.testing.assert_array_equal(PLAIN.mix(8, 9), PLAIN.mix(latent, 9))
    np.testing.assert_array_equal(PLAIN.interpolate(8, 9, 3), PLAIN.interpolate(latent, 9, 3))
    with pytest.raises(InputError, match=r"a latent must be \(4,\), got \(5,\)"):
        PLAIN.mix(np.zeros(5), 9)


def test_fewer_or_more_labels_than_images_are_an_error():
    with pytest.raises(InputError, match="2 entries for 3 images"):
        CONDITIONAL.generate(3, [1, 2])
    with pytest.raises(InputError, match="more than 3 entries for 3 images"):
        CONDITIONAL.generate(3, itertools.cycle([1, 2]))


@pytest.mark.parametrize(
    "labels",
    [
        range(3),
        iter([0, 1, 2]),
        np.arange(3.0),
        np.arange(3)[:, np.newaxis],
        np.eye(3),
        torch_tensor([0, 1, 2]),
        tensorflow_tensor([0, 1, 2]),
    ],
)
def test_labels_of_any_plain_kind_draw_their_classes(labels):
    assert CONDITIONAL.generate(3, labels).ravel().tolist() == [0, 128, 255]


def test_a_single_label_of_any_plain_kind_is_the_class_of_all_images():
    for label in (2, 2.0, np.int8(2), np.float32(2), np.array(2), torch_tensor(2), tensorflow_tensor(2)):
        assert CONDITIONAL.generate(3, label).ravel().tolist() == [255] * 3
        assert CONDITIONAL.interpolate(0, 1, 2, label).ravel().tolist() == [255] * 2


def test_whole_numbers_and_seeds_can_be_of_any_kind():
    expected = PLAIN.generate(4, seed=3)
    for four, three in ((4.0, 3.0), (np.int64(4), np.float32(3)), (torch_tensor(4), np.array(3))):
        np.testing.assert_array_equal(PLAIN.generate(four, seed=three), expected)
    np.testing.assert_array_equal(PLAIN.mix(3.0, np.array(4)), PLAIN.mix(3, 4))


def test_without_a_seed_every_call_draws_other_images():
    assert not np.array_equal(PLAIN.generate(4, seed=None), PLAIN.generate(4, seed=None))
    assert not np.array_equal(PLAIN.vary(3, seed=None), PLAIN.vary(3, seed=None))


def test_latents_can_be_tensors_with_gradients():
    latents = PLAIN.latents(3)
    np.testing.assert_array_equal(PLAIN.decode(torch_tensor(latents, requires_grad=True)), PLAIN.decode(latents))


def test_a_walk_starts_at_one_seed_ends_at_the_other_and_stays_on_the_sphere():
    inputs = []

    def predict(latents):
        inputs.append(latents)
        return first_two_latents(latents)

    generator = Generator(predict, 64)
    images = generator.interpolate(3, 7, frames=9)
    assert np.array_equal(images[0], generator.generate(1, seed=3)[0])
    assert np.array_equal(images[-1], generator.generate(1, seed=7)[0])
    lengths = np.linalg.norm(inputs[0], axis=1)
    assert lengths.min() >= 0.99 * min(lengths[0], lengths[-1])


def test_a_walk_from_a_seed_to_itself_does_not_move():
    images = PLAIN.interpolate(3, 3, frames=4)
    assert (images == images[0]).all()


@pytest.mark.parametrize("arguments", [(3, 7, 1), (3, 7, 10**6), (-3, 7, 4)])
def test_a_walk_with_a_number_out_of_range_is_an_error(arguments):
    with pytest.raises(InputError, match="out of range"):
        PLAIN.interpolate(*arguments)


@pytest.mark.parametrize("copied", [lambda g: pickle.loads(pickle.dumps(g)), copy.deepcopy])
def test_a_copied_generator_draws_the_same_images(copied):
    generator = Generator.from_pretrained()
    twin = copied(generator)
    assert twin.predict is not generator.predict
    np.testing.assert_array_equal(twin.generate(40, "Dress", seed=2), generator.generate(40, "Dress", seed=2))
    assert (twin.class_names, twin.threads) == (generator.class_names, generator.threads)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_another_process_draws_the_same_images_while_this_one_draws_too(start_method):
    generator = Generator.from_pretrained(threads=2)
    expected, is_over = generator.generate(40, seed=2), threading.Event()
    drawing = threading.Thread(target=lambda: [generator.generate(64) for _ in iter(is_over.is_set, True)], daemon=True)
    drawing.start()
    try:
        for _ in range(3 if start_method == "fork" else 1):
            context = multiprocessing.get_context(start_method)
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=jobs.draw_and_send, args=(generator, sender), daemon=True)
            process.start()
            sender.close()
            assert receiver.poll(30), "the process hangs"
            np.testing.assert_array_equal(receiver.recv(), expected)
            process.join()
            assert process.exitcode == 0
    finally:
        is_over.set()
        drawing.join()


def test_a_forked_process_opens_the_network_itself(monkeypatch):
    generator = Generator.from_pretrained()
    session = generator.predict.session
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert generator.predict.session is not session
    assert generator.predict.session is generator.predict.session


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"latent_dim": 99}, "inputs latents, labels, which do not match"),
        ({"class_names": []}, "inputs latents, labels, which do not match"),
        ({"class_names": ["a", 1]}, "class_names"),
        ({"class_names": ["\ud800"]}, "class_names"),
        ("[" * 100_000, "g.onnx holds no fashion-gan configuration"),
        ({"of_another_version": 1}, r"g.onnx was written by version 0\.1\.0; .* has no setting of_another_version"),
    ],
)
def test_an_onnx_file_that_does_not_match_its_configuration_is_an_error(tmp_path, changes, hint):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    model = onnx.load(pretrained.folder("fashion") / "generator.onnx")
    entry = next(entry for entry in model.metadata_props if entry.key == "fashion_gan")
    entry.value = changes if isinstance(changes, str) else json.dumps({**json.loads(entry.value), **changes})
    onnx.save(model, tmp_path / "g.onnx")
    with pytest.raises(InputError, match=hint):
        Generator.load(tmp_path / "g.onnx")
