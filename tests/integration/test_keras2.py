"""Hand-written files of Keras 2 and tf.keras draw the same images after import, or are refused."""

import json
import resource

import h5py
import keras
import numpy as np
import pytest
from processes import command

import fashion_gan
from fashion_gan.cli import main, models
from fashion_gan.errors import InputError
from fashion_gan.latents import draw_latents
from fashion_gan.rendering.images import load_png
from fashion_gan.saving.keras2 import importer, network

LATENT_DIM, CLASSES = 6, 3


def reference(activation="tanh"):
    """The network in the files below, in Keras. Its weights are far from the initial weights of layers."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((LATENT_DIM,)),
            layers.Dense(4 * 4 * 4, name="dense_1"),
            layers.LeakyReLU(0.2, name="leaky_re_lu_1"),
            layers.Reshape((4, 4, 4), name="reshape_1"),
            layers.UpSampling2D(name="up_sampling2d_1"),
            layers.Conv2D(5, 3, padding="same", activation="relu", name="conv2d_1"),
            layers.BatchNormalization(epsilon=0.01, name="batch_normalization_1"),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation=activation, name="conv2d_transpose_1"),
        ]
    )
    random = np.random.default_rng(0)
    for variable in model.variables:
        values = random.normal(0, 0.3, variable.shape)
        variable.assign(np.abs(values) + 0.3 if variable.name == "moving_variance" else values)
    return model


def layer_entry(class_name, name, **config):
    """The description of a layer in an architecture."""
    return {"class_name": class_name, "config": {"name": name, "trainable": True, **config}}


def plain_layers(activation="tanh", *, window=None, norm_axis=-1, first=None):
    """The layers of ``reference`` as Keras 2 describes them."""
    shared = {
        "padding": "same",
        "data_format": "channels_last",
        "dilation_rate": [1, 1],
        "use_bias": True,
        "kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 1.0, "seed": None}},
        "bias_initializer": {"class_name": "Zeros", "config": {}},
        "kernel_regularizer": None,
        "activity_regularizer": None,
        "kernel_constraint": None,
        **(window or {}),
    }
    return [
        layer_entry(
            "Dense", "dense_1", units=64, activation="linear", use_bias=True, bias_constraint=None, **(first or {})
        ),
        layer_entry("LeakyReLU", "leaky_re_lu_1", alpha=0.20000000298023224),
        layer_entry("Dropout", "dropout_1", rate=0.3, noise_shape=None, seed=None),
        layer_entry("Reshape", "reshape_1", target_shape=[4, 4, 4]),
        layer_entry("UpSampling2D", "up_sampling2d_1", size=[2, 2], data_format="channels_last"),
        layer_entry("Conv2D", "conv2d_1", filters=5, kernel_size=[3, 3], strides=[1, 1], activation="relu", **shared),
        layer_entry(
            "BatchNormalization",
            "batch_normalization_1",
            axis=norm_axis,
            epsilon=0.01,
            center=True,
            scale=True,
            momentum=0.8,
            beta_initializer={"class_name": "Zeros", "config": {}},
        ),
        layer_entry(
            "Conv2DTranspose",
            "conv2d_transpose_1",
            **{"filters": 1, "kernel_size": [4, 4], "strides": [2, 2], "activation": activation, **shared},
        ),
    ]


def chained(layers, source):
    """The layers of a functional model in which each layer takes the output of the layer before it."""
    chain = []
    for layer in layers:
        name = layer["config"]["name"]
        chain.append({**layer, "name": name, "inbound_nodes": [[[source, 0, 0, {}]]]})
        source = name
    return chain


def input_layer(name, shape, dtype="float32"):
    config = {"batch_input_shape": [None, *shape], "dtype": dtype, "sparse": False, "name": name}
    return {"name": name, "class_name": "InputLayer", "config": config, "inbound_nodes": []}


def functional(layers, inputs, output, class_name="Model"):
    ends = {"input_layers": [[name, 0, 0] for name in inputs], "output_layers": [[output, 0, 0]]}
    return {"class_name": class_name, "config": {"name": "model_1", "layers": layers, **ends}}


def of_keras_2_1():
    first = {"batch_input_shape": [None, LATENT_DIM], "dtype": "float32"}
    return {"class_name": "Sequential", "config": plain_layers(first=first)}


def of_keras_2_2():
    """As common GAN notebooks saved it: a Sequential in a Model, with all weights in one group."""
    first = {"batch_input_shape": [None, LATENT_DIM], "dtype": "float32"}
    inner = {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": plain_layers(first=first)}}
    inner |= {"name": "sequential_1", "inbound_nodes": [[["input_1", 0, 0, {}]]]}
    return functional([input_layer("input_1", [LATENT_DIM]), inner], ["input_1"], "sequential_1")


def of_tf_keras_2_4():
    layers = chained(plain_layers(norm_axis=[3], window={"groups": 1}), "input_1")
    layers = [input_layer("input_1", [LATENT_DIM]), *layers]
    return functional(layers, ["input_1"], "conv2d_transpose_1", "Functional")


def of_tf_keras_2_9():
    """With explicit groups and output_padding, and sigmoid pixels."""
    layers = plain_layers("sigmoid", window={"groups": 1, "output_padding": None})
    layers[5]["config"].pop("output_padding")
    config = {"name": "sequential", "layers": [input_layer("input_1", [LATENT_DIM]), *layers]}
    return {"class_name": "Sequential", "config": config}


DIALECTS = {
    "2.1.6": of_keras_2_1,
    "2.2.4": of_keras_2_2,
    "2.4.0": of_tf_keras_2_4,
    "2.9.0": of_tf_keras_2_9,
}


def weights_of(model, prefix=""):
    return {
        layer.name: [(f"{prefix}{layer.name}/{v.name}:0", np.asarray(v)) for v in layer.variables]
        for layer in model.layers
        if layer.variables
    }


def write(path, architecture, groups, version="2.2.4"):
    """Write an ``.h5`` file in the documented format of Keras 2."""
    text = architecture if isinstance(architecture, str) else json.dumps(architecture)
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = version.encode(), b"tensorflow"
        file.attrs["model_config"] = text.encode()
        file.attrs["training_config"] = json.dumps({"optimizer_config": {"config": {"lr": 1e-4, "decay": 0.0}}})
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [name.encode() for name in groups]
        for layer, values in groups.items():
            group = root.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name, _ in values]
            for name, value in values:
                group.create_dataset(name, data=value)
    return path


def sequential_file(path, *layers, groups=None):
    return write(path, {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}, groups or {})


FIRST = {"batch_input_shape": [None, LATENT_DIM]}


def in_one_group(groups, name="sequential_1"):
    """The weights of a nested model. Keras 2 wrote the trainable ones first."""
    values = [value for group in groups.values() for value in group]
    return {name: sorted(values, key=lambda value: "moving" in value[0])}


@pytest.fixture
def old_file(tmp_path):
    """A function from a version to a file that this version wrote, and the network in the file."""

    def make(version="2.2.4"):
        model = reference("sigmoid" if version == "2.9.0" else "tanh")
        groups = weights_of(model)
        groups = in_one_group(groups) if version == "2.2.4" else groups
        return write(tmp_path / "old.h5", DIALECTS[version](), groups, version), model

    return make


def draw(path, latents, labels=None):
    return fashion_gan.load_generator(path).decode(latents, labels, as_float=True)


@pytest.mark.parametrize("version", DIALECTS)
def test_an_imported_network_draws_the_images_of_the_same_network_in_keras(old_file, tmp_path, version):
    path, model = old_file(version)
    imported = fashion_gan.import_generator(path, tmp_path / "new.onnx")
    latents = draw_latents(5, LATENT_DIM, 1)
    expected = np.asarray(model(latents))
    if version == "2.9.0":
        assert imported.pixel_range == (0, 1)
        expected = expected * 2 - 1
    assert expected.std() > 0.05
    np.testing.assert_allclose(draw(tmp_path / "new.onnx", latents), expected, atol=1e-5)
    assert (imported.latent_dim, imported.image_shape, imported.class_names) == (LATENT_DIM, (16, 16, 1), ())
    assert repr(imported).startswith("<ImportedGenerator: latents of 6 numbers, no classes, 16×16×1 images, pixels in")


def test_a_network_of_one_layer_draws_images_computed_by_hand(tmp_path):
    kernel, bias = np.random.default_rng(0).normal(0, 40, (LATENT_DIM, 16)), np.full(16, 128.0)
    layers = [layer_entry("Dense", "d", units=16, activation="relu", batch_input_shape=[None, LATENT_DIM])]
    groups = {"d": [("d/kernel:0", kernel), ("d/bias:0", bias)]}
    path = write(tmp_path / "old.h5", {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}, groups)
    imported = fashion_gan.import_generator(path, tmp_path / "new.onnx")
    latents = draw_latents(64, LATENT_DIM, 0)
    pixels = np.maximum(latents @ kernel + bias, 0)
    lowest, highest = pixels.min(), pixels.max()
    assert imported.pixel_range == pytest.approx((lowest, highest), rel=1e-5)
    expected = (pixels - lowest) / (highest - lowest) * 2 - 1
    np.testing.assert_allclose(draw(tmp_path / "new.onnx", latents), expected.reshape(64, 4, 4, 1), atol=1e-5)


def spread_file(path, lowest, highest):
    """A network that copies its latents into 16 pixels, scales them by 10,000, and clips them to a range."""
    kernel = np.zeros((LATENT_DIM, 16))
    kernel[np.arange(16) % LATENT_DIM, np.arange(16)] = 1e4
    clipped = layer_entry("ReLU", "r", max_value=highest - lowest, negative_slope=0.0, threshold=0.0)
    moved = layer_entry("Dense", "m", units=16, activation="linear")
    groups = {
        "d": [("d/kernel:0", kernel), ("d/bias:0", np.zeros(16))],
        "m": [("m/kernel:0", np.eye(16)), ("m/bias:0", np.full(16, float(lowest)))],
    }
    return sequential_file(path, layer_entry("Dense", "d", units=16, **FIRST), clipped, moved, groups=groups)


@pytest.mark.parametrize(
    ("drawn_range", "pixel_range"),
    [
        ((0, 1), (0, 1)),
        ((-0.04, 1.04), (0, 1)),
        ((-0.07, 1), (-1, 1)),
        ((-1.08, 1.08), (-1, 1)),
        ((0, 2), (0, 2)),
        ((0, 16), (0, 16)),
        ((0, 250), (0, 255)),
        ((-1, 250), (-1, 250)),
        ((0, 300), (0, 300)),
    ],
)
def test_pixels_without_a_bounded_activation_have_a_usual_range_or_the_measured_one(tmp_path, drawn_range, pixel_range):
    path = spread_file(tmp_path / "old.h5", *drawn_range)
    imported = fashion_gan.import_generator(path, tmp_path / "new.onnx")
    assert imported.pixel_range == pytest.approx(pixel_range, abs=1e-5)
    extremes = np.array(drawn_range)
    low, high = pixel_range
    pixels = draw(tmp_path / "new.onnx", draw_latents(64, LATENT_DIM, 0))
    expected = (extremes - low) / (high - low) * 2 - 1
    assert (pixels.min(), pixels.max()) == pytest.approx(expected, abs=1e-4)


def conditional_file(path):
    """A latent times the class's embedding, as in common conditional generators of tf.keras."""
    model = reference()
    rows = np.random.default_rng(1).normal(size=(CLASSES, LATENT_DIM))
    layers = [
        input_layer("noise", [LATENT_DIM]),
        input_layer("label", [1], "int32"),
        *chained(
            [layer_entry("Embedding", "rows", input_dim=CLASSES, output_dim=LATENT_DIM, mask_zero=False)], "label"
        ),
        *chained([layer_entry("Flatten", "flat", data_format="channels_last")], "rows"),
        {
            **layer_entry("Multiply", "joint"),
            "name": "joint",
            "inbound_nodes": [[["noise", 0, 0, {}], ["flat", 0, 0, {}]]],
        },
        *chained(plain_layers(norm_axis=[3]), "joint"),
    ]
    # Keras 2 lists layers by their depth. The import must not depend on this order.
    architecture = functional(layers[::-1], ["noise", "label"], "conv2d_transpose_1", "Functional")
    groups = {"rows": [("rows/embeddings:0", rows)], **weights_of(model)}
    return write(path, architecture, groups, "2.4.0"), model, rows


