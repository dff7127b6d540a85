"""ONNX files that ask for any work are refused in bounded time and memory, and damaged model files in one line."""

import contextlib
import random
import resource
import signal
import threading
import time
import zipfile

import h5py
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import fashion_gan
from fashion_gan.cli import main
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.system import onnx_guard

NODE = helper.make_node
OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
IMAGE = {"pixel": [-1, 1, 1, 1], "image": [1, 4, 4, 1]}
# Latents (N, 8) -> "flat" (N, 1, 1, 1), their means, and "drawn" (N, 4, 4, 1).
MEANS = [NODE("ReduceMean", ["latents"], ["mean"], axes=[1], keepdims=1), NODE("Reshape", ["mean", "pixel"], ["flat"])]
DRAWN = [*MEANS, NODE("Expand", ["flat", "image"], ["drawn"])]


def save(path, nodes, values=None, functions=(), class_names="[]"):
    """Write a model of fashion-gan whose output is "images"."""
    tensors = [numpy_helper.from_array(np.array(value), name) for name, value in {**IMAGE, **(values or {})}.items()]
    inputs = [helper.make_tensor_value_info("latents", TensorProto.FLOAT, ["N", 8])]
    outputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    model = helper.make_model(graph, functions=list(functions), opset_imports=OPSETS, ir_version=8)
    entry = model.metadata_props.add()
    entry.key, entry.value = "fashion_gan", f'{{"latent_dim": 8, "class_names": {class_names}}}'
    onnx.save(model, path)
    return path


