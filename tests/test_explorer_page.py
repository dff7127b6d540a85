"""The explorer's page in a real browser: each control does what it says, and nothing leaves the computer."""

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
    """The address of `fashion-gan explore`, in a process of its own."""
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


def test_it_answers_as_soon_as_it_says_where(served):
    with urllib.request.urlopen(served) as answer:
        assert b"<h1>fashion</h1>" in answer.read()


def test_class_seed_variety_and_count_show_what_the_command_draws(page, generator):
    assert np.array_equal(pictures(page), generator.generate(16))
    page.press("Bag").press("Others").move("Variety", 0.6)
    page.page.locator("#count").select_option("36")
    assert np.array_equal(pictures(page.settled()), generator.generate(36, "Bag", 1, 0.6))
    page.page.get_by_label("Seed").fill("77")
    assert np.array_equal(pictures(page.settled()), generator.generate(36, "Bag", 77, 0.6))


def test_a_picture_has_neighbours_and_a_blend_with_another(page, generator):
    page.press("Picture 6: Sandal").move("How far off", 0.5)
    latents = generator.latents(16)
    assert np.array_equal(pictures(page, "neighbours"), generator.decode(generator.vary(latents[5], 0.5, 12), 5))
    page.press("Blend with another").press("Picture 16: Sandal")
    assert np.array_equal(pictures(page, "film"), generator.interpolate(latents[5], latents[15], 33, 5))


def test_a_link_shows_the_same_pictures_and_back_leads_to_the_grids(browser, page):
    page.press("Picture 6: Sandal").press("Neighbour 3").press("Neighbour 1")
    page.page.locator("summary").click()
    page.move("Number 1 of the latent", 2.5)
    again = Page(browser).open(page.page.url)
    assert again.shown("picked") == page.shown("picked")
    page.press("Back to the grid's")
    assert np.array_equal(pictures(page, "picked")[0], pictures(page)[5])


def test_the_nearest_training_images_stand_beside_a_picture(page):
    page.press("Picture 10: Ankle boot")
    page.page.wait_for_selector("#nearest canvas", timeout=60_000)
    assert page.page.locator("#nearest canvas").count() == 6
    assert "The most alike of 60,000" in page.page.inner_text("#nearest-message")


def test_files_hold_what_is_shown(page):
    page.press("Picture 6: Sandal").press("Blend with another").press("Picture 2: Trouser")
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
    assert page.unlabelled() == []


def test_a_server_that_is_gone_is_told_in_plain_words(page):
    page.page.route("**/api/draw", lambda route: route.abort())
    page.press("Others")
    assert "is fashion-gan explore still running?" in page.page.inner_text("#message")
    page.complaints.clear()  # The browser's own, of the request that failed.