def test_a_conditional_network_keeps_its_classes(tmp_path):
    path, model, rows = conditional_file(tmp_path / "old.h5")
    imported = fashion_gan.import_generator(path, tmp_path / "new.onnx")
    assert imported.class_names == ("0", "1", "2")
    latents, labels = draw_latents(6, LATENT_DIM, 1), [0, 1, 2, 2, 1, 0]
    expected = np.asarray(model(latents * rows[labels].astype(np.float32)))
    np.testing.assert_allclose(draw(tmp_path / "new.onnx", latents, labels), expected, atol=1e-5)


def test_a_file_of_keras_3_is_imported(tmp_path):
    inputs = keras.Input((LATENT_DIM,))
    inner = reference()
    model = keras.Model(inputs, keras.layers.Activation("tanh")(inner(inputs)))
    model.save(tmp_path / "old.h5")
    fashion_gan.import_generator(tmp_path / "old.h5", tmp_path / "new.onnx")
    latents = draw_latents(5, LATENT_DIM, 1)
    np.testing.assert_allclose(draw(tmp_path / "new.onnx", latents), np.asarray(model(latents)), atol=1e-5)


# ---- Refusals ----


def refused(path, words):
    out = path.with_name("refused.onnx")
    with pytest.raises(InputError, match=words) as caught:
        fashion_gan.import_generator(path, out)
    assert "\n" not in str(caught.value)
    assert not out.exists()


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (layer_entry("Lambda", "l", function=["4wEAAAA=", None, None], **FIRST), "Lambda: code in a file is not run"),
        (layer_entry("InstanceNormalization", "n", **FIRST), "is of class InstanceNormalization, but only Dense"),
        (layer_entry("Dense", "d", units=4, activation="mish", **FIRST), "activation=mish must be one of"),
        (
            layer_entry("Dense", "d", units=4, activation={"class_name": "Lambda"}, **FIRST),
            "must be the name of an activation",
        ),
        (layer_entry("Dense", "d", units="4", **FIRST), "units=4 must be a whole number"),
        (layer_entry("Dense", "d", units=10**12, **FIRST), "units=1000000000000 must be"),
        (layer_entry("Dense", "d", units=4, sparsity=0.5, **FIRST), "sparsity=0.5 is not an argument"),
        (layer_entry("Dense", "d", units=4), "shape of its input is not known"),
        (layer_entry("Dense", "d", units=4, batch_input_shape=[None, 5000]), "5000 numbers, but at most 1024"),
        (layer_entry("Reshape", "r", target_shape=[6], **FIRST), "not an image"),
        (layer_entry("Conv2D", "c", data_format="channels_first", **FIRST), "data_format=channels_first"),
        (
            layer_entry("UpSampling2D", "u", size=[10**5, 10**5], batch_input_shape=[None, 1, 1, 6]),
            "numbers from a latent",
        ),
        (layer_entry("Reshape", "r", target_shape=[7, 7, 7], **FIRST), "layer r, Reshape: .* does not fit its input"),
        (
            layer_entry("Dense", "d", units=16, activation="gelu", **FIRST),
            "layer d, Dense: activation=gelu must be one of",
        ),
        (
            layer_entry("Conv2D", "c", filters=2, kernel_size=3, groups=2, **FIRST),
            "layer c, Conv2D: groups=2 must be one of",
        ),
    ],
)
def test_a_layer_or_argument_that_is_not_allowed_is_refused(tmp_path, layer, words):
    refused(sequential_file(tmp_path / "old.h5", layer), words)


