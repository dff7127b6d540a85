"""How soon the page shows what a slider asks for, in a headless Chromium: as one file, and served.

python benchmarks/page.py                          # 16, 36 and 64 pictures, 40 moves of the slider each
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from playwright.sync_api import sync_playwright

import fashion_gan

# From the move to the frame in which the browser has painted the grid that it asks for.
MOVE = """async ([value, count]) => {
  const slider = document.getElementById("truncation");
  const begun = performance.now();
  slider.value = value;
  slider.dispatchEvent(new Event("input"));
  while (document.getElementById("page").getAttribute("aria-busy") === "true") await new Promise(requestAnimationFrame);
  if (shown.grid.count !== count) throw new Error("other pictures than were asked for");
  return performance.now() - begun;
}"""


@click.command()
@click.option("--moves", default=40, show_default=True)
def main(moves):
    begun = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "fashion_gan", "explore", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        served = re.search(r"http://\S+/", server.stdout.readline()).group()
        print(f"the server is up after {time.perf_counter() - begun:.2f} s")
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            file = Path(folder) / "fashion.html"
            fashion_gan.export_generator("fashion", "html", file)
            print(f"one file: {file.stat().st_size / 1e6:.1f} MB")
            program = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            for name, url in (("one file", file.as_uri()), ("served", served)):
                for count in (16, 36, 64):
                    report(name, count, took(browser, f"{url}#count={count}", count, moves))
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def took(browser, url, count, moves):
    """Milliseconds of each move, once the page has warmed up."""
    page = browser.new_page()
    page.goto(url)
    page.wait_for_selector("main[aria-busy=false]")
    values = [0.5 + 0.05 * (move % 20) for move in range(moves + 5)]
    found = [page.evaluate(MOVE, [value, count]) for value in values][5:]
    page.close()
    return np.array(found)


def report(name, count, found):
    median, late = np.quantile(found, [0.5, 0.95])
    print(f"{name}, {count} pictures: median {median:.0f} ms, 95 % within {late:.0f} ms")


if __name__ == "__main__":
    main()
