"""The page in one file: it draws the same pictures as ONNX Runtime, and its controls work without a server."""

import base64
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from browser import Page, chromium
from PIL import Image
from toys import TOY

import fashion_gan
from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.pretrained import folder
from fashion_gan.saving import export
from fashion_gan.webpage import onnx_graph, single_file

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("py_mini_racer", reason="mini-racer is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

SHIPPED = folder("fashion") / "generator.onnx"
SCRIPTS = Path(single_file.__file__).parent
LARGEST_DIFFERENCE = 1e-3


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def runtime(browser):
    """An empty page that has loaded the runtime."""
    page = browser.new_page()
    for name in single_file.ENGINE_SCRIPTS:
        page.add_script_tag(content=(SCRIPTS / name).read_text())
    return page


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "fashion.html"
    fashion_gan.export_generator("fashion", "html", path)
    return path


@pytest.fixture
def page(browser, file):
    page = Page(browser, accept_downloads=True)
    yield page.open(file.as_uri())
    assert page.complaints == []
    assert {url for url in page.requests if not url.startswith(("data:", "blob:"))} == {file.as_uri()}
    page.context.close()


RUN = """({structure, weights, inputs}) => {
  const bytes = Uint8Array.from(atob(weights), letter => letter.charCodeAt(0));
  const tensors = Object.fromEntries(inputs.map(({name, shape, isWhole, values}) =>
    [name, tensor(shape, (isWhole ? Int32Array : Float32Array).from(values))]));
  const {shape, data} = new Network(structure, bytes.buffer).run(tensors);
  return {shape, values: Array.from(data)};
}"""


def run(runtime, path, **inputs) -> np.ndarray:
    """The output of a graph in the page's runtime."""
    graph = onnx_graph.read_graph(path)
    tensors = [
        {"name": name, "shape": x.shape, "isWhole": x.dtype.kind == "i", "values": x.ravel().tolist()}
        for name, x in inputs.items()
    ]
    weights = base64.b64encode(graph.weights).decode()
    result = runtime.evaluate(RUN, {"structure": graph.structure, "weights": weights, "inputs": tensors})
    return np.array(result["values"]).reshape(result["shape"])


def difference(runtime, path, count=6) -> float:
    """The largest pixel difference between the runtime and ONNX Runtime on the same latents."""
    generator = Generator.load(path)
    latents, labels = generator.latents(count, seed=2), generator.labels(count)
    onnx_graph.simplify(path, path.with_name("simple.onnx"))
    inputs = {"latents": latents} if labels is None else {"latents": latents, "labels": labels}
    images = run(runtime, path.with_name("simple.onnx"), **inputs)
    expected = generator.decode(latents, labels, as_float=True)
    assert expected.std() > 1e-3
    return float(np.abs(images - expected).max())


def test_the_shipped_model_draws_the_same_as_in_onnx_runtime(runtime, tmp_path):
    assert difference(runtime, Path(shutil.copy(SHIPPED, tmp_path))) <= LARGEST_DIFFERENCE


@pytest.mark.parametrize(
    "settings",
    [
        {"preset": "fashion", "class_names": ("a", "b")},
        {"preset": "fashion", "class_names": ("a", "b"), "center_images": True},
        {"preset": "transposed"},
        {"preset": "upsampling", "conditional": True, "class_names": ("a", "b", "c"), "channels": 3},
        {"preset": "pictures", "image_size": 32, "channels": 4},
        {"preset": "fashion-64", "image_size": 40, "core_size": 16, "class_names": ("a", "b")},
    ],
    ids=lambda settings: settings["preset"],
)
def test_every_architecture_draws_the_same_as_in_onnx_runtime(runtime, tmp_path, settings):
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    from fashion_gan.networks import build_generator

    config = Config.from_preset(**{**TOY, **settings}, backend="tensorflow")
    export.save(build_generator(config), config, "onnx", tmp_path / "g.onnx")
    assert difference(runtime, tmp_path / "g.onnx") <= LARGEST_DIFFERENCE


def one_operator(path, operator, constants=(), shape=(2, 3, 4, 5), **attributes):
    """Write an ONNX file with one operator. Its inputs are x and the constants; None omits an input."""
    names = ["" if value is None else f"c{number}" for number, value in enumerate(constants)]
    node = helper.make_node(operator, ["x", *names], ["y"], **attributes)
    initializers = [numpy_helper.from_array(v, n) for n, v in zip(names, constants, strict=True) if n]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", shape), ("y", None))]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), path)


def int64(*values):
    return np.array(values, np.int64)


def random(*shape):
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(
    ("operator", "constants", "attributes"),
    [
        ("Conv", [random(6, 3, 3, 2), random(6)], {"strides": [2, 1], "pads": [1, 0, 0, 1]}),
        ("Conv", [random(1, 3, 1, 1)], {}),
        ("ConvTranspose", [random(3, 5, 4, 3), random(5)], {"strides": [2, 3], "pads": [1, 0, 2, 1]}),
        ("ConvTranspose", [random(3, 2, 3, 3)], {"strides": [2, 2], "output_padding": [1, 1]}),
        ("BatchNormalization", [random(3), random(3), random(3), random(3) ** 2], {"epsilon": 1e-3}),
        ("Resize", [None, np.array([1, 1, 2, 3], np.float32)], {"mode": "nearest"}),
        ("Resize", [None, np.array([1, 1, 2, 2], np.float32)], {"mode": "linear"}),
        (
            "Resize",
            [None, None, int64(2, 3, 7, 4)],
            {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        ),
        ("Slice", [int64(-1, 1), int64(-5, 4), int64(3, 2), int64(-2, 1)], {}),
        ("Slice", [int64(1), int64(2**31 - 1)], {}),
        ("Clip", [np.float32(-0.5), np.float32(0.25)], {}),
        ("Clip", [None, np.float32(0.25)], {}),
        ("Gather", [int64(2, 0, -1)], {"axis": 1}),
        ("Tile", [int64(1, 2, 1, 3)], {}),
        ("Expand", [int64(2, 2, 3, 4, 5)], {}),
        ("Transpose", [], {"perm": [0, 2, 3, 1]}),
        ("Transpose", [], {}),
        ("Unsqueeze", [int64(1, -1)], {}),
        ("Flatten", [], {"axis": 2}),
        ("Reshape", [int64(0, -1, 10)], {}),
        ("LeakyRelu", [], {"alpha": 0.3}),
        ("Sub", [random(3, 1, 1)], {}),
        ("Div", [random(5)], {}),
        ("Max", [random(1), random(4, 5)], {}),
        ("MatMul", [random(5, 7)], {}),
        ("MatMul", [random(2, 3, 5, 7)], {}),
        ("GlobalMaxPool", [], {}),
        ("ReduceMax", [], {"axes": [1, -1], "keepdims": 0}),
        ("ReduceMax", [], {}),
        ("Sigmoid", [], {}),
        ("Concat", [random(2, 1, 4, 5)], {"axis": 1}),
    ],
)
def test_an_operator_computes_the_same_as_in_onnx_runtime(runtime, tmp_path, operator, constants, attributes):
    import onnxruntime

    x, path = random(2, 3, 4, 5), tmp_path / "one.onnx"
    one_operator(path, operator, constants, **attributes)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"x": x})[0]
    output = run(runtime, path, x=x)
    assert output.shape == expected.shape
    assert np.abs(output - expected).max() <= 1e-5