def transposed_file(path, **config):
    """A network that makes 4 × 4 pixels from a latent, and enlarges them by a transposed convolution."""
    kernel = (config["kernel_size"], config["kernel_size"], 1, 1)
    groups = {
        "d": [("d/kernel:0", np.ones((LATENT_DIM, 16))), ("d/bias:0", np.zeros(16))],
        "c": [("c/kernel:0", np.ones(kernel)), ("c/bias:0", np.zeros(1))],
    }
    layers = [layer_entry("Dense", "d", units=16, **FIRST), layer_entry("Reshape", "r", target_shape=[4, 4, 1])]
    return sequential_file(path, *layers, layer_entry("Conv2DTranspose", "c", filters=1, **config), groups=groups)


@pytest.mark.parametrize(
    "config",
    [
        {"kernel_size": 2, "strides": 5, "padding": "valid"},
        {"kernel_size": 2, "strides": 5, "padding": "same"},
        {"kernel_size": 3, "strides": 2, "padding": "valid", "output_padding": 1},
    ],
)
def test_a_transposed_convolution_that_onnx_cannot_express_is_refused_with_its_name(tmp_path, config):
    refused(
        transposed_file(tmp_path / "old.h5", **config), "layer c, Conv2DTranspose: .* beyond the reach of its kernel"
    )


