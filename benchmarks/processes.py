"""Other programs that the benchmarks start: commands whose time and memory are measured, and the explorer's server."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time

COMMAND = (sys.executable, "-m", "fashion_gan")


def run_measured(command, *, quiet=False):
    """Run a command. Returns its wall-clock seconds and its peak memory in MB. Exits if the command fails."""
    started = time.perf_counter()
    output = subprocess.DEVNULL if quiet else None
    process = subprocess.Popen([str(word) for word in command], stdout=output)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(os.waitstatus_to_exitcode(status))  # The command has printed the reason.
    return time.perf_counter() - started, usage.ru_maxrss / 1e3


@contextlib.contextmanager
def explorer_server():
    """Serve the shipped model with ``fashion-gan explore``. Gives the process and its address, then stops it."""
    server = subprocess.Popen([*COMMAND, "explore", "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        yield server, re.search(r"http://\S+/", server.stdout.readline()).group()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
