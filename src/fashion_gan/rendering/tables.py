"""Rows of text -> an aligned table for the terminal. Every table that the command prints is made here."""

import html
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
    widths = [max(len(cell) for cell in column) for column in zip(*padded, strict=True)]
    lines = []
    for row in padded:
        cells = zip(row, widths, align, strict=True)
        lines.append(GAP.join(cell.ljust(width) if side == "l" else cell.rjust(width) for cell, width, side in cells))
    return "\n".join(line.rstrip() for line in lines)


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
