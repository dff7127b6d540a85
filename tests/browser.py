"""A headless Chromium for the tests of pages, or a skip that says why there is none."""

import contextlib
import shutil

import pytest

# No sandbox: in a container of its own, as root, Chromium does not start with one.
FLAGS = ["--no-sandbox", "--disable-gpu"]


@contextlib.contextmanager
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Page:
    """A page, with the requests that it made and what its console said."""

    def __init__(self, browser, **settings) -> None:
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, url: str) -> "Page":
        self.page.goto(url)
        return self.settled()

    def settled(self) -> "Page":
        """Wait until it shows what its controls say."""
        self.page.wait_for_selector("main[aria-busy=false]")
        return self

    def shown(self, place: str = "grid") -> bytes:
        """The pixels of the pictures of a place."""
        return bytes(self.page.evaluate("place => Array.from(shown[place].pixels)", place))

    def press(self, name: str, role: str = "button") -> "Page":
        self.page.get_by_role(role, name=name, exact=True).first.click()
        return self.settled()

    def move(self, label: str, value: float) -> "Page":
        """Set a slider, as a hand would."""
        slider = self.page.get_by_label(label)
        slider.evaluate("(e, value) => { e.value = value; e.dispatchEvent(new Event('input')); }", value)
        return self.settled()

    def unlabelled(self) -> list[str]:
        """The controls that a screen reader could not name."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll('button, input, select, canvas')].filter(e =>
            !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.labels?.length
              || e.innerText || e.closest('button'))).map(e => e.outerHTML)"""
        )
