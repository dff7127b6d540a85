"""Which figures see which damage, on three kinds of pictures: clothes, letters and colored icons.

    python benchmarks/picture_sets.py build/pictures
    python benchmarks/canaries.py build/pictures        # minutes

It prints the table of docs/explanation/figures/index.md: each figure without damage, and at the higher strength.
"""

import sys
from pathlib import Path

import click

from fashion_gan import cli
from fashion_gan.api.evaluate import check_metrics
from fashion_gan.metrics.metric_info import METRICS

SETS = {"clothes": "clothes-5000", "letters": "letters", "icons": "emoji"}


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder):
    rows = {}
    for column, name in SETS.items():
        for check in check_metrics(reference=folder / name).checks:
            rows.setdefault((check.damage.replace("kinds", "classes"), check.metric), {})[column] = cell(check)
    print(f"| damage | figure | {' | '.join(SETS)} |")
    print("|---|---|" + "---|" * len(SETS))
    for (damage, metric), cells in rows.items():
        print(f"| {damage} | `{metric}` | {' | '.join(cells.get(column, '') for column in SETS)} |")


def cell(check):
    """The figure without damage and with it, and a mark if the check failed."""
    show = METRICS[check.metric].show
    return f"{show(check.values[0])} → {show(check.values[-1])}{'' if check.passed else ' (not seen)'}"


if __name__ == "__main__":
    sys.exit(cli.run(main, "canaries.py"))
