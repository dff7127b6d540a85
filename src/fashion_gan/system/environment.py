"""The machine and the package versions that a run uses."""

import contextlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from fashion_gan.arrays import JsonObject
from fashion_gan.system.backends import accelerator
from fashion_gan.system.installation import CHECKOUT
from fashion_gan.system.parallel import available_cpus

# A run's results can depend on these packages.
PACKAGES = ("fashion-gan", "keras", "tensorflow-cpu", "tensorflow", "jax", "jaxlib", "torch", "numpy", "pillow", "h5py")

GIT_SECONDS = 10


def environment(data_fingerprint: str, backend: str) -> JsonObject:
    """Describe the machine, the versions and the data of a run, as ``environment.json`` stores them.

    Args:
        data_fingerprint: SHA-256 of the training data, in hex.
        backend: the backend that Keras runs on.
    """
    versions = {}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor_name(),
        "processors": available_cpus(),
        "accelerator": accelerator(backend),
        "packages": versions,
        **code_version(CHECKOUT),
        "data_sha256": data_fingerprint,
    }


def code_version(checkout: Path) -> JsonObject:
    """The Git commit of the code, and whether its files differ from the commit. Both are None without Git.

    Args:
        checkout: the folder that the package would be in, if it runs from a checkout.
    """
    unknown: JsonObject = {"git_commit": None, "git_uncommitted_changes": None}
    if not (checkout / ".git").exists():
        return unknown
    # Variables such as GIT_DIR, which Git sets in its hooks, would lead to another repository.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*words: str) -> str:
        command = ["git", "-C", str(checkout), *words]
        done = subprocess.run(command, capture_output=True, text=True, env=variables, timeout=GIT_SECONDS, check=True)
        return done.stdout.strip()

    try:
        return {
            "git_commit": git("rev-parse", "HEAD"),
            "git_uncommitted_changes": bool(git("--no-optional-locks", "status", "--porcelain", "--", "src")),
        }
    except (OSError, UnicodeDecodeError, subprocess.SubprocessError):
        return unknown


def processor_name() -> str:
    """The processor's name, from the operating system."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
