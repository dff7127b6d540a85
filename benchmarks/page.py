"""Latency of the truncation slider of the explorer's page in a headless Chromium: as one file, and as served.

python benchmarks/page.py                          # 16, 36 and 64 pictures, 40 moves of the slider each
"""

import shutil
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from playwright.sync_api import sync_playwright
from processes import explorer_server

import fashion_gan

WARM_UP_MOVES = 5

# Moves the slider. Returns the milliseconds until the frame in which the browser has painted the new grid.
MOVE = """async ([value, count]) => {
  const slider = document.getElementById("truncation");
  const started = performance.now();
  slider.value = value;
  slider.dispatchEvent(new Event("input"));
  while (document.getElementById("page").getAttribute("aria-busy") === "true") await new Promise(requestAnimationFrame);
  if (shown.grid.count !== count) throw new Error("the grid shows another number of pictures");
  return performance.now() - started;
}"""


@click.command()
@click.option("--moves", default=40, show_default=True, help="Measured moves of the slider for each page and count.")
def main(moves):
    started = time.perf_counter()
    with explorer_server() as (_, served):
        print(f"the server is up after {time.perf_counter() - started:.2f} s")
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            file = Path(folder) / "fashion.html"
            fashion_gan.export_generator("fashion", "html", file)
            print(f"one file: {file.stat().st_size / 1e6:.1f} MB")
            program = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            for name, url in (("one file", file.as_uri()), ("served", served)):
                for count in (16, 36, 64):
                    report(name, count, move_latencies(browser, f"{url}#count={count}", count, moves))


def move_latencies(browser, url, count, moves):
    """Milliseconds of each move, after the page has warmed up."""
    page = browser.new_page()
    page.goto(url)
    page.wait_for_selector("main[aria-busy=false]")
    values = [0.5 + 0.05 * (move % 20) for move in range(moves + WARM_UP_MOVES)]
    latencies = [page.evaluate(MOVE, [value, count]) for value in values][WARM_UP_MOVES:]
    page.close()
    return np.array(latencies)


def report(name, count, latencies):
    median, late = np.quantile(latencies, [0.5, 0.95])
    print(f"{name}, {count} pictures: median {median:.0f} ms, 95% within {late:.0f} ms")


if __name__ == "__main__":
    main()
