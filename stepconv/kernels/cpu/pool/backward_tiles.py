"""The small pieces of vector code that hand the gradients of a pool back to its cells.

Lane l of a vector belongs to window j + l, and to the cells that it shares with no window behind
it: rows stride_y·i + q and columns stride_x·(j + l) + p with q < stride_y, p < stride_x.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.cpu.machine.vector import Int, Mask, Vector, Vectors, lanes, tile
from stepconv.kernels.cpu.pool.windows import Counts, Rows, Windows, columns, row_at

First = tuple[Vector, list[Mask]]


class Kept(NamedTuple):
    """What is kept for each vector of windows until the next row of windows, in vectors."""

    sums: int  # for the rows of cells that the next windows add to
    rows: int  # of the image that the next windows share: two each, largest cells and their columns

    @property
    def vectors(self) -> int:
        return self.sums + 2 * self.rows


class Band(NamedTuple):
    """Which windows a tile takes: `rows` of them from row `first` on, `vectors` in a row.

    `masks` has for each vector of windows one of those that exist, one for each vector of cells
    that is written, and one for each that is read.
    """

    first: Any
    rows: Any
    vectors: Any
    masks: Any


def kept(windows: Windows, average: bool) -> Kept:
    """Return what windows of this kind keep."""
    shared = windows.shared_rows
    return Kept(shared * windows.stride_x, 0 if average else shared)


def first_largest(v: Vectors, numbers: Sequence[Vector]) -> First:
    """Return the largest of some numbers, and for each a mask of where it is the first of these.

    Nothing is done here for NaN.
    """
    best, wins = numbers[0], []
    for number in numbers[1:]:
        wins.append(v.above(number, best))
        best = v.select(wins[-1], number, best)
    # It is the last one that was larger than all before it, or else the first of all.
    later, first = v.above(v.zero(), v.zero()), list[Mask]()
    for win in reversed(wins):
        first.insert(0, win & ~later)
        later = later | win
    return best, [~later, *first]


def sent_to_winners(
    v: Vectors,
    windows: Windows,
    read: Callable[[int], list[Vector]],
    memory: Int,
    grad: Vector,
    doubt: Vector,
) -> tuple[list[Vector], Vector]:
    """Return what windows send to each of their cells: the gradient to the first of the largest.

    `read(a)` gives the cells of row a. The first rows were the last ones of the windows above, and
    what was found in them is at `memory`. Lanes of `doubt` are set where that may be wrong: near a
    NaN, and where all is -inf, which padding is too.
    """
    height, width, shared, size = windows.height, windows.width, windows.shared_rows, v.bytes
    rows: list[First] = []
    for a in range(shared):
        best, column = v.load(memory + 2 * a * size), v.load(memory + (2 * a + 1) * size)
        rows.append((best, [v.equal(column, v.constant(b)) for b in range(width)]))
    for a in range(shared, height):
        cells = read(a)
        rows.append(first_largest(v, cells))
        for one, other in itertools.pairwise(cells):
            doubt = v.select(v.either_nan(one, other), v.constant(1), doubt)
    for a, (best, first) in enumerate(rows[height - shared :]):
        column = v.zero()
        for b in range(1, width):
            column = v.select(first[b], v.constant(b), column)
        v.store(memory + 2 * a * size, best)
        v.store(memory + (2 * a + 1) * size, column)
    best, first_row = first_largest(v, [best for best, _ in rows])
    nothing = ~v.above(best, v.constant(-np.inf)) & ~v.equal(grad, v.zero())
    doubt = v.select(nothing, v.constant(1), doubt)
    sent = []
    for this_row, (_, first) in zip(first_row, rows, strict=True):
        given = v.select(this_row, grad, v.zero())
        sent += [v.select(cell, given, v.zero()) for cell in first]
    return sent, doubt


@functools.cache
def returned(dtype: Any, windows: Windows, average: bool) -> Any:
    """Return the tile that hands gradients back.

    A max_pool sends each gradient to the window's winner. An average sends the gradient /
    (counts of its row · of its column) to all of its cells.

        grad_x[stride_y·i + q, stride_x·j + p] = Σ_s Σ_t sent[i - s, j - t, a, b]
            with a = q + stride_y·s, b = p + stride_x·t, large s and t before small ones

    The rows of windows pass one after the other, each from the left to the right. What windows
    i - 1, i - 2 sent waits at `memory`; what windows j - 1, j - 2 sent is in registers.

    Only the rows of `cells` that are in the image are there, of those of `out` only the task's, and
    of those of `given` the ones that exist. Numbers that are not 0 at `doubtful` tell that a winner
    is in doubt.
    """
    height, width, stride_y, stride_x = windows
    before_j = windows.reach[1]
    keep, at = kept(windows, average), windows.read_at(lanes(dtype))
    mask_of = {b: n for n, b in enumerate(at, 1 + stride_x)}
    masks_each = 1 + stride_x + len(at)
    # The cells that windows further to the right share. An average sends the same to all.
    late = [a * width + b for a in range(height) for b in range(stride_x, width)]
    late = late[:1] if average else late

    @tile(dtype)
    def write(
        v: Vectors,
        band: Band,
        cells: Rows,
        counts: Counts,
        given: Rows,
        out: Rows,
        memory: Int,
        doubtful: Int,
    ) -> None:
        def row(n: Int, state: list[Vector]) -> list[Vector]:
            i = band.first + n
            y = i * stride_y
            grads = row_at(v, given, i)
            lines = [row_at(v, cells, y + a) for a in range(height)]
            written = [row_at(v, out, y + q) for q in range(stride_y)]
            # What the next row of windows but one reads and writes, or the next plane: it follows.
            ahead = [
                rows.first + rows.pitch * (y + 2 * stride_y + q) + u * v.bytes
                for rows in ((out,) if average else (cells, out))
                for q in range(stride_y)
                for u in range(stride_x)
            ]

            def step(k: Int, state: list[Vector]) -> list[Vector]:
                along, mask_at = k * v.bytes, band.masks + k * (8 * masks_each)
                for place in ahead:
                    v.prefetch(place + along * stride_x)
                slot = memory + k * (keep.vectors * v.bytes)

                def mask(n: int) -> Mask:
                    return v.mask(mask_at + 8 * n)

                def read(a: int) -> list[Vector]:
                    line, beyond = lines[a] + along * stride_x, v.constant(-np.inf)
                    return columns(
                        v,
                        windows,
                        lambda b: v.load_where(mask(mask_of[b]), line + b * v.size, beyond),
                    )

                doubt = state[0]
                # 0 + -0 is 0, the sum that starts with 0
                grad = v.zero() + v.load_where(mask(0), grads + along, v.zero())
                if average:
                    one = v.constant(1)
                    down = Rows(counts.rows, v.size, given.low, given.high, counts.rows)
                    across = v.load_where(mask(0), counts.columns + along, one)
                    counted = v.splat(row_at(v, down, i)) * across
                    sent = [v.zero() + v.quotient(grad, counted)] * (height * width)
                else:
                    found = slot + keep.sums * v.bytes
                    sent, doubt = sent_to_winners(v, windows, read, found, grad, doubt)
                before = dict(zip(late, state[1:], strict=True))

                def term(a: int, p: int, t: int) -> Vector:
                    """Return sent[i, j - t, a, p + stride_x·t]."""
                    cell = a * width + p + stride_x * t
                    if t == 0:
                        return sent[cell]
                    return v.moved_up(before[late[0] if average else cell], sent[cell], t)

                def total(a: int, p: int) -> Vector:
                    """Return what was sent so far to cells that are in row a of windows i."""
                    to_left = [t for t in range(before_j, -1, -1) if p + stride_x * t < width]
                    terms = [term(a, p, t) for t in to_left if a < height]
                    if a + stride_y < height:
                        terms.insert(0, v.load(slot + (a * stride_x + p) * v.bytes))
                    return functools.reduce(Vector.__add__, terms or [v.zero()])

                for q in range(stride_y):
                    cells_of_row = [total(q, p) for p in range(stride_x)]
                    parts = cells_of_row if stride_x == 1 else v.zipped(*cells_of_row)
                    for u, part in enumerate(parts):
                        to = written[q] + along * stride_x + u * v.bytes
                        v.store_where(mask(1 + u), to, part)
                # Row a of windows i is row a - stride_y of windows i + 1.
                for a in range(stride_y, height):
                    for p in range(stride_x):
                        place = (a - stride_y) * stride_x + p
                        v.store(slot + place * v.bytes, total(a, p))
                return [doubt, *(sent[cell] for cell in late)]

            return v.loop(band.vectors, [*state, *[v.zero()] * len(late)], step)[:1]

        def clear(k: Int, _: list[Vector]) -> list[Vector]:
            for n in range(keep.sums):
                v.store(memory + k * (keep.vectors * v.bytes) + n * v.bytes, v.zero())
            return []

        v.loop(band.vectors, [], clear)
        v.store(doubtful, *v.loop(band.rows, [v.zero()], row))

    return write
