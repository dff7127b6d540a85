"""Draw the README's pictures of the explorer and of the report, with the shipped model, in a headless Chromium.

python tools/draw_docs.py     # docs/explorer.png and docs/report.png
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import fashion_gan

DOCS = Path(__file__).parent.parent / "docs"
EXPLORER_STATE = "#label=9&seed=3&truncation=0.8&picked=5"
REPORT_HEIGHT = 1420  # Pixels, for the table of metrics. The rest would make the picture too long.


def main():
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        draw_explorer(browser)
        draw_report(browser)


def draw_explorer(browser):
    command = [sys.executable, "-m", "fashion_gan", "explore", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        url = re.search(r"http://\S+/", server.stdout.readline()).group()
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto(url + EXPLORER_STATE)
        page.wait_for_selector("#nearest canvas", timeout=60_000)
        page.screenshot(path=DOCS / "explorer.png", full_page=True)
        server.send_signal(signal.SIGINT)


def draw_report(browser):
    with tempfile.TemporaryDirectory() as folder:
        report = fashion_gan.evaluate("fashion", report=folder).report_path
        page = browser.new_page(viewport={"width": 1040, "height": REPORT_HEIGHT})
        page.goto(Path(report).as_uri())
        page.screenshot(path=DOCS / "report.png")


if __name__ == "__main__":
    main()
