"""The processes of one training: what they agree on, and what happens if one of them fails."""

import contextlib
import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from fashion_gan.arrays import Array, Floats
from fashion_gan.errors import InputError, one_line, show
from fashion_gan.system import console
from fashion_gan.system.coordinator import LOOPBACK, Coordinator, Member, split_address
from fashion_gan.system.installation import install_command, is_installed
from fashion_gan.system.library_settings import environment_variables

JOIN_SECONDS = 300.0
BARRIER_SECONDS = 1800.0  # A process that dies is noticed in seconds. This is for one that lives and does nothing.
VERDICT_SECONDS = 10.0  # between the failure of an exchange and the news of which process has died
FAILED = 1  # exit status
AUTO = "auto"


class ProcessGroup:
    """One process that trains alone. ``JoinedProcesses`` is several.

    Attributes:
        index: this process's number, from 0.
        count: how many processes there are.
        how_to_continue: the command that resumes the run; "" before there is a run.
    """

    index, count = 0, 1
    how_to_continue = ""

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run's folder."""
        return self.index == 0

    def first_only(self, what: str, action: Callable[[], object]) -> None:
        """Let process 0 do something, while the others wait."""
        action()

    def broadcast(self, value: Any) -> Any:
        """Process 0's value, which JSON can hold, in every process."""
        return value

    def broadcast_arrays(self, arrays: dict[str, Array]) -> dict[str, Array]:
        """Process 0's arrays, in every process. The others pass arrays of the same names, shapes and types."""
        return arrays

    def gather(self, *values: float) -> Floats:
        """The values of all processes, float32 (processes, values). All wait for each other."""
        return np.array([values], np.float32)

    def check_same(self, facts: Mapping[str, object]) -> None:
        """Raise InputError in every process if one of them has other facts than process 0."""

    def leave(self) -> None:
        """End the exchange, when all processes have come to the end."""

    def fail(self, error: BaseException) -> None:
        """Tell the others why this process ends."""


ALONE = ProcessGroup()


@dataclasses.dataclass(frozen=True)
class DeviceOptions:
    """Where a training runs. None of this changes its results, so it is no part of ``Config``.

    Attributes:
        devices: the number of JAX's devices that this process trains on, or "all". None: Keras's own device; in
            several processes, all.
        coordinator: HOST:PORT of process 0; or "auto", if Slurm, Open MPI or Kubernetes has started the processes.
        process: this process's number, from 0.
        processes: how many processes there are.
        join_seconds: how long the processes wait for each other at the start.

    Raises:
        InputError: a value cannot be used, or does not go with the others.
    """

    devices: int | str | None = None
    coordinator: str | None = None
    process: int | None = None
    processes: int | None = None
    join_seconds: float = JOIN_SECONDS

    def __post_init__(self) -> None:
        is_all = isinstance(self.devices, str) and self.devices == "all"
        if self.devices is not None and not is_all and not _is_number(self.devices, 1):
            raise InputError(f"devices={show(self.devices)} must be all or a whole number from 1")
        numbers = {"process": self.process, "processes": self.processes}
        given = [name for name, value in numbers.items() if value is not None]
        if self.coordinator is None:
            if given:
                raise InputError(f"{given[0]}={show(numbers[given[0]])} needs coordinator, the address of process 0")
        elif not isinstance(self.coordinator, str):
            raise InputError(f"coordinator={show(self.coordinator)} must be HOST:PORT or auto")
        elif self.coordinator == AUTO:
            if given:
                raise InputError(f"coordinator='auto' finds {given[0]} by itself: leave it out")
        else:
            self._check_numbers()

    def _check_numbers(self) -> None:
        split_address(str(self.coordinator))
        for name, lowest in (("processes", 1), ("process", 0)):
            value = getattr(self, name)
            if not _is_number(value, lowest):
                raise InputError(
                    f"{name}={show(value)} must be a whole number from {lowest}, with coordinator=HOST:PORT"
                )
        process, processes = int(self.process or 0), int(self.processes or 0)
        if process >= processes:
            raise InputError(f"process={process} must be from 0 to {processes - 1}, because processes={processes}")

    @property
    def is_given(self) -> bool:
        """Whether anything is asked for."""
        return self.devices is not None or self.coordinator is not None

    @property
    def count(self) -> int | None:
        """The number of devices of each process. None: all."""
        return self.devices if isinstance(self.devices, int) else None

    def check_backend(self, backend: str) -> None:
        """Raise InputError if the backend cannot train on several devices."""
        if self.is_given and backend != "jax":
            name = "coordinator" if self.devices is None else "devices"
            install = "" if is_installed("jax") else f" ({install_command('jax')})"
            raise InputError(
                f"{name} needs backend='jax', not {backend!r}: start a new run with --backend jax{install}; "
                "a run of another backend continues only without it"
            )


