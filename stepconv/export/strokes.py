"""A figure as strokes: boxes, labels, shapes and pixels, which any kind of picture can draw.

They come in the order in which they are drawn: what is filled first, letters last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from stepconv.export.figure import SIZE, Arrow, Figure, Picture, Rule, Table, Words
from stepconv.export.looks import Look, Theme, look

# In parts of their size: how far below its middle a line of letters stands, how wide a digit is.
_BASE, _DIGIT = 0.35, 0.556


class Box(NamedTuple):
    """A rectangle: filled, or with a line round it, or both."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None
    line: str | None
    thick: float = 1


class Pixels(NamedTuple):
    """A picture: rows and columns of red, green and blue, stretched over a rectangle."""

    x: float
    y: float
    width: float
    height: float
    shape: tuple[int, int]
    content: bytes


class Shape(NamedTuple):
    """A filled polygon."""

    points: tuple[tuple[float, float], ...]
    fill: str


class Label(NamedTuple):
    """Letters of one line, in pieces of one look each; `ends` if x is where they end."""

    x: float
    y: float
    size: float
    pieces: tuple[tuple[str, Look], ...]
    ends: bool = False

    @property
    def text(self) -> str:
        """The letters without their looks."""
        return "".join(text for text, _ in self.pieces)


Stroke = Box | Pixels | Shape | Label
LAYERS = (Box, Pixels, Shape, Label)


def strokes(figure: Figure, theme: Theme) -> list[Stroke]:
    """Return what there is to draw of a figure, in order."""
    found = [stroke for part in (figure.head, *figure.parts) for stroke in _strokes(part, theme)]
    return sorted(found, key=lambda stroke: LAYERS.index(type(stroke)))


def corners(arrow: Arrow) -> tuple[tuple[float, float], ...]:
    """Return the corners of an arrow."""
    x, y, length, back = arrow
    head = [(length - 10, 1.5), (length - 10, 6), (length, 0), (length - 10, -6)]
    outline = [(0, 1.5), *head, (length - 10, -1.5), (0, -1.5)]
    return tuple((x + (length - dx if back else dx), y + dy) for dx, dy in outline)


def _strokes(part: object, theme: Theme) -> Iterator[Stroke]:
    match part:
        case Table():
            yield from _table(part, theme)
        case Picture(x, y, (width, height), shape, pixels, marked, role):
            yield Pixels(x, y, width, height, shape, pixels)
            if marked is not None:
                left, top, wide, high = marked
                box = x + left, y + top, wide, high
                yield from _outline(box, look(role, theme).paper or theme.ink)
        case Words(x, y, pieces, size):
            looks = tuple((piece.text, look(piece.role, theme)) for piece in pieces)
            yield Label(x, y + _BASE * size, size, looks)
        case Arrow():
            yield Shape(corners(part), look("arrow", theme).ink)
        case Rule(x, y, length):
            yield Box(x, y, length, 1, theme.faint, None)


def _table(table: Table, theme: Theme) -> Iterator[Stroke]:
    height = table.cell[1]
    for i, row in enumerate(table.rows):
        x, y = table.x, table.y + i * height
        for cell, width in zip(row, table.widths, strict=True):
            seen = look(cell.role, theme)
            # The cell as it is without a mark comes first: in a film it always stays.
            yield Box(x, y, width, height, theme.paper, theme.line)
            if seen.paper is not None:
                yield Box(x, y, width, height, seen.paper, theme.line)
            if cell.text:
                base = y + height / 2 + _BASE * SIZE
                at = x + (table.inset if cell.is_name else width - table.inset)
                yield Label(at, base, SIZE, ((cell.text, seen),), ends=not cell.is_name)
            if cell.text and seen.struck:
                long = len(cell.text) * _DIGIT * SIZE
                yield Box(x + width - table.inset - long, y + height / 2, long, 1, seen.ink, None)
            x += width


def _outline(box: tuple[float, float, float, float], fill: str) -> Iterator[Stroke]:
    """Yield a frame round a part of a picture: shapes, which are drawn on pixels."""
    x, y, width, height = box
    for left, top, right, bottom in (
        (x - 2, y - 2, x + width + 2, y),
        (x - 2, y + height, x + width + 2, y + height + 2),
        (x - 2, y, x, y + height),
        (x + width, y, x + width + 2, y + height),
    ):
        yield Shape(((left, top), (right, top), (right, bottom), (left, bottom)), fill)


def written(value: float, digits: int = 2) -> str:
    """Return a number in as few letters as a file needs.

    >>> written(3), written(2.5), written(1 / 3)
    ('3', '2.5', '0.33')
    """
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")
