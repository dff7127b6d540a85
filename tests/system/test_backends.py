"""What is set in a process before its backend is imported."""

import os
import sys

import pytest
from processes import run_python

from fashion_gan.system import backends

FREE_MEMORY = """
import ctypes, resource, sys
from fashion_gan.system import backends

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

if sys.argv[1] == "kept":
    backends.keep_freed_memory()
if sys.argv[1] == "kept before":
    with backends.freed_memory_kept():
        pass
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
before, size = resident(), 1 << 26
block = libc.malloc(size)
ctypes.memset(block, 1, size)
libc.free(block)
print((resident() - before) / size)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
@pytest.mark.parametrize(("freed_memory", "share"), [("returned", 0.0), ("kept", 1.0), ("kept before", 0.0)])
def test_freed_memory_is_kept_only_while_asked_for(freed_memory, share):
    assert float(run_python(FREE_MEMORY, freed_memory)) == pytest.approx(share, abs=0.1)


@pytest.mark.parametrize(("processors", "users_choice", "threads"), [(2, None, "1"), (2, "2", "2"), (8, None, None)])
def test_two_processors_run_two_operations_at_a_time_unless_the_user_decides_otherwise(
    processors, users_choice, threads, monkeypatch
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(processors)), raising=False)
    monkeypatch.setattr(os, "environ", {"TF_NUM_INTRAOP_THREADS": users_choice} if users_choice else {})
    backends.share_two_processors()
    assert os.environ.get("TF_NUM_INTRAOP_THREADS") == threads
