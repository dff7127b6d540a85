"""What ``fashion-gan explore`` does: a model and a port -> a page that answers until it is stopped."""

import asyncio
import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from fashion_gan import launch, origins
from fashion_gan.errors import InputError
from fashion_gan.explorer.server import make_app
from fashion_gan.runs import Run

ADDRESS = "127.0.0.1"
WAITING_CONNECTIONS = 512
# That a connection is kept without a request: longer than clients keep one (5 is common, and uvicorn's own), so that a
# request does not cross with the server's hanging up.
IDLE_SECONDS = 30
LAST_SECONDS = 1  # that clients have to send and take what is under way, once the server is stopped


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
        app = _app_of(model)
        url = f"http://{ADDRESS}:{listener.getsockname()[1]}/"

        def tell() -> None:
            say(url)
            if open_browser:  # Beside the server, for some browsers are waited for.
                threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

        _Server(app, tell).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Says when it has started: from then on Ctrl-C ends it in good order."""

    def __init__(self, app: Starlette, tell: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_keep_alive=IDLE_SECONDS)
        )
        self._tell = tell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn's own time limit would end in a traceback; one hangs up quietly, and what was asked for is given up.
        asyncio.get_running_loop().call_later(LAST_SECONDS, self._hang_up)
        await super().shutdown(sockets)

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _app_of(model: str) -> Starlette:
    shipped = origins.is_shipped(model)  # Asked first, as by load_generator: a folder may be called the same.
    run = Run.open(model) if not shipped and Path(model).is_dir() else None
    name = model if shipped else Path(model).resolve().name
    return make_app(name, launch.load_generator(model), run, shipped=shipped)


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
