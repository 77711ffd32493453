"""The small pieces of vector code of the pools: as many neighbouring windows as a vector has lanes.

Lane l of a vector belongs to window j + l. Each tile has two forms: one for windows that lie
inside of the image, and one for `edges`, which touches nothing beyond them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.cpu.vector import Int, Mask, Vector, Vectors, tile

Reader = Callable[[Int, int], list[Vector]]
Named = tuple[Vector, Vector]


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


def window_cells(v: Vectors, windows: Windows, image: Image, edges: bool, padding: float) -> Reader:
    """Return a function that reads row a of window i: a vector of cells for each column b.

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

    def cells(i: Int, a: int) -> list[Vector]:
        y = i * windows.stride_y + a
        row = image.source + image.pitch * y
        if edges:
            row = v.within(y, image.top, image.bottom, row, image.padding)
        if stride == 1:
            return [read(row, b) for b in range(width)]
        pairs = {b: v.unzipped(read(row, b), read(row, b + v.lanes)) for b in set(pair.values())}
        return [pairs[first][b - first] for b, first in pair.items()]

    return cells


def winning(v: Vectors, cells: Sequence[Named]) -> Named:
    """Return the first of the largest cells with its name.

    A later cell takes the place of the best so far if it is larger, or the first NaN:
    cell > best or (cell != cell and best == best).
    """
    best, winner = cells[0]
    for cell, name in cells[1:]:
        better = v.above_or_nan(cell, best) & v.is_number(best)
        best, winner = v.select(better, cell, best), v.select(better, name, winner)
    return best, winner


def each_winner(
    v: Vectors,
    windows: Windows,
    cells: Reader,
    rows: Int,
    start: Named | None,
    use: Callable[[Int, Vector, Vector], None],
) -> None:
    """Call `use` with the largest cells and their names, for each of the rows i of windows.

    Cell (a, b) has the name a · width + b. `start` is what all cells have to beat.
    """
    height, width, stride_y, _ = windows

    def row(i: Int, a: int) -> Named:
        return winning(v, [(cell, v.constant(b)) for b, cell in enumerate(cells(i, a))])

    # The last rows of a window may be the first ones of the next: their winners are kept.
    shared = max(0, height - stride_y)

    def step(i: Int, state: list[Vector]) -> list[Vector]:
        best = [(state[2 * a], state[2 * a + 1]) for a in range(shared)]
        best += [row(i, a) for a in range(shared, height)]
        named = [(cell, b + v.constant(a * width)) for a, (cell, b) in enumerate(best)]
        use(i, *winning(v, [start, *named] if start else named))
        return [vector for pair in best[height - shared :] for vector in pair]

    # rows - rows is a 0 of the tile's own
    first = [vector for a in range(shared) for vector in row(rows - rows, a)]
    v.loop(rows, first, step)


def share(v: Vectors, grad: Vector, row_cells: Int, column_cells: Int, count: Int | None) -> Vector:
    """Return grad / (row_cells · column_cells), 0 for windows that are not there."""
    if count is None:
        return v.quotient(grad, v.splat(row_cells) * v.load(column_cells))
    quotient = v.quotient(grad, v.splat(row_cells) * v.load_some(column_cells, count))
    return v.select(v.lanes_between(count - count, count), quotient, v.zero())


@functools.cache
def pooled(dtype: Any, windows: Windows, average: bool, edges: bool) -> Any:
    """Return the tile that writes what a pool makes of each window, for `rows` rows of windows.

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
        rows: Int,
        row_cells: Int,
        column_cells: Int,
        out: Int,
        out_pitch: Int,
        count: Int,
    ) -> None:
        image = Image(source, pitch, top, bottom, left, right, padding)
        cells = window_cells(v, windows, image, edges, 0.0 if average else -np.inf)

        def put(i: Int, result: Vector, _: Any = None) -> None:
            if edges:
                v.store_some(out + i * out_pitch, result, count)
            else:
                v.store(out + i * out_pitch, result)

        def step(i: Int, _: list[Vector]) -> list[Vector]:
            total = v.zero()
            for a in range(windows.height):
                for cell in cells(i, a):
                    total = total + cell
            columns = v.load_some(column_cells, count) if edges else v.load(column_cells)
            put(i, v.quotient(total, v.splat(row_cells + i * v.size) * columns))
            return []

        if average:
            v.loop(rows, [], step)
        else:
            each_winner(v, windows, cells, rows, None, put)

    return write


@functools.cache
def sent_back(dtype: Any, windows: Windows, average: bool, edges: bool) -> Any:
    """Return the tile that writes what each window sends back to its cells, and to which.

    A max_pool sends its gradient to the winner. An average sends the gradient / (row_cells ·
    column_cells) to each cell. Padding is -inf, which beats nothing: so a window of nothing but
    -inf is won by its first real cell, whose name is at `first`.
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
        rows: Int,
        row_cells: Int,
        column_cells: Int,
        grad_out: Int,
        out_pitch: Int,
        count: Int,
        first: Int,
        grad: Int,
        winner: Int,
        memory_pitch: Int,
    ) -> None:
        def given(i: Int) -> Vector:
            at = grad_out + i * out_pitch
            return v.load_some(at, count) if edges else v.load(at)

        def put_share(i: Int, _: list[Vector]) -> list[Vector]:
            counted = row_cells + i * v.size
            sent = share(v, given(i), counted, column_cells, count if edges else None)
            v.store(grad + i * memory_pitch, sent)
            return []

        def put_winner(i: Int, _: Vector, name: Vector) -> None:
            v.store(grad + i * memory_pitch, given(i))
            v.store(winner + i * memory_pitch, name)

        if average:
            v.loop(rows, [], put_share)
        else:
            image = Image(source, pitch, top, bottom, left, right, padding)
            cells = window_cells(v, windows, image, edges, -np.inf)
            start = (v.constant(-np.inf), v.load(first)) if edges else None
            each_winner(v, windows, cells, rows, start, put_winner)

    return write


