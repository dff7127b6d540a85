"""Fetch and prepare real pictures, on which the metrics for any pictures are tried.

    python benchmarks/picture_sets.py OUT                    # all; takes about two minutes
    python benchmarks/picture_sets.py OUT letters clothes    # only these
    python benchmarks/picture_sets.py OUT emoji --tarball emoji-datasource-google-16.0.0.tgz    # fetched before

It writes these folders into OUT. None is ever committed.

- ``emoji``: 3,786 colored icons of 64×64 pixels, RGBA, from an npm package.
- ``letters``: A to J, white on black, 64×64, gray. A folder for each letter, with one picture for each face of a font.
  The fonts are npm packages.
- ``clothes-100``, ``-500``, ``-1000`` and ``-5000``: so many of Fashion-MNIST's training images, 28×28, gray. A folder
  for each class, the same number in each. The smaller sets are parts of the larger ones.

Versions, faces and the seed are fixed, so everyone gets the same pictures. The packages are fetched by ``npm``.
"""

import contextlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fashion_gan import cli, load_fashion_mnist
from fashion_gan.datasets.writers import subfolder_names
from fashion_gan.errors import InputError
from fashion_gan.rendering.images import png_bytes
from fashion_gan.system import progress
from fashion_gan.system.atomic_files import atomic_folder

EMOJI_PACKAGE = "emoji-datasource-google@16.0.0"
EMOJI_FOLDER = "package/img/google/64"
EMOJI = 3786
CLOTHES = (100, 500, 1000, 5000)
SEED = 0

LETTERS = "ABCDEFGHIJ"
SIDE = 64  # of a letter's picture, in pixels
CAP_HEIGHT = 48  # of the H, unless a wider or taller letter needs a smaller size
MAX_LETTER_SIDE = 60  # of each letter's box
MEASURING_SIZE = 500  # at which the letters of a face are measured

