"""Cards: pages of Markdown about a model or a data set, from a template."""

from pathlib import Path
from typing import Any

import jinja2

from fashion_gan.rendering.tables import escape_markdown, markdown_code


def render_card(template: Path, **facts: Any) -> str:
    """Fill a template with facts. A fact that the template names and that is missing is an error."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.keep_trailing_newline = True
    environment.filters |= {"escape_markdown": escape_markdown, "code": markdown_code}
    return environment.from_string(template.read_text(encoding="utf-8")).render(**facts)
