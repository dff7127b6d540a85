"""The memory that this process can still take, and a check that something large fits into it."""

import contextlib
import math
import os
from pathlib import Path

from fashion_gan.errors import InputError

# Files of Linux.
PROCESS_MEMORY = Path("/proc/self/statm")  # in pages; the first number is the address space
MACHINE_MEMORY = Path("/proc/meminfo")
CONTROL_GROUP = Path("/proc/self/cgroup")
CONTROL_GROUP_FOLDER = Path("/sys/fs/cgroup")
# A control group's limit and use in bytes, in version 2 and in version 1.
LIMIT_AND_USE = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))


def check_memory(needed: int, what: str, remedy: str) -> None:
    """Check that something fits into memory.

    Args:
        needed: the bytes that it takes at most at once.
        what: what takes them, in the plural, for the message.
        remedy: how it can take less, for the message.

    Raises:
        InputError: less memory is available.
    """
    available = available_memory()
    if needed > available:
        raise InputError(
            f"{what} take {format_bytes(needed)} of memory, but {format_bytes(available)} are available: {remedy}"
        )


def available_memory() -> float:
    """The bytes that this process can still take. Infinite if nothing limits them, or if the system does not tell."""
    return max(0.0, min(_address_space(), _control_groups(), _machine()))


def format_bytes(count: float) -> str:
    """A number of bytes in MB or GB, for people: ``"1.5 GB"``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{math.ceil(count / 1e6):,} MB"


def _address_space() -> float:
    """The address space that is left of this process's limit (``ulimit -v``)."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows has no such limit, and macOS no such file.
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            return limit - int(PROCESS_MEMORY.read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
    return math.inf


def _control_groups() -> float:
    """The memory that is left of the limits of a container, or of a scheduler's job."""
    left = math.inf
    for folder in _control_group_folders():
        for limit_file, use_file in LIMIT_AND_USE:
            with contextlib.suppress(OSError, ValueError):  # A limit of "max" is not a number.
                limit = int((folder / limit_file).read_text(encoding="utf-8"))
                left = min(left, limit - int((folder / use_file).read_text(encoding="utf-8")) + _reclaimable(folder))
    return left


def _control_group_folders() -> list[Path]:
    """The folders of this process's control group and of those around it."""
    try:
        lines = CONTROL_GROUP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    folders = []
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers in ("", "memory"):
            group = Path(path.lstrip("/"))
            # In a container the path may be that on the host, so the root comes last.
            folders += [CONTROL_GROUP_FOLDER / controllers / part for part in (group, *group.parents, Path())]
    return folders


def _reclaimable(folder: Path) -> int:
    """The bytes of cached files in a control group, which the system gives up when memory is short."""
    with contextlib.suppress(OSError, ValueError):
        facts = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="utf-8").splitlines())
        return int(facts.get("total_inactive_file", facts.get("inactive_file", 0)))
    return 0


def _machine() -> float:
    """The machine's free memory. All of its memory, if the system does not tell what is free."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        facts = dict(line.split(":") for line in MACHINE_MEMORY.read_text(encoding="utf-8").splitlines())
        return int(facts["MemAvailable"].split()[0]) * 1024
    with contextlib.suppress(OSError, ValueError, AttributeError):  # Windows does not tell.
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return math.inf
