"""The connections between the processes of one training: they meet at one address, and notice if one of them dies.

Process 0 listens at the address. Each other process has a control connection to it, on which both send a sign of life
every few seconds. JAX's own coordination service shares the address, behind a relay in each process: JAX aborts a
process, with a stack trace, as soon as its connection to process 0 breaks. The relay keeps that connection, so that the
process can end with one line.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from fashion_gan.arrays import JsonObject
from fashion_gan.errors import InputError
from fashion_gan.version import __version__

ALIVE_EVERY_SECONDS = 5
SILENT_SECONDS = 40  # without a sign of life, after which a process counts as dead
RETRY_SECONDS = 0.5
HELLO_SECONDS = 10
MAX_LINE = 1 << 16  # bytes
LOOPBACK = "127.0.0.1"

End = Callable[[str], None]
"""Called once, from a thread, with the reason why the training cannot go on."""


def split_address(address: str) -> tuple[str, int]:
    """``"HOST:PORT"`` -> the host and the port. An IPv6 host may have brackets. Raises InputError for another text."""
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or not port.isascii() or not 0 < int(port) < 1 << 16:
        raise InputError(f"coordinator={address!r} must be HOST:PORT, such as node1:29500, or auto")
    return host, int(port)


class Reader(Protocol):
    """What lines are read from."""

    def readline(self, size: int, /) -> bytes: ...


class Peer:
    """A control connection: messages in both directions, one JSON object a line, and signs of life."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(SILENT_SECONDS)
        self._connection, self._reader = connection, connection.makefile("rb")
        self._lock = threading.Lock()
        self._is_closed = threading.Event()

    def send(self, **message: object) -> None:
        """Send a message. If the other side is gone, its reader notices."""
        with contextlib.suppress(OSError), self._lock:
            self._connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> JsonObject | None:
        """The next message. None if the other side has closed the connection, or is silent for too long."""
        while True:
            message = _read_message(self._reader)
            if message != {}:  # A sign of life is empty.
                return message

    def keep_alive(self) -> None:
        """Send signs of life from now on."""

        def send_often() -> None:
            while not self._is_closed.wait(ALIVE_EVERY_SECONDS):
                self.send()

        _start(send_often)

    def close(self) -> None:
        """Close the connection. A thread that waits for a message gets None."""
        self._is_closed.set()
        _close(self._connection)
        with contextlib.suppress(OSError):
            self._reader.close()  # Until then, the socket stays open.


def _read_message(reader: Reader) -> JsonObject | None:
    try:
        message = json.loads(reader.readline(MAX_LINE))
    except (OSError, ValueError):
        return None
    return message if isinstance(message, dict) else None


class Coordinator:
    """Process 0's side: it waits for the other processes, and tells all if one of them dies.

    Args:
        address: HOST:PORT, where it listens. Of a host that means this machine, such as localhost, only there.
        count: the number of processes.
        end: what this process does if another one dies.

    Raises:
        InputError: the port is in use.
    """

    def __init__(self, address: str, count: int, end: End) -> None:
        self.address, self.count, self._end = address, count, end
        self.jax_address = f"{LOOPBACK}:{_free_port()}"
        self._peers: dict[int, Peer] = {}
        self._changed = threading.Condition()
        self._listener = _listen(address)
        _start(_accept, self._listener, self._greet)

    def wait_for_all(self, seconds: float) -> None:
        """Wait until all processes have joined. Raises InputError if some have not after this time."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._peers) == self.count - 1, seconds):
                missing = [str(number) for number in range(1, self.count) if number not in self._peers]
                shown = ", ".join(missing[:10]) + ("…" if missing[10:] else "")
                reason = f"{len(missing)} of {self.count} processes have not joined within {seconds:g} seconds: {shown}"
                self.end_all(reason)
                raise InputError(f"coordinator={self.address}: {reason}")
        for number, peer in self._peers.items():
            peer.send(go=True)
            _start(self._watch, number, peer)

    def end_all(self, reason: str) -> None:
        """Tell all other processes to end, and wait until they have."""
        for peer in list(self._peers.values()):
            peer.send(end=reason)
        self.wait_until_left()

    def wait_until_left(self) -> None:
        """Wait until all other processes have closed their connections, at most a few seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._peers, HELLO_SECONDS)
        _close(self._listener)

    def _greet(self, connection: socket.socket) -> None:
        """Read the first line of a connection: what it is for."""
        connection.settimeout(HELLO_SECONDS)
        # Unbuffered: what follows the line belongs to JAX.
        hello = _read_message(connection.makefile("rb", buffering=0))
        if hello == {"for": "jax"}:
            relay(connection, self.jax_address)
        elif hello is None or hello.get("for") != "control":
            connection.close()
        else:
            self._admit(hello, Peer(connection))

    def _admit(self, hello: JsonObject, peer: Peer) -> None:
        number = hello.get("process")
        refusal = None
        if hello.get("version") != __version__:
            refusal = f"process 0 has fashion-gan {__version__}, and process {number} has {hello.get('version')}"
        elif not isinstance(number, int) or not 0 < number < self.count or hello.get("processes") != self.count:
            refusal = f"process 0 has processes={self.count}, and this is process {number} of {hello.get('processes')}"
        with self._changed:
            if refusal is None and number in self._peers:
                refusal = f"two processes have joined at {self.address} with process={number}"
            if refusal is None:
                self._peers[int(number)] = peer  # type: ignore[arg-type]  # It is a number.
                peer.keep_alive()
                self._changed.notify_all()
                return
        peer.send(refused=refusal)
        peer.close()

    def _watch(self, number: int, peer: Peer) -> None:
        """Wait for the end of a process. Unless it leaves in peace, all others end."""
        message = peer.receive()
        with self._changed:
            del self._peers[number]
            self._changed.notify_all()
        peer.close()
        if message is None:
            reason = f"process {number} of {self.count} has died or no longer answers"
        elif message.get("failed"):
            reason = f"process {number} of {self.count} has ended: {message['failed']}"
        else:
            return
        self.end_all(reason)
        self._end(reason)