@pytest.mark.parametrize(
    ("config", "side"),
    [
        ({"kernel_size": 3, "strides": 2, "padding": "same", "output_padding": [0, 0]}, 7),
        ({"kernel_size": 2, "strides": 5, "padding": "valid", "output_padding": 0}, 17),
    ],
)
def test_a_transposed_convolution_within_its_kernels_reach_is_imported(tmp_path, config, side):
    imported = fashion_gan.import_generator(transposed_file(tmp_path / "old.h5", **config), tmp_path / "new.onnx")
    assert imported.image_shape == (side, side, 1)


def dense_file(path, units, activation="tanh", *, inputs=LATENT_DIM, scale=1.0):
    kernel = np.random.default_rng(0).uniform(-scale, scale, (inputs, units))
    groups = {"d": [("d/kernel:0", kernel), ("d/bias:0", np.zeros(units))]}
    layer = layer_entry("Dense", "d", units=units, activation=activation, batch_input_shape=[None, inputs])
    return sequential_file(path, layer, groups=groups)


def test_networks_that_transform_or_classify_images_are_refused(tmp_path):
    path = tmp_path / "old.h5"
    convolution = layer_entry(
        "Conv2D", "c", filters=1, kernel_size=3, padding="same", batch_input_shape=[None, 28, 28, 1]
    )
    refused(
        sequential_file(path, convolution), r"its input has shape \(28, 28, 1\), but a generator's input is a vector"
    )
    refused(dense_file(path, 1), r"its output has shape \(1, 1, 1\), which is not an image")
    refused(dense_file(path, 9), r"its output has shape \(3, 3, 1\), which is not an image")
    inputs = [input_layer("latent", [LATENT_DIM]), input_layer("label", [])]
    label_model = functional(inputs, ["latent", "label"], "label")
    refused(write(path, label_model, {}), r"its output has shape \(\), which is not an image")
    refused(dense_file(path, 100, inputs=100), "its input and its output both have 100 numbers")
    embedding = layer_entry("Embedding", "e", input_dim=CLASSES, output_dim=LATENT_DIM, **FIRST)
    refused(sequential_file(path, embedding), "layer e is an Embedding, but its input is not the class number")


