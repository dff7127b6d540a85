"""The course's page that trains a GAN in the browser: its gradients, its presets, and its controls."""

import numpy as np
import pytest
from browser import Page, chromium

from fashion_gan.course import live, notebooks, plane

ADDRESS = (notebooks.PAGE / "index.html").as_uri()
LOSSES = ["bce", "minimax", "hinge", "wasserstein", "relativistic"]

# In each: run `count` steps, and measure the score after every tenth one.
TRAIN = """count => {
    const scores = [];
    for (let k = 0; k < count; k++) {
        step();
        if (k % 10) continue;
        measure();
        const [x, y] = [0, 1].map((axis) => mean(points().filter((_, k) => k % 2 === axis)));
        const spread = Math.sqrt(mean(points().map((place, k) => 2 * (place - (k % 2 ? y : x)) ** 2)));
        scores.push({ ...score, x, y, spread, gradient: gan.last.gradientNorm });
    }
    return scores;
}"""
WEIGHTS = "() => [gan.G, gan.D].flatMap((network) => network.parameters().flatMap(({ values }) => [...values]))"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(browser):
    """Return a function that opens the page. With a preset in the address, it waits for the reader."""
    pages = []

    def open_page(preset="", **settings):
        pages.append(Page(browser, **settings))
        pages[-1].page.goto(f"{ADDRESS}#{preset}")
        return pages[-1].page

    yield open_page
    for page in pages:
        assert page.complaints == []
        assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
        page.context.close()


def train(page, steps):
    return page.evaluate(TRAIN, steps)


def cure(page):
    """Press the button of the cure, and stop the page's own training."""
    page.get_by_role("button", name="Cure it").click()
    page.evaluate("pause()")


def steps(page):
    return page.evaluate("gan.steps")


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradients_are_those_of_finite_differences(opened, loss):
    worst = opened("works").evaluate(
        """loss => {
        const random = new Random(5);
        const [G, D] = [[2, 5, 5, 2], [2, 5, 5, 1]].map((sizes) => new Network(sizes, random));
        const [latents, real, fake, noise] = [1, 2, 3, 4].map(() => random.normals(16));
        const settings = { loss, penalty: 0.3 };
        const error = (network, lossOf) => {
            lossOf();
            const gradients = network.parameters().map(({ gradients }) => gradients.slice());
            return Math.max(...network.parameters().flatMap(({ values }, index) => [...values].map((value, k) => {
                const [above, below] = [1e-6, -1e-6].map((move) => { values[k] = value + move; return lossOf(); });
                values[k] = value;
                return Math.abs((above - below) / 2e-6 - gradients[index][k]);
            })));
        };
        return [
            error(D, () => discriminatorLoss(D, real, fake, noise, settings).loss),
            error(G, () => generatorLoss(G, D, latents, real, settings).loss),
        ];
    }""",
        loss,
    )
    assert max(worst) < 1e-6


def test_the_arrows_are_minus_the_gradient_of_each_points_loss(opened):
    errors = opened("works").evaluate("""() => {
        const loss = (samples) => LOSSES.bce.generator(0, gan.D.run(samples).output[0]);
        const arrows = pull();
        return [0, 1, 2, 3].map((k) => {
            const start = k - (k % 2);
            const [above, below] = [1e-6, -1e-6].map((move) => {
                const pair = points().slice(start, start + 2);
                pair[k % 2] += move;
                return loss(Float64Array.of(...pair, 0, 0));
            });
            return Math.abs(-(above - below) / 2e-6 - arrows[k]);
        });
    }""")
    assert max(errors) < 1e-6


def test_the_first_preset_covers_all_eight_clusters(opened):
    assert train(opened("works"), 801)[-1]["covered"] == 8


def test_the_notebook_counts_clusters_as_the_page_does(opened):
    page = opened("works")
    data = page.evaluate("[data.spots, data.spread]")
    random = np.random.default_rng(0)
    for kept in (8, 5, 0):
        near = np.array(data[0] * 40)[: 40 * kept] + 1.5 * data[1] * random.normal(size=(40 * kept, 2))
        points = np.concatenate([near, 2 * random.normal(size=(100, 2))])
        page_score = page.evaluate("points => coverage(data, Float64Array.from(points.flat()))", points.tolist())
        score = plane.score(points, *data)
        assert [score.covered, score.clusters, score.good] == pytest.approx(
            [page_score["covered"], page_score["spots"], page_score["good"]]
        )


