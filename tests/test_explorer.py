"""The explorer's server: what it answers, and what it refuses."""

import base64
import html
import io
import json
import re
import signal
import socket
import subprocess
import sys
import time

import anyio
import numpy as np
import pytest
from PIL import Image

import fashion_gan
from fashion_gan.cli import main
from fashion_gan.config import Config
from fashion_gan.datasets import fashion_mnist, load_training_images
from fashion_gan.explorer import guard, nearest, server, serving
from fashion_gan.explorer.nearest import NearestImages
from fashion_gan.generator import Generator
from fashion_gan.runs import Run

testclient = pytest.importorskip("starlette.testclient", reason="httpx is not installed")

ADDRESS = "http://127.0.0.1:8000"
DIM = 4


def first_two_latents(inputs):
    """A 'network' that paints the first two latents, squashed to [-1, 1], and then the label."""
    latents, labels = inputs
    return np.concatenate([np.tanh(latents[:, :2]), labels[:, None] - 1.0], axis=1).reshape(-1, 1, 3, 1)


GENERATOR = Generator(first_two_latents, DIM, ("low", "middle", "high"))


@pytest.fixture(scope="module")
def client():
    with testclient.TestClient(server.make_app("toy", GENERATOR), base_url=ADDRESS) as client:
        yield client


