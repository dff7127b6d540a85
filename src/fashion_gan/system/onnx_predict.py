"""A network that ONNX Runtime computes, as a function that can be pickled and that survives a fork."""

import os
from typing import Any

from fashion_gan.arrays import Array, Inputs
from fashion_gan.system import onnx_guard


class OnnxPredict:
    """A function that computes a network with ONNX Runtime, on one core. It can be pickled, and copied by ``fork``.

    Args:
        content: the bytes of the ``.onnx`` file.
        seconds_per_image: the time limit of a call grows by this for each image.
        names: the names of the inputs, in the order in which a call takes them.
    """

    def __init__(self, content: bytes, seconds_per_image: float, names: tuple[str, ...]) -> None:
        self.content, self.names = content, names
        self.guard = onnx_guard.Guard(seconds_per_image)
        self._open()

    def __call__(self, inputs: Inputs) -> Array:
        """Compute the first output."""
        return self.outputs(inputs)[0]

    def outputs(self, inputs: Inputs) -> list[Array]:
        """Compute all outputs."""
        values = inputs if isinstance(inputs, list) else [inputs]
        return self.guard.run(self.session, dict(zip(self.names, values, strict=False)))

    @property
    def session(self) -> Any:
        """The open network. A forked process opens its own: threads and locks of a session do not survive a fork."""
        if self._process != os.getpid():
            _SESSIONS_OF_PARENTS.append(self._session)
            self._open()
        return self._session

    def _open(self) -> None:
        # One core per call: the threads compute different images. Splitting the layers of one image is slower.
        self._session = onnx_guard.open_session(self.content, onnx_guard.session_options())
        self._process = os.getpid()

    def __reduce__(self) -> tuple[type["OnnxPredict"], tuple[bytes, float, tuple[str, ...]]]:
        # The session is opened again, not copied.
        return OnnxPredict, (self.content, self.guard.seconds_per_image, self.names)


_SESSIONS_OF_PARENTS: list[Any] = []
"""Sessions that a forked process got from its parent. Closing one could wait for a thread that it does not have."""
