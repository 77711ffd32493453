"""The textbook's loops in the form that keeps a record, a stretch of a row of cells at a time.

Whatever the operation, an output cell gathers: along each axis `rows` and `columns` hold for every
output index which cells of the source it reads and which weights they meet, as three arrays
(starts, cells, taps); those of index i lie from starts[i] to starts[i + 1], and a cell of -1 is
padding. Arrays are (planes, rows, columns); lines count the rows of all planes of the output, and
steps its cells. A function computes the cells first <= j < last of a line.

Each function is plain and calls no other, so that every backend compiles this same source.
"""

import math
from typing import Any

import numpy as np

from stepconv.kernels.kinds import SIGMOID, TANH

Array = Any
Lookup = tuple[Array, Array, Array]


def sum_line(
    line: Any,
    first: Any,
    last: Any,
    source: Array,
    weights: Array,
    pairs: Array,
    bias: Array,
    rows: Lookup,
    columns: Lookup,
    out: Array,
    sums: Array,
) -> None:
    """out = bias + Σ over the pairs of planes of Σ source · weight; keep the sum of each pair."""
    row_starts, row_cells, row_taps = rows
    column_starts, column_cells, column_taps = columns
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
    rows: Lookup,
    columns: Lookup,
    out: Array,
    winners: Array,
) -> None:
    """out = the largest cell of the window; keep which cell of its plane that is, -1 for none."""
    row_starts, row_cells, _ = rows
    column_starts, column_cells, _ = columns
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
    rows: Lookup,
    columns: Lookup,
    grad_x: Array,
) -> None:
    """grad_x = Σ grad_out of the windows that this cell has won."""
    row_starts, row_cells, _ = rows
    column_starts, column_cells, _ = columns
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
    rows: Lookup,
    columns: Lookup,
    out: Array,
) -> None:
    """out = the one cell that is read, or `outside` in the padding."""
    height = out.shape[1]
    plane, i = line // height, line % height
    y = rows[1][i]
    for j in range(first, last):
        z = columns[1][j]
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
    rows: Lookup,
    columns: Lookup,
    out: Array,
    sums: Array,
) -> None:
    """out = e^own / Σ e^cell over the pairs of planes; keep the sum of each pair.

    The largest of the cells is taken off each of them, so that nothing overflows.
    """
    row_starts, row_cells, _ = rows
    column_starts, column_cells, _ = columns
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


def record_sums(workers: Array, *arguments: Any) -> None:
    """Run `sum_line` for every row of `workers`, all of them on this one worker."""
    _run(sum_line, workers, arguments)


def record_winners(workers: Array, *arguments: Any) -> None:
    """Run `winner_line` for every row."""
    _run(winner_line, workers, arguments)


def record_routes(workers: Array, *arguments: Any) -> None:
    """Run `route_line` for every row."""
    _run(route_line, workers, arguments)


def record_copies(workers: Array, *arguments: Any) -> None:
    """Run `copy_line` for every row."""
    _run(copy_line, workers, arguments)


def record_gates(workers: Array, *arguments: Any) -> None:
    """Run `gate_line` for every row."""
    _run(gate_line, workers, arguments)


def record_curves(workers: Array, *arguments: Any) -> None:
    """Run `curve_line` for every row."""
    _run(curve_line, workers, arguments)


def record_shares(workers: Array, *arguments: Any) -> None:
    """Run `share_line` for every row."""
    _run(share_line, workers, arguments)


def _run(function: Any, workers: Array, arguments: tuple[Any, ...]) -> None:
    # An oracle does what IEEE says, where NumPy would warn.
    with np.errstate(all="ignore"):
        for line in range(len(workers)):
            function(line, 0, workers.shape[1], *arguments)
    workers[:] = 0