def pixels(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return np.frombuffer(base64.b64decode(found["pixels"]), np.uint8).reshape(found["count"], 1, 3, 1)


def latents(answer) -> np.ndarray:
    return np.frombuffer(base64.b64decode(answer.json()["latents"]), np.float32).reshape(-1, DIM)


def test_pictures_of_a_seed_are_those_of_the_generator(client):
    answer = client.post("/api/draw", json={"count": 5, "seed": 3, "truncation": 0.5, "label": "high"})
    assert np.array_equal(pixels(answer), GENERATOR.generate(5, "high", 3, 0.5))
    assert np.array_equal(latents(answer), GENERATOR.latents(5, 3, 0.5))
    assert answer.json()["labels"] == [2] * 5


def test_pictures_of_latents_are_those_of_the_generator(client):
    given = GENERATOR.latents(6, 1)
    answer = client.post("/api/decode", json={"latents": given.tolist(), "labels": [0, 1, 2, 0, 1, 2]})
    assert np.array_equal(pixels(answer), GENERATOR.decode(given))


def test_neighbours_are_those_of_the_generator(client):
    latent = GENERATOR.latents(1, 5)[0]
    wanted = {"latent": latent.tolist(), "strength": 0.4, "count": 7, "seed": 2, "label": 1}
    assert np.array_equal(latents(client.post("/api/vary", json=wanted)), GENERATOR.vary(latent, 0.4, 7, 2))


def test_a_walk_begins_at_one_picture_and_ends_at_the_other_with_its_class(client):
    first, second = GENERATOR.latents(2, 8)
    wanted = {"first": first.tolist(), "second": second.tolist(), "labels": [0, 2], "frames": 5}
    answer = client.post("/api/walk", json=wanted)
    assert np.array_equal(pixels(answer)[[0, -1]], GENERATOR.decode([first, second], [0, 2]))
    assert answer.json()["labels"] == [0, 0, 2, 2, 2]
    assert np.array_equal(pixels(answer), pixels(client.post("/api/decode", json=decoded(answer))))


def decoded(answer):
    return {"latents": latents(answer).tolist(), "labels": answer.json()["labels"]}


def test_an_npz_holds_pictures_latents_and_labels(client):
    given = GENERATOR.latents(3, 1)
    answer = client.post("/api/save/npz", json={"latents": given.tolist(), "labels": [2, 1, 0]})
    with np.load(io.BytesIO(answer.content)) as file:
        assert np.array_equal(file["images"], GENERATOR.decode(given, [2, 1, 0]))
        assert np.array_equal(file["latents"], given)
        assert file["labels"].tolist() == [2, 1, 0]


def test_a_gif_goes_there_and_back(client):
    given = np.linspace(-2, 2, 5)[:, None].repeat(DIM, axis=1)
    answer = client.post("/api/save/gif", json={"latents": given.tolist(), "labels": None})
    with Image.open(io.BytesIO(answer.content)) as film:
        assert film.format == "GIF"
        assert film.size == (222, 74)
        assert film.n_frames == 8


def test_a_film_of_large_pictures_is_no_larger_than_they_are():
    generator = Generator(lambda latents: np.zeros((len(latents), 300, 300, 1)), DIM)
    with testclient.TestClient(server.make_app("large", generator), base_url=ADDRESS) as client:
        answer = client.post("/api/save/gif", json={"latents": [[0.0] * DIM] * 2})
    with Image.open(io.BytesIO(answer.content)) as film:
        assert film.size == (300, 300)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("draw", {"count": 10**9}, "count=1000000000 is not allowed"),
        ("draw", {"count": 0}, "1 to 256"),
        ("draw", {"count": True}, "count=True"),
        ("draw", {"count": 2.5}, "count=2.5"),
        ("draw", {"seed": -1}, "seed=-1"),
        ("draw", {"seed": 2**70}, "a huge number"),
        ("draw", {"truncation": float("nan")}, "truncation=nan"),
        ("draw", {"truncation": float("inf")}, "truncation=inf"),
        ("draw", {"truncation": 9}, "truncation=9.0 is out of range"),
        ("draw", {"truncation": 10**400}, "truncation=a huge number"),
        ("draw", {"label": "hihg"}, "did you mean 'high'"),
        ("draw", {"label": [1]}, "label=[1]"),
        ("draw", {"label": "9" * 5000}, "label='999"),
        ("draw", {"label": 10**3000}, "a huge number"),
        ("draw", {"label": "x" * 200}, "label='xxx"),
        ("draw", [1], "must be a JSON object"),
        ("decode", {}, "latents must be a list"),
        ("decode", {"latents": [[float("nan")] * DIM]}, "finite numbers"),
        ("decode", {"latents": [[None] * DIM]}, "finite numbers"),
        ("decode", {"latents": [[1e39] * DIM]}, "finite numbers"),
        ("decode", {"latents": [[10**400] * DIM]}, "numbers"),
        ("decode", {"latents": [["x"] * DIM]}, "numbers"),
        ("decode", {"latents": [["1.5"] * DIM]}, "numbers"),
        ("decode", {"latents": [[0.0] * (DIM - 1) + [True]]}, "numbers"),
        ("decode", {"latents": [[100.5] * DIM]}, "from -100 to 100"),
        ("vary", {"latent": [-101] * DIM}, "from -100 to 100"),
        ("decode", {"latents": [[0.0] * DIM, [0.0]]}, "numbers"),
        ("decode", {"latents": [[0.0] * (DIM + 1)]}, "(1, 4)"),
        ("decode", {"latents": [[0.0] * DIM] * 257}, "1 to 256"),
        ("decode", {"latents": [[0.0] * DIM], "labels": [1, 2]}, "a list of 1"),
        ("decode", {"latents": [[0.0] * DIM] * 2, "labels": [1, None]}, "of all pictures or of none"),
        ("vary", {"latent": [0.0] * DIM, "strength": 2}, "strength=2.0"),
        ("vary", {"latent": 3}, "(4,)"),
        ("walk", {"first": [0.0] * DIM, "second": [0.0] * DIM, "frames": 10**6}, "frames=1000000"),
        ("walk", {"first": [0.0] * DIM}, "second"),
        ("nearest", {"latents": []}, "1 to 256"),
        ("save/gif", {"latents": [[float("inf")] * DIM]}, "finite"),
    ],
)
def test_a_bad_request_is_refused_in_one_line_of_json(client, path, body, words):
    headers = {"content-type": "application/json"}
    answer = client.post(f"/api/{path}", content=json.dumps(body), headers=headers)
    assert answer.status_code == 400
    message = answer.json()["error"]
    assert words in message
    assert "\n" not in message
    assert len(message) <= 300


def test_a_message_does_not_give_back_all_that_was_sent():
    plain = Generator(lambda latents: np.tanh(latents[:, :3]).reshape(-1, 1, 3, 1), DIM)
    with testclient.TestClient(server.make_app("plain", plain), base_url=ADDRESS) as client:
        answer = client.post("/api/decode", json={"latents": [[0.0] * DIM] * 200, "labels": ["x" * 200] * 200})
    assert answer.status_code == 400
    assert len(answer.json()["error"]) <= 300


