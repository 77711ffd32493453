"""Padding on a GPU: tables say which cell each padded cell copies, and by which it is copied."""

from typing import Any, NamedTuple

import numpy as np
from numba import cuda

from stepconv.kernels.cuda.machine.launch import kernel, launch_each
from stepconv.kernels.cuda.machine.places import place
from stepconv.kernels.cuda.machine.transfers import on_gpu

Array = Any


@on_gpu("out")
def pad(x: Array, out: Array, rows: Array, columns: Array, value: Any) -> None:
    """out[b, i, j] = x[b, rows[i], columns[j]], or `value` where an index is -1."""
    launch_each(_pad, out.size, x, out, rows, columns, value)


@kernel
def _pad(x: Array, out: Array, rows: Array, columns: Array, value: Any) -> None:
    cell = cuda.grid(1)
    if cell < out.size:
        b, i, j = place(cell, out.shape[1], out.shape[2])
        y, z = rows[i], columns[j]
        out[b, i, j] = x[b, y, z] if y >= 0 and z >= 0 else value


def pad_backward(grad_out: Array, grad_x: Array, rows: Array, columns: Array) -> None:
    """Add the gradient of every padded cell to the cell that it is a copy of."""
    _fold(grad_out, grad_x, _copies(rows, grad_x.shape[1]), _copies(columns, grad_x.shape[2]))


class Copies(NamedTuple):
    """A table turned round: the copies of cell y are cells[starts[y]] … cells[starts[y + 1] - 1].

    `2 1 0 1 2` says of each padded cell whose copy it is; of cell 1 the copies are `1 3`.
    """

    starts: Array
    cells: Array


def _copies(sources: Array, size: int) -> Copies:
    cells = np.argsort(sources, kind="stable").astype(np.int64)
    return Copies(np.searchsorted(sources[cells], np.arange(size + 1)).astype(np.int64), cells)


@on_gpu("grad_x")
def _fold(grad_out: Array, grad_x: Array, rows: Copies, columns: Copies) -> None:
    launch_each(_fold_cells, grad_x.size, grad_out, grad_x, rows, columns)


@kernel
def _fold_cells(grad_out: Array, grad_x: Array, rows: Copies, columns: Copies) -> None:
    """grad_x[b, y, z] = Σ grad_out[b, i, j] over the copies (i, j) of the cell (y, z)."""
    cell = cuda.grid(1)
    if cell < grad_x.size:
        b, y, z = place(cell, grad_x.shape[1], grad_x.shape[2])
        total = grad_x.dtype.type(0)
        for s in range(rows.starts[y], rows.starts[y + 1]):
            for t in range(columns.starts[z], columns.starts[z + 1]):
                total += grad_out[b, rows.cells[s], columns.cells[t]]
        grad_x[b, y, z] = total
