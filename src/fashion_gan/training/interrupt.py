"""End training cleanly on Ctrl-C or SIGTERM: after the current step (or group of up to ten), with a checkpoint."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import keras

from fashion_gan.arrays import JsonObject


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
    """Turn the first Ctrl-C or SIGTERM into a stop request.

    A second signal acts at once, as it would outside the block. The previous signal handlers are restored after the
    first signal, or when the block ends.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():  # Python lets only the main thread handle signals.
        yield request
        return
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def handle(number: int, frame: FrameType | None) -> None:
        request.set()
        restore()

    for number in previous:
        signal.signal(number, handle)
    try:
        yield request
    finally:
        restore()