def test_json_may_be_asked_for_in_capitals(client):
    headers = {"content-type": "APPLICATION/JSON; charset=utf-8"}
    assert client.post("/api/draw", content="{}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"count=3", "application/x-www-form-urlencoded", 415),
        (b" " * (guard.MAX_BODY_BYTES + 1), "application/json", 413),
    ],
)
def test_what_is_not_a_request_is_refused_in_json(client, content, kind, status):
    answer = client.post("/api/draw", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "localhost@evil"])
def test_another_host_is_refused(client, host):
    for answer in (client.get("/", headers={"host": host}), client.post("/api/draw", headers={"host": host}, json={})):
        assert answer.status_code == 403
        assert "host" in answer.json()["error"]


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "LOCALHOST:8000", "[::1]:8000", "[::1]"])
def test_this_computers_own_names_are_let_in(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200


def test_unknown_addresses_and_wrong_methods_are_refused_in_json(client):
    assert client.get("/api/draw").status_code == 405
    for path in ("/nothing", "/run/film", "/run/..%2f..%2fetc%2fpasswd", "/..%2f..%2fetc/passwd", "/api/save/exe"):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert set(answer.json()) == {"error"}


def test_more_requests_than_may_wait_are_told_to_come_again(client, monkeypatch):
    monkeypatch.setattr(server, "MAX_WAITING", 0)
    answer = client.post("/api/draw", json={})
    assert answer.status_code == 503
    assert "ask again" in answer.json()["error"]


SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/api/draw",
    "query_string": b"",
    "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
}


async def answered(app, *pieces):
    """The status and the headers of what an app answers to a request in pieces, after which nothing more comes."""
    sent, left = [], list(pieces)

    async def receive():
        if not left:
            await anyio.sleep_forever()
        return left.pop(0)

    async def send(message):
        sent.append(message)

    await app(dict(SCOPE), receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


def piece(content, more):
    return {"type": "http.request", "body": content, "more_body": more}


def test_a_request_without_an_end_is_answered_and_hung_up_on(monkeypatch):
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    app = server.make_app("toy", GENERATOR)
    for status, pieces in ((408, [piece(b"{", True)]), (413, [piece(b" " * 1_000_000, True)] * 9)):
        found, headers = anyio.run(answered, app, *pieces)
        assert found == status
        assert headers[b"connection"] == b"close"


def test_requests_that_are_half_sent_leave_the_waiting_places_to_others(monkeypatch):
    monkeypatch.setattr(server, "MAX_WAITING", 1)
    app = server.make_app("toy", GENERATOR)

    async def one_half_and_one_whole():
        async with anyio.create_task_group() as group:
            group.start_soon(answered, app, piece(b"{", True))
            await anyio.wait_all_tasks_blocked()
            status, _ = await answered(app, piece(b"{}", False))
            group.cancel_scope.cancel()
            return status

    assert anyio.run(one_half_and_one_whole) == 200


def test_nothing_is_drawn_for_a_client_that_hung_up():
    drawn = []
    generator = Generator(lambda inputs: drawn.append(1) or first_two_latents(inputs), DIM, GENERATOR.class_names)
    app = server.make_app("toy", generator)
    before = len(drawn)  # The page asks for one picture before it is served.
    anyio.run(answered, app, piece(b"{}", False), {"type": "http.disconnect"})
    assert len(drawn) == before


def test_a_failure_of_ours_is_told_in_json_without_its_details():
    def broken(inputs):
        raise RuntimeError("a secret")

    shapes = [first_two_latents]  # The page asks for one picture before it is served.
    generator = Generator(lambda inputs: (shapes.pop() if shapes else broken)(inputs), DIM, GENERATOR.class_names)
    with testclient.TestClient(
        server.make_app("toy", generator), base_url=ADDRESS, raise_server_exceptions=False
    ) as client:
        answer = client.post("/api/draw", json={})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert set(answer.json()) == {"error"}


def test_the_page_and_its_limits_are_told(client):
    page = client.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "connect-src 'self'" in html.unescape(page.text)
    about = client.get("/api/about").json()
    assert about["shape"] == [1, 3, 1]
    assert about["limits"] == {"pictures": 256, "seed": 2**31 - 1}


def test_an_unconditional_generator_is_served_too():
    plain = Generator(lambda latents: np.tanh(latents[:, :3]).reshape(-1, 1, 3, 1), DIM)
    with testclient.TestClient(server.make_app("plain", plain), base_url=ADDRESS) as client:
        answer = client.post("/api/draw", json={"count": 2})
        assert np.array_equal(pixels(answer), plain.generate(2))
        assert answer.json()["labels"] is None
        assert 'id="classes"' not in client.get("/").text
        assert client.post("/api/draw", json={"label": 0}).status_code == 400


def ready(images, image):
    """The answer once the training images are there."""
    while (answer := images.answer(image))["again"]:
        time.sleep(0.05)
    return answer


def a_run(out, fingerprint, **settings) -> Run:
    """A run's folder without what it learnt."""
    return Run.create(out, Config.from_preset("fashion", backend="tensorflow", **settings), fingerprint)


def test_a_training_image_is_its_own_nearest_one():
    train = fashion_gan.load_fashion_mnist("train")
    answer = ready(NearestImages(None, shipped=True), train.images[1234])
    assert answer["numbers"][0] == 1234
    assert answer["distances"][0] < 0.1 < answer["distances"][1]
    assert answer["distances"] == sorted(answer["distances"])
    found = np.frombuffer(base64.b64decode(answer["pixels"]), np.uint8).reshape(-1, 28, 28, 1)
    assert np.array_equal(found, train.images[answer["numbers"]])


def test_where_the_dataset_is_missing_it_is_told_until_it_is_there_and_nothing_is_fetched(monkeypatch, tmp_path):
    image = fashion_gan.load_fashion_mnist("test").images[0]
    images = NearestImages(None, shipped=True)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path)
        elsewhere.setattr(fashion_mnist, "cache_folder", lambda: tmp_path)
        elsewhere.setattr(fashion_mnist, "_download", lambda *of: pytest.fail("the network was asked"))
        answer = ready(images, image)
        assert answer["message"] == "Fashion-MNIST is not on this computer: `fashion-gan data` fetches it"
    assert "60,000" in ready(images, image)["message"]


