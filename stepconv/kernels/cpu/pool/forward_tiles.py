"""The small pieces of vector code of the pools: as many neighbouring windows as a vector has lanes.

Lane l of a vector belongs to window j + l. Each tile has two forms: one for windows that lie
inside of the image, and one for `edges`, which touches nothing beyond them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.cpu.machine.vector import (
    Int,
    Mask,
    Vector,
    Vectors,
    tile,
)

Reader = Callable[[Int, int], list[Vector]]


class Windows(NamedTuple):
    """How high and wide the windows of a pool are, and how far apart."""

    height: int
    width: int
    stride_y: int
    stride_x: int


class Image(NamedTuple):
    """Where a tile finds the cells under its windows.

    The first cell of the first window is at `source`, in the image or in the padding round it. Of
    the rows from there on, only those from `top` to `bottom` - 1 are in the image, and of the
    cells in a row those from `left` to `right` - 1. A row of padding is at `padding`.
    """

    source: Int
    pitch: Int
    top: Int
    bottom: Int
    left: Int
    right: Int
    padding: Int


def read_at(windows: Windows, lane_count: int) -> list[int]:
    """Return the columns, counted from the first window's, at which vectors of a row are read."""
    firsts = set(_pairs(windows).values()) if windows.stride_x == 2 else range(windows.width)
    return sorted({b + u * lane_count for b in firsts for u in range(windows.stride_x)})


def _pairs(windows: Windows) -> dict[int, int]:
    """Return at which column the two vectors begin that hold column b at a stride of 2.

    The last column of an odd window is read at the odd places of a pair that starts one cell
    earlier: so nothing behind the last window is touched.
    """
    width = windows.width
    return {b: b - b % 2 if b < width - 1 or b % 2 else b - 1 for b in range(width)}


def columns(v: Vectors, windows: Windows, read: Callable[[int], Vector]) -> list[Vector]:
    """Return a vector of cells for each column b of the windows, given one row of the image.

    `read(b)` gives neighbours from column b on. Lane l of vector b is row[l·stride + b]. A stride
    of 2 unzips two vectors: `0 1 2 3 4 5 6 7` holds b = 0: `0 2 4 6` and b = 1: `1 3 5 7`.
    """
    if windows.stride_x == 1:
        return [read(b) for b in range(windows.width)]
    pair = _pairs(windows)
    pairs = {b: v.unzipped(read(b), read(b + v.lanes)) for b in set(pair.values())}
    return [pairs[first][b - first] for b, first in pair.items()]


def window_cells(v: Vectors, windows: Windows, image: Image, edges: bool, padding: float) -> Reader:
    """Return a function that reads row a of window i: a vector of cells for each column b."""
    masks: dict[int, Mask] = {}
    if edges:
        for b in read_at(windows, v.lanes):
            masks[b] = v.lanes_between(image.left - b, image.right - b)

    def cells(i: Int, a: int) -> list[Vector]:
        y = i * windows.stride_y + a
        row = image.source + image.pitch * y
        if not edges:
            return columns(v, windows, lambda b: v.load(row + b * v.size))
        row = v.within(y, image.top, image.bottom, row, image.padding)
        beyond = v.constant(padding)
        return columns(v, windows, lambda b: v.load_where(masks[b], row + b * v.size, beyond))

    return cells


def largest(v: Vectors, cells: Sequence[Vector]) -> Vector:
    """Return the largest of some cells, or the first NaN.

    A later cell takes the place of the best so far if
    cell > best or (cell != cell and best == best).
    """
    best = cells[0]
    for cell in cells[1:]:
        best = v.select(v.above_or_nan(cell, best) & ~v.either_nan(best, best), cell, best)
    return best


def shared_rows(windows: Windows) -> int:
    """Return how many of a window's last rows are the first ones of the next."""
    return max(0, windows.height - windows.stride_y)


@functools.cache
def pooled(dtype: Any, windows: Windows, average: bool, edges: bool) -> Any:
    """Return the tile that writes what a pool makes of each window, for `rows` rows of windows.

    That is its largest cell, or its sum / (row_cells · column_cells). Inside of the image `vectors`
    of them are taken side by side, the last one `last` windows behind the first; only one of them
    where windows share rows, so that the largest cells of these stay in registers.
    """
    height, alone = windows.height, edges or shared_rows(windows) > 0
    shared = 0 if average else shared_rows(windows)

    @tile(dtype)
    def write(
        v: Vectors,
        source: Int,
        pitch: Int,
        top: Int,
        bottom: Int,
        left: Int,
        right: Int,
        padding: Int,
        rows: Int,
        row_cells: Int,
        column_cells: Int,
        out: Int,
        out_pitch: Int,
        count: Int,
        vectors: Int,
        last: Int,
    ) -> None:
        image = Image(source, pitch, top, bottom, left, right, padding)
        here = window_cells(v, windows, image, edges, 0.0 if average else -np.inf)

        def put(at: Int, result: Vector) -> None:
            if edges:
                v.store_some(at, result, count)
            else:
                v.store(at, result)

        def mean(i: Int, along: Int | int, cells: Reader) -> Vector:
            total = v.zero()
            for a in range(height):
                for cell in cells(i, a):
                    total = total + cell
            counted = column_cells + along
            columns = v.load_some(counted, count) if edges else v.load(counted)
            return v.quotient(total, v.splat(row_cells + i * v.size) * columns)

        def down(i: Int, state: list[Vector]) -> list[Vector]:
            """Take one vector of windows of row i."""
            if average:
                put(out + i * out_pitch, mean(i, 0, here))
                return []
            best = [*state, *(largest(v, here(i, a)) for a in range(shared, height))]
            put(out + i * out_pitch, largest(v, best))
            return best[height - shared :]

        def row(i: Int, _: list[Vector]) -> list[Vector]:
            """Take all windows of row i."""

            def step(k: Int, _: list[Vector]) -> list[Vector]:
                j = v.within(k, 0, vectors - 1, k * v.lanes, last)
                along = j * v.size
                moved = image._replace(source=source + along * windows.stride_x)
                cells = window_cells(v, windows, moved, edges, 0.0)
                if average:
                    result = mean(i, along, cells)
                else:
                    result = largest(v, [largest(v, cells(i, a)) for a in range(height)])
                put(out + i * out_pitch + along, result)
                return []

            return v.loop(vectors, [], step)

        if alone:
            # rows - rows is a 0 of the tile's own
            v.loop(rows, [largest(v, here(rows - rows, a)) for a in range(shared)], down)
        else:
            v.loop(rows, [], row)

    return write
