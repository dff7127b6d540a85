"""What a folder of the user's own pictures holds: its classes, and what was left out and why. Printed as tables."""

import dataclasses

from fashion_gan.rendering.tables import format_table

MAX_ROWS = 20

Size = tuple[int, int]
"""The width and height of a picture, in pixels."""


@dataclasses.dataclass(frozen=True)
class ClassContents:
    """The pictures of one class.

    Attributes:
        name: the class's name; "" if the folder has no classes.
        count: the number of pictures.
        smallest, largest: the sizes of the pictures with the fewest and with the most pixels.
    """

    name: str
    count: int
    smallest: Size
    largest: Size


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """Files that were left out for the same reason.

    Attributes:
        reason: why.
        count: how many.
        example: one of them, relative to the data folder.
    """

    reason: str
    count: int
    example: str


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a folder of pictures holds. ``print`` shows it as tables, of at most twenty rows each.

    Attributes:
        classes: the classes, in the order of their labels.
        left_out: what was not read.
        notes: how pictures were changed, a sentence each.
    """

    classes: tuple[ClassContents, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [self._class_table(), self._left_out_table() if self.left_out else "", "\n".join(self.notes)]
        return "\n\n".join(filter(None, parts))

    def _class_table(self) -> str:
        rows = [["class", "pictures", "width×height"]]
        for row in self.classes[:MAX_ROWS]:
            rows.append([row.name or "(no classes)", f"{row.count:,}", _format_sizes(row.smallest, row.largest)])
        rest = self.classes[MAX_ROWS:]
        if rest:
            rows.append([f"{len(rest):,} more classes", f"{sum(row.count for row in rest):,}"])
        if len(self.classes) > 1:
            rows.append([f"all {len(self.classes):,} classes", f"{sum(row.count for row in self.classes):,}"])
        return format_table(rows, "lrl")

    def _left_out_table(self) -> str:
        rows = [["left out", "files", "such as"]]
        for row in self.left_out[:MAX_ROWS]:
            rows.append([row.reason, f"{row.count:,}", row.example])
        rest = self.left_out[MAX_ROWS:]
        if rest:
            rows.append(["for other reasons", f"{sum(row.count for row in rest):,}", rest[0].example])
        return format_table(rows, "lrl")


def _format_sizes(smallest: Size, largest: Size) -> str:
    sizes = [f"{width}×{height}" for width, height in (smallest, largest)]
    return sizes[0] if smallest == largest else " to ".join(sizes)
