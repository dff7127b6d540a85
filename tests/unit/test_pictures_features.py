"""The random network is the published one and takes every picture; a user's network is run or refused in one line."""

import functools
import json
import time

import make_random_network
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from toys import smooth_pictures

from fashion_gan.errors import InputError
from fashion_gan.metrics.pictures import feature_networks
from fashion_gan.metrics.pictures.feature_networks import RANDOM_NETWORK, RANDOM_NETWORK_SHA256, FeatureNetwork
from fashion_gan.system import onnx_guard

NODE = helper.make_node


def extracted(images, network=None):
    return (network or FeatureNetwork.random()).extract(images, "")


# ---- The random network ----


def test_the_random_network_is_the_one_that_its_tool_makes():
    card = json.loads(RANDOM_NETWORK.with_suffix(".json").read_text())
    assert card["sha256"] == RANDOM_NETWORK_SHA256 == FeatureNetwork.random().sha256
    made, stored = make_random_network.network(np.random.default_rng(0)), onnx.load(RANDOM_NETWORK)
    assert [node.SerializeToString() for node in made.graph.node] == [
        node.SerializeToString() for node in stored.graph.node
    ]
    for first, second in zip(made.graph.initializer, stored.graph.initializer, strict=True):
        np.testing.assert_array_equal(numpy_helper.to_array(first), numpy_helper.to_array(second))


def test_another_random_network_is_refused(tmp_path, monkeypatch):
    (tmp_path / "network.onnx").write_bytes(RANDOM_NETWORK.read_bytes() + b" ")
    monkeypatch.setattr(feature_networks, "RANDOM_NETWORK", tmp_path / "network.onnx")
    with pytest.raises(InputError, match="not the published feature network"):
        FeatureNetwork.random()


def test_the_features_are_those_of_onnxs_reference():
    images = smooth_pictures(2, 19, 16, channels=4)
    pixels = images.astype(np.float32)
    pixels[..., :3] *= pixels[..., 3:] / 255
    (expected,) = ReferenceEvaluator(onnx.load(RANDOM_NETWORK)).run(None, {"pixels": pixels})
    np.testing.assert_allclose(extracted(images), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 31), (64, 64), (129, 16), (512, 300)])
def test_pictures_of_every_size_have_as_many_features(height, width, channels):
    features = extracted(np.random.default_rng(0).integers(0, 256, (2, height, width, channels), np.uint8))
    assert features.shape == (2, 896)
    assert features.dtype == np.float32
    assert (features[0] != features[1]).any()


def test_gray_equals_equal_colors_and_opaque_colors_equal_colors():
    gray, color = smooth_pictures(5, channels=1), smooth_pictures(5, channels=3)
    np.testing.assert_array_equal(extracted(gray), extracted(gray.repeat(3, axis=3)))
    opaque = np.concatenate([color, np.full_like(color[..., :1], 255)], axis=3)
    np.testing.assert_array_equal(extracted(color), extracted(opaque))


def test_colors_that_cannot_be_seen_do_not_count():
    images = smooth_pictures(5, channels=4)
    images[:, 3:8, :, 3] = 0
    hidden = images.copy()
    hidden[:, 3:8, :, :3] = 77
    np.testing.assert_array_equal(extracted(images), extracted(hidden))