def test_a_notebook_shows_the_page_with_a_preset_from_one_text(browser, monkeypatch):
    outputs = []
    monkeypatch.setattr("IPython.display.display", outputs.append)
    live.show("collapse")
    page = browser.new_page(viewport={"width": 900, "height": 900})
    page.set_content(outputs[0].data)
    frame = page.frames[1]
    frame.wait_for_function("typeof preset !== 'undefined'")
    assert frame.evaluate("[preset, playing, gan.steps]") == ["collapse", False, 0]
    frame.get_by_role("button", name="Play", exact=True).click()
    frame.wait_for_function("gan.steps > 3")
    assert not frame.get_by_role("heading", name="A GAN, live").is_visible()  # The notebook says that before.
    page.close()


@pytest.mark.full
def test_the_collapsed_generator_covers_one_cluster_at_a_time_until_it_is_cured(opened):
    page = opened("collapse")
    scores = train(page, 400)[10:]
    assert max(score["covered"] for score in scores) == 1
    assert sum(score["covered"] for score in scores) > len(scores) / 2
    assert sorted(score["spread"] for score in scores)[len(scores) // 2] < 0.6  # The data's spread is 1.2.
    cure(page)
    assert train(page, 301)[-1]["covered"] == 2


@pytest.mark.full
def test_the_oscillating_generator_swings_around_the_data_until_it_is_cured(opened):
    def swing(scores):
        places = [score["x"] for score in scores[-20:]]
        return max(places) - min(places)

    page = opened("oscillate")
    assert swing(train(page, 300)) > 0.8
    assert swing(train(page, 200)) > 0.8
    cure(page)
    assert swing(train(page, 300)) < 0.3


@pytest.mark.full
def test_the_saturated_generator_gets_no_gradient_and_stands_still_until_it_is_cured(opened):
    page = opened("saturate")
    scores = train(page, 141)
    assert scores[-1]["gradient"] < scores[0]["gradient"] / 500
    assert abs(scores[-1]["x"] - scores[5]["x"]) < 0.01
    assert scores[-1]["covered"] == 0
    cure(page)
    assert train(page, 41)[-1]["good"] > 0.5


@pytest.mark.full
def test_a_discriminator_that_learns_from_a_fixed_generator_finds_the_best_answer(opened):
    page = opened("onlyD")
    difference = """() => {
        const best = bestField(data, points());
        const [p, q] = [density(data.spots.flat(), data.spread), density(points(), BLUR)];
        const gaps = [...answerField(gan.D).map((answer, cell) => Math.abs(answer - best[cell]))];
        return mean(gaps.filter((_, cell) => p[cell] + q[cell] > 0.05));
    }"""
    before = page.evaluate(difference)
    weights = page.evaluate("() => [...gan.G.layers[0].weights]")
    train(page, 300)
    assert before > 0.16
    assert page.evaluate(difference) < 0.08
    assert page.evaluate("() => [...gan.G.layers[0].weights]") == weights


def test_play_and_pause_by_mouse_and_by_keyboard(opened):
    page = opened("works")
    assert steps(page) == 0
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("gan.steps > 3")
    page.get_by_role("button", name="Pause").click()
    stopped = steps(page)
    page.wait_for_timeout(150)
    assert steps(page) == stopped
    assert page.inner_text("#status").startswith(f"Paused after {stopped} steps")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.wait_for_function(f"gan.steps > {stopped}")
    page.keyboard.press("Space")
    assert not page.evaluate("playing")
    page.keyboard.press("r")
    assert steps(page) == 0
    page.keyboard.press("3")
    assert page.evaluate("[preset, playing]") == ["oscillate", True]
    page.get_by_label("Single-key shortcuts").evaluate("box => { box.checked = false; }")
    page.keyboard.press("1")
    assert page.evaluate("preset") == "oscillate"


def test_the_space_bar_presses_a_focused_button_once(opened):
    page = opened("works")
    page.get_by_role("button", name="Play", exact=True).focus()
    page.keyboard.press("Space")
    assert page.evaluate("playing")


def test_a_slow_step_shows_d_then_the_arrows_then_g(opened):
    page = opened("works")
    start = page.evaluate(WEIGHTS)
    count = page.evaluate("gan.G.parameters().reduce((sum, { values }) => sum + values.length, 0)")
    for key, sentence in (("s", "1 of 3. D learns"), ("s", "2 of 3. D stands still"), ("s", "3 of 3. G moves")):
        page.keyboard.press(key)
        assert page.inner_text("#explanation").startswith(sentence)
        weights = page.evaluate(WEIGHTS)
        assert weights[count:] != start[count:]
        assert (weights[:count] != start[:count]) == sentence.startswith("3")


def test_the_same_seed_gives_the_same_training_also_in_slow_motion(opened):
    page = opened("works")
    train(page, 12)
    expected = page.evaluate(WEIGHTS)
    page.get_by_role("button", name="Start over").click()
    train(page, 10)
    for _ in range(4):  # Three parts of one step, and the first part of the next.
        page.get_by_role("button", name="Slow step").click()
    page.evaluate("finishSlowStep()")
    assert page.evaluate(WEIGHTS) == expected
    page.evaluate("change({ seed: 2 }); restart()")
    train(page, 12)
    assert page.evaluate(WEIGHTS) != expected


def test_a_painting_becomes_the_data_by_mouse_and_by_keyboard(opened):
    page = opened("works")
    page.get_by_role("button", name="Paint your own").click()
    page.get_by_role("button", name="Play", exact=True).click()
    assert "Paint some data first" in page.inner_text("#status")
    page.locator("#plane").scroll_into_view_if_needed()
    box = page.locator("#plane").bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.25 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"], steps=12)
    page.mouse.up()
    spots = page.evaluate("data.spots")
    assert len(spots) > 8
    assert all(abs(y - 1.2) < 0.05 and abs(x) < 1.3 for x, y in spots)
    page.locator("#plane").focus()
    for key in ("ArrowDown", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("data.spots").pop() == pytest.approx([-0.12, -0.12])
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("gan.steps > 3")
    page.get_by_role("button", name="Clear the painting").click()
    assert page.evaluate("[data.spots.length, playing]") == [0, False]


def test_the_sliders_change_the_game_and_say_their_value(opened):
    page = opened("works")
    page.get_by_label("G’s learning rate").fill("0")
    page.get_by_label("Steps of D per step of G").fill("1")
    assert page.evaluate("[settings.rateG, settings.stepsD]") == [0, 0.2]
    assert page.get_by_label("Steps of D per step of G").get_attribute("aria-valuetext") == "1 per 5 steps of G"
    samples = page.evaluate("() => [...points()]")
    train(page, 5)
    assert page.evaluate("() => [...points()]") == samples


@pytest.mark.full
def test_every_data_set_can_be_chosen(opened):
    page = opened("works")
    for name, spots in (("One cluster", 1), ("Two", 2), ("Grid", 16), ("Spiral", 40), ("Ring of eight", 8)):
        page.get_by_role("button", name=name, exact=True).click()
        train(page, 1)
        assert page.evaluate("[data.spots.length, baseline.good > 0.95, playing]") == [spots, True, False]


def test_a_training_that_overflows_stops_and_says_so(opened):
    page = opened("works")
    page.evaluate("change({ rateD: 1e200 }); play()")
    page.wait_for_function("!playing")
    assert "The training broke down" in page.inner_text("#status")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_horizontal_scrolling(opened, scheme):
    page = opened("works", viewport={"width": 360, "height": 740}, color_scheme=scheme, has_touch=True)
    page.locator("summary").click()
    page.keyboard.press("s")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("[...document.querySelectorAll('button')].every((e) => e.hidden || e.clientHeight >= 42)")
    assert page.locator("#play").bounding_box()["y"] < 740
    assert page.evaluate("readColors().middle") == {"light": "#fbfbfa", "dark": "#14181c"}[scheme]


def test_the_page_plays_at_once_unless_the_reader_wants_little_motion(opened):
    page = opened()
    page.wait_for_function("gan.steps > 3")
    calm = opened(reduced_motion="reduce")
    calm.wait_for_timeout(100)
    assert steps(calm) == 0
    calm.evaluate("""window.pictures = 0;
        const before = drawPlane;
        drawPlane = () => { window.pictures++; before(); };
        const start = performance.now();
        play();
        const result = () => [gan.steps, pictures, performance.now() - start];
        window.ended = new Promise((end) => setTimeout(() => end(result()), 600));""")
    count, pictures, milliseconds = calm.evaluate("ended")
    assert count > 1
    assert pictures <= 2 + milliseconds / 500


def test_every_control_has_a_name(opened, browser):
    page = opened("works")
    unlabeled = Page.unlabeled.__get__(type("", (), {"page": page}))
    assert unlabeled() == []
    page.get_by_role("button", name="Paint your own").click()
    assert "arrow keys" in page.locator("#plane").get_attribute("aria-label")
