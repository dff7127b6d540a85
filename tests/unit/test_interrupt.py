"""Signals that end a training after the current step, and the handlers that are left afterwards."""

import ctypes
import signal
import threading

import pytest

from fashion_gan.training.interrupt import stop_after_current_step

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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


@pytest.fixture(autouse=True)
def handlers():
    """Give the tests' process its signal handlers back."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_a_request_and_all_handlers_come_back(number):
    with stop_after_current_step() as stop:
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
    assert signal.getsignal(number) is signal.default_int_handler


def test_a_second_ctrl_c_acts_at_once():
    with stop_after_current_step():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_closed_terminal_may_send_several_signals():
    with stop_after_current_step() as stop:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGHUP)
    assert stop.is_set()


@pytest.mark.parametrize("number", SIGNALS)
def test_an_ignored_signal_stays_ignored(number):
    signal.signal(number, signal.SIG_IGN)
    with stop_after_current_step() as stop:
        signal.raise_signal(number)
    assert not stop.is_set()
    assert signal.getsignal(number) is signal.SIG_IGN


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
