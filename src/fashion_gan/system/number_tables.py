"""Read CSV files of numbers. Damaged rows are left out and counted."""

import math
from collections.abc import Sequence
from pathlib import Path


def read_number_rows(path: Path, columns: Sequence[str]) -> tuple[list[list[str]], int]:
    """Read the rows of a CSV file whose fields are all finite numbers.

    A file without a header has its columns in the given order. The last line counts only if it ends: a process may be
    writing it now, or was killed while it wrote.

    Args:
        path: the file.
        columns: the names of the columns to read. The file may hold more of them, in another order.

    Returns:
        The fields of each sound row as text, in the order of ``columns``, and the number of damaged rows.
    """
    *lines, _ = path.read_text(encoding="utf-8-sig", errors="replace").split("\n")
    order, header = list(range(len(columns))), list(columns)
    if lines and set(columns) <= set(lines[0].split(",")):
        header = lines.pop(0).split(",")
        order = [header.index(name) for name in columns]
    rows = [[fields[index] for index in order] for line in lines if _is_sound(fields := line.split(","), header, order)]
    return rows, len([line for line in lines if line]) - len(rows)


def _is_sound(fields: Sequence[str], header: Sequence[str], order: Sequence[int]) -> bool:
    return len(fields) == len(header) and all(_is_finite(fields[index]) for index in order)


def _is_finite(field: str) -> bool:
    try:
        return math.isfinite(float(field))
    except ValueError:
        return False
