"""A headless Chromium for the tests of pages. Without one, the tests are skipped with the reason."""

import contextlib
import shutil

import pytest

# As root in a container, Chromium does not start with its sandbox.
FLAGS = ["--no-sandbox", "--disable-gpu"]


@contextlib.contextmanager
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as manager:
        browser = manager.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Page:
    """A page. It records the page's requests and console messages.

    Attributes:
        requests: the URLs that the page requested.
        complaints: the console messages and the script errors.
    """

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
        return self.wait()

    def wait(self) -> "Page":
        """Wait until the page shows the state of its controls."""
        self.page.wait_for_selector("main[aria-busy=false]")
        return self

    def shown(self, place: str = "grid") -> bytes:
        """The pixels of the pictures shown in a place."""
        return bytes(self.page.evaluate("place => Array.from(shown[place].pixels)", place))

    def press(self, name: str, role: str = "button") -> "Page":
        self.page.get_by_role(role, name=name, exact=True).first.click()
        return self.wait()

    def move(self, label: str, value: float) -> "Page":
        """Set a slider and send the event that a user's move sends."""
        slider = self.page.get_by_label(label)
        slider.evaluate("(e, value) => { e.value = value; e.dispatchEvent(new Event('input')); }", value)
        return self.wait()

    def unlabeled(self) -> list[str]:
        """The controls that have no name for a screen reader."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll('button, input, select, canvas')].filter(e =>
            !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.labels?.length
              || e.innerText || e.closest('button'))).map(e => e.outerHTML)"""
        )
