"""Sheets of clothes: real and generated, after minutes of training, truncation, and augmentation."""

import json
from pathlib import Path

import numpy as np

import fashion_gan
from docs_pictures.studio import img_grid
from fashion_gan.config import AUGMENTATIONS, PRESETS
from fashion_gan.datasets import CLASS_NAMES
from fashion_gan.metrics.metric_info import METRICS
from fashion_gan.rendering.images import load_png

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
SCORE = "ffd10k_test"
MINUTES = (1, 5, 30)
# Of the garments on the sheet of augmentations: red, green and blue.
TINTS = (
    *((1.0, 0.75, 0.45), (0.5, 0.7, 1.0), (0.55, 0.9, 0.5), (1.0, 0.55, 0.55)),
    *((0.85, 0.6, 1.0), (0.5, 0.9, 0.9), (1.0, 0.9, 0.5), (0.9, 0.65, 0.75)),
)
SHEET_COLUMNS, SHEET_PADDING = 10, 2  # of the sheets that benchmarks/leaderboard.py writes


def real_and_generated(studio):
    """The first three test images of each class, above the first three images that the shipped model draws."""
    test = fashion_gan.load_fashion_mnist("test")
    places = [np.flatnonzero(test.labels == label)[:3] for label in range(len(CLASS_NAMES))]
    real = test.images[np.transpose(places).reshape(-1)]
    generated = fashion_gan.Generator.from_pretrained("fashion").generate(len(real), seed=0)
    halves = [
        f"<h2>{title}</h2>{img_grid(images, len(CLASS_NAMES), 56, gap=4)}"
        for title, images in (("Real", real), ("Generated", generated))
    ]
    return studio.sheet('<div style="height: 16px"></div>'.join(halves), width=636)


def after_minutes(studio):
    """The preset ``fashion`` after 1, 5 and 30 minutes of training: 20 pictures, and the score."""
    rows = read_results()
    cells = "".join(
        f'<div style="width: 222px"><h2>{duration(minutes)}</h2>{pictures("fashion", minutes, 20)}'
        f'<p style="margin-top: 8px">{score(rows, "fashion", minutes)}</p></div>'
        for minutes in MINUTES
    )
    body = f'<div class="row" style="gap: 18px; align-items: start">{cells}</div>'
    return studio.sheet(body + footer(rows), width=742)


def presets_after_minutes(studio):
    """Each preset after 1, 5 and 30 minutes of training: ten pictures, and the score."""
    rows = read_results()
    heads = "".join(f"<h2>{duration(minutes)}</h2>" for minutes in MINUTES)
    cells = "".join(
        f'<h3 style="grid-column: 1 / -1; margin: 10px 0 -4px">{preset}</h3>'
        + "".join(
            f'<div>{pictures(preset, minutes, 10)}<p class="soft" style="margin-top: 4px">'
            f"{score(rows, preset, minutes)}</p></div>"
            for minutes in MINUTES
        )
        for preset in PRESETS
        if f"{preset}-{MINUTES[0]:g}" in rows  # The larger clothes are those of fashion, enlarged.
    )
    body = f'<div class="grid" style="grid-template-columns: repeat(3, 222px); gap: 8px 18px">{heads}{cells}</div>'
    return studio.sheet(body + footer(rows), width=742)


def read_results():
    """The rows of the leaderboard by name, for example "fashion-5"."""
    return json.loads((RESULTS / "leaderboard.json").read_text())


def duration(minutes):
    return f"{minutes} minute{'s' * (minutes > 1)}"


def score(rows, preset, minutes):
    """The Fréchet distance as text. Empty if the leaderboard lacks this recipe."""
    row = rows.get(f"{preset}-{minutes}")
    return f"Fréchet distance <b>{METRICS[SCORE].show(row['metrics'][SCORE]['value'])}</b>" if row else ""


def footer(rows):
    """What the score of real images is."""
    baseline = METRICS[SCORE].show(next(iter(rows.values()))["metrics"][SCORE]["real_baseline"])
    return f'<p class="soft" style="margin-top: 12px">Lower is better. Real images have {baseline}.</p>'


def pictures(preset, minutes, count):
    """The first pictures of a recipe, five in a row. Empty if the leaderboard lacks this recipe."""
    path = RESULTS / f"{preset}-{minutes}.png"
    return img_grid(cut_sheet(load_png(path))[:count], 5, 42, kind=kind_of(preset)) if path.exists() else ""


def kind_of(preset):
    return "" if PRESETS[preset]["image_size"] == 28 else "smooth"


def cut_sheet(sheet):
    """The images of a sheet of ten columns."""
    step = (sheet.shape[1] - SHEET_PADDING) // SHEET_COLUMNS
    size = step - SHEET_PADDING
    rows = range(SHEET_PADDING, len(sheet), step)
    columns = range(SHEET_PADDING, sheet.shape[1], step)
    return np.stack([sheet[top : top + size, left : left + size] for top in rows for left in columns])


def truncation(studio):
    """Six images of four classes at five truncations. The images at the same place have the same latent, scaled."""
    generator = fashion_gan.Generator.from_pretrained("fashion")
    values = {0.5: "more alike", 0.75: "", 1.0: "as trained", 1.25: "", 1.5: "more varied"}
    body = "".join(
        f'<p style="text-align: center"><b style="font-size: 18px">{value}</b><br><span class="soft">{text}</span></p>'
        for value, text in values.items()
    )
    for name in ("Bag", "Shirt", "Sandal", "Dress"):
        body += "".join(
            img_grid(generator.generate(6, labels=name, seed=5, truncation=value), 3, 42, gap=2) for value in values
        )
    grid = f'<div class="grid" style="grid-template-columns: repeat(5, 130px); gap: 10px 12px">{body}</div>'
    return studio.sheet(grid, width=738)


def augmentations(studio):
    """Each augmentation of the package, on the same garments. They are tinted, so that saturation shows too."""
    from fashion_gan.metrics.augmentation_benefit import flip_and_shift
    from fashion_gan.system.backends import default_backend, use_backend

    use_backend(default_backend())
    from fashion_gan.training.augment import Augmentation

    gray = fashion_gan.Generator.from_pretrained("fashion").generate(20, seed=0)[[5, 7, 9, 3, 8, 4, 6, 0]]
    images = np.uint8(gray * np.array(TINTS)[:, None, None])

    def change(*names):
        augmentation = Augmentation(seed=6, changes=names)
        augmentation.probability.assign(1.0)
        floats = np.asarray(augmentation(np.float32(images / 127.5 - 1.0)))
        return np.uint8(np.rint(np.clip(floats * 127.5 + 127.5, 0, 255)))

    rows = (
        ("Unchanged", "", images),
        ("Mirror", "half of symmetric images", change("mirror")),
        ("Shift", "up to 1/8 of the size", change("shift")),
        ("Cutout", "a gray square, half the size", change("cutout")),
        ("Brightness", "up to 1/4 lighter or darker", change("brightness")),
        ("Contrast", "times 0.5 to 1.5", change("contrast")),
        ("Saturation", "times 0 to 2, for color", change("saturation")),
        ("All", "what <code>--augment</code> can do", change(*AUGMENTATIONS)),
        ("For a classifier", "flip, and shift by up to 2 pixels", flip_and_shift(images, np.random.default_rng(1))),
    )
    body = "".join(
        f'<p style="align-self: center"><b>{title}</b><br><span class="soft">{text}</span></p>'
        + img_grid(shown, len(images), 56, gap=4)
        for title, text, shown in rows
    )
    return studio.sheet(f'<div class="grid" style="grid-template-columns: 204px auto; gap: 10px">{body}</div>', 730)
