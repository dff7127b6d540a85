"""Rows of text -> an aligned table for the terminal or for HTML; and text that Markdown shows as it is."""

import html
import re
import unicodedata
from collections.abc import Sequence

GAP = "  "


def format_table(rows: Sequence[Sequence[str]], align: str) -> str:
    """Align the cells of a table; columns are two spaces apart.

    Args:
        rows: the cells, row by row, the headings first. A short row leaves its last cells empty.
        align: a letter for each column: "l" (left) or "r" (right).

    Returns:
        One line for each row, without spaces at its end.

    Example:
        >>> print(format_table([["class", "kept"], ["Bag", "1,000"]], "lr"))
        class   kept
        Bag    1,000
    """
    padded = [[*row, *[""] * (len(align) - len(row))] for row in rows]
    widths = [max(_columns(cell) for cell in column) for column in zip(*padded, strict=True)]
    lines = []
    for row in padded:
        cells = []
        for cell, width, side in zip(row, widths, align, strict=True):
            space = " " * (width - _columns(cell))
            cells.append(cell + space if side == "l" else space + cell)
        lines.append(GAP.join(cells).rstrip())
    return "\n".join(lines)


def _columns(text: str) -> int:
    """The columns that a text takes in a terminal: two for a Chinese character, none for an accent or a joiner."""
    if text.isascii():
        return len(text)
    shown = (letter for letter in text if unicodedata.category(letter) not in ("Mn", "Me", "Cf"))
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in shown)


def format_html_table(rows: Sequence[Sequence[str]], align: str) -> str:
    """The same table as HTML, for notebooks. The first row holds the headings; texts are escaped.

    Args:
        rows, align: as in ``format_table``.
    """
    sides = {"l": "left", "r": "right"}
    lines = []
    for number, row in enumerate(rows):
        tag = "td" if number else "th"
        cells = zip([*row, *[""] * (len(align) - len(row))], align, strict=True)
        texts = (f'<{tag} style="text-align: {sides[side]}">{html.escape(cell)}</{tag}>' for cell, side in cells)
        lines.append(f"<tr>{''.join(texts)}</tr>")
    return "<table>" + "".join(lines) + "</table>"


def escape_markdown(text: str) -> str:
    """Escape a text so that Markdown and the HTML in it show it as it is, in a paragraph and in a table's cell.

    Example:
        >>> print(escape_markdown("a|b <i>*c*</i>"))
        a\\|b &lt;i&gt;\\*c\\*&lt;/i&gt;
    """
    marked = re.sub(r"[\\`*_\[\]{}|~$@]|:(?=//)|(?<=www)\.", r"\\\g<0>", _on_one_line(text), flags=re.IGNORECASE)
    return html.escape(marked, quote=False)


def markdown_code(text: str) -> str:
    """A text as code in Markdown, whatever characters it has."""
    text = _on_one_line(text)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    # A space separates the fence from backticks; Markdown removes it.
    return f"{fence} {text} {fence}" if longest else f"{fence}{text}{fence}"


def _on_one_line(text: str) -> str:
    return re.sub(r"[\r\n\v\f\x85\u2028\u2029]+", " ", text)
