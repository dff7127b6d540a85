"""The explorer's server: its answers and its refusals."""

import base64
import html
import io
import json
import shutil
import signal
import socket
import time

import anyio
import numpy as np
import pytest
from PIL import Image

import fashion_gan
from fashion_gan.cli import main
from fashion_gan.config import Config
from fashion_gan.datasets import fashion_mnist, load_training_images
from fashion_gan.explorer import app, nearest_images, run_server, security
from fashion_gan.explorer.app import make_app
from fashion_gan.explorer.nearest_images import NearestImages
from fashion_gan.generator import Generator
from fashion_gan.runs import Run

testclient = pytest.importorskip("starlette.testclient", reason="httpx is not installed")

ADDRESS = "http://127.0.0.1:8000"
DIM = 4


def first_two_latents(inputs):
    """A fake network. Its pixels are the tanh of the first two latents, and the label."""
    latents, labels = inputs
    return np.concatenate([np.tanh(latents[:, :2]), labels[:, None] - 1.0], axis=1).reshape(-1, 1, 3, 1)


GENERATOR = Generator(first_two_latents, DIM, ("low", "middle", "high"))


@pytest.fixture(scope="module")
def client():
    with testclient.TestClient(make_app("toy", GENERATOR), base_url=ADDRESS) as client:
        yield client