def test_features_do_not_depend_on_the_batch(monkeypatch):
    images = smooth_pictures(40)
    together = extracted(images)
    monkeypatch.setattr(feature_networks, "BATCH_PIXELS", 16 * 16 * 7)
    np.testing.assert_allclose(extracted(images), together, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(extracted(images), extracted(images))


def test_large_pictures_are_halved_until_they_fit():
    images = np.random.default_rng(0).integers(0, 256, (2, 258, 140, 3), np.uint8)
    smaller = images[:, :, :, :].reshape(2, 129, 2, 70, 2, 3).mean(axis=(2, 4))
    again = smaller[:, :128].reshape(2, 64, 2, 35, 2, 3).mean(axis=(2, 4))
    shown = feature_networks._for_random_network(images)
    assert shown.shape == (2, 64, 35, 4)
    np.testing.assert_allclose(shown[..., :3], again, rtol=1e-6)


# ---- Networks of the user's ----


def save(path, shape=("N", "H", "W", 3), kind=TensorProto.FLOAT, nodes=None, inputs=None, values=None):
    """Write a network. By default its features are the mean of each channel, wherever the channels are."""
    axes = [2, 3] if shape[1] in (1, 3, 4) else [1, 2]
    means = [NODE("Cast", ["x"], ["floats"], to=1), NODE("ReduceMean", ["floats"], ["y"], axes=axes, keepdims=0)]
    inputs = [helper.make_tensor_value_info("x", kind, shape)] if inputs is None else inputs
    tensors = [numpy_helper.from_array(np.array(value), name) for name, value in (values or {}).items()]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes or means, "g", inputs, outputs, tensors)
    graph.output[0].ClearField("type")
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.UINT8])
@pytest.mark.parametrize(
    "shape",
    [
        ("N", "H", "W", 3),
        ("N", 3, "H", "W"),
        ("N", 20, 16, 4),
        ("N", 4, 20, 16),
        (None, None, None, 1),
        ("N", 1, 20, 16),
    ],
)
def test_a_users_network_gets_the_pictures_as_it_takes_them(tmp_path, shape, kind):
    network = FeatureNetwork.load(save(tmp_path / "n.onnx", shape, kind))
    taken = shape[1] if shape[1] in (1, 3, 4) else shape[3]
    for channels in (1, 3, 4):
        images = smooth_pictures(5, 20, 16, channels)
        if channels > taken:
            with pytest.raises(InputError, match=f"takes {taken} channels, these pictures have {channels}"):
                network.extract(images, "")
            continue
        means = images.astype(float).mean(axis=(1, 2))
        # Gray is repeated in each color, and a missing opacity is 255.
        expected = np.full((5, 4), 255.0)
        expected[:, : 3 if channels == 1 else channels] = means
        np.testing.assert_allclose(network.extract(images, ""), expected[:, :taken], rtol=1e-5)


def test_a_users_network_of_a_fixed_size_takes_no_other(tmp_path):
    network = FeatureNetwork.load(save(tmp_path / "n.onnx", ("N", 3, 20, 16)))
    with pytest.raises(InputError, match="takes pictures of 16×20 pixels, these are 20×16: put the resizing into"):
        network.check_pictures((16, 20, 3))
    network.check_pictures((20, 16, 3))


def test_features_of_any_rank_become_rows(tmp_path):
    path = save(tmp_path / "n.onnx", ("N", 16, 20, 3), nodes=[NODE("Identity", ["x"], ["y"])])
    images = smooth_pictures(3, 16, 20)
    np.testing.assert_array_equal(extracted(images, FeatureNetwork.load(path)), images.reshape(3, -1))


PIXEL = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "H", "W", 3])
FLAT = NODE("ReduceMean", ["x"], ["flat"], axes=[1, 2, 3], keepdims=1)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"inputs": [PIXEL, helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", 3])]}, "one batch of pictures"),
        ({"inputs": [], "values": {"x": np.zeros((2, 4, 4, 3), np.float32)}}, "one batch of pictures"),
        ({"shape": ("N", 48), "nodes": [NODE("Identity", ["x"], ["y"])]}, "one batch of pictures"),
        ({"shape": ("N", "H", "W", "C")}, "one batch of pictures"),
        ({"shape": ("N", 5, "H", "W")}, "one batch of pictures"),
        ({"shape": (1, 3, 32, 32)}, "takes exactly 1 pictures: export it with a free number"),
        ({"kind": TensorProto.FLOAT16}, r"must be float32 or uint8, not tensor\(float16\)"),
        ({"nodes": [NODE("Shape", ["x"], ["y"])]}, "one row of features for each picture"),
        ({"nodes": [NODE("ReduceMean", ["x"], ["y"], keepdims=0)]}, "one row of features for each picture"),
        ({"nodes": [NODE("ReduceMean", ["x"], ["y"], axes=[0], keepdims=1)]}, "one row of features for each picture"),
        ({"nodes": [NODE("Identity", ["x"], ["y"])]}, "12,288 features for each picture: it must be 1 to 4,096"),
        (
            {"nodes": [FLAT, NODE("Expand", ["flat", "huge"], ["y"])], "values": {"huge": [1, 30_000, 30_000, 1]}},
            "too much memory",
        ),
    ],
)
def test_a_network_that_gives_no_features_is_refused(tmp_path, settings, words):
    path = save(tmp_path / "n.onnx", **settings)
    with pytest.raises(InputError, match=f"features={path} cannot be used as a feature network: .*{words}") as caught:
        FeatureNetwork.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"a text\n", RANDOM_NETWORK.read_bytes()[:5000], b"PK\x03\x04"])
