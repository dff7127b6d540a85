"""Latency of the explorer's answers on one kept connection, with and without Nagle's algorithm.

python benchmarks/kept_connection.py               # 100 answers of each kind

With Nagle's algorithm, as in fashion-gan 0.1.0, the second part of each answer waits until the client has acknowledged
the first part. Clients delay that by 40 ms.
"""

import contextlib
import http.client
import socket
import threading
import time

import click
import numpy as np

from fashion_gan.explorer import run_server
from fashion_gan.explorer.app import make_app
from fashion_gan.generator import Generator

REQUESTS = {"GET /api/about": None, "POST /api/draw": '{"count": 16}'}


@click.command()
@click.option("--answers", default=100, show_default=True, help="Answers of each kind.")
def main(answers):
    app = make_app("fashion", Generator.from_pretrained("fashion"))
    with served(app, listener_with_nagle()) as before, served(app, run_server.listen(0)) as after:
        for request, body in REQUESTS.items():
            for name, port in (("with Nagle's algorithm", before), ("without", after)):
                print(f"{request}, {name}: median {np.median(latencies(port, request, body, answers)):.1f} ms")


def listener_with_nagle():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind((run_server.ADDRESS, 0))
    listener.listen()
    return listener


@contextlib.contextmanager
def served(app, listener):
    """Serve an application in a thread. Gives its port."""
    ready = threading.Event()
    with listener:
        server = run_server.Server(app, ready.set)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        ready.wait()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def latencies(port, request, body, answers):
    """Milliseconds of each answer. The first one, which opens the connection, is left out."""
    method, path = request.split()
    client = http.client.HTTPConnection(run_server.ADDRESS, port)
    times = []
    for _ in range(answers + 1):
        started = time.perf_counter()
        client.request(method, path, body, {"content-type": "application/json"})
        client.getresponse().read()
        times.append(1000 * (time.perf_counter() - started))
    client.close()
    return times[1:]


if __name__ == "__main__":
    main()
