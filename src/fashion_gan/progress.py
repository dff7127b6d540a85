"""How far something long has got: one bar for all of them."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

SHOWN_AFTER_SECONDS = 2.0


def bar(things: Iterable[Any] | None, description: str, unit: str, **settings: Any) -> Any:
    """Iterate over things, with a bar on standard error once it has taken two seconds.

    Where nobody knows how many there will be, things is None: what comes back is then told by its ``update(count)``.
    ``settings`` are tqdm's, in the place of the usual ones.
    """
    usual = {
        "desc": description,
        "unit": f" {unit}",
        "delay": SHOWN_AFTER_SECONDS,
        "mininterval": 0.2 if sys.stderr.isatty() else 10.0,  # a log file is no place for a moving bar
        "leave": False,
    }
    return tqdm(things, **{**usual, **settings})