@pytest.mark.parametrize("names", [(), GENERATOR.class_names, fashion_gan.CLASS_NAMES])
def test_a_model_without_its_run_that_was_not_shipped_says_that_they_are_not_known(names):
    generator = Generator(lambda inputs: np.zeros((len(inputs[0]), 28, 28, 1)), DIM, names)
    with testclient.TestClient(server.make_app("mine", generator), base_url=ADDRESS) as client:
        answer = client.post("/api/nearest", json={"latents": [[0.0] * DIM]})
    assert "open its run's folder" in answer.json()["message"]


def test_a_runs_pictures_are_the_nearest_where_it_was_trained_on_them(toy_run):
    own = load_training_images(toy_run.config.data, 16, 1)
    answer = ready(NearestImages(toy_run), own.images[7])
    assert answer["numbers"][0] == 7
    assert "40" in answer["message"]


def test_a_run_on_made_clothes_shows_those_and_not_the_real_ones(tmp_path):
    fashion_gan.make_dataset(tmp_path / "synth", per_class=2)
    made = load_training_images(tmp_path / "synth", 28, 1)
    assert made.class_names == fashion_gan.CLASS_NAMES
    run = a_run(tmp_path / "runs", made.fingerprint, data=str(tmp_path / "synth"))
    answer = ready(NearestImages(run), made.images[7])
    assert answer["numbers"][0] == 7
    assert "of 20" in answer["message"]


def test_a_run_whose_folder_holds_other_images_by_now_says_so(tmp_path, toy_folder):
    run = a_run(tmp_path, "of other images", data=str(toy_folder), image_size=16)
    answer = ready(NearestImages(run), np.zeros((16, 16, 1), np.uint8))
    assert "holds other images than this run was trained on" in answer["message"]


@pytest.mark.parametrize("shape", [(16, 16, 1), (28, 28, 3), (64, 64, 3)])
def test_clothes_of_another_size_or_in_colour_find_the_real_ones(tmp_path, shape):
    train = fashion_gan.load_fashion_mnist("train")
    run = a_run(tmp_path, train.fingerprint, image_size=shape[0], channels=shape[2])
    grey = Image.fromarray(train.images[1234, ..., 0]).resize(shape[:2], Image.Resampling.BILINEAR)
    answer = ready(NearestImages(run), np.asarray(grey)[..., np.newaxis].repeat(shape[2], axis=2))
    assert answer["numbers"][0] == 1234
    assert len(base64.b64decode(answer["pixels"])) == 6 * np.prod(shape)