def test_a_latent_may_be_an_image_of_one_pixel(tmp_path):
    """DCGANs that follow PyTorch's tutorial have such an input."""
    kernel = np.random.default_rng(0).normal(size=(4, 4, 1, LATENT_DIM))
    layer = layer_entry(
        "Conv2DTranspose", "c", filters=1, kernel_size=4, activation="tanh", batch_input_shape=[None, 1, 1, LATENT_DIM]
    )
    groups = {"c": [("c/kernel:0", kernel), ("c/bias:0", np.zeros(1))]}
    fashion_gan.import_generator(sequential_file(tmp_path / "old.h5", layer, groups=groups), tmp_path / "new.onnx")
    latents = draw_latents(3, LATENT_DIM, 0)
    expected = np.tanh(np.einsum("nl,hwcl->nhwc", latents, kernel))
    np.testing.assert_allclose(draw(tmp_path / "new.onnx", latents), expected, atol=1e-5)


@pytest.mark.parametrize("activation", ["tanh", "linear"])
def test_a_network_that_draws_a_constant_is_refused_whatever_its_last_activation(tmp_path, activation):
    refused(dense_file(tmp_path / "old.h5", 16, activation, scale=0), "all pixels that it draws are 0")


def test_a_network_that_draws_infinite_pixels_is_refused(tmp_path):
    refused(dense_file(tmp_path / "old.h5", 16, "linear", scale=3e38), "it draws pixels that are not finite")


def test_a_network_with_several_outputs_or_with_too_many_inputs_is_refused(tmp_path):
    first, second = chained([layer_entry("Flatten", "a"), layer_entry("Flatten", "b")], "input_1")
    model = functional([input_layer("input_1", [LATENT_DIM]), first, second], ["input_1"], "b")
    model["config"]["output_layers"] = [["a", 0, 0], ["b", 0, 0]]
    refused(write(tmp_path / "old.h5", model, {}), "it has 2 outputs, but a generator has one")
    second["inbound_nodes"] = [[["a", 0, 0, {}], ["input_1", 0, 0, {}]]]
    model["config"]["output_layers"] = [["b", 0, 0]]
    refused(write(tmp_path / "old.h5", model, {}), "b gets 2 inputs, but takes 1")