FONT_VERSION = "5.3.0"
# The families of each style, by the faces that are drawn of each. A face is a weight and a slant.
FONTS = {
    ("400-normal", "400-italic", "700-normal"): (
        *("alegreya", "arvo", "cormorant-garamond", "courier-prime", "crimson-text", "eb-garamond", "merriweather"),
        *("playfair-display", "pt-serif", "spectral", "volkhov", "zilla-slab"),  # serif
        *("cabin", "exo-2", "fira-sans", "josefin-sans", "lato", "montserrat", "philosopher", "quantico", "raleway"),
        *("titillium-web", "ubuntu"),  # sans serif
        *("comic-neue", "lobster-two", "sansita", "space-mono"),
    ),
    ("400-normal", "700-normal"): (
        *("amatic-sc", "baloo-2", "bodoni-moda", "cabin-sketch", "caveat", "cinzel", "cinzel-decorative", "comfortaa"),
        *("dancing-script", "dosis", "fredoka", "goldman", "hepta-slab", "orbitron", "oswald", "pixelify-sans"),
        *("rowdies", "silkscreen", "syncopate", "teko", "unbounded", "yanone-kaffeesatz"),
    ),
    ("400-normal",): (
        *("abril-fatface", "alfa-slab-one", "anton", "audiowide", "bangers", "black-ops-one", "bungee", "creepster"),
        *("fredericka-the-great", "germania-one", "monoton", "poiret-one", "righteous", "shrikhand", "special-elite"),
        *("press-start-2p", "vt323", "medievalsharp", "uncial-antiqua", "unifrakturmaguntia"),  # display
        *("architects-daughter", "gloria-hallelujah", "great-vibes", "homemade-apple", "indie-flower", "pacifico"),
        *("permanent-marker", "pinyon-script", "reenie-beanie", "rock-salt", "sacramento"),  # hand-written
    ),
}


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.argument("names", type=click.Choice(["emoji", "letters", "clothes"]), nargs=-1)
@click.option("--tarball", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The emoji's package.")
@click.option("--force", is_flag=True, help="Replace folders that exist already.")
def main(out: Path, names: tuple[str, ...], tarball: Path | None, force: bool) -> None:
    sets: dict[str, dict[str, Callable[[Path], None]]] = {
        "emoji": {"emoji": partial(fill_with_emoji, tarball=tarball)},
        "letters": {"letters": fill_with_letters},
        "clothes": {f"clothes-{count}": partial(fill_with_clothes, count=count) for count in CLOTHES},
    }
    out.mkdir(parents=True, exist_ok=True)
    for name in names or sets:
        for folder, fill in sets[name].items():
            write(out / folder, fill, force)


def write(path: Path, fill: Callable[[Path], None], force: bool) -> None:
    """Let a function fill a new folder. An existing one is left as it is, or with ``force`` replaced."""
    if path.exists() and not force:
        print(f"{path} exists already and is left as it is: --force replaces it")
        return
    with atomic_folder(path, ["*.png"], force=force) as folder:
        fill(folder)
    print(f"{path}: {sum(1 for _ in path.rglob('*.png')):,} pictures")


def fill_with_emoji(folder: Path, tarball: Path | None) -> None:
    """Write the icons of a fetched package, or of one that is fetched now."""
    source = fetched(EMOJI_PACKAGE) if tarball is None else contextlib.nullcontext(tarball)
    with source as path, tarfile.open(path) as archive:
        for file in progress.bar(archive, "emoji", "files"):
            name = PurePosixPath(file.name)
            if file.isfile() and str(name.parent) == EMOJI_FOLDER:
                image = Image.open(io.BytesIO(content(archive, file)))
                image.convert("RGBA").save(folder / name.name, "PNG")  # A few have another mode.
    count = len(list(folder.iterdir()))
    if count != EMOJI:
        raise InputError(f"{path} holds {count} icons instead of {EMOJI}: it is not {EMOJI_PACKAGE}")


@contextlib.contextmanager
def fetched(package: str) -> Iterator[Path]:
    """The tarball of an npm package, for as long as the block runs."""
    npm = shutil.which("npm")
    if npm is None:
        raise InputError("npm is not installed: it comes with Node.js")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", package, "--pack-destination", folder, "--loglevel", "error"]
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:  # npm has printed the reason.
            raise InputError(f"npm could not fetch {package}")
        yield next(Path(folder).glob("*.tgz"))


def content(archive: tarfile.TarFile, member: tarfile.TarInfo | str) -> bytes:
    """A file of an archive. Raises InputError if the member is no file."""
    file = archive.extractfile(member)
    if file is None:
        raise InputError(f"{member} is not a file")
    return file.read()


def fill_with_letters(folder: Path) -> None:
    """Fetch the fonts, and write the letters of each face."""
    for letter in LETTERS:
        (folder / letter).mkdir()
    families = [(family, faces) for faces, families in FONTS.items() for family in families]
    for family, faces in progress.bar(families, "letters", "families"):
        with fetched(f"@fontsource/{family}@{FONT_VERSION}") as tarball, tarfile.open(tarball) as archive:
            for face in faces:
                font = content(archive, f"package/files/{family}-latin-{face}.woff2")
                for letter, picture in zip(LETTERS, letter_pictures(font, f"{family} {face}"), strict=True):
                    picture.save(folder / letter / f"{family}-{face}.png")


def letter_pictures(font: bytes, name: str) -> list[Image.Image]:
    """A picture of each letter, all in the same font size. Raises InputError if some are empty or equal."""
    measured = loaded(font, MEASURING_SIZE)
    boxes = [measured.getbbox(letter) for letter in LETTERS]
    sides = [(right - left, bottom - top) for left, top, right, bottom in boxes]
    if not all(map(all, sides)):
        raise InputError(f"the font {name} has empty letters")
    cap_height = sides[LETTERS.index("H")][1]
    scale = min(CAP_HEIGHT / cap_height, MAX_LETTER_SIDE / max(map(max, sides)))
    sized = loaded(font, int(MEASURING_SIZE * scale))
    pictures = [letter_picture(sized, letter) for letter in LETTERS]
    if len({picture.tobytes() for picture in pictures}) < len(LETTERS):
        raise InputError(f"the font {name} has equal letters")
    return pictures


def loaded(font: bytes, size: int) -> ImageFont.FreeTypeFont:
    # The basic layout does not depend on other libraries.
    return ImageFont.truetype(io.BytesIO(font), size, layout_engine=ImageFont.Layout.BASIC)


def letter_picture(font: ImageFont.FreeTypeFont, letter: str) -> Image.Image:
    """A white letter in the middle of a black square."""
    canvas = Image.new("L", (4 * SIDE, 4 * SIDE))  # A letter can reach far beyond its place in a line.
    ImageDraw.Draw(canvas).text((2 * SIDE, 2 * SIDE), letter, fill=255, font=font, anchor="ms")
    ink = canvas.crop(canvas.getbbox())
    picture = Image.new("L", (SIDE, SIDE))
    picture.paste(ink, ((SIDE - ink.width) // 2, (SIDE - ink.height) // 2))
    return picture


def fill_with_clothes(folder: Path, count: int) -> None:
    """Write ``count`` training images of Fashion-MNIST. A picture's name is its number in the training set."""
    dataset = load_fashion_mnist("train")
    order = np.random.default_rng(SEED).permutation(len(dataset.images))
    for label, name in enumerate(subfolder_names(dataset.class_names)):
        (folder / name).mkdir()
        for number in order[dataset.labels[order] == label][: count // len(dataset.class_names)]:
            (folder / name / f"{number:05d}.png").write_bytes(png_bytes(dataset.images[number]))


if __name__ == "__main__":
    sys.exit(cli.run(main, "picture_sets.py"))
