"""What is settled before a framework is imported."""

import os
import subprocess
import sys

import pytest

from fashion_gan import backends

CODE = """
import ctypes, resource, sys
from fashion_gan import backends

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

if sys.argv[1] == "kept":
    backends._keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
before, size = resident(), 1 << 26
block = libc.malloc(size)
ctypes.memset(block, 1, size)
libc.free(block)
print((resident() - before) / size)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
@pytest.mark.parametrize(("how", "share"), [("left alone", 0.0), ("kept", 1.0)])
def test_memory_that_is_freed_stays_with_the_process(how, share):
    done = subprocess.run([sys.executable, "-c", CODE, how], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(share, abs=0.1)


@pytest.mark.parametrize(("processors", "given", "threads"), [(2, None, "1"), (2, "2", "2"), (8, None, None)])
def test_two_processors_work_side_by_side_unless_the_user_wants_otherwise(processors, given, threads, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(processors)), raising=False)
    monkeypatch.setattr(os, "environ", {"TF_NUM_INTRAOP_THREADS": given} if given else {})
    backends.work_side_by_side()
    assert os.environ.get("TF_NUM_INTRAOP_THREADS") == threads