def several_operators(path, nodes, constants, shape):
    """Write an ONNX file with several operators, from x to y."""
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", shape), ("y", None))]
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph_nodes = [helper.make_node(*node, **attributes) for *node, attributes in nodes]
    graph = helper.make_graph(graph_nodes, "g", ends[:1], ends[1:], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), path)


def test_where_selects_values_by_a_condition(runtime, tmp_path):
    nodes = [
        ("GreaterOrEqual", ["x", "least"], ["large"], {}),
        ("Cast", ["large"], ["counted"], {"to": TensorProto.INT32}),
        ("Cast", ["counted"], ["truth"], {"to": TensorProto.BOOL}),
        ("Where", ["truth", "x", "row"], ["y"], {}),
    ]
    row = random(1, 4)
    several_operators(tmp_path / "g.onnx", nodes, {"least": np.float32(0.3), "row": row}, (3, 4))
    x = random(3, 4)
    assert np.array_equal(run(runtime, tmp_path / "g.onnx", x=x), np.where(x >= np.float32(0.3), x, row))


def test_simplify_computes_the_parts_of_a_graph_that_do_not_depend_on_its_inputs(runtime, tmp_path):
    """PyTorch's exporter computes the shape of an expansion from constants, with ``ConstantOfShape``."""
    ones = helper.make_tensor("value", TensorProto.INT64, [1], [1])
    nodes = [
        ("ConstantOfShape", ["rank"], ["ones"], {"value": ones}),
        ("Equal", ["target", "ones"], ["same"], {}),
        ("Where", ["same", "ones", "target"], ["shape"], {}),
        ("Expand", ["x", "shape"], ["y"], {}),
    ]
    several_operators(tmp_path / "g.onnx", nodes, {"rank": int64(2), "target": int64(3, 1)}, (1, 4))
    with pytest.raises(InputError, match="ConstantOfShape"):
        onnx_graph.read_graph(tmp_path / "g.onnx")
    onnx_graph.simplify(tmp_path / "g.onnx", tmp_path / "simple.onnx")
    x = random(1, 4)
    assert np.array_equal(run(runtime, tmp_path / "simple.onnx", x=x), np.repeat(x, 3, axis=0))


