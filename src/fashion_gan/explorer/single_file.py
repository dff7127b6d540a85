"""A generator -> one HTML file that draws in any browser, with no server and no network."""

import base64
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fashion_gan.errors import InputError
from fashion_gan.explorer import page
from fashion_gan.explorer.graph import read_graph, simplify
from fashion_gan.generator import Generator

MAX_BYTES = 25_000_000
ENGINE = ("matrices.js", "tensors.js", "convolutions.js", "runtime.js", "local_engine.js")
# Nothing may be loaded, from anywhere: all is inside.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
)


def page_of(onnx_path: Path) -> str:
    """The page's HTML: weights, runtime and controls. Its heading is the ONNX file's name.

    Args:
        onnx_path: an ``.onnx`` file that fashion-gan wrote.

    Raises:
        InputError: the generator cannot be read, has an operator that the page does not know, or would make a page of
            over 25 MB.
    """
    generator = Generator.load(onnx_path)
    with tempfile.TemporaryDirectory() as folder:
        simplify(onnx_path, Path(folder) / "simple.onnx")
        graph = read_graph(Path(folder) / "simple.onnx")
    text = page.render(
        page.about(onnx_path.stem, generator, served=False),
        ENGINE,
        POLICY,
        blocks=[
            ("graph", "application/json", json.dumps(graph.structure, separators=(",", ":")).replace("<", "\\u003c")),
            ("weights", "text/plain", base64.b64encode(graph.weights).decode()),
        ],
    )
    if (size := len(text.encode())) > MAX_BYTES:
        raise InputError(f"the page would be {size / 1e6:.0f} MB, and may be {MAX_BYTES / 1e6:.0f} MB")
    return text


def open_page(path: Path) -> Callable[[Any], Any]:
    """What draws in a page that ``page_of`` made, run by the script engine of Chromium (V8), without a browser.

    Returns:
        (latents, or [latents, labels]) -> float32 images in [-1, 1], as ``Generator`` takes it.
    """
    from py_mini_racer import MiniRacer

    text = path.read_text(encoding="utf-8")
    blocks = dict(re.findall(r'<script type="[^"]*" id="(\w+)">(.*?)</script>', text, re.DOTALL))
    # The page's own controls need a document; all that comes before them does not.
    *scripts, _ = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    engine = MiniRacer()
    engine.eval("\n".join(scripts))
    engine.eval(f"const network = new Network({blocks['graph']}, Uint8Array.fromBase64({blocks['weights']!r}).buffer);")
    engine.eval(
        """function drawn(latents, shape, labels) {
          const inputs = { latents: tensor(shape, Float32Array.from(latents)) };
          if (labels) inputs.labels = integers(labels);
          const { shape: drawnShape, data } = network.run(inputs);
          return JSON.stringify([drawnShape, Array.from(data)]);
        }"""
    )

    def predict(inputs: Any) -> Any:
        latents, labels = inputs if isinstance(inputs, list) else (inputs, None)
        given = [latents.ravel().tolist(), list(latents.shape), labels if labels is None else labels.tolist()]
        shape, values = json.loads(str(engine.eval(f"drawn({', '.join(map(json.dumps, given))})")))
        return np.array(values, np.float32).reshape(shape)

    return predict
