"""The small pieces of vector code of the pools: as many neighbouring windows as a vector has lanes.

Lane l of a vector belongs to window j + l. Each tile has two forms: one for windows that lie
inside of the image, and one for `edges`, which touches nothing beyond them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.cpu.vector import Int, Mask, Vector, Vectors, tile

Reader = Callable[[int], list[Vector]]


class Windows(NamedTuple):
    """How high and wide the windows of a pool are, and how far apart."""

    height: int
    width: int
    stride_y: int
    stride_x: int


class Image(NamedTuple):
    """Where a tile finds the cells under its windows.

    The first cell of the first window is at `source`, in the image or in the padding round it. Of
    its rows, only those from `top` to `bottom` - 1 are in the image, and of the cells in a row
    those from `left` to `right` - 1. A row of padding is at `padding`.
    """

    source: Int
    pitch: Int
    top: Int
    bottom: Int
    left: Int
    right: Int
    padding: Int


def window_cells(
    v: Vectors, windows: Windows, image: Image, edges: bool, padding: float
) -> Reader:
    """Return a function from a row a to a vector of cells (a, b) for each column b.

    Lane l of vector b is row[l·stride + b]. A stride of 2 unzips two vectors at a time:
    `0 1 2 3 4 5 6 7` holds b = 0: `0 2 4 6` and b = 1: `1 3 5 7`.
    """
    width, stride = windows.width, windows.stride_x
    # The last column of an odd window is read at the odd places of a pair that starts one cell
    # earlier: so nothing behind the last window is touched.
    pair = {b: b - b % 2 if b < width - 1 or b % 2 else b - 1 for b in range(width)}
    masks: dict[int, Mask] = {}
    if edges:
        firsts = range(width) if stride == 1 else pair.values()
        for b in {first + u * v.lanes for first in firsts for u in range(stride)}:
            masks[b] = v.lanes_between(image.left - b, image.right - b)

    def read(row: Int, b: int) -> Vector:
        at = row + b * v.size
        return v.load_where(masks[b], at, v.constant(padding)) if edges else v.load(at)

    def cells(a: int) -> list[Vector]:
        row = image.source + image.pitch * a
        if edges:
            row = v.within(a, image.top, image.bottom, row, image.padding)
        if stride == 1:
            return [read(row, b) for b in range(width)]
        pairs = {b: v.unzipped(read(row, b), read(row, b + v.lanes)) for b in set(pair.values())}
        return [pairs[first][b - first] for b, first in pair.items()]

    return cells


def beats(v: Vectors, cell: Vector, best: Vector) -> Mask:
    """Return where a later cell takes the place of the best so far: larger, or the first NaN.

    cell > best or (cell != cell and best == best)
    """
    return v.above_or_nan(cell, best) & v.is_number(best)


@functools.cache
def pooled(dtype: Any, windows: Windows, average: bool, edges: bool) -> Any:
    """Return the tile that writes what a pool makes of each window.

    That is its largest cell, or its sum / (row_cells · column_cells).
    """

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
        row_cells: Int,
        column_cells: Int,
        out: Int,
        count: Int,
    ) -> None:
        image = Image(source, pitch, top, bottom, left, right, padding)
        cells = window_cells(v, windows, image, edges, 0.0 if average else -np.inf)
        if average:
            total = v.zero()
            for a in range(windows.height):
                for cell in cells(a):
                    total = total + cell
            columns = v.load_some(column_cells, count) if edges else v.load(column_cells)
            result = v.quotient(total, v.splat(row_cells) * columns)
        else:
            rows = [largest(v, cells(a)) for a in range(windows.height)]
            result = largest(v, rows)
        if edges:
            v.store_some(out, result, count)
        else:
            v.store(out, result)

    return write


def largest(v: Vectors, cells: list[Vector]) -> Vector:
    """Return the first of the largest."""
    best = cells[0]
    for cell in cells[1:]:
        best = v.select(beats(v, cell, best), cell, best)
    return best


@functools.cache
def sent_back(dtype: Any, windows: Windows, average: bool, edges: bool) -> Any:
    """Return the tile that writes what each window sends back to its cells, and to which.

    A max_pool sends its gradient to the winner, whose name is a · width + b for cell (a, b). An
    average sends the gradient / (row_cells · column_cells) to each.
    """

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
        first: Int,
        row_cells: Int,
        column_cells: Int,
        grad_out: Int,
        count: Int,
        grad: Int,
        winner: Int,
    ) -> None:
        sent = v.load_some(grad_out, count) if edges else v.load(grad_out)
        if average:
            sent = share(v, sent, row_cells, column_cells, count if edges else None)
        else:
            image = Image(source, pitch, top, bottom, left, right, padding)
            v.store(winner, winners(v, windows, image, edges, first))
        v.store(grad, sent)

    return write


def share(
    v: Vectors, grad: Vector, row_cells: Int, column_cells: Int, count: Int | None
) -> Vector:
    """Return grad / (row_cells · column_cells), 0 for windows that are not there."""
    if count is None:
        return v.quotient(grad, v.splat(row_cells) * v.load(column_cells))
    quotient = v.quotient(grad, v.splat(row_cells) * v.load_some(column_cells, count))
    there = v.lanes_between(count - count, count)
    return v.select(there, quotient, v.zero())


def winners(v: Vectors, windows: Windows, image: Image, edges: bool, first: Int) -> Vector:
    """Return the name of each window's winner."""
    cells = window_cells(v, windows, image, edges, -np.inf)
    # Padding is -inf, which beats nothing. A window of nothing but -inf is won by its first real
    # cell, whose name is at `first`.
    rows = [(v.constant(-np.inf), v.load(first))] if edges else []
    for a in range(windows.height):
        names = [v.constant(a * windows.width + b) for b in range(windows.width)]
        rows.append(winning(v, list(zip(cells(a), names, strict=True))))
    return winning(v, rows)[1]


