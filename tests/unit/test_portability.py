"""What differs between Linux, Windows and macOS."""

import ast
import errno
import signal
import socket
import sys
from pathlib import Path

import pytest

from fashion_gan.explorer import run_server

PACKAGE = Path(__file__).parents[2] / "src" / "fashion_gan"


def text_files_without_encoding(code: str) -> list[int]:
    """The lines that read or write a text file in the encoding of the user's system."""
    lines = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call) or any(keyword.arg == "encoding" for keyword in node.keywords):
            continue
        if (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in ("read_text", "write_text")
            and len(node.args) < 2
        ):
            if not ast.unparse(node.func).startswith("importlib.metadata"):
                lines.append(node.lineno)
        elif isinstance(node.func, ast.Name) and node.func.id == "open":
            modes = [argument.value for argument in node.args[1:2] if isinstance(argument, ast.Constant)]
            if not any("b" in mode for mode in modes):
                lines.append(node.lineno)
    return lines


def test_text_files_are_utf_8_on_every_system():
    found = {path.name: text_files_without_encoding(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("path.read_text()\npath.write_text(text)", [1, 2]),
        ('open(path)\nopen(path, "a", newline="")', [1, 2]),
        ('path.read_text(encoding="utf-8")\nopen(path, "rb")\nopen(path, "w", encoding="utf-8")', []),
    ],
)
def test_the_encodings_test_sees_missing_ones(code, lines):
    assert text_files_without_encoding(code) == lines


def test_on_windows_two_servers_do_not_share_a_port(monkeypatch):
    """SO_REUSEADDR lets them there. On Linux it only allows a port that was just closed."""
    options = []
    monkeypatch.setattr(socket.socket, "setsockopt", lambda self, *option: options.append(option), raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    run_server.listen(0).close()
    assert options == []


def test_a_stop_signal_that_a_system_does_not_have_is_left_out():
    from fashion_gan.cli import STOP_SIGNALS

    assert signal.SIGTERM in STOP_SIGNALS
    assert all(isinstance(number, signal.Signals) for number in STOP_SIGNALS)


def test_errors_of_full_disks_have_numbers_on_this_system():
    from fashion_gan.system.atomic_files import STORAGE_ERRORS

    assert errno.ENOSPC in STORAGE_ERRORS
