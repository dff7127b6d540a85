"""Generated images as data sets of PyTorch, TensorFlow and Hugging Face."""

import itertools
import pickle

import numpy as np
import pytest
from processes import run_python

import fashion_gan
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.loaders.stream import BLOCK_SIZE, ImageStream

NAMES = ("left", "middle", "right")
COUNT = BLOCK_SIZE + 44


def first_latents(inputs):
    """A network that paints the first four latents."""
    latents = inputs[0] if isinstance(inputs, list) else inputs
    return np.tanh(latents[:, :4]).reshape(-1, 2, 2, 1)


CONDITIONAL = Generator(first_latents, 8, NAMES)
PLAIN = Generator(first_latents, 8)


def contents(images) -> list[bytes]:
    return [np.asarray(image).tobytes() for image in images]


def stream(count=None, labels=None, seed=3, truncation=1.0, as_float=False, generator=CONDITIONAL):
    return ImageStream(generator, count, labels, seed, truncation, as_float)


# ---- The stream ----


def test_counted_images_are_those_of_generate():
    blocks = list(stream(COUNT, truncation=0.7).blocks())
    assert [len(images) for images, _ in blocks] == [BLOCK_SIZE, 44]
    drawn = np.concatenate([images for images, _ in blocks])
    assert np.array_equal(drawn, CONDITIONAL.generate(COUNT, seed=3, truncation=0.7))
    assert np.concatenate([labels for _, labels in blocks]).tolist() == [place % 3 for place in range(COUNT)]


@pytest.mark.parametrize("count", [None, 1000])
def test_workers_draw_the_blocks_of_a_single_reader_and_each_other_ones(count):
    alone = [contents(images) for images, _ in itertools.islice(stream(count).blocks(), 4)]
    shared = {
        number: contents(images)
        for worker in range(2)
        for number, (images, _) in zip((worker, worker + 2), stream(count).blocks(worker, 2), strict=False)
    }
    assert [shared[number] for number in range(4)] == alone
    assert len(set().union(*alone)) == (1000 if count else 4 * BLOCK_SIZE)


def test_endless_images_take_turns_in_their_classes_across_blocks():
    blocks = itertools.islice(stream().blocks(), 3)
    assert np.concatenate([labels for _, labels in blocks]).tolist() == [place % 3 for place in range(3 * BLOCK_SIZE)]


