"""What ``fashion-gan explore`` does: a model and a port -> a page that answers until it is stopped."""

import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from fashion_gan import launch
from fashion_gan.errors import InputError
from fashion_gan.explorer.server import make_app
from fashion_gan.runs import Run

ADDRESS = "127.0.0.1"
WAITING_CONNECTIONS = 512


def explore(model: str, port: int, *, open_browser: bool, say: Callable[[str], None]) -> None:
    """Serve the page until the process is interrupted.

    Args:
        model: what ``load_generator`` takes.
        port: on 127.0.0.1; 0 takes one that is free.
        open_browser: show the page in the user's browser.
        say: gets the page's address.

    Raises:
        InputError: the port cannot be had, or the model not be read.
    """
    with _listen(port) as listener:
        run = Run.open(model) if Path(model).is_dir() else None
        app = make_app(Path(model).resolve().name, launch.load_generator(model), run)
        url = f"http://{ADDRESS}:{listener.getsockname()[1]}/"
        say(url)
        if open_browser:
            webbrowser.open(url)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
        listener.listen(WAITING_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise InputError(f"port={port} cannot be had ({error.strerror}): name another --port, or 0 for any") from error
    return listener
