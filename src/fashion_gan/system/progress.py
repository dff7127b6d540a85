"""What long computations show on standard error: the progress bar of each, and notices."""

from collections.abc import Iterable
from typing import Any

from fashion_gan.errors import one_line
from fashion_gan.system import console

SHOWN_AFTER_SECONDS = 2.0


def bar(items: Iterable[Any] | None, description: str, unit: str, **settings: Any) -> Any:
    """Iterate over items, and show a progress bar on standard error after two seconds. A notebook shows a widget.

    Args:
        items: the items. None if the caller reports progress itself, with ``update(count)`` of the returned bar.
        description: text before the bar.
        unit: what is counted, in the plural.
        **settings: settings of ``tqdm`` that replace those set here.

    Returns:
        The ``tqdm`` bar.
    """
    from tqdm.auto import tqdm  # Imported here: the import takes 70 ms, and short calls need no bar.

    stream = console.error_output()
    defaults = {
        "file": stream,
        "desc": description,
        "unit": f" {unit}",
        "delay": SHOWN_AFTER_SECONDS,
        "mininterval": 0.2 if console.can_redraw(stream) else 10.0,  # A log file needs few updates.
        "leave": False,
    }
    return tqdm(items, **{**defaults, **settings})


def notice(text: str) -> None:
    """Print a line on standard error, above any progress bar: something that the user should know, but no error."""
    from tqdm import tqdm

    tqdm.write(f"fashion-gan: {one_line(text)}", file=console.error_output())