def test_the_seed_decides_and_without_one_it_is_drawn_once():
    first, second = (contents(next(stream(seed=seed).blocks())[0]) for seed in (3, 4))
    assert first != second
    unseeded = stream(seed=None)
    assert contents(next(unseeded.blocks())[0]) == contents(next(pickle.loads(pickle.dumps(unseeded)).blocks())[0])
    assert unseeded.seed != stream(seed=None).seed


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": 0}, "count=0 is out of range"),
        ({"count": 100_001}, "from 1 to 100,000"),
        ({"labels": [0, 1]}, "labels of endless images are one class for all"),
        ({"labels": "up"}, "up"),
        ({"count": 2, "labels": ["left"]}, "1 entries for 2 images"),
        ({"labels": "left", "generator": PLAIN}, "needs a conditional model"),
        ({"truncation": 2}, "truncation=2 is out of range"),
        ({"seed": -1}, "seed=-1"),
        ({"as_float": 1}, "as_float=1 must be True or False"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_drawn(values, message):
    with pytest.raises(InputError, match=message):
        stream(**values)


# ---- PyTorch ----


def test_a_counted_torch_data_set_is_indexed_and_shuffled():
    torch = pytest.importorskip("torch")
    dataset = CONDITIONAL.as_torch_dataset(COUNT, labels=iter(["right"] * COUNT), seed=5)
    image, label = dataset[-1]
    assert np.array_equal(image.permute(1, 2, 0), CONDITIONAL.generate(COUNT, "right", seed=5)[-1])
    assert (image.dtype, label.dtype, int(label)) == (torch.uint8, torch.int64, 2)
    assert len(list(dataset)) == len(dataset) == COUNT
    loader = torch.utils.data.DataLoader(dataset, 64, shuffle=True, generator=torch.Generator().manual_seed(0))
    shuffled = [image for images, _ in loader for image in contents(images)]
    plain = contents(image for image, _ in dataset)
    assert shuffled != plain
    assert sorted(shuffled) == sorted(plain)


def test_an_unconditional_torch_data_set_has_images_only_and_as_floats_if_asked():
    torch = pytest.importorskip("torch")
    dataset = PLAIN.as_torch_dataset(3, as_float=True)
    assert torch.equal(dataset[1], torch.from_numpy(PLAIN.generate(3, as_float=True)[1]).permute(2, 0, 1))
    (batch,) = torch.utils.data.DataLoader(dataset, batch_size=3)
    assert (batch.shape, batch.dtype) == ((3, 1, 2, 2), torch.float32)


def test_workers_of_a_torch_data_loader_draw_what_one_process_draws():
    torch = pytest.importorskip("torch")
    dataset = fashion_gan.Generator.from_pretrained().as_torch_dataset(seed=3)

    def first_blocks(**options):
        loader = torch.utils.data.DataLoader(dataset, BLOCK_SIZE, **options)
        return [(contents(images), labels.tolist()) for images, labels in itertools.islice(loader, 4)]

    shared = first_blocks(num_workers=2, multiprocessing_context="spawn")
    assert shared == first_blocks()
    assert len({image for images, _ in shared for image in images}) == 4 * BLOCK_SIZE


# ---- TensorFlow ----


def test_a_counted_tensorflow_data_set_knows_its_length():
    pytest.importorskip("tensorflow")
    dataset = CONDITIONAL.as_tf_dataset(COUNT, seed=5)
    assert len(dataset) == COUNT
    batches = list(dataset.batch(128).as_numpy_iterator())
    assert np.array_equal(np.concatenate([images for images, _ in batches]), CONDITIONAL.generate(COUNT, seed=5))
    labels = np.concatenate([labels for _, labels in batches])
    assert (labels.dtype, labels.tolist()) == (np.int64, [place % 3 for place in range(COUNT)])


def test_an_endless_tensorflow_data_set_has_no_end_and_no_labels_without_classes():
    tensorflow = pytest.importorskip("tensorflow")
    dataset = PLAIN.as_tf_dataset(as_float=True)
    assert int(dataset.cardinality()) == tensorflow.data.INFINITE_CARDINALITY
    images = list(dataset.take(BLOCK_SIZE + 1).as_numpy_iterator())
    assert (images[0].shape, images[0].dtype) == ((2, 2, 1), np.float32)
    assert len(set(contents(images))) == BLOCK_SIZE + 1


# ---- Hugging Face ----


def test_a_counted_hugging_face_data_set_has_pictures_and_named_classes():
    pytest.importorskip("datasets")
    dataset = CONDITIONAL.as_hf_dataset(COUNT, seed=5)
    assert dataset.features["label"].names == list(NAMES)
    assert np.array_equal(np.stack(list(dataset["image"]))[..., None], CONDITIONAL.generate(COUNT, seed=5))
    assert list(dataset["label"]) == [place % 3 for place in range(COUNT)]
    loaded = fashion_gan.load_training_images(dataset, image_size=2, channels=1)
    assert np.array_equal(loaded.images, CONDITIONAL.generate(COUNT, seed=5))
    assert loaded.class_names == NAMES


def test_an_endless_hugging_face_data_set_gives_each_worker_other_images():
    pytest.importorskip("datasets")
    dataset = CONDITIONAL.as_hf_dataset(labels="middle")
    assert dataset.num_shards == 64
    workers = [dataset.shard(2, worker) for worker in range(2)]
    rows = [list(itertools.islice(worker, BLOCK_SIZE + 1)) for worker in workers]
    assert len({row["image"].tobytes() for part in rows for row in part}) == 2 * (BLOCK_SIZE + 1)
    assert {row["label"] for part in rows for row in part} == {1}
    assert "label" not in next(iter(PLAIN.as_hf_dataset()))


# ---- Missing libraries ----

MISSING = """
import importlib.util, sys
name, method, extra = sys.argv[1:]
find = importlib.util.find_spec
importlib.util.find_spec = lambda module, *package: None if module == name else find(module, *package)
import fashion_gan
generator = fashion_gan.Generator.from_pretrained()
assert not {"torch", "tensorflow", "datasets", "huggingface_hub"} & set(sys.modules)
try:
    getattr(generator, method)(3)
except fashion_gan.InputError as error:
    assert f"{method} needs {name}: pip install " in str(error) and f"[{extra}]" in str(error), error
    print("refused")
"""


@pytest.mark.parametrize(
    "words",
    [
        ("torch", "as_torch_dataset", "torch"),
        ("tensorflow", "as_tf_dataset", "train"),
        ("datasets", "as_hf_dataset", "datasets"),
    ],
)
def test_a_missing_library_is_one_line_with_the_command_that_installs_it(words):
    assert run_python(MISSING, *words) == "refused\n"