class Member:
    """The side of every other process.

    Args:
        address: HOST:PORT of process 0.
        number: this process's.
        count: the number of processes.
        end: what this process does if another one dies.
        seconds: how long process 0 may take to answer, and then to find all processes.

    Raises:
        InputError: process 0 does not answer in this time, or refuses this process.
    """

    def __init__(self, address: str, number: int, count: int, end: End, seconds: float) -> None:
        self.address, self._end = address, end
        self._is_leaving = False
        connection = _connect(address, seconds)
        self._peer = Peer(connection)
        self._peer.send(**{"for": "control", "version": __version__, "process": number, "processes": count})
        connection.settimeout(seconds + SILENT_SECONDS)
        answer = self._peer.receive()
        connection.settimeout(SILENT_SECONDS)
        if answer is None or "go" not in answer:
            self._peer.close()
            reason = (answer or {}).get("refused") or (answer or {}).get("end") or "it has closed the connection"
            raise InputError(f"process 0 at coordinator={address} does not take this process: {reason}")
        self._peer.keep_alive()
        self.jax_address = self._start_relay()
        _start(self._watch)

    def leave(self, failed: str | None = None) -> None:
        """Tell process 0 that this process ends, with the reason if it is an error."""
        self._is_leaving = True
        self._peer.send(failed=failed)
        self._peer.close()
        _close(self._listener)

    def _watch(self) -> None:
        message = self._peer.receive()
        if self._is_leaving:
            return
        self._end(str(message["end"]) if message and "end" in message else "process 0 has died or no longer answers")

    def _start_relay(self) -> str:
        """Listen for JAX on this machine, and connect it with process 0. Return the address."""
        self._listener = socket.create_server((LOOPBACK, 0))
        _start(_accept, self._listener, lambda connection: relay(connection, self.address, b'{"for": "jax"}\n'))
        return f"{LOOPBACK}:{self._listener.getsockname()[1]}"


def relay(connection: socket.socket, address: str, first: bytes = b"") -> None:
    """Connect to an address, and pass all bytes on in both directions.

    If the far side ends, the near side stays open and silent: JAX would abort this process.
    """
    with connection, _connect(address, HELLO_SECONDS) as far:
        connection.settimeout(None)
        far.settimeout(None)
        far.sendall(first)
        _start(_pass_on, far, connection)
        _pass_on(connection, far)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)


def _connect(address: str, seconds: float) -> socket.socket:
    """Connect to an address, and try again until the time is over. Raises InputError then."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection = socket.create_connection(split_address(address), timeout=HELLO_SECONDS)
        except OSError as error:
            if time.monotonic() >= deadline:
                raise InputError(
                    f"coordinator={address} does not answer within {seconds:g} seconds ({error.strerror or error}): "
                    "start process 0 there, and let the others reach its port"
                ) from error
            time.sleep(RETRY_SECONDS)
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection


def _listen(address: str) -> socket.socket:
    """Listen at the port of an address: on this machine only, if the host means that, or else on all interfaces."""
    host, port = split_address(address)
    try:
        families = [item[4][0] for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError:  # The others know a name of this machine that it does not know itself.
        families = []
    is_local = bool(families) and all(str(name).startswith("127.") or name == "::1" for name in families)
    try:
        if is_local:
            return socket.create_server((host, port))
        if socket.has_dualstack_ipv6():
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server(("", port))
    except OSError as error:
        raise InputError(f"coordinator={address}: process 0 cannot listen there ({error.strerror})") from error


def _accept(listener: socket.socket, greet: Callable[[socket.socket], None]) -> None:
    """Start a thread for each connection, until the listener is closed."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        _start(greet, connection)


def _close(connection: socket.socket) -> None:
    """Close a socket. A thread that waits for it is woken up."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


def _start(function: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()
