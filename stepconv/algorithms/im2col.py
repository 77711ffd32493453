"""Windows laid out as rows of a matrix, so that a convolution is one product of matrices.

1 2 3        1 2 4 5                        the windows overlap, so cells
4 5 6   ->   2 3 5 6   · w as a column      stand there again and again:
7 8 9        4 5 7 8                        memory is the price
             5 6 8 9
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from stepconv.algorithms.ledger import Ledger
from stepconv.algorithms.steps import PADDING, Panel, Step, panel
from stepconv.algorithms.task import Array, Task


def steps(task: Task, ledger: Ledger) -> Generator[Step, None, Array]:
    """Yield the rows of the matrix as they are laid out, then the product; return the tile."""
    x, w = task.source(ledger), ledger.array(task.w)
    wide = task.size[1]
    matrix = ledger.array(np.zeros((task.cells, task.w.size), task.x.dtype))
    taken = task.x.size
    for i in range(task.size[0]):
        rows = range(i * wide, (i + 1) * wide)
        for row in rows:
            matrix[row] = x[:, task.rows(i), task.columns(row % wide)].ravel()
        read = range(task.x.shape[1])[task.rows(i)]
        yield Step(
            f"windows of row {i}, laid out",
            f"{wide} windows become {wide} rows of {task.w.size} numbers: copies, no arithmetic. "
            f"The matrix holds {matrix.cells.size} numbers where the input has {taken}.",
            "matrix[cell] = window(cell), row after row, channel after channel",
            (
                panel("input", "input", task.x[0], (read, range(task.x.shape[2])), task.padded[0]),
                Panel(
                    "matrix",
                    "windows as rows",
                    matrix.cells[: rows.stop].copy(),
                    (rows, range(task.w.size)),
                    _padding(task, rows.stop),
                ),
            ),
            ledger.counts,
        )
    column = w[:].reshape(-1, 1)
    out = ledger.array(np.zeros(task.size, task.x.dtype))
    for cell in range(task.cells):
        total = ledger.dot(matrix[cell], column[:, 0])
        out[divmod(cell, wide)] = ledger.plus(total, task.bias)
    yield Step(
        "one product of matrices",
        f"{task.cells} rows meet the kernel as a column: what libraries are fastest at.",
        "out = matrix · w + bias",
        (
            panel("matrix", "windows as rows", matrix.cells),
            panel("kernel", "w", column),
            panel("result", "tile", out.cells),
        ),
        ledger.counts,
    )
    return out.cells


def _padding(task: Task, rows: int) -> dict[tuple[int, int], str]:
    """Return which cells of the matrix are padding."""
    found: dict[tuple[int, int], str] = {}
    for row in range(rows):
        i, j = divmod(row, task.size[1])
        outside = task.padded[:, task.rows(i), task.columns(j)].ravel()
        found |= {(row, int(k)): PADDING for k in np.flatnonzero(outside)}
    return found
