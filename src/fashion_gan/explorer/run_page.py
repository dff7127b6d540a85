"""A run's folder -> what the page shows of it: its film, its curves, its figures."""

from pathlib import Path
from typing import Any

from fashion_gan.runs import Run

FILES = {"film": "training.gif", "curve": "training_curve.png", "report": "report/report.html"}
TEXTS = {"film": "The same latents through its training", "curve": "Its losses and the discriminator's opinion"}
ROWS_SHOWN = 20
COLUMNS_SHOWN = 8


def run_file(run: Run, name: str) -> Path | None:
    """A file that the page may show, by its name in ``FILES``; None where there is none, or where it leads outside."""
    if name not in FILES:
        return None
    path = (run.path / FILES[name]).resolve()
    return path if path.is_file() and path.is_relative_to(run.path.resolve()) else None


def run_facts(run: Run) -> dict[str, Any]:
    """What the page's template shows: pictures, a table of the last figures, and whether there is a report."""
    numbers = [
        {name: value for name, value in row.items() if isinstance(value, (int, float)) and name.isprintable()}
        for row in _last_metrics(run)
    ]
    columns = list(dict.fromkeys(name for row in numbers for name in row))[:COLUMNS_SHOWN]
    return {
        "pictures": [(name, text) for name, text in TEXTS.items() if run_file(run, name)],
        "columns": columns,
        "metrics": [[_shown(row.get(name)) for name in columns] for row in numbers],
        "report": run_file(run, "report") is not None,
    }


def _last_metrics(run: Run) -> list[dict[str, Any]]:
    """The last lines of ``metrics.jsonl``; none where it cannot be read, for the page can be shown without."""
    try:
        return run.read_metrics()[-ROWS_SHOWN:]
    except (OSError, OverflowError):
        return []


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"
