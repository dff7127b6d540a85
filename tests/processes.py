"""The command, run in this process or in its own, and workers that run jobs on another backend."""

import contextlib
import io
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from fashion_gan.cli import main

BACKENDS = os.environ.get("FASHION_GAN_TEST_BACKENDS", "tensorflow jax").split()


def command(*arguments, cwd=".") -> subprocess.CompletedProcess:
    """Run ``fashion-gan`` in this process, which saves the start of Python and of the frameworks."""
    words, output, errors = ["fashion-gan", *map(str, arguments)], io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = main(words[1:])
    return subprocess.CompletedProcess(words, status, output.getvalue(), errors.getvalue())


def command_in_a_process(*arguments, **options) -> subprocess.CompletedProcess:
    """Run ``fashion-gan`` in its own process. The options are those of ``subprocess.run``."""
    return subprocess.run(
        [sys.executable, "-m", "fashion_gan", *map(str, arguments)], capture_output=True, text=True, **options
    )


def start_command(*arguments, **options) -> subprocess.Popen:
    """Start ``fashion-gan`` in its own process. The options are those of ``subprocess.Popen``."""
    words = [sys.executable, "-m", "fashion_gan", *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def run_python(code, *arguments, **options) -> str:
    """Run a program in its own process and return what it printed. A failing program fails the test."""
    words = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(capsys, *arguments) -> str:
    """Run a command that must end with status 2 and one line on standard error. Return the line."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert status == 2
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith("fashion-gan: ")
    return captured.err


def as_users_run() -> dict[str, str]:
    """Return the environment of a process that compiles without the tests' shortcuts."""
    return {name: value for name, value in os.environ.items() if name != "JAX_DISABLE_MOST_OPTIMIZATIONS"}


class Worker:
    """A process with another backend. It starts at its first job and stays up for the next ones.

    ``devices`` is the number of devices that JAX simulates.
    """

    def __init__(self, backend: str, compiled: Path, devices: int = 1) -> None:
        context = multiprocessing.get_context("spawn")
        variables = jax_variables(compiled, devices) | {"KERAS_BACKEND": backend}
        self._pool = ProcessPoolExecutor(1, context, initializer=_set_variables, initargs=(variables,))

    def run(self, job: Callable[..., Any], *arguments, **options) -> Any:
        """Call a function of ``jobs.py`` in the worker. Return its result, or raise its exception."""
        return self._pool.submit(job, *arguments, **options).result()

    def stop(self) -> None:
        self._pool.shutdown(cancel_futures=True)


class ThisProcess:
    """The worker of the backend that the tests themselves run on."""

    def run(self, job: Callable[..., Any], *arguments, **options) -> Any:
        return job(*arguments, **options)

    def stop(self) -> None:
        pass


def _set_variables(variables: dict[str, str]) -> None:
    os.environ.update(variables)


def jax_variables(compiled: Path, devices: int = 1) -> dict[str, str]:
    """Return environment variables with which JAX simulates devices.

    It compiles each computation once a session, and reads it from this folder the next time.
    """
    return {
        "JAX_COMPILATION_CACHE_DIR": str(compiled),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
        **({"JAX_NUM_CPU_DEVICES": str(devices)} if devices > 1 else {}),
    }
