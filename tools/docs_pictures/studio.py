"""HTML -> small PNG files, drawn by a headless Chromium at two dots per pixel."""

import base64
import contextlib
import functools
import io
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import fashion_gan
from fashion_gan.rendering.images import png_bytes

DOTS_PER_PIXEL = 2

STYLE = """
* { box-sizing: border-box; }
body { margin: 0; width: max-content; font: 15px/1.35 "Liberation Sans", Arial, Helvetica, sans-serif; }
body.dark { background: #191919; color: #f0f0f0; }
body.light { background: #fff; color: #1d2228; }
#sheet { padding: 18px 20px; background: inherit; }
.soft { color: #a8a8a8; }
.light .soft { color: #5c6670; }
h2 { font-size: 17px; margin: 0 0 8px; }
h3 { font-size: 15px; margin: 0 0 6px; }
p { margin: 0; }
img { display: block; image-rendering: pixelated; }
img.smooth { image-rendering: auto; }
.grid { display: grid; width: max-content; }
.row { display: flex; align-items: center; }
"""


class Studio:
    """A browser for pictures of pages, and what some pictures show.

    Attributes:
        browser: a headless Chromium.
        folder: an empty folder for temporary files.
        run: the folder of a run, or None.
    """

    def __init__(self, browser, folder, run=None, report=None):
        self.browser = browser
        self.run = run
        self.folder, self._report = folder, report

    def sheet(self, body, width, look="dark"):
        """Draw HTML on a sheet of ``width`` pixels, as high as its content. Returns the PNG file."""
        page = self.browser.new_page(device_scale_factor=DOTS_PER_PIXEL, viewport={"width": width, "height": 300})
        page.set_content(
            f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>'
            f'<body class="{look}"><div id="sheet" style="width: {width}px">{body}</div>'
        )
        content = page.locator("#sheet").screenshot()
        page.close()
        return small_png(content)

    @functools.cached_property
    def report(self):
        """The folder of a report of the shipped model."""
        if self._report is None:
            self._report = fashion_gan.evaluate("fashion", report=self.folder / "report").report_path.parent
        return self._report


@contextlib.contextmanager
def open_studio(run=None, report=None):
    """Start the browser for the time of a ``with`` block."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield Studio(browser, Path(folder), run, report)
        browser.close()


def small_png(content):
    """Write a PNG file again: in gray levels if it has no color, and otherwise with a palette of 256 colors."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    pixels = np.asarray(image)
    if (pixels == pixels[..., :1]).all():
        image = image.convert("L")
    else:
        image = image.quantize(256, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def img(image, width, kind=""):
    """An ``<img>`` of an image, uint8 (H, W, C), ``width`` pixels wide."""
    content = base64.b64encode(png_bytes(image)).decode()
    return f'<img class="{kind}" src="data:image/png;base64,{content}" width="{width:g}" alt="">'


def img_grid(images, columns, width, gap=3, kind=""):
    """Images in rows, from left to right, each ``width`` pixels wide."""
    cells = "".join(img(image, width, kind) for image in images)
    return f'<div class="grid" style="grid-template-columns: repeat({columns}, auto); gap: {gap}px">{cells}</div>'


def as_levels(values):
    """A feature map (H, W, 1) as a gray image, uint8: black is its lowest value, white its highest."""
    low, high = values.min(), values.max()
    return np.uint8(np.rint(255 * (values - low) / max(high - low, 1e-6)))
