"""What the user asks to be scored -> figures, a report, a verdict in words."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fashion_gan import sources
from fashion_gan.metrics import canaries
from fashion_gan.metrics import evaluate as metrics
from fashion_gan.metrics.comparison import compare, read_metrics
from fashion_gan.metrics.evaluate import Evaluation
from fashion_gan.metrics.figures import MEANINGS
from fashion_gan.metrics.reference import Reference
from fashion_gan.metrics.report import make_folder, write_report


def evaluate(
    source: Any,
    *,
    protocols: Sequence[str] = ("standard",),
    labels: Any = None,
    seed: int = 0,
    seeds: int = 1,
    report: str | Path | None = None,
    data: str | Path | None = None,
    raw: bool = False,
    best: bool = False,
) -> tuple[Evaluation, Path | None]:
    """Score images against Fashion-MNIST, wherever they come from.

    Args:
        source: a run's folder, a model file, a folder of pictures, an ``.npz``; or an array of images (N, 28, 28).
        protocols: names of protocols or of sets of them: "standard", "full".
        labels: the classes of images that do not carry them: a file, or an array where the images are one.
        seed, seeds: of a generator's images, and how many times to draw.
        report: the folder to write the page and ``metrics.json`` to; None writes none.
        data: folder of the four Fashion-MNIST files.
        raw, best: which weights of a run.

    Returns:
        The evaluation, and the page.

    Raises:
        InputError: the images cannot be scored, or a protocol is unknown or impossible.

    Example:
        >>> found, _ = fashion_gan.evaluate("runs/0001-fashion")
        >>> found.figures["ffd10k_test"].interval
        (2.1, 2.4)
    """
    metrics.chosen_protocols(protocols)  # Before a large model or folder is read in vain.
    if isinstance(source, (str, Path)):
        opened = sources.open_source(source, labels=labels, raw=raw, best=best)
    else:
        opened = sources.of_images("images", source, labels)
    if report is not None:
        make_folder(Path(report))
    reference = Reference.load(data)
    found = metrics.evaluate(
        opened.draw,
        reference,
        protocols,
        name=opened.name,
        about=opened.about,
        available=opened.available,
        labelled=opened.labelled,
        seed=seed,
        seeds=seeds,
    )
    curve = [] if opened.run is None else opened.run.read_metrics()
    page = None if report is None else write_report(found, reference, Path(report), curve)
    if opened.run is not None:
        opened.run.append_metrics(
            {
                "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                "source": found.source,
                "fingerprint": found.fingerprint,
                **{name: figure.value for name, figure in found.figures.items()},
            }
        )
    return found, page


def table(found: Evaluation) -> str:
    """The figures as aligned lines: value, interval, floor, and which way is better."""
    lines = [f"{'figure':<23}{'value':>9}{'95 % interval':>20}{'real images':>13}  best"]
    for name, figure in found.figures.items():
        show = MEANINGS[name].show
        interval = "" if figure.interval is None else MEANINGS[name].show_interval(figure.interval)
        floor = "" if figure.floor is None else show(figure.floor)
        spread = "" if figure.deviation is None else f"  ± {show(figure.deviation).lstrip('+')} over seeds"
        best = MEANINGS[name].best
        wish = best if isinstance(best, str) else f"near {show(best).lstrip('+')}"
        lines.append(f"{name:<23}{show(figure.value):>9}{interval:>20}{floor:>13}  {wish}{spread}")
    return "\n".join(lines + [f"not measured: {reason}" for reason in found.left_out.values()])


def check_metrics(data: str | Path | None = None) -> list[canaries.Check]:
    """Score damaged real images; each check says whether a figure saw the damage."""
    return canaries.self_check(Reference.load(data))


def comparison(first: str | Path, second: str | Path) -> str:
    """Hold two evaluations against each other: aligned lines and a verdict.

    Raises:
        InputError: one is missing, or they are not comparable.
    """
    ours, theirs = read_metrics(first), read_metrics(second)
    found = compare(ours, theirs)
    names = {"first": ours["source"]["name"], "second": theirs["source"]["name"]}
    lines = [
        f"first    {names['first']}\nsecond   {names['second']}\n",
        f"{'figure':<23}{'first':>9}{'second':>9}  better",
    ]
    for difference in found.differences:
        show = MEANINGS[difference.name].show
        values = f"{show(difference.first.value):>9}{show(difference.second.value):>9}"
        lines.append(f"{difference.name:<23}{values}  {difference.verdict}")
    verdicts = {
        "mixed": "mixed: each is better in some figures",
        "not distinguishable": "not distinguishable",
        **{side: f"the {side} is better ({name}), and nowhere worse" for side, name in names.items()},
    }
    return "\n".join([*lines, "", f"verdict  {verdicts[found.verdict]}"])
