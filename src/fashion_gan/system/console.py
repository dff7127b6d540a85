"""Text for the user on standard output and standard error. If it cannot be written, it is dropped, and work goes on."""

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO, cast

from fashion_gan.errors import readable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# The reader is gone: a pipe to `head`, a closed terminal, a closed descriptor. Nothing is lost that somebody reads.
READER_GONE = (errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO)


class SafeStream(io.TextIOBase):
    """A text stream that drops what cannot be written, instead of raising an error.

    It also works if the host process has no such stream (None) or one that has only a method ``write``. Characters that
    the stream cannot encode are written as escapes.

    Args:
        stream: the stream to write to.

    Attributes:
        error: the last error of the operating system. None if there was none.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        """Write a text, or as much of it as can be written."""
        if self.stream is None:
            return len(text)
        try:
            try:
                self.stream.write(text)
            except UnicodeEncodeError:
                encoding = self.encoding
                self.stream.write(readable(text).encode(encoding, "backslashreplace").decode(encoding))
        except OSError as error:
            self.error = error
        except ValueError:  # The host has closed the stream.
            self.stream = None
        return len(text)

    def flush(self) -> None:
        """Write out what is buffered, as much as possible."""
        flush = getattr(self.stream, "flush", None)
        try:
            if flush is not None:
                flush()
        except OSError as error:
            self.error = error
        except ValueError:  # The host has closed the stream.
            self.stream = None

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        try:
            return self.stream is not None and self.stream.isatty()
        except (AttributeError, ValueError):  # It has no such method, or is closed.
            return False

    def fileno(self) -> int:
        """The stream's descriptor. Raises OSError (``io.UnsupportedOperation``) if it has none."""
        if not hasattr(self.stream, "fileno"):
            return super().fileno()
        return cast(TextIO, self.stream).fileno()

    def writable(self) -> bool:
        """Whether text can be written: always, because this stream takes any text."""
        return True

    def close(self) -> None:
        """Leave the stream open: it belongs to the process."""

    @property
    def buffer(self) -> io.RawIOBase:
        """A stream of bytes, which are UTF-8. Click writes the shell's completions to it."""
        return _Utf8Stream(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]  # TextIOBase has a plain attribute.
        """The stream's encoding; UTF-8 if it names none."""
        return getattr(self.stream, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """How characters that the stream cannot encode are written."""
        return "backslashreplace"

    def __eq__(self, other: object) -> bool:  # tqdm compares the streams of its bars.
        return self is other or (other is not None and self.stream is other)

    def __hash__(self) -> int:
        return id(self.stream)


class _Utf8Stream(io.RawIOBase):
    """The stream of bytes of a text stream."""

    def __init__(self, text_stream: SafeStream) -> None:
        self._text_stream = text_stream

    def write(self, data: "ReadableBuffer") -> int:
        """Write text that is encoded in UTF-8."""
        self._text_stream.write(bytes(data).decode("utf-8", "backslashreplace"))
        return len(bytes(data))

    def flush(self) -> None:
        """Write out what is buffered."""
        self._text_stream.flush()

    def writable(self) -> bool:
        """Whether bytes can be written: always."""
        return True


def output() -> TextIO:
    """Standard output, without errors."""
    return _safe(sys.stdout)


def error_output() -> TextIO:
    """Standard error, without errors."""
    return _safe(sys.stderr)


def can_redraw(stream: TextIO) -> bool:
    """Whether a progress bar can be drawn again and again: in a terminal, or in the cell of a notebook."""
    inner = stream.stream if isinstance(stream, SafeStream) else stream
    return stream.isatty() or type(inner).__module__.startswith("ipykernel.")


def _safe(stream: TextIO | None) -> TextIO:
    return cast(TextIO, stream if isinstance(stream, SafeStream) else SafeStream(stream))


# ---- The streams of a process that belongs to the command ----


def set_up_streams() -> None:
    """Make the process's standard streams safe, see ``SafeStream``.

    If a standard descriptor is closed, as after ``2>&-``, it is opened on the null device. Otherwise the next file that
    is opened would get its number, and would receive the text that native code writes to standard error.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # It gets the lowest free number, which is this one.
    sys.stdout, sys.stderr = output(), error_output()


def finish_streams() -> OSError | None:
    """Write out standard output at the end of a command.

    Returns:
        The error, for example of a full disk, if text was lost. None if nothing was lost, or if the reader is gone.
    """
    output().flush()
    lost = None
    for stream in (sys.stdout, sys.stderr):
        error = getattr(stream, "error", None)
        if error is None:
            continue
        # Python writes out its buffers once more when it exits, and would report the error.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        if stream is sys.stdout and error.errno not in READER_GONE:
            lost = error
    return lost