@functools.cache
def gathered(dtype: Any, windows: Windows, average: bool, edges: bool) -> Any:
    """Return the tile that sums for cells of the input what the windows over them send back.

    Cell (stride_y·i + q, stride_x·j + p), counted with the padding, is cell (a, b) of window
    (i - s, j - t) with a = q + stride_y·s, b = p + stride_x·t. So

        grad_x[stride_y·i + q, stride_x·j + p] = Σ_s Σ_t grad[i - s, j - t]

    with large s and t, the first windows, before small ones; of a max_pool only those windows
    whose winner is (a, b). Rows outside of top..bottom - 1 are written to `dump`.
    """
    height, width, stride_y, stride_x = windows

    @tile(dtype)
    def write(
        v: Vectors,
        grad: Int,
        winner: Int,
        memory_pitch: Int,
        rows: Int,
        out: Int,
        pitch: Int,
        top: Int,
        bottom: Int,
        left: Int,
        right: Int,
        dump: Int,
    ) -> None:
        def cell(i: Int, q: int, p: int) -> Vector:
            total = v.zero()
            for a in reversed(range(q, height, stride_y)):
                for b in reversed(range(p, width, stride_x)):
                    at = memory_pitch * (i - a // stride_y) - b // stride_x * v.size
                    sent = v.load(grad + at)
                    if not average:
                        won = v.equal(v.load(winner + at), v.constant(a * width + b))
                        sent = v.select(won, sent, v.zero())
                    total = total + sent
            return total

        put = row_writer(v, windows, edges, out, pitch, top, bottom, left, right, dump)

        def step(i: Int, _: list[Vector]) -> list[Vector]:
            for q in range(stride_y):
                put(i, q, [cell(i, q, p) for p in range(stride_x)])
            return []

        v.loop(rows, [], step)

    return write


@functools.cache
def returned(dtype: Any, windows: Windows, average: bool, edges: bool) -> Any:
    """Return the tile that hands gradients back to windows that lie side by side.

    Every cell belongs to one window alone, so it is written at once: `out` is to grad_x what
    `source` is to x. Of the gradients, `count` are there; the other windows get 0.
    """
    height, width, _, _ = windows

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
        grad_out: Int,
        out_pitch: Int,
        count: Int,
        first: Int,
        out: Int,
        dump: Int,
    ) -> None:
        put = row_writer(v, windows, edges, out, pitch, top, bottom, left, right, dump)

        def given(i: Int) -> Vector:
            at = grad_out + i * out_pitch
            # 0 + -0 is 0, the sum that starts with 0
            return v.zero() + (v.load_some(at, count) if edges else v.load(at))

        def put_share(i: Int, _: list[Vector]) -> list[Vector]:
            counted = row_cells + i * v.size
            sent = share(v, given(i), counted, column_cells, count if edges else None)
            for a in range(height):
                put(i, a, [sent] * width)
            return []

        def put_winner(i: Int, _: Vector, name: Vector) -> None:
            grad = given(i)
            for a in range(height):
                won = [v.equal(name, v.constant(a * width + b)) for b in range(width)]
                put(i, a, [v.select(mask, grad, v.zero()) for mask in won])

        if average:
            v.loop(rows, [], put_share)
        else:
            image = Image(source, pitch, top, bottom, left, right, padding)
            cells = window_cells(v, windows, image, edges, -np.inf)
            start = (v.constant(-np.inf), v.load(first)) if edges else None
            each_winner(v, windows, cells, rows, start, put_winner)

    return write


def row_writer(
    v: Vectors,
    windows: Windows,
    edges: bool,
    out: Int,
    pitch: Int,
    top: Int,
    bottom: Int,
    left: Int,
    right: Int,
    dump: Int,
) -> Callable[[Int, int, list[Vector]], None]:
    """Return a function that writes row q of row i of windows: a vector for each column p.

    It is the contrary of `window_cells`: vectors for a stride of 2 are zipped.
    """
    stride = windows.stride_x
    real = [v.lanes_between(left - u * v.lanes, right - u * v.lanes) for u in range(stride)]

    def put(i: Int, q: int, columns: list[Vector]) -> None:
        y = i * windows.stride_y + q
        row = out + pitch * y
        if edges:
            row = v.within(y, top, bottom, row, dump)
        for u, cells in enumerate(columns if stride == 1 else v.zipped(*columns)):
            if edges:
                v.store_where(real[u], row + u * v.bytes, cells)
            else:
                v.store(row + u * v.bytes, cells)

    return put
