"""Read an HDF5 file in a separate process, and write its plain content to standard output. ``hdf5`` starts it.

libhdf5 trusts a file: a damaged one makes it loop or allocate without end. So this process has little time and memory,
and the process that started it can end it. It is run as a script, because importing the package would take longer.

Arguments: the file's path, and the highest total of the arrays' bytes.

Output: a line break once the libraries are imported; then a line of JSON; then the bytes of all arrays in turn.
The JSON is {"refused": reason}, or holds:
    groups: each group's path, "" for the root, and its attributes that are texts.
    arrays: each array's path, NumPy type, and shape.
    left_out: paths of links, of data in other files, and of data that are not numbers.
"""

import json
import math
import sys
from typing import Any

import h5py
import numpy as np

MAX_OBJECTS = 10_000
MAX_DEPTH = 40
MAX_TEXT_BYTES = 16 << 20  # of all attributes together
MAX_CHUNK_BYTES = 256 << 20
MEMORY = 1536 << 20  # bytes, beyond the libraries
CPU_SECONDS = 4  # reading a gigabyte takes two
SKIPPED = ("optimizer", "optimizer_weights")  # groups of the root that hold no network


class RefusedError(Exception):
    """The file asks for too much."""


class Content:
    """What a file holds: its groups and texts, and its data sets, which are not read yet."""

    def __init__(self, max_bytes: int) -> None:
        self.groups: dict[str, dict[str, Any]] = {}
        self.datasets: dict[str, h5py.Dataset] = {}
        self.left_out: list[str] = []
        self._objects, self._bytes, self._text_bytes, self._max_bytes = 0, 0, 0, max_bytes

    def add_group(self, group: h5py.Group, path: str = "", depth: int = 0) -> None:
        """Add a group and all that is in it. A group that several links lead to counts several times."""
        if depth > MAX_DEPTH:
            raise RefusedError(f"its groups are nested over {MAX_DEPTH} deep")
        self.groups[path] = self._texts(group)
        for name in group:
            self._objects += 1
            if self._objects > MAX_OBJECTS:
                raise RefusedError(f"it holds over {MAX_OBJECTS:,} groups and data sets")
            if depth == 0 and name in SKIPPED:
                continue
            item_path = f"{path}/{name}"
            is_link = not isinstance(group.get(name, getlink=True), h5py.HardLink)
            item = None if is_link or name in (".", "..") or not is_text(name) else group[name]
            if isinstance(item, h5py.Group):
                self.add_group(item, item_path, depth + 1)
            elif isinstance(item, h5py.Dataset) and is_plain(item):
                self._bytes += item.nbytes
                if self._bytes > self._max_bytes:
                    raise RefusedError(f"its weights take over {self._max_bytes >> 20} MB")
                self.datasets[item_path] = item
            else:
                self.left_out.append(item_path)

    def _texts(self, group: h5py.Group) -> dict[str, Any]:
        """A group's attributes that are texts or lists of texts. Other attributes describe no network."""
        texts: dict[str, Any] = {}
        for name in group.attrs:
            self._objects += 1
            attribute = group.attrs.get_id(name)
            self._text_bytes += math.prod(attribute.shape) * attribute.dtype.itemsize
            if self._objects > MAX_OBJECTS or self._text_bytes > MAX_TEXT_BYTES:
                raise RefusedError(f"its texts take over {MAX_TEXT_BYTES >> 20} MB")
            if attribute.dtype.kind not in "SO" or len(attribute.shape) > 1:
                continue
            value = group.attrs[name]
            values = [decode(part) for part in value] if isinstance(value, np.ndarray) else [decode(value)]
            self._text_bytes += sum(map(len, values))
            texts[name] = values if isinstance(value, np.ndarray) else values[0]
        return texts


def is_text(name: str) -> bool:
    """Whether a name is UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def decode(value: object) -> str:
    """A text of an attribute. A value of another type becomes an empty text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value if isinstance(value, str) else ""


def is_plain(dataset: h5py.Dataset) -> bool:
    """Whether a data set holds numbers, in this file."""
    if dataset.dtype.kind not in "fiub" or dataset.external or dataset.is_virtual or dataset.shape is None:
        return False
    return dataset.chunks is None or math.prod(dataset.chunks) * dataset.dtype.itemsize <= MAX_CHUNK_BYTES


def limit_process() -> None:
    """Limit this process's memory and time, where the system can: Windows has no such limits for a process itself."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    limits = {"RLIMIT_CPU": int(used.ru_utime + used.ru_stime) + CPU_SECONDS, "RLIMIT_CORE": 0}
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as file:
            limits["RLIMIT_AS"] = int(file.read().split()[0]) * resource.getpagesize() + MEMORY
    for name, limit in limits.items():
        _, highest = resource.getrlimit(getattr(resource, name))
        limit = limit if highest == resource.RLIM_INFINITY else min(limit, highest)
        resource.setrlimit(getattr(resource, name), (limit, limit))


def main() -> None:
    """Read the file that the arguments name."""
    path, max_bytes, out = sys.argv[1], int(sys.argv[2]), sys.stdout.buffer
    limit_process()
    out.write(b"\n")
    out.flush()
    content = Content(max_bytes)
    with h5py.File(path, "r", locking=False) as file:
        try:
            content.add_group(file)
        except RefusedError as refusal:
            out.write(json.dumps({"refused": str(refusal)}).encode() + b"\n")
            return
        arrays = [[path, dataset.dtype.str, dataset.shape] for path, dataset in content.datasets.items()]
        header = {"groups": content.groups, "arrays": arrays, "left_out": content.left_out}
        out.write(json.dumps(header).encode() + b"\n")
        for dataset in content.datasets.values():
            out.write(np.ascontiguousarray(dataset[()]).tobytes())
        out.flush()


if __name__ == "__main__":
    main()
