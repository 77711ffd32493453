"""The small pieces of vector code of the pools: as many neighbouring windows as a vector has lanes.

Lane l of a vector belongs to window j + l. Each tile has two forms. The one for `edges` is told
that of the cells, counted from the first one of window j, only those from `low` to `high` - 1 are
real, and that only `count` windows are left; it never touches what lies beyond.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from stepconv.kernels.cpu.vector import Int, Mask, Vector, Vectors, tile

Reader = Callable[[Int], list[Vector]]


def window_cells(v: Vectors, window: int, stride: int, real: Any, padding: float) -> Reader:
    """Return a function from a row's address to a vector of cells for each column b of windows.

    Lane l of vector b is row[l·stride + b]. A stride of 2 unzips two vectors at a time:
    `0 1 2 3 4 5 6 7` holds b = 0: `0 2 4 6` and b = 1: `1 3 5 7`. Where `real` gives bounds, the
    cells outside of them are `padding`.
    """
    # The last column of an odd window lies at the odd places of a pair that starts one earlier:
    # so no cell behind the last window is read.
    firsts = {b: b - b % 2 if b < window - 1 or b % 2 else b - 1 for b in range(window)}
    masks: dict[int, Mask] = {}
    if real is not None:
        low, high = real
        places = range(window) if stride == 1 else firsts.values()
        for b in {place + u * v.lanes for place in places for u in range(stride)}:
            masks[b] = v.lanes_between(low - b, high - b)

    def read(row: Int, b: int) -> Vector:
        if real is None:
            return v.load(row + b * v.size)
        return v.load_where(masks[b], row + b * v.size, v.constant(padding))

    def cells(row: Int) -> list[Vector]:
        if stride == 1:
            return [read(row, b) for b in range(window)]
        pairs = {b: v.unzipped(read(row, b), read(row, b + v.lanes)) for b in set(firsts.values())}
        return [pairs[first][b - first] for b, first in firsts.items()]

    return cells


def beats(v: Vectors, cell: Vector, best: Vector) -> Mask:
    """Return where a later cell takes the place of the best so far: larger, or the first NaN.

    cell > best or (cell != cell and best == best)
    """
    return v.above_or_nan(cell, best) & v.is_number(best)


@functools.cache
def largest(dtype: Any, window: int, stride: int, edges: bool) -> Any:
    """Return the tile that writes the largest cell of each window.

    `source` is where the first window starts in the first of its `rows` real rows.
    """

    @tile(dtype)
    def write(
        v: Vectors, source: Int, pitch: Int, rows: Int, out: Int, low: Int, high: Int, count: Int
    ) -> None:
        cells = window_cells(v, window, stride, (low, high) if edges else None, -np.inf)

        def step(a: Int, state: list[Vector]) -> list[Vector]:
            (best,) = state
            for cell in cells(source + a * pitch):
                best = v.select(beats(v, cell, best), cell, best)
            return [best]

        (best,) = v.loop(rows, [v.constant(-np.inf)], step)
        if edges:
            v.store_some(out, best, count)
        else:
            v.store(out, best)

    return write


@functools.cache
def winners(dtype: Any, window: int, stride: int, edges: bool) -> Any:
    """Return the tile that writes the name of each window's winner, and copies its gradient.

    Cell b of real row a has the name names[a · window + b]. A window of cells that are all -inf is
    won by the first real one: `first` tells how many columns of padding are before it.
    """

    @tile(dtype)
    def write(
        v: Vectors,
        source: Int,
        pitch: Int,
        rows: Int,
        names: Int,
        grad_out: Int,
        winner_to: Int,
        grad_to: Int,
        first: Int,
        low: Int,
        high: Int,
        count: Int,
    ) -> None:
        cells = window_cells(v, window, stride, (low, high) if edges else None, -np.inf)

        def step(a: Int, state: list[Vector]) -> list[Vector]:
            best, winner = state
            for b, cell in enumerate(cells(source + a * pitch)):
                better = beats(v, cell, best)
                best = v.select(better, cell, best)
                winner = v.select(better, v.splat(names + (a * window + b) * v.size), winner)
            return [best, winner]

        start = v.splat(names) + v.load(first) if edges else v.splat(names)
        _, winner = v.loop(rows, [v.constant(-np.inf), start], step)
        v.store(winner_to, winner)
        v.store(grad_to, v.load_some(grad_out, count) if edges else v.load(grad_out))

    return write


@functools.cache
def averages(dtype: Any, window: int, stride: int, edges: bool) -> Any:
    """Return the tile that writes the average of each window: its sum / (row_cells · cells)."""

    @tile(dtype)
    def write(
        v: Vectors,
        source: Int,
        pitch: Int,
        rows: Int,
        row_cells: Int,
        cells: Int,
        out: Int,
        low: Int,
        high: Int,
        count: Int,
    ) -> None:
        read = window_cells(v, window, stride, (low, high) if edges else None, 0.0)

        def step(a: Int, state: list[Vector]) -> list[Vector]:
            (total,) = state
            for cell in read(source + a * pitch):
                total = total + cell
            return [total]

        (total,) = v.loop(rows, [v.zero()], step)
        columns = v.load_some(cells, count) if edges else v.load(cells)
        average = v.quotient(total, v.splat(row_cells) * columns)
        if edges:
            v.store_some(out, average, count)
        else:
            v.store(out, average)

    return write


@functools.cache
def shares(dtype: Any, edges: bool) -> Any:
    """Return the tile that writes what each cell of a window gets: grad / (row_cells · cells)."""

    @tile(dtype)
    def write(
        v: Vectors, grad_out: Int, row_cells: Int, cells: Int, share: Int, count: Int
    ) -> None:
        if edges:
            divisor = v.splat(row_cells) * v.load_some(cells, count)
            quotient = v.quotient(v.load_some(grad_out, count), divisor)
            real = v.lanes_between(count - count, count)
            v.store(share, v.select(real, quotient, v.zero()))
        else:
            divisor = v.splat(row_cells) * v.load(cells)
            v.store(share, v.quotient(v.load(grad_out), divisor))

    return write


@functools.cache
def gathered(dtype: Any, window: int, stride: int, named: bool, edges: bool) -> Any:
    """Return the tile that sums for cells of an input row what the windows over them send back.

    Cell stride·j + p of the row lies in column b = p + stride·t of window j - t:

        grad_x[stride·j + p] = Σ_i Σ_t grads[i, j - t], the largest t first

    over the `rows` rows i of windows that meet the input row. With names, only of the windows
    whose winner[i, j - t] is names[b - i·name_step].
    """

    @tile(dtype)
    def write(
        v: Vectors,
        grads: Int,
        winner: Int,
        pitch: Int,
        rows: Int,
        names: Int,
        name_step: Int,
        out: Int,
        low: Int,
        high: Int,
    ) -> None:
        def step(i: Int, sums: list[Vector]) -> list[Vector]:
            for p in range(stride):
                for b in reversed(range(p, window, stride)):
                    at = i * pitch - (b - p) // stride * v.size
                    grad = v.load(grads + at)
                    if named:
                        name = v.splat(names - i * name_step + b * v.size)
                        grad = v.select(v.equal(v.load(winner + at), name), grad, v.zero())
                    sums[p] = sums[p] + grad
            return sums

        sums = v.loop(rows, [v.zero()] * stride, step)
        for u, cells in enumerate(sums if stride == 1 else v.zipped(*sums)):
            if edges:
                real = v.lanes_between(low - u * v.lanes, high - u * v.lanes)
                v.store_where(real, out + u * v.bytes, cells)
            else:
                v.store(out + u * v.bytes, cells)

    return write
