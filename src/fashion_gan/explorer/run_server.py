"""Run the explorer's server on a port of this computer until it is interrupted."""

import asyncio
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from fashion_gan.api.load import load_generator
from fashion_gan.errors import InputError, check_whole_number
from fashion_gan.explorer.app import make_app
from fashion_gan.explorer.connections import WAITING_SECONDS, LimitedConnection
from fashion_gan.saving.origins import resolve
from fashion_gan.system.library_settings import default_settings

ADDRESS = "127.0.0.1"
MAX_PORT = 65_535
MAX_WAITING_CONNECTIONS = 512
SHUTDOWN_SECONDS = 1  # time for open requests to finish after the server is stopped


@default_settings()
def explore(model: str, port: int, *, open_browser: bool, on_ready: Callable[[str], None]) -> None:
    """Serve the page until the process is interrupted.

    Args:
        model: a shipped model's name, a run's folder or a model file, as ``load_generator`` takes it.
        port: port on 127.0.0.1; 0 picks a free one.
        open_browser: whether to open the page in the user's browser.
        on_ready: called with the page's address when the server is ready.

    Raises:
        InputError: the port is not available, or the model cannot be read.
    """
    with listen(port) as listener:
        app = _build_app(model)
        url = f"http://{ADDRESS}:{listener.getsockname()[1]}/"

        def announce() -> None:
            on_ready(url)
            if open_browser:  # In a thread: some browsers block the caller.
                threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

        Server(app, announce).run(sockets=[listener])


class Server(uvicorn.Server):
    """A server that calls ``announce`` when it has started. From then on, Ctrl-C stops it cleanly."""

    def __init__(self, app: Starlette, announce: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=LimitedConnection,
                ws="none",  # Otherwise an installed WebSocket library would take over connections.
                log_level="error",
                access_log=False,
                lifespan="off",
                timeout_keep_alive=int(WAITING_SECONDS),
            )
        )
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn's own time limit ends in a traceback. Closed connections end open requests silently.
        asyncio.get_running_loop().call_later(SHUTDOWN_SECONDS, self._close_connections)
        await super().shutdown(sockets)

    def _close_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _build_app(model: str) -> Starlette:
    source = resolve(model)
    shipped = source.kind == "shipped"
    name = model if shipped or source.kind == "hub" else source.path.resolve().name
    return make_app(name, load_generator(model), source.open_run(), shipped=shipped)


def listen(port: int) -> socket.socket:
    """Open a port of 127.0.0.1; 0 picks a free one. Raises InputError if it is out of range or not available."""
    port = check_whole_number("port", port, 0, MAX_PORT)
    # asyncio sends small answers at once (TCP_NODELAY) only if the socket names its protocol. Otherwise every answer on
    # a kept connection waits for the client's delayed acknowledgment, 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":  # On Windows it would let two servers share a port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
        listener.listen(MAX_WAITING_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise InputError(
            f"port={port} is not available ({error.strerror}): name another port (--port), or 0 for any free one"
        ) from error
    return listener