def loop(count):
    """Nodes that repeat a body that does nothing."""
    body = helper.make_graph(
        [NODE("Identity", ["go"], ["going"]), NODE("Identity", ["x"], ["y"])],
        "body",
        [helper.make_tensor_value_info(n, t, []) for n, t in (("i", TensorProto.INT64), ("go", TensorProto.BOOL))]
        + [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
        [
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )
    return [*DRAWN, NODE("Loop", [count, "true", "drawn"], ["images"], body=body)]


LOOP_VALUES = {"true": True, "endless": 1 << 60, "first": 0, "two": 2}
# The loop of two images ends at once, and that of three or more never.
LOOP_FOR_MORE = [
    NODE("Shape", ["latents"], ["shape"]),
    NODE("Gather", ["shape", "first"], ["number"]),
    NODE("Sub", ["number", "two"], ["more"]),
    NODE("Mul", ["more", "endless"], ["count"]),
    *loop("count"),
]


def nested_functions(depth):
    """Functions of which each calls the next one twice."""
    functions = []
    for level in range(depth):
        calls = [NODE(f"f{level + 1}", ["x"], ["y"], domain="own"), NODE(f"f{level + 1}", ["y"], ["z"], domain="own")]
        nodes = calls if level < depth - 1 else [NODE("Identity", ["x"], ["z"])]
        functions.append(helper.make_function("own", f"f{level}", ["x"], ["z"], nodes, OPSETS))
    return functions


CALL_OF_ITSELF = NODE("f0", ["x"], ["z"], domain="own")
CALL = [*DRAWN, NODE("f0", ["drawn"], ["images"], domain="own")]


@pytest.fixture
def short_limits(monkeypatch):
    monkeypatch.setattr(onnx_guard, "SECONDS", 0.5)
    monkeypatch.setattr(onnx_guard, "SLOWEST", 1)


def test_a_plain_model_draws(tmp_path):
    generator = Generator.load(save(tmp_path / "m.onnx", [*DRAWN, NODE("Tanh", ["drawn"], ["images"])]))
    latents = generator.latents(5)
    expected = np.tanh(latents.mean(axis=1))[:, None, None, None]
    np.testing.assert_allclose(generator.decode(latents, as_float=True), np.tile(expected, (1, 4, 4, 1)), atol=1e-6)


def test_a_model_with_a_few_functions_draws(tmp_path):
    generator = Generator.load(save(tmp_path / "m.onnx", CALL, functions=nested_functions(4)))
    assert generator.generate(3).shape == (3, 4, 4, 1)


@pytest.mark.parametrize(
    ("nodes", "values", "words"),
    [
        (loop("endless"), LOOP_VALUES, "over 0 seconds for a few images"),
        ([*MEANS, NODE("Expand", ["flat", "huge"], ["images"])], {"huge": [1, 30_000, 30_000, 1]}, "too much memory"),
        (
            [*MEANS, NODE("ConstantOfShape", ["huge"], ["zeros"]), NODE("Add", ["flat", "zeros"], ["images"])],
            {"huge": [1, 30_000, 30_000, 1]},
            "too much memory",
        ),
        ([*MEANS, NODE("Identity", ["mean"], ["images"])], {}, r"draws float32 \(2, 1\), but images are float32"),
        ([*MEANS, NODE("Cast", ["flat"], ["images"], to=TensorProto.DOUBLE)], {}, "draws float64"),
        ([NODE("Identity", ["fixed"], ["images"])], {"fixed": np.zeros((1, 4, 4, 1), "float32")}, r"float32 \(1, 4"),
        ([*MEANS, NODE("SequenceConstruct", ["flat"], ["images"])], {}, "draws list"),
    ],
)
def test_a_model_that_asks_for_too_much_or_draws_no_images_is_refused(tmp_path, short_limits, nodes, values, words):
    path = save(tmp_path / "m.onnx", nodes, values)
    model = onnx.load(path)
    model.graph.output[0].ClearField("type")  # As the network makes it.
    onnx.save(model, path)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(InputError, match=words) as caught:
        Generator.load(path)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - start < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_600_000  # kilobytes


@pytest.mark.parametrize(
    "functions",
    [
        nested_functions(40),
        [helper.make_function("own", "f0", ["x"], ["z"], [NODE("f0", ["x"], ["z"], domain="own")], OPSETS)],
    ],
)
def test_functions_that_call_each_other_endlessly_are_refused_before_the_file_is_opened(tmp_path, functions):
    with pytest.raises(InputError, match="over 100,000 nodes when they are written out"):
        Generator.load(save(tmp_path / "m.onnx", CALL, functions=functions))


def test_a_model_whose_later_calls_do_not_end_is_stopped_at_the_time_limit(tmp_path, short_limits):
    generator = Generator.load(save(tmp_path / "m.onnx", LOOP_FOR_MORE, LOOP_VALUES), threads=1)
    assert generator.generate(2).shape == (2, 4, 4, 1)
    with pytest.raises(InputError, match="seconds for 32 images"):
        generator.generate(40)


@pytest.mark.parametrize("moment", ["loading", "drawing"])
def test_ctrl_c_ends_a_call_that_does_not_end(tmp_path, moment):
    nodes = loop("endless") if moment == "loading" else LOOP_FOR_MORE
    path = save(tmp_path / "m.onnx", nodes, LOOP_VALUES)
    generator = None if moment == "loading" else Generator.load(path, threads=2)
    timer = threading.Timer(0.5, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    start = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        Generator.load(path) if generator is None else generator.generate(40)
    assert time.monotonic() - start < 5


def test_images_that_are_not_finite_are_refused(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save("m.onnx", [*DRAWN, NODE("Sub", ["drawn", "drawn"], ["zero"]), NODE("Div", ["zero", "zero"], ["images"])])
    assert main(["generate", "--model", "m.onnx", "--count", "4", "--out", "x.png"]) == 2
    assert "pixels that are not finite" in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()
    with pytest.raises(InputError, match="not finite"):
        Generator(lambda latents: np.full((len(latents), 4, 4, 1), np.inf), 8).generate(2)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_model_file_whose_weights_are_not_finite_is_refused(toy_run, tmp_path, suffix):
    path = tmp_path / f"nan.{suffix}"
    path.write_bytes((toy_run.path / f"generator.{suffix}").read_bytes())
    if suffix == "h5":
        set_first_weight(path)
    else:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        weights = tmp_path / "weights.h5"
        weights.write_bytes(members["model.weights.h5"])
        set_first_weight(weights)
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in {**members, "model.weights.h5": weights.read_bytes()}.items():
                archive.writestr(name, data)
    with pytest.raises(InputError, match="not finite"):
        fashion_gan.load_generator(path)


def set_first_weight(path):
    names = []
    with h5py.File(path, "a") as file:
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        file[names[0]][...] = np.nan


def test_a_zip_bomb_is_refused_without_taking_its_memory(toy_run, tmp_path):
    """The weights of a toy are declared as 200 MB of zeros."""
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fashion_gan.json", toy_run.config.to_json())
        archive.writestr("model.weights.h5", bytes(200 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="more than it needs"):
        fashion_gan.load_generator(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def damaged(data, rng):
    """Return the bytes with a few of them flipped, deleted or doubled, or cut off."""
    data = bytearray(data)
    kind = rng.randrange(4)
    for _ in range(rng.choice([1, 2, 8])):
        place = rng.randrange(len(data) or 1)
        if kind == 0 and data:
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[place : place + rng.choice([1, 4, 50])]
        elif kind == 2:
            data[place:place] = data[place : place + rng.choice([1, 8, 100])]
        else:
            del data[place:]
    return bytes(data)


@pytest.mark.parametrize(("suffix", "count"), [("keras", 15), ("h5", 15), ("onnx", 60)])
def test_a_damaged_model_file_draws_or_is_refused(toy_run, tmp_path, suffix, count, full):
    whole = tmp_path / f"whole.{suffix}"
    if suffix == "onnx":
        save(whole, CALL, functions=nested_functions(3))
    else:
        whole.write_bytes((toy_run.path / f"generator.{suffix}").read_bytes())
    rng, path, refusals = random.Random(0), tmp_path / f"damaged.{suffix}", 0
    for _ in range(count * (5 if full else 1)):
        path.write_bytes(damaged(whole.read_bytes(), rng))
        with contextlib.suppress(InputError):
            fashion_gan.load_generator(path).generate(2)
            continue
        refusals += 1
    assert refusals > count / 3
