"""The machine and the package versions that a run uses."""

import contextlib
import importlib.metadata
import platform
from pathlib import Path

from fashion_gan.arrays import JsonObject
from fashion_gan.system.backends import accelerator
from fashion_gan.system.parallel import available_cpus

# A run's results can depend on these packages.
PACKAGES = ("fashion-gan", "keras", "tensorflow-cpu", "tensorflow", "jax", "jaxlib", "torch", "numpy", "pillow", "h5py")


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
        "data_sha256": data_fingerprint,
    }


def processor_name() -> str:
    """The processor's name, from the operating system."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