@pytest.mark.parametrize(
    "architecture",
    [
        "[1, 2]",
        "{",
        "[" * 50_000,
        {"class_name": "Sequential"},
        {"class_name": "Sequential", "config": {"layers": []}},
        {"class_name": "Model", "config": {"layers": [], "input_layers": [["a", 0, 0]], "output_layers": [[]]}},
        {"class_name": "Model", "config": {"layers": [[]], "input_layers": 3}},
    ],
)
def test_a_damaged_architecture_is_refused(tmp_path, architecture):
    refused(write(tmp_path / "old.h5", architecture, {}), "cannot be imported: it is damaged, or in another format$")


def test_a_model_of_a_custom_class_is_refused(tmp_path):
    refused(
        write(tmp_path / "old.h5", {"class_name": "WGAN", "config": {}}, {}),
        "of class WGAN, but only Sequential and functional models",
    )


@pytest.mark.parametrize("damage", ["nan", "shape", "missing", "text", "links"])
def test_weights_that_do_not_fit_the_network_are_refused(old_file, damage):
    path, _ = old_file("2.4.0")
    with h5py.File(path, "a") as file:
        group = file["model_weights/dense_1"]
        name = "dense_1/kernel:0"
        values = group[name][()]
        del group[name]
        if damage == "nan":
            values[3, 3] = np.nan
            group[name] = values
        elif damage == "shape":
            group[name] = values[:, :-1]
        elif damage == "text":
            group[name] = np.full(values.shape, b"x")
        elif damage == "links":
            group[name] = h5py.ExternalLink("other.h5", "/x")
    words = {"nan": "not finite", "shape": r"\(6, 63\), but its layer needs \(6, 64\)", "text": "not plain numbers"}
    refused(path, words.get(damage, "is a link or not plain numbers"))


def test_implausibly_large_weights_are_refused_without_reading_them(tmp_path):
    """A data set that is declared but not stored takes no space in a file, and gigabytes when it is read."""
    units = 1 << 20
    path = sequential_file(tmp_path / "old.h5", layer_entry("Dense", "d", units=units, batch_input_shape=[None, 1024]))
    with h5py.File(path, "a") as file:
        group = file.create_group("model_weights/d")
        group.attrs["weight_names"] = [b"d/kernel:0", b"d/bias:0"]
        group.create_dataset("d/kernel:0", (1024, units), "float32", chunks=(1024, 1024))
        group.create_dataset("d/bias:0", (units,), "float32", chunks=(1024,))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path, "weights take over 128 MB")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


def test_a_network_with_exponentially_many_calls_is_refused(tmp_path):
    """Each of 7 nested models is called 20 times by the one around it. The text is short and means a billion layers."""
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": [layer_entry("Flatten", "f")]}}
    for _ in range(7):
        calls = {"name": "m", "inbound_nodes": [[["i", 0, 0, {}]]] * 20}
        model = functional([input_layer("i", [LATENT_DIM]), model | calls], ["i"], "m")
    refused(write(tmp_path / "old.h5", model, {}), f"over {network.MAX_LAYERS} layers")


def test_deeply_nested_models_are_refused(tmp_path):
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": [layer_entry("Flatten", "f")]}}
    for _ in range(20):
        model = {"class_name": "Sequential", "config": {"name": "m", "layers": [model]}}
    layers = [input_layer("input_1", [LATENT_DIM]), model]
    refused(sequential_file(tmp_path / "old.h5", *layers), f"nested over {network.MAX_DEPTH} deep")


def test_a_cycle_of_layers_is_refused(tmp_path):
    layers = [
        input_layer("input_1", [LATENT_DIM]),
        *chained([layer_entry("Flatten", "a"), layer_entry("Flatten", "b")], "b"),
    ]
    refused(write(tmp_path / "old.h5", functional(layers, ["input_1"], "b"), {}), "form a cycle")


