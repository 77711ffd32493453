"""A frame as a figure: tables, pictures and words at their places, in units of a screen's pixel.

Input, what happens, and output stand side by side, the sums below; a signal's rows stand one below
the other. A plane with more numbers than a page can hold becomes a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stepconv.player.frame.frames import Frame
from stepconv.player.frame.grid import UNKNOWN, Grid
from stepconv.player.text import head_and_foot, numbers, panels, picture
from stepconv.player.text.lines import Line, Piece, above, as_text, clipped, columns

# The size of letters, and of those in titles; how far one letter is from the next, at most and on
# average.
SIZE, TITLE_SIZE = 16, 18
ADVANCE, _ON_AVERAGE = 9.6, 8.2
LINE, CELL = 24, 28
HEAD = TITLE_SIZE + LINE + 8
MARGIN, GAP, _ARROW = 24, 18, 44
# Pixels that are not computed yet: no gray that a picture has.
_UNKNOWN = (200, 206, 216)
# Tables of more cells are pictures, of so many pixels a side at most.
_MOST_ROWS, WIDEST, _PICTURE, _MOST_PIXELS = 32, 1000, 420, 256
# Narrower than this the sums have no room; more lines of them nobody reads.
NARROWEST, _MOST_LINES = 760, 9


class Cell(NamedTuple):
    """A number as it is written, and its role; or a name, which begins at the left."""

    text: str
    role: str
    is_name: bool = False


class Table(NamedTuple):
    """Cells of one size; numbers end so far from a cell's right edge.

    `wide` are the widths of the columns where they differ.
    """

    x: float
    y: float
    cell: tuple[float, float]
    rows: tuple[tuple[Cell, ...], ...]
    inset: float
    wide: tuple[float, ...] = ()

    @property
    def widths(self) -> tuple[float, ...]:
        """The width of each column."""
        return self.wide or (self.cell[0],) * max(map(len, self.rows), default=0)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return sum(self.widths), self.cell[1] * len(self.rows)


class Picture(NamedTuple):
    """Pixels as bytes of red, green and blue, and the place in it that is marked, if one is."""

    x: float
    y: float
    size: tuple[float, float]
    shape: tuple[int, int]
    pixels: bytes
    marked: tuple[float, float, float, float] | None
    role: str


class Words(NamedTuple):
    """A line of text whose pieces have roles; `y` is its middle."""

    x: float
    y: float
    pieces: tuple[Piece, ...]
    size: float = SIZE


class Arrow(NamedTuple):
    """From input to output; `back` if what is shown flows back."""

    x: float
    y: float
    length: float
    back: bool


class Rule(NamedTuple):
    """A line under a column of numbers that are added up."""

    x: float
    y: float
    length: float


Part = Table | Picture | Words | Arrow | Rule


@dataclass(frozen=True)
class Figure:
    """A step as it is drawn: its title, its parts, and the sentence for those who listen."""

    width: float
    height: float
    head: Words
    spoken: str
    parts: tuple[Part, ...]

    @property
    def title(self) -> str:
        """The line at the top."""
        return as_text(self.head.pieces)


class Panel(NamedTuple):
    """A grid with its title, and the room that it takes in every step."""

    grid: Grid
    drawn: Table | Picture
    width: float
    height: float

    def at(self, x: float, y: float) -> tuple[Part, ...]:
        """Return the parts of the panel when its corner is here."""
        title = Words(x, y + LINE / 2, (Piece(self.grid.title, "title"),), SIZE - 2)
        return title, self.drawn._replace(x=x, y=y + LINE)


def top(frame: Frame) -> tuple[float, float, list[Part]]:
    """Return the panels of a frame, and the width and height that they take in every step."""
    return _stacked(frame) if frame.one_row else _abreast(frame)


def told(frame: Frame, width: float) -> tuple[Line, ...]:
    """Return the lines below the panels: the sums, what is rounded, the size formula."""
    room = int((width - 2 * MARGIN) / ADVANCE)
    return above(panels.words(frame, room, _MOST_LINES), panels.below(frame, room)).lines


def size_of(frame: Frame) -> tuple[float, float]:
    """Return the width and height that a frame needs, without the lines below its panels."""
    width, height, _ = top(frame)
    return max(width, NARROWEST) + 2 * MARGIN, height + HEAD + 2 * MARGIN


def height_of(lines: int) -> float:
    """Return the height of so many lines below the panels."""
    return lines * LINE + GAP / 2


def figure(frame: Frame, spoken: str, size: tuple[float, float], heading: str = "") -> Figure:
    """Return the figure of a frame on a page of a size; the heading is that of a link."""
    width, height = size
    room = title_room(width)
    title = " · ".join(head_and_foot.heading(frame, None, room))
    _, panels_height, parts = top(frame)
    y: float = MARGIN + HEAD
    moved = [part._replace(x=part.x + MARGIN, y=part.y + y) for part in parts]
    y += panels_height + GAP / 2
    second = heading or ("" if frame.title in title else frame.title)
    under = subheading_of(clipped(second, room))
    below = [
        part
        for number, line in enumerate(told(frame, width))
        for part in words(line, y + (number + 0.5) * LINE)
    ]
    head = heading_of(title)
    return Figure(width, height, head, spoken, (*([under] if second else []), *moved, *below))


def title_room(width: float) -> int:
    """Return how many letters a title has room for."""
    return int((width - 2 * MARGIN) / (ADVANCE * TITLE_SIZE / SIZE))


def heading_of(title: str) -> Words:
    """Return a title at its place."""
    return Words(MARGIN, MARGIN + TITLE_SIZE / 2, (Piece(title, "title"),), TITLE_SIZE)


def subheading_of(text: str) -> Words:
    """Return the line below a title at its place."""
    return Words(MARGIN, MARGIN + TITLE_SIZE + LINE / 2, (Piece(text, "muted"),), SIZE - 2)


def _abreast(frame: Frame) -> tuple[float, float, list[Part]]:
    """Input, what happens and output side by side; a gradient flows from right to left."""
    left, right = (_panel(frame, grid) for grid in frame.sides)
    middle = [_panel(frame, grid) for grid in _middle(frame, left, right)]
    parts: list[Part] = [*left.at(0, 0)]
    x = left.width
    height = max(left.height, right.height)
    arrows = [x]
    if middle:
        x += _ARROW
        y = 0.0
        for panel in middle:
            parts += panel.at(x, y)
            y += panel.height + GAP / 2
        x += max(panel.width for panel in middle)
        height = max(height, y - GAP / 2)
        arrows.append(x)
    line = LINE + min(left.height, right.height, height) / 2 - LINE / 2
    parts += [Arrow(at + 8, line, _ARROW - 16, frame.backward) for at in arrows]
    parts += right.at(x + _ARROW, 0)
    return x + _ARROW + right.width, height, parts


def _stacked(frame: Frame) -> tuple[float, float, list[Part]]:
    """The rows of a signal one below the other, the kernel under the cells that it meets."""
    first, last = (_panel(frame, grid) for grid in frame.sides)
    middle = [_panel(frame, grid) for grid in _middle(frame, first, last)]
    order = [first, *middle, last]
    shown = [panel.drawn for panel in order if isinstance(panel.drawn, Table)]
    wide = max((table.cell[0] for table in shown), default=0)
    order = [_widened(panel, wide) for panel in order]
    at = [column + frame.source.sheet.left for column in frame.source.marked[1]]
    whole = isinstance(order[0].drawn, Table) and not frame.backward
    under = at[0] * wide if whole and at and at == list(range(at[0], at[0] + len(at))) else 0
    parts: list[Part] = []
    y = 0.0
    for panel in order:
        aligned = (
            panel.grid.part in ("kernel", "products", "window") and len(at) == (panel.grid.shape[1])
        )
        parts += panel.at(under if aligned else 0, y)
        y += panel.height + GAP / 2
    return max(panel.width for panel in order), y - GAP / 2, parts


def _widened(panel: Panel, wide: float) -> Panel:
    """Return a panel whose cells are so wide."""
    if not isinstance(panel.drawn, Table):
        return panel
    _, height = panel.drawn.cell
    inset = panel.drawn.inset + (wide - panel.drawn.cell[0]) / 2
    drawn = panel.drawn._replace(cell=(wide, height), inset=inset)
    return panel._replace(drawn=drawn, width=max(panel.width, drawn.size[0]))


def _middle(frame: Frame, *sides: Panel) -> list[Grid]:
    """Return the grids between input and output: the window too, where its numbers are not seen."""
    inner = panels.inner(frame)
    seen = all(isinstance(side.drawn, Table) or side.grid is not frame.source for side in sides)
    hidden = frame.window is not None and frame.window not in inner and not seen
    return [frame.window, *inner] if hidden and frame.window else inner


def _panel(frame: Frame, grid: Grid) -> Panel:
    """Return a grid of a frame; what changes its size takes the most that it ever needs."""
    made = panel(grid)
    if not panels.is_steady(grid) or not isinstance(made.drawn, Table):
        return made
    (rows, across), (wide, high) = frame.largest_patch, made.drawn.cell
    room = max(made.width, across * wide), max(made.height, rows * high + LINE)
    return made._replace(width=room[0], height=room[1])


def panel(grid: Grid) -> Panel:
    """Return a grid with its title: in numbers, or if they are too many as a picture."""
    rows, across = grid.shape
    small = rows <= _MOST_ROWS and across * _cell_width(grid) <= WIDEST
    drawn = _table(grid) if small else _picture(grid)
    width, height = drawn.size
    title = columns(grid.title) * ADVANCE * (SIZE - 2) / SIZE
    return Panel(grid, drawn, max(width, title), height + LINE)


def _table(grid: Grid) -> Table:
    marked_rows, marked_columns = grid.marked_cells
    rows = []
    for i, texts in enumerate(grid.sheet.all_texts):
        roles = [
            numbers.role_of(grid, i, j, i in marked_rows and j in marked_columns)
            for j in range(len(texts))
        ]
        told = zip(texts, roles, strict=True)
        rows.append(tuple(Cell("" if r == UNKNOWN else text.strip(), r) for text, r in told))
    width = _cell_width(grid)
    inset = (width - grid.sheet.format.width * ADVANCE) / 2
    return Table(0, 0, (width, CELL), tuple(rows), inset)


def _cell_width(grid: Grid) -> float:
    return max(CELL, grid.sheet.format.width * ADVANCE + 14)


def _picture(grid: Grid) -> Picture:
    """Return a grid as pixels; those that are not computed yet are as the padding."""
    rows, across = grid.shape
    scale = _PICTURE / max(rows, across, 1)
    size = max(across * scale, 8), max(rows * scale, 8)
    shape = min(rows, _MOST_PIXELS), min(across, _MOST_PIXELS)
    pixels = np.array(picture.colours(grid.colours or (grid.sheet,), *shape), np.uint8).reshape(
        *shape, 3
    )
    pixels.reshape(-1, 3)[picture.known_pixels(grid, *shape) :] = _UNKNOWN
    down, right = grid.marked_cells
    marked = None
    if down and right:
        up, left = min(down) * scale, min(right) * scale
        marked = left, up, (max(right) + 1) * scale - left, (max(down) + 1) * scale - up
    return Picture(0, 0, size, shape, pixels.tobytes(), marked, grid.role)


def words(line: Line, y: float) -> list[Part]:
    """Return a line of the player as words; what two spaces end is a column of its own."""
    text = as_text(line)
    if text and not text.strip("─"):
        return [Rule(MARGIN, y, len(text) * _ON_AVERAGE)]
    first = line[0].text if line else ""
    if len(line) > 1 and first.endswith("  "):
        name = Words(MARGIN, y, (line[0]._replace(text=first.rstrip()),))
        return [name, Words(MARGIN + columns(first) * _ON_AVERAGE, y, _joined(line[1:]))]
    return [Words(MARGIN, y, _joined(line))] if text.strip() else []


def _joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return pieces without the empty ones; neighbours of one role are one."""
    joined: list[Piece] = []
    for text, role, _ in pieces:
        if joined and joined[-1].role == role:
            joined[-1] = Piece(joined[-1].text + text, role)
        elif text:
            joined.append(Piece(text, role))
    return tuple(joined)