def test_gemm_computes_the_same_as_numpy(runtime, tmp_path):
    one_operator(tmp_path / "g.onnx", "Gemm", [random(6, 4), random(6)], shape=(4, 3), transA=1, transB=1, alpha=0.5)
    x = random(4, 3)
    expected = 0.5 * x.T @ random(6, 4).T + random(6)
    assert np.abs(run(runtime, tmp_path / "g.onnx", x=x) - expected).max() <= 1e-5


@pytest.mark.parametrize("sizes", [(1, 1, 1), (5, 3, 9), (4, 7, 8), (33, 70, 65)])
def test_webassembly_and_javascript_compute_the_same_product(runtime, sizes):
    rows, depth, columns = sizes
    left, right = random(rows, depth), random(depth, columns)
    results = runtime.evaluate(
        """({left, right, rows, depth, columns}) => [true, false].map(fast => {
          const product = new MatrixProduct();
          if (!fast) product.instance = null;
          const memory = product.prepare(Float32Array.from(left), rows, depth, columns);
          for (let l = 0; l < depth; l++) for (let c = 0; c < columns; c++)
            memory.right[l * memory.width + c] = right[l * columns + c];
          const result = withoutPadding(product.multiply(), rows, memory.width, columns);
          return {usesWebAssembly: Boolean(product.instance), values: Array.from(result)};
        })""",
        {
            "left": left.ravel().tolist(),
            "right": right.ravel().tolist(),
            "rows": rows,
            "depth": depth,
            "columns": columns,
        },
    )
    assert [result["usesWebAssembly"] for result in results] == [True, False]
    for result in results:
        assert np.abs(np.array(result["values"]).reshape(rows, columns) - left @ right).max() <= 1e-4


def test_python_and_the_runtime_list_the_same_operators():
    table = (SCRIPTS / "runtime.js").read_text().partition("const OPERATORS = {\n")[2].partition("\n};")[0]
    assert set(re.findall(r"^  (\w+):", table, re.MULTILINE)) == set(onnx_graph.OPERATORS)


