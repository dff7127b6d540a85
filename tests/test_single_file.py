"""The page in one file: its pictures against ONNX Runtime's, and that it does what its controls say by itself."""

import base64
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from browser import Page, chromium
from conftest import TOY
from PIL import Image

import fashion_gan
from fashion_gan import export
from fashion_gan.config import Config
from fashion_gan.errors import InputError
from fashion_gan.explorer import graph, single_file
from fashion_gan.explorer.single_file import ENGINE
from fashion_gan.generator import Generator
from fashion_gan.pretrained import folder

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
    """An empty page with the runtime in it."""
    page = browser.new_page()
    for name in ENGINE:
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
  const given = Object.fromEntries(inputs.map(({name, shape, whole, values}) =>
    [name, tensor(shape, (whole ? Int32Array : Float32Array).from(values))]));
  const {shape, data} = new Network(structure, bytes.buffer).run(given);
  return {shape, values: Array.from(data)};
}"""


def run(runtime, path, **inputs) -> np.ndarray:
    """What the page's runtime makes of a graph."""
    read = graph.read_graph(path)
    given = [
        {"name": name, "shape": x.shape, "whole": x.dtype.kind == "i", "values": x.ravel().tolist()}
        for name, x in inputs.items()
    ]
    weights = base64.b64encode(read.weights).decode()
    result = runtime.evaluate(RUN, {"structure": read.structure, "weights": weights, "inputs": given})
    return np.array(result["values"]).reshape(result["shape"])


def difference(runtime, path, count=6) -> float:
    """The largest difference between the runtime's pictures and ONNX Runtime's, on the same latents."""
    generator = Generator.load(path)
    latents, labels = generator.latents(count, seed=2), generator.labels(count)
    graph.simplify(path, path.with_name("simple.onnx"))
    found = run(
        runtime, path.with_name("simple.onnx"), latents=latents, **({} if labels is None else {"labels": labels})
    )
    expected = generator.decode(latents, labels, as_float=True)
    assert expected.std() > 1e-3
    return float(np.abs(found - expected).max())


def test_the_shipped_models_pictures_are_those_of_onnx_runtime(runtime, tmp_path):
    assert difference(runtime, Path(shutil.copy(SHIPPED, tmp_path))) <= LARGEST_DIFFERENCE


@pytest.mark.parametrize(
    "settings",
    [
        {"preset": "fashion", "class_names": ("a", "b")},
        {"preset": "fashion", "class_names": ("a", "b"), "centre": True},
        {"preset": "transposed"},
        {"preset": "upsampling", "conditional": True, "class_names": ("a", "b", "c"), "channels": 3},
    ],
    ids=lambda settings: settings["preset"],
)
def test_pictures_of_every_family_are_those_of_onnx_runtime(runtime, tmp_path, settings):
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    from fashion_gan.networks import build_generator

    config = Config.from_preset(**{**TOY, **settings}, backend="tensorflow")
    export.save(build_generator(config), config, "onnx", tmp_path / "g.onnx")
    assert difference(runtime, tmp_path / "g.onnx") <= LARGEST_DIFFERENCE


def one_operator(path, operator, constants=(), shape=(2, 3, 4, 5), **attributes):
    """An ONNX file of one operator on x, and constants after it; None leaves one out."""
    names = ["" if value is None else f"c{number}" for number, value in enumerate(constants)]
    node = helper.make_node(operator, ["x", *names], ["y"], **attributes)
    held = [numpy_helper.from_array(v, n) for n, v in zip(names, constants, strict=True) if n]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", shape), ("y", None))]
    made = helper.make_graph([node], "g", ends[:1], ends[1:], held)
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), path)


def whole(*values):
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
            [None, None, whole(2, 3, 7, 4)],
            {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        ),
        ("Slice", [whole(-1, 1), whole(-5, 4), whole(3, 2), whole(-2, 1)], {}),
        ("Slice", [whole(1), whole(2**31 - 1)], {}),
        ("Clip", [np.float32(-0.5), np.float32(0.25)], {}),
        ("Clip", [None, np.float32(0.25)], {}),
        ("Gather", [whole(2, 0, -1)], {"axis": 1}),
        ("Tile", [whole(1, 2, 1, 3)], {}),
        ("Expand", [whole(2, 2, 3, 4, 5)], {}),
        ("Transpose", [], {"perm": [0, 2, 3, 1]}),
        ("Transpose", [], {}),
        ("Unsqueeze", [whole(1, -1)], {}),
        ("Flatten", [], {"axis": 2}),
        ("Reshape", [whole(0, -1, 10)], {}),
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
def test_an_operator_computes_what_onnx_runtime_does(runtime, tmp_path, operator, constants, attributes):
    import onnxruntime

    x, path = random(2, 3, 4, 5), tmp_path / "one.onnx"
    one_operator(path, operator, constants, **attributes)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"x": x})[0]
    found = run(runtime, path, x=x)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5


