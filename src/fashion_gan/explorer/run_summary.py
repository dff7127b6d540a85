"""Summarize a run for the page: its film, its curves, its latest metrics and its report."""

from pathlib import Path

from fashion_gan.arrays import JsonObject
from fashion_gan.metrics.metric_info import FFD_NOTE
from fashion_gan.runs import Run

CAPTIONS = {
    "film": "Images of the same latent vectors during training",
    "curve": "The losses and the discriminator's probabilities",
}
MAX_ROWS = 20
MAX_COLUMNS = 8


def run_file(run: Run, name: str) -> Path | None:
    """Find a file that the page may show.

    Args:
        run: the run.
        name: "film", "curve" or "report".

    Returns:
        Its path. None if the name is unknown, the file does not exist, or a link leads outside the run's folder.
    """
    paths = {
        "film": run.film_path,
        "curve": run.training_curve_path,
        "report": run.report_path,
    }
    if name not in paths:
        return None
    path = paths[name].resolve()
    return path if path.is_file() and path.is_relative_to(run.path.resolve()) else None


def summarize_run(run: Run) -> JsonObject:
    """Return the values for the page's template: pictures, a table of the latest metrics, whether a report exists."""
    rows = [
        {name: value for name, value in row.items() if isinstance(value, (int, float)) and name.isprintable()}
        for row in _latest_metrics(run)
    ]
    columns = list(dict.fromkeys(name for row in rows for name in row))[:MAX_COLUMNS]
    return {
        "pictures": [(name, caption) for name, caption in CAPTIONS.items() if run_file(run, name)],
        "columns": columns,
        "note": FFD_NOTE if any(name.startswith("ffd") for name in columns) else "",
        "metrics": [[_format(row.get(name)) for name in columns] for row in rows],
        "report": run_file(run, "report") is not None,
    }


def _latest_metrics(run: Run) -> list[JsonObject]:
    """Return the last lines of ``metrics.jsonl``. An unreadable file gives none: the page works without them."""
    try:
        return run.read_metrics()[-MAX_ROWS:]
    except (OSError, OverflowError):
        return []


def _format(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"
