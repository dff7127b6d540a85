"""Pictures of the explorer and of the report."""

import base64
import contextlib
import dataclasses
import re
import signal
import subprocess
import sys
from pathlib import Path

import fashion_gan
from docs_pictures.studio import DOTS_PER_PIXEL, small_png

EXPLORER_STATE = "#label=9&seed=3&truncation=0.8&picked=5"
PHONE = {"width": 360, "height": 740}
REPORT_WIDTH = 860
REPORT_ROWS = 6
EXPLAINED_WIDTH = 760
EXPLAIN = Path(__file__).with_name("explain_report.js")


def explorer(studio):
    """The explorer on a desktop: boots, the neighbors of one, and its nearest training images."""
    with explorer_page(studio, {"width": 1200, "height": 900}) as page:
        return small_png(page.screenshot(full_page=True))


def explorer_phone(studio):
    """The explorer on a phone: the first screen, and the screen of the selected picture."""
    with explorer_page(studio, PHONE, device_scale_factor=DOTS_PER_PIXEL) as page:
        screens = [page.screenshot()]
        page.locator("#picked-title").evaluate("title => window.scrollTo(0, title.offsetTop - 16)")
        screens.append(page.screenshot())
    images = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(screen).decode()}" width="{PHONE["width"]}" '
        'style="box-shadow: 0 0 0 1px #9aa4ae; border-radius: 14px" alt="">'
        for screen in screens
    )
    return studio.sheet(f'<div class="row" style="gap: 20px">{images}</div>', 2 * PHONE["width"] + 64, look="light")


@contextlib.contextmanager
def explorer_page(studio, viewport, **settings):
    """Serve the explorer and open its page, for the time of a ``with`` block."""
    command = [sys.executable, "-m", "fashion_gan", "explore", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        url = re.search(r"http://\S+/", server.stdout.readline()).group()
        page = studio.browser.new_page(viewport=viewport, **settings)
        page.goto(url + EXPLORER_STATE)
        page.wait_for_selector("#nearest canvas", timeout=60_000)
        yield page
        page.close()
        server.send_signal(signal.SIGINT)


def report(studio):
    """The start of the shipped model's report: the first rows of the table of metrics."""
    with report_page(studio, {"width": REPORT_WIDTH, "height": 600}, device_scale_factor=DOTS_PER_PIXEL) as page:
        last = page.locator("table").first.locator("tr").nth(REPORT_ROWS).bounding_box()
        clip = {"x": 0, "y": 0, "width": REPORT_WIDTH, "height": last["y"] + last["height"]}
        return small_png(page.screenshot(full_page=True, clip=clip))


@contextlib.contextmanager
def report_page(studio, viewport, **settings):
    """Open the report, for the time of a ``with`` block."""
    page = studio.browser.new_page(viewport=viewport, **settings)
    page.goto((studio.report / "report.html").resolve().as_uri())
    yield page
    page.close()


NOTE_STYLE = """
body { max-width: none; margin: 0; padding: 14px 16px; width: auto; }
h2 { margin-top: 1.2rem; }
td small { font-size: 13px; }
td:first-child small { max-width: 232px; }
.scroll { overflow: hidden; }
#ffd10k_test td { height: 182px; }
#recall10k_test td { height: 122px; }
#copying10k td { height: 190px; }
figure .scroll { width: 464px; }
figcaption { display: none; }
#arrows { position: absolute; left: 0; top: 0; width: 100%; height: 2000px; }
#arrows line { stroke: #7b2fbe; stroke-width: 2; marker-end: url(#head); }
#head path { fill: #7b2fbe; }
.note { position: absolute; padding: 2px 6px; color: #7b2fbe; }
.note { font: bold 15px/1.25 "Liberation Sans", Arial, sans-serif; }
"""
ROWS_EXPLAINED = ("ffd10k_test", "recall10k_test", "copying10k")
LEFT, TOP = (0, 0.5), (0.5, 0)


@dataclasses.dataclass(frozen=True)
class Note:
    """A text with an arrow to a point of the page.

    Attributes:
        target: the CSS selector of the element that the arrow points to.
        at: the point, in widths and heights of the element from its corner.
        text: the text.
        place: pixels from that point to the upper left corner of the text.
        width: of the text, in pixels.
        start: the point at which the arrow leaves the text, as ``at``.
    """

    target: str
    at: tuple[float, float]
    text: str
    place: tuple[float, float]
    width: int
    start: tuple[float, float] = TOP


# fmt: off
NOTES = (
    Note("p.lead", (0.3, 0.1), "what was scored, and against what", (40, -40), 300, LEFT),
    Note("#ffd10k_test td:nth-child(2) small", (0.6, 1.1),
         "the score, and how far chance can move it", (-80, 26), 134),
    Note("#ffd10k_test td:nth-child(3)", (0.75, 0.2), "the score of real images", (-36, 52), 100),
    Note("#ffd10k_test circle", (-7, 1.2), "the distance to real images that is left", (-80, 46), 190),
    Note("#recall10k_test circle", (0.4, 1.3), "higher is better here: some variety is missing", (-150, 26), 200),
    Note("#copying10k circle", (0.5, 1.3),
         "above 0: no sign of copying. Test images are nearer to the training images", (-190, 40), 226),
    Note("figure .scroll", (1, 0.17), "generated", (36, -12), 210, LEFT),
    Note("figure .scroll", (1, 0.5), "the nearest training image: a copy would look the same", (36, -22), 210, LEFT),
    Note("figure .scroll", (1, 0.83), "the nearest test image, to compare", (36, -12), 210, LEFT),
)
# fmt: on


def report_explained(studio):
    """Parts of the report, with notes that say what they mean."""
    with report_page(studio, {"width": EXPLAINED_WIDTH, "height": 600}, device_scale_factor=DOTS_PER_PIXEL) as page:
        page.add_style_tag(content=NOTE_STYLE)
        notes = [dataclasses.asdict(note) for note in NOTES]
        page.evaluate(EXPLAIN.read_text(), {"rows": ROWS_EXPLAINED, "notes": notes})
        figure = page.locator("figure").bounding_box()
        clip = {"x": 0, "y": 0, "width": EXPLAINED_WIDTH, "height": figure["y"] + figure["height"] + 16}
        return small_png(page.screenshot(full_page=True, clip=clip))


def augment_test(studio):
    """The accuracy of classifiers with and without generated images. It trains for minutes."""
    fashion_gan.augment_test(out=studio.folder / "augment-test")
    return small_png((studio.folder / "augment-test" / "accuracy.png").read_bytes())
