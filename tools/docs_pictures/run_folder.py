"""Pictures of a run: its folder as a drawing, its film, its curve, and what may be copies."""

import base64
import dataclasses
import html
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

import fashion_gan
from docs_pictures.studio import img, small_png
from fashion_gan.rendering.images import load_png
from fashion_gan.runs import Run

# The run of benchmarks/leaderboard.py. It is drawn if no run is named.
LEADERBOARD_RUN = Path(__file__).resolve().parents[2] / "build" / "leaderboard" / "fashion-5" / "0001-fashion"
STEPS = 300  # of the short training, if this run is missing too
FILM_MILLISECONDS, LAST_FRAME_MILLISECONDS = 200, 2500
FILM_LEVELS = 32  # gray levels of the film
THUMBNAIL = 96  # pixels
LINES_SHOWN, LETTERS_SHOWN = 7, 30  # of a text file


@dataclasses.dataclass(frozen=True)
class Part:
    """A file or folder of a run: its pattern, its name in the drawing, a sentence, and the kind of its thumbnail."""

    pattern: str
    name: str
    sentence: str
    kind: str = "text"


PARTS = {
    "Look": (
        Part("samples/*.png", "samples/", "Pictures at every save interval, always of the same latents.", "picture"),
        Part("training.gif", "training.gif", "The film of the training.", "film"),
        Part("training_curve.png", "training_curve.png", "The losses, D(real) and D(fake).", "picture"),
    ),
    "Use": (
        Part("generator.keras", "generator.keras", "The generator, with averaged weights. Keras loads it.", "model"),
        Part("generator.h5", "generator.h5", "The same, in the older format of Keras.", "model"),
        Part("generator.onnx", "generator.onnx", "The same. It draws without a training framework.", "model"),
    ),
    "Read": (
        Part("log.csv", "log.csv", "Losses and images per second, row by row."),
        Part("metrics.jsonl", "metrics.jsonl", "Scores, one line for each evaluation."),
        Part("config.json", "config.json", "Every setting of the run."),
        Part("environment.json", "environment.json", "Versions, the machine, and the checksum of the data."),
    ),
    "Continue": (
        Part(
            "checkpoints/step-*.npz",
            "checkpoints/",
            "All that <code>--resume</code> needs. The last two are kept.",
            "model",
        ),
        Part("film/*.png", "film/", "The frames of the film so far.", "picture"),
        Part("tensorboard/*", "tensorboard/", "The log for TensorBoard.", "model"),
    ),
}
STYLE = """
.thumbnail { width: 96px; height: 72px; border: 1px solid #d9dee3; border-radius: 6px; overflow: hidden; flex: none;
             display: flex; align-items: center; justify-content: center; background: #f6f7f8; }
.thumbnail img { object-fit: cover; width: 96px; height: 72px; image-rendering: auto; }
.thumbnail pre { font: 6px/8px "Liberation Mono", monospace; margin: 5px; align-self: start; flex: 1; }
.thumbnail pre { overflow: hidden; }
.thumbnail b { font-size: 17px; color: #1f6feb; }
.name { font: bold 14px/1.4 "Liberation Mono", "DejaVu Sans Mono", monospace; }
.part { display: flex; gap: 10px; align-items: center; }
.groups { display: grid; grid-template-columns: 1fr 1fr; gap: 22px 26px; }
.group { display: grid; gap: 10px; align-content: start; }
h2 { color: #1f6feb; margin: 0; }
"""


def run_folder(studio):
    """Each file of a run with a thumbnail and a sentence."""
    run = open_run(studio)
    groups = "".join(
        f'<div class="group"><h2>{title}</h2>{"".join(draw_part(run, part) for part in parts)}</div>'
        for title, parts in PARTS.items()
    )
    head = f'<p class="name" style="font-size: 18px; margin-bottom: 12px">runs/{run.path.name}/</p>'
    return studio.sheet(f'<style>{STYLE}</style>{head}<div class="groups">{groups}</div>', 720, look="light")


def open_run(studio):
    """The named run, the one of the leaderboard, or one of a short training."""
    if studio.run is None and LEADERBOARD_RUN.exists():
        studio.run = LEADERBOARD_RUN
    if studio.run is None:
        studio.run = fashion_gan.train("fashion", steps=STEPS, save_interval=1, out=studio.folder).path
    return Run.open(studio.run)


def draw_part(run, part):
    """A part of a run as HTML. Empty if the run has no such part."""
    paths = sorted(run.path.glob(part.pattern))
    if not paths:
        return ""
    return (
        f'<div class="part"><div class="thumbnail">{THUMBNAILS[part.kind](paths[-1])}</div>'
        f'<div><div class="name">{part.name}</div><p class="soft">{part.sentence}</p></div></div>'
    )


def of_picture(path):
    pixels = np.asarray(Image.open(path).convert("RGB"))
    return img(corner(pixels) if path.parent.name in ("samples", "film") else pixels, THUMBNAIL)


def of_film(path):
    """The first frame at the left, the last one at the right."""
    film = Image.open(path)
    frames = []
    for number in (0, film.n_frames - 1):
        film.seek(number)
        frames.append(corner(np.asarray(film.convert("RGB"))))
    half = frames[0].shape[1] // 2
    return img(np.concatenate([frames[0][:, :half], frames[1][:, half:]], axis=1), THUMBNAIL)


def corner(sheet):
    """Four columns and three rows of a sheet of ten columns."""
    width = sheet.shape[1] * 4 // 10
    return sheet[: width * 3 // 4, :width]


def of_text(path):
    lines = path.read_text().splitlines()[:LINES_SHOWN]
    return "<pre>" + html.escape("\n".join(line[:LETTERS_SHOWN] for line in lines)) + "</pre>"


def of_model(path):
    size = path.stat().st_size
    return f"<b>{size / 1e6:.1f} MB</b>" if size > 1e5 else f"<b>{size / 1e3:.0f} kB</b>"


THUMBNAILS = {"picture": of_picture, "film": of_film, "text": of_text, "model": of_model}


def training(studio):
    """The film of a run in fewer gray levels. Returns a GIF file."""
    run = open_run(studio)
    first, *rest = [Image.fromarray(load_png(path)[..., 0]).quantize(FILM_LEVELS) for path in run.frame_paths()]
    times = [FILM_MILLISECONDS] * len(rest) + [LAST_FRAME_MILLISECONDS]
    content = io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=rest, duration=times, loop=0)
    return content.getvalue()


def frame(studio, step):
    """The frame of a run's film at a step, or the last one before it."""
    run = open_run(studio)
    return max(path for path in run.frame_paths() if path <= run.frame_path(step)).read_bytes()


def last_sample(studio):
    return open_run(studio).last_sample.read_bytes()


def curve(studio):
    return small_png(open_run(studio).training_curve_path.read_bytes())


def possible_copies(studio):
    """The pictures under "Possible copies" in the report of a run."""
    page = fashion_gan.evaluate(open_run(studio), report=studio.folder / "run-report").report_path
    picture = re.search(r'base64,([^"]+)" style="max-width:none" alt="Generated images above', page.read_text())
    return base64.b64decode(picture[1])