@pytest.mark.parametrize("content", ["cut", b"", b"\x80\x04\x95pickle", b"PK\x03\x04"])
def test_a_damaged_file_or_one_of_another_format_is_refused(old_file, content):
    path, _ = old_file()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    refused(path, "cannot be imported: it is")


def test_files_without_an_architecture_and_files_of_fashion_gan_are_refused(toy_run, tmp_path):
    reference().save_weights(tmp_path / "old.weights.h5")
    refused(tmp_path / "old.weights.h5", "holds no architecture")
    refused(tmp_path / "absent.h5", "no such file")
    refused(toy_run.path / "generator.h5", "fashion-gan wrote it")


def test_the_file_is_never_passed_to_a_loader_of_keras(old_file, tmp_path, monkeypatch):
    def run_code(*arguments, **keywords):
        raise AssertionError("the file was passed to a loader of Keras")

    path, _ = old_file()
    for owner, name in ((keras.models, "load_model"), (keras.models, "model_from_json"), (keras.Model, "from_config")):
        monkeypatch.setattr(owner, name, run_code)
    fashion_gan.import_generator(path, tmp_path / "new.onnx")


def test_files_above_the_size_limits_are_refused(old_file, monkeypatch):
    path, _ = old_file()
    for module, name, words in (
        (importer, "MAX_ARCHITECTURE_BYTES", "architecture is a text"),
        (importer, "MAX_FILE_BYTES", "it is larger than"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, 100)
            refused(path, words)


# ---- The command ----


def test_the_command_writes_a_model_and_a_sheet_of_its_images(tmp_path):
    path, _, _ = conditional_file(tmp_path / "old_generator.h5")
    done = command("import", path.name, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "old_generator.onnx: latents of 6 numbers and 3 classes -> 16×16×1 images" in done.stdout
    assert "pixels in [-1, 1], scaled from [-1, 1], differ by at most" in done.stdout
    assert {file.name for file in tmp_path.iterdir()} == {f"old_generator.{end}" for end in ("h5", "onnx", "png")}
    assert load_png(tmp_path / "old_generator.png").shape == (22 * 18 + 2, 3 * 18 + 2, 1)
    done = command("generate", "--model", "old_generator.onnx", "--label", "2", "--out", "new.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def contents(folder):
    return {path.name: path.is_file() and path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([""], "must be the path of a file or a folder"),
        (["absent.h5"], "does not exist"),
        (["."], "is a directory"),
        (["/"], "is a directory"),
        (["old.h5", "--out", "."], "is not the name of a file"),
        (["old.h5", "--out", "new.ONNX"], "must end in .onnx"),
        (["old.h5", "--out", "no/folder/new.onnx"], "no folder"),
        (["old.h5", "--out", "\udcff.onnx"], "is not UTF-8"),
        (["old.h5", "--out", "there.onnx"], "there.png already exists"),
        (["old.h5", "--out", "dangling.onnx"], "dangling.onnx already exists"),
        (["old.h5", "--out", "folder.onnx"], "folder.png already exists"),
        (["old.h5", "--out", "folder.onnx", "--force"], "folder.png is a folder"),
        (["lambda.h5", "--out", "new.onnx"], "code in a file is not run"),
    ],
)
def test_a_bad_request_to_import_is_one_line_and_changes_nothing(capsys, old_file, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    old_file()
    sequential_file(tmp_path / "lambda.h5", layer_entry("Lambda", "l", function="os.remove", **FIRST))
    (tmp_path / "there.png").write_text("mine")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "dangling.onnx").symlink_to("elsewhere.onnx")
    before = contents(tmp_path)
    assert main(["import", *flags]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert contents(tmp_path) == before


def test_an_import_whose_sheet_cannot_be_written_writes_no_model(old_file, tmp_path, monkeypatch):
    def fail(path, picture):
        raise OSError(28, "No space left on device")

    path, _ = old_file()
    monkeypatch.setattr(models, "save_picture", fail)
    assert main(["import", str(path), "--out", str(tmp_path / "new.onnx")]) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["old.h5"]


def test_a_file_whose_name_is_not_utf_8_is_imported_under_another_name(capsys, old_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old_file()[0].rename("\udcff.h5")
    assert main(["import", "\udcff.h5", "--out", "new.onnx"]) == 0
    assert "those of \ufffd.h5" in capsys.readouterr().out