def test_a_picture_that_cannot_be_compared_is_told_and_is_no_failure(toy_run, monkeypatch):
    monkeypatch.setattr(nearest, "_like", lambda *of: 1 / 0)
    answer = ready(NearestImages(toy_run), np.zeros((16, 16, 1), np.uint8))
    assert "cannot be compared with this picture: division by zero" in answer["message"]
    assert not answer["again"]


def test_a_folder_that_is_called_as_the_shipped_model_does_not_stand_in_its_way(tmp_path, monkeypatch):
    (tmp_path / "fashion").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serving.uvicorn.Server, "run", lambda self, sockets: None)
    assert main(["explore", "--port", "0"]) == 0


def test_a_run_shows_its_film_its_curve_and_its_figures_and_nothing_else(toy_run):
    toy_run.append_metrics({"step": 5, "ffd5k_validation": 1.25, "name": "<b>"})
    app = server.make_app("run", fashion_gan.load_generator(toy_run.path), toy_run)
    try:
        with testclient.TestClient(app, base_url=ADDRESS) as client:
            page = client.get("/").text
            assert "<td>1.250</td>" in page
            assert 'src="run/film"' in page
            assert client.get("/run/film").content == (toy_run.path / "training.gif").read_bytes()
            assert client.get("/run/curve").headers["content-type"] == "image/png"
            for name in ("report", "config.json", "checkpoints", "%2e%2e%2fconfig.json"):
                assert client.get(f"/run/{name}").status_code == 404
    finally:
        (toy_run.path / "metrics.jsonl").unlink()


@pytest.mark.parametrize("text", [None, '{"step": 1' + "0" * 400 + "}", '{"\\ud800": 1}', '{"a": true}\n[1]\n\x00'])
def test_a_run_whose_figures_cannot_be_read_is_shown_without_them(tmp_path, text):
    run = a_run(tmp_path, "of images")
    path = run.path / "metrics.jsonl"
    path.mkdir() if text is None else path.write_text(text)
    with testclient.TestClient(server.make_app("run", GENERATOR, run), base_url=ADDRESS) as client:
        assert client.get("/").status_code == 200


def test_a_link_in_a_run_that_leads_outside_is_not_followed(toy_run, tmp_path):
    for name in ("config.json", "environment.json"):
        (tmp_path / name).write_bytes((toy_run.path / name).read_bytes())
    (tmp_path / "training.gif").symlink_to(toy_run.path / "training.gif")
    with testclient.TestClient(server.make_app("run", GENERATOR, Run.open(tmp_path)), base_url=ADDRESS) as client:
        assert client.get("/run/film").status_code == 404
        assert "run/film" not in client.get("/").text


def test_a_taken_port_is_one_line(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert main(["explore", "--port", str(other.getsockname()[1])]) == 2
    message = capsys.readouterr().err
    assert "name another --port" in message
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "words"), [(["--port", "70000"], "70000"), (["--port", "0", "--model", "absent"], "absent")]
)
def test_a_bad_request_to_explore_is_one_line(capsys, flags, words):
    assert main(["explore", *flags]) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1


def test_once_the_address_is_told_ctrl_c_ends_the_server_in_good_order(capfd):
    handlers = []

    def say(url):
        handlers.append(signal.getsignal(signal.SIGINT))
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        serving.explore("fashion", 0, open_browser=False, say=say)
    assert handlers[0] is not signal.default_int_handler
    assert capfd.readouterr().err == ""


def test_ctrl_c_does_not_wait_for_the_rest_of_a_request():
    arguments = [sys.executable, "-m", "fashion_gan", "explore", "--port", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        port = int(re.search(r":(\d+)/", process.stdout.readline()).group(1))
        with socket.create_connection(("127.0.0.1", port)) as client:
            head = "POST /api/draw HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            client.sendall(f"{head}Content-Length: 100\r\nExpect: 100-continue\r\n\r\n".encode())
            assert b"100 Continue" in client.recv(100)  # So that it is sure to be under way.
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=guard.BODY_SECONDS - 2) == 130
        assert process.stderr.read().strip() == "fashion-gan: stopped"