def pixels(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    content = answer.json()
    return np.frombuffer(base64.b64decode(content["pixels"]), np.uint8).reshape(content["count"], 1, 3, 1)


def latents(answer) -> np.ndarray:
    return np.frombuffer(base64.b64decode(answer.json()["latents"]), np.float32).reshape(-1, DIM)


def test_draw_gives_the_generators_pictures_of_a_seed(client):
    answer = client.post("/api/draw", json={"count": 5, "seed": 3, "truncation": 0.5, "label": "high"})
    assert np.array_equal(pixels(answer), GENERATOR.generate(5, "high", 3, 0.5))
    assert np.array_equal(latents(answer), GENERATOR.latents(5, 3, 0.5))
    assert answer.json()["labels"] == [2] * 5


def test_decode_gives_the_generators_pictures_of_latents(client):
    vectors = GENERATOR.latents(6, 1)
    answer = client.post("/api/decode", json={"latents": vectors.tolist(), "labels": [0, 1, 2, 0, 1, 2]})
    assert np.array_equal(pixels(answer), GENERATOR.decode(vectors))


def test_vary_gives_the_generators_neighbors(client):
    latent = GENERATOR.latents(1, 5)[0]
    body = {"latent": latent.tolist(), "strength": 0.4, "count": 7, "seed": 2, "label": 1}
    assert np.array_equal(latents(client.post("/api/vary", json=body)), GENERATOR.vary(latent, 0.4, 7, 2))


def test_a_walk_starts_at_the_first_picture_and_ends_at_the_second_with_its_class(client):
    first, second = GENERATOR.latents(2, 8)
    body = {"first": first.tolist(), "second": second.tolist(), "labels": [0, 2], "frames": 5}
    answer = client.post("/api/walk", json=body)
    assert np.array_equal(pixels(answer)[[0, -1]], GENERATOR.decode([first, second], [0, 2]))
    assert answer.json()["labels"] == [0, 0, 2, 2, 2]
    assert np.array_equal(pixels(answer), pixels(client.post("/api/decode", json=decode_body(answer))))


def decode_body(answer):
    return {"latents": latents(answer).tolist(), "labels": answer.json()["labels"]}


def test_an_npz_holds_pictures_latents_and_labels(client):
    vectors = GENERATOR.latents(3, 1)
    answer = client.post("/api/save/npz", json={"latents": vectors.tolist(), "labels": [2, 1, 0]})
    with np.load(io.BytesIO(answer.content)) as file:
        assert np.array_equal(file["images"], GENERATOR.decode(vectors, [2, 1, 0]))
        assert np.array_equal(file["latents"], vectors)
        assert file["labels"].tolist() == [2, 1, 0]


def test_a_gif_plays_forward_and_backward(client):
    vectors = np.linspace(-2, 2, 5)[:, None].repeat(DIM, axis=1)
    answer = client.post("/api/save/gif", json={"latents": vectors.tolist(), "labels": None})
    with Image.open(io.BytesIO(answer.content)) as film:
        assert film.format == "GIF"
        assert film.size == (222, 74)
        assert film.n_frames == 8


def test_a_film_does_not_enlarge_large_pictures():
    generator = Generator(lambda latents: np.zeros((len(latents), 300, 300, 1)), DIM)
    with testclient.TestClient(make_app("large", generator), base_url=ADDRESS) as client:
        answer = client.post("/api/save/gif", json={"latents": [[0.0] * DIM] * 2})
    with Image.open(io.BytesIO(answer.content)) as film:
        assert film.size == (300, 300)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("draw", {"count": 10**9}, "count=1000000000 is out of range: it must be from 1 to 256"),
        ("draw", {"count": 0}, "1 to 256"),
        ("draw", {"count": True}, "count=True"),
        ("draw", {"count": 2.5}, "count=2.5"),
        ("draw", {"seed": -1}, "seed=-1"),
        ("draw", {"seed": 2**70}, "from 0 to 2,147,483,647"),
        ("draw", {"truncation": float("nan")}, "truncation=nan"),
        ("draw", {"truncation": float("inf")}, "truncation=inf"),
        ("draw", {"truncation": 9}, "truncation=9.0 is out of range"),
        ("draw", {"truncation": 10**400}, "truncation=<a whole number of about 400 digits>"),
        ("draw", {"label": "hihg"}, "did you mean 'high'"),
        ("draw", {"label": [1]}, "label=[1]"),
        ("draw", {"label": "9" * 5000}, "label='999"),
        ("draw", {"label": 10**3000}, "label=<a whole number of about 3,000 digits>"),
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
def test_an_invalid_request_is_refused_in_one_line_of_json(client, path, body, words):
    headers = {"content-type": "application/json"}
    answer = client.post(f"/api/{path}", content=json.dumps(body), headers=headers)
    assert answer.status_code == 400
    message = answer.json()["error"]
    assert words in message
    assert "\n" not in message
    assert len(message) <= 300


def test_a_message_does_not_repeat_all_input():
    plain = Generator(lambda latents: np.tanh(latents[:, :3]).reshape(-1, 1, 3, 1), DIM)
    with testclient.TestClient(make_app("plain", plain), base_url=ADDRESS) as client:
        answer = client.post("/api/decode", json={"latents": [[0.0] * DIM] * 200, "labels": ["x" * 200] * 200})
    assert answer.status_code == 400
    assert len(answer.json()["error"]) <= 300


def test_the_content_type_is_not_case_sensitive(client):
    headers = {"content-type": "APPLICATION/JSON; charset=utf-8"}
    assert client.post("/api/draw", content="{}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe{}", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"count=3", "application/x-www-form-urlencoded", 415),
        (b" " * (security.MAX_BODY_BYTES + 1), "application/json", 413),
    ],
)
def test_a_body_that_is_not_json_is_refused_in_json(client, content, content_type, status):
    answer = client.post("/api/draw", content=content, headers={"content-type": content_type})
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "localhost@evil"])
def test_other_host_names_are_refused(client, host):
    for answer in (client.get("/", headers={"host": host}), client.post("/api/draw", headers={"host": host}, json={})):
        assert answer.status_code == 403
        assert "host" in answer.json()["error"]


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "LOCALHOST:8000", "[::1]:8000", "[::1]"])
def test_local_host_names_are_accepted(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200


def test_unknown_addresses_and_wrong_methods_are_refused_in_json(client):
    assert client.get("/api/draw").status_code == 405
    for path in ("/nothing", "/run/film", "/run/..%2f..%2fetc%2fpasswd", "/..%2f..%2fetc/passwd", "/api/save/exe"):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert set(answer.json()) == {"error"}


def test_requests_beyond_the_limit_are_asked_to_try_again(client, monkeypatch):
    monkeypatch.setattr(app, "MAX_WAITING", 0)
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


async def status_and_headers(application, *pieces):
    """Send a request in pieces, and nothing after them. Return the status and the headers of the answer."""
    messages, remaining = [], list(pieces)

    async def receive():
        if not remaining:
            await anyio.sleep_forever()
        return remaining.pop(0)

    async def send(message):
        messages.append(message)

    await application(dict(SCOPE), receive, send)
    return messages[0]["status"], dict(messages[0]["headers"])


def piece(content, more):
    return {"type": "http.request", "body": content, "more_body": more}


def test_an_endless_request_is_refused_and_its_connection_closed(monkeypatch):
    monkeypatch.setattr(security, "BODY_SECONDS", 0.05)
    application = make_app("toy", GENERATOR)
    for expected, pieces in ((408, [piece(b"{", True)]), (413, [piece(b" " * 1_000_000, True)] * 9)):
        status, headers = anyio.run(status_and_headers, application, *pieces)
        assert status == expected
        assert headers[b"connection"] == b"close"


def test_incomplete_requests_do_not_count_as_waiting(monkeypatch):
    monkeypatch.setattr(app, "MAX_WAITING", 1)
    application = make_app("toy", GENERATOR)

    async def send_an_incomplete_and_a_complete_request():
        async with anyio.create_task_group() as group:
            group.start_soon(status_and_headers, application, piece(b"{", True))
            await anyio.wait_all_tasks_blocked()
            status, _ = await status_and_headers(application, piece(b"{}", False))
            group.cancel_scope.cancel()
            return status

    assert anyio.run(send_an_incomplete_and_a_complete_request) == 200


def test_nothing_is_drawn_for_a_disconnected_client():
    calls = []
    generator = Generator(lambda inputs: calls.append(1) or first_two_latents(inputs), DIM, GENERATOR.class_names)
    application = make_app("toy", generator)
    calls.clear()  # The application draws one picture at its start.
    anyio.run(status_and_headers, application, piece(b"{}", False), {"type": "http.disconnect"})
    assert calls == []


def test_an_internal_error_is_reported_in_json_without_its_details():
    def fail(inputs):
        raise RuntimeError("a secret")

    first_call = [first_two_latents]  # The application draws one picture at its start.
    generator = Generator(lambda inputs: (first_call.pop() if first_call else fail)(inputs), DIM, GENERATOR.class_names)
    with testclient.TestClient(make_app("toy", generator), base_url=ADDRESS, raise_server_exceptions=False) as client:
        answer = client.post("/api/draw", json={})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert set(answer.json()) == {"error"}


def test_the_page_has_a_content_policy_and_about_lists_the_limits(client):
    page = client.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "connect-src 'self'" in html.unescape(page.text)
    about = client.get("/api/about").json()
    assert about["shape"] == [1, 3, 1]
    assert about["limits"] == {"pictures": 256, "seed": 2**31 - 1}


def test_an_unconditional_generator_is_served():
    plain = Generator(lambda latents: np.tanh(latents[:, :3]).reshape(-1, 1, 3, 1), DIM)
    with testclient.TestClient(make_app("plain", plain), base_url=ADDRESS) as client:
        answer = client.post("/api/draw", json={"count": 2})
        assert np.array_equal(pixels(answer), plain.generate(2))
        assert answer.json()["labels"] is None
        assert 'id="classes"' not in client.get("/").text
        assert client.post("/api/draw", json={"label": 0}).status_code == 400


def final_answer(nearest, image):
    """The answer after the training images are loaded."""
    while (answer := nearest.answer(image))["again"]:
        time.sleep(0.05)
    return answer


def untrained_run(out, fingerprint, **settings) -> Run:
    """A run's folder before its first step."""
    return Run.create(out, Config.from_preset("fashion", backend="tensorflow", **settings), fingerprint)


def test_a_training_image_is_its_own_nearest_image():
    train = fashion_gan.load_fashion_mnist("train")
    answer = final_answer(NearestImages(None, shipped=True), train.images[1234])
    assert answer["numbers"][0] == 1234
    assert answer["distances"][0] < 0.1 < answer["distances"][1]
    assert answer["distances"] == sorted(answer["distances"])
    images = np.frombuffer(base64.b64decode(answer["pixels"]), np.uint8).reshape(-1, 28, 28, 1)
    assert np.array_equal(images, train.images[answer["numbers"]])


def test_a_missing_dataset_is_reported_until_it_is_there_and_is_never_fetched(monkeypatch, tmp_path):
    image = fashion_gan.load_fashion_mnist("test").images[0]
    nearest = NearestImages(None, shipped=True)
    with monkeypatch.context() as patch:
        patch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path)
        patch.setattr(fashion_mnist, "cache_folder", lambda: tmp_path)
        patch.setattr(fashion_mnist, "_download", lambda *arguments: pytest.fail("the network was asked"))
        answer = final_answer(nearest, image)
        assert answer["message"] == "Fashion-MNIST is not on this computer: `fashion-gan data` fetches it"
    assert "60,000" in final_answer(nearest, image)["message"]


