"""A plane of numbers with the padding round it, and a grid: the plane with cells marked on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.player.frame.formats import Format

Array = NDArray[Any]
Cell = tuple[int, int]

# Roles of cells.
WINDOW, RESULT, WINNER, BREAK = "window", "result", "winner", "break"
PADDING, UNKNOWN, UNREAD = "padding", "unknown", "unread"

# What stands for a number that is not there: a cell not computed yet, padding that never wins.
NOTHING = "·"

# How grids may be drawn whatever their size: in numbers, in numbers on a tone, as a picture.
NUMBERS, SHADED, PICTURE = "numbers", "shaded", "picture"
LOOKS = (NUMBERS, SHADED, PICTURE)
# Tones of a shaded number on either side of zero.
TONES = 4


@dataclass(frozen=True, eq=False)
class Sheet:
    """A plane and the ring round it: what stays the same from step to step.

    `rows` and `columns` say for each row and column that is shown which one of the plane its
    numbers come from, -1 being the constant `outside` of the padding (None: no number at all).
    The plane's own first cell is at row `top`, column `left`.
    """

    plane: Array
    format: Format
    rows: Array
    columns: Array
    top: int = 0
    left: int = 0
    outside: Any = 0

    @property
    def shape(self) -> Cell:
        """Rows and columns, the ring included."""
        return len(self.rows), len(self.columns)

    @property
    def has_ring(self) -> bool:
        """Whether there is padding round the plane."""
        return self.shape != self.plane.shape

    def in_ring(self, row: int, column: int) -> bool:
        """Tell whether a shown cell is padding."""
        height, width = self.plane.shape
        return not (0 <= row - self.top < height and 0 <= column - self.left < width)

    def values(self, rows: slice | Array, columns: slice | Array) -> Array:
        """Return the numbers of some rows and columns; 0 where there is no number."""
        y, z = self.rows[rows][:, None], self.columns[columns]
        outside = self.plane.dtype.type(0 if self.outside is None else self.outside)
        if self.plane.size == 0:
            return np.full((y.size, z.size), outside)
        return np.where((y >= 0) & (z >= 0), self.plane[y, z], outside)

    def texts(self, rows: slice, columns: slice) -> list[list[str]]:
        """Return a part of the sheet in characters, all of the format's width."""
        right, values = self.format.right, self.values(rows, columns).tolist()
        if self.outside is not None:
            return [[right(value) for value in line] for line in values]
        nothing = NOTHING.rjust(self.format.width)
        y, z = self.rows[rows].tolist(), self.columns[columns].tolist()
        return [
            [right(v) if i >= 0 and j >= 0 else nothing for v, j in zip(line, z, strict=True)]
            for line, i in zip(values, y, strict=True)
        ]

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The least and the largest finite number of the plane."""
        plane = self.plane[np.isfinite(self.plane)] if self.plane.size else self.plane
        return (float(plane.min()), float(plane.max())) if plane.size else (0.0, 0.0)

    def tone(self, value: Any) -> str:
        """Return the role of a number on a tone: of gray, or below and above zero of two colours.

        >>> sheet = sheet_of(np.array([[-4, 2]]), Format())
        >>> sheet.tone(-4), sheet.tone(2), sheet_of(np.array([[0, 9]]), Format()).tone(9)
        ('tone -4', 'tone 2', 'gray 4')
        """
        least, largest = self.ends
        most = max(-least, largest)
        part = float(value) / most if most > 0 and np.isfinite(value) else 0.0
        return f"{'tone' if least < 0 else 'gray'} {round(min(max(part, -1.0), 1.0) * TONES)}"

    @cached_property
    def all_texts(self) -> list[list[str]]:
        """The whole sheet in characters."""
        return self.texts(slice(None), slice(None))


def sheet_of(plane: Array, format: Format) -> Sheet:
    """Return a plane without padding as a sheet."""
    height, width = plane.shape
    return Sheet(plane, format, np.arange(height), np.arange(width))


@dataclass(frozen=True, eq=False)
class Grid:
    """One panel of a frame: a sheet, a title, and which cells are marked in which role.

    `marked` has rows and columns, counted in cells of the plane, negative ones in the padding: all
    their crossings are marked. `known` counts the cells computed so far, None being all.
    `special` cells have a role of their own. The plane is one of `depth` planes of a volume; of
    a colour picture the sheets of red, green and blue are its `colours`. Without a `look` it is
    drawn as it fits best.
    """

    part: str
    title: str
    sheet: Sheet
    marked: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    role: str = WINDOW
    known: int | None = None
    special: Mapping[Cell, str] = field(default_factory=dict)
    depth: int = 1
    colours: tuple[Sheet, ...] = ()
    look: str = ""

    @property
    def shape(self) -> Cell:
        """Rows and columns, the ring included."""
        return self.sheet.shape

    @cached_property
    def marked_cells(self) -> tuple[frozenset[int], frozenset[int]]:
        """The marked rows and columns as the sheet counts them."""
        rows, columns = self.marked
        top, left = self.sheet.top, self.sheet.left
        return frozenset(i + top for i in rows), frozenset(j + left for j in columns)

    def is_known(self, row: int, column: int) -> bool:
        """Tell whether a cell has been computed yet."""
        return self.known is None or row * self.sheet.plane.shape[1] + column < self.known
