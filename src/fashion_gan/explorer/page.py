"""The page to play on, with all that it needs inside: the server's and the one in a single file are the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from fashion_gan.generator import Generator
from fashion_gan.version import __version__

_FOLDER = Path(__file__).parent
_SHARED = ("state.js", "painting.js")


def about(name: str, generator: Generator, *, served: bool) -> dict[str, Any]:
    """What the page says of a generator, and reads of it.

    Args:
        name: what the user calls it.
        generator: draws the one picture that its shape is known by.
        served: whether a server draws, and not the page itself.
    """
    shape = generator.generate(1).shape[1:]
    height, width, channels = shape
    return {
        "name": name,
        "lead": f"{height}×{width} {'colour' if channels == 3 else 'grey'} pictures that a generator draws. "
        + ("They are drawn on this computer." if served else "This page draws them: it needs no network."),
        "seeds": "Seeds are those of fashion-gan generate."
        if served
        else "Its seeds are its own: the command's draw other pictures.",
        "shape": shape,
        "latent_dim": generator.latent_dim,
        "class_names": generator.class_names,
        "served": served,
    }


def render(
    about: dict[str, Any],
    engine: Sequence[str],
    policy: str,
    blocks: Sequence[tuple[str, str, str]] = (),
    run: dict[str, Any] | None = None,
) -> str:
    """The whole page as HTML.

    Args:
        about: from ``about``.
        engine: the scripts, by their names in this folder, that define ``openEngine``.
        policy: the page's Content-Security-Policy.
        blocks: (id, type, text) of what the engine reads; the text must not hold ``</``.
        run: what is known of the run, from ``run_facts``.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(_read("page.html.jinja")).render(
        about=about,
        policy=policy,
        style=Markup(_read("page.css")),
        blocks=[(name, kind, Markup(text)) for name, kind, text in blocks],
        scripts=[Markup(_read(name)) for name in (*_SHARED, *engine, "page.js")],
        run=run,
        version=__version__,
    )


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8").strip()