@pytest.mark.parametrize("names", [(), GENERATOR.class_names, fashion_gan.CLASS_NAMES])
def test_the_training_images_of_a_model_file_are_unknown(names):
    generator = Generator(lambda inputs: np.zeros((len(inputs[0]), 28, 28, 1)), DIM, names)
    with testclient.TestClient(make_app("mine", generator), base_url=ADDRESS) as client:
        answer = client.post("/api/nearest", json={"latents": [[0.0] * DIM]})
    assert "open its run's folder" in answer.json()["message"]


def test_a_search_for_the_nearest_images_draws_only_the_first_picture():
    batches = []
    generator = Generator(lambda inputs: batches.append(inputs) or first_two_latents(inputs), DIM, ("low", "high"))
    application = make_app("toy", generator)
    batches.clear()  # The application draws one picture at its start.
    with testclient.TestClient(application, base_url=ADDRESS) as client:
        body = {"latents": [[1.0] * DIM, [2.0] * DIM], "labels": [1, 0]}
        assert client.post("/api/nearest", json=body).status_code == 200
    ((latents, labels),) = batches
    assert latents.tolist() == [[1.0] * DIM]
    assert labels.tolist() == [1]


def test_a_run_finds_the_nearest_among_its_own_training_images(toy_run):
    dataset = load_training_images(toy_run.config.data, 16, 1)
    answer = final_answer(NearestImages(toy_run), dataset.images[7])
    assert answer["numbers"][0] == 7
    assert "40" in answer["message"]


