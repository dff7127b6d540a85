"""End training cleanly on a signal: after the current step (or group of up to ten), with a checkpoint."""

import contextlib
import ctypes
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

import keras

from fashion_gan.arrays import JsonObject

SIGACTION_BYTES = 1024  # more than any system's struct sigaction has
# Python's own handlers, for a signal whose handler was installed by a host program in C.
PYTHON_HANDLERS = {signal.SIGINT: signal.default_int_handler}
HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none.
STOP_SIGNALS = [number for number in (signal.SIGINT, signal.SIGTERM, HANGUP) if number is not None]


class StopRequest(keras.callbacks.Callback):
    """Ends ``fit`` after the current step once it is set."""

    def __init__(self) -> None:
        super().__init__()
        self._event = threading.Event()
        self.set, self.is_set = self._event.set, self._event.is_set

    def on_train_batch_end(self, batch: int, logs: JsonObject | None = None) -> None:
        if self.is_set():
            self.model.stop_training = True


@contextlib.contextmanager
def stop_after_current_step() -> Iterator[StopRequest]:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP into a stop request.

    A second Ctrl-C or SIGTERM acts at once, as it would outside the block: the first of the two restores their previous
    handlers. More SIGHUPs change nothing, because a closed terminal sends several. When the block ends, all previous
    handlers are restored. So are those that a host program such as R, MATLAB or Julia installed in C.

    A signal that the process ignores stays ignored: nohup ignores SIGHUP, and a script's background jobs ignore SIGINT.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():  # Python lets only the main thread handle signals.
        yield request
        return
    handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    previous = {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}
    actions = {number: _native_action(number) for number in previous}

    def restore(*, hangup: bool) -> None:
        for number, handler in previous.items():
            if number == HANGUP and not hangup:
                continue
            # getsignal returns None for a handler that was not installed from Python, and signal does not take None.
            signal.signal(number, PYTHON_HANDLERS.get(number, signal.SIG_DFL) if handler is None else handler)
            _set_native_action(number, actions[number])

    def handle(number: int, frame: FrameType | None) -> None:
        request.set()
        if number != HANGUP:
            restore(hangup=False)

    for number in previous:
        signal.signal(number, handle)
    try:
        yield request
    finally:
        restore(hangup=True)


def _native_action(number: int) -> ctypes.Array[ctypes.c_char] | None:
    """How the operating system handles a signal, which Python does not know in full. None on Windows."""
    if sys.platform == "win32":
        return None
    action = ctypes.create_string_buffer(SIGACTION_BYTES)
    ctypes.CDLL(None).sigaction(int(number), None, action)
    return action


def _set_native_action(number: int, action: ctypes.Array[ctypes.c_char] | None) -> None:
    if action is not None:
        ctypes.CDLL(None).sigaction(int(number), action, None)