@pytest.mark.parametrize(
    ("operator", "attributes", "words"),
    [
        ("Selu", {}, "operator Selu"),
        ("Conv", {"group": 3}, "Conv with group=3"),
        ("Resize", {"mode": "cubic"}, "mode='cubic'"),
    ],
)
def test_unsupported_operators_and_attributes_are_refused_by_name(tmp_path, operator, attributes, words):
    one_operator(tmp_path / "one.onnx", operator, **attributes)
    with pytest.raises(InputError, match=words):
        onnx_graph.read_graph(tmp_path / "one.onnx")


def test_a_failed_export_leaves_the_existing_file_unchanged(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("mine")
    model = onnx.load(SHIPPED)
    next(node for node in model.graph.node if node.op_type == "Tanh").op_type = "Selu"
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(InputError, match="Selu"):
        fashion_gan.export_generator(tmp_path / "other.onnx", "html", path)
    monkeypatch.setattr(single_file, "MAX_BYTES", 1_000_000)
    with pytest.raises(InputError, match="would be 3 MB; the limit is 1 MB"):
        fashion_gan.export_generator(SHIPPED, "html", path)
    assert path.read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.onnx", "page.html"]


def test_the_shipped_models_page_is_at_most_25_mb(file):
    assert file.stat().st_size <= 25_000_000


def test_names_that_look_like_html_are_shown_as_text(browser, tmp_path):
    model = onnx.load(SHIPPED)
    entry = next(entry for entry in model.metadata_props if entry.key == "fashion_gan")
    entry.value = entry.value.replace("Dress", "</script><b id=evil>")
    onnx.save(model, tmp_path / "other.onnx")
    fashion_gan.export_generator(tmp_path / "other.onnx", "html", tmp_path / "<i>&.html")
    page = Page(browser).open((tmp_path / "<i>&.html").as_uri())
    assert page.page.inner_text("h1") == "<i>&"
    assert page.page.locator("#evil").count() == 0
    assert page.page.locator("#classes button", has_text="</script><b id=evil>").count() == 1
    assert page.complaints == []


@pytest.mark.full
def test_without_classes_pictures_are_named_by_their_numbers(browser, tmp_path):
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    from fashion_gan.networks import build_generator

    config = Config.from_preset(**TOY, preset="transposed", backend="tensorflow")
    export.save(build_generator(config), config, "html", tmp_path / "g.html")
    page = Page(browser).open((tmp_path / "g.html").as_uri())
    page.press("Picture 3")
    assert page.page.inner_text("#picked-title") == "Picture 3"
    assert page.unlabeled() == page.complaints == []


def test_every_control_has_a_name(page):
    page.press("Picture 6: Sandal")
    assert page.unlabeled() == []


def test_class_seed_variety_and_count_each_change_the_pictures(page):
    looks = [page.shown()]
    page.press("Ankle boot")
    assert page.page.get_by_role("button", name="Picture 3: Ankle boot").count() == 1
    looks.append(page.shown())
    looks.append(page.press("Next seed").shown())
    looks.append(page.move("Variety", 0.4).shown())
    page.page.locator("#count").select_option("36")
    looks.append(page.wait().shown())
    assert len(set(looks)) == len(looks)
    assert len(looks[-1]) == 36 * 28 * 28


def test_the_feature_network_classifies_the_pages_boots_as_boots(page):
    from fashion_gan.metrics.features import extract

    page.press("Ankle boot")
    boots = np.frombuffer(page.shown(), np.uint8).reshape(-1, 28, 28, 1)
    assert (extract(boots).classes == fashion_gan.CLASS_NAMES.index("Ankle boot")).mean() > 0.8


def test_a_link_shows_the_same_pictures(browser, page):
    page.press("Dress").press("Picture 2: Dress").press("Neighbor 5").move("Difference (strength)", 0.6)
    page.press("Neighbor 1")
    page.page.locator("summary").click()
    page.move("Number 3 of the latent vector", -2.5)
    page.press("Blend with another picture").press("Picture 7: Dress").move(
        "From the first picture to the second", 0.25
    )
    again = Page(browser).open(page.page.url)
    for place in ("grid", "picked", "neighbors", "film"):
        assert again.shown(place) == page.shown(place)
    assert again.page.get_by_label("From the first picture to the second").input_value() == "0.25"


@pytest.mark.full
def test_an_invalid_link_shows_the_default_state(browser, file, page):
    invalid = "#seed=NaN&count=1e9&truncation=-1&picked=99&hops=x~9,&moved=1,NaN&label=77"
    assert Page(browser).open(file.as_uri() + invalid).shown() == page.shown()


def assert_close(pixels, expected):
    """Compare pictures within one level: rounding depends on the other pictures of a batch."""
    assert np.abs(np.frombuffer(pixels, np.uint8).astype(int) - np.frombuffer(expected, np.uint8)).max() <= 1


def neighbor(page, number) -> bytes:
    return page.shown("neighbors")[28 * 28 * (number - 1) :][: 28 * 28]


@pytest.mark.full
def test_a_neighbor_of_an_edited_picture_stays_the_same_after_a_click_and_in_a_link(browser, page):
    page.press("Picture 4: Dress")
    page.page.locator("summary").click()
    page.move("Number 3 of the latent vector", -2.5).move("Number 50 of the latent vector", 3)
    clicked = neighbor(page, 5)
    page.press("Neighbor 5")
    assert_close(page.shown("picked"), clicked)
    assert page.page.get_by_label("Number 3 of the latent vector").input_value() != "-2.5"
    page.move("Number 1 of the latent vector", 2)
    clicked = neighbor(page, 2)
    page.press("Neighbor 2")
    assert_close(page.shown("picked"), clicked)
    assert Page(browser).open(page.page.url).shown("picked") == page.shown("picked")


@pytest.mark.full
def test_a_step_beyond_the_limit_is_refused_and_changes_nothing(browser, file, page):
    hops = "~".join(f"0.5,{step % 12}" for step in range(29))
    page.open(f"{file.as_uri()}#picked=3&hops={hops}")
    page.press("Neighbor 1")
    assert page.page.inner_text("#message") == ""
    last, address = page.shown("picked"), page.page.url
    page.press("Neighbor 2")
    assert "at most 30 steps" in page.page.inner_text("#message")
    assert page.shown("picked") == last
    assert page.page.url == address
    assert Page(browser).open(address).shown("picked") == last


@pytest.mark.full
def test_an_invalid_count_in_a_link_becomes_the_default(browser, file):
    page = Page(browser).open(file.as_uri() + "#count=20")
    assert page.page.locator("#count").input_value() == "16"


@pytest.mark.full
@pytest.mark.parametrize("seed", ["1.5", "-1", "99999999999"])
def test_an_invalid_seed_is_refused_with_the_allowed_range(page, seed):
    before = page.shown()
    page.page.get_by_label("Seed").fill(seed)
    assert page.wait().page.inner_text("#message") == "The seed must be a whole number, 0 to 2147483647."
    assert page.shown() == before
    page.page.get_by_label("Seed").fill("1")
    assert page.wait().page.inner_text("#message") == ""


@pytest.mark.full
def test_a_hidden_film_stops(page):
    page.press("Picture 1: T-shirt/top").press("Blend with another picture").press("Picture 8: Sneaker")
    page.press("Play as a film")
    page.page.evaluate("location.hash = 'seed=3'")
    page.page.wait_for_selector("#film", state="hidden")
    assert page.page.evaluate("filmTimer") is None
    assert page.page.locator("#play").text_content() == "Play as a film"


@pytest.mark.full
def test_escape_cancels_the_choice_of_a_second_picture(page):
    page.press("Picture 1: T-shirt/top").press("Blend with another picture")
    assert page.page.inner_text("#message") == "Choose the second picture in the grid."
    page.page.keyboard.press("Escape")
    assert page.wait().page.inner_text("#message") == ""
    assert page.press("Picture 8: Sneaker").page.inner_text("#picked-title") == "Picture 8: Sneaker"


@pytest.mark.full
def test_dragging_a_slider_updates_the_address_once(page):
    written = page.page.evaluate(
        """async () => {
          let written = 0;
          const write = history.replaceState.bind(history);
          history.replaceState = (...values) => { written += 1; write(...values); };
          const slider = document.getElementById("truncation");
          for (let step = 1; step <= 19; step++) {
            slider.value = step * 0.05;
            slider.dispatchEvent(new Event("input"));
          }
          while (busy) await new Promise((done) => setTimeout(done, 10));
          return written;
        }"""
    )
    assert written == 1
    assert page.page.url.endswith("#truncation=0.95")


@pytest.mark.full
def test_a_lower_strength_gives_closer_neighbors_and_a_film_connects_two_pictures(page):
    page.press("Picture 1: T-shirt/top")

    def spread():
        pictures = np.frombuffer(page.shown("neighbors"), np.uint8).reshape(12, -1).astype(float)
        return np.abs(pictures - np.frombuffer(page.shown("picked"), np.uint8)).mean()

    page.move("Difference (strength)", 0.1)
    near = spread()
    page.move("Difference (strength)", 0.9)
    assert near < spread()
    page.press("Blend with another picture").press("Picture 8: Sneaker")
    film = np.frombuffer(page.shown("film"), np.uint8).reshape(33, -1)
    grid = np.frombuffer(page.shown(), np.uint8).reshape(16, -1)
    assert np.abs(film[0].astype(int) - grid[0]).max() <= 1
    assert np.abs(film[-1].astype(int) - grid[7]).max() <= 1


@pytest.mark.full
def test_a_film_starts_at_the_sliders_position_and_leaves_the_slider_where_it_stops(page):
    page.press("Picture 1: T-shirt/top").press("Blend with another picture").press("Picture 8: Sneaker")
    slider = page.page.get_by_label("From the first picture to the second")
    assert slider.input_value() == "0.5"
    # A quarter of the film's 32 steps after its start, at an arbitrary time of the clock.
    page.page.evaluate("performance.now = () => 12345; play(); performance.now = () => 12345 + 8 * FRAME_MILLISECONDS")
    page.page.wait_for_function("share => share.value === '0.75'", arg=slider.element_handle())
    page.press("Stop the film")
    assert page.page.evaluate("state.share") == 0.75
    page.page.wait_for_timeout(200)  # three frames
    assert slider.input_value() == "0.75"


@pytest.mark.full
def test_moving_the_slider_stops_the_film_there(page):
    page.press("Picture 1: T-shirt/top").press("Blend with another picture").press("Picture 8: Sneaker")
    page.press("Play as a film").move("From the first picture to the second", 0.2)
    assert page.page.evaluate("filmTimer") is None
    page.page.wait_for_timeout(200)  # three frames
    assert page.page.get_by_label("From the first picture to the second").input_value() == "0.2"


@pytest.mark.full
def test_the_arrow_keys_move_the_focus_among_the_pictures(page):
    page.page.get_by_role("button", name="Picture 1: T-shirt/top").focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        page.page.keyboard.press(key)
    assert page.wait().page.inner_text("#picked-title") == "Picture 6: Sandal"


def test_a_saved_png_holds_the_exact_pixels(page, tmp_path):
    page.press("Picture 3: Pullover")
    with page.page.expect_download() as download:
        page.page.locator("#save-picked").click()
    download.value.save_as(tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        pixels = np.asarray(picture.convert("L"))[4:-4:4, 4:-4:4]
    assert np.array_equal(pixels, np.frombuffer(page.shown("picked"), np.uint8).reshape(28, 28))


@pytest.mark.full
def test_on_a_phone_the_page_is_not_wider_than_the_screen(browser, file):
    phone = Page(browser, viewport={"width": 360, "height": 740}, has_touch=True)
    phone.open(file.as_uri()).press("Picture 6: Sandal")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360
