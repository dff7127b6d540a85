"""A generator -> one HTML file that draws in any browser, with no server and no network."""

import base64
import json
from pathlib import Path

from fashion_gan.errors import InputError
from fashion_gan.explorer import page
from fashion_gan.explorer.graph import read_graph
from fashion_gan.files import written_whole
from fashion_gan.generator import Generator

MAX_BYTES = 25_000_000
ENGINE = ("matrices.js", "tensors.js", "convolutions.js", "runtime.js", "local_engine.js")
# Nothing may be loaded, from anywhere: all is inside.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
)


def save_html(generator_path: Path, path: Path, name: str | None = None) -> int:
    """Write the page: weights, runtime and controls in one file.

    Args:
        generator_path: an ``.onnx`` file that fashion-gan wrote.
        path: the file to write; it is left as it was unless all goes well.
        name: the page's heading; the ONNX file's name without it.

    Returns:
        The file's size in bytes.

    Raises:
        InputError: the generator cannot be read, has an operator that the page does not know, or would make a file of
            over 25 MB.
    """
    generator = Generator.load(generator_path)
    graph = read_graph(generator_path)
    text = page.render(
        page.about(name or generator_path.stem, generator, served=False),
        ENGINE,
        POLICY,
        blocks=[
            ("graph", "application/json", json.dumps(graph.structure, separators=(",", ":")).replace("<", "\\u003c")),
            ("weights", "text/plain", base64.b64encode(graph.weights).decode()),
        ],
    )
    content = text.encode()
    if len(content) > MAX_BYTES:
        raise InputError(f"{path} would be {len(content) / 1e6:.0f} MB, and a page may be {MAX_BYTES / 1e6:.0f} MB")
    with written_whole(path) as temporary:
        temporary.write_bytes(content)
    return len(content)
