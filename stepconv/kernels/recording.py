"""The textbook's loops in the form that keeps a record, a stretch of a row of cells at a time.

Whatever the operation, an output cell gathers: along each axis `rows` and `columns` hold for every
output index which cells of the source it reads and which weights they meet, as three arrays
(starts, cells, taps); those of index i lie from starts[i] to starts[i + 1], and a cell of -1 is
padding. Arrays are (planes, rows, columns); lines count the rows of all planes of the output, and
steps its cells. A function computes the cells first <= j < last of a line.

Each line is a plain function and calls no other, so that every backend compiles this same source;
its `recorder` runs it for all cells.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from stepconv.kernels.kinds import SIGMOID, TANH

Array = Any


class Lookup(NamedTuple):
    """What every index along an axis reads: three arrays."""

    starts: Array
    cells: Array
    taps: Array


class Reads(NamedTuple):
    """What an output cell reads: that of its row and that of its column."""

    rows: Lookup
    columns: Lookup


def sum_line(
    line: Any,
    first: Any,
    last: Any,
    source: Array,
    weights: Array,
    pairs: Array,
    bias: Array,
    reads: Reads,
    out: Array,
    sums: Array,
) -> None:
    """out = bias + Σ over the pairs of planes of Σ source · weight; keep the sum of each pair."""
    row_starts, row_cells, row_taps = reads.rows
    column_starts, column_cells, column_taps = reads.columns
    height, width = out.shape[1:]
    plane, i = line // height, line % height
    for j in range(first, last):
        total = bias[plane % bias.size]
        for k in range(pairs.shape[1]):
            s, w = pairs[plane, k, 0], pairs[plane, k, 1]
            partial = source.dtype.type(0)
            for t in range(row_starts[i], row_starts[i + 1]):
                y, a = row_cells[t], row_taps[t]
                for u in range(column_starts[j], column_starts[j + 1]):
                    z, b = column_cells[u], column_taps[u]
                    cell = source[s, y, z] if y >= 0 and z >= 0 else source.dtype.type(0)
                    partial += cell * weights[w, a, b]
            sums[line * width + j, k] = partial
            total += partial
        out[plane, i, j] = total


def winner_line(
    line: Any,
    first: Any,
    last: Any,
    source: Array,
    lowest: Any,
    reads: Reads,
    out: Array,
    winners: Array,
) -> None:
    """out = the largest cell of the window; keep which cell of its plane that is, -1 for none."""
    row_starts, row_cells, _ = reads.rows
    column_starts, column_cells, _ = reads.columns
    height, width = out.shape[1:]
    plane, i = line // height, line % height
    for j in range(first, last):
        best, winner = lowest, -1
        for t in range(row_starts[i], row_starts[i + 1]):
            for u in range(column_starts[j], column_starts[j + 1]):
                y, z = row_cells[t], column_cells[u]
                if y >= 0 and z >= 0:
                    cell = source[plane, y, z]
                    # The first of equals wins, and the first NaN beats all.
                    if winner < 0 or cell > best or (cell != cell and best == best):
                        best, winner = cell, y * source.shape[2] + z
        out[plane, i, j] = best
        winners[line * width + j] = winner


def route_line(
    line: Any,
    first: Any,
    last: Any,
    grad_out: Array,
    winners: Array,
    reads: Reads,
    grad_x: Array,
) -> None:
    """grad_x = Σ grad_out of the windows that this cell has won."""
    row_starts, row_cells, _ = reads.rows
    column_starts, column_cells, _ = reads.columns
    height, width = grad_x.shape[1:]
    plane, y = line // height, line % height
    for z in range(first, last):
        total = grad_out.dtype.type(0)
        for t in range(row_starts[y], row_starts[y + 1]):
            for u in range(column_starts[z], column_starts[z + 1]):
                i, j = row_cells[t], column_cells[u]
                if winners[plane, i, j] == y * width + z:
                    total += grad_out[plane, i, j]
        grad_x[plane, y, z] = total


def copy_line(
    line: Any,
    first: Any,
    last: Any,
    source: Array,
    outside: Any,
    reads: Reads,
    out: Array,
) -> None:
    """out = the one cell that is read, or `outside` in the padding."""
    height = out.shape[1]
    plane, i = line // height, line % height
    y = reads.rows.cells[i]
    for j in range(first, last):
        z = reads.columns.cells[j]
        out[plane, i, j] = source[plane, y, z] if y >= 0 and z >= 0 else outside


def gate_line(line: Any, first: Any, last: Any, x: Array, values: Array, out: Array) -> None:
    """out = the value where x is positive or NaN, 0 elsewhere."""
    height = out.shape[1]
    plane, i = line // height, line % height
    for j in range(first, last):
        shut = x[plane, i, j] <= 0
        out[plane, i, j] = values.dtype.type(0) if shut else values[plane, i, j]


def curve_line(
    line: Any, first: Any, last: Any, x: Array, curve: Any, slope: Any, out: Array
) -> None:
    """out = a number on the curve of that kind; below 0 a leaky ReLU has a slope."""
    height, one = out.shape[1], x.dtype.type(1)
    plane, i = line // height, line % height
    for j in range(first, last):
        cell = x[plane, i, j]
        if curve == TANH:
            out[plane, i, j] = math.tanh(cell)
        elif curve == SIGMOID:
            # 1 / (1 + e^-x), where e^-|x| never overflows.
            power = math.exp(-abs(cell))
            out[plane, i, j] = (one if cell >= 0 else power) / (one + power)
        else:
            out[plane, i, j] = slope * cell if cell <= 0 else cell


def share_line(
    line: Any,
    first: Any,
    last: Any,
    source: Array,
    pairs: Array,
    reads: Reads,
    out: Array,
    sums: Array,
) -> None:
    """out = e^own / Σ e^cell over the pairs of planes; keep the sum of each pair.

    The largest of the cells is taken off each of them, so that nothing overflows.
    """
    row_starts, row_cells, _ = reads.rows
    column_starts, column_cells, _ = reads.columns
    height, width = out.shape[1:]
    plane, i = line // height, line % height
    for j in range(first, last):
        largest = source.dtype.type(-np.inf)
        for k in range(pairs.shape[1]):
            for t in range(row_starts[i], row_starts[i + 1]):
                for u in range(column_starts[j], column_starts[j + 1]):
                    cell = source[pairs[plane, k, 0], row_cells[t], column_cells[u]]
                    largest = cell if cell > largest else largest
        total = source.dtype.type(0)
        for k in range(pairs.shape[1]):
            partial = source.dtype.type(0)
            for t in range(row_starts[i], row_starts[i + 1]):
                for u in range(column_starts[j], column_starts[j + 1]):
                    cell = source[pairs[plane, k, 0], row_cells[t], column_cells[u]]
                    partial += math.exp(cell - largest)
            sums[line * width + j, k] = partial
            total += partial
        out[plane, i, j] = math.exp(source[plane, i, j] - largest) / total


# What each line fills: its last arguments.
RESULTS = {
    "sum_line": ("out", "sums"),
    "winner_line": ("out", "winners"),
    "route_line": ("grad_x",),
    "copy_line": ("out",),
    "gate_line": ("out",),
    "curve_line": ("out",),
    "share_line": ("out", "sums"),
}


@cache
def recorder(line_of: Callable[..., None]) -> Callable[..., None]:
    """Return the function that runs a line for every row of `workers`, as plain Python.

    It takes these, in which it writes down who computed each cell, and what the line takes behind
    the stretch. Each backend has a function of this name.
    """

    def record(workers: Array, *arguments: Any) -> None:
        # An oracle does what IEEE says, where NumPy would warn.
        with np.errstate(all="ignore"):
            for line in range(len(workers)):
                line_of(line, 0, workers.shape[1], *arguments)
        workers[:] = 0

    return record
