"""Export a generator as one HTML file that draws in any browser, without a server or a network."""

import base64
import json
import re
import tempfile
from pathlib import Path

import numpy as np

from fashion_gan.arrays import Array, Inputs, Predict
from fashion_gan.errors import InputError
from fashion_gan.generator import Generator
from fashion_gan.webpage import page
from fashion_gan.webpage.onnx_graph import read_graph, simplify

MAX_BYTES = 25_000_000
ENGINE_SCRIPTS = ("matrices.js", "tensors.js", "convolutions.js", "runtime.js", "local_engine.js")
# The page contains everything it needs and may load nothing else.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
)
# Calls the page's runtime with plain arrays, and returns the shape and the values of the images as JSON.
_DRAW = """function draw(latents, shape, labels) {
  const inputs = { latents: tensor(shape, Float32Array.from(latents)) };
  if (labels) inputs.labels = integers(labels);
  const images = network.run(inputs);
  return JSON.stringify([images.shape, Array.from(images.data)]);
}"""


def build_page(onnx_path: Path) -> str:
    """Build the page's HTML with weights, runtime and controls. The ONNX file's name becomes its heading.

    Args:
        onnx_path: an ``.onnx`` file that fashion-gan wrote.

    Raises:
        InputError: the generator cannot be read, it has an operator that the page does not support, or the page would
            exceed 25 MB.
    """
    generator = Generator.load(onnx_path)
    with tempfile.TemporaryDirectory() as folder:
        simplify(onnx_path, Path(folder) / "simple.onnx")
        graph = read_graph(Path(folder) / "simple.onnx")
    text = page.render(
        page.describe(onnx_path.stem, generator, served=False),
        ENGINE_SCRIPTS,
        CONTENT_SECURITY_POLICY,
        blocks=[
            ("graph", "application/json", json.dumps(graph.structure, separators=(",", ":")).replace("<", "\\u003c")),
            ("weights", "text/plain", base64.b64encode(graph.weights).decode()),
        ],
    )
    if (size := len(text.encode())) > MAX_BYTES:
        raise InputError(f"the page would be {size / 1e6:.0f} MB; the limit is {MAX_BYTES / 1e6:.0f} MB")
    return text


def open_page(path: Path) -> Predict:
    """Load the generator inside a page. It runs in V8, the script engine of Chromium, without a browser.

    Args:
        path: a page from ``build_page``.

    Returns:
        A function from latents, or [latents, labels], to float32 images in [-1, 1], as ``Generator`` takes it.
    """
    from py_mini_racer import MiniRacer

    text = path.read_text(encoding="utf-8")
    blocks = dict(re.findall(r'<script type="[^"]*" id="(\w+)">(.*?)</script>', text, re.DOTALL))
    # The last script is the controls, which need a document. The others do not.
    *scripts, _ = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    engine = MiniRacer()
    engine.eval("\n".join(scripts))
    engine.eval(f"const network = new Network({blocks['graph']}, Uint8Array.fromBase64({blocks['weights']!r}).buffer);")
    engine.eval(_DRAW)

    def predict(inputs: Inputs) -> Array:
        latents, labels = inputs if isinstance(inputs, list) else (inputs, None)
        arguments = [latents.ravel().tolist(), list(latents.shape), None if labels is None else labels.tolist()]
        shape, values = json.loads(str(engine.eval(f"draw({', '.join(map(json.dumps, arguments))})")))
        return np.array(values, np.float32).reshape(shape)

    return predict
