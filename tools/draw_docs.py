"""Draw the pictures of the documentation into docs/pictures.

    python tools/draw_docs.py                       # all of them
    python tools/draw_docs.py truncation losses     # some of them
    python tools/draw_docs.py run_folder --run runs/0001-fashion

It needs Fashion-MNIST, the extras ``train`` and ``dev``, and Chromium. ``after_minutes`` and ``presets_after_minutes``
show what ``benchmarks/leaderboard.py`` wrote into docs/results.
"""

import functools
import sys
from pathlib import Path

import click
from docs_pictures import clothes, editing, networks, pages, run_folder
from docs_pictures.studio import open_studio

from fashion_gan import cli
from fashion_gan.system.atomic_files import atomic_file

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
PICTURES = {
    "real_and_generated": clothes.real_and_generated,
    "after_minutes": clothes.after_minutes,
    "presets_after_minutes": clothes.presets_after_minutes,
    "truncation": clothes.truncation,
    "augmentations": clothes.augmentations,
    "projected_clothes": editing.projected_clothes,
    "directions": editing.directions,
    "mixtures": editing.mixtures,
    "explorer": pages.explorer,
    "explorer_phone": pages.explorer_phone,
    "report": pages.report,
    "report_explained": pages.report_explained,
    "augment-test": pages.augment_test,
    "run_folder": run_folder.run_folder,
    "training": run_folder.training,
    "five_minutes_step_280": functools.partial(run_folder.frame, step=280),
    "five_minutes_step_1830": functools.partial(run_folder.frame, step=1830),
    "five_minutes_end": run_folder.last_sample,
    "five_minutes_curve": run_folder.curve,
    "possible_copies": run_folder.possible_copies,
    "residual_stages": networks.residual_stages,
    "residual_norm": networks.residual_norm,
    "residual_centering": networks.residual_centering,
    "residual_minibatch": networks.residual_minibatch,
    "losses": networks.losses,
    "loss_gradients": networks.loss_gradients,
}
"""Each picture's name, and the function that draws it: a ``Studio`` -> the content of a PNG or GIF file."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(PICTURES)), metavar="[NAME]...")
@click.option(
    "--run",
    type=click.Path(path_type=Path, exists=True),
    help="Run that is drawn. Default: the leaderboard's run of 5 minutes, or a short training.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, exists=True),
    help="Folder of a report of the shipped model. By default it is measured, which takes a minute.",
)
def main(names, run, report):
    FOLDER.mkdir(exist_ok=True)
    with open_studio(run, report) as studio:
        for name in names or PICTURES:
            content = PICTURES[name](studio)
            path = FOLDER / (name + (".gif" if content.startswith(b"GIF") else ".png"))
            with atomic_file(path) as temporary:
                temporary.write_bytes(content)
            print(f"{path}: {len(content):,} bytes", flush=True)


if __name__ == "__main__":
    sys.exit(cli.run(main, "draw_docs.py"))