def test_a_damaged_or_other_file_is_refused(tmp_path, content):
    (tmp_path / "n.onnx").write_bytes(content)
    with pytest.raises(InputError, match="cannot be used as a feature network: ") as caught:
        FeatureNetwork.load(tmp_path / "n.onnx")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.onnx"):
        with pytest.raises(InputError, match="is no file: name an ONNX feature network"):
            FeatureNetwork.load(path)


def test_features_that_are_not_finite_are_refused(tmp_path):
    # 0 / 0 of black pictures, which the probe shows too, and of no others.
    nodes = [FLAT, NODE("Div", ["flat", "flat"], ["y"])]
    network = FeatureNetwork.load(save(tmp_path / "n.onnx", nodes=nodes))
    assert extracted(smooth_pictures(3), network).tolist() == [[1.0]] * 3
    with pytest.raises(InputError, match="gives features that are not finite"):
        extracted(np.zeros((3, 16, 16, 3), np.uint8), network)


def test_a_network_that_works_for_the_probe_only_is_refused_later(tmp_path):
    nodes = [NODE("Reshape", ["x", "two"], ["y"])]
    load = functools.partial(FeatureNetwork.load, tmp_path / "n.onnx")
    save(tmp_path / "n.onnx", ("N", 8, 8, 3), nodes=nodes, values={"two": [2, -1]})
    with pytest.raises(InputError, match=r"does not work for pictures 3×8×8×3: .* one row of features"):
        extracted(smooth_pictures(3, 8, 8), load())
    save(tmp_path / "n.onnx", nodes=nodes, values={"two": [2, 64 * 64 * 3]})
    with pytest.raises(InputError, match="12,288 features"):
        load()
    save(tmp_path / "n.onnx", nodes=[NODE("Reshape", ["x", "row"], ["y"])], values={"row": [-1, 3 * 2048]})
    with pytest.raises(InputError, match="one row of features"):
        load()


def test_a_network_whose_later_calls_do_not_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_guard, "SECONDS", 0.5)
    monkeypatch.setattr(onnx_guard, "SLOWEST", 1)
    body = helper.make_graph(
        [NODE("Identity", ["go"], ["going"]), NODE("Identity", ["a"], ["b"])],
        "body",
        [helper.make_tensor_value_info(n, t, []) for n, t in (("i", TensorProto.INT64), ("go", TensorProto.BOOL))]
        + [helper.make_tensor_value_info("a", TensorProto.FLOAT, None)],
        [
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("b", TensorProto.FLOAT, None),
        ],
    )
    nodes = [
        FLAT,
        NODE("Shape", ["x"], ["shape"]),
        NODE("Gather", ["shape", "first"], ["number"]),
        NODE("Sub", ["number", "two"], ["more"]),  # The loop of two pictures ends at once, that of more never.
        NODE("Mul", ["more", "endless"], ["count"]),
        NODE("Loop", ["count", "true", "flat"], ["y"], body=body),
    ]
    path = save(tmp_path / "n.onnx", nodes=nodes, values={"first": 0, "two": 2, "endless": 1 << 60, "true": True})
    network, start = FeatureNetwork.load(path), time.monotonic()
    with pytest.raises(InputError, match=r"does not work for pictures 9×16×16×3: it takes over \d+ seconds"):
        extracted(smooth_pictures(9), network)
    assert time.monotonic() - start < 30