def graph_of(path, nodes, constants, shape):
    """An ONNX file of several operators, from x to y."""
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", shape), ("y", None))]
    held = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    made = helper.make_graph([helper.make_node(*node, **more) for *node, more in nodes], "g", ends[:1], ends[1:], held)
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), path)


def test_values_are_chosen_by_a_condition(runtime, tmp_path):
    nodes = [
        ("GreaterOrEqual", ["x", "least"], ["large"], {}),
        ("Cast", ["large"], ["counted"], {"to": TensorProto.INT32}),
        ("Cast", ["counted"], ["truth"], {"to": TensorProto.BOOL}),
        ("Where", ["truth", "x", "row"], ["y"], {}),
    ]
    row = random(1, 4)
    graph_of(tmp_path / "g.onnx", nodes, {"least": np.float32(0.3), "row": row}, (3, 4))
    x = random(3, 4)
    assert np.array_equal(run(runtime, tmp_path / "g.onnx", x=x), np.where(x >= np.float32(0.3), x, row))


def test_what_does_not_depend_on_the_inputs_is_computed_before_a_page_is_made(runtime, tmp_path):
    """As PyTorch's exporter leaves it: the shape to expand to, worked out from constants by ``ConstantOfShape``."""
    ones = helper.make_tensor("value", TensorProto.INT64, [1], [1])
    nodes = [
        ("ConstantOfShape", ["rank"], ["ones"], {"value": ones}),
        ("Equal", ["asked", "ones"], ["same"], {}),
        ("Where", ["same", "ones", "asked"], ["shape"], {}),
        ("Expand", ["x", "shape"], ["y"], {}),
    ]
    graph_of(tmp_path / "g.onnx", nodes, {"rank": whole(2), "asked": whole(3, 1)}, (1, 4))
    with pytest.raises(InputError, match="ConstantOfShape"):
        graph.read_graph(tmp_path / "g.onnx")
    graph.simplify(tmp_path / "g.onnx", tmp_path / "simple.onnx")
    x = random(1, 4)
    assert np.array_equal(run(runtime, tmp_path / "simple.onnx", x=x), np.repeat(x, 3, axis=0))


def test_gemm_computes_what_numpy_does(runtime, tmp_path):
    one_operator(tmp_path / "g.onnx", "Gemm", [random(6, 4), random(6)], shape=(4, 3), transA=1, transB=1, alpha=0.5)
    x = random(4, 3)
    expected = 0.5 * x.T @ random(6, 4).T + random(6)
    assert np.abs(run(runtime, tmp_path / "g.onnx", x=x) - expected).max() <= 1e-5


@pytest.mark.parametrize("sizes", [(1, 1, 1), (5, 3, 9), (4, 7, 8), (33, 70, 65)])
def test_webassembly_and_plain_script_multiply_alike(runtime, sizes):
    rows, depth, columns = sizes
    left, right = random(rows, depth), random(depth, columns)
    found = runtime.evaluate(
        """({left, right, rows, depth, columns}) => [true, false].map(fast => {
          const product = new MatrixProduct(fast);
          const room = product.prepare(Float32Array.from(left), rows, depth, columns);
          for (let l = 0; l < depth; l++) for (let c = 0; c < columns; c++)
            room.right[l * room.width + c] = right[l * columns + c];
          const result = withoutPadding(product.multiply(), rows, room.width, columns);
          return {used: Boolean(product.instance), values: Array.from(result)};
        })""",
        {
            "left": left.ravel().tolist(),
            "right": right.ravel().tolist(),
            "rows": rows,
            "depth": depth,
            "columns": columns,
        },
    )
    assert [way["used"] for way in found] == [True, False]
    for way in found:
        assert np.abs(np.array(way["values"]).reshape(rows, columns) - left @ right).max() <= 1e-4


def test_the_table_of_operators_is_that_of_the_runtime():
    table = (SCRIPTS / "runtime.js").read_text().partition("const OPERATORS = {\n")[2].partition("\n};")[0]
    assert set(re.findall(r"^  (\w+):", table, re.MULTILINE)) == set(graph.OPERATORS)


@pytest.mark.parametrize(
    ("operator", "attributes", "words"),
    [
        ("Selu", {}, "operator Selu"),
        ("Conv", {"group": 3}, "Conv with group=3"),
        ("Resize", {"mode": "cubic"}, "mode='cubic'"),
    ],
)
def test_what_the_runtime_does_not_compute_is_refused_by_its_name(tmp_path, operator, attributes, words):
    one_operator(tmp_path / "one.onnx", operator, **attributes)
    with pytest.raises(InputError, match=words):
        graph.read_graph(tmp_path / "one.onnx")


