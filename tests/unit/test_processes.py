"""The processes of one training find each other, and notice if one of them ends. No other process is started here."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fashion_gan.errors import InputError
from fashion_gan.system import coordinator
from fashion_gan.system.coordinator import Coordinator, Member, relay, split_address
from fashion_gan.system.processes import ALONE, DeviceOptions, _difference, joined


class Reason:
    """What a process is told when the training cannot go on."""

    def __init__(self):
        self.text, self._is_told = None, threading.Event()

    def __call__(self, text):
        self.text = text
        self._is_told.set()

    def wait(self):
        assert self._is_told.wait(5), "not told in five seconds"
        return self.text


def free_address():
    with socket.create_server(("localhost", 0)) as server:
        return f"localhost:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(coordinator, "HELLO_SECONDS", 0.5)  # Here no process ends when it is told to.


@pytest.fixture
def coordinate():
    """Return a function that starts a ``Coordinator``."""
    started = []

    def start(address, count, reason):
        started.append(Coordinator(address, count, reason))
        return started[-1]

    yield start
    for process in started:
        for peer in list(process._peers.values()):
            peer.close()
        process.wait_until_left()


@pytest.fixture
def three(coordinate):
    """Process 0, and processes 1 and 2, which have joined it; and what each is told."""
    address, reasons = free_address(), [Reason(), Reason(), Reason()]
    first = coordinate(address, 3, reasons[0])

    with ThreadPoolExecutor(2) as pool:
        joining = {number: pool.submit(Member, address, number, 3, reasons[number], 5) for number in (1, 2)}
        first.wait_for_all(5)
        members = {number: future.result() for number, future in joining.items()}
    yield first, members, reasons
    for member in members.values():
        member.leave()


def test_a_process_that_dies_is_named_in_all_others(three):
    _, members, reasons = three
    members[2]._is_leaving = True  # It is dead: nothing is told there.
    members[2]._peer.close()
    assert reasons[0].wait() == reasons[1].wait() == "process 2 of 3 has died or no longer answers"


def test_the_death_of_process_0_is_noticed_by_all_others(three, monkeypatch):
    first, _, reasons = three
    monkeypatch.setattr(first, "end_all", lambda reason: None)  # It is dead: it tells nobody.
    for peer in list(first._peers.values()):
        peer.close()
    assert reasons[1].wait() == reasons[2].wait() == "process 0 has died or no longer answers"


def test_a_silent_process_counts_as_dead(monkeypatch, coordinate):
    monkeypatch.setattr(coordinator, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(coordinator, "ALIVE_EVERY_SECONDS", 60)
    address, reason = free_address(), Reason()
    first = coordinate(address, 2, reason)
    with ThreadPoolExecutor(1) as pool:
        joining = pool.submit(Member, address, 1, 2, Reason(), 5)
        first.wait_for_all(5)
        member = joining.result()
    assert reason.wait() == "process 1 of 2 has died or no longer answers"
    member.leave()


def test_an_error_of_one_process_is_told_to_all_others(three):
    _, members, reasons = three
    members[1].leave(failed="the disk is full")
    assert reasons[0].wait() == reasons[2].wait() == "process 1 of 3 has ended: the disk is full"


def test_processes_that_leave_in_peace_end_nobody(three):
    first, members, reasons = three
    for member in members.values():
        member.leave()
    first.wait_until_left()
    assert [reason.text for reason in reasons] == [None, None, None]


def test_a_process_that_does_not_join_is_named(coordinate):
    address = free_address()
    with pytest.raises(InputError, match=f"coordinator={address}: 2 of 3 .* joined within 0.1 seconds: 1, 2"):
        coordinate(address, 3, Reason()).wait_for_all(0.1)


def test_a_coordinator_that_does_not_answer_is_named():
    address = free_address()
    with pytest.raises(InputError, match=f"coordinator={address} does not answer within 0.1 seconds"):
        Member(address, 1, 2, Reason(), 0.1)


@pytest.mark.parametrize(
    ("number", "count", "reason"),
    [
        (1, 3, "processes=2, and this is process 1 of 3"),
        (2, 2, "processes=2, and this is process 2 of 2"),
    ],
)
def test_a_process_of_another_group_is_refused(number, count, reason, coordinate):
    address = free_address()
    coordinate(address, 2, Reason())
    with pytest.raises(InputError, match=reason):
        Member(address, number, count, Reason(), 5)


def test_a_process_of_another_version_or_with_a_number_that_is_taken_is_refused(monkeypatch, coordinate):
    address = free_address()
    coordinate(address, 3, Reason())
    with socket.create_connection(split_address(address)) as other:
        peer = coordinator.Peer(other)
        hello = {"for": "control", "version": coordinator.__version__, "process": 1, "processes": 3}
        peer.send(**hello)
        monkeypatch.setattr(coordinator, "ALIVE_EVERY_SECONDS", 0.05)
        assert coordinator._read_message(peer._reader) in ({}, None)  # It has been admitted.
        with pytest.raises(InputError, match=r"two processes have joined .* with process=1"):
            Member(address, 1, 3, Reason(), 5)
    with socket.create_connection(split_address(address)) as other:
        peer = coordinator.Peer(other)
        peer.send(**{**hello, "process": 2, "version": "0.0.1"})
        assert "process 2 has 0.0.1" in peer.receive()["refused"]


def test_a_port_in_use_is_refused(coordinate):
    address = free_address()
    coordinate(address, 2, Reason())
    with pytest.raises(InputError, match=f"coordinator={address}: process 0 cannot listen there"):
        coordinate(address, 2, Reason())


def test_a_host_that_is_this_machine_is_not_reached_from_others():
    address = free_address()
    with coordinator._listen(address) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
    with coordinator._listen(address.replace("localhost", "no.such.host")) as listener:
        assert listener.getsockname()[0] in ("::", "0.0.0.0")


def test_a_relay_passes_bytes_on_and_hides_the_end_of_the_far_side():
    near, inner = socket.socketpair()
    with near, socket.create_server(("localhost", 0)) as server:
        address = f"localhost:{server.getsockname()[1]}"
        threading.Thread(target=relay, args=(inner, address, b"first"), daemon=True).start()
        far, _ = server.accept()
        near.sendall(b" then")
        assert far.recv(10, socket.MSG_WAITALL) == b"first then"
        far.sendall(b"back")
        assert near.recv(4, socket.MSG_WAITALL) == b"back"
        far.close()
        near.settimeout(0.2)
        with pytest.raises(TimeoutError):
            near.recv(1)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"devices": 0}, "devices=0 must be all or a whole number from 1"),
        ({"devices": "4"}, "devices='4' must be all"),
        ({"devices": True}, "devices=True must be all"),
        ({"process": 1}, "process=1 needs coordinator"),
        ({"processes": 2}, "processes=2 needs coordinator"),
        ({"coordinator": "host"}, "coordinator='host' must be HOST:PORT"),
        ({"coordinator": "host:0", "process": 0, "processes": 1}, "must be HOST:PORT"),
        ({"coordinator": "host:65536", "process": 0, "processes": 1}, "must be HOST:PORT"),
        ({"coordinator": "host:1"}, "processes=None must be a whole number from 1"),
        ({"coordinator": "host:1", "processes": 2}, "process=None must be a whole number from 0"),
        ({"coordinator": "host:1", "process": 2, "processes": 2}, "process=2 must be from 0 to 1"),
        ({"coordinator": "auto", "process": 0}, "finds process by itself"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, reason):
    with pytest.raises(InputError, match=reason):
        DeviceOptions(**options)


def test_an_address_may_be_of_ipv6():
    assert split_address("[::1]:29500") == ("::1", 29500)


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_another_backend_is_told_what_to_do(backend):
    with pytest.raises(InputError, match=f"devices needs backend='jax', not '{backend}': .* --backend jax"):
        DeviceOptions("all").check_backend(backend)
    DeviceOptions().check_backend(backend)


def test_the_environment_of_slurm_alone_joins_nothing(monkeypatch):
    for name in ("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID"):
        monkeypatch.setenv(name, "1")
    with joined(DeviceOptions()) as group:
        assert group is ALONE


def test_the_first_difference_between_processes_is_named():
    ours = {"seed": "1", "batch_size": "8"}
    assert _difference(3, ours, ours) is None
    text = "process 3 and process 0 must have the same batch_size: it is 16 in process 3 and 8 in process 0"
    assert _difference(3, ours, {**ours, "batch_size": "16"}) == text


def test_one_process_alone_agrees_with_itself():
    assert ALONE.broadcast({"a": 1}) == {"a": 1}
    assert ALONE.gather(2.5, True).tolist() == [[2.5, 1.0]]
    done = []
    ALONE.first_only("this", lambda: done.append(1))
    assert done == [1]
