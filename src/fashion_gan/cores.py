"""The processor cores that are ours, and work in pieces on all of them."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def usable() -> int:
    """How many cores this process may run on: fewer than the machine's where it is pinned to some."""
    if hasattr(os, "sched_getaffinity"):  # Not on macOS and Windows.
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def on_all_cores(function: Callable[[Thing], Result], things: Iterable[Thing]) -> Iterator[Result]:
    """What the function makes of each thing, in their order; it must let go of the interpreter, as numpy's does.

    Meanwhile products of matrices keep to the core that asks for them. Sharing out small ones costs more than it saves,
    and on cores that are busy otherwise many times as much: there OpenBLAS's threads wait for each other at full speed.
    """
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(usable()) as pool:
        yield from pool.map(function, things)
