"""The names and texts in a generator's ONNX file."""

import json

import numpy as np
import onnxruntime
import pytest

from fashion_gan import pretrained
from fashion_gan.config import Config

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT

from fashion_gan.saving.onnx_description import describe  # noqa: E402

CONFIG = Config.from_json(json.dumps({"latent_dim": 4, "class_names": []}), None)


def toy_model(output="Identity:0", inner="hidden", batch=("a", "b")):
    """Latents (N, 4) -> images (N, 2, 2, 1), with one value between them."""
    shape = helper.make_tensor("shape", onnx.TensorProto.INT64, [4], [-1, 2, 2, 1])
    return helper.make_model(
        helper.make_graph(
            [helper.make_node("Tanh", ["latents"], [inner]), helper.make_node("Reshape", [inner, "shape"], [output])],
            "main",
            [helper.make_tensor_value_info("latents", FLOAT, [batch[0], 4])],
            [helper.make_tensor_value_info(output, FLOAT, [batch[1], 2, 2, 1])],
            [shape],
            value_info=[helper.make_tensor_value_info(inner, FLOAT, [batch[0], 4])],
        ),
        opset_imports=[helper.make_opsetid("", 15)],
        ir_version=8,
    )


def session(model):
    onnx.checker.check_model(model, full_check=True)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("names", [{}, {"inner": "images"}, {"output": "images"}])
def test_the_output_is_named_images_and_the_numbers_stay(names):
    model, latents = toy_model(**names), np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    (expected,) = session(model).run(None, {"latents": latents})
    for _ in range(2):  # A second description changes nothing.
        describe(model, CONFIG)
        described = session(model)
        assert np.array_equal(described.run(["images"], {"latents": latents})[0], expected)
    assert [value.name for value in described.get_outputs()] == ["images"]
    assert len(model.metadata_props) == 2


def test_the_batch_dimension_is_named_and_a_fixed_one_stays():
    model = toy_model()
    describe(model, CONFIG)
    opened = session(model)
    assert [value.shape[0] for value in (*opened.get_inputs(), *opened.get_outputs())] == ["batch", "batch"]
    assert model.graph.value_info[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    fixed = toy_model(batch=(3, 3))
    describe(fixed, CONFIG)
    assert session(fixed).get_inputs()[0].shape == [3, 4]


def test_an_output_without_a_known_batch_dimension_gets_the_name():
    model = toy_model(batch=("a", None))
    describe(model, CONFIG)
    assert session(model).get_outputs()[0].shape[0] == "batch"


def test_the_shipped_file_says_what_goes_in_and_what_comes_out():
    model = onnx.load(pretrained.folder("fashion") / "generator.onnx")
    opened = session(model)
    assert [(value.name, value.shape) for value in opened.get_outputs()] == [("images", ["batch", 28, 28, 1])]
    assert [value.shape[0] for value in opened.get_inputs()] == ["batch", "batch"]
    facts = opened.get_modelmeta()
    assert facts.version == 1
    assert facts.producer_name == "fashion-gan"
    assert facts.graph_name == "generator"
    assert "standard normal" in facts.custom_metadata_map["latents"]
    assert "9 Ankle boot" in facts.custom_metadata_map["labels"]
    assert "from -1 (black) to 1 (white)" in facts.custom_metadata_map["images"]
    assert "from -1 (black) to 1 (white)" in facts.description
    assert all(value.doc_string for value in (*model.graph.input, *model.graph.output))


def test_a_thousand_classes_are_not_all_named_in_the_text():
    model = toy_model()
    model.graph.input.append(helper.make_tensor_value_info("labels", onnx.TensorProto.INT32, ["c"]))
    names = [f"class {number}" for number in range(1000)]
    describe(model, Config.from_json(json.dumps({"latent_dim": 4, "class_names": names, "conditional": True}), None))
    (text,) = [entry.value for entry in model.metadata_props if entry.key == "labels"]
    assert text.endswith("99 class 99, ...")