def winning(v: Vectors, cells: list[tuple[Vector, Vector]]) -> tuple[Vector, Vector]:
    """Return the first of the largest cells with its name."""
    best, winner = cells[0]
    for cell, name in cells[1:]:
        better = beats(v, cell, best)
        best, winner = v.select(better, cell, best), v.select(better, name, winner)
    return best, winner


@functools.cache
def gathered(dtype: Any, windows: Windows, average: bool, edges: bool) -> Any:
    """Return the tile that sums for cells of the input what the windows over them send back.

    Cell (stride_y·i + q, stride_x·j + p), counted with the padding, is cell (a, b) of window
    (i - s, j - t) with a = q + stride_y·s, b = p + stride_x·t. So

        grad_x[stride_y·i + q, stride_x·j + p] = Σ_s Σ_t grad[i - s, j - t]

    with large s and t, the first windows, before small ones; of a max_pool only those windows
    whose winner is (a, b). Rows q outside of top..bottom - 1 are written to `dump`.
    """
    height, width, stride_y, stride_x = windows

    @tile(dtype)
    def write(
        v: Vectors,
        grad: Int,
        winner: Int,
        pitch: Int,
        out: Int,
        out_pitch: Int,
        top: Int,
        bottom: Int,
        left: Int,
        right: Int,
        dump: Int,
    ) -> None:
        def cell(q: int, p: int) -> Vector:
            total = v.zero()
            for a in reversed(range(q, height, stride_y)):
                for b in reversed(range(p, width, stride_x)):
                    at = pitch * (-(a // stride_y)) - b // stride_x * v.size
                    sent = v.load(grad + at)
                    if not average:
                        won = v.equal(v.load(winner + at), v.constant(a * width + b))
                        sent = v.select(won, sent, v.zero())
                    total = total + sent
            return total

        here = [v.lanes_between(left - u * v.lanes, right - u * v.lanes) for u in range(stride_x)]
        for q in range(stride_y):
            columns = [cell(q, p) for p in range(stride_x)]
            row = out + out_pitch * q
            if edges:
                row = v.within(q, top, bottom, row, dump)
            for u, cells in enumerate(columns if stride_x == 1 else v.zipped(*columns)):
                if edges:
                    v.store_where(here[u], row + u * v.bytes, cells)
                else:
                    v.store(row + u * v.bytes, cells)

    return write


@functools.cache
def returned(dtype: Any, windows: Windows, average: bool, edges: bool) -> Any:
    """Return the tile that hands gradients back to windows that lie side by side.

    Every cell belongs to one window alone, so it is written at once: `out` is to grad_x what
    `source` is to x. Of the gradients, `count` are there; the other windows get 0.
    """
    height, width, stride_y, stride_x = windows

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
        first: Int,
        row_cells: Int,
        column_cells: Int,
        grad_out: Int,
        count: Int,
        out: Int,
        dump: Int,
    ) -> None:
        image = Image(source, pitch, top, bottom, left, right, padding)
        sent = v.load_some(grad_out, count) if edges else v.load(grad_out)
        if average:
            sent = share(v, sent, row_cells, column_cells, count if edges else None)
        else:
            winner = winners(v, windows, image, edges, first)
        here = [v.lanes_between(left - u * v.lanes, right - u * v.lanes) for u in range(stride_x)]
        for a in range(height):
            columns = []
            for b in range(width):
                cell = sent
                if not average:
                    won = v.equal(winner, v.constant(a * width + b))
                    cell = v.select(won, sent, v.zero())
                columns.append(v.zero() + cell)
            row = out + pitch * a
            if edges:
                row = v.within(a, top, bottom, row, dump)
            for u, cells in enumerate(columns if stride_x == 1 else v.zipped(*columns)):
                if edges:
                    v.store_where(here[u], row + u * v.bytes, cells)
                else:
                    v.store(row + u * v.bytes, cells)

    return write
