"""The explorer's page in a real browser: every control works, and no request leaves this computer."""

import io
import re
import signal
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from browser import Page, chromium
from PIL import Image

import fashion_gan


@pytest.fixture(scope="module")
def served():
    """The address of `fashion-gan explore`, which runs in its own process."""
    arguments = [sys.executable, "-m", "fashion_gan", "explore", "--port", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield re.search(r"http://127.0.0.1:\d+/", process.stdout.readline()).group()
        process.send_signal(signal.SIGINT)
        complaints = process.stderr.read()
    assert complaints.strip() == "fashion-gan: stopped"
    assert process.returncode == 130


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, served):
    page = Page(browser, accept_downloads=True)
    yield page.open(served)
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith((served, "data:", "blob:"))] == []
    page.context.close()


@pytest.fixture(scope="module")
def generator():
    return fashion_gan.Generator.from_pretrained("fashion")


def pictures(page, place="grid") -> np.ndarray:
    return np.frombuffer(page.shown(place), np.uint8).reshape(-1, 28, 28, 1)


def downloaded(page, selector) -> bytes:
    with page.page.expect_download() as download:
        page.page.locator(selector).click()
    with open(download.value.path(), "rb") as file:
        return file.read()


def test_the_server_answers_once_it_prints_its_address(served):
    with urllib.request.urlopen(served) as answer:
        assert b"<h1>fashion</h1>" in answer.read()


def test_the_controls_show_the_same_pictures_as_the_generate_command(page, generator):
    assert np.array_equal(pictures(page), generator.generate(16))
    page.press("Bag").press("Next seed").move("Variety", 0.6)
    page.page.locator("#count").select_option("36")
    assert np.array_equal(pictures(page.wait()), generator.generate(36, "Bag", 1, 0.6))
    page.page.get_by_label("Seed").fill("77")
    assert np.array_equal(pictures(page.wait()), generator.generate(36, "Bag", 77, 0.6))


@pytest.mark.full
def test_neighbors_and_blends_are_those_of_the_generator(page, generator):
    page.press("Picture 6: Sandal").move("Difference (strength)", 0.5)
    latents = generator.latents(16)
    assert np.array_equal(pictures(page, "neighbors"), generator.decode(generator.vary(latents[5], 0.5, 12), 5))
    page.press("Blend with another picture").press("Picture 16: Sandal")
    assert np.array_equal(pictures(page, "film"), generator.interpolate(latents[5], latents[15], 33, 5))


def test_a_link_shows_the_same_picture_and_undo_returns_to_the_grids_picture(browser, page):
    page.press("Picture 6: Sandal").press("Neighbor 3").press("Neighbor 1")
    page.page.locator("summary").click()
    page.move("Number 1 of the latent vector", 2.5)
    again = Page(browser).open(page.page.url)
    assert again.shown("picked") == page.shown("picked")
    page.press("Undo all changes")
    assert np.array_equal(pictures(page, "picked")[0], pictures(page)[5])


def test_a_picked_picture_shows_its_nearest_training_images(page):
    page.press("Picture 10: Ankle boot")
    page.page.wait_for_selector("#nearest canvas", timeout=60_000)
    assert page.page.locator("#nearest canvas").count() == 6
    assert "The nearest of 60,000" in page.page.inner_text("#nearest-message")


@pytest.mark.full
def test_only_another_picked_picture_starts_another_search(page):
    def searches():
        return sum(url.endswith("/api/nearest") for url in page.requests)

    page.press("Picture 10: Ankle boot")
    page.page.wait_for_selector("#nearest canvas", timeout=60_000)
    first, first_pixels = searches(), page.shown("picked")
    page.move("Difference (strength)", 0.5).move("Difference (strength)", 0.6)
    page.press("Blend with another picture").press("Picture 16: Sandal")
    assert searches() == first
    with page.page.expect_request("**/api/nearest"):
        page.press("Neighbor 3")
    assert page.shown("picked") != first_pixels
    assert searches() == first + 1


@pytest.mark.full
def test_a_failed_search_is_repeated_at_the_next_change(page):
    page.page.route("**/api/nearest", lambda route: route.abort())
    page.press("Picture 10: Ankle boot")
    page.page.wait_for_function("document.getElementById('nearest-message').textContent.includes('does not answer')")
    page.page.unroute("**/api/nearest")
    page.move("Difference (strength)", 0.5)
    page.page.wait_for_selector("#nearest canvas", timeout=60_000)
    page.complaints.clear()  # The browser itself reports the failed request.


@pytest.mark.full
def test_saved_files_hold_the_shown_pictures(page):
    page.press("Picture 6: Sandal").press("Blend with another picture").press("Picture 2: Trouser")
    with np.load(io.BytesIO(downloaded(page, "[data-save=npz]"))) as file:
        assert np.array_equal(file["images"], pictures(page))
        assert file["labels"].tolist() == [*range(10), *range(6)]
    with Image.open(io.BytesIO(downloaded(page, "[data-save=gif]"))) as film:
        assert film.size == (224, 224)
        first = np.asarray(film.convert("L"))[4::8, 4::8]
    assert np.abs(first.astype(int) - pictures(page)[5, ..., 0]).max() <= 1
    with Image.open(io.BytesIO(downloaded(page, "#save-grid"))) as sheet:
        assert np.array_equal(np.asarray(sheet.convert("L"))[4:116:4, 4:116:4], pictures(page)[0, ..., 0])


def test_every_control_has_a_name(page):
    page.press("Picture 6: Sandal")
    page.page.wait_for_selector("#nearest canvas", timeout=60_000)
    assert page.unlabeled() == []


def test_a_missing_server_is_reported_in_plain_words(page):
    page.page.route("**/api/draw", lambda route: route.abort())
    page.press("Next seed")
    assert "is fashion-gan explore still running?" in page.page.inner_text("#message")
    page.complaints.clear()  # The browser itself reports the failed request.