def test_a_page_that_cannot_be_made_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("mine")
    model = onnx.load(SHIPPED)
    next(node for node in model.graph.node if node.op_type == "Tanh").op_type = "Selu"
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(InputError, match="Selu"):
        fashion_gan.export_generator(tmp_path / "other.onnx", "html", path)
    monkeypatch.setattr(single_file, "MAX_BYTES", 1_000_000)
    with pytest.raises(InputError, match="would be 3 MB, and may be 1 MB"):
        fashion_gan.export_generator(SHIPPED, "html", path)
    assert path.read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.onnx", "page.html"]


def test_the_shipped_models_page_is_at_most_25_mb(file):
    assert file.stat().st_size <= 25_000_000


def test_names_that_look_like_html_stay_names(browser, tmp_path):
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


def test_every_control_has_a_name(page):
    page.press("Picture 6: Sandal")
    assert page.unlabelled() == []


def test_a_class_button_draws_that_class_and_seed_variety_and_count_draw_others(page):
    looks = [page.shown()]
    page.press("Ankle boot")
    assert page.page.get_by_role("button", name="Picture 3: Ankle boot").count() == 1
    looks.append(page.shown())
    looks.append(page.press("Others").shown())
    looks.append(page.move("Variety", 0.4).shown())
    page.page.locator("#count").select_option("36")
    looks.append(page.settled().shown())
    assert len(set(looks)) == len(looks)
    assert len(looks[-1]) == 36 * 28 * 28


def test_boots_that_the_page_draws_look_like_boots(page):
    from fashion_gan.metrics.features import extract

    page.press("Ankle boot")
    boots = np.frombuffer(page.shown(), np.uint8).reshape(-1, 28, 28, 1)
    assert (extract(boots).classes == fashion_gan.CLASS_NAMES.index("Ankle boot")).mean() > 0.8


def test_a_link_shows_the_same_pictures(browser, page):
    page.press("Dress").press("Picture 2: Dress").press("Neighbour 5").move("How far off", 0.6)
    page.press("Neighbour 1")
    page.page.locator("summary").click()
    page.move("Number 3 of the latent", -2.5)
    page.press("Blend with another").press("Picture 7: Dress").move("From the first to the second", 0.25)
    again = Page(browser).open(page.page.url)
    for place in ("grid", "picked", "neighbours", "film"):
        assert again.shown(place) == page.shown(place)
    assert again.page.get_by_label("From the first to the second").input_value() == "0.25"


def test_a_link_that_makes_no_sense_shows_the_page_as_it_begins(browser, file, page):
    nonsense = "#seed=NaN&count=1e9&truncation=-1&picked=99&hops=x~9,&moved=1,NaN&label=77"
    assert Page(browser).open(file.as_uri() + nonsense).shown() == page.shown()


def assert_alike(found, expected):
    """Pictures that were drawn among others may round otherwise."""
    assert np.abs(np.frombuffer(found, np.uint8).astype(int) - np.frombuffer(expected, np.uint8)).max() <= 1


def neighbour(page, number) -> bytes:
    return page.shown("neighbours")[28 * 28 * (number - 1) :][: 28 * 28]


def test_a_neighbour_of_what_was_moved_by_hand_is_the_picture_that_was_clicked_and_so_is_its_links(browser, page):
    page.press("Picture 4: Dress")
    page.page.locator("summary").click()
    page.move("Number 3 of the latent", -2.5).move("Number 50 of the latent", 3)
    clicked = neighbour(page, 5)
    page.press("Neighbour 5")
    assert_alike(page.shown("picked"), clicked)
    assert page.page.get_by_label("Number 3 of the latent").input_value() != "-2.5"
    page.move("Number 1 of the latent", 2)
    clicked = neighbour(page, 2)
    page.press("Neighbour 2")
    assert_alike(page.shown("picked"), clicked)
    assert Page(browser).open(page.page.url).shown("picked") == page.shown("picked")


def test_a_way_that_an_address_cannot_hold_is_not_gone(browser, file, page):
    way = "~".join(f"0.5,{step % 12}" for step in range(29))
    page.open(f"{file.as_uri()}#picked=3&hops={way}")
    page.press("Neighbour 1")
    assert page.page.inner_text("#message") == ""
    last, address = page.shown("picked"), page.page.url
    page.press("Neighbour 2")
    assert "30 steps at most" in page.page.inner_text("#message")
    assert page.shown("picked") == last
    assert page.page.url == address
    assert Page(browser).open(address).shown("picked") == last


def test_a_number_of_pictures_that_the_page_does_not_offer_is_as_by_default(browser, file):
    page = Page(browser).open(file.as_uri() + "#count=20")
    assert page.page.locator("#count").input_value() == "16"


