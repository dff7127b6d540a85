"""Text for the user never ends a computation: streams may be missing, closed, full, or unable to encode it."""

import errno
import io
import os
import sys
import tempfile
from pathlib import Path

import click
import pytest
from processes import run_python

from fashion_gan import cli
from fashion_gan.errors import readable
from fashion_gan.system import console
from fashion_gan.system.backends import suppressed_stderr, temporary_files_in
from fashion_gan.system.progress import notice


class Failing(io.StringIO):
    """A stream whose writes fail with an error of the operating system."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def write(self, text):
        raise OSError(self.number, os.strerror(self.number))

    def flush(self):
        self.write("")


class OnlyWrite:
    """A stream as a window shows it: it has no method but ``write``."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [None, closed(), Failing(errno.EPIPE), Failing(errno.EIO), Failing(errno.ENOSPC)])
def test_text_that_cannot_be_written_is_dropped(monkeypatch, stream):
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    print("text", file=console.output(), flush=True)
    notice("text")
    assert not console.output().isatty()


def test_a_bar_can_be_drawn_in_a_notebook_but_not_in_a_file(monkeypatch):
    in_notebook = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
    for stream, expected in ((in_notebook(), True), (io.StringIO(), False), (None, False)):
        monkeypatch.setattr(sys, "stderr", stream)
        assert console.can_redraw(console.error_output()) is expected


def test_a_stream_that_can_only_write_gets_the_text(monkeypatch):
    stream = OnlyWrite()
    monkeypatch.setattr(sys, "stderr", stream)
    notice("the first line\nand the second")
    assert stream.text == "fashion-gan: the first line and the second\n"


@pytest.mark.parametrize(("encoding", "written"), [("utf-8", b"caf\\xe9 \xc3\x97"), ("ascii", b"caf\\xe9 \\xd7")])
def test_characters_that_the_stream_cannot_encode_become_escapes(encoding, written):
    content = io.BytesIO()
    stream = console.SafeStream(io.TextIOWrapper(content, encoding))
    print(os.fsdecode(b"caf\xe9") + " ×", file=stream, end="", flush=True)
    assert content.getvalue() == written


def test_text_is_readable_if_utf_8_encodes_it():
    assert readable("Überwurf") == "Überwurf"
    assert readable(os.fsdecode(b"caf\xe9.png")) == "caf\\xe9.png"
    assert readable("\ud800").encode() == b"\\ud800"


@pytest.mark.parametrize(
    ("number", "status", "lines"), [(errno.EPIPE, 0, ""), (errno.EIO, 0, ""), (errno.ENOSPC, 1, "No space left")]
)
def test_only_output_that_somebody_may_want_changes_the_status(monkeypatch, capsys, tmp_path, number, status, lines):
    with open(tmp_path / "descriptor", "w") as file:
        stream = Failing(number)
        stream.fileno = file.fileno
        monkeypatch.setattr(cli, "_set_up_process", lambda: None)
        monkeypatch.setattr(sys, "stdout", console.SafeStream(stream))
        monkeypatch.setattr(sys, "argv", ["fashion-gan", "--version"])
        assert cli.main() == status
    errors = capsys.readouterr().err
    assert lines in errors
    assert errors.count("\n") == bool(lines)


def test_a_closed_standard_error_does_not_give_its_number_to_a_file():
    code = """
import os
os.close(2)
from fashion_gan.system import console
from fashion_gan.system.progress import notice
console.set_up_streams()
print(open("/proc/self/cmdline" if os.path.exists("/proc/self/cmdline") else os.devnull).fileno() > 2)
"""
    assert run_python(code) == "True\n"


def test_temporary_files_go_to_the_only_writable_folder(monkeypatch, tmp_path):
    def find_no_folder():
        if tempfile.tempdir is None:
            raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")
        return tempfile.tempdir

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "gettempdir", find_no_folder)
    with temporary_files_in(tmp_path / "runs"), tempfile.NamedTemporaryFile() as file:
        assert Path(file.name).parent == tmp_path / "runs"
    assert tempfile.tempdir is None
    with suppressed_stderr():  # It needs no folder.
        pass


def test_bytes_are_written_as_text():
    text = io.StringIO()
    stream = console.SafeStream(text)
    click.echo("Jäckchen".encode(), file=stream)
    assert text.getvalue() == "Jäckchen\n"
