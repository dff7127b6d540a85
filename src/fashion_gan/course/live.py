"""Show the page that trains a GAN in the browser inside a notebook."""

import base64
import re

from fashion_gan.course.notebooks import PAGE

HEIGHT = 860  # pixels
DATA_ADDRESS = re.compile(r"data:text/html;base64,[\w+/=]+")
"""The address of the whole page as a text. The documentation site has the page as files, and links to those."""


def show(preset: str) -> None:
    """Show the live page with a preset. It waits until the reader presses Play.

    Args:
        preset: a preset of ``live_gan/presets.js``, such as "collapse".
    """
    from IPython.display import HTML, display

    address = f"data:text/html;base64,{base64.b64encode(single_file().encode()).decode()}#{preset}"
    size = f'width="100%" height="{HEIGHT}" style="border: 0"'
    frame = f'<div><iframe src="{address}" title="A GAN, live" {size}></iframe></div>'
    display(HTML(frame, metadata={"preset": preset}))


def single_file() -> str:
    """The page as one text: its style and its scripts are inside."""

    def text(name: str) -> str:
        return (PAGE / name).read_text(encoding="utf-8")

    page = re.sub(r'<script src="(.+?)">', lambda match: f"<script>{text(match[1])}", text("index.html"))
    return re.sub(r'<link rel="stylesheet" href="(.+?)">', lambda match: f"<style>{text(match[1])}</style>", page)
