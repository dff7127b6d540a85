"""Read HDF5 files of any origin: a separate process reads the file, within a deadline and a memory limit.

It returns only plain groups, texts and numbers. They become a new HDF5 file, which is safe to read in this process.
"""

import contextlib
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np

from fashion_gan.arrays import JsonObject
from fashion_gan.errors import InputError

CHILD = Path(__file__).with_name("hdf5_child.py")
START_SECONDS = 60  # for the child's imports, on a slow disk
READ_SECONDS = 10
MAX_HEADER_BYTES = 64 << 20
# Arrays may take as many bytes as the file, between these bounds. Zeros need not be stored, so a file may be smaller.
LOWEST_MAX_BYTES, HIGHEST_MAX_BYTES = 128 << 20, 1 << 30
TOO_SLOW = f"reading it takes over {READ_SECONDS} seconds or too much memory: it is damaged, or made to do harm"


def copy_plain(source: Path, target: h5py.File) -> list[str]:
    """Copy the plain groups, texts and arrays of an HDF5 file into a new one. Optimizer states are left out.

    Args:
        source: the file.
        target: an open, empty file.

    Returns:
        The paths that are left out: links, data in other files, and data that are not numbers.

    Raises:
        InputError: the file asks for too much time, memory or objects.
        ValueError: it is damaged.
    """
    with _child(source) as output:
        header = _read_header(output)
        for path, texts in header["groups"].items():
            group = target.require_group(path) if path else target
            for name, value in texts.items():
                group.attrs[name] = np.array(value, h5py.string_dtype()) if isinstance(value, list) else value
        for path, type_name, shape in header["arrays"]:
            dtype = np.dtype(type_name)
            size = math.prod(shape) * dtype.itemsize
            data = output.read(size)
            if len(data) != size:
                raise ValueError("it is damaged")
            target.create_dataset(path, data=np.frombuffer(data, dtype).reshape(shape))
        if output.read(1):
            raise ValueError("it is damaged")
    return [str(path) for path in header["left_out"]]


def _read_header(output: IO[bytes]) -> JsonObject:
    line = output.readline(MAX_HEADER_BYTES)
    if not line.endswith(b"\n"):
        raise ValueError("it is damaged")
    header: JsonObject = json.loads(line)
    if "refused" in header:
        raise InputError(header["refused"])
    return header


@contextlib.contextmanager
def _child(source: Path) -> Iterator[IO[bytes]]:
    """Start the process that reads a file. Yields its output, which ends early if the process fails or is too slow.

    Raises:
        InputError: the process did not start, or had to be ended.
    """
    max_bytes = min(max(source.stat().st_size, LOWEST_MAX_BYTES), HIGHEST_MAX_BYTES)
    # -P: modules of the current folder must not shadow the libraries.
    command = [_python(), "-P", str(CHILD), str(source.absolute()), str(max_bytes)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "OPENBLAS_NUM_THREADS": "1",
    }
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    output: Any = process.stdout
    try:
        with _deadline(process, START_SECONDS):
            if output.read(1) != b"\n":
                raise InputError(f"{command[0]} could not start the process that reads it")
        with _deadline(process, READ_SECONDS) as deadline:
            try:
                yield output
            except ValueError:
                # A signal ended the process: this deadline, or a limit of the process itself.
                if deadline.is_set() or process.wait(READ_SECONDS) < 0:
                    raise InputError(TOO_SLOW) from None
                raise
    finally:
        output.close()
        process.kill()
        process.wait()


@contextlib.contextmanager
def _deadline(process: "subprocess.Popen[bytes]", seconds: float) -> Iterator[threading.Event]:
    """Kill a process if the block takes longer than this. Yields an event that is then set."""
    passed = threading.Event()

    def end() -> None:
        passed.set()
        process.kill()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield passed
    finally:
        timer.cancel()


def _python() -> str:
    """The Python interpreter. In a program that embeds Python, ``sys.executable`` may be that program."""
    if sys.executable and Path(sys.executable).stem.lower().startswith(("python", "pypy")):
        return sys.executable
    installed = Path(sys.exec_prefix, "python.exe" if os.name == "nt" else "bin/python3")
    if not installed.is_file():
        raise InputError(f"a separate Python process reads it, but there is no interpreter at {installed}")
    return str(installed)