@pytest.mark.parametrize("seed", ["1.5", "-1", "99999999999"])
def test_a_seed_that_cannot_be_is_told_with_what_is_allowed(page, seed):
    before = page.shown()
    page.page.get_by_label("Seed").fill(seed)
    assert page.settled().page.inner_text("#message") == "The seed must be a whole number, 0 to 2147483647."
    assert page.shown() == before
    page.page.get_by_label("Seed").fill("1")
    assert page.settled().page.inner_text("#message") == ""


def test_a_film_that_vanishes_stops(page):
    page.press("Picture 1: T-shirt/top").press("Blend with another").press("Picture 8: Sneaker")
    page.press("Play as a film")
    page.page.evaluate("location.hash = 'seed=3'")
    page.page.wait_for_selector("#film", state="hidden")
    assert page.page.evaluate("playing") is None
    assert page.page.locator("#play").text_content() == "Play as a film"


def test_escape_leaves_the_choice_of_a_second_picture(page):
    page.press("Picture 1: T-shirt/top").press("Blend with another")
    assert page.page.inner_text("#message") == "Choose the second picture in the grid."
    page.page.keyboard.press("Escape")
    assert page.settled().page.inner_text("#message") == ""
    assert page.press("Picture 8: Sneaker").page.inner_text("#picked-title") == "Picture 8: Sneaker"


def test_a_slider_that_is_drawn_along_writes_the_address_once(page):
    written = page.page.evaluate(
        """async () => {
          let written = 0;
          const write = history.replaceState.bind(history);
          history.replaceState = (...of) => { written += 1; write(...of); };
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


def test_neighbours_are_nearer_at_less_distance_and_a_film_goes_from_one_picture_to_the_other(page):
    page.press("Picture 1: T-shirt/top")

    def spread():
        pictures = np.frombuffer(page.shown("neighbours"), np.uint8).reshape(12, -1).astype(float)
        return np.abs(pictures - np.frombuffer(page.shown("picked"), np.uint8)).mean()

    page.move("How far off", 0.1)
    near = spread()
    page.move("How far off", 0.9)
    assert near < spread()
    page.press("Blend with another").press("Picture 8: Sneaker")
    film = np.frombuffer(page.shown("film"), np.uint8).reshape(33, -1)
    grid = np.frombuffer(page.shown(), np.uint8).reshape(16, -1)
    assert np.abs(film[0].astype(int) - grid[0]).max() <= 1
    assert np.abs(film[-1].astype(int) - grid[7]).max() <= 1


def test_a_film_goes_on_from_where_the_slider_stands_and_the_slider_stays_where_it_stops(page):
    page.press("Picture 1: T-shirt/top").press("Blend with another").press("Picture 8: Sneaker")
    slider = page.page.get_by_label("From the first to the second")
    assert slider.input_value() == "0.5"
    # A quarter of the film's 32 steps after it began, wherever the clock stood.
    page.page.evaluate("performance.now = () => 12345; play(); performance.now = () => 12345 + 8 * FRAME_MILLISECONDS")
    page.page.wait_for_function("share => share.value === '0.75'", arg=slider.element_handle())
    page.press("Stop the film")
    assert page.page.evaluate("state.share") == 0.75
    page.page.wait_for_timeout(200)  # three frames
    assert slider.input_value() == "0.75"


def test_a_film_stops_where_a_hand_takes_the_slider(page):
    page.press("Picture 1: T-shirt/top").press("Blend with another").press("Picture 8: Sneaker")
    page.press("Play as a film").move("From the first to the second", 0.2)
    assert page.page.evaluate("playing") is None
    page.page.wait_for_timeout(200)  # three frames
    assert page.page.get_by_label("From the first to the second").input_value() == "0.2"


def test_the_arrow_keys_move_among_the_pictures(page):
    page.page.get_by_role("button", name="Picture 1: T-shirt/top").focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        page.page.keyboard.press(key)
    assert page.settled().page.inner_text("#picked-title") == "Picture 6: Sandal"


def test_a_picture_is_saved_as_png_pixel_for_pixel(page, tmp_path):
    page.press("Picture 3: Pullover")
    with page.page.expect_download() as download:
        page.page.locator("#save-picked").click()
    download.value.save_as(tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        pixels = np.asarray(picture.convert("L"))[4:-4:4, 4:-4:4]
    assert np.array_equal(pixels, np.frombuffer(page.shown("picked"), np.uint8).reshape(28, 28))


def test_on_a_phone_nothing_lies_beside_the_screen(browser, file):
    phone = Page(browser, viewport={"width": 360, "height": 740}, has_touch=True)
    phone.open(file.as_uri()).press("Picture 6: Sandal")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360
