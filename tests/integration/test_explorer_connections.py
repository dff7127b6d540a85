"""The explorer's connections: kept ones answer at once, and those that wait too long for their client are closed."""

import contextlib
import http.client
import socket
import threading
import time

import numpy as np
import pytest
from starlette.responses import Response

from fashion_gan.explorer import connections, run_server
from fashion_gan.explorer.app import make_app
from fashion_gan.generator import Generator

GENERATOR = Generator(lambda latents: np.tanh(latents[:, :3]).reshape(-1, 1, 3, 1), 4)
HEAD = b"GET /api/about HTTP/1.1\r\nHost: localhost\r\n"


@contextlib.contextmanager
def served(app):
    """Serve an application in a thread. Gives its port."""
    ready = threading.Event()
    with run_server.listen(0) as listener:
        server = run_server.Server(app, ready.set)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        assert ready.wait(10)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def port():
    with served(make_app("toy", GENERATOR)) as port:
        yield port


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(connections, "WAITING_SECONDS", 0.3)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def seconds_until_closed(connection: socket.socket) -> float:
    """Read until the server closes the connection."""
    started = time.monotonic()
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(65536):
            pass
    return time.monotonic() - started


def test_ten_answers_on_a_kept_connection_take_under_100_ms(port):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path, body in (("/api/about", None), ("/api/draw", "{}")):
        started = time.perf_counter()
        for _ in range(10):
            client.request("POST" if body else "GET", path, body, {"content-type": "application/json"})
            answer = client.getresponse()
            assert answer.status == 200
            answer.read()
            kept = client.sock
        assert time.perf_counter() - started < 0.1
        assert kept is client.sock is not None
    client.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        HEAD,
        b"POST /api/draw HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 1000,
        HEAD + b"\r\nG",
        HEAD + b"Content-Length: 9\r\n\r\n{",
    ],
    ids=["nothing", "one byte", "half a head", "an endless header", "half a second request", "half a body"],
)
@pytest.mark.usefixtures("impatient")
def test_a_connection_that_sends_no_more_is_closed(port, sent):
    with connect(port) as connection:
        connection.sendall(sent)
        assert 0.2 < seconds_until_closed(connection) < 5


@pytest.mark.usefixtures("impatient")
def test_a_head_that_arrives_byte_by_byte_is_cut_off(port):
    def send_slowly(connection):
        for _ in range(100):
            connection.sendall(b"G")
            time.sleep(0.05)

    with connect(port) as connection, pytest.raises(ConnectionError):
        send_slowly(connection)


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_nobody_reads_is_dropped():
    async def app(scope, receive, send):
        await Response(b"x" * 50_000_000)(scope, receive, send)

    with served(app) as port, connect(port) as connection:
        connection.sendall(HEAD + b"\r\n")
        time.sleep(3)  # Ten times as long as the server waits, for a busy machine.
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(1_000_000):
                received += len(part)
        assert 0 < received < 50_000_000


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_takes_long_is_not_cut_off():
    def slow(latents):
        time.sleep(0.6)
        return GENERATOR.predict(latents)

    with served(make_app("slow", Generator(slow, 4))) as port:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        client.request("POST", "/api/draw", "{}", {"content-type": "application/json"})
        assert client.getresponse().status == 200
        client.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n", b"200"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"400"),
    ],
    ids=["a WebSocket", "TLS"],
)
def test_other_protocols_are_answered_quietly(port, capfd, sent, status):
    with connect(port) as connection:
        connection.sendall(sent)
        assert connection.recv(65536).split()[1] == status
    assert capfd.readouterr().err == ""


def test_a_flood_of_half_open_connections_does_not_shut_out_a_new_one(port, monkeypatch):
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 20)
    with contextlib.ExitStack() as stack:
        flood = [stack.enter_context(connect(port)) for _ in range(60)]
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        client.request("GET", "/api/about")
        assert client.getresponse().status == 200
        assert seconds_until_closed(flood[0]) < 5
        flood[-1].settimeout(0.1)
        with pytest.raises(TimeoutError):
            flood[-1].recv(1)
        client.close()