def _is_number(value: object, lowest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value < 1 << 20


class JoinedProcesses(ProcessGroup):
    """Several processes that train together, over ``jax.distributed``.

    Args:
        address: HOST:PORT of process 0.
        index: this process's number.
        count: how many there are.
        local_device_ids: the accelerators of this process. None: all of the machine.
        seconds: how long the processes wait for each other.

    Raises:
        InputError: the processes do not find each other, or JAX has computed in this process already.
    """

    def __init__(
        self, address: str, index: int, count: int, local_device_ids: list[int] | None, seconds: float
    ) -> None:
        import jax

        self.index, self.count = index, count
        self._round = 0
        self._has_left = False
        self._coordinator: Coordinator | None = None
        self._member: Member | None = None
        if index == 0:
            self._coordinator = Coordinator(address, count, self._end)
            self._coordinator.wait_for_all(seconds)
            jax_address = self._coordinator.jax_address
        else:
            self._member = Member(address, index, count, self._end, seconds)
            jax_address = self._member.jax_address
        jax.config.update("jax_enable_preemption_service", False)  # Its signal handler would swallow SIGTERM.
        jax.config.update("jax_enable_recoverability", True)  # The coordinator ends the processes, not JAX.
        jax.config.update("jax_check_proxy_envs", False)
        try:
            with environment_variables({"no_grpc_proxy": LOOPBACK}):  # JAX connects only to the relay.
                jax.distributed.initialize(
                    jax_address,
                    count,
                    index,
                    local_device_ids,
                    cluster_detection_method="deactivate",
                    initialization_timeout=int(seconds),
                    coordinator_bind_address=jax_address,
                )
        except RuntimeError as error:
            raise InputError(f"coordinator={address}: JAX cannot start several processes: {one_line(error)}") from error

    # ---- Agreement ----

    def first_only(self, what: str, action: Callable[[], object]) -> None:
        """See ``ProcessGroup``. The others wait at a barrier."""
        if self.is_first:
            action()
        self._barrier(what)

    def broadcast(self, value: Any) -> Any:
        """See ``ProcessGroup``."""
        self._round += 1
        key = f"fashion-gan/value/{self._round}"
        if self.is_first:
            _client().key_value_set(key, json.dumps(value))
            return value
        return json.loads(self._get(key, "a value of process 0"))

    def broadcast_arrays(self, arrays: dict[str, Array]) -> dict[str, Array]:
        """See ``ProcessGroup``."""
        from jax.experimental import multihost_utils

        received: dict[str, Array] = multihost_utils.broadcast_one_to_all(arrays)
        return received

    def gather(self, *values: float) -> Floats:
        """See ``ProcessGroup``."""
        from jax.experimental import multihost_utils

        gathered: Floats = multihost_utils.process_allgather(np.array(values, np.float32))
        return gathered

    def check_same(self, facts: Mapping[str, object]) -> None:
        """See ``ProcessGroup``."""
        self._round += 1
        texts = {name: json.dumps(value) for name, value in facts.items()}
        key = f"fashion-gan/facts/{self._round}"
        difference = None
        if self.is_first:
            for number in range(1, self.count):
                theirs = json.loads(self._get(f"{key}/{number}", f"the settings of process {number}"))
                difference = difference or _difference(number, texts, theirs)
        else:
            _client().key_value_set(f"{key}/{self.index}", json.dumps(texts))
        difference = self.broadcast(difference)
        if difference:
            raise InputError(difference)

    def _barrier(self, what: str) -> None:
        self._round += 1
        with self._no_answer(what):
            _client().wait_at_barrier(f"fashion-gan/barrier/{self._round}", int(1000 * BARRIER_SECONDS))

    def _get(self, key: str, what: str) -> str:
        with self._no_answer(what):
            return str(_client().blocking_key_value_get(key, int(1000 * BARRIER_SECONDS)))
        raise AssertionError  # The context ends the process.

    @contextlib.contextmanager
    def _no_answer(self, what: str) -> Iterator[None]:
        """End all processes if one does not come to an exchange in time."""
        try:
            yield
        except Exception as error:  # JAX has its own types for it.
            time.sleep(VERDICT_SECONDS)  # If a process has died, the coordinator's thread ends this one meanwhile.
            reason = f"a process did not come to {what} within {BARRIER_SECONDS:g} seconds ({one_line(error)[:80]})"
            if self._coordinator is not None:
                self._coordinator.end_all(reason)
            if self._member is not None:
                self._member.leave(reason)
            self._end(reason)

    # ---- The end ----

    def leave(self) -> None:
        """See ``ProcessGroup``."""
        if self._has_left:
            return
        self._barrier("the end")
        self._has_left = True
        self._disconnect()

    def fail(self, error: BaseException) -> None:
        """See ``ProcessGroup``. If an exchange has failed because another process has died, end with that news."""
        if self._has_left:
            return
        if type(error).__name__ == "JaxRuntimeError" and "RESOURCE_EXHAUSTED" not in str(error):
            time.sleep(VERDICT_SECONDS)
        self._has_left = True
        self._disconnect(one_line(error))

    def _disconnect(self, failed: str | None = None) -> None:
        """Shut JAX's exchange down: in process 0 last, because JAX aborts a process that loses its service."""
        import jax

        if self._coordinator is not None and failed is not None:
            self._coordinator.end_all(f"process 0 of {self.count} has ended: {failed}")
        elif self._coordinator is not None:
            self._coordinator.wait_until_left()
        jax.distributed.shutdown()
        if self._member is not None:
            self._member.leave(failed)

    def _end(self, reason: str) -> None:
        """Print a line and end this process. Its main thread may wait for the dead process forever."""
        if self._has_left:
            return
        how = f": {self.how_to_continue}" if self.how_to_continue else ""
        print(f"fashion-gan: {one_line(reason)}{how}", file=console.error_output(), flush=True)
        sys.stdout.flush()
        os._exit(FAILED)


def _client() -> Any:
    """JAX's client of its coordination service: keys, values and barriers. JAX has no public name for it."""
    from jax._src import distributed

    return distributed.global_state.client


def _difference(number: int, ours: Mapping[str, str], theirs: Mapping[str, str]) -> str | None:
    """What another process has that differs from process 0, in a line."""
    for name in {**ours, **theirs}:
        if ours.get(name) != theirs.get(name):
            return (
                f"process {number} and process 0 must have the same {name}: it is {theirs.get(name, 'missing')[:60]} "
                f"in process {number} and {ours.get(name, 'missing')[:60]} in process 0"
            )
    return None


@contextlib.contextmanager
def joined(options: DeviceOptions) -> Iterator[ProcessGroup]:
    """Join the other processes for the block. Only process 0 prints on standard output.

    Raises:
        InputError: the processes do not find each other.
    """
    if options.coordinator is None:
        yield ALONE
        return
    group = JoinedProcesses(*_membership(options), options.join_seconds)
    with contextlib.ExitStack() as silence:
        if not group.is_first:
            silence.enter_context(
                contextlib.redirect_stdout(silence.enter_context(open(os.devnull, "w", encoding="utf-8")))
            )
        try:
            yield group
        except BaseException as error:
            group.fail(error)
            raise
        group.leave()


def _membership(options: DeviceOptions) -> tuple[str, int, int, list[int] | None]:
    """The address of process 0, this process's number, their count, and this process's accelerators."""
    if options.coordinator != AUTO:
        return str(options.coordinator), int(options.process or 0), int(options.processes or 0), None
    from jax._src.clusters import ClusterEnv  # What jax.distributed.initialize() calls. JAX has no public name for it.

    try:
        address, count, index, device_ids = ClusterEnv.auto_detect_unset_distributed_params(
            None, None, None, None, None, int(options.join_seconds)
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"coordinator='auto' has found no address: {one_line(error)}") from error
    if address is None or count is None or index is None:
        raise InputError(
            "coordinator='auto' finds no Slurm, Open MPI or Kubernetes job: start the processes with srun or mpirun, "
            'in Kubernetes install "jax[k8s]", or give coordinator=HOST:PORT, process and processes'
        )
    return address, index, count, None if device_ids is None else list(device_ids)
