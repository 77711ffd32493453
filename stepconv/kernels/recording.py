"""The textbook's loops in the form that keeps a record: one step computes one output cell.

Whatever the operation, an output cell gathers: along each axis `rows` and `columns` hold for every
output index which cells of the source it reads and which weights they meet, as three arrays
(starts, cells, taps); those of index i lie from starts[i] to starts[i + 1], and a cell of -1 is
padding. Arrays are (planes, rows, columns) and steps count the output cells in that order.

Each step is a plain function that calls no other, so that every backend compiles this same source.
"""

from typing import Any

import numpy as np

Array = Any
Lookup = tuple[Array, Array, Array]


def sum_step(
    step: Any,
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
    height, width = out.shape[1:]
    plane, i, j = step // (height * width), step // width % height, step % width
    row_starts, row_cells, row_taps = rows
    column_starts, column_cells, column_taps = columns
    total = bias[plane % bias.size]
    for k in range(pairs.shape[1]):
        s, w = pairs[plane, k, 0], pairs[plane, k, 1]
        partial = source.dtype.type(0)
        for t in range(row_starts[i], row_starts[i + 1]):
            for u in range(column_starts[j], column_starts[j + 1]):
                cell = source.dtype.type(0)
                if row_cells[t] >= 0 and column_cells[u] >= 0:
                    cell = source[s, row_cells[t], column_cells[u]]
                partial += cell * weights[w, row_taps[t], column_taps[u]]
        sums[step, k] = partial
        total += partial
    out[plane, i, j] = total


def winner_step(
    step: Any,
    source: Array,
    lowest: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
    winners: Array,
) -> None:
    """out = the largest cell of the window; keep which cell of its plane that is, -1 for none."""
    height, width = out.shape[1:]
    plane, i, j = step // (height * width), step // width % height, step % width
    row_starts, row_cells, _ = rows
    column_starts, column_cells, _ = columns
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
    winners[step] = winner


def route_step(
    step: Any,
    grad_out: Array,
    winners: Array,
    rows: Lookup,
    columns: Lookup,
    grad_x: Array,
) -> None:
    """grad_x = Σ grad_out of the windows that this cell has won."""
    height, width = grad_x.shape[1:]
    plane, y, z = step // (height * width), step // width % height, step % width
    row_starts, row_cells, _ = rows
    column_starts, column_cells, _ = columns
    total = grad_out.dtype.type(0)
    for t in range(row_starts[y], row_starts[y + 1]):
        for u in range(column_starts[z], column_starts[z + 1]):
            i, j = row_cells[t], column_cells[u]
            if winners[plane, i, j] == y * width + z:
                total += grad_out[plane, i, j]
    grad_x[plane, y, z] = total


def copy_step(
    step: Any,
    source: Array,
    outside: Any,
    rows: Lookup,
    columns: Lookup,
    out: Array,
) -> None:
    """out = the one cell that is read, or `outside` in the padding."""
    height, width = out.shape[1:]
    plane, i, j = step // (height * width), step // width % height, step % width
    y, z = rows[1][i], columns[1][j]
    out[plane, i, j] = source[plane, y, z] if y >= 0 and z >= 0 else outside


def gate_step(step: Any, x: Array, values: Array, out: Array) -> None:
    """out = the value where x is positive or NaN, 0 elsewhere; all three in one dimension."""
    out[step] = values.dtype.type(0) if x[step] <= 0 else values[step]


def record_sums(steps: int, workers: Array, *arguments: Any) -> None:
    """Run `sum_step` for every step, all of them on this one worker."""
    _run(sum_step, steps, workers, arguments)


def record_winners(steps: int, workers: Array, *arguments: Any) -> None:
    """Run `winner_step` for every step."""
    _run(winner_step, steps, workers, arguments)


def record_routes(steps: int, workers: Array, *arguments: Any) -> None:
    """Run `route_step` for every step."""
    _run(route_step, steps, workers, arguments)


def record_copies(steps: int, workers: Array, *arguments: Any) -> None:
    """Run `copy_step` for every step."""
    _run(copy_step, steps, workers, arguments)


def record_gates(steps: int, workers: Array, *arguments: Any) -> None:
    """Run `gate_step` for every step."""
    _run(gate_step, steps, workers, arguments)


def _run(function: Any, steps: int, workers: Array, arguments: tuple[Any, ...]) -> None:
    # An oracle does what IEEE says, where NumPy would warn.
    with np.errstate(all="ignore"):
        for step in range(steps):
            function(step, *arguments)
    workers[:] = 0
