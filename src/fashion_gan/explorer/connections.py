"""The server's connections: their number and their waiting times are limited."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 512
# The server closes a connection that waits for its client this long. It is longer than clients keep an idle connection
# (5 seconds is common, and uvicorn's default), so that a new request does not meet a connection that is being closed.
WAITING_SECONDS = 30.0


class LimitedConnection(H11Protocol):
    """An HTTP connection that waits for its client only for a limited time.

    uvicorn limits only the time between an answer and the first byte of the next request. Here a client has 30 seconds
    for its first request, for the whole head of each request, and for reading an answer.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._start_timer()
        if len(self.connections) > MAX_CONNECTIONS:
            self._close_longest_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering():
            self._stop_timer()

    def on_response_complete(self) -> None:
        self._start_timer()  # First: with pipelining, uvicorn starts the next answer in this call.
        super().on_response_complete()
        if self._is_answering():
            self._stop_timer()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_timer()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._is_answering():
            self._stop_timer()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _start_timer(self) -> None:
        self._stop_timer()
        # Not close(), which waits until the client has read everything.
        self._timer = self.loop.call_later(WAITING_SECONDS, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close_longest_waiting(self) -> None:
        """Make room for a new connection. The new one waits too, so there is always one to close."""
        waiting = [
            (connection._timer.when(), connection)
            for connection in self.connections
            if isinstance(connection, LimitedConnection) and connection._timer is not None
        ]
        _, oldest = min(waiting, key=lambda pair: pair[0])
        oldest._stop_timer()  # It is not chosen again before it is gone.
        oldest.transport.abort()
