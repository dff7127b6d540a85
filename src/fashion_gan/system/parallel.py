"""The number of processor cores that this process may use, and a parallel map over them."""

import contextlib
import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")

# Where Linux stores a container's CPU quota and the period that it applies to, both in microseconds.
CGROUP_FILES = (
    ("/sys/fs/cgroup/cpu.max",),  # control groups, version 2
    ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),  # version 1
)


def available_cpus() -> int:
    """Count the processor cores that this process may use.

    The count is below the machine's if the process is pinned to some cores, or if its container has a CPU limit.
    """
    # macOS and Windows have no affinity call.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return math.ceil(min(cores, _container_limit()))


def _container_limit() -> float:
    """The container's limit in cores, such as 1.5. Infinite if there is none."""
    for paths in CGROUP_FILES:
        with contextlib.suppress(OSError, ValueError):  # A limit of "max" is not a number.
            quota, period = (float(word) for path in paths for word in Path(path).read_text(encoding="utf-8").split())
            if quota > 0 and period > 0:
                return quota / period
    return math.inf


def parallel_map(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Apply a function to each item on all cores, and yield the results in the order of the items.

    The function must release Python's global interpreter lock (GIL), as NumPy's functions do.

    Meanwhile each matrix product uses only one core. Splitting a small product costs more time than it saves. On a busy
    machine it costs many times more, because OpenBLAS's threads busy-wait for each other.
    """
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(available_cpus()) as pool:
        yield from pool.map(function, items)
