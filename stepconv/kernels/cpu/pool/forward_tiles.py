"""The small pieces of vector code of the pools: as many neighbouring windows as a vector has lanes.

Each tile has two forms: one for windows that lie inside of the image, and one for `edges`, which
touches nothing beyond them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.cpu.machine.vector import Int, Mask, Vector, Vectors, tile
from stepconv.kernels.cpu.pool.windows import Counts, Rows, Windows, columns, row_at

Reader = Callable[[Int, int], list[Vector]]


class Image(NamedTuple):
    """Where a tile finds the cells under its windows, from the first cell of the first window on.

    Of the cells in a row those from `left` to `right` - 1 are in the image.
    """

    rows: Rows
    left: Any
    right: Any


def window_cells(v: Vectors, windows: Windows, image: Image, edges: bool, padding: float) -> Reader:
    """Return a function that reads row a of window i: a vector of cells for each column b."""
    masks: dict[int, Mask] = {}
    if edges:
        for b in windows.read_at(v.lanes):
            masks[b] = v.lanes_between(image.left - b, image.right - b)

    def cells(i: Int, a: int) -> list[Vector]:
        y = i * windows.stride_y + a
        if not edges:
            row = image.rows.first + image.rows.pitch * y
            return columns(v, windows, lambda b: v.load(row + b * v.size))
        row, beyond = row_at(v, image.rows, y), v.constant(padding)
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


@functools.cache
def pooled(dtype: Any, windows: Windows, average: bool, edges: bool) -> Any:
    """Return the tile that writes what a pool makes of each window, for `rows` rows of windows.

    That is its largest cell, or its sum / (counts of its row · of its column). Inside of the image
    `vectors` of them are taken side by side, the last one `last` windows behind the first; only one
    of them where windows share rows, so that the largest cells of these stay in registers. At the
    edges `some` lanes are written.
    """
    height, alone = windows.height, edges or windows.shared_rows > 0
    shared = 0 if average else windows.shared_rows

    @tile(dtype)
    def write(
        v: Vectors,
        image: Image,
        counts: Counts,
        rows: Int,
        out: Int,
        out_pitch: Int,
        some: Int,
        vectors: Int,
        last: Int,
    ) -> None:
        def put(at: Int, result: Vector) -> None:
            if edges:
                v.store_some(at, result, some)
            else:
                v.store(at, result)

        def mean(i: Int, along: Int | int, cells: Reader) -> Vector:
            total = v.zero()
            for a in range(height):
                for cell in cells(i, a):
                    total = total + cell
            counted = counts.columns + along
            columns = v.load_some(counted, some) if edges else v.load(counted)
            return v.quotient(total, v.splat(counts.rows + i * v.size) * columns)

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
                along = v.within(k, 0, vectors - 1, k * v.lanes, last) * v.size
                moved = image.rows._replace(first=image.rows.first + along * windows.stride_x)
                cells = window_cells(v, windows, image._replace(rows=moved), edges, 0.0)
                if average:
                    result = mean(i, along, cells)
                else:
                    result = largest(v, [largest(v, cells(i, a)) for a in range(height)])
                put(out + i * out_pitch + along, result)
                return []

            return v.loop(vectors, [], step)

        if alone:
            here = window_cells(v, windows, image, edges, 0.0 if average else -np.inf)
            # rows - rows is a 0 of the tile's own
            v.loop(rows, [largest(v, here(rows - rows, a)) for a in range(shared)], down)
        else:
            v.loop(rows, [], row)

    return write
