"""Write the random feature network, with which pictures of any kind are compared, as ONNX.

    python tools/make_random_network.py

No weight is trained, and no data set decides anything: the weights are drawn from a seed. Random convolutions measure
texture, edges and color, and they favor no kind of pictures (Naeem et al. 2020, arXiv:2002.09797, section 4.3).
The network computes the same for the picture at its full size, a half, a quarter and an eighth: three convolutions, and
from each map of each its mean and its standard deviation. That makes 896 numbers.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SCALES = 4
CHANNELS = 4  # red, green, blue and opacity
LAYERS = ((16, 1), (32, 2), (64, 2))  # maps and stride of each convolution
LEAK = 0.2
FILE = Path(__file__).parent.parent / "src" / "fashion_gan" / "metrics" / "pictures" / "random_network.onnx"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="Seed of the weights.")
    parser.add_argument("--out", type=Path, default=FILE, help="File of the network.")
    arguments = parser.parse_args()
    model = network(np.random.default_rng(arguments.seed))
    onnx.checker.check_model(model, full_check=True)
    arguments.out.write_bytes(model.SerializeToString())
    card = {
        "file": arguments.out.name,
        "sha256": hashlib.sha256(arguments.out.read_bytes()).hexdigest(),
        "command": f"python tools/make_random_network.py --seed {arguments.seed}",
        "features": 2 * SCALES * sum(maps for maps, _ in LAYERS),
        "weights": int(sum(np.prod(weights.dims) for weights in model.graph.initializer)),
    }
    arguments.out.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(card, indent=2))


def network(random: np.random.Generator) -> onnx.ModelProto:
    """Pixels (N, H, W, 4) in [0, 255] -> features (N, 896). The scales share their weights."""
    nodes = [
        helper.make_node("Transpose", ["pixels"], ["channels_first"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["channels_first", "unit"], ["unit_pixels"]),
        helper.make_node("Sub", ["unit_pixels", "half"], ["scale_1"]),
    ]
    weights = [constant("unit", 1 / 255), constant("half", 0.5), constant("tiny", 1e-6), *convolutions(random)]
    features = []
    for level in range(SCALES):
        scale = f"scale_{2**level}"
        if level:
            settings = {"kernel_shape": [2, 2], "strides": [2, 2]}
            nodes.append(helper.make_node("AveragePool", [f"scale_{2 ** (level - 1)}"], [scale], **settings))
        nodes += layer_nodes(scale, features)
    nodes.append(helper.make_node("Concat", features, ["features"], axis=1))
    count = 2 * SCALES * sum(maps for maps, _ in LAYERS)
    graph = helper.make_graph(
        nodes,
        "random_network",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", "height", "width", CHANNELS])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", count])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def layer_nodes(scale: str, features: list[str]) -> list[onnx.NodeProto]:
    """The nodes of the three convolutions at one scale. The names of their features are added to ``features``."""
    nodes, inputs = [], scale
    for number, (_, stride) in enumerate(LAYERS):
        name = f"{scale}_layer_{number}"
        convolution = {"kernel_shape": [3, 3], "strides": [stride, stride], "pads": [1, 1, 1, 1]}
        nodes += [
            helper.make_node("Conv", [inputs, f"weights_{number}"], [f"{name}_sum"], **convolution),
            helper.make_node("LeakyRelu", [f"{name}_sum"], [name], alpha=LEAK),
            helper.make_node("ReduceMean", [name], [f"{name}_mean"], axes=[2, 3], keepdims=1),
            helper.make_node("Sub", [name, f"{name}_mean"], [f"{name}_centered"]),
            helper.make_node("Mul", [f"{name}_centered", f"{name}_centered"], [f"{name}_squares"]),
            helper.make_node("ReduceMean", [f"{name}_squares"], [f"{name}_variance"], axes=[2, 3], keepdims=0),
            helper.make_node("Add", [f"{name}_variance", "tiny"], [f"{name}_positive"]),
            helper.make_node("Sqrt", [f"{name}_positive"], [f"{name}_deviation"]),
            helper.make_node("ReduceMean", [name], [f"{name}_flat_mean"], axes=[2, 3], keepdims=0),
        ]
        features += [f"{name}_flat_mean", f"{name}_deviation"]
        inputs = name
    return nodes


def convolutions(random: np.random.Generator) -> list[onnx.TensorProto]:
    """Gaussian weights that keep the variance of the activations (He et al. 2015, arXiv:1502.01852)."""
    tensors, inputs = [], CHANNELS
    for number, (maps, _) in enumerate(LAYERS):
        deviation = np.sqrt(2 / (1 + LEAK**2) / (9 * inputs))
        values = deviation * random.standard_normal((maps, inputs, 3, 3))
        tensors.append(numpy_helper.from_array(values.astype(np.float32), f"weights_{number}"))
        inputs = maps
    return tensors


def constant(name: str, value: float) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, np.float32), name)


if __name__ == "__main__":
    main()
