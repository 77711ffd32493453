"""Small windows as the vectors of the pools see them: what they share, and how they are read.

Lane l of a vector belongs to window j + l of a row of windows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.cpu.machine.vector import Int, Vector, Vectors

Array = Any

STRIP = 2048  # windows in a row of a task
CELLS = 1 << 13  # in the rows of a task
_TASKS = 64  # where an image is large enough, so that threads find work

NO_COUNTS = np.empty(0, np.int64), np.empty(0, np.int64)  # of a max_pool


class Windows(NamedTuple):
    """How high and wide the windows of a pool are, and how far apart."""

    height: int
    width: int
    stride_y: int
    stride_x: int

    @property
    def shared_rows(self) -> int:
        """How many of a window's last rows are the first ones of the next."""
        return max(0, self.height - self.stride_y)

    @property
    def reach(self) -> tuple[int, int]:
        """How many rows of windows before one share cells with it, and how many columns."""
        return (self.height - 1) // self.stride_y, (self.width - 1) // self.stride_x

    @property
    def pairs(self) -> dict[int, int]:
        """At which column the two vectors begin that hold column b at a stride of 2.

        The last column of an odd window is read at the odd places of a pair that starts one cell
        earlier: so nothing behind the last window is touched.
        """
        last = self.width - 1
        return {b: b - b % 2 if b < last or b % 2 else b - 1 for b in range(self.width)}

    def read_at(self, lane_count: int) -> list[int]:
        """Return at which columns, from the first window's on, vectors of a row are read."""
        firsts = set(self.pairs.values()) if self.stride_x == 2 else range(self.width)
        return sorted({b + u * lane_count for b in firsts for u in range(self.stride_x)})


class Rows(NamedTuple):
    """Rows in memory. Those before `low` and from `high` on are not there: others are `beyond`."""

    first: Any
    pitch: Any
    low: Any
    high: Any
    beyond: Any


class Counts(NamedTuple):
    """Where it is written how many cells the rows and the columns of windows count."""

    rows: Any
    columns: Any


def row_at(v: Vectors, rows: Rows, number: Int) -> Int:
    """Return where a row is."""
    return v.within(number, rows.low, rows.high, rows.first + number * rows.pitch, rows.beyond)


def columns(v: Vectors, windows: Windows, read: Callable[[int], Vector]) -> list[Vector]:
    """Return a vector of cells for each column b of the windows, given one row of the image.

    `read(b)` gives neighbours from column b on. Lane l of vector b is row[l·stride + b]. A stride
    of 2 unzips two vectors: `0 1 2 3 4 5 6 7` holds b = 0: `0 2 4 6` and b = 1: `1 3 5 7`.
    """
    if windows.stride_x == 1:
        return [read(b) for b in range(windows.width)]
    pairs = {b: v.unzipped(read(b), read(b + v.lanes)) for b in set(windows.pairs.values())}
    return [pairs[first][b - first] for b, first in windows.pairs.items()]


def band_rows(planes: int, rows: int, row_cells: int, cells: int) -> int:
    """Return how many rows of windows a task takes: few enough to have tasks for all threads."""
    wanted = -(-_TASKS // planes)
    return max(1, min(-(-rows // wanted), cells // row_cells))


def as_type(counts: tuple[Array, Array], dtype: Any) -> tuple[Array, Array]:
    """Return the cells that rows and columns of windows count, as numbers to divide by."""
    rows, columns = counts
    return rows.astype(dtype), columns.astype(dtype)