def test_a_run_on_a_generated_dataset_finds_the_nearest_in_that_dataset(tmp_path):
    fashion_gan.make_dataset(tmp_path / "synth", per_class=2)
    dataset = load_training_images(tmp_path / "synth", 28, 1)
    assert dataset.class_names == fashion_gan.CLASS_NAMES
    run = untrained_run(tmp_path / "runs", dataset.fingerprint, data=str(tmp_path / "synth"))
    answer = final_answer(NearestImages(run), dataset.images[7])
    assert answer["numbers"][0] == 7
    assert "of 20" in answer["message"]


def test_a_run_whose_data_folder_has_changed_is_reported(tmp_path, toy_folder):
    run = untrained_run(tmp_path, "of other images", data=str(toy_folder), image_size=16)
    answer = final_answer(NearestImages(run), np.zeros((16, 16, 1), np.uint8))
    assert "does not hold the images that this run was trained on" in answer["message"]


@pytest.mark.parametrize("shape", [(16, 16, 1), (28, 28, 3), (64, 64, 3)])
def test_clothes_of_other_sizes_and_in_color_find_their_training_image(tmp_path, shape):
    train = fashion_gan.load_fashion_mnist("train")
    run = untrained_run(tmp_path, train.fingerprint, image_size=shape[0], channels=shape[2])
    gray = Image.fromarray(train.images[1234, ..., 0]).resize(shape[:2], Image.Resampling.BILINEAR)
    answer = final_answer(NearestImages(run), np.asarray(gray)[..., np.newaxis].repeat(shape[2], axis=2))
    assert answer["numbers"][0] == 1234
    assert len(base64.b64decode(answer["pixels"])) == 6 * np.prod(shape)


