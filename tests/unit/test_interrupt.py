"""Ctrl-C and SIGTERM during training, and the handlers that are left afterwards."""

import ctypes
import signal
import threading

import pytest

from fashion_gan.training.interrupt import stop_after_current_step

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def native_handler():
    """The address of a C handler of SIGTERM, which a host program has installed without telling Python."""
    libc = ctypes.CDLL(None)
    libc.signal.restype = ctypes.c_void_p
    libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    handler = ctypes.cast(libc.abs, ctypes.c_void_p).value
    before = libc.signal(signal.SIGTERM, handler)
    yield handler
    libc.signal(signal.SIGTERM, before)


def address_of_handler(number):
    libc = ctypes.CDLL(None)
    action = (ctypes.c_void_p * 64)()
    libc.sigaction(int(number), None, action)
    return action[0]  # The first field of struct sigaction on Linux and macOS.


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_becomes_a_stop_request_and_the_handlers_are_restored(number):
    before = [signal.getsignal(number) for number in SIGNALS]
    with stop_after_current_step() as request:
        assert not request.is_set()
        signal.raise_signal(number)
        assert request.is_set()
        assert [signal.getsignal(number) for number in SIGNALS] == before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_handler_that_a_host_program_installed_in_c_is_restored(native_handler, monkeypatch):
    monkeypatch.setattr(signal, "getsignal", lambda number: None)  # So it is inside R, MATLAB and Julia.
    with stop_after_current_step() as request:
        assert address_of_handler(signal.SIGTERM) != native_handler
        signal.raise_signal(signal.SIGTERM)
    assert request.is_set()
    assert address_of_handler(signal.SIGTERM) == native_handler
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_thread_that_trains_leaves_the_handlers_alone():
    before = [signal.getsignal(number) for number in SIGNALS]
    during = []

    def train():
        with stop_after_current_step():
            during.append([signal.getsignal(number) for number in SIGNALS])

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert during == [before]
