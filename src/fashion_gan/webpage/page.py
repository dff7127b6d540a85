"""The interactive page as HTML, with its style and scripts inside. It can draw by itself or ask a server."""

from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from fashion_gan.arrays import JsonObject
from fashion_gan.generator import Generator
from fashion_gan.version import __version__

_FOLDER = Path(__file__).parent
_SHARED_SCRIPTS = ("state.js", "painting.js")


def describe(name: str, generator: Generator, *, served: bool) -> JsonObject:
    """Describe a generator for the page's text and its scripts.

    Args:
        name: the generator's name, shown as the heading.
        generator: the generator. It draws one picture, to find the pictures' shape.
        served: whether a server draws; without one, the page draws by itself.
    """
    height, width, channels = generator.image_shape
    return {
        "name": name,
        "lead": f"A generator draws these {height}×{width} {'gray' if channels == 1 else 'color'} pictures "
        + ("on this computer." if served else "inside this page. It needs no network."),
        "seeds": "A seed draws the same pictures as in fashion-gan generate."
        if served
        else "The same seed draws different pictures in fashion-gan generate.",
        "shape": generator.image_shape,
        "latent_dim": generator.latent_dim,
        "class_names": generator.class_names,
        "served": served,
    }


def render(
    about: JsonObject,
    engine: Sequence[str],
    policy: str,
    blocks: Sequence[tuple[str, str, str]] = (),
    run: JsonObject | None = None,
) -> str:
    """Render the whole page as HTML.

    Args:
        about: the generator, from ``describe``.
        engine: names of the scripts in this folder that define ``openEngine``.
        policy: the page's Content-Security-Policy.
        blocks: (id, type, text) of each data block that the engine reads. The text must not contain ``</``.
        run: the run's pictures and metrics, from ``explorer.run_summary.summarize_run``.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(_read("page.html.jinja")).render(
        about=about,
        policy=policy,
        style=Markup(_read("page.css")),
        blocks=[(block_id, media_type, Markup(text)) for block_id, media_type, text in blocks],
        scripts=[Markup(_read(name)) for name in (*_SHARED_SCRIPTS, *engine, "page.js")],
        run=run,
        version=__version__,
    )


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8").strip()