def test_a_failed_comparison_is_reported_and_is_not_a_server_error(toy_run, monkeypatch):
    monkeypatch.setattr(nearest_images, "_match_shape", lambda *arguments: 1 / 0)
    answer = final_answer(NearestImages(toy_run), np.zeros((16, 16, 1), np.uint8))
    assert "cannot be compared with this picture: division by zero" in answer["message"]
    assert not answer["again"]


def test_a_folder_with_a_shipped_models_name_does_not_hide_the_model(tmp_path, monkeypatch):
    (tmp_path / "fashion").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_server.uvicorn.Server, "run", lambda self, sockets: None)
    assert main(["explore", "--port", "0"]) == 0


def test_a_run_shows_its_film_its_curves_and_its_metrics_and_no_other_files(toy_run, tmp_path):
    run = Run.open(shutil.copytree(toy_run.path, tmp_path / "run"))
    run.append_metrics({"step": 5, "ffd5k_validation": 1.25, "name": "<b>"})
    application = make_app("run", fashion_gan.load_generator(run.path), run)
    with testclient.TestClient(application, base_url=ADDRESS) as client:
        page = client.get("/").text
        assert "<td>1.250</td>" in page
        assert 'src="run/film"' in page
        assert client.get("/run/film").content == run.film_path.read_bytes()
        assert client.get("/run/curve").headers["content-type"] == "image/png"
        for name in ("report", "config.json", "checkpoints", "%2e%2e%2fconfig.json"):
            assert client.get(f"/run/{name}").status_code == 404


def test_a_runs_files_get_no_rights_on_the_page(toy_run, tmp_path):
    """A run can come from anybody, and its report is a page."""
    run = Run.open(shutil.copytree(toy_run.path, tmp_path / "run"))
    run.report_path.parent.mkdir()
    run.report_path.write_text("<script>fetch('/api/about')</script>")
    with testclient.TestClient(make_app("run", GENERATOR, run), base_url=ADDRESS) as client:
        for name in ("report", "film", "curve"):
            policies = client.get(f"/run/{name}").headers.get_list("content-security-policy")
            assert len(policies) == 1
            assert "sandbox" in policies[0].split("; ")
            assert "default-src 'none'" in policies[0]
            assert "script-src" not in policies[0]
        assert "sandbox" not in client.get("/").headers["content-security-policy"]


@pytest.mark.parametrize("text", [None, '{"step": 1' + "0" * 400 + "}", '{"\\ud800": 1}', '{"a": true}\n[1]\n\x00'])
def test_a_run_with_unreadable_metrics_is_shown_without_them(tmp_path, text):
    run = untrained_run(tmp_path, "of images")
    path = run.metrics_path
    path.mkdir() if text is None else path.write_text(text)
    with testclient.TestClient(make_app("run", GENERATOR, run), base_url=ADDRESS) as client:
        assert client.get("/").status_code == 200


def test_a_link_that_leads_outside_the_run_is_not_followed(toy_run, tmp_path):
    for name in ("config.json", "environment.json"):
        (tmp_path / name).write_bytes((toy_run.path / name).read_bytes())
    (tmp_path / "training.gif").symlink_to(toy_run.film_path)
    with testclient.TestClient(make_app("run", GENERATOR, Run.open(tmp_path)), base_url=ADDRESS) as client:
        assert client.get("/run/film").status_code == 404
        assert "run/film" not in client.get("/").text


def test_a_port_in_use_is_reported_in_one_line(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert main(["explore", "--port", str(other.getsockname()[1])]) == 2
    message = capsys.readouterr().err
    assert "name another port" in message
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "words"), [(["--port", "70000"], "70000"), (["--port", "0", "--model", "absent"], "absent")]
)
def test_invalid_options_of_explore_are_reported_in_one_line(capsys, flags, words):
    assert main(["explore", *flags]) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1


def test_ctrl_c_stops_the_server_cleanly_once_it_has_printed_its_address(capfd):
    handlers = []

    def on_ready(url):
        handlers.append(signal.getsignal(signal.SIGINT))
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_server.explore("fashion", 0, open_browser=False, on_ready=on_ready)
    assert handlers[0] is not signal.default_int_handler
    assert capfd.readouterr().err == ""
